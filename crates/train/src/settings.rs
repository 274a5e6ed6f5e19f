//! The settings of a run: a preset, a file over it, single values over both; the run folder's `config.toml`; what may
//! change when a run goes on.

mod keys;

pub use keys::{Key, Values};

use crate::run_folder::{self, CONFIG};
use crate::table::{flatten, put, read_table, typed, value_of};
use crate::wrong_value;
use base::sniff::{Kind, Wanted};
use base::{Error, Result, files};
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// What is opened here, for messages about folders and files that are something else.
const WANTED: Wanted =
    Wanted { name: "a run folder", kind: Kind::RUN, cure: "Give the folder that `evolve` or `segmenter train` made." };

/// When something is due in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Steps in all.
    pub length: u64,
    /// Steps between checkpoints; 0: only at the end.
    pub checkpoint: u64,
    /// Steps between judgements that come besides those at checkpoints, and that make checkpoints of their own; 0: none.
    pub judged: u64,
    /// Checkpoints that are kept, besides the best.
    pub keep: usize,
}

/// Everything that decides how a run goes, all resolved. Its TOML form is the run folder's `config.toml`; values under
/// `log.` say what is written, and change no result.
///
/// A kind of settings is a plain `struct` that serde knows, with the table [`RunSettings::KEYS`] and [`RunSettings::check_together`]; all else is here.
pub trait RunSettings: Clone + Serialize + DeserializeOwned {
    /// What the file says its run is, as its value of `task`. Generators came first: their file has no such key.
    const TASK: Option<&'static str>;

    /// The command that starts such a run, for hints.
    const COMMAND: &'static str;

    /// What a step of the run is called. The setting of its length has the plural as its key.
    const UNIT: &'static str;

    /// Settings as people may give them, for hints.
    const EXAMPLES: [&'static str; 2];

    /// Keys that decide no result, besides those under `log.`: they may change when the run goes on.
    const FREE: &'static [&'static str] = &[];

