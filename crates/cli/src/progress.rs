//! Long work in stages, on the terminal, until it is done or the user wants it to end.

use crate::bar::Bar;
use crate::console::Console;
use anyhow::Result;
use dissect::Watch;
use train::signals::{Interrupt, Signal};

/// Shows the progress of each stage and listens for signals.
pub(crate) struct Progress {
    console: Console,
    bar: Bar,
    interrupt: Interrupt,
}

impl Progress {
    pub(crate) fn new(console: Console) -> Result<Self> {
        Ok(Self { console, bar: Bar::hidden(console), interrupt: Interrupt::install()? })
    }

    /// Takes the bar away; the signal that came, if one did.
    pub(crate) fn finish(self) -> Option<Signal> {
        self.bar.finish_and_clear();
        self.interrupt.requested()
    }
}

impl Watch for Progress {
    fn stage(&mut self, what: &'static str, steps: u64) {
        self.bar.finish_and_clear();
        self.bar = self.console.bar(steps, what);
    }

    fn step(&mut self, steps: u64) {
        self.bar.inc(steps);
    }

    fn stop(&self) -> bool {
        self.interrupt.requested().is_some()
    }
}
