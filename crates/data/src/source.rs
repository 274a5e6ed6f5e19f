//! What every set of images can do.

use crate::image::{Image, LabelMap, Plane};
use crate::notice::Notice;
use base::Result;

/// An indexed set of images, as they lie in their files: sizes and channels may differ from image to image.
pub trait Source: Send + Sync {
    /// How many images there are; `None` for a procedural world, where every index has an image.
    fn len(&self) -> Option<usize>;

    /// Whether there is no image at all.
    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The name of image `index`, for messages.
    fn name(&self, index: u64) -> String;

    /// Where image `index` lies in the set, as a relative path without the ending: what is made of it can be called so.
    fn place(&self, index: u64) -> String {
        format!("image{index:06}")
    }

    /// Image `index` in its own size.
    ///
    /// # Errors
    /// It cannot be read, is broken, or `index` is out of range.
    fn load(&self, index: u64) -> Result<Image>;

    /// Whether image `index` is grey, which may be cheaper to find out than to load it.
    ///
    /// # Errors
    /// As [`Source::load`].
    fn is_grey(&self, index: u64) -> Result<bool> {
        Ok(self.load(index)?.channels == 1)
    }

    /// What was taken, what was left out and why, and what was met in the images that were read so far.
    fn notices(&self) -> Vec<Notice> {
        Vec::new()
    }

    /// Whether the decoded images are in memory already, so that keeping them once more would be waste.
    fn in_memory(&self) -> bool {
        false
    }

    /// The class of image `index`, where images have classes.
    fn label(&self, index: u64) -> Option<u32> {
        let _ = index;
        None
    }

    /// The names of the classes of [`Source::label`], as far as they are known.
    fn label_names(&self) -> &[String] {
        &[]
    }

    /// The planes of the label maps; none for a set without maps.
    fn planes(&self) -> &[Plane] {
        &[]
    }

    /// The label maps of image `index`, one per plane, in the image's own size as it is loaded.
    ///
    /// # Errors
    /// As [`Source::load`].
    fn maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        let _ = index;
        Ok(Vec::new())
    }

    /// Image and label maps together, for sources that make both in one go.
    ///
    /// # Errors
    /// As [`Source::load`] and [`Source::maps`].
    fn load_with_maps(&self, index: u64) -> Result<(Image, Vec<LabelMap>)> {
        Ok((self.load(index)?, self.maps(index)?))
    }
}
