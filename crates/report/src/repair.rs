//! What `repair` did: artifact units found and taken out, and whether the images came nearer to real ones.
//!
//! Its record is read for what is known of it; fields that are not there are left out.

use crate::html::Html;
use base::{Error, Result, files};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The record in the folder of a repair.
pub(crate) const FILE: &str = "repair.json";
/// The longest record that is read.
const LIMIT: u64 = 64 << 20;

/// A folder of `repair`.
pub(crate) struct Repair {
    folder: PathBuf,
    record: Value,
}

impl Repair {
    /// Reads a repair's folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(Error::file(folder, format!("is not a repair (no {FILE})"))
                .with_hint("Give a folder that `ganatomy repair` has written."));
        }
        let corrupt = |reason: String| Error::file(&path, format!("corrupt: {reason}"));
        let record: Value = serde_json::from_slice(&files::read(&path, LIMIT)?).map_err(|e| corrupt(e.to_string()))?;
        if !record.is_object() {
            return Err(corrupt("it is no object".into()));
        }
        Ok(Self { folder: folder.to_owned(), record })
    }

    /// The command that made it, where that is known.
    #[expect(clippy::unused_self, reason = "to be")]
    pub(crate) fn command(&self, _dissection: &Path) -> Option<String> {
        None
    }

    pub(crate) fn section(&self) -> Result<Html> {
        let _ = (&self.folder, &self.record);
        Ok(Html::none())
    }
}
