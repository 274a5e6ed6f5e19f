//! The third act: what the counts say, of one dissection and of several.

mod compare;
mod differences;
mod findings;

pub use compare::{ClassRow, Compared, Comparison, ImageDistance, LayerCount, LayerRow, image_distance};
pub use differences::Difference;
pub use findings::{ClassShare, Detected, Example, Findings, LayerFindings, Unit};
