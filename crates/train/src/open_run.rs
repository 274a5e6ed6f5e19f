//! The life of a run, the same for all that is trained: its folder, its settings, its lock, checkpoints and resume,
//! records, signals, the end.

use crate::checkpoint::{Checkpoint, Rejected, Store};
use crate::kept::{self, Kept};
use crate::signals::Interrupt;
use crate::training::{Shown, Training, comes};
use crate::{Change, Outcome, RunLock, RunSettings, Start, finite, run_folder, stats};
use base::{Error, files};
use net::Device;
use std::path::{Path, PathBuf};

/// A run that is open: it holds the folder's lock.
#[derive(Debug)]
pub struct OpenRun<T: Training> {
    training: T,
    state: T::State,
    folder: PathBuf,
    store: Store,
    stats: stats::Writer,
    best: Option<f64>,
    start: Start,
    data: Vec<(&'static str, String)>,
    oddities: Vec<String>,
    _lock: RunLock,
}

impl<T: Training> OpenRun<T> {
    /// Starts a new run in a folder that `place` makes once settings and data are known to be good:
    /// [`run_folder::create`] or [`run_folder::create_next`].
    ///
    /// # Errors
    /// Settings and data do not fit, or the folder cannot be made.
    pub fn start(
        settings: T::Settings,
        device: Device,
        place: impl FnOnce() -> base::Result<PathBuf>,
    ) -> Result<Self, T::Error> {
        settings.check()?;
        let training = T::prepare(settings, device)?;
        let data = training.data()?;
        let (state, files) = training.begin()?;
        let folder = place()?;
        let lock = RunLock::acquire(&folder)?;
        write_settings(&training.settings().absolute()?, &folder)?;
        write_all(&folder, &files)?;
        let store = Store::create(&lock)?;
        let (stats, _) = stats::Writer::resume(folder.join(stats::FILE), 0)?;
        let (best, start, oddities) = (None, Start::New, Vec::new());
        Ok(Self { training, state, folder, store, stats, best, start, data, oddities, _lock: lock })
    }

    /// Goes on with a run from its newest valid checkpoint, with `settings` (those of the run, but for what may change);
    /// without a checkpoint from the beginning.
    ///
    /// # Errors
    /// The folder holds no such run; other settings than the run's or the checkpoint's, or other data (all differences are
    /// listed), unless they are allowed; a shorter run than is done; no checkpoint is valid.
    pub fn resume(folder: &Path, settings: T::Settings, device: Device, change: Change) -> Result<Self, T::Error> {
        settings.check()?;
        let written = T::Settings::of_run(folder)?;
        let mut oddities = Vec::new();
        let differences = written.differences(&settings);
        accept(change, folder, "was made with other settings", &differences, &mut oddities)?;
        let lock = RunLock::acquire(folder)?;
        let store = Store::create(&lock)?;
        run_folder::sweep(folder)?;
        let found = if store.list()?.is_empty() { None } else { Some(store.newest_valid()?) };
        let checkpoint = found.as_ref().map(|(checkpoint, _)| checkpoint);
        let kept = checkpoint.map(Kept::read).transpose()?.flatten();
        let edited = match (&kept, checkpoint) {
            (Some(kept), _) => kept.changed_settings(&settings),
            // From before checkpoints kept settings.
            (None, Some(old)) if !T::Settings::file_has_hash(folder, &old.config_hash)? => {
                vec![format!("it does not say in what: it knows only the hash {}", old.config_hash)]
            }
            _ => Vec::new(),
        };
        let what = format!("differs from the settings with which {} was made", name_of(checkpoint));
        let unsaid: Vec<String> = edited.iter().filter(|line| !differences.contains(line)).cloned().collect();
        accept(change, &folder.join(run_folder::CONFIG), &what, &unsaid, &mut oddities)?;
        let gone = missing_data(&settings, folder);
        let training = T::prepare(settings, device).map_err(|error| gone.map_or(error, Into::into))?;
        let data = training.data()?;
        let changed_data = kept.as_ref().map(|kept| kept.changed_data(&data)).unwrap_or_default();
        let what = format!("was made with other data until {}", name_of(checkpoint));
        accept(change, folder, &what, &changed_data, &mut oddities)?;
        let (state, start, best) = match found {
            // It died before its first checkpoint: the same settings give the same run from its start.
            None => {
                let (state, files) = training.begin()?;
                write_all(folder, &files)?;
                (state, Start::New, None)
            }
            Some((checkpoint, rejected)) => {
                let rejected = rejected.into_iter().map(|Rejected { path, reason }| (path, reason)).collect();
                let start = Start::Resumed { generation: checkpoint.generation, rejected };
                let state = training
                    .restore(&checkpoint)
                    .map_err(|error| unfit(&checkpoint, &edited, &error).map_or(error, Into::into))?;
                let is_judgement = |line: &String| T::Settings::JUDGEMENT.is_some_and(|key| line.starts_with(key));
                let best = if differences.iter().chain(&edited).chain(&changed_data).any(is_judgement) {
                    store.forget_best(&mut oddities)?;
                    None
                } else {
                    store.best_or_forget(&mut oddities)?
                };
                (state, start, best)
            }
        };
        let (length, done) = (training.settings().schedule().length, T::done(&state));
        if length < done {
            let reason = format!("is {length}, but {done} are done already");
            return Err(Error::setting(format!("{}s", T::Settings::UNIT), reason)
                .with_hint("Ask for more, those already done included, or leave it out.")
                .into());
        }
        // The hash in a checkpoint from before settings were kept is of paths as they stand in the file: they stay.
        let settings = training.settings();
        let is_old = kept.is_none() && matches!(start, Start::Resumed { .. });
        write_settings(&if is_old { settings.clone() } else { settings.absolute()? }, folder)?;
        let path = folder.join(stats::FILE);
        let (stats, odd) = stats::Writer::resume(&path, done)?;
        oddities.extend(odd.in_words(T::Settings::UNIT).into_iter().map(|words| format!("{} {words}", path.display())));
        let (folder, best) = (folder.to_owned(), best.map(|best| best.score));
        Ok(Self { training, state, folder, store, stats, best, start, data, oddities, _lock: lock })
    }