    /// Keys that name data: something built in, or a file or folder ([`RunSettings::place_in`]). Files may have moved when the run
    /// goes on; whether they are the same is found out by [`crate::Training::data`].
    const DATA: &'static [&'static str] = &[];

    /// Keys that name other files, which may move: those that only the beginning of a run reads, and those of which [`crate::Training::data`]
    /// says what they hold.
    const FILES: &'static [&'static str] = &[];

    /// What the keys begin with that say how checkpoints are judged. Where one is changed, judgements of before are no longer comparable.
    const JUDGEMENT: Option<&'static str> = None;

    /// All keys, in the order in which people read them.
    const KEYS: &'static [Key];

    /// Whether values go together, each of which is among those of its key.
    ///
    /// # Errors
    /// One does not: it is named, with the cure where there is one.
    fn check_together(&self) -> Result<()> {
        Ok(())
    }

    /// Whether all values can be used.
    ///
    /// # Errors
    /// One cannot: it is named, with the values that there are or the cure.
    fn check(&self) -> Result<()> {
        self.check_each()?;
        self.check_together()
    }

    /// The values under those of a run's file (at `path`, for messages): a key that the file lacks, because the run is
    /// older than the key, has its value from here.
    ///
    /// # Errors
    /// The file is not one of such a run.
    fn beneath(table: &toml::Table, path: &Path) -> Result<Self>;

    /// How long the run is, and when it is saved.
    fn schedule(&self) -> Schedule;

    /// The path that the value of a key of [`RunSettings::DATA`] or [`RunSettings::FILES`] begins with, where it names a place among the user's
    /// files.
    fn place_in<'v>(_key: &str, value: &'v str) -> Option<&'v str> {
        (!value.is_empty()).then_some(value)
    }

    /// Whether a single value may be put over the settings in a table.
    ///
    /// # Errors
    /// It may not, because others depend on it; says how to choose it.
    fn may_set(_table: &toml::Table, _key: &str, _value: &str) -> Result<()> {
        Ok(())
    }

    /// These settings, then a file over them, then single values `key=value` over both.
    ///
    /// # Errors
    /// A file that cannot be read, a key that does not exist (with the nearest one), a value of the wrong kind or range.
    fn resolve(&self, file: Option<&Path>, overrides: &[String]) -> Result<Self> {
        let mut table = self.to_table();
        let mut of_file = Vec::new();
        if let Some(path) = file {
            let given = read_table(path)?;
            put_all(&mut table, &given).map_err(|e| in_file(e, path))?;
            of_file = flatten(&given).into_iter().map(|(key, _)| key).collect();
        }
        for entry in overrides {
            let (key, text) = entry.split_once('=').ok_or_else(|| {
                let [one, other] = Self::EXAMPLES;
                Error::setting("set", format!("{entry:?} is not of the form key=value"))
                    .with_hint(format!("For example `set {one}` or `set {other}`."))
            })?;
            let key = key.trim();
            Self::may_set(&table, key, text.trim())?;
            put(&mut table, key, value_of(text.trim()))?;
            of_file.retain(|other| other != key);
        }
        from_table(table).map_err(|error| match (&error, file) {
            (Error::Setting { key, .. }, Some(path)) if of_file.contains(key) => in_file(error, path),
            _ => error,
        })
    }

    /// These settings with single values `key=value` over them.
    ///
    /// # Errors
    /// As [`RunSettings::resolve`].
    fn with<S: AsRef<str>>(&self, overrides: &[S]) -> Result<Self> {
        let overrides: Vec<String> = overrides.iter().map(|entry| entry.as_ref().to_owned()).collect();
        self.resolve(None, &overrides)
    }

    /// Reads the resolved settings of a run.
    ///
    /// # Errors
    /// The file is not the `config.toml` of such a run.
    fn read(path: &Path) -> Result<Self> {
        let given = read_table(path)?;
        let mut table = Self::beneath(&given, path)?.to_table();
        let all = put_all(&mut table, &given).and_then(|()| from_table(table));
        all.map_err(|e| in_file(e, path))
    }

    /// Whether a folder holds such a run.
    fn are_in(folder: &Path) -> bool {
        let task = |table: toml::Table| table.get("task").and_then(toml::Value::as_str).map(str::to_owned);
        read_table(&folder.join(CONFIG)).is_ok_and(|table| task(table).as_deref() == Self::TASK)
    }

    /// Reads the settings of the run in a folder.
    ///
    /// # Errors
    /// The folder holds no run, or one of another kind.
    fn of_run(folder: &Path) -> Result<Self> {
        if !run_folder::is_run(folder) {
            files::must_exist(folder)?;
            let otherwise = Error::file(folder, format!("is not a run folder: it holds no {CONFIG}"))
                .with_hint(format!("Give the folder that `{}` made.", Self::COMMAND));
            return Err(WANTED.unfit(folder, Kind::of_path(folder), otherwise));
        }
        Self::read(&folder.join(CONFIG))
    }

    /// The `config.toml` of these settings.
    fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// All values by their keys.
    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).unwrap_or_default()
    }

    /// All values by their keys, as people type them.
    fn as_typed(&self) -> Vec<(String, String)> {
        flatten(&self.to_table()).into_iter().map(|(key, value)| (key, typed(&value))).collect()
    }

    /// Whether each value is among those that its key takes.
    ///
    /// # Errors
    /// One is not.
    fn check_each(&self) -> Result<()> {
        let table = toml::Table::try_from(self);
        // What a file cannot hold is a number that is too large for it.
        let values = flatten(&table.map_err(|_| too_large(self))?);
        Self::KEYS.iter().try_for_each(|key| {
            let value = values.iter().find(|(found, _)| found == key.name);
            value.map_or(Ok(()), |(_, value)| key.values.check(key.name, value))
        })
    }

    /// The places among the user's files that settings name, by key.
    fn places(&self) -> Vec<(&'static str, PathBuf)> {
        let values = flatten(&self.to_table());
        let place = |key: &&'static str| {
            let (_, value) = values.iter().find(|(found, _)| found == key)?;
            Some((*key, PathBuf::from(Self::place_in(key, value.as_str()?)?)))
        };
        Self::DATA.iter().chain(Self::FILES).filter_map(place).collect()
    }

    /// The same settings with absolute paths: they mean the same from every folder.
    ///
    /// # Errors
    /// The system does not say which folder is the current one.
    fn absolute(&self) -> Result<Self> {
        let mut table = self.to_table();
        let values = flatten(&table);
        for (key, place) in self.places() {
            let path = std::path::absolute(&place).map_err(|e| Error::io("find", &place, e))?;
            let value = values.iter().find(|(found, _)| found == key).and_then(|(_, value)| value.as_str());
            let behind = value.and_then(|value| value.strip_prefix(place.to_str()?)).unwrap_or_default();
            // A path that is no text stays as it was typed.
            if let Some(path) = path.to_str() {
                put(&mut table, key, format!("{path}{behind}").into())?;
            }
        }
        from_table(table)
    }

    /// What decides the result: every key with its value, but for those that are [`RunSettings::FREE`] or under `log.`, and
    /// for places, which may change: what lies there decides.
    fn decisive(&self) -> Vec<(String, toml::Value)> {
        let places = self.places();
        let is_place = |key: &str| places.iter().any(|(place, _)| *place == key);
        Self::not_free(&self.to_table()).into_iter().filter(|(key, _)| !is_place(key)).collect()
    }

    /// What differs between two settings and decides the result, one line each: `key: here -> there`.
    fn differences(&self, other: &Self) -> Vec<String> {
        let places = [self.places(), other.places()];
        let moved = |key: &str| places.iter().all(|places| places.iter().any(|(place, _)| *place == key));
        let pairs = Self::not_free(&self.to_table()).into_iter().zip(Self::not_free(&other.to_table()));
        pairs
            .filter(|((key, a), (_, b))| a != b && !moved(key))
            .map(|((key, a), (_, b))| format!("{key}: {a} -> {b}"))
            .collect()
    }

    /// Of a table of settings, what may not change freely.
    fn not_free(table: &toml::Table) -> Vec<(String, toml::Value)> {
        let free = |key: &str| key.starts_with("log.") || Self::FREE.contains(&key);
        flatten(table).into_iter().filter(|(key, _)| !free(key)).collect()
    }

    /// A short hash of everything that decides the result.
    fn hash(&self) -> String {
        hash_of(self.decisive())
    }

    /// Whether the file of the run in a folder says what this is the hash of, as it was taken before checkpoints kept settings: of
    /// the keys that there were, places of data among them.
    ///
    /// # Errors
    /// The file cannot be read.
    fn file_has_hash(folder: &Path, hash: &str) -> Result<bool> {
        Ok(hash_of(Self::not_free(&read_table(&folder.join(CONFIG))?)) == hash)
    }
}

