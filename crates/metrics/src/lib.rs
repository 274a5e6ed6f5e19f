//! Pure functions from samples and scores to figures, in `f64`.
//!
//! Nothing here reads a file, runs a network or prints. What cannot be computed (no samples, one sample where two are
//! needed, NaN going in) is NaN, never a flattering number.
//!
//! ```
//! use ganatomy_metrics::{mmd, overlap::Overlap, summary};
//!
//! // Two sets of points from one square, and one from beside it.
//! let square = |shift: f64| (0..64).map(|i| [f64::from(i % 8) / 8.0 + shift, f64::from(i / 8) / 8.0]).collect::<Vec<_>>();
//! let (near, far) = (mmd::squared(&square(0.0), &square(0.05)), mmd::squared(&square(0.0), &square(1.0)));
//! assert!(near.biased < 0.05 && far.biased > 0.5);
//!
//! // A unit that is on in 30 of 100 pixels, 20 of them among the 40 of a class.
//! assert_eq!(Overlap { both: 20, unit: 30, label: 40, total: 100 }.iou(), 0.4);
//!
//! assert!(summary::median(&[]).is_nan());
//! ```

pub mod discovery;
pub mod mmd;
pub mod modes;
pub mod nearest;
pub mod overlap;
pub mod summary;
pub mod swd;
