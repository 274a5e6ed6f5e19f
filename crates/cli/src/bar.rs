//! How far long work has come: a bar on a terminal, a line now and then elsewhere, nothing where the user wants quiet.

use crate::console::Console;
use crate::time;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lines come this far apart at first, and further apart once the work has turned out to be long.
const OFTEN: Duration = Duration::from_secs(10);
const SELDOM: Duration = Duration::from_mins(1);

/// The progress of some steps. Threads may share it.
pub(crate) struct Bar {
    console: Console,
    kind: Kind,
}

enum Kind {
    Hidden,
    /// With the steps that were done before.
    Drawn(ProgressBar, Arc<AtomicU64>),
    Lines(Mutex<Lines>),
}

impl Bar {
    /// Nothing to be seen.
    pub(crate) fn hidden(console: Console) -> Self {
        Self { console, kind: Kind::Hidden }
    }

    /// `steps` steps; `what` is what they are called.
    pub(crate) fn new(console: Console, steps: u64, what: &'static str) -> Self {
        let kind = if console.is_quiet() {
            Kind::Hidden
        } else if io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
            let before = Arc::new(AtomicU64::new(0));
            let known = Arc::clone(&before);
            let write_left = move |state: &ProgressState, line: &mut dyn Write| {
                let (before, steps) = (known.load(Ordering::Relaxed), state.len().unwrap_or_default());
                // What cannot be written is not seen, and nothing else.
                let _ = line.write_str(&left(state.elapsed(), before, state.pos(), steps));
            };
            let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}{left}");
            // The template is a constant; a mistake in it costs the style of a bar, not the work.
            let style = style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
                .with_key("left", write_left);
            bar.set_style(style);
            Kind::Drawn(bar.with_message(what), before)
        } else {
            Kind::Lines(Mutex::new(Lines::new(steps, what, Instant::now())))
        };
        Self { console, kind }
    }

    /// Work that was done before, which says nothing of the time that is left.
    pub(crate) fn begin_at(&self, done: u64) {
        match &self.kind {
            Kind::Hidden => {}
            Kind::Drawn(bar, before) => {
                before.store(done, Ordering::Relaxed);
                bar.set_position(done);
                bar.reset_elapsed();
            }
            Kind::Lines(lines) => lock(lines).begin_at(done),
        }
    }

    /// Steps that were done since the last call.
    pub(crate) fn inc(&self, steps: u64) {
        match &self.kind {
            Kind::Hidden => {}
            Kind::Drawn(bar, _) => bar.inc(steps),
            Kind::Lines(lines) => {
                let mut lines = lock(lines);
                let done = lines.done + steps;
                self.advance(&mut lines, done);
            }
        }
    }

    /// Steps that are done in all.
    pub(crate) fn set_position(&self, done: u64) {
        match &self.kind {
            Kind::Hidden => {}
            Kind::Drawn(bar, _) => bar.set_position(done),
            Kind::Lines(lines) => self.advance(&mut lock(lines), done),
        }
    }

    /// How it goes, in a few words.
    pub(crate) fn set_message(&self, message: String) {
        match &self.kind {
            Kind::Hidden => {}
            Kind::Drawn(bar, _) => bar.set_message(message),
            Kind::Lines(lines) => lock(lines).message = message,
        }
    }

    /// Something that is worth a line of its own at once; a bar has it in its message.
    pub(crate) fn tell(&self) {
        if let Kind::Lines(lines) = &self.kind {
            let mut lines = lock(lines);
            self.console.say(&lines.line(Instant::now()));
        }
    }

    /// A warning, above the bar.
    pub(crate) fn warn(&self, message: &str) {
        match &self.kind {
            Kind::Drawn(bar, _) => bar.suspend(|| self.console.warn(message)),
            Kind::Hidden | Kind::Lines(_) => self.console.warn(message),
        }
    }

    /// The work has ended.
    pub(crate) fn finish_and_clear(&self) {
        if let Kind::Drawn(bar, _) = &self.kind {
            bar.finish_and_clear();
        }
    }

    fn advance(&self, lines: &mut Lines, done: u64) {
        lines.done = done;
        let now = Instant::now();
        if lines.is_due(now) {
            self.console.say(&lines.line(now));
        }
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Progress without a terminal.
struct Lines {
    what: &'static str,
    message: String,
    steps: u64,
    done: u64,
    /// Steps that were done before, and since when others are.
    before: u64,
    begun: Instant,
    told: Instant,
}

impl Lines {
    fn new(steps: u64, what: &'static str, now: Instant) -> Self {
        Self { what, message: String::new(), steps, done: 0, before: 0, begun: now, told: now }
    }

    fn begin_at(&mut self, done: u64) {
        (self.done, self.before) = (done, done);
    }

    fn is_due(&self, now: Instant) -> bool {
        let apart = if now.duration_since(self.begun) > SELDOM { SELDOM } else { OFTEN };
        now.duration_since(self.told) >= apart
    }

    /// `generation 250/1000, 3 min left: hinge fitness 0.411 D 1.203`
    fn line(&mut self, now: Instant) -> String {
        self.told = now;
        let left = left(now.duration_since(self.begun), self.before, self.done, self.steps);
        let colon = if self.message.is_empty() { "" } else { ": " };
        format!("{} {}/{}{left}{colon}{}", self.what, self.done, self.steps, self.message)
    }
}

/// The time that is left, by the mean of all steps since the work began: a step that takes long does not shake it. Nothing before the
/// first step and after the last.
fn left(elapsed: Duration, before: u64, done: u64, steps: u64) -> String {
    let (made, left) = (done.saturating_sub(before), steps.saturating_sub(done));
    if made == 0 || left == 0 {
        return String::new();
    }
    format!(", {} left", time::said(elapsed.as_secs_f64() / made as f64 * left as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_now_and_then_and_tell_the_time_that_is_left() {
        let begun = Instant::now();
        let mut lines = Lines::new(1000, "generation", begun);
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert!(!lines.is_due(after(9)) && lines.is_due(after(10)));
        assert_eq!(lines.line(after(10)), "generation 0/1000");
        assert!(!lines.is_due(after(19)) && lines.is_due(after(20)));
        lines.done = 100;
        lines.message = "hinge".into();
        assert_eq!(lines.line(after(20)), "generation 100/1000, 3 min left: hinge");
        lines.line(after(60));
        assert!(!lines.is_due(after(119)) && lines.is_due(after(120)), "long work has longer breaks");
        lines.done = 1000;
        assert_eq!(lines.line(after(120)), "generation 1000/1000: hinge");
    }

    #[test]
    fn work_that_was_done_before_does_not_shorten_the_time() {
        let begun = Instant::now();
        let mut lines = Lines::new(1000, "step", begun);
        lines.begin_at(900);
        assert_eq!(lines.line(begun + Duration::from_secs(5)), "step 900/1000");
        lines.done = 910;
        assert_eq!(lines.line(begun + Duration::from_secs(10)), "step 910/1000, 90 s left");
    }
}
