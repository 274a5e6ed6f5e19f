//! A photo as a generator sees it, and what an edit of the generator's picture changes in the photo.

use base::{Error, Malformed, Result};
use data::{Crop, Image, Size, Window, to_size};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// How a photo comes to the form of a generator's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// It has that form; it is brought to the size.
    #[default]
    Same,
    /// The largest part of that form in the middle is taken.
    Crop,
    /// The whole photo lies in the middle; its edges are repeated beside it.
    Pad,
    /// The whole photo is squeezed or stretched.
    Stretch,
}

impl Fit {
    /// Those for photos of another form.
    pub const OTHERS: [Self; 3] = [Self::Crop, Self::Pad, Self::Stretch];

    /// What people write for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Stretch => "stretch",
        }
    }
}

impl FromStr for Fit {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = Self::OTHERS.into_iter().chain([Self::Same]).find(|fit| fit.name() == text);
        found.ok_or_else(|| Malformed::new("fit", format!("{text:?} is none of crop, pad and stretch")))
    }
}

/// A photo, and how it comes to the form of a generator's pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    image: Image,
    fit: Fit,
}

impl Photo {
    /// A photo for pictures of the shape `[channels, height, width]`.
    ///
    /// # Errors
    /// It has another form than they, and `fit` is [`Fit::Same`].
    pub fn new(image: Image, fit: Fit, [_, height, width]: [usize; 3]) -> Result<Self> {
        if fit == Fit::Same && !is_of_form(&image, [height, width]) {
            let reason = format!(
                "is {} pixels wide and {} high; the model's pictures are {width} and {height}",
                image.width, image.height
            );
            return Err(Error::setting("photo", reason).with_hint(
                "Cut it to that form, or say how it is brought there: `fit crop`, `fit pad` or `fit stretch`.",
            ));
        }
        Ok(Self { image, fit })
    }

    /// A photo that was inverted: it had a form that fits.
    pub(crate) fn kept(image: Image, fit: Fit) -> Self {
        Self { image, fit }
    }

    /// The photo as it is.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// How it comes to the form of pictures.
    pub fn fit(&self) -> Fit {
        self.fit
    }

    /// It in the shape `[channels, height, width]`.
    pub fn picture(&self, [channels, height, width]: [usize; 3]) -> Image {
        let size = Size { width, height };
        let image = match self.fit {
            Fit::Same | Fit::Stretch => to_size(self.image.clone(), size, Crop::Stretch),
            Fit::Crop => to_size(self.image.clone(), size, Crop::Centre),
            Fit::Pad => {
                let inner = self.in_picture(size);
                let inside = Size { width: inner.width, height: inner.height };
                surrounded(&to_size(self.image.clone(), inside, Crop::Stretch), inner, size)
            }
        };
        if channels == 1 { image.into_grey() } else { image.into_rgb() }
    }

    /// The photo with what became of its picture: the difference of two pictures of one size, enlarged to the photo's size (bilinear) and
    /// added. Where they do not differ the photo stays as it is.
    ///
    /// # Errors
    /// The pictures differ in shape.
    pub fn put_back(&self, before: &Image, after: &Image) -> Result<Image> {
        let shape = |image: &Image| [image.channels, image.height, image.width];
        if shape(before) != shape(after) {
            let reason =
                format!("pictures of the shapes {:?} and {:?} cannot be compared", shape(before), shape(after));
            return Err(Error::setting("photo", reason));
        }
        let mut photo = if before.channels == 3 { self.image.clone().into_rgb() } else { self.image.clone() };
        let difference: Vec<f32> =
            before.pixels.iter().zip(&after.pixels).map(|(&a, &b)| f32::from(b) - f32::from(a)).collect();
        let size = Size { width: before.width, height: before.height };
        let (outer, inner) = (self.in_photo(size), self.in_picture(size));
        let columns: Vec<Between> =
            (0..outer.width).map(|x| Between::of(x, outer.width, inner.left, inner.width)).collect();
        for y in 0..outer.height {
            let row = Between::of(y, outer.height, inner.top, inner.height);
            let start = ((outer.top + y) * photo.width + outer.left) * photo.channels;
            let pixels = photo.pixels[start..].chunks_exact_mut(photo.channels);
            for (pixel, column) in pixels.zip(&columns) {
                for (channel, byte) in pixel.iter_mut().enumerate() {
                    let channel = channel.min(before.channels - 1);
                    let at = |y: usize, x: usize| difference[(y * before.width + x) * before.channels + channel];
                    let across = |y: usize| column.mix(at(y, column.first), at(y, column.second));
                    let change = row.mix(across(row.first), across(row.second));
                    *byte = (f32::from(*byte) + change).round().clamp(0.0, 255.0) as u8;
                }
            }
        }
        Ok(photo)
    }

    /// The part of the photo that the picture shows.
    fn in_photo(&self, size: Size) -> Window {
        let crop = if self.fit == Fit::Crop { Crop::Centre } else { Crop::Stretch };
        Window::of(self.image.width, self.image.height, size, crop)
    }

    /// The part of the picture in which the photo is.
    fn in_picture(&self, size: Size) -> Window {
        let crop = if self.fit == Fit::Pad { Crop::Centre } else { Crop::Stretch };
        Window::of(size.width, size.height, Size { width: self.image.width, height: self.image.height }, crop)
    }
}

/// Whether a photo brought to the size of a picture keeps its form within half of the picture's pixels.
fn is_of_form(photo: &Image, [height, width]: [usize; 2]) -> bool {
    let across = (photo.width as u64 * height as u64, photo.height as u64 * width as u64);
    2 * across.0.abs_diff(across.1) <= photo.width.max(photo.height) as u64
}