    /// Starts a new run where another one is: with its newest valid checkpoint and its records up to there, and with `settings`, which may
    /// differ in all but what decides the form of the networks. The other run is not touched.
    ///
    /// # Errors
    /// As [`OpenRun::resume`] with [`Change::Allowed`], and then there is no new folder; or no checkpoint of the run is valid, or the
    /// folder cannot be made.
    pub fn fork(
        run: &Path,
        settings: T::Settings,
        device: Device,
        place: impl FnOnce() -> base::Result<PathBuf>,
    ) -> Result<Self, T::Error> {
        settings.check()?;
        let written = T::Settings::of_run(run)?;
        let (checkpoint, _) = Store::open(run).newest_valid()?;
        let folder = place()?;
        let begun = (|| {
            let lock = RunLock::acquire(&folder)?;
            let files: Vec<(&str, &[u8])> =
                checkpoint.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            let store = Store::create(&lock)?;
            store.save(checkpoint.generation, &files, &checkpoint.config_hash, usize::MAX)?;
            // What was written after the checkpoint goes when the run is opened.
            files::write_atomic(folder.join(stats::FILE), &files::read(run.join(stats::FILE), stats::LIMIT)?)?;
            write_settings(&written, &folder)
        })();
        let opened = begun.map_err(Into::into).and_then(|()| Self::resume(&folder, settings, device, Change::Allowed));
        // The folder was made here, or was empty: nothing else is lost.
        let mut opened = opened.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        // What differs was asked for.
        opened.oddities.clear();
        Ok(opened)
    }

    /// What is trained, as far as it stays the same.
    pub fn training(&self) -> &T {
        &self.training
    }

    /// What is trained, as it is now.
    pub fn state(&self) -> &T::State {
        &self.state
    }

    /// The settings.
    pub fn settings(&self) -> &T::Settings {
        self.training.settings()
    }

    /// The run folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it began.
    pub fn begun(&self) -> &Start {
        &self.start
    }

    /// What was found otherwise than it should be when the run was opened, and what was done about it: a line each.
    pub fn oddities(&self) -> &[String] {
        &self.oddities
    }

    /// Steps that are done.
    pub fn done(&self) -> u64 {
        T::done(&self.state)
    }

