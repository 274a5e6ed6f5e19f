//! Words in pictures.

use crate::image::Image;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, Drawable, OriginDimensions, Pixel, Point, Size};
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

const FONT: MonoFont<'static> = FONT_6X10;
/// The height of a line of text, in pixels.
pub const LINE: usize = 12;

/// The width of a word in pixels. Letters outside of Latin 1 are drawn as `?`.
pub fn text_width(words: &str) -> usize {
    words.chars().count() * 6
}

/// Writes on a picture (RGB; grey ones stay as they are), the upper left corner of the first letter at `left`, `top`.
/// What lies outside is cut off.
pub fn text(picture: &mut Image, left: usize, top: usize, colour: [u8; 3], words: &str) {
    let style = MonoTextStyle::new(&FONT, Rgb888::new(colour[0], colour[1], colour[2]));
    let place = Point::new(i32::try_from(left).unwrap_or(i32::MAX), i32::try_from(top).unwrap_or(i32::MAX));
    // Drawing on memory cannot fail.
    let Ok(_) = Text::with_baseline(words, place, style, Baseline::Top).draw(&mut Sheet(picture));
}

struct Sheet<'a>(&'a mut Image);

impl OriginDimensions for Sheet<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.width as u32, self.0.height as u32)
    }
}

impl DrawTarget for Sheet<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && x < self.0.width
                && y < self.0.height
                && self.0.channels == 3
            {
                self.0.pixels[(y * self.0.width + x) * 3..][..3].copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