/// An image in its window of a picture; beside it its edges are repeated.
fn surrounded(image: &Image, window: Window, size: Size) -> Image {
    let inside = |place: usize, from: usize, length: usize| place.saturating_sub(from).min(length - 1);
    let mut pixels = Vec::with_capacity(size.width * size.height * image.channels);
    for y in 0..size.height {
        let row = inside(y, window.top, window.height) * image.width;
        for x in 0..size.width {
            let pixel = (row + inside(x, window.left, window.width)) * image.channels;
            pixels.extend_from_slice(&image.pixels[pixel..][..image.channels]);
        }
    }
    Image { width: size.width, height: size.height, channels: image.channels, pixels }
}

/// A place between two neighbours.
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

impl Between {
    /// Where the centre of one of `of` pixels lies among `length` pixels from `from` on.
    fn of(place: usize, of: usize, from: usize, length: usize) -> Self {
        let at = ((place as f32 + 0.5) * length as f32 / of as f32 - 0.5).clamp(0.0, (length - 1) as f32);
        let first = at.floor() as usize;
        Self { first: from + first, second: from + (first + 1).min(length - 1), share: at - first as f32 }
    }

    fn mix(&self, first: f32, second: f32) -> f32 {
        first + (second - first) * self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed::Stream;

    fn noise(width: usize, height: usize, channels: usize) -> Image {
        let mut stream = Stream::new(1, "test", 0);
        Image::new(width, height, channels, (0..width * height * channels).map(|_| stream.bits() as u8).collect())
            .unwrap()
    }

    fn photo(image: Image, fit: Fit) -> Photo {
        Photo { image, fit }
    }

    #[test]
    fn a_photo_of_another_form_is_refused_unless_one_says_how() {
        let shape = [3, 8, 16];
        for (width, height, fits) in
            [(16, 8, true), (1000, 500, true), (1000, 531, true), (1000, 532, false), (8, 16, false)]
        {
            let made = Photo::new(Image::filled(width, height, [9; 3]), Fit::Same, shape);
            assert_eq!(made.is_ok(), fits, "{width}x{height}");
            for fit in Fit::OTHERS {
                let picture = Photo::new(noise(width, height, 3), fit, shape).unwrap().picture(shape);
                assert_eq!((picture.width, picture.height, picture.channels), (16, 8, 3));
            }
        }
        let error = Photo::new(Image::filled(30, 20, [9; 3]), Fit::Same, shape).unwrap_err();
        assert_eq!(error.to_string(), "photo: is 30 pixels wide and 20 high; the model's pictures are 16 and 8");
        assert!(error.hint().unwrap().contains("`fit crop`"));
    }

    #[test]
    fn beside_a_photo_that_is_padded_its_edges_are_repeated() {
        let narrow = Image::new(1, 2, 1, vec![10, 20]).unwrap();
        let picture = photo(narrow.clone(), Fit::Pad).picture([1, 2, 3]);
        assert_eq!(picture.pixels, [10, 10, 10, 20, 20, 20]);
        let wide = Image::new(2, 1, 1, vec![10, 20]).unwrap();
        assert_eq!(photo(wide, Fit::Pad).picture([1, 4, 2]).pixels, [10, 20, 10, 20, 10, 20, 10, 20]);
        assert_eq!(photo(narrow, Fit::Crop).picture([3, 1, 1]).pixels.len(), 3, "colours where the model has them");
    }

    #[test]
    fn what_did_not_change_stays_as_it_is() {
        for fit in [Fit::Same, Fit::Crop, Fit::Pad, Fit::Stretch] {
            for (image, channels) in [(noise(37, 23, 3), 3), (noise(5, 9, 1), 1), (noise(30, 20, 3), 1)] {
                let photo = photo(image.clone(), fit);
                let picture = noise(8, 6, channels);
                assert_eq!(photo.put_back(&picture, &picture).unwrap(), image, "{fit:?}");
            }
        }
        let (rgb, grey) = (photo(noise(5, 9, 1), Fit::Pad), noise(8, 6, 3));
        assert_eq!(rgb.put_back(&grey, &grey).unwrap(), noise(5, 9, 1).into_rgb());
    }

    #[test]
    fn a_difference_lands_where_it_belongs() {
        let (before, mut after) = (Image::filled(4, 4, [100; 3]), Image::filled(4, 4, [100; 3]));
        // The right half becomes brighter.
        after.pixels.chunks_exact_mut(12).for_each(|row| row[6..].fill(140));
        let changed = |width: usize, height: usize, fit| -> Vec<i32> {
            let image = Image::filled(width, height, [50; 3]);
            let made = photo(image, fit).put_back(&before, &after).unwrap();
            let middle = &made.pixels[height / 2 * width * 3..][..width * 3];
            middle.chunks_exact(3).map(|p| i32::from(p[0]) - 50).collect()
        };
        assert_eq!(changed(4, 4, Fit::Same), [0, 0, 40, 40]);
        assert_eq!(changed(8, 8, Fit::Same), [0, 0, 0, 10, 30, 40, 40, 40], "bilinear at pixels' centres");
        assert_eq!(changed(8, 4, Fit::Stretch), changed(8, 8, Fit::Same));
        assert_eq!(changed(8, 4, Fit::Crop), [0, 0, 0, 0, 40, 40, 0, 0], "what was cut off is not in the picture");
        assert_eq!(changed(8, 4, Fit::Pad), changed(8, 8, Fit::Same), "only the rows with the photo count");
        assert_eq!(changed(2, 4, Fit::Pad), [0, 40]);
        assert!(photo(before.clone(), Fit::Same).put_back(&before, &noise(4, 3, 3)).is_err());
    }
}