    /// Trains until all steps are done or a signal asks to stop; `watch` sees the record of every step.
    ///
    /// # Errors
    /// A value that is not finite (the last checkpoint stays), or a file that cannot be read or written.
    pub fn run(&mut self, interrupt: &Interrupt, mut watch: impl FnMut(&T::Record)) -> Result<Outcome, T::Error> {
        let Self { training, state, folder, store, stats, best, start, data, .. } = self;
        let schedule = training.settings().schedule();
        let hash = training.settings().hash();
        let kept = Kept::new(training.settings(), data).to_bytes()?;
        let resumed = match start {
            Start::New => None,
            Start::Resumed { generation, .. } => Some(*generation),
        };
        let mut work = training.open(state)?;
        while T::done(state) < schedule.length {
            let mut record = training.step(&mut work, state).inspect_err(|error| {
                if let Some(circumstances) = training.circumstances() {
                    finite::dump(error, folder, circumstances);
                }
            })?;

            // A run that is to stop is saved, but not judged: that may take long.
            let step = T::done(state);
            let last = step == schedule.length;
            let signal = interrupt.requested();
            let due = comes(schedule.checkpoint, step) || comes(schedule.judged, step);
            let judged = last || (signal.is_none() && due);
            let score = if judged { training.judge(state, &mut record, *best)? } else { None };
            stats.append(&record)?;
            if judged || signal.is_some() {
                let files = training.save(state)?;
                let mut contents: Vec<(&str, &[u8])> =
                    files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
                contents.push((kept::FILE, &kept));
                stats.sync()?;
                store.save(step, &contents, &hash, schedule.keep.max(1))?;
            }
            if let Some(score) = score {
                store.mark_best(step, score)?;
                *best = Some(score);
            }
            // Pictures may take long: whoever loses patience meanwhile loses nothing else.
            let stops = last || signal.is_some();
            training.show(&mut work, state, &Shown { folder, resumed, record: &record, step, last, stops, judged })?;
            watch(&record);
            if let Some(signal) = signal {
                return Ok(Outcome::Interrupted(signal));
            }
        }
        Ok(Outcome::Finished)
    }
}

/// What to call a checkpoint that is spoken of together with its run.
fn name_of(checkpoint: Option<&Checkpoint>) -> String {
    let name = checkpoint.and_then(|checkpoint| checkpoint.path.file_name()).unwrap_or_default();
    format!("checkpoint {}", name.to_string_lossy())
}

/// Refuses differences, or notes them where they are allowed.
fn accept(
    change: Change,
    path: &Path,
    what: &str,
    differences: &[String],
    oddities: &mut Vec<String>,
) -> base::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let list = differences.join("; ");
    match change {
        Change::Allowed => {
            oddities.push(format!("{} {what}, and the run goes on with the new ones: {list}", path.display()));
        }
        Change::Refused => {
            let hint = "Go on with what the run had, or with another run from here on by `allow_change`.";
            return Err(Error::file(path, format!("{what} ({list})")).with_hint(hint));
        }
    }
    Ok(())
}

/// What to say where data cannot be opened because they are not there any more.
fn missing_data<S: RunSettings>(settings: &S, run: &Path) -> Option<Error> {
    let is_gone = |(key, place): &(&str, PathBuf)| S::DATA.contains(key) && !place.exists();
    let (key, place) = settings.places().into_iter().find(is_gone)?;
    let from_elsewhere = if place.is_relative() { ", or resume in the folder where the run was started" } else { "" };
    let reason = format!("is not there; {} learns from it", run.display());
    Some(Error::file(place, reason).with_hint(format!("Say where the data are now with `{key}`{from_elsewhere}.")))
}

/// What to say where a checkpoint does not fit settings that were changed.
fn unfit(checkpoint: &Checkpoint, changed: &[String], error: &dyn std::error::Error) -> Option<Error> {
    if changed.is_empty() {
        return None;
    }
    let reason = format!("does not fit the settings that were changed ({}): {error}", changed.join("; "));
    Some(
        Error::file(&checkpoint.path, reason)
            .with_hint("What decides the form of the networks cannot be changed in a run: start a new one."),
    )
}

fn write_settings(settings: &impl RunSettings, folder: &Path) -> base::Result<()> {
    files::write_atomic(folder.join(run_folder::CONFIG), settings.to_toml().as_bytes())
}

fn write_all(folder: &Path, files: &[(&'static str, Vec<u8>)]) -> base::Result<()> {
    files.iter().try_for_each(|(name, bytes)| files::write_atomic(folder.join(name), bytes))
}
