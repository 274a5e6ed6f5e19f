//! The one place that prints: results to stdout, everything else to stderr.

use crate::bar::Bar;
use crate::envelope;
use anyhow::Result;
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
        envelope::warn(message);
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

    /// Whether the user wants quiet.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// The progress of `steps` steps, each a `what`.
    pub(crate) fn bar(self, steps: u64, what: &'static str) -> Bar {
        Bar::new(self, steps, what)
    }
}

/// Prints a result for people, or keeps it for the answer to a program.
pub(crate) fn result(fields: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
    if envelope::is_wanted() { envelope::add(fields) } else { print(&text()) }
}

/// Says what was made, and where.
pub(crate) fn made(path: &Path) -> Result<()> {
    envelope::wrote(path);
    print(&format!("{}\n", path.display()))
}

/// Prints for people. Names in it may come from files: what would steer the terminal is written out.
pub(crate) fn print(text: &str) -> Result<()> {
    if envelope::is_wanted() {
        return Ok(());
    }
    let plain = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        _ => written_out(c),
    };
    to_stdout(&text.chars().map(plain).collect::<String>())
}

fn to_stdout(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(e) => Err(base::Error::io("write", Path::new("standard output"), e).into()),
    }
}

/// Prints a text that is JSON.
pub(crate) fn write_json(text: &str) -> Result<()> {
    to_stdout(&(json(text) + "\n"))
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

/// Several lines on stderr, as they are: they hold nothing but what was typed and what this program says.
pub(crate) fn write(text: &str) {
    drop(write!(io::stderr().lock(), "{text}"));
}

/// Whether stderr is a terminal that wants colours (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    io::stderr().is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// Names of files may hold anything; what would break the line or steer the terminal is written out.
pub(crate) fn one_line(message: &str) -> String {
    message.chars().map(written_out).collect()
}

/// A character, or what stands for it where it would steer the terminal or the direction of writing.
fn written_out(c: char) -> String {
    if base::is_deceptive(c) { c.escape_default().to_string() } else { c.to_string() }
}

/// JSON in which nothing steers the terminal: such characters occur inside of strings alone.
fn json(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        _ if base::is_deceptive(c) => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    };
    text.chars().map(plain).collect()
}

fn to_stderr(line: &str) {
    // There is nobody left to tell if stderr is gone.
    drop(writeln!(io::stderr().lock(), "{line}"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_stays_one_line_and_cannot_steer_the_terminal() {
        assert_eq!(super::one_line("a\nb\x1b[31m ü \u{202e}"), "a\\nb\\u{1b}[31m ü \\u{202e}");
        let text = serde_json::to_string("a\u{9b}31m \u{2066}ü\n").unwrap();
        assert_eq!(super::json(&text), r#""a\u009b31m \u2066ü\n""#);
        assert_eq!(serde_json::from_str::<String>(&super::json(&text)).unwrap(), "a\u{9b}31m \u{2066}ü\n");
    }
}
