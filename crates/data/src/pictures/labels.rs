//! Label maps in colour, and the legend that explains the colours.

use super::text::{LINE, text, text_width};
use super::{GROUND, INK};
use crate::image::{Class, Image, LabelMap, Plane};

/// A label map in the colours of its classes; indices without a class are black.
pub fn paint_labels(map: &LabelMap, plane: &Plane) -> Image {
    let colour = |&class: &u16| plane.classes.get(usize::from(class)).map_or([0; 3], |c| c.colour);
    let pixels = map.classes.iter().flat_map(colour).collect();
    Image { width: map.width, height: map.height, channels: 3, pixels }
}

/// A title and a coloured box with a name for each class, in lines of at most `width` pixels (at least 64).
pub fn legend(title: &str, classes: &[&Class], width: usize) -> Image {
    let (swatch, gap) = (LINE - 2, 5);
    let width = width.max(64);
    let indent = text_width(title) + 3 * gap;
    let mut places = Vec::new();
    let (mut x, mut y) = (indent, gap);
    for class in classes {
        let length = swatch + gap + text_width(&class.name) + 2 * gap;
        if x + length > width && x > indent {
            (x, y) = (indent, y + LINE + 3);
        }
        places.push((x, y));
        x += length;
    }
    let mut picture = Image::filled(width, y + LINE + gap, GROUND);
    text(&mut picture, gap, gap, INK, title);
    for (class, (x, y)) in classes.iter().zip(places) {
        let box_of_colour = Image::filled(swatch, swatch, class.colour);
        super::grid::paste(&mut picture, &box_of_colour, x, y + 1);
        text(&mut picture, x + swatch + gap, y, INK, &class.name);
    }
    picture
}
