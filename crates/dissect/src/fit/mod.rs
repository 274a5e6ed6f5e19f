//! The first act: what is "on" for each unit, from images that are never counted.

mod file;
mod levels;
mod sketch;

pub(crate) use file::{parse, read, write};
pub(crate) use levels::fit;
pub use levels::{LayerFit, QUANTILES};
pub(crate) use sketch::MOST_BINS;
