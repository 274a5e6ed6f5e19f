//! `demo`: the main job on built-in data.

use crate::console::Console;
use crate::device::Computing;
use crate::training;
use anyhow::Result;
use evolve::{Evolution, Settings};
use std::path::PathBuf;
use std::process::ExitCode;
use train::signals::Interrupt;

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

/// Evolve a generator of small scenes, in a few minutes on two cores
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy demo
  ganatomy demo --generations 500 --out quick

It needs no data and no download: the scenes are drawn by the program itself.")]
pub(crate) struct Demo {
    /// Generations in all
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
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

impl Demo {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let mut overrides = NARROW.map(str::to_owned).to_vec();
        overrides.extend(self.generations.map(|n| format!("generations={n}")));
        overrides.extend(self.seed.map(|s| format!("seed={s}")));
        let settings = Settings::resolve(&Settings::preset("modern", false)?, None, &overrides)?;
        if self.dry_run {
            crate::console::print(&settings.to_toml())?;
            return Ok(ExitCode::SUCCESS);
        }
        let interrupt = Interrupt::install()?;
        let device = self.computing.open(console)?;
        let run = Evolution::start(settings, device, || training::place(self.out, "demo"))?;
        let folder = run.folder().to_owned();
        let code = training::go(run, &interrupt, console, false)?;
        if code == ExitCode::SUCCESS {
            let run = folder.display();
            console.say("try next:");
            console.say(&format!("  ganatomy interpolate {run} --seeds 0..8 --out morph.gif"));
            console.say(&format!("  ganatomy inspect {run}"));
            console.say(&format!("  ganatomy resume {run} --generations {}", 2 * self.generations.unwrap_or(1000)));
            console.say("  ganatomy evolve --data path/to/your/images --preset modern");
        }
        Ok(code)
    }
}
