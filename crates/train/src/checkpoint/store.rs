use super::manifest::{MANIFEST, Manifest, is_plain};
use super::{Best, Checkpoint, Rejected};
use crate::RunLock;
use base::{Error, Result, files};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Which generation scored best.
const BEST: &str = "best.json";

/// The checkpoints of one run: the folder `RUN/checkpoints`.
///
/// Reading needs no lock and disturbs no training. Saving is for the one process that holds the run's [`RunLock`].
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The checkpoints of a run, to read. Creates and removes nothing.
    pub fn open(run: impl AsRef<Path>) -> Self {
        Self { folder: run.as_ref().join("checkpoints") }
    }

    /// The checkpoints of the run that is locked, to save; creates the folder and clears what a killed process left.
    ///
    /// # Errors
    /// The folder cannot be created or written.
    pub fn create(lock: &RunLock) -> Result<Self> {
        let store = Self::open(lock.run());
        files::create_folder(&store.folder)?;
        // Whoever holds the lock is alone, so every temporary entry belongs to a dead process.
        for path in store.entries()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some(generation) = name.strip_prefix('.').and_then(|n| n.strip_suffix(".replaced")) {
                restore_or_remove(&path, &store.folder.join(generation))?;
            } else if name.starts_with('.') && name.ends_with(".part") {
                remove(&path)?;
            }
        }
        Ok(store)
    }

    /// The folder that holds the checkpoints.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the checkpoint of a generation is or would be: at least six digits.
    pub fn path_of(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("{generation:06}"))
    }

    /// The generations that have a checkpoint, ascending, without a look inside. None where there is no folder yet.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn list(&self) -> Result<Vec<u64>> {
        let mut generations: Vec<u64> = self.entries()?.iter().filter_map(|path| generation_of(path)).collect();
        generations.sort_unstable();
        Ok(generations)
    }

    /// Saves `contents` (plain file names with their bytes) as the checkpoint of a generation, then prunes.
    ///
    /// What stays: this one, the `keep - 1` before it, and the best. Later ones go: they belong to a future that this
    /// save has replaced (a run resumed from before them). A checkpoint of the same generation is replaced.
    ///
    /// # Errors
    /// The disk is full or cannot be written, or a name is not plain. Every older checkpoint is intact then, and nothing
    /// half-written is left. Where only the pruning failed, the new one is in place.
    pub fn save(&self, generation: u64, contents: &[(&str, &[u8])], config_hash: &str, keep: usize) -> Result<PathBuf> {
        files::create_folder(&self.folder)?;
        let target = self.path_of(generation);
        let staging = files::sibling_of(&target);
        let staged = stage(&staging, &Manifest::new(generation, config_hash, contents), contents);
        if let Err(e) = staged.and_then(|()| publish(&staging, &target)) {
            // Best effort: the first error is the one to report.
            drop(fs::remove_dir_all(&staging));
            return Err(e);
        }
        self.prune(generation, keep)?;
        Ok(target)
    }

    /// Reads and verifies the checkpoint of one generation.
    ///
    /// # Errors
    /// As [`Checkpoint::read`], or there is none.
    pub fn load(&self, generation: u64) -> Result<Checkpoint> {
        let path = self.path_of(generation);
        if !path.is_dir() {
            let known: Vec<String> = self.list()?.iter().map(ToString::to_string).collect();
            let hint =
                format!("Checkpoints that exist: {}.", if known.is_empty() { "none".into() } else { known.join(", ") });
            return Err(Error::file(path, format!("there is no checkpoint of generation {generation}")).with_hint(hint));
        }
        Checkpoint::read(path)
    }

    /// The newest checkpoint that is whole, and the newer ones that were passed over, newest first.
    ///
    /// # Errors
    /// There is no checkpoint, or none that is whole.
    pub fn newest_valid(&self) -> Result<(Checkpoint, Vec<Rejected>)> {
        let mut rejected = Vec::new();
        for generation in self.list()?.into_iter().rev() {
            let path = self.path_of(generation);
            match Checkpoint::read(&path) {
                Ok(checkpoint) => return Ok((checkpoint, rejected)),
                Err(e) => rejected.push(Rejected { path, reason: reason_of(e) }),
            }
        }
        Err(match rejected.first() {
            None => Error::file(&self.folder, "holds no checkpoint yet"),
            Some(Rejected { path, reason }) => {
                Error::file(path, format!("none of {} checkpoints is whole; this one: {reason}", rejected.len()))
                    .with_hint("Restore a checkpoint from a backup, or start the run anew in another folder.")
            }
        })
    }

    /// Records that a generation, whose checkpoint exists, scored best; pruning spares it from now on.
    ///
    /// # Errors
    /// It has no checkpoint, the score is not finite, or the record cannot be written (the old one stays then).
    pub fn mark_best(&self, generation: u64, score: f64) -> Result<()> {
        if !score.is_finite() {
            return Err(Error::NonFinite { what: "the best score".into(), value: score, generation, hint: None });
        }
        let path = self.folder.join(BEST);
        if !self.path_of(generation).is_dir() {
            return Err(Error::file(path, format!("generation {generation} has no checkpoint to mark as best")));
        }
        let text = serde_json::to_string(&Best { generation, score }).map_err(|e| Error::file(&path, e.to_string()))?;
        files::write_atomic(path, (text + "\n").as_bytes())
    }

    /// The generation that was last marked as best, if any was.
    ///
    /// # Errors
    /// The record cannot be read or understood.
    pub fn best(&self) -> Result<Option<Best>> {
        let path = self.folder.join(BEST);
        if !path.try_exists().map_err(|e| Error::io("read", &path, e))? {
            return Ok(None);
        }
        serde_json::from_slice(&files::read(&path, 4096)?).map(Some).map_err(|e| {
            Error::file(&path, format!("is unreadable: {e}"))
                .with_hint("Delete it: only the memory of which checkpoint scored best is lost.")
        })
    }

    /// As [`Store::best`], for whoever goes on with the run: a record that cannot be read, or of a checkpoint that is not there any
    /// more, is removed, because it would keep later ones from being the best; `told` gets a line about it.
    ///
    /// # Errors
    /// The record cannot be removed.
    pub(crate) fn best_or_forget(&self, told: &mut Vec<String>) -> Result<Option<Best>> {
        let why = match self.best() {
            Ok(Some(best)) if !self.path_of(best.generation).is_dir() => {
                format!("is of generation {}, which has no checkpoint", best.generation)
            }
            Ok(best) => return Ok(best),
            Err(Error::File { reason, .. }) => reason,
            Err(e) => return Err(e),
        };
        self.forget(&why, told)?;
        Ok(None)
    }

    /// Removes the record of the best, for whoever goes on with the run and judges otherwise.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn forget_best(&self, told: &mut Vec<String>) -> Result<()> {
        if self.folder.join(BEST).try_exists().unwrap_or(true) {
            self.forget("checkpoints are judged otherwise from here on", told)?;
        }
        Ok(())
    }

    fn forget(&self, why: &str, told: &mut Vec<String>) -> Result<()> {
        let path = self.folder.join(BEST);
        remove(&path)?;
        told.push(format!(
            "passed over {}: {why}; the next checkpoint that is judged is the best so far",
            path.display()
        ));
        Ok(())
    }

    /// The checkpoints that a run can do without: all but the newest `keep` (one at least), the newest whole one, and the best; ascending.
    ///
    /// # Errors
    /// They cannot be listed, or the record of the best cannot be read: then any of them may be it.
    pub fn spare(&self, keep: usize) -> Result<Vec<u64>> {
        let best = self.best()?.map(|best| best.generation);
        let generations = self.list()?;
        let whole = generations.iter().rev().copied().find(|&generation| self.load(generation).is_ok());
        let kept: Vec<u64> = generations.iter().rev().take(keep.max(1)).copied().chain(best).chain(whole).collect();
        Ok(generations.into_iter().filter(|generation| !kept.contains(generation)).collect())
    }

    /// Removes the checkpoints of [`Store::spare`]; for the one process that holds the run's lock.
    ///
    /// # Errors
    /// As there, or one cannot be removed.
    pub fn remove_spare(&self, keep: usize) -> Result<()> {
        self.spare(keep)?.into_iter().try_for_each(|generation| self.remove(generation))
    }

    fn remove(&self, generation: u64) -> Result<()> {
        // Renamed first, so that a half-removed folder is never taken for a corrupt checkpoint.
        let path = self.path_of(generation);
        let doomed = files::sibling_of(&path);
        fs::rename(&path, &doomed).map_err(|e| Error::io("remove", &path, e))?;
        remove(&doomed)
    }

    fn prune(&self, saved: u64, keep: usize) -> Result<()> {
        // Read first: with an unreadable record nothing is removed, for any of them may be the best.
        let best = self.best()?.map(|best| best.generation);
        let generations = self.list()?;
        let upto_saved = generations.iter().rev().filter(|&&g| g <= saved);
        let kept: Vec<u64> = upto_saved.take(keep.max(1)).copied().chain(best).collect();
        generations.into_iter().filter(|g| !kept.contains(g)).try_for_each(|generation| self.remove(generation))
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        let wrong = |e| Error::io("list", &self.folder, e);
        match fs::read_dir(&self.folder) {
            Ok(entries) => entries.map(|entry| Ok(entry.map_err(wrong)?.path())).collect(),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(wrong(e)),
        }
    }
}

