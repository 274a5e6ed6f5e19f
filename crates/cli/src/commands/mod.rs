//! The commands, a file each.

mod completions;
mod data;
mod inspect;
mod interpolate;
mod sample;

use crate::console::Console;
use anyhow::Result;
use std::process::ExitCode;

/// What the user wants done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Sample(sample::Sample),
    Interpolate(interpolate::Interpolate),
    Data(data::Data),
    Inspect(inspect::Inspect),
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        match self {
            Self::Sample(command) => command.run(console),
            Self::Interpolate(command) => command.run(console),
            Self::Data(command) => command.run(console),
            Self::Inspect(command) => command.run(console),
            Self::Completions(command) => command.run(),
        }
    }
}
