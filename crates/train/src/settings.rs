//! The settings of a run: a preset, a file over it, single values over both; the run folder's `config.toml`; what may
//! change when a run goes on.

use crate::run_folder::{self, CONFIG};
use crate::table::{flatten, put, read_table, value_of};
use base::sniff::{Kind, Wanted};
use base::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

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
    /// Checkpoints that are kept, besides the best.
    pub keep: usize,
}

/// Everything that decides how a run goes, all resolved. Its TOML form is the run folder's `config.toml`; values under
/// `log.` say what is written, and change no result.
///
/// A kind of settings is a plain `struct` that serde knows, with [`RunSettings::check`]; all else is here.
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

    /// Whether all values can be used.
    ///
    /// # Errors
    /// One cannot: it is named, with the cure where there is one.
    fn check(&self) -> Result<()>;

    /// The values under those of a run's file (at `path`, for messages): a key that the file lacks, because the run is
    /// older than the key, has its value from here.
    ///
    /// # Errors
    /// The file is not one of such a run.
    fn beneath(table: &toml::Table, path: &Path) -> Result<Self>;

    /// How long the run is, and when it is saved.
    fn schedule(&self) -> Schedule;

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
        if let Some(path) = file {
            put_all(&mut table, &read_table(path)?).map_err(|e| in_file(e, path))?;
        }
        for entry in overrides {
            let (key, text) = entry.split_once('=').ok_or_else(|| {
                let [one, other] = Self::EXAMPLES;
                Error::setting("set", format!("{entry:?} is not of the form key=value"))
                    .with_hint(format!("For example `set {one}` or `set {other}`."))
            })?;
            Self::may_set(&table, key.trim(), text.trim())?;
            put(&mut table, key.trim(), value_of(text.trim()))?;
        }
        from_table(table)
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

    /// What decides the result: every key with its value, but for those that are [`RunSettings::FREE`] or under `log.`.
    fn decisive(&self) -> Vec<(String, toml::Value)> {
        let free = |key: &str| key.starts_with("log.") || Self::FREE.contains(&key);
        flatten(&self.to_table()).into_iter().filter(|(key, _)| !free(key)).collect()
    }

    /// What differs between two settings and decides the result, one line each: `key: here, now there`.
    fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = self.decisive().into_iter().zip(other.decisive());
        pairs.filter(|(a, b)| a.1 != b.1).map(|((key, a), (_, b))| format!("{key}: {a}, now {b}")).collect()
    }

    /// A short hash of everything that decides the result.
    fn hash(&self) -> String {
        let all: Vec<String> = self.decisive().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        blake3::hash(all.join("\n").as_bytes()).to_hex()[..16].to_owned()
    }
}

/// Replaces every value that is given.
fn put_all(table: &mut toml::Table, given: &toml::Table) -> Result<()> {
    flatten(given).into_iter().try_for_each(|(key, value)| put(table, &key, value))
}

fn from_table<S: RunSettings>(table: toml::Table) -> Result<S> {
    let settings: S = table.try_into().map_err(|e: toml::de::Error| {
        let text = e.to_string();
        let key = text.lines().find_map(|l| l.strip_prefix("in `").and_then(|l| l.strip_suffix('`')));
        Error::setting(key.unwrap_or("settings"), e.message().replace('\n', " "))
    })?;
    settings.check()?;
    Ok(settings)
}

/// What is wrong with a value is wrong with the file that holds it.
fn in_file(error: Error, path: &Path) -> Error {
    match error {
        Error::Setting { key, reason, hint } => {
            Error::File { path: path.to_owned(), reason: format!("{key}: {reason}"), hint }
        }
        other => other,
    }
}

/// A count that a setting holds must be from 1 to `most`.
///
/// # Errors
/// It is not.
pub fn check_count(key: &str, value: u64, most: u64) -> Result<()> {
    if value == 0 || value > most {
        return Err(Error::setting(key, format!("{value} is not between 1 and {most}")));
    }
    Ok(())
}

/// A number that a setting holds, such as a learning rate, must be positive and finite.
///
/// # Errors
/// It is not.
pub fn check_positive(key: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(key, format!("{value} is not a positive number")))
}
