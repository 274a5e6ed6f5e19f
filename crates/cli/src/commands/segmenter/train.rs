//! `ganatomy segmenter train`

use crate::arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::training;
use anyhow::Result;
use indicatif::ProgressBar;
use segment::{Segment, Settings, Stats, Training};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use train::signals::Interrupt;
use train::{Outcome, Start};

/// Lines without a terminal come this far apart.
const QUIET_FOR: Duration = Duration::from_secs(30);

/// Train a segmenter on labelled images
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SRC is scenes, or a folder or .zip with images/NAME.jpg, labels/NAME.png (values are class indices)
and classes.json. The segmenter is judged on images that it never learns from: scenes of another
seed, --val, or the last tenth of SRC. Go on with a stopped run by `ganatomy resume RUN`.

Examples:
  ganatomy segmenter train --data scenes --out runs/seg
  ganatomy segmenter train --data street.zip --val street-val.zip --steps 2000
  ganatomy segmenter train --data mine/ --size 128 --set width=24 --set augment.shift=8")]
pub(crate) struct Train {
    /// The labelled set to learn from: scenes, or the path of a folder or zip
    #[arg(long, value_name = "SRC")]
    data: String,
    /// The labelled set to judge by
    #[arg(long, value_name = "SRC")]
    val: Option<String>,
    /// The run folder; without it the next of runs/00001-DATA-segmenter
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Begin with the weights of this segmenter (a model file of the same form)
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Steps in all
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Crop and resize the images to squares of this side, or to WxH [default: as they are]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<data::Size>,
    /// One setting over all others; may be given often
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// The seed of everything random
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
    /// Print the statistics of every step to stdout, one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Train {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let quoted = |key: &str, value: &str| format!("{key}={}", serde_json::Value::from(value));
        let mut overrides: Vec<String> = self.val.iter().map(|val| quoted("val", val)).collect();
        overrides.extend(self.from.iter().map(|from| quoted("from", from)));
        overrides.extend(self.settings.iter().cloned());
        overrides.extend(self.steps.map(|n| format!("steps={n}")));
        overrides.extend(self.size.map(|n| format!("size={n}")));
        overrides.extend(self.seed.map(|n| format!("seed={n}")));
        let settings = Settings::preset(&self.data).with(&overrides)?;
        if self.dry_run {
            console::print(&settings.to_toml())?;
            return Ok(ExitCode::SUCCESS);
        }
        let name = Path::new(&settings.data).file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let interrupt = Interrupt::install()?;
        let device = self.computing.open(console)?;
        let run = Training::start(settings, device, || training::place(self.out, &format!("{name}-segmenter")))?;
        go(run, &interrupt, console, self.json)
    }
}

/// Goes on with the run of a segmenter.
pub(crate) fn resume(
    folder: &Path,
    overrides: &[String],
    computing: Computing,
    dry_run: bool,
    console: Console,
    json: bool,
) -> Result<ExitCode> {
    let settings = Settings::read(&folder.join(train::run_folder::CONFIG))?.with(overrides)?;
    if dry_run {
        console::print(&settings.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let interrupt = Interrupt::install()?;
    let device = computing.open(console)?;
    go(Training::resume(folder, settings, device)?, &interrupt, console, json)
}

/// Trains to the end, or to a signal.
fn go(mut run: Training, interrupt: &Interrupt, console: Console, json: bool) -> Result<ExitCode> {
    announce(&run, console);
    let total = run.settings().steps;
    let bar = console.bar(total, "training");
    bar.set_position(run.done());
    bar.reset_eta();
    let mut told = Instant::now();
    let mut printing = Ok(());
    let mut judged = String::new();
    let outcome = run.run(interrupt, |stats| {
        if !stats.mean_iou.is_empty() {
            let planes = stats.mean_iou.iter().map(|(plane, iou)| format!("{plane} {iou:.4}"));
            judged = format!("; held-out mean IoU: {}", planes.collect::<Vec<_>>().join(", "));
            if bar.is_hidden() {
                told = Instant::now();
                console.say(&brief(stats, total, &judged));
            }
        }
        show(&bar, stats, &judged);
        if json && printing.is_ok() {
            printing = serde_json::to_string(stats).map_err(Into::into).and_then(|line| console::print(&(line + "\n")));
        }
        if bar.is_hidden() && told.elapsed() > QUIET_FOR {
            console.say(&brief(stats, total, ""));
            told = Instant::now();
        }
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    printing?;
    let folder = run.folder().display();
    Ok(match outcome {
        Outcome::Finished => {
            console.say(&format!("done: {} steps in {folder}{judged}", run.done()));
            console.say(&format!("see {folder}/preview.png; next: ganatomy segmenter eval {folder} --data SRC"));
            ExitCode::SUCCESS
        }
        Outcome::Interrupted(signal) => {
            console.say(&format!("stopped after step {}; everything is saved", run.done()));
            console.say(&format!("go on with: ganatomy resume {folder}"));
            ExitCode::from(signal.exit_code() as u8)
        }
    })
}

fn announce(run: &Training, console: Console) {
    if let Start::Resumed { generation, rejected } = run.begun() {
        for (path, reason) in rejected {
            console.warn(&format!("passed over {}: {reason}", path.display()));
        }
        console.say(&format!("resuming {} after step {generation}", run.folder().display()));
    }
    let (set, held_out) = (run.dataset(), run.held_out());
    let count = |n: Option<usize>| n.map_or("endless".to_owned(), |n| format!("{n} images"));
    let classes: usize = run.segmenter().planes().iter().map(|plane| plane.classes.len()).sum();
    let [c, h, w] = run.segmenter().image_shape();
    console.say(&format!(
        "{} ({}, {c}x{h}x{w}, {classes} classes), judged on {} ({}); {} parameters; {} steps into {}",
        set.name(),
        count(set.len()),
        held_out.name(),
        count(held_out.len()),
        run.segmenter().network.params.elements(),
        run.settings().steps,
        run.folder().display()
    ));
}

fn show(bar: &ProgressBar, stats: &Stats, judged: &str) {
    bar.set_position(stats.step);
    bar.set_message(format!("loss {:.4}{judged}", stats.loss));
}

fn brief(stats: &Stats, total: u64, judged: &str) -> String {
    format!("step {}/{total}: loss {:.4}{judged}", stats.step, stats.loss)
}
