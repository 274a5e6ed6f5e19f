//! How a run begins and ends.

use crate::signals::Signal;
use std::path::PathBuf;

/// How a run begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// From nothing.
    New,
    /// From a checkpoint; the newer ones in the list were passed over.
    Resumed {
        /// The generation (or step) of the checkpoint.
        generation: u64,
        /// Corrupt checkpoints, with what is wrong.
        rejected: Vec<(PathBuf, String)>,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Finished,
    /// Interrupted; everything is saved.
    Interrupted(Signal),
}

/// What becomes of settings or data that are not those with which a run's checkpoint was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The run does not go on.
    Refused,
    /// It goes on with them, and is another run from there on.
    Allowed,
}
