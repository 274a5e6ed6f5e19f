//! What every other room stands on: the error with a hint, seed streams, atomic files and bounded reading, and `.npy`.
//!
//! Nothing here knows of networks or images.

mod error;
pub mod files;
pub mod npy;
pub mod seed;

pub use error::{Error, Result};
