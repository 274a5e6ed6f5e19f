//! What every other room stands on: the error with a hint, seed streams, atomic files and bounded reading, `.npy`, and
//! the programs' allocator.
//!
//! Nothing here knows of networks or images.

mod csv;
mod error;
pub mod files;
mod malformed;
pub mod memory;
pub mod npy;
pub mod seed;

pub use csv::csv_field;
pub use error::{Error, Result};
pub use malformed::Malformed;
