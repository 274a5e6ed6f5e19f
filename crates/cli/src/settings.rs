//! Settings as they are typed: `--set KEY=VALUE`, with the shell's help.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use std::ffi::OsStr;
use train::RunSettings;
use train::settings::Key;

/// What is given to `--set`: any text is taken, because what is wrong with it is said with the settings at hand. Shells complete the keys, and words
/// that are values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting(&'static [Key]);

impl Setting {
    /// Of these settings.
    pub(crate) const fn of<S: RunSettings>() -> Self {
        Self(S::KEYS)
    }
}

impl TypedValueParser for Setting {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value);
        text.map_err(|_| clap::Error::new(ErrorKind::InvalidUtf8).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let of_key = |key: &'static Key| -> Vec<PossibleValue> {
            let words = key.values.words();
            let entries = match words {
                [] => vec![format!("{}=", key.name)],
                _ => words.iter().map(|word| format!("{}={word}", key.name)).collect(),
            };
            entries.into_iter().map(|entry| PossibleValue::new(entry).help(key.about)).collect()
        };
        Some(Box::new(self.0.iter().flat_map(of_key)))
    }
}
