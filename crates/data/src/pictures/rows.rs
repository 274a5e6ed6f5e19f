//! A grid whose rows have names.

use super::grid::{grid, paste, zoomed};
use super::text::{LINE, text, text_width};
use super::{GROUND, INK};
use crate::image::Image;
use base::Result;

/// Letters of a name that are shown.
const LETTERS: usize = 14;

/// Images in rows of `columns`, as [`grid`] lays them, with the name of each row at its left. What is lower than a line of text is enlarged.
///
/// # Errors
/// As [`grid`].
pub fn rows(images: &[Image], columns: usize, padding: usize, names: &[String]) -> Result<Image> {
    let height = images.iter().map(|image| image.height).max().unwrap_or(1).max(1);
    let factor = LINE.div_ceil(height);
    let images: Vec<Image> = images.iter().map(|image| zoomed(image, factor)).collect();
    let pictures = grid(&images, columns, padding)?;
    let fitting = |name: &String| name.chars().take(LETTERS).collect::<String>();
    let names: Vec<String> = names.iter().map(fitting).collect();
    let margin = names.iter().map(|name| text_width(name)).max().unwrap_or(0) + 2 * padding + 4;
    let mut sheet = Image::filled(margin + pictures.width, pictures.height, GROUND);
    paste(&mut sheet, &pictures, margin, 0);
    let row = images.iter().map(|image| image.height).max().unwrap_or(1) + padding;
    for (place, name) in names.iter().enumerate() {
        let top = padding + place * row + (row - padding).saturating_sub(LINE) / 2;
        text(&mut sheet, margin.saturating_sub(text_width(name) + 4), top, INK, name);
    }
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_name_beside_it() {
        let cell = |v: u8| Image::filled(20, 20, [v; 3]);
        let names = ["cat".to_owned(), "a very long name indeed".to_owned()];
        let sheet = rows(&[cell(250), cell(251), cell(252), cell(253)], 2, 2, &names).unwrap();
        let margin = text_width("a very long na") + 8;
        assert_eq!((sheet.width, sheet.height), (margin + 2 * 22 + 2, 2 * 22 + 2));
        let pixel = |x: usize, y: usize| sheet.pixels[(y * sheet.width + x) * 3];
        assert_eq!([pixel(margin + 2, 2), pixel(margin + 24, 24)], [250, 253]);
        let inked = |top: usize| (top..top + 20).any(|y| (0..margin).any(|x| pixel(x, y) > 100));
        assert!(inked(2) && inked(24));
        // The short name stands at the right, beside its pictures.
        assert!((2..22).all(|y| (0..margin - text_width("cat") - 6).all(|x| pixel(x, y) < 60)));
        let tiny = rows(&[Image::filled(8, 8, [250; 3]).into_grey()], 1, 1, &["x".into()]).unwrap();
        assert_eq!((tiny.height, tiny.channels), (18, 3));
        assert!(rows(&[], 2, 2, &[]).is_err());
    }
}
