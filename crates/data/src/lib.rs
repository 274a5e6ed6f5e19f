//! Images, labels and procedural worlds; files and loaders.
//!
//! [`open`] turns one word of the user's, a built-in name or a path, into a [`Dataset`]: images of one shape (or points
//! of the plane), with classes and label maps where there are any. A [`Loader`] delivers it in batches, shuffled and
//! prefetched, in an order that depends on the seed alone. [`pictures`] makes files that people look at.
//!
//! ```
//! use ganatomy_data::{Loader, LoaderOptions, Options, Size, open};
//!
//! let size = Size { width: 80, height: 48 };
//! let scenes = open("scenes", &Options { size: Some(size), ..Options::default() })?;
//! let mut loader = Loader::new(scenes.into(), LoaderOptions::default())?;
//! assert_eq!(loader.next_batch(4)?.shape, [4, 3, 48, 80]);
//! # Ok::<(), base::Error>(())
//! ```

mod arrays;
mod by_class;
mod cifar;
mod classes;
mod dataset;
mod decode;
mod fingerprint;
mod idx;
mod image;
mod image_files;
mod jpeg;
mod loader;
mod notice;
mod numpy;
mod open;
mod order;
pub mod pictures;
mod profile;
mod resize;
pub mod scenes;
mod segmented;
mod size;
mod source;
mod store;
pub mod toys;

pub use crate::by_class::Classes;
pub use crate::image::{Class, Image, LabelMap, MAX_BYTES, MAX_SIDE, Plane, byte_of};
pub use classes::{classes_of, colour, read_classes};
pub use dataset::{CACHE_LIMIT, Content, Dataset};
pub use decode::{decode, decode_labels};
pub use loader::{Batch, Loader, LoaderOptions};
pub use notice::{Matter, Notice};
pub use open::{BUILT_IN, Broken, Channels, Options, open};
pub use order::Order;
pub use resize::{Crop, Window, labels_to_size, to_size};
pub use size::Size;
pub use source::Source;
