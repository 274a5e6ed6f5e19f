//! How errors and bugs reach the user: one line `error: ...` and, where there is a cure, one line `hint: ...`.

use crate::exit::Code;
use crate::words::Words;
use crate::{console, exit};
use clap::error::{ContextKind, ErrorKind};
use std::error::Error;
use std::panic::{self, UnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the program ended: its exit code, and what went wrong with its cure.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) code: Code,
    pub(crate) error: Option<String>,
    pub(crate) hint: Option<String>,
}

impl From<Code> for Ending {
    fn from(code: Code) -> Self {
        Self { code, ..Self::default() }
    }
}

impl Ending {
    /// Tells of an error on stderr.
    fn told(self) -> Self {
        for (word, text) in [("error", &self.error), ("hint", &self.hint)] {
            if let Some(text) = text {
                console::complain(word, text);
            }
        }
        self
    }
}

/// What the last panic said, and where.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs the program; a panic becomes an error line that asks for a report, and [`exit::BUG`].
///
/// The hook only takes notes, because a panic in a background thread may still be caught and handled.
pub(crate) fn catch_panics(program: impl FnOnce() -> Ending + UnwindSafe) -> Ending {
    panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("panic");
        let place = panic.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{what}{place}");
    }));
    panic::catch_unwind(program).unwrap_or_else(|_| {
        let note = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let error = Some(format!("internal error: {note}: this is a bug, please report it"));
        Ending { code: exit::BUG, error, hint: None }.told()
    })
}

/// Ends the program where the system has no memory left: in one line, and not by a signal.
///
/// Memory for what this says is left in nearly all cases, because what could not be had was large. Where it is not, this comes back
/// and the program ends as others do.
pub(crate) fn out_of_memory(wanted: usize) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        let wanted = base::memory::said(wanted as u64);
        console::complain("error", &format!("there is not enough memory: {wanted} more could not be had"));
        console::complain("hint", "Do less at once: a smaller batch, fewer images, or smaller networks.");
        std::process::exit(exit::MENDABLE.into());
    }
}

/// What clap has to say instead of arguments: help and version on stdout, or what is wrong on stderr.
pub(crate) fn of_clap(said: &clap::Error) -> Ending {
    if !said.use_stderr() {
        // A closed pipe is the reader's choice.
        drop(said.print());
        return Ending::from(exit::DONE);
    }
    let styled = said.render();
    console::write(&in_words(&if console::colours() { styled.ansi().to_string() } else { styled.to_string() }));
    data_by_flag(said).into_iter().for_each(|hint| console::complain("hint", &hint));
    let text = in_words(&styled.to_string());
    let mut parts = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let error = parts.next().map(|line| line.trim_start_matches("error: ").to_owned());
    let hint = parts.find_map(|part| part.strip_prefix("tip: ").map(str::to_owned)).or_else(|| data_by_flag(said));
    Ending { code: exit::USAGE, error, hint }
}

/// What clap says of numbers, as people say it.
fn in_words(text: &str) -> String {
    let mut text = text.to_owned();
    for (said, meant) in [
        ("invalid digit found in string", "it is a whole number"),
        ("cannot parse integer from empty string", "it is a whole number"),
        ("number too large to fit in target type", "it is too large"),
        ("number too small to fit in target type", "it is too small"),
        ("invalid float literal", "it is a number"),
    ] {
        text = text.replace(said, meant);
    }
    let Some((before, range)) = text.split_once(" is not in ") else { return text };
    let end = range.find(char::is_whitespace).unwrap_or(range.len());
    let (range, after) = range.split_at(end);
    match range.split_once("..=") {
        Some((least, most)) if !least.is_empty() => {
            format!("{before} is not a whole number from {least} to {most}{after}")
        }
        _ => text,
    }
}

/// The cure where data were named without their flag, as in `evolve scenes`.
fn data_by_flag(said: &clap::Error) -> Option<String> {
    let words = |kind| said.get(kind).map(ToString::to_string);
    let word = words(ContextKind::InvalidArg).filter(|_| said.kind() == ErrorKind::UnknownArgument)?;
    let takes_data =
        words(ContextKind::Usage)?.contains("evolve") || words(ContextKind::Usage)?.contains("segmenter train");
    (takes_data && !word.starts_with('-')).then(|| format!("Data are named by a flag: --data {word}."))
}

