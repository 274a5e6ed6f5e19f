//! Runs in a folder: how far each is, what it takes on the disk, and what of it can go.

use crate::{RunFolder, RunKind, RunState, scan};
use base::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use train::RunLock;
use train::checkpoint::{Best, Store};

/// A run in few words.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Its folder.
    pub path: PathBuf,
    /// What it trains.
    pub kind: RunKind,
    /// Where it is.
    pub state: RunState,
    /// Generations or steps that are done.
    pub done: u64,
    /// Generations or steps that there are to be.
    pub of: u64,
    /// The checkpoint that stands for it.
    pub best: Option<Best>,
    /// Seconds of all generations or steps.
    pub seconds: f64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// When it was last written to.
    pub changed: Option<SystemTime>,
}

/// A checkpoint that a run can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spare {
    /// Its generation or step.
    pub generation: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// All runs in a folder and up to three folders below it, by path; the folder itself where it is one. Those whose settings cannot be
/// read are told of.
///
/// # Errors
/// The folder cannot be listed.
pub fn runs_in(root: &Path, tell: &mut dyn FnMut(&Error)) -> Result<Vec<RunSummary>> {
    let mut runs = Vec::new();
    for path in scan::look(root)?.runs {
        match RunFolder::open(&path).and_then(|run| run.summary()) {
            Ok(summary) => runs.push(summary),
            Err(e) => tell(&e),
        }
    }
    Ok(runs)
}

impl RunFolder {
    /// The run in few words.
    ///
    /// # Errors
    /// Its settings or its story cannot be read.
    pub fn summary(&self) -> Result<RunSummary> {
        let of = self.length(&self.settings()?);
        let mut story = self.story();
        story.follow()?;
        let done = story.newest();
        let (bytes, changed) = weight(self.path());
        Ok(RunSummary {
            path: self.path().to_owned(),
            kind: self.kind(),
            state: self.state(done, of),
            done,
            of,
            best: self.best(),
            seconds: story.seconds(),
            bytes,
            changed,
        })
    }

    /// The checkpoints that it can do without: all but the newest `keep` (one at least), the newest whole one, and the best.
    ///
    /// # Errors
    /// They cannot be listed, or it is not known which is the best.
    pub fn spare(&self, keep: usize) -> Result<Vec<Spare>> {
        let store = Store::open(self.path());
        let spare = |generation| Spare { generation, bytes: weight(&store.path_of(generation)).0 };
        Ok(store.spare(keep)?.into_iter().map(spare).collect())
    }

    /// Removes those checkpoints, and what killed processes left.
    ///
    /// # Errors
    /// A process trains in the folder, or a checkpoint cannot be removed.
    pub fn prune(&self, keep: usize) -> Result<Vec<Spare>> {
        let lock = RunLock::acquire(self.path())?;
        let spare = self.spare(keep)?;
        Store::create(&lock)?.remove_spare(keep)?;
        Ok(spare)
    }
}

/// Bytes of all files in a folder, and when the last one was written. Links are not followed; what cannot be read counts nothing.
fn weight(folder: &Path) -> (u64, Option<SystemTime>) {
    let (mut bytes, mut changed) = (0u64, None);
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file()
                && let Ok(metadata) = entry.metadata()
            {
                bytes = bytes.saturating_add(metadata.len());
                changed = changed.max(metadata.modified().ok());
            }
        }
    }
    (bytes, changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use train::run_folder;
    use train::stats::{FILE, Writer};

    fn run(root: &Path, name: &str, checkpoints: u64) -> PathBuf {
        let path = root.join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(run_folder::CONFIG), "preset = \"modern\"\ngenerations = 9\n").unwrap();
        let mut writer = Writer::create(path.join(FILE)).unwrap();
        let store = Store::create(&RunLock::acquire(&path).unwrap()).unwrap();
        for generation in 1..=checkpoints {
            writer
                .append(&json!({ "generation": generation, "seconds": 2.0, "distance": 1.0 / generation as f64 }))
                .unwrap();
            store.save(generation, &[("a", &[7; 100])], "", 99).unwrap();
        }
        path
    }

    #[test]
    fn runs_are_told_in_few_words() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "00001-a", 9);
        let second = run(folder.path(), "group/00002-b", 3);
        Store::open(&second).mark_best(2, 0.5).unwrap();
        std::fs::create_dir(folder.path().join("bad")).unwrap();
        std::fs::write(folder.path().join("bad/config.toml"), "task = \"other\"").unwrap();
        let mut told = Vec::new();
        let runs = runs_in(folder.path(), &mut |e| told.push(e.to_string())).unwrap();
        assert_eq!((runs.len(), told.len()), (2, 1), "{told:?}");
        assert_eq!((runs[0].state, runs[0].done, runs[0].of, runs[0].seconds), (RunState::Done, 9, 9, 18.0));
        assert_eq!((runs[1].state, runs[1].best.as_ref().map(|best| best.generation)), (RunState::Stopped, Some(2)));
        assert!(runs[0].bytes > runs[1].bytes && runs[1].bytes > 300 && runs[1].changed.is_some());
    }

    #[test]
    fn what_can_go_is_not_what_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = run(folder.path(), "a", 6);
        let (run, store) = (RunFolder::open(&path).unwrap(), Store::open(&path));
        store.mark_best(2, 0.5).unwrap();
        // The newest is broken: the newest whole one is needed.
        std::fs::write(store.path_of(6).join("a"), b"short").unwrap();
        let numbers = |keep| run.spare(keep).unwrap().iter().map(|spare| spare.generation).collect::<Vec<_>>();
        assert_eq!((numbers(1), numbers(3), numbers(0)), (vec![1, 3, 4], vec![1, 3], vec![1, 3, 4]));
        let lock = RunLock::acquire(&path).unwrap();
        assert!(run.prune(1).is_err(), "somebody is at work");
        drop(lock);
        let gone = run.prune(1).unwrap();
        assert!(gone.len() == 3 && gone.iter().all(|spare| spare.bytes > 100));
        assert_eq!(store.list().unwrap(), [2, 5, 6]);
        assert_eq!(numbers(1), [0u64; 0]);
    }
}
