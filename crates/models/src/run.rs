//! What a run's folder holds for people who watch it: how far it is, what it was told, what it shows.

use base::{Error, Result, files};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use train::checkpoint::{Best, Store};
use train::stats::Story;
use train::{RunLock, run_folder, table};

/// The data of a run of generators.
const REALS: &str = "reals.png";
/// What a segmenter says of some images.
const PREVIEW: &str = "preview.png";
/// The longest note of why a run stopped.
const NOTE: u64 = 64 << 10;

/// What a run trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// Generators.
    Evolve,
    /// A segmenter.
    Segmenter,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process trains.
    Running,
    /// None does, and not all is done.
    Stopped,
    /// All is done.
    Done,
}

/// Why a run ended that met a value which is not finite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NonFinite {
    /// What had the value.
    pub what: String,
    /// The value.
    pub value: String,
    /// In which generation or step.
    pub generation: u64,
}

/// The folder of a run, of which nothing but its place and kind is kept: all else is read when it is asked for, also while the run
/// goes on.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    kind: RunKind,
}

impl RunFolder {
    /// The run in a folder.
    ///
    /// # Errors
    /// It holds none, or its settings cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let task = table::read_table(&path.join(run_folder::CONFIG))?.remove("task");
        let kind = match task.as_ref().and_then(|task| task.as_str()) {
            None => RunKind::Evolve,
            Some("segmenter") => RunKind::Segmenter,
            Some(task) => {
                let reason = format!("is a run of the kind {task:?}, which this program does not know");
                return Err(Error::file(&path, reason).with_hint("Use the newer program that wrote it."));
            }
        };
        Ok(Self { path, kind })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it trains.
    pub fn kind(&self) -> RunKind {
        self.kind
    }

    /// Whether it is (still) there.
    pub fn is_there(&self) -> bool {
        run_folder::is_run(&self.path)
    }

