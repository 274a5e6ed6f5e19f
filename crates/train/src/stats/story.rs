//! A story that is followed while it is written.

use super::LIMIT;
use base::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The longest line that is read.
const LONGEST: u64 = 16 << 20;

/// Where the records of a `stats.jsonl` lie, as far as it has been read. [`Story::follow`] reads on from there, also while somebody
/// writes: a last line without its end is left for the next time. Lines that are no records are passed over. Of two records of one
/// step the later one stands.
#[derive(Debug)]
pub struct Story {
    path: PathBuf,
    /// Bytes that have been read, to the end of a line.
    read: u64,
    /// The last line: another one in its place means another file.
    last: Vec<u8>,
    score: fn(&Value) -> Option<f64>,
    told: BTreeMap<u64, Told>,
    seconds: f64,
    edition: u64,
    same_until: u64,
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// The step or generation, counted from 1.
    pub number: u64,
    /// Where it was judged: its score.
    pub score: Option<f64>,
    seconds: f64,
    start: u64,
    length: u64,
}

#[derive(Deserialize)]
struct Record {
    #[serde(alias = "step")]
    generation: u64,
    seconds: Option<f64>,
}

impl Story {
    /// Of the file in a run folder, unread. `score` finds the score in a record that was judged.
    pub fn new(run: impl AsRef<Path>, score: fn(&Value) -> Option<f64>) -> Self {
        let path = run.as_ref().join(super::FILE);
        Self { path, read: 0, last: Vec::new(), score, told: BTreeMap::new(), seconds: 0.0, edition: 0, same_until: 0 }
    }