/// The error of settings with a whole number that no file holds.
fn too_large<S: RunSettings>(settings: &S) -> Error {
    let json = serde_json::to_value(settings).unwrap_or_default();
    let value =
        |key: &Key| json.pointer(&format!("/{}", key.name.replace('.', "/"))).and_then(serde_json::Value::as_u64);
    let found = S::KEYS.iter().find_map(|key| Some((key, value(key).filter(|&value| value > wrong_value::MOST)?)));
    found.map_or_else(
        || Error::setting("settings", "cannot be written to a file"),
        |(key, value)| Error::setting(key.name, format!("{value} is not {}", key.values.in_full())),
    )
}

fn hash_of(values: Vec<(String, toml::Value)>) -> String {
    let all: Vec<String> = values.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    blake3::hash(all.join("\n").as_bytes()).to_hex()[..16].to_owned()
}

/// Replaces every value that is given.
fn put_all(table: &mut toml::Table, given: &toml::Table) -> Result<()> {
    flatten(given).into_iter().try_for_each(|(key, value)| put(table, &key, value))
}

fn from_table<S: RunSettings>(table: toml::Table) -> Result<S> {
    let given = table.clone();
    let settings: S = table.try_into().map_err(|e: toml::de::Error| {
        let text = e.to_string();
        let key =
            text.lines().find_map(|l| l.strip_prefix("in `").and_then(|l| l.strip_suffix('`'))).unwrap_or("settings");
        let value = flatten(&given).into_iter().find(|(found, _)| found == key).map(|(_, value)| value);
        let values = S::KEYS.iter().find(|known| known.name == key).map(|known| known.values);
        Error::setting(key, wrong_value::in_words(e.message(), value.as_ref(), values))
    })?;
    settings.check()?;
    Ok(settings)
}

/// What is wrong with a value is wrong with the file that holds it.
pub fn in_file(error: Error, path: &Path) -> Error {
    match error {
        Error::Setting { key, reason, hint } => {
            Error::File { path: path.to_owned(), reason: format!("{key}: {reason}"), hint }
        }
        other => other,
    }
}
