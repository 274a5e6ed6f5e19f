//! Pictures back into a generator: the latent, and the shift of one layer, that make a given picture.
//!
//! A generator goes from latents to pictures, and nothing goes back. So the way back is searched by the generator's own gradients:
//! 1. many latents are drawn, and those whose pictures are nearest are kept;
//! 2. these are moved together, the worse half given up now and then, until one is left: the best picture that the generator makes by
//!    itself;
//! 3. what it cannot make is added to one of its layers, `r = h(z) + d`, as little of it as will do.
//!
//! An [`Inverter`] does that to a [`Photo`]; what it finds is [`Inverted`], from which the generator makes the picture as it makes
//! others ([`Inverted::feed`]): edits of its units act on it, and [`Photo::put_back`] brings what they change into the photo itself.
//!
//! ```
//! use dissect::{Subject, unwatched};
//! use ganatomy_invert::{Fit, Inverter, Photo, Settings};
//! use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
//! use net::{Device, Network};
//!
//! // A generator of 16x16 pixels that has learnt nothing yet.
//! let shape = DcganGenerator {
//!     size: [16; 2], channels: 3, latent: 4, width: 2, norm: Norm::Batch, start: GeneratorStart::Linear, extra: false,
//! };
//! let device = Device::cpu();
//! let network = Network::initial(dcgan_generator(shape), 1, "weights", &device);
//! let subject = Subject::new(&network, &[], &device)?;
//!
//! let photo = Photo::new(data::Image::filled(32, 32, [120, 130, 140]), Fit::Same, subject.image_shape())?;
//! let settings = Settings { starts: 16, kept: 2, steps: 20, shift_steps: 20, ..Settings::default() };
//! let inverter = Inverter::new(subject, "mine", None, settings)?;
//! let found = unwatched(|watch| inverter.invert(&photo, watch))?;
//! let distance = found.inverted.record.distance;
//! assert!(distance.refined < distance.latent);
//! # Ok::<(), net::Error>(())
//! ```

mod descent;
mod found;
mod inverted;
mod inverter;
mod latents;
mod loss;
mod photo;
mod settings;
mod shift;

pub use found::{Found, SHEET};
pub use inverted::{Distance, FORMAT, INVERSION, Inverted, LATENTS, PHOTO, Record, SHIFT};
pub use inverter::Inverter;
pub use photo::{Fit, Photo};
pub use settings::Settings;