    /// Reads what has come since the last time. A file that does not exist tells nothing. Where it is another file than the last time, as
    /// when a run has gone on from a checkpoint, it is read from its start, and that is the next [`Story::edition`].
    ///
    /// # Errors
    /// It cannot be read, or is over [`LIMIT`].
    pub fn follow(&mut self) -> Result<()> {
        let failed = |e| Error::io("read", &self.path, e);
        let file = match File::open(&self.path) {
            Ok(file) => Some(file),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(failed(e)),
        };
        let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|about| about.len())).map_err(failed)?;
        if length > LIMIT {
            return Err(Error::file(&self.path, format!("is longer than {LIMIT} bytes")));
        }
        let mut file = file.map(BufReader::new);
        let is_same = match &mut file {
            Some(file) => self.is_of(file, length)?,
            None => self.read == 0,
        };
        let before = if is_same { None } else { Some(self.forget()) };
        if let Some(file) = &mut file {
            self.read_on(file)?;
        }
        if let Some(before) = before {
            let same = before.values().zip(self.told.values()).take_while(|(before, now)| before == now);
            self.same_until = same.last().map_or(0, |(_, now)| now.number);
            self.edition += 1;
        }
        Ok(())
    }

    /// How often it has become another file.
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// Up to which step this edition tells what the one before told.
    pub fn same_until(&self) -> u64 {
        self.same_until
    }

    /// All records, by step.
    pub fn told(&self) -> impl DoubleEndedIterator<Item = &Told> {
        self.told.values()
    }

    /// The record of a step.
    pub fn of(&self, number: u64) -> Option<&Told> {
        self.told.get(&number)
    }

    /// The last step of which it tells; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.told.last_key_value().map_or(0, |(&number, _)| number)
    }

    /// The seconds of all steps.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The records after step `after`, about `most` of them: where there are more, every so many-th, those that were judged, and the last.
    pub fn thinned(&self, after: u64, most: usize) -> Vec<Told> {
        let Some(first) = after.checked_add(1) else { return Vec::new() };
        let all: Vec<Told> = self.told.range(first..).map(|(_, told)| *told).collect();
        let every = all.len().div_ceil(most.max(1));
        let last = all.len().saturating_sub(1);
        let stays = |(place, told): &(usize, Told)| place % every == 0 || *place == last || told.score.is_some();
        all.into_iter().enumerate().filter(stays).map(|(_, told)| told).collect()
    }

    /// The lines of records, without their ends. Those that are not there any more are left out.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lines(&self, wanted: &[Told]) -> Result<Vec<String>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |e| Error::io("read", &self.path, e);
        let mut file = BufReader::new(File::open(&self.path).map_err(failed)?);
        let mut lines = Vec::with_capacity(wanted.len());
        let mut place = 0;
        for told in wanted {
            let skip = i64::try_from(told.start).unwrap_or(i64::MAX).saturating_sub(place);
            file.seek_relative(skip).map_err(failed)?;
            let mut line = Vec::new();
            let read = (&mut file).take(told.length).read_to_end(&mut line).map_err(failed)?;
            place += skip.saturating_add(read as i64);
            // The file may have been replaced since it was looked through.
            let same = serde_json::from_slice(&line).is_ok_and(|record: Record| record.generation == told.number);
            lines.extend(String::from_utf8(line).ok().filter(|_| same));
        }
        Ok(lines)
    }

    /// Forgets what was read, and gives it.
    fn forget(&mut self) -> BTreeMap<u64, Told> {
        (self.read, self.seconds) = (0, 0.0);
        self.last.clear();
        std::mem::take(&mut self.told)
    }

    /// Whether this is the file that was read, and goes to the place to read on.
    fn is_of(&self, file: &mut BufReader<File>, length: u64) -> Result<bool> {
        let failed = |e| Error::io("read", &self.path, e);
        if length < self.read {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.read - self.last.len() as u64)).map_err(failed)?;
        let mut last = Vec::new();
        file.take(self.last.len() as u64).read_to_end(&mut last).map_err(failed)?;
        if last != self.last {
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
        }
        Ok(last == self.last)
    }

    fn read_on(&mut self, file: &mut BufReader<File>) -> Result<()> {
        loop {
            let mut line = Vec::new();
            let failed = |e| Error::io("read", &self.path, e);
            let length = file.take(LONGEST).read_until(b'\n', &mut line).map_err(failed)? as u64;
            if line.last() != Some(&b'\n') {
                return if length < LONGEST {
                    Ok(())
                } else {
                    Err(Error::file(&self.path, format!("has a line of more than {LONGEST} bytes")))
                };
            }
            let start = self.read;
            self.read += length;
            let parsed = serde_json::from_slice::<Value>(&line);
            if let Ok(value) = parsed
                && let Ok(Record { generation, seconds }) = Record::deserialize(&value)
            {
                let seconds = seconds.unwrap_or(0.0);
                let told = Told { number: generation, score: (self.score)(&value), seconds, start, length: length - 1 };
                self.seconds += seconds - self.told.insert(generation, told).map_or(0.0, |before| before.seconds);
            }
            self.last = line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{FILE, Writer};
    use serde_json::json;
    use std::io::Write;

    fn distance(record: &Value) -> Option<f64> {
        record.get("distance")?.as_f64()
    }

    fn numbers(story: &Story) -> Vec<u64> {
        story.told().map(|told| told.number).collect()
    }

    fn record(generation: u64) -> Value {
        json!({ "generation": generation, "seconds": 0.5, "loss": [1.5, null], "run": std::process::id() })
    }

    #[test]
    fn a_story_is_read_on_and_a_torn_line_is_left_for_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut story = Story::new(folder.path(), distance);
        story.follow().unwrap();
        assert_eq!(story.newest(), 0, "there is no file yet");
        let mut writer = Writer::create(folder.path().join(FILE)).unwrap();
        (1..=3).for_each(|g| writer.append(&record(g)).unwrap());
        story.follow().unwrap();
        assert_eq!(numbers(&story), [1, 2, 3]);
        let mut file = File::options().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(b"{\"generation\":4,\"seco").unwrap();
        story.follow().unwrap();
        assert_eq!(story.newest(), 3);
        file.write_all(b"nds\":1.0,\"distance\":0.25}\nno record\n").unwrap();
        story.follow().unwrap();
        assert_eq!((numbers(&story), story.of(4).unwrap().score, story.seconds()), (vec![1, 2, 3, 4], Some(0.25), 2.5));
        let lines = story.lines(&story.thinned(2, 100)).unwrap();
        assert_eq!(story.edition(), 0, "it is the same file all the time");
        assert_eq!(lines, [record(3).to_string(), "{\"generation\":4,\"seconds\":1.0,\"distance\":0.25}".into()]);
    }

    #[test]
    fn a_run_that_goes_on_from_a_checkpoint_is_told_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut writer = Writer::create(&path).unwrap();
        (1..=9).for_each(|g| writer.append(&record(g)).unwrap());
        let mut story = Story::new(folder.path(), distance);
        story.follow().unwrap();
        let stale = story.thinned(0, 100);
        let (mut writer, _) = Writer::resume(&path, 6).unwrap();
        story.follow().unwrap();
        assert_eq!((story.edition(), story.same_until(), story.newest(), story.seconds()), (1, 6, 6, 3.0));
        // Longer than before when it is looked at the next time: the last line tells.
        let other = |g: u64| json!({ "generation": g, "seconds": 0.25, "more": "x".repeat(100) });
        (7..=9).for_each(|g| writer.append(&other(g)).unwrap());
        story.follow().unwrap();
        let (mut writer, _) = Writer::resume(&path, 5).unwrap();
        (6..=20).for_each(|g| writer.append(&other(g)).unwrap());
        story.follow().unwrap();
        assert_eq!((story.edition(), story.same_until(), story.newest()), (2, 5, 20));
        // What was found in the old file is not taken for something else in the new one.
        let lines = story.lines(&stale).unwrap();
        assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()) && lines.len() < 9);
        std::fs::remove_file(&path).unwrap();
        story.follow().unwrap();
        assert_eq!((story.edition(), story.same_until(), story.newest()), (3, 0, 0));
    }

    #[test]
    fn what_is_thinned_keeps_the_last_and_what_was_judged() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path().join(FILE)).unwrap();
        for g in 1..=100 {
            let judged = json!({ "generation": g, "distance": 0.5 });
            writer.append(&if g == 47 { judged } else { record(g) }).unwrap();
        }
        let mut story = Story::new(folder.path(), distance);
        story.follow().unwrap();
        let kept = |after, most| story.thinned(after, most).iter().map(|told| told.number).collect::<Vec<_>>();
        assert_eq!(kept(0, 10), [1, 11, 21, 31, 41, 47, 51, 61, 71, 81, 91, 100]);
        assert_eq!((kept(98, 10), kept(100, 10), kept(u64::MAX, 10)), (vec![99, 100], vec![], vec![]));
        assert_eq!(story.lines(&story.thinned(0, 10)).unwrap().len(), 12);
    }
}
