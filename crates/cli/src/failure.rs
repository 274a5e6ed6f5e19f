//! How errors and bugs reach the user: one line `error: ...` and, where there is a cure, one line `hint: ...`.

use crate::words::Words;
use crate::{console, exit};
use std::error::Error;
use std::panic::{self, UnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the last panic said, and where.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs the program; a panic becomes an error line that asks for a report, and [`exit::BUG`].
///
/// The hook only takes notes, because a panic in a background thread may still be caught and handled.
pub(crate) fn catch_panics(program: impl FnOnce() -> ExitCode + UnwindSafe) -> ExitCode {
    panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("panic");
        let place = panic.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{what}{place}");
    }));
    panic::catch_unwind(program).unwrap_or_else(|_| {
        let note = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
        console::complain("error", &format!("internal error: {note}: this is a bug, please report it"));
        ExitCode::from(exit::BUG)
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

/// Prints an error with its hint, in the words of the command that was typed, and gives its exit code.
pub(crate) fn report(error: &anyhow::Error, words: &Words) -> ExitCode {
    let code = exit::of_error(error);
    if code != exit::DONE {
        console::complain("error", &message_of(error, words));
        if let Some(hint) = error.chain().find_map(hint_of) {
            console::complain("hint", &words.text(&hint));
        }
    }
    ExitCode::from(code)
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
    use std::io;

    #[test]
    fn a_panic_is_a_bug_with_its_own_code() {
        let code = catch_panics(|| panic!("on purpose"));
        drop(panic::take_hook());
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(exit::BUG)));
        assert!(PANIC.lock().unwrap().starts_with("on purpose (crates"), "{PANIC:?}");
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
