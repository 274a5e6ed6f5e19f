//! Words in pictures, in Noto Sans Mono.

use crate::image::Image;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Regular;
const SIZE: RasterHeight = RasterHeight::Size16;
/// The height of a line of text, in pixels.
pub const LINE: usize = SIZE.val();

/// The width of a word in pixels. Letters outside of Latin 1 are drawn as `?`.
pub fn text_width(words: &str) -> usize {
    words.chars().count() * get_raster_width(WEIGHT, SIZE)
}

/// Writes on a picture (RGB; grey ones stay as they are), the upper left corner of the first letter at `left`, `top`.
/// Letters are smooth: at their edges the picture shows through. What lies outside is cut off.
pub fn text(picture: &mut Image, left: usize, top: usize, colour: [u8; 3], words: &str) {
    if picture.channels != 3 {
        return;
    }
    let width = picture.width;
    let mut left = left;
    for letter in words.chars() {
        // Nothing to the right of the picture is seen, and `left` stays small enough to be added to.
        if left >= width {
            return;
        }
        let Some(glyph) = get_raster(letter, WEIGHT, SIZE).or_else(|| get_raster('?', WEIGHT, SIZE)) else { return };
        let columns = left * 3..width.min(left + glyph.width()) * 3;
        for (line, cover) in picture.pixels.chunks_exact_mut(width * 3).skip(top).zip(glyph.rows()) {
            for (pixel, &cover) in line[columns.clone()].as_chunks_mut::<3>().0.iter_mut().zip(cover) {
                *pixel = std::array::from_fn(|c| mix(pixel[c], colour[c], cover));
            }
        }
        left += glyph.width();
    }
}

/// `over` covers `under` to `cover` parts of 255.
fn mix(under: u8, over: u8, cover: u8) -> u8 {
    let [under, over, cover] = [under, over, cover].map(u32::from);
    ((under * (255 - cover) + over * cover + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: [u8; 3] = [10, 20, 30];

    fn written(left: usize, top: usize, words: &str) -> Image {
        let mut picture = Image::filled(40, LINE, PAPER);
        text(&mut picture, left, top, [250, 240, 230], words);
        picture
    }

    fn changed(picture: &Image) -> Vec<usize> {
        let pixels = picture.pixels.as_chunks::<3>().0.iter().enumerate();
        pixels.filter(|(_, pixel)| **pixel != PAPER).map(|(at, _)| at).collect()
    }

    #[test]
    fn letters_are_smooth_and_lie_in_their_cells() {
        let picture = written(7, 0, "H");
        assert_eq!(text_width("H"), 7);
        assert!(!changed(&picture).is_empty() && changed(&picture).iter().all(|at| (7..14).contains(&(at % 40))));
        let reds: std::collections::BTreeSet<u8> = picture.pixels.as_chunks::<3>().0.iter().map(|p| p[0]).collect();
        assert!(reds.contains(&10) && reds.len() > 3, "{reds:?}");
        assert_eq!((mix(10, 250, 0), mix(10, 250, 255), mix(0, 255, 77)), (10, 250, 77));
    }

    #[test]
    fn letters_that_the_font_does_not_have_are_question_marks() {
        assert_eq!(written(0, 0, "日\n\u{1F600}"), written(0, 0, "???"));
        assert_ne!(written(0, 0, "é"), written(0, 0, "?"));
        assert_ne!(written(0, 0, "é"), written(0, 0, "e"));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        for (left, top) in [(40, 0), (usize::MAX, 0), (0, LINE), (0, usize::MAX)] {
            assert_eq!(changed(&written(left, top, "HHH")), [0; 0], "{left}, {top}");
        }
        let (cut, whole) = (written(36, 0, "HHHH"), written(0, 0, "H"));
        for (line, known) in cut.pixels.chunks_exact(120).zip(whole.pixels.chunks_exact(120)) {
            assert_eq!(line[36 * 3..], known[..4 * 3]);
        }
        let lower = written(0, 8, "H");
        assert!(lower.pixels[8 * 120..] == whole.pixels[..8 * 120] && !changed(&lower).is_empty());
        let mut grey = Image::filled(9, 9, PAPER).into_grey();
        text(&mut grey, 0, 0, [255; 3], "H");
        assert_eq!(grey, Image::filled(9, 9, PAPER).into_grey());
    }
}
