//! What is wrong with the value of a setting, in words: which values there are, rather than which Rust type was expected.

use base::{Error, Result};

/// The largest whole number that a TOML file holds.
pub(crate) const MOST: u64 = i64::MAX as u64;

/// Serde's message about the value `given`, in words. `most` is the end of the range from 1 of a setting that counts.
pub(crate) fn in_words(message: &str, given: Option<&toml::Value>, most: Option<u64>) -> String {
    let message = message.replace('\n', " ");
    if let Some(rest) = message.strip_prefix("unknown variant `")
        && let Some((word, choices)) = rest.split_once("`, expected ")
    {
        let choices = choices.trim_start_matches("one of ").replace('`', "").replace(" or ", ", ");
        return format!("{word:?} is none of {choices}");
    }
    let Some(given) = given else { return message };
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let kind = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => most.map_or_else(|| range(0, MOST), |most| range(1, most)),
        "f32" | "f64" | "a floating point number" => "a number".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "a sequence" => "a list such as [a, b]".to_owned(),
        "a string" | "a string only" | "string only" => "a word".to_owned(),
        _ => return message,
    };
    format!("{} is not {kind}", shown(given))
}

/// A value as people type it: digits that were too many for a number are not in quotes.
fn shown(value: &toml::Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.to_owned(),
        _ => value.to_string(),
    }
}

fn range(least: u64, most: u64) -> String {
    format!("a whole number from {least} to {most}")
}

/// A count that a setting holds must be from 1 to `most`.
///
/// # Errors
/// It is not.
pub fn check_count(key: &str, value: u64, most: u64) -> Result<()> {
    check_whole(key, value, 1, most)
}

/// The seed of a run: a file must be able to hold it.
///
/// # Errors
/// It is above 2^63 - 1.
pub fn check_seed(key: &str, value: u64) -> Result<()> {
    check_whole(key, value, 0, MOST)
}

fn check_whole(key: &str, value: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::setting(key, format!("{value} is not {}", range(least, most))))
}

/// A number that a setting holds, such as a learning rate, must be positive and finite.
///
/// # Errors
/// It is not.
pub fn check_positive(key: &str, value: f64) -> Result<()> {
    check_number(key, value, value > 0.0 && value.is_finite(), "a positive number")
}

/// A number that a setting holds must fit; `what` says in words which do.
///
/// # Errors
/// It does not.
pub fn check_number(key: &str, value: f64, fits: bool, what: &str) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::setting(key, format!("{value} is not {what}"))) }
}
