//! The second act: where units are on and what is there, as integers that add up.

mod merge;
mod pass;
mod tally;

pub use merge::merge;
pub(crate) use pass::Counter;
pub use tally::{BLOCKS, GROUP, LayerTally, ROTATIONS, Tally, Top};
