//! What every other room stands on: the error with a hint, seed streams, random numbers as other libraries draw them, atomic files and bounded reading, zip archives,
//! `.npy`, what a file is by its first bytes, names of files, how long work tells what it is at, and memory: what the machine has left, and the programs' allocator.
//!
//! Nothing here knows of networks or images.
//!
//! ```
//! use ganatomy_base::{Error, files, npy::Array, seed::Stream};
//!
//! // A random number is a function of its seed, purpose and index: number 17 needs no numbers before it.
//! let noise = |index| Stream::new(7, "noise", index).normal() as f32;
//! let three = Array::f32(vec![3], vec![noise(17), noise(18), noise(19)]);
//! assert_eq!(three.clone().into_f32()[1], noise(18));
//!
//! // A file is whole or not there, and is read with a limit.
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("noise.npy");
//! files::write_atomic(&path, &three.to_bytes())?;
//! assert_eq!(files::read(&path, 1 << 20)?, three.to_bytes());
//!
//! // An error names what is at fault, and the cure where there is one.
//! let error = Array::read("no/such.npy").unwrap_err();
//! assert_eq!(error.hint().as_deref(), Some("Check the spelling of the path."));
//! # Ok::<(), Error>(())
//! ```

pub mod archive;
mod csv;
mod error;
pub mod files;
mod malformed;
pub mod memory;
pub mod mersenne;
mod names;
mod nearest;
pub mod npy;
mod part;
mod region;
pub mod seed;
pub mod sniff;
mod text;
pub mod watch;

pub use csv::csv_field;
pub use error::{Error, Result};
pub use malformed::Malformed;
pub use names::file_name;
pub use nearest::{known_names, nearest};
pub use region::Region;
pub use text::is_deceptive;
