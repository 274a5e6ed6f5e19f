//! Ctrl-C, SIGTERM and SIGHUP: the first asks the loop to save and stop, a later one stops the program at once.

use base::memory::of_process;
use base::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Signals that follow the first this closely are the same wish, delivered twice.
pub const SECOND_WISH: Duration = Duration::from_secs(1);

/// The exit code of a program that Ctrl-C has ended: 128 + SIGINT, as shells count.
pub const EXIT_INTERRUPT: i32 = 128 + SIGINT;

/// The exit code of a program that SIGTERM has ended: 128 + SIGTERM.
pub const EXIT_TERMINATE: i32 = 128 + SIGTERM;

/// The number of SIGHUP, where there is one.
const SIGHUP: i32 = 1;

/// The exit code of a program that SIGHUP has ended: 128 + SIGHUP.
pub const EXIT_HANGUP: i32 = 128 + SIGHUP;

/// Why the program was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C (SIGINT).
    Interrupt,
    /// SIGTERM, as sent by `kill`, Slurm and Kubernetes before the time is up.
    Terminate,
    /// SIGHUP: the terminal, or the connection to it, has gone.
    Hangup,
}

impl Signal {
    /// The exit code that tells the caller of this signal: [`EXIT_INTERRUPT`], [`EXIT_TERMINATE`] or [`EXIT_HANGUP`].
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => EXIT_INTERRUPT,
            Self::Terminate => EXIT_TERMINATE,
            Self::Hangup => EXIT_HANGUP,
        }
    }
}

/// Whether the program was asked to stop, to be looked at between two steps of work. Clones share the answer.
///
/// [`Interrupt::default`] listens to no signal and is what a library or a test passes.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    received: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens to Ctrl-C and SIGTERM from now on, and on Linux to SIGHUP unless it is ignored already, as under `nohup`. To be
    /// called once, at the start of the program.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let armed = Arc::new(AtomicBool::new(false));
        for signal in listened() {
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&armed))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&interrupt.received), signal as usize))
                .map_err(|e| Error::setting("signal handlers", e.to_string()))?;
        }
        // A shell and a supervisor may deliver one wish twice: only a signal that comes later ends the program at once.
        let received = Arc::clone(&interrupt.received);
        let watch = move || {
            while received.load(Ordering::SeqCst) == 0 {
                thread::sleep(Duration::from_millis(50));
            }
            thread::sleep(SECOND_WISH);
            armed.store(true, Ordering::SeqCst);
        };
        let started = thread::Builder::new().name("signals".into()).spawn(watch);
        started.map_err(|e| Error::setting("signal handlers", format!("cannot start a thread: {e}")))?;
        Ok(interrupt)
    }

    /// The signal that asked to stop, if one did.
    pub fn requested(&self) -> Option<Signal> {
        match self.received.load(Ordering::SeqCst) as i32 {
            SIGINT => Some(Signal::Interrupt),
            SIGTERM => Some(Signal::Terminate),
            SIGHUP => Some(Signal::Hangup),
            _ => None,
        }
    }

    /// Asks to stop from within, as `signal` would.
    pub fn request(&self, signal: Signal) {
        self.received.store((signal.exit_code() - 128) as usize, Ordering::SeqCst);
    }
}

/// The signals that are listened to. Whoever starts a program under `nohup` wants it to go on after its terminal has gone: where
/// that is not known, the system's own way with SIGHUP stays.
fn listened() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    let ignored = of_process("SigIgn:").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
    // Bit k of the mask stands for signal k + 1.
    if ignored.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 0) {
        signals.push(SIGHUP);
    }
    signals
}
