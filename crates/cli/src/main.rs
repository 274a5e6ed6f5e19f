//! The `ganatomy` program: arguments, progress and printing around the library crates.

mod arguments;
mod commands;
mod console;
mod device;
mod exit;
mod failure;
mod output;
mod progress;
mod threads;
mod training;
mod version;
mod words;

use arguments::Arguments;
use console::Console;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new().or_else(failure::out_of_memory);

fn main() -> ExitCode {
    failure::catch_panics(|| {
        let (words, arguments) = match Arguments::typed() {
            Ok(typed) => typed,
            Err(asked) => return exit::of_clap(&asked),
        };
        let console = Console::new(arguments.quiet);
        threads::start(console);
        arguments.command.run(console).unwrap_or_else(|error| failure::report(&error, &words))
    })
}