/// The generation that a checkpoint's folder name says: the one spelling that [`Store::path_of`] gives.
pub(super) fn generation_of(folder: &Path) -> Option<u64> {
    let name = folder.file_name()?.to_str()?;
    let generation = name.parse().ok()?;
    (format!("{generation:06}") == name).then_some(generation)
}

fn reason_of(error: Error) -> String {
    match error {
        Error::File { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// Writes everything into a new temporary folder, manifest last, all of it flushed to the disk.
fn stage(staging: &Path, manifest: &Manifest, contents: &[(&str, &[u8])]) -> Result<()> {
    for (index, &(name, _)) in contents.iter().enumerate() {
        if !is_plain(name) || contents[..index].iter().any(|other| other.0.eq_ignore_ascii_case(name)) {
            return Err(Error::file(staging, format!("a checkpoint cannot hold a (second) file called {name:?}")));
        }
    }
    fs::create_dir(staging).map_err(|e| Error::io("create", staging, e))?;
    for (name, bytes) in contents {
        write_synced(&staging.join(name), bytes)?;
    }
    write_synced(&staging.join(MANIFEST), manifest.to_text(staging)?.as_bytes())?;
    files::sync_folder(staging)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| Error::io("write", path, e))
}

/// Gives the staged folder its name. A folder cannot replace another in one step, so an old checkpoint of the same
/// generation steps aside under a name from which [`Store::create`] brings it back after a crash in between.
fn publish(staging: &Path, target: &Path) -> Result<()> {
    let rename = |from: &Path, to: &Path| fs::rename(from, to).map_err(|e| Error::io("write", to, e));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let aside = target.with_file_name(format!(".{name}.replaced"));
    let replaces = target.exists();
    if replaces {
        rename(target, &aside)?;
    }
    if let Err(e) = rename(staging, target) {
        if replaces {
            drop(fs::rename(&aside, target));
        }
        return Err(e);
    }
    files::sync_folder(files::parent_of(target))?;
    if replaces { remove(&aside) } else { Ok(()) }
}

fn restore_or_remove(aside: &Path, target: &Path) -> Result<()> {
    if target.exists() {
        return remove(aside);
    }
    fs::rename(aside, target).map_err(|e| Error::io("restore", target, e))
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|e| Error::io("remove", path, e))
}
