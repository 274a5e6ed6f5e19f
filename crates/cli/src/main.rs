//! The `ganatomy` program: arguments, progress and printing around the library crates.

mod arguments;
mod bar;
mod commands;
mod conditions;
mod console;
mod device;
mod envelope;
mod exit;
mod failure;
mod output;
mod progress;
mod settings;
mod threads;
mod time;
mod training;
mod version;
mod words;

use arguments::Arguments;
use console::Console;
use failure::Ending;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new().or_else(failure::out_of_memory);

fn main() -> ExitCode {
    let ending = failure::catch_panics(|| {
        let (words, arguments) = match Arguments::typed() {
            Ok(typed) => typed,
            Err(said) => return failure::of_clap(&said),
        };
        let console = Console::new(arguments.quiet);
        threads::start(console, !arguments.command.waits());
        arguments.command.run(console).map_or_else(|error| failure::report(&error, &words), Ending::from)
    });
    // A reader that has gone wants no answer.
    drop(envelope::finish(&ending));
    ExitCode::from(ending.code)
}
