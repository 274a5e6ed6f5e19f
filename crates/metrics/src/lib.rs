//! Pure functions from samples, features and scores to figures, in `f64`.
//!
//! Nothing here runs a network or prints, and no file but [`statistics`] is read. What cannot be computed (no samples, one sample where
//! two are needed, NaN going in) is NaN, never a flattering number; figures of features, which people ask for by name, say so as an error.
//!
//! Figures of features ([`fid`], [`infinity`], [`kid`], [`mind`], [`inception_score`], [`neighbourhood`], [`path_length`]) are functions of
//! [`features::Features`], whatever network they come from. Programs of this field differ in at least one constant for each of them, so
//! every choice is a field of its options, and the options are part of the result: a number is never without its recipe, and [`record`]
//! says whether two may be compared. What is generated and what is real are types, which cannot change places.
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
//!
//! // Features of four real and four generated images, two numbers each.
//! use ganatomy_metrics::features::{Features, Generated, Real};
//! use ganatomy_metrics::neighbourhood::{Options, neighbourhoods};
//! let real = Features::new("real features", &[0.0f32, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2)?;
//! let made = Features::new("generated features", &[0.5f32, 0.5, 0.5, 0.6, 9.0, 9.0, 9.5, 9.0], 2)?;
//! let found = neighbourhoods(Generated(made), Real(real), Options { k: 2, ..Options::default() })?;
//! assert_eq!((found.precision, found.coverage), (0.5, 1.0));
//! # Ok::<(), base::Error>(())
//! ```

pub mod defaults;
pub mod discovery;
pub mod features;
pub mod fid;
pub mod inception_score;
pub mod infinity;
pub mod kid;
mod linear;
pub mod mind;
pub mod mmd;
pub mod modes;
pub mod moments;
pub mod nearest;
pub mod neighbourhood;
pub mod overlap;
pub mod path_length;
pub mod record;
pub mod rounding;
pub mod statistics;
pub mod summary;
pub mod swd;
