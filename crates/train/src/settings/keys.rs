//! The settings of a kind of run, one by one: what each is for, and which values it takes.

use crate::wrong_value::{MOST, range};
use base::{Error, Result};
use std::fmt;

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Its name: `batch`, `image.size`.
    pub name: &'static str,
    /// The values that it takes.
    pub values: Values,
    /// What it is for, in one line.
    pub about: &'static str,
}

impl Key {
    /// A setting.
    pub const fn new(name: &'static str, values: Values, about: &'static str) -> Self {
        Self { name, values, about }
    }
}

/// The values that a setting takes. As text it is what people read in messages and tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers from the first to the last.
    Whole(u64, u64),
    /// Some whole numbers; the text says what they mean.
    Some(&'static [u64], &'static str),
    /// Positive numbers.
    Positive,
    /// Numbers of at least 0.
    NotNegative,
    /// Numbers of at least 0 and below 1.
    BelowOne,
    /// Numbers from 0 to 1.
    Share,
    /// `true` or `false`.
    Switch,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// A list of some words.
    SomeOf(&'static [&'static str]),
    /// Anything; the text says what.
    Free(&'static str),
}

impl Values {
    /// Whole numbers from 1 to the largest.
    pub const fn count(most: u64) -> Self {
        Self::Whole(1, most)
    }

    /// Any seed that a file can hold.
    pub const SEED: Self = Self::Whole(0, MOST);
    /// How many steps lie between two of a kind.
    pub const EVERY: Self = Self::Whole(0, MOST);

    /// Whether a value of a file is among them. Kinds of values are checked before.
    fn hold(self, value: &toml::Value) -> bool {
        let whole = || value.as_integer().and_then(|value| u64::try_from(value).ok());
        let number = || value.as_float().or_else(|| value.as_integer().map(|value| value as f64));
        match self {
            Self::Whole(least, most) => whole().is_none_or(|value| (least..=most).contains(&value)),
            Self::Some(some, _) => whole().is_none_or(|value| some.contains(&value)),
            Self::Positive => number().is_none_or(|value| value > 0.0 && value.is_finite()),
            Self::NotNegative => number().is_none_or(|value| value >= 0.0 && value.is_finite()),
            Self::BelowOne => number().is_none_or(|value| (0.0..1.0).contains(&value)),
            Self::Share => number().is_none_or(|value| (0.0..=1.0).contains(&value)),
            Self::OneOf(words) => value.as_str().is_none_or(|word| words.contains(&word)),
            Self::Switch | Self::SomeOf(_) | Self::Free(_) => true,
        }
    }

    /// Whether a value is among them.
    ///
    /// # Errors
    /// It is not; which are.
    pub(super) fn check(self, key: &str, value: &toml::Value) -> Result<()> {
        if self.hold(value) {
            return Ok(());
        }
        let none = if matches!(self, Self::OneOf(_)) { "is none of" } else { "is not" };
        // A whole number may stand for a float.
        let shown = value.as_float().map_or_else(|| value.to_string(), |value| value.to_string());
        Err(Error::setting(key, format!("{shown} {none} {}", self.in_full())))
    }

    /// As text, with the end of every range.
    pub(crate) fn in_full(self) -> String {
        match self {
            Self::Whole(least, most) => range(least, most),
            other => other.to_string(),
        }
    }

    /// Words that are values, or parts of them.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(words) | Self::SomeOf(words) => words,
            Self::Switch => &["true", "false"],
            _ => &[],
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(least, MOST) => write!(f, "a whole number from {least}"),
            Self::Whole(least, most) => f.write_str(&range(least, most)),
            Self::Some(some, meaning) => {
                let some: Vec<String> = some.iter().map(ToString::to_string).collect();
                write!(f, "{} ({meaning})", some.join(", "))
            }
            Self::Positive => f.write_str("a positive number"),
            Self::NotNegative => f.write_str("a number of at least 0"),
            Self::BelowOne => f.write_str("a number of at least 0 and below 1"),
            Self::Share => f.write_str("a number from 0 to 1"),
            Self::Switch => f.write_str("true or false"),
            Self::OneOf(words) => f.write_str(&words.join(", ")),
            Self::SomeOf(words) => write!(f, "a list of {}", words.join(", ")),
            Self::Free(what) => f.write_str(what),
        }
    }
}
