//! What people write that cannot be read.

use crate::Error;
use std::fmt;

/// Why a text is not what it should be: the error of everything here that can be parsed.
///
/// Shown is the reason alone, because a command line says itself which argument is meant; as an [`Error`] it names the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    setting: &'static str,
    reason: String,
}

impl Malformed {
    /// What is wrong with a text that was to be this setting.
    pub fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self { setting, reason: reason.into() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Malformed {}

impl From<Malformed> for Error {
    fn from(Malformed { setting, reason }: Malformed) -> Self {
        Self::setting(setting, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_named_where_no_argument_was_typed() {
        let wrong = Malformed::new("seeds", "4..4 is empty");
        assert_eq!(wrong.to_string(), "4..4 is empty");
        assert_eq!(Error::from(wrong).to_string(), "seeds: 4..4 is empty");
    }
}
