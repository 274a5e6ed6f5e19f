//! `classes.json`: the names and colours of classes.

#![warn(clippy::indexing_slicing)]

use crate::image::{Class, Plane};
use crate::store::Store;
use base::{Error, Result};
use serde::Deserialize;

/// The two forms of the file: bare names by index, or names with colours.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClassesJson {
    Names(Vec<String>),
    Full { classes: Vec<Entry>, ignore_index: Option<u16> },
}

#[derive(Deserialize)]
struct Entry {
    index: Option<u16>,
    name: String,
    #[serde(alias = "color")]
    colour: Option<[u8; 3]>,
}

/// The name of the file.
pub(crate) const FILE: &str = "classes.json";
/// The longest file that is read, 4 MiB: 64 bytes for each of 65,535 classes.
const LIMIT: u64 = 4 << 20;

/// Reads `classes.json` in a folder of a store (`""`, or with a `/` at its end), in its root, or beside it.
///
/// # Errors
/// The file is there but is too long or not understood, or its indices are not 0, 1, 2, ...
pub(crate) fn read(store: &Store, folder: &str) -> Result<Option<Plane>> {
    let Some((path, bytes)) = store.read_in_or_beside(&[folder, ""], FILE, LIMIT)? else { return Ok(None) };
    let wrong = |reason: String| {
        Error::file(&path, reason).with_hint(
            r#"Its form is ["sky", "road"] or {"classes": [{"index": 0, "name": "sky", "colour": [0, 0, 255]}, ...]}."#,
        )
    };
    let parsed = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("is not understood: {e}")))?;
    let (entries, ignore) = match parsed {
        ClassesJson::Names(names) => {
            (names.into_iter().map(|name| Entry { index: None, name, colour: None }).collect(), None)
        }
        ClassesJson::Full { classes, ignore_index } => (classes, ignore_index),
    };
    if entries.is_empty() || entries.len() > usize::from(u16::MAX) {
        return Err(wrong(format!("names {} classes", entries.len())));
    }
    let mut classes = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        if entry.index.is_some_and(|i| usize::from(i) != index) {
            return Err(wrong(format!("class {:?} is not in the order of its index", entry.name)));
        }
        classes.push(Class { name: entry.name, colour: entry.colour.unwrap_or_else(|| colour(index)) });
    }
    Ok(Some(Plane { name: "classes".into(), classes, ignore }))
}

/// The class names alone; empty where there is no `classes.json`.
pub(crate) fn names_of(store: &Store, folder: &str) -> Result<Vec<String>> {
    Ok(read(store, folder)?.map(|plane| plane.classes.into_iter().map(|c| c.name).collect()).unwrap_or_default())
}

/// A colour for class `index` of a set that names none: hues a golden section apart, in three brightnesses.
pub fn colour(index: usize) -> [u8; 3] {
    let hue = (index as f32 * 0.618_034).fract() * 6.0;
    let value = match index % 3 {
        0 => 1.0,
        1 => 0.7,
        _ => 0.85,
    };
    let channel = |shift: f32| {
        let k = (shift + hue) % 6.0;
        (255.0 * value * (1.0 - 0.75 * k.min(4.0 - k).clamp(0.0, 1.0))) as u8
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}
