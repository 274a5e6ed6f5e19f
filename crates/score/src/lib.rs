//! Images to features to figures.
//!
//! - An [`Extractor`] is a feature network by name or file, with the node whose numbers are features, and the hash of its weights;
//! - [`Resize`] is the rule by which images come to its size;
//! - [`Pictures`] are images by number: a data set ([`ImageSet`]), or what a generator makes; of the latter [`Steps`] are pairs a little apart;
//! - [`gather`] brings them through the network in batches: statistics grow as images come, features are kept only where a figure needs them;
//! - [`Evaluation`] is the whole way: two [`Side`]s (images, features or statistics) to [`Record`]s that say all that a figure depends on;
//! - [`Cache`] keeps what was found of reference images, by the content of their files.
//!
//! A Fréchet distance is FID only with the features of the Inception network of 2015 at 50,000 images. So no figure here is called by a
//! bare name: [`title`] says the protocol, the features with their hash, and the number of images.
//!
//! ```
//! use base::watch::unwatched;
//! use ganatomy_score::{Evaluation, Extractor, ImageSet, Metric, Options, Resize, Side, title};
//!
//! let device = net::Device::cpu();
//! let extractor = Extractor::open("scenes", &device)?;
//! let scenes = |seed| {
//!     let set = data::open("scenes", &data::Options { seed, ..data::Options::default() })?;
//!     Ok::<_, base::Error>(Side::Images(ImageSet::new(set).all(Some(64))?.into()))
//! };
//! let evaluation = Evaluation {
//!     extractor: Some(&extractor),
//!     resize: Resize::default(),
//!     metrics: &[Metric::Fid, Metric::Prdc],
//!     options: Options::default(),
//!     cache: None,
//!     model: None,
//! };
//! let (one, other) = (scenes(1)?, scenes(2)?);
//! let found = unwatched(|watch| evaluation.run(one, Some(other), watch))?;
//! assert!(title(&found.records[0]).starts_with("fid_64 scenes:middle@"));
//! # Ok::<(), net::Error>(())
//! ```

mod cache;
mod content;
mod evaluation;
mod extractor;
mod figures;
mod gather;
mod image_set;
mod open;
mod resize;
mod side;
mod steps;

pub use cache::Cache;
pub use content::content_of;
pub use evaluation::{Evaluation, Found, append, title};
pub use extractor::{Extracted, Extractor, hash_of};
pub use figures::{Metric, Options};
pub use gather::{Gathered, Vectors, Wanted, gather};
pub use image_set::{ImageSet, Taken};
pub use metrics::record::{Choice, Extraction, Images, Record};
pub use metrics::rounding::Rounding;
pub use metrics::statistics::{Divisor, Made, Stored};
pub use net::{Error, Result};
pub use resize::Resize;
pub use side::{Pictures, Side, Sized, images_of};
pub use steps::Steps;
