//! The life of a run, the same for all that is trained: its folder, its settings, its lock, checkpoints and resume,
//! records, signals, the end.

use crate::checkpoint::{Rejected, Store};
use crate::signals::Interrupt;
use crate::training::{Shown, Training, comes};
use crate::{Outcome, RunLock, RunSettings, Start, finite, run_folder, stats};
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
        let (state, files) = training.begin()?;
        let folder = place()?;
        let lock = RunLock::acquire(&folder)?;
        write_settings(&training, &folder)?;
        write_all(&folder, &files)?;
        let store = Store::create(&lock)?;
        let stats = stats::Writer::resume(folder.join(stats::FILE), 0)?;
        Ok(Self { training, state, folder, store, stats, best: None, start: Start::New, _lock: lock })
    }

    /// Goes on with a run from its newest valid checkpoint, with `settings` (those of the run, but for what may change);
    /// without a checkpoint from the beginning.
    ///
    /// # Errors
    /// The folder holds no such run; other settings than the run's (all differences are listed); a shorter run than is
    /// done; no checkpoint is valid.
    pub fn resume(folder: &Path, settings: T::Settings, device: Device) -> Result<Self, T::Error> {
        settings.check()?;
        let differences = T::Settings::of_run(folder)?.differences(&settings);
        if !differences.is_empty() {
            let reason = format!("was made with other settings ({})", differences.join("; "));
            let hint = format!("Resume without these changes, or start a new run with `{}`.", T::Settings::COMMAND);
            return Err(Error::file(folder, reason).with_hint(hint).into());
        }
        let lock = RunLock::acquire(folder)?;
        let store = Store::create(&lock)?;
        run_folder::sweep(folder)?;
        let training = T::prepare(settings, device)?;
        let (state, start, best) = if store.list()?.is_empty() {
            // It died before its first checkpoint: the same settings give the same run from its start.
            let (state, files) = training.begin()?;
            write_all(folder, &files)?;
            (state, Start::New, None)
        } else {
            let (checkpoint, rejected) = store.newest_valid()?;
            let rejected = rejected.into_iter().map(|Rejected { path, reason }| (path, reason)).collect();
            let start = Start::Resumed { generation: checkpoint.generation, rejected };
            (training.restore(&checkpoint)?, start, store.best()?.map(|best| best.score))
        };
        let (length, done) = (training.settings().schedule().length, T::done(&state));
        if length < done {
            let reason = format!("is {length}, but {done} are done already");
            return Err(Error::setting(format!("{}s", T::Settings::UNIT), reason)
                .with_hint("Ask for more, those already done included, or leave it out.")
                .into());
        }
        write_settings(&training, folder)?;
        let stats = stats::Writer::resume(folder.join(stats::FILE), done)?;
        Ok(Self { training, state, folder: folder.to_owned(), store, stats, best, start, _lock: lock })
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

    /// Steps that are done.
    pub fn done(&self) -> u64 {
        T::done(&self.state)
    }

    /// Trains until all steps are done or a signal asks to stop; `watch` sees the record of every step.
    ///
    /// # Errors
    /// A value that is not finite (the last checkpoint stays), or a file that cannot be read or written.
    pub fn run(&mut self, interrupt: &Interrupt, mut watch: impl FnMut(&T::Record)) -> Result<Outcome, T::Error> {
        let Self { training, state, folder, store, stats, best, start, .. } = self;
        let schedule = training.settings().schedule();
        let hash = training.settings().hash();
        let resumed = match start {
            Start::New => None,
            Start::Resumed { generation, .. } => Some(*generation),
        };
        let mut work = training.open(state, folder, resumed)?;
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
            let judged = last || (signal.is_none() && comes(schedule.checkpoint, step));
            let score = if judged { training.judge(state, &mut record, *best)? } else { None };
            stats.append(&record)?;
            training.show(&mut work, state, &Shown { folder, record: &record, step, last, judged })?;
            watch(&record);
            if judged || signal.is_some() {
                let files = training.save(state)?;
                let contents: Vec<(&str, &[u8])> =
                    files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
                stats.sync()?;
                store.save(step, &contents, &hash, schedule.keep.max(1))?;
            }
            if let Some(score) = score {
                store.mark_best(step, score)?;
                *best = Some(score);
            }
            if let Some(signal) = signal {
                return Ok(Outcome::Interrupted(signal));
            }
        }
        Ok(Outcome::Finished)
    }
}

fn write_settings<T: Training>(training: &T, folder: &Path) -> base::Result<()> {
    files::write_atomic(folder.join(run_folder::CONFIG), training.settings().to_toml().as_bytes())
}

fn write_all(folder: &Path, files: &[(&'static str, Vec<u8>)]) -> base::Result<()> {
    files.iter().try_for_each(|(name, bytes)| files::write_atomic(folder.join(name), bytes))
}
