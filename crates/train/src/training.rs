//! What a training is of its own; all else it shares with the others ([`crate::OpenRun`]).

use crate::checkpoint::Checkpoint;
use crate::{Change, OpenRun, RunSettings, run_folder};
use net::Device;
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Steps by which [`Training::seconds_of_a_step`] judges, at most.
const TRIED: u32 = 5;

/// Files by name.
pub type Files = Vec<(&'static str, Vec<u8>)>;

/// Something that is trained step by step. The value holds what stays the same through a run (settings, data, graphs);
/// what moves is in its [`Training::State`], what is open while it runs in its [`Training::Work`].
///
/// Interrupted and resumed it must be the same run, bit by bit: a step may depend on the state and on what stays the
/// same, and on nothing else.
pub trait Training: Sized {
    /// Its settings.
    type Settings: RunSettings;
    /// Everything that the next step depends on and that steps change.
    type State;
    /// What is open while it runs, such as a loader; made anew from the state when a run goes on.
    type Work<'a>
    where
        Self: 'a;
    /// One line of `stats.jsonl`. Its number is a field `step` or `generation`, counted from 1.
    type Record: Serialize + DeserializeOwned;
    /// What can go wrong.
    type Error: From<base::Error> + std::error::Error + Send + Sync + 'static;

    /// All that follows from settings and data, before a folder is touched.
    ///
    /// # Errors
    /// Settings and data do not fit.
    fn prepare(settings: Self::Settings, device: Device) -> Result<Self, Self::Error>;

    /// The settings.
    fn settings(&self) -> &Self::Settings;

    /// What the data are, in words that differ where data do (how many, of what shape, a hash), by the settings that name them.
    /// Checkpoints keep it, so that a run that goes on with other data notices. It had better be cheap.
    ///
    /// # Errors
    /// Data cannot be read.
    fn data(&self) -> Result<Vec<(&'static str, String)>, Self::Error> {
        Ok(Vec::new())
    }

    /// The state of a run from nothing, and files for its folder.
    ///
    /// # Errors
    /// Something that it begins with cannot be read.
    fn begin(&self) -> Result<(Self::State, Files), Self::Error>;

    /// The state in a checkpoint.
    ///
    /// # Errors
    /// The checkpoint is not one of these settings.
    fn restore(&self, checkpoint: &Checkpoint) -> Result<Self::State, Self::Error>;

    /// What a checkpoint holds.
    ///
    /// # Errors
    /// The state cannot be written down.
    fn save(&self, state: &Self::State) -> Result<Files, Self::Error>;

    /// Steps that are done.
    fn done(state: &Self::State) -> u64;

    /// Opens what a step needs.
    ///
    /// # Errors
    /// Data cannot be read.
    fn open(&self, state: &Self::State) -> Result<Self::Work<'_>, Self::Error>;

    /// One step, and its record. An error leaves the run at its last checkpoint.
    ///
    /// # Errors
    /// A value is not finite ([`crate::check_finite`]), or data cannot be read.
    fn step(&self, work: &mut Self::Work<'_>, state: &mut Self::State) -> Result<Self::Record, Self::Error>;

    /// Judges the state at a checkpoint and notes the outcome in the record. The score, if the checkpoint now stands for
    /// its run; `best` is the score of the one that did so far.
    ///
    /// # Errors
    /// Data cannot be read.
    fn judge(
        &self,
        _state: &Self::State,
        _record: &mut Self::Record,
        _best: Option<f64>,
    ) -> Result<Option<f64>, Self::Error> {
        Ok(None)
    }

    /// Writes what people look at: pictures, curves. The record is in `stats.jsonl` by now.
    ///
    /// # Errors
    /// A file cannot be written.
    fn show(&self, _work: &mut Self::Work<'_>, _state: &Self::State, _shown: &Shown<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    /// What to write down, beside the value, where a value that is not finite ends the run; `None`: no file is written.
    fn circumstances(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        None
    }

    /// Bytes of a checkpoint.
    ///
    /// # Errors
    /// The state cannot be written down.
    fn checkpoint_bytes(&self, state: &Self::State) -> Result<u64, Self::Error> {
        Ok(self.save(state)?.iter().map(|(_, bytes)| bytes.len() as u64).sum())
    }

    /// Bytes of memory that a step takes at most, where that is known before.
    ///
    /// # Errors
    /// The networks cannot be planned.
    fn memory(&self) -> Result<Option<u64>, Self::Error> {
        Ok(None)
    }

    /// Seconds that a step takes here: those of the first steps of a run, which are thrown away. The first one of all, in which much is
    /// made ready, does not count. It takes about as long as two to six steps.
    ///
    /// # Errors
    /// As [`Training::begin`], [`Training::open`] and [`Training::step`].
    fn seconds_of_a_step(&self) -> Result<f64, Self::Error> {
        let (mut state, _) = self.begin()?;
        let mut work = self.open(&state)?;
        self.step(&mut work, &mut state)?;
        let (begun, mut steps) = (Instant::now(), 0);
        while steps < TRIED && (steps == 0 || begun.elapsed() < Duration::from_millis(500)) {
            self.step(&mut work, &mut state)?;
            steps += 1;
        }
        Ok(begun.elapsed().as_secs_f64() / f64::from(steps))
    }

    /// [`OpenRun::start`].
    ///
    /// # Errors
    /// As there.
    fn start(
        settings: Self::Settings,
        device: Device,
        place: impl FnOnce() -> base::Result<PathBuf>,
    ) -> Result<OpenRun<Self>, Self::Error> {
        OpenRun::start(settings, device, place)
    }

    /// [`OpenRun::start`] in exactly this folder, which is made, or is empty ([`crate::run_folder::create`]).
    ///
    /// # Errors
    /// As there.
    fn start_in(
        folder: impl AsRef<Path>,
        settings: Self::Settings,
        device: Device,
    ) -> Result<OpenRun<Self>, Self::Error> {
        let folder = folder.as_ref();
        OpenRun::start(settings, device, || run_folder::create(folder).map(|()| folder.to_owned()))
    }

    /// [`OpenRun::resume`].
    ///
    /// # Errors
    /// As there.
    fn resume(folder: &Path, settings: Self::Settings, device: Device) -> Result<OpenRun<Self>, Self::Error> {
        OpenRun::resume(folder, settings, device, Change::Refused)
    }
}

/// What there is to show after a step.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a, T: Training> {
    /// The run folder.
    pub folder: &'a Path,
    /// After which step the run went on, if it did.
    pub resumed: Option<u64>,
    /// The step's record.
    pub record: &'a T::Record,
    /// The step, counted from 1.
    pub step: u64,
    /// Whether it was the last of the run.
    pub last: bool,
    /// Whether the run stops here: it was the last, or a signal came.
    pub stops: bool,
    /// Whether it was judged ([`Training::judge`]).
    pub judged: bool,
}

impl<T: Training> Shown<'_, T> {
    /// Whether something that comes every so many steps (0: never), and when the run stops, is due.
    pub fn due(&self, every: u64) -> bool {
        self.stops || comes(every, self.step)
    }

    /// As [`Shown::due`], and before that at 8, 16, 32, ... steps: the first pictures come soon, the next ones at growing intervals.
    pub fn due_early(&self, every: u64) -> bool {
        self.due(every) || (8..every).contains(&self.step) && self.step.is_power_of_two()
    }

    /// All records of the run so far.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn records(&self) -> base::Result<Vec<T::Record>> {
        crate::stats::read(self.folder.join(crate::stats::FILE))
    }
}

/// Whether a step is one of every so many; 0: never.
pub(crate) fn comes(every: u64, step: u64) -> bool {
    every > 0 && step.is_multiple_of(every)
}
