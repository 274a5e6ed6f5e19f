//! The command line: what can be typed.

use crate::commands::Command;
use crate::words::{self, Words};
use crate::{envelope, exit, version};
use clap::{CommandFactory, FromArgMatches, Parser};
use data::Size;

/// Evolve GANs, open them up, edit what they know.
///
/// Results go to stdout, progress and messages to stderr. MODEL is the name of a model that comes with the program
/// (scenes), a model file (.safetensors), a run folder (its best checkpoint by score, else its newest), or one checkpoint
/// of a run. Ranges are half-open: 0..16 is 0 to 15.
#[derive(Debug, Parser)]
#[command(name = "ganatomy", version, long_version = version::long())]
#[command(max_term_width = 100, arg_required_else_help = true)]
#[command(infer_long_args = false, after_long_help = exit::HELP)]
pub(crate) struct Arguments {
    /// Show no progress and no messages; warnings and errors stay
    #[arg(short, long, global = true, display_order = 100)]
    pub(crate) quiet: bool,

    /// Print one JSON object, errors too (docs/json.md)
    #[arg(long, global = true, display_order = 100)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Reads the size of a picture whose sides can be.
pub(crate) fn size(text: &str) -> Result<Size, String> {
    let size: Size = text.parse().map_err(|e: base::Malformed| e.to_string())?;
    let possible = 1..=data::MAX_SIDE;
    if possible.contains(&size.width) && possible.contains(&size.height) {
        Ok(size)
    } else {
        Err(format!("{size} has a side that is not from 1 to {}", data::MAX_SIDE))
    }
}

impl Arguments {
    /// What was typed, and the words in which errors speak of it.
    pub(crate) fn typed() -> clap::error::Result<(Words, Self)> {
        let mut program = Self::command();
        if std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json") {
            envelope::begin(&words::command_in(&program, std::env::args().skip(1)));
        }
        let typed = program.clone().try_get_matches()?;
        let arguments = Self::from_arg_matches(&typed).map_err(|error| error.format(&mut program))?;
        Ok((Words::of(&Self::command(), &typed), arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
