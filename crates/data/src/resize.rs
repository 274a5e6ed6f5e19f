//! Cropping and resizing of pictures and label maps.

use crate::image::{Image, LabelMap};
use crate::size::Size;
use image::imageops::{self, FilterType};
use image::{GrayImage, ImageBuffer, Pixel, RgbImage};

/// How an image of another form comes to that which is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crop {
    /// The largest part of the wanted form in the middle is kept.
    #[default]
    Centre,
    /// The whole image is squeezed or stretched.
    Stretch,
}

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Its columns.
    pub width: usize,
    /// Its rows.
    pub height: usize,
}

impl Window {
    /// The part of a `width` x `height` image that [`to_size`] keeps for a picture of the size `wanted`.
    pub fn of(width: usize, height: usize, wanted: Size, crop: Crop) -> Self {
        let (mut kept_width, mut kept_height) = (width, height);
        if crop == Crop::Centre {
            // To the nearest pixel, in whole numbers; at least one.
            let nearest = |length: usize, by: usize, of: usize| ((2 * length * by + of) / (2 * of)).max(1);
            if width * wanted.height > height * wanted.width {
                kept_width = nearest(height, wanted.width, wanted.height).min(width);
            } else {
                kept_height = nearest(width, wanted.height, wanted.width).min(height);
            }
        }
        let (left, top) = ((width - kept_width) / 2, (height - kept_height) / 2);
        Self { left, top, width: kept_width, height: kept_height }
    }
}

/// The image in the size `wanted` (sides of at least 1).
///
/// The filter is Catmull and Rom's cubic, widened when shrinking, so that every source pixel counts (no aliasing); it
/// needs no transcendental function, so that the result has the same bytes on every machine. Values are filtered as
/// they are stored (gamma-encoded), as the common tools of the field do.
#[must_use]
pub fn to_size(image: Image, wanted: Size, crop: Crop) -> Image {
    let size = Size { width: wanted.width.max(1), height: wanted.height.max(1) };
    if (image.width, image.height) == (size.width, size.height) {
        return image;
    }
    let window = Window::of(image.width, image.height, size, crop);
    let (channels, empty) = (image.channels, Image { pixels: Vec::new(), ..image });
    let pixels = if channels == 1 {
        GrayImage::from_raw(image.width as u32, image.height as u32, image.pixels).map(|p| filter(&p, window, size))
    } else {
        RgbImage::from_raw(image.width as u32, image.height as u32, image.pixels).map(|p| filter(&p, window, size))
    };
    // `from_raw` is `None` only for too few bytes, which `Image` rules out.
    Image { width: size.width, height: size.height, pixels: pixels.unwrap_or_default(), ..empty }
}

fn filter<P>(picture: &ImageBuffer<P, Vec<u8>>, window: Window, size: Size) -> Vec<u8>
where
    P: Pixel<Subpixel = u8> + 'static,
{
    let [x, y, w, h] = [window.left, window.top, window.width, window.height].map(|v| v as u32);
    let view = imageops::crop_imm(picture, x, y, w, h);
    imageops::resize(&*view, size.width as u32, size.height as u32, FilterType::CatmullRom).into_raw()
}

