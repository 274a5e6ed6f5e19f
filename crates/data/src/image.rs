//! Pictures as bytes, label maps, and the numbers that a network sees.

use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// The widest and the highest image that is decoded or made, in pixels.
pub const MAX_SIDE: usize = 8192;
/// The most bytes that one decoded image may take: 256 MiB.
pub const MAX_BYTES: u64 = 256 << 20;

/// An image of bytes: rows from top to bottom, pixels from left to right, channels of a pixel side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// `height * width * channels` bytes.
    pub pixels: Vec<u8>,
}

impl Image {
    /// Wraps pixels.
    ///
    /// # Errors
    /// A side is 0 or over [`MAX_SIDE`], `channels` is neither 1 nor 3, or the number of bytes does not fit.
    pub fn new(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Result<Self> {
        check_size(width, height).map_err(|reason| Error::setting("image", reason))?;
        if channels != 1 && channels != 3 {
            return Err(Error::setting("image", format!("has {channels} channels; 1 and 3 are understood")));
        }
        if pixels.len() != width * height * channels {
            return Err(Error::setting(
                "image",
                format!("{width}x{height}x{channels} takes another number of bytes than {}", pixels.len()),
            ));
        }
        Ok(Self { width, height, channels, pixels })
    }

    /// An image of one colour. Sides are cut to [`MAX_SIDE`].
    pub fn filled(width: usize, height: usize, colour: [u8; 3]) -> Self {
        let (width, height) = (width.min(MAX_SIDE), height.min(MAX_SIDE));
        Self { width, height, channels: 3, pixels: colour.repeat(width * height) }
    }

    /// The same picture in RGB.
    #[must_use]
    pub fn into_rgb(self) -> Self {
        if self.channels == 3 {
            return self;
        }
        Self { channels: 3, pixels: self.pixels.iter().flat_map(|&v| [v; 3]).collect(), ..self }
    }

    /// The same picture in grey, by the luma of ITU-R BT.601 in 16-bit integers as PIL's `convert("L")` has it.
    #[must_use]
    pub fn into_grey(self) -> Self {
        if self.channels == 1 {
            return self;
        }
        let luma = |p: &[u8; 3]| {
            ((u32::from(p[0]) * 19_595 + u32::from(p[1]) * 38_470 + u32::from(p[2]) * 7_471 + 0x8000) >> 16) as u8
        };
        Self { channels: 1, pixels: self.pixels.as_chunks().0.iter().map(luma).collect(), ..self }
    }

    /// Mirrored left to right.
    #[must_use]
    pub fn flipped(mut self) -> Self {
        for row in self.pixels.chunks_exact_mut(self.width * self.channels) {
            mirror(row, self.channels);
        }
        self
    }

    /// Planar floats in `[-1, 1]` (`byte / 127.5 - 1`), written to `out` of `channels * height * width` numbers.
    pub fn write_floats(&self, out: &mut [f32]) {
        let plane = self.width * self.height;
        for (c, channel) in out.chunks_exact_mut(plane.max(1)).enumerate().take(self.channels) {
            for (v, &byte) in channel.iter_mut().zip(self.pixels.iter().skip(c).step_by(self.channels)) {
                *v = f32::from(byte) / 127.5 - 1.0;
            }
        }
    }

    /// The floats of [`Image::write_floats`], `[channels, height, width]`.
    pub fn to_floats(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.pixels.len()];
        self.write_floats(&mut values);
        values
    }

    /// An image from planar floats `[channels, height, width]` in `[-1, 1]`: `x * 127.5 + 128`, clamped to
    /// `[0, 255]` and cut off, which is `StyleGAN`'s rule. It undoes [`Image::write_floats`] exactly. NaN becomes 0.
    ///
    /// # Errors
    /// As [`Image::new`].
    pub fn from_floats(values: &[f32], channels: usize, height: usize, width: usize) -> Result<Self> {
        let plane = values.len().checked_div(channels).unwrap_or(0);
        let mut pixels = vec![0; values.len()];
        for (c, channel) in values.chunks_exact(plane.max(1)).enumerate() {
            for (byte, &x) in pixels.iter_mut().skip(c).step_by(channels.max(1)).zip(channel) {
                *byte = byte_of(x);
            }
        }
        Self::new(width, height, channels, pixels)
    }
}

/// A number in `[-1, 1]` as a byte: `x * 127.5 + 128`, clamped and cut off.
pub fn byte_of(x: f32) -> u8 {
    // A cast of a float to an integer saturates, cuts towards zero and maps NaN to 0.
    (x * 127.5 + 128.0) as u8
}

/// One class index per pixel, rows from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height * width` indices into the classes of the plane.
    pub classes: Vec<u16>,
}

impl LabelMap {
    /// Mirrored left to right.
    #[must_use]
    pub fn flipped(mut self) -> Self {
        self.classes.chunks_exact_mut(self.width.max(1)).for_each(<[u16]>::reverse);
        self
    }
}

/// A plane of labels: what the indices of its label maps mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// `objects`, `parts`, ...
    pub name: String,
    /// The classes by index.
    pub classes: Vec<Class>,
    /// The index that stands for "not labelled" or "nothing", to be left out of statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<u16>,
}

/// A class of a label plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// The colour to paint it with.
    pub colour: [u8; 3],
}

/// Says what is wrong with a size, if something is.
pub(crate) fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width == 0 || height == 0 {
        Err(format!("has the empty size {width}x{height}"))
    } else if width > MAX_SIDE || height > MAX_SIDE {
        Err(format!("declares {width}x{height} pixels; at most {MAX_SIDE}x{MAX_SIDE} are read"))
    } else {
        Ok(())
    }
}

/// Reverses the pixels of a row in place.
fn mirror(row: &mut [u8], channels: usize) {
    row.reverse();
    row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_survives_the_way_to_floats_and_back() {
        let image = Image::new(16, 16, 1, (0..=255).collect()).unwrap();
        let mut floats = vec![0.0; 256];
        image.write_floats(&mut floats);
        assert_eq!((floats[0], floats[255]), (-1.0, 1.0));
        assert_eq!(Image::from_floats(&floats, 1, 16, 16).unwrap(), image);
    }

    #[test]
    fn floats_outside_the_range_saturate() {
        assert_eq!([-9.0, -1.0, 0.0, 1.0, 9.0, f32::NAN].map(byte_of), [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn luma_of_the_primaries_is_that_of_pil() {
        let rgb = Image::new(4, 1, 3, vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]).unwrap();
        assert_eq!(rgb.into_grey().pixels, [76, 150, 29, 255]);
    }

    proptest! {
        #[test]
        fn flipping_twice_is_nothing(w in 1usize..9, h in 1usize..9, grey: bool, seed: u64) {
            let channels = if grey { 1 } else { 3 };
            let mut stream = base::seed::Stream::new(seed, "test", 0);
            let pixels = (0..w * h * channels).map(|_| stream.bits() as u8).collect();
            let image = Image::new(w, h, channels, pixels).unwrap();
            let once = image.clone().flipped();
            prop_assert_eq!(&once.pixels[..channels], &image.pixels[(w - 1) * channels..w * channels]);
            prop_assert_eq!(once.flipped(), image);
        }
    }
}
