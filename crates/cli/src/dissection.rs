//! What a dissection on the command line means: a folder, or the name of a shipped one.

use anyhow::{Context, Result};
use base::Error;
use dissect::Dissection;
use std::path::Path;

/// Reads a dissection. A folder wins over a shipped name, which is then to be had by no other way.
pub(crate) fn open(path: &Path) -> Result<Dissection> {
    let shipped = path.to_str().and_then(shipped::dissection).filter(|_| !path.exists());
    let Some(shipped) = shipped else {
        return Ok(Dissection::read(path)?);
    };
    // Files are the one form in which dissections are read.
    let folder = tempfile::tempdir().context("no folder for temporary files")?;
    for (name, bytes) in shipped.files {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).map_err(|source| Error::io("write", &file, source))?;
    }
    let mut found = Dissection::read(folder.path())?;
    path.clone_into(&mut found.folder);
    Ok(found)
}

/// As [`open`], with what becomes of an option that is not given: the shipped dissection of a shipped generator, if any.
pub(crate) fn of_model(asked: Option<&Path>, model: &Path) -> Result<Option<Dissection>> {
    match asked {
        Some(path) => open(path).map(Some),
        None if model.exists() => Ok(None),
        None => match model.to_str().and_then(shipped::dissection) {
            Some(_) => open(model).map(Some),
            None => Ok(None),
        },
    }
}
