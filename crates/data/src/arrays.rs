//! Sets of equal images that lie in memory as one array: IDX, CIFAR-10, `NumPy`.

#![warn(clippy::indexing_slicing)]

use crate::image::{Image, MAX_SIDE};
use crate::notice::Notice;
use crate::source::Source;
use base::{Error, Result};
use std::path::{Path, PathBuf};

/// The largest array of images that is held in memory: 8 GiB.
pub(crate) const LIMIT: u64 = 8 << 30;

/// Equal images, one after the other, channels of a pixel side by side.
pub(crate) struct Arrays {
    /// The file, for messages.
    pub(crate) path: PathBuf,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    /// A whole number of images.
    pub(crate) pixels: Vec<u8>,
    /// One class per image, or nothing.
    pub(crate) labels: Vec<u32>,
    pub(crate) label_names: Vec<String>,
    /// Which of several files or arrays it is, and which were left.
    pub(crate) notices: Vec<Notice>,
}

impl Arrays {
    fn image_bytes(&self) -> usize {
        self.width * self.height * self.channels
    }

    /// The same set with its classes.
    ///
    /// # Errors
    /// There is not one class per image.
    pub(crate) fn with_labels(mut self, labels: Vec<u32>, path: &Path) -> Result<Self> {
        let images = self.pixels.len() / self.image_bytes();
        if labels.len() != images {
            let reason = format!("holds {} labels for {images} images of {}", labels.len(), self.path.display());
            return Err(Error::file(path, reason));
        }
        self.labels = labels;
        Ok(self)
    }
}

impl Source for Arrays {
    fn len(&self) -> Option<usize> {
        Some(self.pixels.len() / self.image_bytes())
    }

    fn name(&self, index: u64) -> String {
        format!("{} image {index}", self.path.display())
    }

    fn load(&self, index: u64) -> Result<Image> {
        let size = self.image_bytes();
        let start = usize::try_from(index).ok().and_then(|i| i.checked_mul(size));
        let pixels = start.and_then(|start| self.pixels.get(start..start.checked_add(size)?));
        let pixels = pixels.ok_or_else(|| Error::file(&self.path, format!("has no image {index}")))?;
        Image::new(self.width, self.height, self.channels, pixels.to_vec())
    }

    fn is_grey(&self, _index: u64) -> Result<bool> {
        Ok(self.channels == 1)
    }

    fn notices(&self) -> Vec<Notice> {
        self.notices.clone()
    }

    fn in_memory(&self) -> bool {
        true
    }

    fn label(&self, index: u64) -> Option<u32> {
        self.labels.get(usize::try_from(index).ok()?).copied()
    }

    fn label_names(&self) -> &[String] {
        &self.label_names
    }
}

/// The number of bytes of `n` images, if their shape is possible.
pub(crate) fn checked_bytes(n: usize, height: usize, width: usize, channels: usize) -> Option<usize> {
    let sides = (1..=MAX_SIDE).contains(&height) && (1..=MAX_SIDE).contains(&width);
    let total = n.checked_mul(height)?.checked_mul(width)?.checked_mul(channels)?;
    (sides && total as u64 <= LIMIT).then_some(total)
}
