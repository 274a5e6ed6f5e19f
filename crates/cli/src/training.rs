//! A run at the terminal, whatever is trained: how it begins or goes on, progress, statistics, how it ended.

use crate::console::{self, Console};
use crate::device::Computing;
use crate::envelope;
use crate::exit::{self, Code};
use crate::time;
use anyhow::Result;
use base::memory::said;
use data::Dataset;
use serde::Serialize;
use std::path::{Path, PathBuf};
use train::signals::Interrupt;
use train::{Change, OpenRun, Outcome, RunSettings, Start, Training, run_folder};

/// Shorter runs have ended before one would have read how long they take.
const WORTH_ASKING: u64 = 50;

/// What a training has to say of itself.
pub(crate) trait Told: Training {
    /// What is trained on what, in words.
    fn about(run: &OpenRun<Self>) -> String;

    /// What it learns from.
    fn set(run: &OpenRun<Self>) -> &Dataset;

    /// How a step went, in a few words.
    fn brief(record: &Self::Record) -> String;

    /// What only some steps bring, worth to be told at once and kept in sight: it follows on other words.
    fn news(_record: &Self::Record) -> Option<String> {
        None
    }

    /// What a step shows that the user should know of, by its subject: however long it goes on, it is said once.
    fn alarm(_record: &Self::Record) -> Option<(&'static str, String)> {
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
}

/// Starts a new run: in the folder that was asked for, else in the next of `runs`, with `label` in its name.
pub(crate) fn start<T: Told>(settings: T::Settings, out: Option<PathBuf>, label: &str, manner: Manner) -> Result<Code> {
    open(settings, manner, |settings, device| T::start(settings, device, || place(out, label)))
}

/// Starts a new run where another one is.
pub(crate) fn fork<T: Told>(
    run: &Path,
    settings: T::Settings,
    out: Option<PathBuf>,
    label: &str,
    manner: Manner,
) -> Result<Code> {
    let changes = T::Settings::of_run(run)?.differences(&settings);
    let changes = if changes.is_empty() { "nothing changed".to_owned() } else { changes.join("; ") };
    manner.console.say(&format!("a fork of {}: {changes}", run.display()));
    open(settings, manner, |settings, device| OpenRun::<T>::fork(run, settings, device, || place(out, label)))
}

/// Goes on with a run, with settings `key=value` over its own.
pub(crate) fn resume<T: Told>(folder: &Path, overrides: &[String], change: Change, manner: Manner) -> Result<Code> {
    let settings = T::Settings::of_run(folder)?.with(overrides)?;
    open(settings, manner, |settings, device| OpenRun::<T>::resume(folder, settings, device, change))
}

/// Opens a run and trains, or only prints the settings.
fn open<T: Told>(
    settings: T::Settings,
    manner: Manner,
    run: impl FnOnce(T::Settings, net::Device) -> Result<OpenRun<T>, T::Error>,
) -> Result<Code> {
    if manner.dry_run {
        console::result(&Dry { settings: &settings }, || settings.to_toml())?;
        return Ok(exit::DONE);
    }
    let interrupt = Interrupt::install()?;
    let device = manner.computing.open(manner.console)?;
    go(run(settings, device)?, &interrupt, manner.console)
}

/// What a dry run says to a program.
#[derive(Serialize)]
pub(crate) struct Dry<'a, S> {
    pub(crate) settings: &'a S,
}

/// What a training says to a program in the end.
#[derive(Serialize)]
struct Ended {
    run: String,
    steps: u64,
    is_finished: bool,
}

/// Makes the folder of a new run: the one that was asked for, else the next of `runs`.
pub(crate) fn place(out: Option<PathBuf>, label: &str) -> base::Result<PathBuf> {
    match out {
        Some(folder) => run_folder::create(&folder).map(|()| folder),
        None => run_folder::create_next("runs", label),
    }
}

/// Trains to the end, or to a signal.
pub(crate) fn go<T: Told>(mut run: OpenRun<T>, interrupt: &Interrupt, console: Console) -> Result<Code> {
    let unit = T::Settings::UNIT;
    announce(&run, console);
    foretell(&run, console)?;
    let total = run.settings().schedule().length;
    let bar = console.bar(total, unit);
    bar.begin_at(run.done());
    let mut step = run.done();
    let mut printing = Ok(());
    let mut news = String::new();
    let mut alarmed = Vec::new();
    let outcome = run.run(interrupt, |record| {
        step += 1;
        let new = T::news(record);
        let is_new = new.is_some();
        news = new.unwrap_or_else(|| std::mem::take(&mut news));
        // The message first: a line tells of this step.
        bar.set_message(format!("{}{news}", T::brief(record)));
        bar.set_position(step);
        if is_new {
            bar.tell();
        }
        if let Some((subject, alarm)) = T::alarm(record).filter(|(subject, _)| !alarmed.contains(subject)) {
            bar.warn(&alarm);
            alarmed.push(subject);
        }
        if envelope::is_wanted() && printing.is_ok() {
            printing = envelope::line(record);
        }
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    let folder = run.folder().display();
    let ended = Ended { run: folder.to_string(), steps: run.done(), is_finished: outcome == Outcome::Finished };
    let printed = printing.and_then(|()| envelope::add(&ended)).and_then(|()| console::made(run.folder()));
    // Where the terminal has gone, so has the reader: the signal is what to tell the caller then.
    if outcome == Outcome::Finished {
        printed?;
    }
    Ok(match outcome {
        Outcome::Finished => {
            console.say(&format!("done: {} {unit}s in {folder}{news}", run.done()));
            console.say(&T::next(&run));
            exit::DONE
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
    run.oddities().iter().for_each(|oddity| console.warn(oddity));
    console.notices(T::set(run));
    let total = run.settings().schedule().length;
    console.say(&format!("{}; {total} {unit}s into {folder}", T::about(run)));
}

/// Says how long a new run will take, and how much memory and disk, where it is long enough to ask.
fn foretell<T: Told>(run: &OpenRun<T>, console: Console) -> Result<()> {
    let schedule = run.settings().schedule();
    if console.is_quiet() || *run.begun() != Start::New || schedule.length < WORTH_ASKING {
        return Ok(());
    }
    let training = run.training();
    let each = training.seconds_of_a_step()?;
    // Those that are kept, the best one, and the next one while it is written.
    let checkpoints = (schedule.keep as u64).saturating_add(2).min(schedule.length);
    let disk = training.checkpoint_bytes(run.state())?.saturating_mul(checkpoints);
    let memory = training.memory()?.map_or(String::new(), |bytes| format!(", up to {} of memory", said(bytes)));
    console.say(&format!(
        "about {} here ({each:.2} s a {}){memory}, {} of disk",
        time::said(each * schedule.length as f64),
        T::Settings::UNIT,
        said(disk)
    ));
    Ok(())
}

/// The name of a run's data, for the name of its folder.
pub(crate) fn name_of(data: &str) -> String {
    Path::new(data).file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// A text as the value of a setting.
pub(crate) fn quoted(key: &str, value: &str) -> String {
    format!("{key}={}", serde_json::Value::from(value))
}
