//! Pure functions from samples and scores to figures, in `f64`.
//!
//! Nothing here reads a file, runs a network or prints. What cannot be computed (no samples, one sample where two are
//! needed, NaN going in) is NaN, never a flattering number.

pub mod discovery;
pub mod mmd;
pub mod modes;
pub mod nearest;
pub mod overlap;
pub mod summary;
pub mod swd;
