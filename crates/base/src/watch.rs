//! How long work tells what it is at.

/// Somebody who watches long work and may end it.
pub trait Watch {
    /// A new stage of this many steps begins.
    fn stage(&mut self, what: &'static str, steps: u64);

    /// Some steps of the stage are done.
    fn step(&mut self, steps: u64);

    /// Whether the work should end at the next point where nothing is lost.
    fn stop(&self) -> bool {
        false
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn stage(&mut self, _: &'static str, _: u64) {}
    fn step(&mut self, _: u64) {}
}

/// Does long work that nobody watches, and so nobody ends: `unwatched(|watch| work(watch))`.
///
/// # Errors
/// Those of the work.
pub fn unwatched<T, E>(work: impl FnOnce(&mut dyn Watch) -> Result<Option<T>, E>) -> Result<T, E> {
    match work(&mut Unwatched)? {
        Some(done) => Ok(done),
        None => unreachable!("nobody asks this work to end"),
    }
}
