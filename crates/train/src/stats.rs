//! `stats.jsonl`: the story of a run, one JSON object a line, in the order in which it happened.

use base::{Error, Result, files};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of the file in a run folder.
pub const FILE: &str = "stats.jsonl";

/// The longest file that is read: 4 GiB.
pub const LIMIT: u64 = 4 << 30;

/// Appends records to a `stats.jsonl`. A line is handed to the system whole before [`Writer::append`] returns, so the
/// death of the process loses none; call [`Writer::sync`] before saving a checkpoint to survive a power cut as well.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Writer {
    /// Starts a new file.
    ///
    /// # Errors
    /// It exists, or cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::create_new(path).map_err(|e| Error::io("create", path, e))?;
        Ok(Self { path: path.to_owned(), file, length: 0 })
    }

    /// Goes on with a file from the checkpoint of `generation`: later records, which will be made again, are dropped,
    /// and so is a last line that a killed process left half-written. The file is replaced atomically, or left alone if
    /// nothing is to be dropped. A file that does not exist is created.
    ///
    /// # Errors
    /// A line before the last is not an object with an integer `generation` (or `step`); the file cannot be read or written.
    pub fn resume(path: impl AsRef<Path>, generation: u64) -> Result<Self> {
        let path = path.as_ref();
        if !path.try_exists().map_err(|e| Error::io("read", path, e))? {
            return Self::create(path);
        }
        let bytes = files::read(path, LIMIT)?;
        let mut kept = Vec::with_capacity(bytes.len());
        for (line, record) in parse::<Generation>(&bytes, path)? {
            if record.generation <= generation {
                kept.extend_from_slice(line);
                kept.push(b'\n');
            }
        }
        if kept != bytes {
            files::write_atomic(path, &kept)?;
        }
        let file = File::options().append(true).open(path).map_err(|e| Error::io("open", path, e))?;
        Ok(Self { path: path.to_owned(), file, length: kept.len() as u64 })
    }

    /// Appends one record as one line. Numbers that are not finite become `null`.
    ///
    /// # Errors
    /// The disk is full or the file cannot be written; a part of the line that was written is taken back.
    pub fn append(&mut self, record: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(record).map_err(|e| Error::file(&self.path, e.to_string()))?;
        line.push(b'\n');
        if let Err(e) = self.file.write_all(&line) {
            // Best effort: if it fails too, the reader drops the torn line.
            drop(self.file.set_len(self.length));
            return Err(Error::io("write", &self.path, e));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Flushes everything to the disk.
    ///
    /// # Errors
    /// The system refuses.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| Error::io("write", &self.path, e))
    }
}

/// Reads all records of a file, also while it is being written: a torn last line is passed over.
///
/// # Errors
/// A line before the last is not a record of type `T`; the file cannot be read or is over [`LIMIT`].
pub fn read<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<Vec<T>> {
    let bytes = files::read(&path, LIMIT)?;
    Ok(parse(&bytes, path.as_ref())?.into_iter().map(|(_, record)| record).collect())
}

#[derive(serde::Deserialize)]
struct Generation {
    #[serde(alias = "step")]
    generation: u64,
}

/// Each line with its record; the last line may be torn, but only if its end is missing.
fn parse<'a, T: DeserializeOwned>(bytes: &'a [u8], path: &Path) -> Result<Vec<(&'a [u8], T)>> {
    let mut records = Vec::new();
    for (index, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        let (line, whole) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
        match serde_json::from_slice(line) {
            Ok(record) => records.push((line, record)),
            Err(e) if whole => {
                return Err(Error::file(path, format!("line {} cannot be understood: {e}", index + 1))
                    .with_hint("Mend or delete that line; the checkpoints do not depend on this file."));
            }
            Err(_) => {}
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn generations(path: &Path) -> Vec<u64> {
        read::<Generation>(path).unwrap().into_iter().map(|r| r.generation).collect()
    }

    #[test]
    fn a_resumed_file_is_that_of_a_run_without_a_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.jsonl");
        let record = |generation: u64| json!({ "generation": generation, "d_loss": 0.5 });
        let mut writer = Writer::create(&path).unwrap();
        (1..=9).for_each(|g| writer.append(&record(g)).unwrap());
        writer.sync().unwrap();
        let unbroken = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&unbroken[..], br#"{"generation": 10, "d_l"#].concat()).unwrap();
        assert_eq!(generations(&path), (1..=9).collect::<Vec<_>>(), "the torn line is passed over");
        let mut writer = Writer::resume(&path, 6).unwrap();
        (7..=9).for_each(|g| writer.append(&record(g)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), unbroken);
        assert!(Writer::create(&path).is_err(), "a new run never overwrites the story of an old one");
        Writer::resume(folder.path().join("new.jsonl"), 6).unwrap();
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.jsonl");
        std::fs::write(&path, "{\"generation\":1}\n{\"gener\n{\"generation\":3}\n").unwrap();
        for error in [read::<Value>(&path).unwrap_err(), Writer::resume(&path, 9).unwrap_err()] {
            assert!(error.to_string().contains("line 2 cannot be understood"), "{error}");
        }
    }

    #[test]
    fn what_is_not_finite_is_null() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.jsonl");
        Writer::create(&path).unwrap().append(&std::collections::BTreeMap::from([("loss", f64::NAN)])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"loss\":null}\n");
    }

    proptest! {
        #[test]
        fn a_file_cut_anywhere_resumes(cut in 0usize..200, resume_at in 0u64..12) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("stats.jsonl");
            let mut writer = Writer::create(&path).unwrap();
            (1..=9).for_each(|g| writer.append(&json!({ "generation": g, "x": "ü\n" })).unwrap());
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..cut.min(bytes.len())]).unwrap();
            let before = generations(&path);
            Writer::resume(&path, resume_at).unwrap().append(&json!({ "generation": 99 })).unwrap();
            let expected: Vec<u64> = before.into_iter().filter(|&g| g <= resume_at).chain([99]).collect();
            prop_assert_eq!(generations(&path), expected);
        }
    }
}