/// Prints an error with its hint, in the words of the command that was typed.
pub(crate) fn report(error: &anyhow::Error, words: &Words) -> Ending {
    let code = exit::of_error(error, words);
    if code == exit::DONE {
        return Ending::from(code);
    }
    let hint = error.chain().find_map(hint_of).map(|hint| words.text(&hint));
    Ending { code, error: Some(message_of(error, words)), hint }.told()
}

/// The whole chain in one line, without the causes that a message already names.
fn message_of(error: &anyhow::Error, words: &Words) -> String {
    let mut message = String::new();
    for cause in error.chain().map(|cause| said(cause, words)) {
        if message.is_empty() {
            message = cause;
        } else if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message
}

/// One error in the words of the command line.
fn said(cause: &(dyn Error + 'static), words: &Words) -> String {
    match base_of(cause) {
        Some(base::Error::Setting { key, reason, .. }) => format!("{}: {reason}", words.key(key)),
        _ => cause.to_string(),
    }
}

/// What is behind an error about a file or setting.
pub(crate) fn base_of<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a base::Error> {
    cause.downcast_ref().or_else(|| match cause.downcast_ref() {
        Some(net::Error::File(base)) => Some(base),
        _ => None,
    })
}

fn hint_of(cause: &(dyn Error + 'static)) -> Option<String> {
    let base = cause.downcast_ref::<base::Error>().and_then(base::Error::hint);
    base.or_else(|| cause.downcast_ref::<net::Error>().and_then(net::Error::hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::io;

    #[test]
    fn a_panic_is_a_bug_with_its_own_code() {
        let ending = catch_panics(|| panic!("on purpose"));
        drop(panic::take_hook());
        assert_eq!(ending.code, exit::BUG);
        assert!(ending.error.unwrap().contains("on purpose (crates"));
        assert!(PANIC.lock().unwrap().starts_with("on purpose (crates"), "{PANIC:?}");
    }

    #[test]
    fn a_wrong_command_line_is_told_without_its_usage() {
        let said = crate::arguments::Arguments::command().try_get_matches_from(["ganatomy", "sampel"]).unwrap_err();
        let Ending { code, error, hint } = of_clap(&said);
        assert_eq!((code, error.unwrap().as_str()), (exit::USAGE, "unrecognized subcommand 'sampel'"));
        assert_eq!(hint.unwrap(), "a similar subcommand exists: 'sample'");
    }

    #[test]
    fn numbers_are_spoken_of_in_words() {
        for (said, meant) in [
            (
                "error: invalid value '0': 0 is not in 1..=64\n\nFor more",
                "error: invalid value '0': 0 is not a whole number from 1 to 64\n\nFor more",
            ),
            ("'x': invalid digit found in string", "'x': it is a whole number"),
            ("a file that is not in there", "a file that is not in there"),
        ] {
            assert_eq!(in_words(said), meant);
        }
    }

    #[test]
    fn a_cause_is_named_once() {
        let words = Words::default();
        let inner = || base::Error::io("read", "a.png", io::Error::from(io::ErrorKind::NotFound));
        let bare = inner().to_string();
        assert_eq!(message_of(&inner().into(), &words), bare);
        assert_eq!(message_of(&anyhow::Error::new(net::Error::File(inner())), &words), bare);
        assert_eq!(message_of(&anyhow::Error::new(inner()).context("--data"), &words), format!("--data: {bare}"));
    }

    #[test]
    fn a_hint_is_found_through_the_chain() {
        let inner = || base::Error::setting("steps", "is 1").with_hint("Take 2.");
        for error in [anyhow::Error::new(inner()).context("x"), anyhow::Error::new(net::Error::File(inner()))] {
            assert_eq!(error.chain().find_map(hint_of).unwrap(), "Take 2.");
        }
    }
}
