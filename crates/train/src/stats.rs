//! `stats.jsonl`: the story of a run, one JSON object a line, in the order in which it happened.

#![warn(clippy::indexing_slicing)]

mod story;

pub use story::{Story, Told};

use base::{Error, Result, files};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
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
        files::sync_folder(files::parent_of(path))?;
        Ok(Self { path: path.to_owned(), file, length: 0 })
    }

    /// Goes on with a file from the checkpoint of `generation`: later records, which will be made again, are dropped,
    /// and so is a last line that a killed process left half-written. Of two records of one generation the later one stays, and
    /// records are brought into their order. The file is replaced atomically, or left alone if nothing is to be changed. A file
    /// that does not exist is created.
    ///
    /// # Errors
    /// A line before the last is not an object with an integer `generation` (or `step`); the file cannot be read or written.
    pub fn resume(path: impl AsRef<Path>, generation: u64) -> Result<(Self, Oddities)> {
        let path = path.as_ref();
        if !path.try_exists().map_err(|e| Error::io("read", path, e))? {
            return Ok((Self::create(path)?, Oddities::of(generation, &[])));
        }
        let bytes = files::read(path, LIMIT)?;
        let told: Vec<(u64, &[u8])> = parse::<Generation>(&bytes, path)?
            .into_iter()
            .map(|(line, record)| (record.generation, line))
            .filter(|(number, _)| (1..=generation).contains(number))
            .collect();
        let numbers: Vec<u64> = told.iter().map(|&(number, _)| number).collect();
        let lines: BTreeMap<u64, &[u8]> = told.into_iter().collect();
        let kept = lines.into_values().flat_map(|line| [line, b"\n"]).collect::<Vec<_>>().concat();
        if kept != bytes {
            files::write_atomic(path, &kept)?;
        }
        let file = File::options().append(true).open(path).map_err(|e| Error::io("open", path, e))?;
        Ok((Self { path: path.to_owned(), file, length: kept.len() as u64 }, Oddities::of(generation, &numbers)))
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

/// What was otherwise than it should be in the story of a run that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Generations of which nothing is told, as ranges with both ends.
    pub missing: Vec<(u64, u64)>,
    /// Generations that were told more than once.
    pub double: Vec<(u64, u64)>,
    /// Whether generations were told out of their order.
    pub disordered: bool,
}

impl Oddities {
    /// Of a story that should tell of the generations from 1 to `last` in their order, and tells of `numbers`, which are among them.
    fn of(last: u64, numbers: &[u64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        let disordered = sorted != numbers;
        let mut double: Vec<u64> = sorted.array_windows().filter_map(|[a, b]| (a == b).then_some(*a)).collect();
        double.dedup();
        sorted.dedup();
        let (mut missing, mut next) = (Vec::new(), 1);
        for number in sorted.into_iter().chain([last.saturating_add(1)]) {
            if number > next {
                missing.push((next, number - 1));
            }
            next = number.saturating_add(1);
        }
        Self { missing, double: ranges(&double), disordered }
    }

    /// What to tell people, a sentence for each kind; `unit` is what a step of the run is called.
    pub fn in_words(&self, unit: &str) -> Vec<String> {
        let list = |ranges: &[(u64, u64)]| {
            let one = |&(first, last): &(u64, u64)| {
                if first == last { first.to_string() } else { format!("{first} to {last}") }
            };
            let more = ranges.len().saturating_sub(5);
            let shown = ranges.iter().take(5).map(one).collect::<Vec<_>>().join(", ");
            if more > 0 { format!("{shown} and {more} more") } else { shown }
        };
        let mut words = Vec::new();
        if !self.missing.is_empty() {
            let which = list(&self.missing);
            words.push(format!(
                "tells nothing of {unit} {which}: curves leave them out, and nothing else depends on them"
            ));
        }
        if !self.double.is_empty() {
            words.push(format!("tells twice of {unit} {}: the later lines stay", list(&self.double)));
        } else if self.disordered {
            words.push(format!("tells of {unit}s out of their order: its lines are sorted"));
        }
        words
    }
}

/// Ascending numbers as ranges with both ends.
fn ranges(numbers: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
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
        let (mut writer, odd) = Writer::resume(&path, 6).unwrap();
        assert_eq!(odd, Oddities::default());
        (7..=9).for_each(|g| writer.append(&record(g)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), unbroken);
        assert!(Writer::create(&path).is_err(), "a new run never overwrites the story of an old one");
        Writer::resume(folder.path().join("new.jsonl"), 6).unwrap();
    }

    #[test]
    fn lines_that_are_missing_double_or_out_of_order_are_told_and_mended_as_far_as_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.jsonl");
        let resumed = |lines: &[(u64, u64)], at: u64| {
            let line = |(g, x): &(u64, u64)| json!({ "generation": g, "x": x }).to_string() + "\n";
            let text = lines.iter().map(line).collect::<Vec<_>>().concat();
            std::fs::write(&path, text).unwrap();
            let (_, odd) = Writer::resume(&path, at).unwrap();
            let values: Vec<Value> = read(&path).unwrap();
            let kept = values.iter().map(|v| (v["generation"].as_u64().unwrap(), v["x"].as_u64().unwrap())).collect();
            (kept, odd.in_words("generation").join(" | "))
        };
        let nothing: Vec<(u64, u64)> = Vec::new();
        let gap = "curves leave them out, and nothing else depends on them";
        assert_eq!(resumed(&[(1, 0), (2, 0), (3, 0)], 2), (vec![(1, 0), (2, 0)], String::new()));
        assert_eq!(resumed(&[], 4), (nothing, format!("tells nothing of generation 1 to 4: {gap}")));
        let some = resumed(&[(2, 0), (5, 0), (6, 0)], 8);
        assert_eq!(some.1, format!("tells nothing of generation 1, 3 to 4, 7 to 8: {gap}"));
        let twice = resumed(&[(1, 0), (2, 0), (3, 0), (2, 7), (3, 8)], 3);
        assert_eq!(
            twice,
            (vec![(1, 0), (2, 7), (3, 8)], "tells twice of generation 2 to 3: the later lines stay".into())
        );
        let mixed = resumed(&[(2, 0), (1, 1), (0, 9)], 2);
        assert_eq!(
            mixed,
            (vec![(1, 1), (2, 0)], "tells of generations out of their order: its lines are sorted".into())
        );
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
            let (mut writer, odd) = Writer::resume(&path, resume_at).unwrap();
            writer.append(&json!({ "generation": 99 })).unwrap();
            let expected: Vec<u64> = before.into_iter().filter(|&g| g <= resume_at).chain([99]).collect();
            prop_assert_eq!(generations(&path), &expected[..]);
            let told = expected.len() as u64 - 1;
            prop_assert_eq!(odd.missing, if told < resume_at { vec![(told + 1, resume_at)] } else { Vec::new() });
        }
    }
}
