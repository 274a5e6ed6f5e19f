//! The `ganatomy` program: arguments, progress and printing around the library crates.

mod arguments;
mod bar;
mod commands;
mod console;
mod device;
mod envelope;
mod exit;
mod failure;
mod output;
mod progress;
mod training;
mod version;
mod words;

use arguments::Arguments;
use console::Console;
use failure::Ending;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: base::memory::Keep = base::memory::Keep::new();

fn main() -> ExitCode {
    let ending = failure::catch_panics(|| {
        let (words, arguments) = match Arguments::typed() {
            Ok(typed) => typed,
            Err(said) => return failure::of_clap(&said),
        };
        // This thread computes with the others: nothing has to be handed over to them and back. Where the system gives no threads, work
        // is done by those that there are.
        drop(rayon::ThreadPoolBuilder::new().use_current_thread().build_global());
        let console = Console::new(arguments.quiet);
        arguments.command.run(console).map_or_else(|error| failure::report(&error, &words), Ending::from)
    });
    // A reader that has gone wants no answer.
    drop(envelope::finish(&ending));
    ExitCode::from(ending.code)
}