/// The label map in the size `wanted`, cropped as [`to_size`] crops: the class at each new pixel's centre.
#[must_use]
pub fn labels_to_size(map: &LabelMap, wanted: Size, crop: Crop) -> LabelMap {
    let Size { width, height } = wanted;
    let window = Window::of(map.width, map.height, wanted, crop);
    let source = |i: usize, from: usize, to: usize| (2 * i + 1) * from / (2 * to);
    let classes = (0..height).flat_map(|y| {
        let row = (window.top + source(y, window.height, height)) * map.width + window.left;
        (0..width).map(move |x| map.classes[row + source(x, window.width, width)])
    });
    LabelMap { width, height, classes: classes.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fine_checkerboard_shrinks_to_even_grey() {
        let pixels = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 255 } else { 0 }).collect();
        let small = to_size(Image::new(64, 64, 1, pixels).unwrap(), Size::square(16), Crop::Centre);
        assert!(small.pixels.iter().all(|v| (126..=129).contains(v)), "{:?}", &small.pixels[..16]);
    }

    #[test]
    fn the_middle_square_is_kept() {
        // Columns 0..6; the middle two of height 2 are 2 and 3.
        let image = Image::new(6, 2, 1, [0, 1, 2, 3, 4, 5].repeat(2)).unwrap();
        assert_eq!(to_size(image, Size::square(2), Crop::Centre).pixels, [2, 3, 2, 3]);
        let map = LabelMap { width: 6, height: 2, classes: [0, 1, 2, 3, 4, 5].repeat(2) };
        assert_eq!(labels_to_size(&map, Size::square(2), Crop::Centre).classes, [2, 3, 2, 3]);
        assert_eq!(labels_to_size(&map, Size::square(2), Crop::Stretch).classes, [1, 4, 1, 4]);
    }

    #[test]
    fn the_middle_part_of_the_wanted_form_is_kept() {
        // 6 x 4 pixels that say where they are.
        let image = Image::new(6, 4, 1, (0..24).map(|i| (i / 6) * 10 + i % 6).collect()).unwrap();
        let kept = |width, height| to_size(image.clone(), Size { width, height }, Crop::Centre).pixels;
        assert_eq!(kept(6, 2), [10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25]);
        assert_eq!(kept(2, 4), [2, 3, 12, 13, 22, 23, 32, 33]);
        let map = LabelMap { width: 6, height: 4, classes: (0..24).map(|i| (i / 6) * 10 + i % 6).collect() };
        let kept = |width, height, crop| labels_to_size(&map, Size { width, height }, crop).classes;
        assert_eq!(kept(3, 1, Crop::Centre), [21, 23, 25]);
        assert_eq!(kept(1, 2, Crop::Centre), [13, 33]);
        assert_eq!(kept(3, 1, Crop::Stretch), [21, 23, 25]);
        assert_eq!(kept(1, 2, Crop::Stretch), [13, 33]);
        assert_eq!(kept(6, 1, Crop::Centre), [10, 11, 12, 13, 14, 15]);
    }

    /// A side from one pixel to several of a small picture.
    fn side() -> impl Strategy<Value = usize> {
        1usize..40
    }

    proptest! {
        #[test]
        fn one_colour_stays_one_colour(w in side(), h in side(), width in side(), height in side(), v: u8) {
            for (channels, crop) in [(1, Crop::Centre), (3, Crop::Centre), (1, Crop::Stretch), (3, Crop::Stretch)] {
                let image = Image::new(w, h, channels, vec![v; w * h * channels]).unwrap();
                let out = to_size(image, Size { width, height }, crop);
                prop_assert_eq!((out.width, out.height), (width, height));
                prop_assert_eq!(out.pixels, vec![v; width * height * channels]);
            }
        }

        /// What is kept is inside, in the middle, of the wanted form within a pixel, and whole along one side.
        #[test]
        fn the_window_is_the_largest_of_its_form(w in 1usize..900, h in 1usize..900, width in side(), height in side()) {
            let wanted = Size { width, height };
            let kept = Window::of(w, h, wanted, Crop::Centre);
            prop_assert!(kept.width >= 1 && kept.height >= 1);
            prop_assert!(kept.left + kept.width <= w && kept.top + kept.height <= h);
            prop_assert!(kept.left == (w - kept.width) / 2 && kept.top == (h - kept.height) / 2);
            prop_assert!(kept.width == w || kept.height == h);
            let (across, down) = (kept.width as f64 / width as f64, kept.height as f64 / height as f64);
            let within = if kept.height == h { 1.0 / width as f64 } else { 1.0 / height as f64 };
            prop_assert!((across - down).abs() <= within, "{across} {down}");
            let whole = Window::of(w, h, wanted, Crop::Stretch);
            prop_assert_eq!([whole.left, whole.top, whole.width, whole.height], [0, 0, w, h]);
        }

        /// A square is what it always was: the middle square.
        #[test]
        fn the_window_of_a_square_is_the_middle_square(w in 1usize..900, h in 1usize..900, size in side()) {
            let kept = Window::of(w, h, Size::square(size), Crop::Centre);
            let side = w.min(h);
            let expected = [(w - side) / 2, (h - side) / 2, side, side];
            prop_assert_eq!([kept.left, kept.top, kept.width, kept.height], expected);
        }

        /// A picture and its labels are cut at the same place: of a picture in two halves both know the border.
        #[test]
        fn labels_stay_with_their_pixels(w in 2usize..30, h in 2usize..30, width in 2usize..30, height in 2usize..30) {
            let wanted = Size { width, height };
            let classes: Vec<u16> = (0..w * h).map(|i| u16::from(i % w >= w / 2)).collect();
            let pixels = classes.iter().map(|&class| 255 * class as u8).collect();
            let map = labels_to_size(&LabelMap { width: w, height: h, classes }, wanted, Crop::Centre);
            let image = to_size(Image::new(w, h, 1, pixels).unwrap(), wanted, Crop::Centre);
            prop_assert_eq!((map.width, map.height, map.classes.len()), (width, height, width * height));
            let (first, last) = (map.classes[0], map.classes[width - 1]);
            prop_assert!(first != 0 || image.pixels[0] < 128);
            prop_assert!(last != 1 || image.pixels[width - 1] >= 127);
        }
    }
}
