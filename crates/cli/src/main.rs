//! The `ganatomy` program: arguments, progress and printing around the library crates.

mod arguments;
mod commands;
mod console;
mod device;
mod dissection;
mod exit;
mod failure;
mod generator;
mod latents;
mod model;
mod output;
mod progress;
mod real;
mod seeds;
mod training;
mod version;

use arguments::Arguments;
use clap::Parser;
use console::Console;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new();

fn main() -> ExitCode {
    failure::catch_panics(|| {
        let arguments = match Arguments::try_parse() {
            Ok(arguments) => arguments,
            Err(asked) => return exit::of_clap(&asked),
        };
        let console = Console::new(arguments.quiet);
        arguments.command.run(console).unwrap_or_else(|error| failure::report(&error))
    })
}
