//! The names and colours of classes: `classes.json`, and the other forms in which people hand on names.

#![warn(clippy::indexing_slicing)]

use crate::image::{Class, Plane};
use crate::store::Store;
use base::{Error, Result, files};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The forms of the file: bare names by index, names with colours, or names by their numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClassesJson {
    Names(Vec<String>),
    Full { classes: Vec<Entry>, ignore_index: Option<u16> },
    ByNumber(BTreeMap<String, String>),
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
const FORMS: &str =
    r#"Its form is ["sky", "road"] or {"classes": [{"index": 0, "name": "sky", "colour": [0, 0, 255]}, ...]}."#;

/// Reads `classes.json` in a folder of a store (`""`, or with a `/` at its end), in its root, or beside it.
///
/// # Errors
/// The file is there but is too long or not understood, or its indices are not 0, 1, 2, ...
pub(crate) fn read(store: &Store, folder: &str) -> Result<Option<Plane>> {
    let Some((path, bytes)) = store.read_in_or_beside(&[folder, ""], FILE, LIMIT)? else { return Ok(None) };
    let wrong = |reason: String| Error::file(&path, reason).with_hint(FORMS);
    let parsed = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("is not understood: {e}")))?;
    plane_of(parsed).map(Some).map_err(wrong)
}

/// Reads the names of classes from a file of their own: a `classes.json`, JSON with names by number (`{"0": "sky"}`), or a text with a
/// name in each line.
///
/// # Errors
/// The file cannot be read, or is in none of these forms.
pub fn read_classes(path: &Path) -> Result<Plane> {
    let wrong = |reason: String| Error::file(path, reason).with_hint(FORMS);
    let text = String::from_utf8(files::read(path, LIMIT)?).map_err(|_| wrong("is no text".into()))?;
    classes_of(&text).map_err(wrong)
}

/// The classes of a text: in one of the forms of [`read_classes`], as a dictionary of Python (`{0: 'sky', 1: 'road'}`), or with commas
/// between the names.
///
/// # Errors
/// It names none, or is not understood; the reason follows the name of what holds it.
pub fn classes_of(text: &str) -> Result<Plane, String> {
    let text = text.trim();
    if text.starts_with(['[', '{']) {
        let parsed = serde_json::from_str(text).or_else(|error| match of_python(text) {
            Some(json) => serde_json::from_str(&json),
            None => Err(error),
        });
        return plane_of(parsed.map_err(|e| format!("is not understood: {e}"))?);
    }
    let separator = if text.contains('\n') { '\n' } else { ',' };
    let names = text.split(separator).map(str::trim).filter(|name| !name.is_empty());
    plane_of(ClassesJson::Names(names.map(str::to_owned).collect()))
}

/// A dictionary or list of Python as JSON: texts between single quotes, keys that are numbers.
fn of_python(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let mut inside = String::new();
                loop {
                    match characters.next()? {
                        '\\' => inside.push(characters.next()?),
                        end if end == character => break,
                        other => inside.push(other),
                    }
                }
                json.push_str(&serde_json::to_string(&inside).ok()?);
            }
            '0'..='9' => {
                json.push('"');
                json.push(character);
                while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                    json.push(digit);
                }
                json.push('"');
            }
            other => json.push(other),
        }
    }
    Some(json)
}

fn plane_of(parsed: ClassesJson) -> Result<Plane, String> {
    let bare = |name: String| Entry { index: None, name, colour: None };
    let (entries, ignore) = match parsed {
        ClassesJson::Names(names) => (names.into_iter().map(bare).collect::<Vec<_>>(), None),
        ClassesJson::Full { classes, ignore_index } => (classes, ignore_index),
        ClassesJson::ByNumber(names) => {
            let of_number = |number: &str| {
                let wrong = || format!("names a class by {number:?}, which is no number");
                number.trim().parse::<u16>().map_err(|_| wrong())
            };
            let numbered = names.into_iter().map(|(number, name)| Ok((of_number(&number)?, name)));
            let mut entries = numbered.collect::<Result<Vec<_>, String>>()?;
            entries.sort();
            (entries.into_iter().map(|(index, name)| Entry { index: Some(index), ..bare(name) }).collect(), None)
        }
    };
    if entries.is_empty() || entries.len() > usize::from(u16::MAX) {
        return Err(format!("names {} classes", entries.len()));
    }
    let mut classes = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        if entry.index.is_some_and(|i| usize::from(i) != index) {
            return Err(format!("class {:?} is not in the order of its index", entry.name));
        }
        classes.push(Class { name: entry.name, colour: entry.colour.unwrap_or_else(|| colour(index)) });
    }
    Ok(Plane { name: "classes".into(), classes, ignore })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        classes_of(text).map(|plane| plane.classes.into_iter().map(|class| class.name).collect())
    }

    #[test]
    fn names_are_read_in_the_forms_that_people_hand_on() {
        for text in [
            r#"["sky", "a road"]"#,
            r#"{"classes": [{"index": 0, "name": "sky"}, {"name": "a road"}]}"#,
            r#"{"1": "a road", "0": "sky"}"#,
            "{0: 'sky', 1: \"a road\"}",
            "['sky', 'a road']",
            "sky\n a road \n\n",
            "sky, a road",
        ] {
            assert_eq!(names(text).unwrap(), ["sky", "a road"], "{text}");
        }
        assert_eq!(names(r"{0: 'a cow\'s', 1: 'é'}").unwrap(), ["a cow's", "é"]);
        let twelve = format!("{{{}}}", (0..12).map(|i| format!("{i}: 'c{i}'")).collect::<Vec<_>>().join(", "));
        assert_eq!(names(&twelve).unwrap()[10], "c10", "numbers are no texts");
    }

    #[test]
    fn what_names_no_classes_is_refused() {
        for (text, reason) in [
            ("", "names 0 classes"),
            ("[]", "names 0 classes"),
            (r#"{"a": "b"}"#, "names a class by \"a\", which is no number"),
            (r#"{"1": "b"}"#, "class \"b\" is not in the order of its index"),
            ("{0: 'b", "is not understood"),
            ("[1, 2", "is not understood"),
        ] {
            let found = names(text).unwrap_err();
            assert!(found.starts_with(reason), "{text}: {found}");
        }
    }
}
