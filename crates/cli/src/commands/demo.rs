//! `demo`: the whole loop on built-in data, by the program's own commands.

use crate::arguments::Arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::envelope;
use crate::exit::{self, Code};
use crate::training;
use anyhow::Result;
use clap::Parser;
use evolve::{Evolution, Settings};
use serde::Serialize;
use std::path::{Path, PathBuf};
use train::signals::Interrupt;
use train::{RunSettings, Training};

/// What is different from the preset `modern`: narrow networks, so that a laptop shows something in minutes.
const NARROW: [&str; 9] = [
    "data=scenes",
    "image.size=32",
    "width=32",
    "width_d=32",
    "ema=0.995",
    "log.samples=250",
    "log.checkpoint=500",
    "eval=32",
    "generations=1000",
];

/// Evolve a generator of small scenes, then open the one that comes with the program, in under ten minutes on two cores
#[derive(Debug, clap::Args)]
#[command(after_help = "\
First a small generator is evolved from nothing. Then the generator that comes with the program is
dissected: which of its units stand for what. The units that fit trees are switched off, those that fit
doors are forced, and all of it goes into one page, report.html. Each step is a command that is
printed before it runs: repeat it with other words.

Examples:
  ganatomy demo
  ganatomy demo --generations 500 --out quick

It needs no data and no download: the scenes are drawn by the program itself.")]
pub(crate) struct Demo {
    /// Generations in all
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// Pictures for the dissection
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    samples: u64,
    /// The run folder [default: the next of runs/00001-demo]
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// The seed of everything random
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    run: String,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    command: String,
    /// The fields of the command's own answer.
    result: serde_json::Map<String, serde_json::Value>,
}

impl Demo {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let mut overrides = NARROW.map(str::to_owned).to_vec();
        overrides.extend(self.generations.map(|n| format!("generations={n}")));
        overrides.extend(self.seed.map(|s| format!("seed={s}")));
        let settings = Settings::resolve(&Settings::preset("modern", false)?, None, &overrides)?;
        if self.dry_run {
            console::result(&training::Dry { settings: &settings }, || settings.to_toml())?;
            return Ok(exit::DONE);
        }
        let interrupt = Interrupt::install()?;
        let device = self.computing.open(console)?;
        console.say("1. a generator of small scenes, evolved from nothing");
        let run = Evolution::start(settings, device, || training::place(self.out, "demo"))?;
        let folder = run.folder().to_owned();
        let code = training::go(run, &interrupt, console)?;
        if code != exit::DONE {
            return Ok(code);
        }
        let mut done = Vec::new();
        for (what, words) in steps(&folder, self.samples) {
            console.say(what);
            console.say(&format!("  ganatomy {}", words.join(" ")));
            let line = ["ganatomy".to_owned()].into_iter().chain(words.clone());
            let code = Arguments::try_parse_from(line)?.command.run(console)?;
            if code != exit::DONE {
                return Ok(code);
            }
            done.push(Step { command: words.join(" "), result: envelope::take() });
        }
        envelope::add(&Json { run: folder.display().to_string(), steps: done })?;
        let run = folder.display();
        console.say("try next:");
        console.say(&format!("  open {run}/scenes/report.html in a browser"));
        console.say(&format!("  ganatomy interpolate {run} --seeds 0..8 --out morph.gif"));
        console.say(&format!("  ganatomy resume {run} --generations {}", 2 * self.generations.unwrap_or(1000)));
        console.say("  ganatomy evolve --data path/to/your/images --time 1h");
        Ok(exit::DONE)
    }
}

/// What is done with the shipped generator, as the words of commands.
fn steps(folder: &Path, samples: u64) -> Vec<(&'static str, Vec<String>)> {
    let found = folder.join("scenes").display().to_string();
    let within = |name: &str| folder.join("scenes").join(name).display().to_string();
    // Two cells wide and high: where houses and churches stand, and beside them.
    let places = ["10,4", "10,5", "11,4", "11,5", "10,10", "10,11", "11,10", "11,11"];
    let words = |fixed: &str| fixed.split(' ').map(str::to_owned).collect::<Vec<_>>();
    vec![
        (
            "2. the units of the generator that comes with the program",
            [
                words("dissect scenes --segmenter scenes --real scenes --layers 1b,2"),
                ["--samples", "--fit-samples"]
                    .iter()
                    .flat_map(|flag| [(*flag).to_owned(), samples.to_string()])
                    .collect(),
                vec!["--out".into(), found.clone()],
            ]
            .concat(),
        ),
        (
            "3. the same pictures without the 20 units that fit trees best",
            [
                words("edit scenes --ablate 1b:tree/20 --segmenter scenes --dissection"),
                vec![found.clone(), "--out".into(), within("no-trees")],
            ]
            .concat(),
        ),
        (
            "4. the 20 units that fit doors best, forced in two places",
            [
                words("edit scenes --insert 2:door/20@q0.995 --cells"),
                places.map(str::to_owned).into(),
                words("--segmenter scenes --dissection"),
                vec![found.clone(), "--out".into(), within("doors")],
            ]
            .concat(),
        ),
        ("5. all of it as one page", vec!["report".into(), found.clone()]),
    ]
}
