//! Which checkpoint a folder stands for.

use super::{Checkpoint, MANIFEST, Rejected, Store};
use crate::run_folder;
use base::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};

/// A checkpoint that would have been taken, but cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// The best one of a run; why.
    Best(String),
    /// One that is newer than the one that is taken; why.
    Newer(PathBuf, String),
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Best(reason) => write!(f, "the best checkpoint is passed over: {reason}"),
            Self::Newer(path, reason) => {
                write!(f, "a newer checkpoint is passed over: {}: {reason}", path.display())
            }
        }
    }
}

impl Checkpoint {
    /// The checkpoint that a folder stands for: itself, or the best of a run, or its newest whole one. None where the folder is neither a
    /// checkpoint nor a run. `tell` hears of each that is passed over.
    ///
    /// # Errors
    /// It cannot be read, or no checkpoint of the run is whole.
    pub fn of_folder(folder: &Path, tell: &mut dyn FnMut(PassedOver)) -> Result<Option<Self>> {
        if folder.join(MANIFEST).exists() {
            // The folder's name is part of what is verified; `.` has none.
            let named = if folder.file_name().is_some() { Ok(folder.to_owned()) } else { folder.canonicalize() };
            return Self::read(named.map_err(|e| Error::io("read", folder, e))?).map(Some);
        }
        let store = Store::open(folder);
        if !run_folder::is_run(folder) && !store.folder().is_dir() {
            return Ok(None);
        }
        // It is only a memory: without it the newest checkpoint stands for the run.
        let best = store.best().unwrap_or_else(|e| {
            tell(PassedOver::Best(e.to_string()));
            None
        });
        let best = best.map(|best| best.generation);
        if let Some(best) = best {
            match store.load(best) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(e) => tell(PassedOver::Best(e.to_string())),
            }
        }
        let (checkpoint, rejected) = store.newest_valid()?;
        let best = best.map(|best| store.path_of(best));
        for Rejected { path, reason } in rejected.into_iter().filter(|r| best.as_ref() != Some(&r.path)) {
            tell(PassedOver::Newer(path, reason));
        }
        Ok(Some(checkpoint))
    }
}
