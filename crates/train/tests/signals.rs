//! Signals end a process, so each case runs in a child: this test program itself, told by a variable what to do.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ganatomy_train::signals::{EXIT_HANGUP, EXIT_INTERRUPT, EXIT_TERMINATE, Interrupt, SECOND_WISH, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::raise;
use std::process::{Command, Stdio};
use std::time::Duration;

const CASE: &str = "TRAIN_SIGNALS_CASE";

/// Not a test by itself: what the children of the other tests do.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    let interrupt = Interrupt::install().unwrap();
    assert_eq!(interrupt.requested(), None);
    if case == "nohup" {
        raise(SIGHUP).unwrap();
        assert_eq!(interrupt.requested(), None);
        std::process::exit(7);
    }
    let (signal, expected) = match case.split(' ').next().unwrap() {
        "terminate" | "terminate," => (SIGTERM, Signal::Terminate),
        "hangup" => (SIGHUP, Signal::Hangup),
        _ => (SIGINT, Signal::Interrupt),
    };
    raise(signal).unwrap();
    assert_eq!(interrupt.clone().requested(), Some(expected));
    if case.ends_with("doubled") {
        raise(signal).unwrap();
    }
    if case.ends_with("later") {
        // The program waits until it is a wish of its own, with room for a busy machine.
        std::thread::sleep(SECOND_WISH + Duration::from_millis(700));
        raise(SIGINT).unwrap();
        std::process::exit(99);
    }
    std::process::exit(interrupt.requested().unwrap().exit_code());
}

fn exit_code_of(case: &str) -> Option<i32> {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["child", "--exact", "--nocapture"]).env(CASE, case).stdout(Stdio::null());
    child.status().unwrap().code()
}

#[test]
fn the_first_signal_lets_the_program_finish() {
    assert_eq!(exit_code_of("interrupt"), Some(130));
    assert_eq!(exit_code_of("terminate"), Some(143));
    assert_eq!((EXIT_INTERRUPT, EXIT_TERMINATE, EXIT_HANGUP), (130, 143, 129));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_goes_is_a_signal_like_others() {
    assert_eq!(exit_code_of("hangup"), Some(129));
}

/// Under `nohup` a program goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_already_stays_ignored() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" child --exact"]).arg(std::env::current_exe().unwrap());
    let ended = shell.env(CASE, "nohup").stdout(Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), Some(7));
}

#[test]
fn one_later_quits_at_once() {
    assert_eq!(exit_code_of("interrupt, again later"), Some(130));
    assert_eq!(exit_code_of("terminate, interrupt later"), Some(130));
}

#[test]
fn one_wish_delivered_twice_is_one_wish() {
    assert_eq!(exit_code_of("interrupt doubled"), Some(130));
    assert_eq!(exit_code_of("terminate doubled"), Some(143));
}

#[test]
fn a_request_from_within_looks_like_a_signal() {
    let interrupt = Interrupt::default();
    assert_eq!(interrupt.requested(), None);
    interrupt.request(Signal::Terminate);
    assert_eq!(interrupt.requested(), Some(Signal::Terminate));
}
