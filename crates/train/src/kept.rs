//! What a checkpoint keeps of the settings and of the data, so that a run that goes on with others notices.

#![warn(clippy::indexing_slicing)]

use crate::RunSettings;
use crate::checkpoint::Checkpoint;
use crate::table::flatten;
use base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file of a checkpoint.
pub(crate) const FILE: &str = "settings.toml";

/// What decides the results of a run, as it was when a checkpoint was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The decisive settings by their keys ([`RunSettings::decisive`]).
    settings: BTreeMap<String, toml::Value>,
    /// What the data were ([`crate::Training::data`]), by the settings that name them.
    data: BTreeMap<String, String>,
}

impl Kept {
    pub(crate) fn new(settings: &impl RunSettings, data: &[(&'static str, String)]) -> Self {
        let data = data.iter().map(|(key, words)| ((*key).to_owned(), words.clone())).collect();
        Self { settings: settings.decisive().into_iter().collect(), data }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        toml::to_string(self).map(String::into_bytes).map_err(|e| Error::setting("settings", e.to_string()))
    }

    /// Of a checkpoint; `None` of one that is older than the file.
    ///
    /// # Errors
    /// The file is not understood.
    pub(crate) fn read(checkpoint: &Checkpoint) -> Result<Option<Self>> {
        let Some(bytes) = checkpoint.files.get(FILE) else { return Ok(None) };
        let wrong = |reason: String| Error::file(checkpoint.path.join(FILE), format!("is not understood: {reason}"));
        let text = std::str::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?;
        toml::from_str(text).map(Some).map_err(|e| wrong(e.message().replace('\n', " ")))
    }

    /// What is different in settings of now: `key: at the checkpoint -> now`. A key that only one of the two has is none: settings
    /// that came later stand for what was done before. A place that is kept, as it once was, may have moved.
    pub(crate) fn changed_settings<S: RunSettings>(&self, now: &S) -> Vec<String> {
        let now: BTreeMap<String, toml::Value> = flatten(&now.to_table()).into_iter().collect();
        let both = self.settings.iter().filter_map(|(key, then)| Some((key, then, now.get(key)?)));
        let is_place = |key: &str, value: &toml::Value| {
            let may_be = S::DATA.iter().chain(S::FILES).any(|known| *known == key);
            may_be && value.as_str().is_some_and(|value| S::place_in(key, value).is_some())
        };
        let moved = |key: &str, then, now| is_place(key, then) && is_place(key, now);
        both.filter(|(key, then, now)| then != now && !moved(key, then, now))
            .map(|(key, then, now)| format!("{key}: {then} -> {now}"))
            .collect()
    }

    /// What is different in the data of now, likewise.
    pub(crate) fn changed_data(&self, now: &[(&'static str, String)]) -> Vec<String> {
        let both = now.iter().filter_map(|(key, now)| Some((key, self.data.get(*key)?, now)));
        both.filter(|(_, then, now)| then != now).map(|(key, then, now)| format!("{key}: {then} -> {now}")).collect()
    }
}
