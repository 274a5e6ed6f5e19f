//! Settings as tables: reading, flattening, replacing single values as people type them.

#![warn(clippy::indexing_slicing)]

use base::sniff::{Kind, Wanted};
use base::{Error, Result, known_names};
use std::path::Path;

/// What is read here, for messages about files that are something else.
const WANTED: Wanted = Wanted {
    name: "a file of settings (TOML)",
    kind: Kind::TEXT,
    cure: "Give a file as `dry_run` prints it, or the config.toml of a run.",
};

/// Reads a TOML file of at most 1 MiB.
///
/// # Errors
/// The file cannot be read, or is not TOML: the message names the line.
pub fn read_table(path: &Path) -> Result<toml::Table> {
    let unfit = |error: Error| WANTED.unfit(path, Kind::of_path(path), error);
    let bytes = base::files::read(path, 1 << 20).map_err(unfit)?;
    let text = String::from_utf8(bytes).map_err(|_| unfit(Error::file(path, "is not a text file")))?;
    text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
        unfit(Error::file(path, format!("line {line}: {}", e.message().replace('\n', " "))))
    })
}

/// All values with their keys, those of inner tables as `outer.inner`.
pub fn flatten(table: &toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => {
                flat.extend(flatten(inner).into_iter().map(|(k, v)| (format!("{key}.{k}"), v)));
            }
            other => flat.push((key.clone(), other.clone())),
        }
    }
    flat
}

/// A value as people type it: words without quotes.
pub fn typed(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(typed).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Replaces an existing value, a whole number standing in for a float, and whatever is no text for a text.
///
/// # Errors
/// There is no such key.
pub fn put(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<()> {
    let known: Vec<String> = flatten(table).into_iter().map(|(k, _)| k).collect();
    if !known.iter().any(|k| k == key) {
        let hint = known_names(key, "settings", known.iter().map(String::as_str));
        return Err(Error::setting(key, "there is no such setting").with_hint(hint));
    }
    let mut place = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let value = match (place.get(part), value) {
                (Some(toml::Value::Float(_)), toml::Value::Integer(whole)) => toml::Value::Float(whole as f64),
                // One word stands for a list of one.
                (Some(toml::Value::Array(_)), word @ toml::Value::String(_)) => toml::Value::Array(vec![word]),
                (Some(toml::Value::Array(_)), toml::Value::Array(list)) => {
                    toml::Value::Array(list.into_iter().map(as_text).collect())
                }
                (Some(toml::Value::String(_)), value) => as_text(value),
                (_, value) => value,
            };
            place.insert(part.to_owned(), value);
            return Ok(());
        }
        let Some(toml::Value::Table(inner)) = place.get_mut(part) else { return Ok(()) };
        place = inner;
    }
    Ok(())
}

/// A word, though it may look like a number: `5` can be the name of a folder.
fn as_text(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {
            toml::Value::String(value.to_string())
        }
        other => other,
    }
}

/// A value as people type it: TOML where it is TOML, `[a, b]` of bare words, else text.
pub fn value_of(text: &str) -> toml::Value {
    let parse = |text: &str| format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    if let Some(value) = parse(text) {
        return value;
    }
    match text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        Some(list) => {
            let items = list.split(',').map(str::trim).filter(|t| !t.is_empty());
            toml::Value::Array(items.map(|t| toml::Value::String(t.trim_matches('"').to_owned())).collect())
        }
        None => toml::Value::String(text.to_owned()),
    }
}
