//! The exit codes. Scripts rely on them.

use crate::console;
use std::process::ExitCode;

/// All went well; also when the reader of stdout went away.
pub(crate) const DONE: u8 = 0;
/// Something that the user can mend: a file, a setting, a full disk.
pub(crate) const MENDABLE: u8 = 1;
/// A wrong command line.
pub(crate) const USAGE: u8 = 2;
/// A training stopped because a value was no finite number any more.
pub(crate) const NON_FINITE: u8 = 3;
/// A bug in this program.
pub(crate) const BUG: u8 = 70;

/// What `--help` says of them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    an error that you can mend: a file, a setting, a full disk
  2    a wrong command line
  3    a training stopped on a value that is not finite (NaN or infinity)
  70   a bug in this program: please report it
  130  stopped by Ctrl-C
  143  stopped by SIGTERM

Environment:
  NO_COLOR           if set and not empty: no colours
  RAYON_NUM_THREADS  threads that compute, up to 1024 [default: the processor's]";

/// What clap has to say instead of arguments: help and version on stdout, or what is wrong on stderr.
pub(crate) fn of_clap(said: &clap::Error) -> ExitCode {
    // A closed pipe is the reader's choice; a wrong command line must end as one even if stderr is gone.
    drop(said.print());
    ExitCode::from(if said.use_stderr() { USAGE } else { DONE })
}

/// The code of an error.
pub(crate) fn of_error(error: &anyhow::Error) -> u8 {
    let non_finite = |cause: &(dyn std::error::Error + 'static)| {
        matches!(crate::failure::base_of(cause), Some(base::Error::NonFinite { .. }))
    };
    if error.is::<console::ReaderGone>() {
        DONE
    } else if error.chain().any(non_finite) {
        NON_FINITE
    } else {
        MENDABLE
    }
}

/// The code of work that was asked to end, by a signal if one came.
pub(crate) fn of_stop(signal: Option<train::signals::Signal>) -> ExitCode {
    signal.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(signal.exit_code() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::signals::{EXIT_INTERRUPT, EXIT_TERMINATE};

    #[test]
    fn help_lists_every_code() {
        let codes = [DONE, MENDABLE, USAGE, NON_FINITE, BUG].map(i32::from);
        for code in codes.into_iter().chain([EXIT_INTERRUPT, EXIT_TERMINATE]) {
            assert!(HELP.contains(&format!("\n  {code:<4} ")), "{code}");
        }
    }

    #[test]
    fn a_non_finite_value_has_its_own_code_also_inside_of_other_errors() {
        let inner = || base::Error::NonFinite { what: "d loss".into(), value: f64::NAN, generation: 3, hint: None };
        assert_eq!(of_error(&anyhow::Error::new(inner()).context("while training")), NON_FINITE);
        assert_eq!(of_error(&anyhow::Error::new(net::Error::File(inner()))), NON_FINITE);
        assert_eq!(of_error(&anyhow::Error::new(base::Error::setting("a", "b"))), MENDABLE);
        assert_eq!(of_error(&console::ReaderGone.into()), DONE);
    }
}
