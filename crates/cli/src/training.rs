//! A run at the terminal, whatever is trained: how it begins or goes on, progress, statistics, how it ended.

use crate::console::{Console, print};
use crate::device::Computing;
use crate::exit;
use anyhow::Result;
use data::Dataset;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use train::signals::Interrupt;
use train::{OpenRun, Outcome, RunSettings, Start, Training, run_folder};

/// Lines without a terminal come this far apart.
const QUIET_FOR: Duration = Duration::from_secs(30);

/// What a training has to say of itself.
pub(crate) trait Told: Training {
    /// What is being done, for the bar.
    const DOING: &'static str;

    /// What is trained on what, in words.
    fn about(run: &OpenRun<Self>) -> String;

    /// What it learns from.
    fn data(run: &OpenRun<Self>) -> &Dataset;

    /// How a step went, in a few words.
    fn brief(record: &Self::Record) -> String;

    /// What only some steps bring, worth to be told at once and kept in sight: it follows on other words.
    fn news(_record: &Self::Record) -> Option<String> {
        None
    }

    /// What to look at and what to do next, when all is done.
    fn next(run: &OpenRun<Self>) -> String;
}

/// How the user wants a run to be told, and where it computes.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) console: Console,
    pub(crate) computing: Computing,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

/// Starts a new run: in the folder that was asked for, else in the next of `runs`, with `label` in its name.
pub(crate) fn start<T: Told>(
    settings: T::Settings,
    out: Option<PathBuf>,
    label: &str,
    manner: Manner,
) -> Result<ExitCode> {
    open(settings, manner, |settings, device| T::start(settings, device, || place(out, label)))
}

/// Goes on with a run, with settings `key=value` over its own.
pub(crate) fn resume<T: Told>(folder: &Path, overrides: &[String], manner: Manner) -> Result<ExitCode> {
    let settings = T::Settings::of_run(folder)?.with(overrides)?;
    open(settings, manner, |settings, device| T::resume(folder, settings, device))
}

/// Opens a run and trains, or only prints the settings.
fn open<T: Told>(
    settings: T::Settings,
    manner: Manner,
    run: impl FnOnce(T::Settings, net::Device) -> Result<OpenRun<T>, T::Error>,
) -> Result<ExitCode> {
    if manner.dry_run {
        print(&settings.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let interrupt = Interrupt::install()?;
    let device = manner.computing.open(manner.console)?;
    go(run(settings, device)?, &interrupt, manner.console, manner.json)
}

/// Makes the folder of a new run: the one that was asked for, else the next of `runs`.
pub(crate) fn place(out: Option<PathBuf>, label: &str) -> base::Result<PathBuf> {
    match out {
        Some(folder) => run_folder::create(&folder).map(|()| folder),
        None => run_folder::create_next("runs", label),
    }
}

/// Trains to the end, or to a signal.
pub(crate) fn go<T: Told>(
    mut run: OpenRun<T>,
    interrupt: &Interrupt,
    console: Console,
    json: bool,
) -> Result<ExitCode> {
    let unit = T::Settings::UNIT;
    announce(&run, console);
    let total = run.settings().schedule().length;
    let bar = console.bar(total, T::DOING);
    bar.set_position(run.done());
    bar.reset_eta();
    let mut step = run.done();
    let mut told = Instant::now();
    let mut printing = Ok(());
    let mut news = String::new();
    let outcome = run.run(interrupt, |record| {
        step += 1;
        let new = T::news(record);
        if bar.is_hidden() && (new.is_some() || told.elapsed() > QUIET_FOR) {
            let new = new.as_deref().unwrap_or_default();
            console.say(&format!("{unit} {step}/{total}: {}{new}", T::brief(record)));
            told = Instant::now();
        }
        if let Some(new) = new {
            news = new;
        }
        bar.set_position(step);
        bar.set_message(format!("{}{news}", T::brief(record)));
        if json && printing.is_ok() {
            printing = serde_json::to_string(record).map_err(Into::into).and_then(|line| print(&(line + "\n")));
        }
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    printing?;
    let folder = run.folder().display();
    Ok(match outcome {
        Outcome::Finished => {
            console.say(&format!("done: {} {unit}s in {folder}{news}", run.done()));
            console.say(&T::next(&run));
            ExitCode::SUCCESS
        }
        Outcome::Interrupted(signal) => {
            console.say(&format!("stopped after {unit} {}; everything is saved", run.done()));
            console.say(&format!("go on with: ganatomy resume {folder}"));
            exit::of_stop(Some(signal))
        }
    })
}

fn announce<T: Told>(run: &OpenRun<T>, console: Console) {
    let (folder, unit) = (run.folder().display(), T::Settings::UNIT);
    if let Start::Resumed { generation, rejected } = run.begun() {
        for (path, reason) in rejected {
            console.warn(&format!("passed over {}: {reason}", path.display()));
        }
        console.say(&format!("resuming {folder} after {unit} {generation}"));
    }
    console.notices(T::data(run));
    let total = run.settings().schedule().length;
    console.say(&format!("{}; {total} {unit}s into {folder}", T::about(run)));
}

/// The name of a run's data, for the name of its folder.
pub(crate) fn name_of(data: &str) -> String {
    Path::new(data).file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// A text as the value of a setting.
pub(crate) fn quoted(key: &str, value: &str) -> String {
    format!("{key}={}", serde_json::Value::from(value))
}
