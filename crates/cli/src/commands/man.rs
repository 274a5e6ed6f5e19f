//! `ganatomy man DIR`

use crate::arguments::Arguments;
use crate::commands::settings;
use crate::console;
use crate::exit::{self, Code};
use anyhow::Result;
use base::{Error, files};
use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;
use serde::Serialize;
use std::path::PathBuf;

/// Write the manual pages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A page for each command, and ganatomy-keys.5 for the settings of trainings.

Examples:
  ganatomy man ~/.local/share/man/man1
  ganatomy man man && man ./man/ganatomy-evolve.1")]
pub(crate) struct Man {
    /// The folder; it is made where it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    pages: Vec<String>,
}

impl Man {
    pub(crate) fn run(self) -> Result<Code> {
        let mut pages = Vec::new();
        let mut program = Arguments::command().disable_help_subcommand(true);
        // Only a program that was built knows which flags all commands have.
        program.build();
        collect(&program, &[], &mut pages)?;
        pages.push(("ganatomy-keys.5".to_owned(), keys()?));
        files::create_folder(&self.folder)?;
        for (name, page) in &pages {
            files::write_atomic(self.folder.join(name), page)?;
        }
        let json = Json { pages: pages.into_iter().map(|(name, _)| name).collect() };
        console::result(&json, String::new)?;
        console::made(&self.folder)?;
        Ok(exit::DONE)
    }
}

/// The page of a command, and those of the commands in it: `ganatomy-segmenter-train.1`.
fn collect(command: &Command, above: &[String], pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let words = [above, &[command.get_name().to_owned()]].concat();
    let name = words.join("-");
    let page =
        Page::new(command.clone().name(name.clone()).bin_name(words.join(" ")).version(env!("CARGO_PKG_VERSION")));
    let mut bytes = Vec::new();
    page.render(&mut bytes).map_err(|error| Error::setting("man", error.to_string()))?;
    pages.push((format!("{name}.1"), bytes));
    command.get_subcommands().filter(|sub| sub.get_name() != "help").try_for_each(|sub| collect(sub, &words, pages))
}

/// The page of the settings of trainings.
fn keys() -> Result<Vec<u8>> {
    let about = "A setting is given with --set KEY=VALUE, or as a line of a file for --config. `ganatomy settings` prints this list, \
                 `ganatomy presets` where the presets differ.";
    let mut lines = vec![
        format!(".TH ganatomy-keys 5 \"\" \"ganatomy {}\"", env!("CARGO_PKG_VERSION")),
        ".SH NAME\nganatomy\\-keys \\- settings of trainings\n.SH DESCRIPTION".to_owned(),
        escaped(about),
    ];
    let mut command = "";
    for told in settings::all()? {
        if told.command != command {
            command = told.command;
            lines.push(format!(".SH {}", escaped(&command.to_uppercase())));
        }
        let start = |(preset, value): (&&str, &String)| {
            if preset.is_empty() { format!("start {value}") } else { format!("{preset} {value}") }
        };
        let starts: Vec<String> = told.starts.iter().map(start).collect();
        let said = [told.about.to_owned(), format!("Values: {}.", told.values), format!("{}.", starts.join("; "))];
        lines.push(format!(".TP\n\\fB{}\\fR", escaped(told.key)));
        lines.push(said.map(|line| escaped(&line)).join("\n.br\n"));
    }
    Ok((lines.join("\n") + "\n").into_bytes())
}

/// A text as roff shows it: no backslash, hyphen or dot in it means anything.
fn escaped(text: &str) -> String {
    let plain = text.replace('\\', "\\e").replace('-', "\\-");
    if plain.starts_with(['.', '\'']) { format!("\\&{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_only_texts() {
        assert_eq!(escaped(".SH a-b\\c"), "\\&.SH a\\-b\\ec");
        assert_eq!(escaped("'x"), "\\&'x");
    }

    #[test]
    fn every_key_is_on_the_page() {
        let page = String::from_utf8(keys().unwrap()).unwrap();
        for told in settings::all().unwrap() {
            assert!(page.contains(&format!("\\fB{}\\fR", escaped(told.key))), "{}", told.key);
        }
    }
}
