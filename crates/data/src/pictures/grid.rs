//! Several pictures as one.

use super::GROUND;
use crate::image::{Image, MAX_SIDE};
use base::{Error, Result};

/// The images of a batch `[n, channels, height, width]` in `[-1, 1]` (see [`Image::from_floats`]).
///
/// # Errors
/// The shape is not one of images, or `data` has another length.
pub fn from_batch(shape: &[usize], data: &[f32]) -> Result<Vec<Image>> {
    let wrong = || Error::setting("picture", format!("{} values of shape {shape:?} are not images", data.len()));
    let [n, channels, height, width] = *shape else { return Err(wrong()) };
    let size = channels.checked_mul(height).and_then(|s| s.checked_mul(width)).filter(|&s| s > 0).ok_or_else(wrong)?;
    if n.checked_mul(size) != Some(data.len()) {
        return Err(wrong());
    }
    data.chunks_exact(size).map(|values| Image::from_floats(values, channels, height, width)).collect()
}

/// Images in rows of `columns`, `padding` pixels between and around them. All grey: the grid is grey; else it is RGB.
/// Smaller images stand at the upper left of their cell.
///
/// # Errors
/// There is no image or no column, or the grid would be larger than 8192x8192 pixels.
pub fn grid(images: &[Image], columns: usize, padding: usize) -> Result<Image> {
    let wrong = |reason: String| Error::setting("grid", reason);
    if images.is_empty() || columns == 0 {
        return Err(wrong(format!("has {} images in {columns} columns", images.len())));
    }
    let columns = columns.min(images.len());
    let largest = |side: fn(&Image) -> usize| images.iter().map(side).max().unwrap_or(0);
    let cell = (largest(|i| i.width), largest(|i| i.height));
    let length = |count: usize, cell: usize| count.checked_mul(cell.checked_add(padding)?)?.checked_add(padding);
    let sides = length(columns, cell.0).zip(length(images.len().div_ceil(columns), cell.1));
    let Some((width, height)) = sides.filter(|&(w, h)| w <= MAX_SIDE && h <= MAX_SIDE) else {
        return Err(wrong(format!("of {} images would be larger than {MAX_SIDE}x{MAX_SIDE} pixels", images.len()))
            .with_hint("Ask for fewer images, or for more columns."));
    };
    let grey = images.iter().all(|i| i.channels == 1);
    let mut sheet = Image::filled(width, height, GROUND);
    if grey {
        sheet = sheet.into_grey();
    }
    for (k, image) in images.iter().enumerate() {
        let at = |place: usize, cell: usize| padding + place * (cell + padding);
        paste(&mut sheet, image, at(k % columns, cell.0), at(k / columns, cell.1));
    }
    Ok(sheet)
}

/// Pictures below each other, left-aligned, in RGB.
///
/// # Errors
/// As [`grid`].
pub fn stack(images: &[Image], gap: usize) -> Result<Image> {
    let width = images.iter().map(|i| i.width).max().unwrap_or(0);
    let height = images.iter().map(|i| i.height + gap).sum::<usize>().saturating_sub(gap);
    if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
        return Err(Error::setting("picture", format!("would have {width}x{height} pixels"))
            .with_hint("Ask for fewer images, or for more columns."));
    }
    let mut sheet = Image::filled(width, height, GROUND);
    let mut top = 0;
    for image in images {
        paste(&mut sheet, image, 0, top);
        top += image.height + gap;
    }
    Ok(sheet)
}

/// Every pixel as a square of `factor` x `factor` pixels. 0 counts as 1; what would be too large stays as it is.
#[must_use]
pub fn zoomed(image: &Image, factor: usize) -> Image {
    let factor = if image.width.max(image.height).saturating_mul(factor) > MAX_SIDE { 1 } else { factor.max(1) };
    let wide = image.width * factor * image.channels;
    let mut pixels = vec![0; image.pixels.len() * factor * factor];
    for (row, rows) in
        image.pixels.chunks_exact(image.width * image.channels).zip(pixels.chunks_exact_mut(wide * factor))
    {
        let (first, others) = rows.split_at_mut(wide);
        match image.channels {
            1 => widen::<1>(row, first, factor),
            _ => widen::<3>(row, first, factor),
        }
        others.chunks_exact_mut(wide).for_each(|other| other.copy_from_slice(first));
    }
    Image { width: image.width * factor, height: image.height * factor, channels: image.channels, pixels }
}

/// Each pixel of a row several times.
fn widen<const CHANNELS: usize>(row: &[u8], wide: &mut [u8], factor: usize) {
    for (pixel, pixels) in row.as_chunks::<CHANNELS>().0.iter().zip(wide.chunks_exact_mut(CHANNELS * factor)) {
        pixels.as_chunks_mut::<CHANNELS>().0.fill(*pixel);
    }
}

/// Copies a picture onto a sheet; what lies outside is cut off. Only a grey picture fits on a grey sheet.
pub(super) fn paste(sheet: &mut Image, picture: &Image, left: usize, top: usize) {
    let channels = sheet.channels;
    let columns = picture.width.min(sheet.width.saturating_sub(left));
    for y in 0..picture.height.min(sheet.height.saturating_sub(top)) {
        let to = &mut sheet.pixels[((top + y) * sheet.width + left) * channels..][..columns * channels];
        let from = &picture.pixels[y * picture.width * picture.channels..][..columns * picture.channels];
        if picture.channels == channels {
            to.copy_from_slice(from);
        } else {
            to.iter_mut().zip(from.iter().flat_map(|v| [v; 3])).for_each(|(to, from)| *to = *from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_puts_each_image_in_its_place() {
        let cell = |v: u8| Image::new(2, 1, 1, vec![v; 2]).unwrap();
        let sheet = grid(&[cell(1), cell(2), cell(3)], 2, 1).unwrap();
        let g = GROUND[0].max(25);
        assert_eq!((sheet.width, sheet.height, sheet.channels), (7, 5, 1));
        assert_eq!(sheet.pixels[7..14], [g, 1, 1, g, 2, 2, g]);
        assert_eq!(sheet.pixels[21..28], [g, 3, 3, g, g, g, g]);
    }

    #[test]
    fn a_grid_that_is_too_large_or_empty_is_refused() {
        let image = Image::filled(64, 64, [0; 3]);
        assert!(grid(&vec![image.clone(); 200], 200, 0).is_err());
        assert!(grid(&[image], usize::MAX, usize::MAX).is_err());
        assert!(grid(&[], 4, 0).is_err());
    }

    #[test]
    fn batches_of_a_wrong_shape_are_refused() {
        assert_eq!(from_batch(&[2, 1, 1, 2], &[0.0; 4]).unwrap().len(), 2);
        for shape in [&[2, 1, 1, 3][..], &[4], &[2, 2, 1, 1], &[usize::MAX, 2, 2, 2], &[0, 0, 0, 0]] {
            assert!(from_batch(shape, &[0.0; 4]).is_err(), "{shape:?}");
        }
    }
}
