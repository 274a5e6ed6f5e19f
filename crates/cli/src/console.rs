//! The one place that prints: results to stdout, everything else to stderr.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

/// The reader of stdout has closed it: nothing more to do, and no error (`ganatomy inspect m | head`).
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl std::fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the reader of the standard output has gone")
    }
}

impl std::error::Error for ReaderGone {}

/// How much the user wants to hear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Something that went otherwise than the user may think.
    #[expect(clippy::unused_self, reason = "warnings are part of the same conversation, and are never silenced")]
    pub(crate) fn warn(self, message: &str) {
        complain("warning", message);
    }

    /// A line of information, unless the user wants quiet.
    pub(crate) fn say(self, message: &str) {
        if !self.quiet {
            to_stderr(&one_line(message));
        }
    }

    /// What was decided on the way to a model.
    pub(crate) fn note(self, note: &models::Note) {
        if note.is_warning() {
            self.warn(&note.to_string());
        } else {
            self.say(&note.to_string());
        }
    }

    /// What a data set has to say of itself: what was left out and why, and what was met in the images that were read.
    pub(crate) fn notices(self, set: &data::Dataset) {
        for notice in set.notices() {
            let line = format!("{}: {notice}", set.name());
            if notice.matter.is_warning() { self.warn(&line) } else { self.say(&line) }
        }
    }

    /// A bar for `steps` steps; none where stderr is not a terminal or the user wants quiet.
    pub(crate) fn bar(self, steps: u64, what: &'static str) -> ProgressBar {
        if self.quiet || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}, {eta} left");
        // The template is a constant; a mistake in it costs the style of a bar, not the work.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.with_message(what)
    }
}

/// Prints a result.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(e) => Err(base::Error::io("write", Path::new("standard output"), e).into()),
    }
}

/// Prints a result for machines.
pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// One line on stderr: `error: ...`, `hint: ...` or `warning: ...`.
pub(crate) fn complain(word: &str, message: &str) {
    let colour = match word {
        "error" => "31",
        "warning" => "33",
        _ => "36",
    };
    let message = one_line(message);
    if colours() {
        to_stderr(&format!("\x1b[1;{colour}m{word}:\x1b[0m {message}"));
    } else {
        to_stderr(&format!("{word}: {message}"));
    }
}

/// Whether stderr is a terminal that wants colours (<https://no-color.org>).
fn colours() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    io::stderr().is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// Names of files may hold anything; what would break the line or steer the terminal is written out.
fn one_line(message: &str) -> String {
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    message.chars().map(plain).collect()
}

fn to_stderr(line: &str) {
    // There is nobody left to tell if stderr is gone.
    drop(writeln!(io::stderr().lock(), "{line}"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_stays_one_line_and_cannot_steer_the_terminal() {
        assert_eq!(super::one_line("a\nb\x1b[31m ü"), "a\\nb\\u{1b}[31m ü");
    }
}
