//! The exit codes. Scripts rely on them.

use crate::console;
use crate::words::Words;

/// An exit code.
pub(crate) type Code = u8;

/// All went well; also when the reader of stdout went away.
pub(crate) const DONE: Code = 0;
/// Something that the user can mend: a file, a setting, a full disk.
pub(crate) const MENDABLE: Code = 1;
/// A wrong command line: an unknown flag or command, or a value that cannot be used where it was typed.
pub(crate) const USAGE: Code = 2;
/// A training stopped because a value was no finite number any more.
pub(crate) const NON_FINITE: Code = 3;
/// A bug in this program.
pub(crate) const BUG: Code = 70;

/// What `--help` says of them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    an error that you can mend: a file, a setting, a full disk
  2    a wrong command line: a flag, or what was typed for one, cannot be used
  3    a training stopped on a value that is not finite (NaN or infinity)
  70   a bug in this program: please report it
  129  stopped by SIGHUP: its terminal has gone
  130  stopped by Ctrl-C
  143  stopped by SIGTERM

Environment:
  NO_COLOR           if set and not empty: no colours
  RAYON_NUM_THREADS  threads that compute, up to 1024 [default: the processor's]";

/// The code of an error of the command that was typed.
pub(crate) fn of_error(error: &anyhow::Error, words: &Words) -> Code {
    let typed = |cause: &(dyn std::error::Error + 'static)| matches!(crate::failure::base_of(cause), Some(base::Error::Setting { key, .. }) if words.was_typed(key));
    let non_finite = |cause: &(dyn std::error::Error + 'static)| {
        matches!(crate::failure::base_of(cause), Some(base::Error::NonFinite { .. }))
    };
    if error.is::<console::ReaderGone>() {
        DONE
    } else if error.chain().any(non_finite) {
        NON_FINITE
    } else if error.chain().any(typed) {
        USAGE
    } else {
        MENDABLE
    }
}

/// The code of work that was asked to end, by a signal if one came.
pub(crate) fn of_stop(signal: Option<train::signals::Signal>) -> Code {
    signal.map_or(DONE, |signal| signal.exit_code() as Code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::signals::{EXIT_HANGUP, EXIT_INTERRUPT, EXIT_TERMINATE};

    #[test]
    fn help_lists_every_code() {
        let codes = [DONE, MENDABLE, USAGE, NON_FINITE, BUG].map(i32::from);
        for code in codes.into_iter().chain([EXIT_HANGUP, EXIT_INTERRUPT, EXIT_TERMINATE]) {
            assert!(HELP.contains(&format!("\n  {code:<4} ")), "{code}");
        }
    }

    #[test]
    fn a_non_finite_value_has_its_own_code_also_inside_of_other_errors() {
        let of_error = |error: &anyhow::Error| of_error(error, &Words::default());
        let inner = || base::Error::NonFinite { what: "d loss".into(), value: f64::NAN, generation: 3, hint: None };
        assert_eq!(of_error(&anyhow::Error::new(inner()).context("while training")), NON_FINITE);
        assert_eq!(of_error(&anyhow::Error::new(net::Error::File(inner()))), NON_FINITE);
        assert_eq!(of_error(&anyhow::Error::new(base::Error::setting("a", "b"))), MENDABLE);
        assert_eq!(of_error(&console::ReaderGone.into()), DONE);
    }
}
