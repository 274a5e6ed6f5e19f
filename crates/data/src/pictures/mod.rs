//! Files that people look at: PNGs, grids, animations, coloured label maps with legends, scatter plots, previews.
//!
//! The same input gives the same bytes.

mod encode;
mod grid;
mod labels;
mod preview;
mod rows;
mod scatter;
mod text;

pub use encode::{apng, gif, jpeg, labels_png, png, png_with_text, quick_png};
pub use grid::{from_batch, grid, stack, zoomed};
pub use labels::{legend, paint_labels};
pub use preview::{Labelled, labelled, preview};
pub use rows::rows;
pub use scatter::{Cloud, scatter};
pub use text::{LINE, text, text_width};

/// The ground on which pictures lie.
pub const GROUND: [u8; 3] = [24, 25, 30];
/// The colour of text on [`GROUND`].
pub const INK: [u8; 3] = [226, 228, 234];
