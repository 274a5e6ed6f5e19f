//! Segmenters: what is where in a picture.
//!
//! - [`Segment`] is all that others need to know of one;
//! - a [`Segmenter`] is a network whose output are logits of named classes in one or more label planes, kept in one model file;
//! - [`Training`] makes one from a labelled set, in a run (`train::OpenRun`); [`evaluate`] says how good it is;
//! - [`cluster()`] makes one for pictures without labels, by colour and texture;
//! - [`Segmenter::of_others`] makes one of a network that others trained, by how it reads images ([`Reads`]);
//! - [`masks()`] makes one of painted regions; an [`Oracle`] is a function, for tests and for worlds whose labels are known.
//!
//! ```
//! use data::{Options, Size};
//! use ganatomy_segment::{Segment, cluster};
//! use net::{Device, Tensor};
//!
//! // A segmenter of four kinds of pixels, by their colours in eight images.
//! let scenes = data::open("scenes", &Options { size: Some(Size::square(32)), ..Options::default() })?;
//! let segmenter = cluster(&scenes, 4, 8, 0, &Device::cpu())?;
//!
//! let image = Tensor::new(&[1, 3, 32, 32], scenes.values(3)?, &Device::cpu());
//! let map = &segmenter.segment(&image)?[0][0];
//! let upper_left = usize::from(map.classes[0]);
//! let [red, _, blue] = segmenter.planes()[0].classes[upper_left].colour;
//! assert!(blue > red, "that is the sky");
//! # Ok::<(), base::Error>(())
//! ```

mod augment;
mod cluster;
mod confusion;
mod elsewhere;
mod loss;
mod masks;
mod oracle;
mod segmenter;
mod settings;
mod softmax;
mod state;
mod training;
mod weighting;

pub use augment::Augment;
pub use cluster::{MOST_CLUSTERS, cluster};
pub use confusion::{ClassScore, Confusion, check_fit, evaluate};
pub use elsewhere::{Reads, classes_of_notes, numbers};
pub use masks::{MASK_HINT, mask_paths, masks, read_mask};
pub use oracle::Oracle;
pub use segmenter::{PLANES, Segmenter};
pub use settings::{LogSettings, Settings, Task};
pub use state::{SEGMENTER, State};
pub use training::{Stats, Training};
pub use weighting::{Ignored, Weighting};

use base::{Error, Result};
use data::{LabelMap, Plane};
use net::Tensor;

/// Something that says what is where in pictures.
pub trait Segment: Send + Sync {
    /// The label planes, in order. A plane's name is the category of its classes.
    fn planes(&self) -> &[Plane];

    /// The shape of one image, `[channels, height, width]`.
    fn image_shape(&self) -> [usize; 3];

    /// `images` `[n, c, h, w]` in `[-1, 1]`: for each image, one label map (of the image's size) per plane.
    ///
    /// # Errors
    /// The images have another shape than [`Segment::image_shape`], or nothing can be said of them: numbers are not finite.
    fn segment(&self, images: &Tensor) -> Result<Vec<Vec<LabelMap>>>;
}

/// The number of images of a batch, whose shape must be that which is expected.
fn count_of(images: &Tensor, expected: [usize; 3]) -> Result<usize> {
    match *images.shape() {
        [n, c, h, w] if [c, h, w] == expected => Ok(n),
        ref other => {
            let image = other.get(1..).unwrap_or_default();
            Err(Error::setting("images", format!("have shape {image:?}; this segmenter reads {expected:?}"))
                .with_hint("Bring the images to the segmenter's size, or train one for theirs."))
        }
    }
}
