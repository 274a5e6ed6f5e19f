//! What is wrong with the value of a setting, in words: which values there are, rather than which Rust type was expected.

use crate::settings::Values;

/// The largest whole number that a TOML file holds.
pub(crate) const MOST: u64 = i64::MAX as u64;

/// Serde's message about the value `given` of a setting that takes `values`, in words.
pub(crate) fn in_words(message: &str, given: Option<&toml::Value>, values: Option<Values>) -> String {
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
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => match values {
            Some(values @ (Values::Whole(..) | Values::Some(..))) => values.in_full(),
            _ => range(0, MOST),
        },
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

pub(crate) fn range(least: u64, most: u64) -> String {
    format!("a whole number from {least} to {most}")
}
