//! The showing: charts, pictures and tables of what was found. Nothing here computes anything anew.

pub mod charts;
pub(crate) mod pictures;
pub(crate) mod seen;
pub(crate) mod tables;

pub use pictures::{PICTURE_GAP, SAMPLES, comparison_sheet, difference, unit_picture};