    /// Its settings as they stand in its file.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn settings(&self) -> Result<Value> {
        let path = self.path.join(run_folder::CONFIG);
        serde_json::to_value(table::read_table(&path)?).map_err(|e| Error::file(path, e.to_string()))
    }

    /// How many generations or steps it is to have, by its settings.
    pub fn length(&self, settings: &Value) -> u64 {
        let key = match self.kind {
            RunKind::Evolve => "generations",
            RunKind::Segmenter => "steps",
        };
        settings.get(key).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Its story, unread. Scores are the distance of a generator's samples to the reals (less is better), and the mean over planes of a
    /// segmenter's mean IoU (more is better).
    pub fn story(&self) -> Story {
        Story::new(
            &self.path,
            match self.kind {
                RunKind::Evolve => distance,
                RunKind::Segmenter => mean_iou,
            },
        )
    }

    /// Where it is, with so many of so many generations or steps done.
    pub fn state(&self, done: u64, of: u64) -> RunState {
        if RunLock::is_held(&self.path) {
            RunState::Running
        } else if done >= of {
            RunState::Done
        } else {
            RunState::Stopped
        }
    }

    /// Its best checkpoint, where one is known.
    pub fn best(&self) -> Option<Best> {
        Store::open(&self.path).best().ok().flatten()
    }

    /// The generations or steps that have a checkpoint, ascending.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn checkpoints(&self) -> Result<Vec<u64>> {
        Store::open(&self.path).list()
    }

    /// The generations of which samples are shown, ascending.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn samples(&self) -> Result<Vec<u64>> {
        self.numbered("samples-", ".png")
    }

    /// The file of samples after a generation.
    pub fn samples_file(&self, generation: u64) -> PathBuf {
        self.path.join(format!("samples-{generation:06}.png"))
    }

    /// The file of some of its data, which a run of generators writes.
    pub fn reals_file(&self) -> PathBuf {
        self.path.join(REALS)
    }

    /// The file of what a segmenter says of some images.
    pub fn preview_file(&self) -> PathBuf {
        self.path.join(PREVIEW)
    }

    /// Why it ended, where that was a value that is not finite and it has not gone beyond since.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn failed(&self, done: u64) -> Result<Option<NonFinite>> {
        let newest = self.numbered("nonfinite-", ".json")?.pop().filter(|&generation| generation > done);
        let read = |generation: u64| {
            let bytes = files::read(self.path.join(format!("nonfinite-{generation:06}.json")), NOTE).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        Ok(newest.and_then(read))
    }

    /// The numbers in the names of files, ascending.
    fn numbered(&self, start: &str, end: &str) -> Result<Vec<u64>> {
        let failed = |e| Error::io("list", &self.path, e);
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            let number = number.and_then(|digits| digits.parse::<u64>().ok());
            // The one spelling that the program writes.
            numbers.extend(number.filter(|number| format!("{start}{number:06}{end}") == name));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn distance(record: &Value) -> Option<f64> {
    record.get("distance")?.as_f64()
}

fn mean_iou(record: &Value) -> Option<f64> {
    let planes = record.get("mean_iou")?.as_object()?;
    let values: Vec<f64> = planes.values().filter_map(Value::as_f64).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use train::stats::{FILE, Writer};

    fn run(config: &str) -> (tempfile::TempDir, RunFolder) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(run_folder::CONFIG), config).unwrap();
        let run = RunFolder::open(folder.path()).unwrap();
        (folder, run)
    }

    #[test]
    fn what_a_run_of_generators_holds_is_found() {
        let (folder, run) = run("preset = \"modern\"\ngenerations = 9\n[log]\nkeep = 3\n");
        let settings = run.settings().unwrap();
        assert_eq!((run.kind(), run.length(&settings), &settings["log"]), (RunKind::Evolve, 9, &json!({ "keep": 3 })));
        let nothing = (run.state(0, 9), run.best(), run.checkpoints().unwrap(), run.samples().unwrap());
        assert_eq!(nothing, (RunState::Stopped, None, vec![], vec![]));
        for name in
            ["samples-000250.png", "samples-1000000.png", "samples-000004.png", "samples-4.png", "samples-x.png"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(run.samples().unwrap(), [4, 250, 1_000_000]);
        assert!(run.samples_file(4).is_file());
        let note = json!({ "what": "d_loss", "value": "NaN", "generation": 7, "lr_g": 0.1 }).to_string();
        std::fs::write(folder.path().join("nonfinite-000007.json"), note).unwrap();
        assert_eq!(run.failed(6).unwrap().map(|failed| failed.what), Some("d_loss".into()));
        assert_eq!((run.failed(7).unwrap(), run.state(9, 9)), (None, RunState::Done));
        let lock = RunLock::acquire(folder.path()).unwrap();
        assert_eq!(run.state(9, 9), RunState::Running);
        drop(lock);
        std::fs::remove_file(folder.path().join(run_folder::CONFIG)).unwrap();
        assert!(!run.is_there() && RunFolder::open(folder.path()).is_err());
    }

    #[test]
    fn a_segmenter_is_scored_by_its_planes_and_other_runs_are_refused() {
        let (folder, run) = run("task = \"segmenter\"\nsteps = 40\n");
        assert_eq!((run.kind(), run.length(&run.settings().unwrap())), (RunKind::Segmenter, 40));
        let mut writer = Writer::create(folder.path().join(FILE)).unwrap();
        writer.append(&json!({ "step": 1, "seconds": 1.0, "mean_iou": { "a": 0.25, "b": 0.75 } })).unwrap();
        writer.append(&json!({ "step": 2, "seconds": 1.0 })).unwrap();
        let mut story = run.story();
        story.follow().unwrap();
        assert_eq!((story.of(1).unwrap().score, story.of(2).unwrap().score), (Some(0.5), None));
        std::fs::write(folder.path().join(run_folder::CONFIG), "task = \"other\"").unwrap();
        let refused = RunFolder::open(folder.path()).unwrap_err();
        assert!(refused.to_string().ends_with("is a run of the kind \"other\", which this program does not know"));
    }
}
