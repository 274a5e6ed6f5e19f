//! Pictures laid out: grids, strips and clouds of points.

use crate::{Latents, Seeds};
use base::{Error, Result};
use data::pictures::{self, Cloud, GROUND, INK, LINE, text, text_width};
use data::{Image, MAX_SIDE};

/// Pixels between the pictures of a grid.
pub const PADDING: usize = 2;

/// Points in one cloud; more would be a blot.
pub const MOST_POINTS: u64 = 1_000_000;

/// Refuses a grid that could not be written, before the work of making its pictures; `cure` says what to do then.
///
/// # Errors
/// As said.
pub fn check_grid(n: u64, columns: usize, [_, height, width]: [usize; 3], cure: &str) -> Result<()> {
    let length = |count: u64, cell: usize| u128::from(count) * (cell + PADDING) as u128 + PADDING as u128;
    let columns = n.min(columns as u64);
    if length(columns, width).max(length(n.div_ceil(columns.max(1)), height)) > MAX_SIDE as u128 {
        let reason = format!("a grid of {n} pictures in {columns} columns is larger than {MAX_SIDE}x{MAX_SIDE} pixels");
        return Err(Error::setting("grid", reason).with_hint(cure));
    }
    Ok(())
}

/// Pictures of one size in rows of `columns`.
///
/// # Errors
/// There are none, they differ in size, or would make too large a picture.
pub fn grid(images: &[Image], columns: usize) -> Result<Image> {
    pictures::grid(images, columns, PADDING)
}

/// How the pictures of a grid are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Every pixel is a square of so many.
    pub scale: usize,
    /// The number of letters of the longest caption; none: no captions.
    pub caption: Option<usize>,
}

impl Default for Look {
    fn default() -> Self {
        Self { scale: 1, caption: None }
    }
}

impl Look {
    /// The shape of a picture of this shape when it is shown so, for [`check_grid`].
    pub fn shape(self, [channels, height, width]: [usize; 3]) -> [usize; 3] {
        let [height, width] = [height, width].map(|side| side.saturating_mul(self.scale.max(1)));
        match self.caption {
            Some(letters) => [3, height + LINE, width.max(letters * text_width("0"))],
            None => [channels, height, width],
        }
    }

    /// The picture as it is shown, with its caption below, in the middle.
    pub fn of(self, image: &Image, caption: &str) -> Image {
        let large = pictures::zoomed(image, self.scale);
        if self.caption.is_none() {
            return large;
        }
        let [_, height, width] = self.shape([3, image.height, image.width]);
        let mut cell = Image::filled(width, height, GROUND);
        let large = large.into_rgb();
        let (left, row) = ((width - large.width.min(width)) / 2 * 3, large.width * 3);
        for (line, pixels) in cell.pixels.chunks_exact_mut(width * 3).zip(large.pixels.chunks_exact(row)) {
            line.iter_mut().skip(left).zip(pixels).for_each(|(under, &pixel)| *under = pixel);
        }
        let left = width.saturating_sub(text_width(caption)) / 2;
        text(&mut cell, left, height - LINE, INK, caption);
        cell
    }
}

/// How many letters the longest caption of these latents has.
pub fn longest_caption(latents: &Latents) -> usize {
    // Of a range the last seed is the longest.
    let last = latents.seeds().and_then(Seeds::greatest).map(|seed| seed.to_string());
    last.unwrap_or_else(|| latents.caption(latents.len().saturating_sub(1))).chars().count()
}

/// The columns of a grid that is about as wide as high.
pub fn square(n: u64) -> usize {
    (1..=1 << 16).find(|&side: &u64| side * side >= n).unwrap_or(1 << 16) as usize
}

/// Refuses a cloud of too many points.
///
/// # Errors
/// As said.
pub fn check_cloud(n: u64) -> Result<()> {
    if n <= MOST_POINTS {
        return Ok(());
    }
    let reason = format!("a scatter plot of {n} points shows nothing; at most {MOST_POINTS} are drawn");
    Err(Error::setting("cloud", reason).with_hint("Write the numbers with `raw`."))
}

/// Points of the plane, two numbers each, in a picture that holds them all.
pub fn cloud(points: &[f32]) -> Image {
    let range = points.iter().filter(|v| v.is_finite()).fold(0.0f32, |range, v| range.max(v.abs())) * 1.1;
    pictures::scatter(&[Cloud { points, colour: [110, 200, 255] }], 512, range.max(1e-3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_passes_the_check_can_be_made_and_the_next_larger_one_not() {
        // 8192 pixels hold 455 pictures of 16 pixels with 2 between them.
        let fits = |n, columns| check_grid(n, columns, [3, 16, 16], "x").is_ok();
        assert!(fits(455, 455) && !fits(456, 456) && fits(455 * 2, 2) && !fits(455 * 2 + 1, 2));
        let error = check_grid(u64::MAX, 4, [3, 16, 16], "Take fewer.").unwrap_err();
        assert!(error.to_string().starts_with("grid: a grid of 18446744073709551615 pictures in 4 columns"), "{error}");
        assert_eq!(error.hint().unwrap(), "Take fewer.");
    }

    #[test]
    fn pictures_are_enlarged_and_their_captions_fit_below() {
        let image = Image::filled(8, 4, [200, 10, 10]);
        let plain = Look::default();
        assert_eq!((plain.of(&image, "7"), plain.shape([1, 4, 8])), (image.clone(), [1, 4, 8]));
        let look = Look { scale: 2, caption: Some(4) };
        let cell = look.of(&image, "12");
        let [_, height, width] = look.shape([3, 4, 8]);
        assert_eq!((cell.height, cell.width, height), (height, width, 8 + LINE));
        assert_eq!(width, text_width("0000"), "the caption is wider than the picture");
        let at = |x: usize, y: usize| &cell.pixels[(y * width + x) * 3..][..3];
        let left = (width - 16) / 2;
        assert_eq!([at(left, 0), at(left + 15, 7)], [&[200, 10, 10], &[200, 10, 10]]);
        assert_eq!([at(left - 1, 0), at(left + 16, 7)], [&GROUND, &GROUND]);
        let written = (0..width * LINE).filter(|i| at(i % width, 8 + i / width) != GROUND).count();
        assert!(written > 10, "{written}");
        assert!(look.of(&image, "1").pixels != cell.pixels);
        // Grey pictures are shown with captions as well.
        let grey = Image::new(8, 4, 1, vec![90; 32]).unwrap();
        assert_eq!(look.of(&grey, "12").channels, 3);
    }

    #[test]
    fn a_square_holds_all() {
        assert_eq!([1, 2, 4, 5, 16, 17].map(square), [1, 2, 2, 3, 4, 5]);
        assert_eq!(square(u64::MAX), 1 << 16);
    }

    #[test]
    fn a_cloud_shows_its_farthest_point_and_passes_over_what_is_not_finite() {
        let cloud = cloud(&[5.0, 0.0, f32::NAN, 1.0, -3.0, f32::INFINITY]);
        assert!(cloud.pixels.as_chunks::<3>().0.iter().any(|&[r, g, b]| b > 100 && g > 100 && r < g));
        assert!(check_cloud(MOST_POINTS).is_ok() && check_cloud(MOST_POINTS + 1).is_err());
    }
}
