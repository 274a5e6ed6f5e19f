//! Cropping and resizing of pictures and label maps.

use crate::image::{Image, LabelMap};
use image::imageops::{self, FilterType};
use image::{GrayImage, ImageBuffer, Pixel, RgbImage};

/// How an image that is not square becomes one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crop {
    /// The largest square in the middle is kept.
    #[default]
    Centre,
    /// The whole image is squeezed into the square.
    Stretch,
}

/// The kept part of a `width` x `height` image: left, top, width, height.
fn window(width: usize, height: usize, crop: Crop) -> (usize, usize, usize, usize) {
    match crop {
        Crop::Stretch => (0, 0, width, height),
        Crop::Centre => {
            let side = width.min(height);
            ((width - side) / 2, (height - side) / 2, side, side)
        }
    }
}

/// The image as a square of `size` pixels (at least 1).
///
/// The filter is Catmull and Rom's cubic, widened when shrinking, so that every source pixel counts (no aliasing); it
/// needs no transcendental function, so that the result has the same bytes on every machine. Values are filtered as
/// they are stored (gamma-encoded), as the common tools of the field do.
#[must_use]
pub fn to_square(image: Image, size: usize, crop: Crop) -> Image {
    let (x, y, w, h) = window(image.width, image.height, crop);
    let size = size.max(1);
    if (image.width, image.height) == (size, size) {
        return image;
    }
    let (channels, empty) = (image.channels, Image { pixels: Vec::new(), ..image });
    let pixels = if channels == 1 {
        GrayImage::from_raw(image.width as u32, image.height as u32, image.pixels).map(|p| filter(&p, x, y, w, h, size))
    } else {
        RgbImage::from_raw(image.width as u32, image.height as u32, image.pixels).map(|p| filter(&p, x, y, w, h, size))
    };
    // `from_raw` is `None` only for too few bytes, which `Image` rules out.
    Image { width: size, height: size, pixels: pixels.unwrap_or_default(), ..empty }
}

fn filter<P>(picture: &ImageBuffer<P, Vec<u8>>, x: usize, y: usize, w: usize, h: usize, size: usize) -> Vec<u8>
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let view = imageops::crop_imm(picture, x as u32, y as u32, w as u32, h as u32);
    imageops::resize(&*view, size as u32, size as u32, FilterType::CatmullRom).into_raw()
}

/// The label map as a square of `size` pixels, cropped as [`to_square`] crops: the class at each new pixel's centre.
#[must_use]
pub fn labels_to_square(map: &LabelMap, size: usize, crop: Crop) -> LabelMap {
    let (left, top, w, h) = window(map.width, map.height, crop);
    let source = |i: usize, length: usize| (2 * i + 1) * length / (2 * size);
    let classes = (0..size).flat_map(|y| {
        let row = (top + source(y, h)) * map.width + left;
        (0..size).map(move |x| map.classes[row + source(x, w)])
    });
    LabelMap { width: size, height: size, classes: classes.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fine_checkerboard_shrinks_to_even_grey() {
        let pixels = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 255 } else { 0 }).collect();
        let small = to_square(Image::new(64, 64, 1, pixels).unwrap(), 16, Crop::Centre);
        assert!(small.pixels.iter().all(|v| (126..=129).contains(v)), "{:?}", &small.pixels[..16]);
    }

    #[test]
    fn the_middle_square_is_kept() {
        // Columns 0..6; the middle two of height 2 are 2 and 3.
        let image = Image::new(6, 2, 1, [0, 1, 2, 3, 4, 5].repeat(2)).unwrap();
        assert_eq!(to_square(image, 2, Crop::Centre).pixels, [2, 3, 2, 3]);
        let map = LabelMap { width: 6, height: 2, classes: [0, 1, 2, 3, 4, 5].repeat(2) };
        assert_eq!(labels_to_square(&map, 2, Crop::Centre).classes, [2, 3, 2, 3]);
        assert_eq!(labels_to_square(&map, 2, Crop::Stretch).classes, [1, 4, 1, 4]);
    }

    proptest! {
        #[test]
        fn one_colour_stays_one_colour(w in 1usize..40, h in 1usize..40, size in 1usize..40, v: u8) {
            for channels in [1, 3] {
                let image = Image::new(w, h, channels, vec![v; w * h * channels]).unwrap();
                let out = to_square(image, size, Crop::Centre);
                prop_assert_eq!(out.pixels, vec![v; size * size * channels]);
            }
        }
    }
}
