//! One picture that shows what a data set is.

use super::scatter::{Cloud, scatter};
use super::text::{LINE, text, text_width};
use super::{INK, grid, legend, paint_labels, stack, zoomed};
use crate::dataset::Dataset;
use crate::image::{Class, Image, LabelMap, MAX_SIDE, Plane};
use base::{Error, Result};
use std::collections::BTreeSet;

/// Cells are magnified to about this many pixels.
const CELL: usize = 64;
const PADDING: usize = 2;

/// A picture of `n` items of a data set, spread evenly over it, in rows of `columns`.
///
/// Images of a set with label maps have these below them in colour, and a legend names the classes that occur. Images
/// with classes have the names of these below them. Points are shown in a scatter plot.
///
/// # Errors
/// `n` or `columns` is 0, an image cannot be read, or the picture would be larger than 8192x8192 pixels.
pub fn preview(set: &Dataset, n: usize, columns: usize) -> Result<Image> {
    if n == 0 || columns == 0 {
        return Err(Error::setting("preview", format!("of {n} images in {columns} columns would be empty")));
    }
    if set.toy().is_some() {
        return points(set, n);
    }
    let n = n.min(set.len().unwrap_or(n));
    let columns = columns.min(n);
    // Known before the work is done: grid and stack would refuse it afterwards.
    if let [_, height, width] = *set.shape() {
        let tall = n.div_ceil(columns).saturating_mul(height).saturating_mul(1 + set.planes().len());
        if tall > MAX_SIDE || columns.saturating_mul(width) > MAX_SIDE {
            return Err(Error::setting("preview", format!("of {n} images in {columns} columns would be too large"))
                .with_hint("Ask for fewer images, or for another number of columns."));
        }
    }
    let index = |k: usize| set.len().map_or(k, |len| (k as u128 * len as u128 / n as u128) as usize) as u64;
    let cell = |k: usize| {
        let (image, maps) = set.image_with_maps(index(k))?;
        let name = |label: u32| set.label_names().get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        Ok(Labelled { image, maps, caption: set.label(index(k)).map(name) })
    };
    labelled(&(0..n).map(cell).collect::<Result<Vec<_>>>()?, set.planes(), columns)
}

/// A picture with what is known of it.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The picture.
    pub image: Image,
    /// What is where in it. Map number i is of plane number i, and goes on from the first plane where there are more maps
    /// than planes: the truth, then what a segmenter said.
    pub maps: Vec<LabelMap>,
    /// A line below it.
    pub caption: Option<String>,
}

/// Pictures in rows of `columns`, their label maps in colour below each, and a legend of the classes that occur.
///
/// # Errors
/// There is no picture or column, or the result would be larger than 8192x8192 pixels.
pub fn labelled(pictures: &[Labelled], planes: &[Plane], columns: usize) -> Result<Image> {
    let mut occurring = vec![BTreeSet::<u16>::new(); planes.len()];
    let mut cells = Vec::with_capacity(pictures.len());
    for Labelled { image, maps, caption: words } in pictures {
        let factor = (CELL / image.height.max(image.width)).max(1);
        let mut parts = vec![zoomed(image, factor)];
        for (i, map) in maps.iter().enumerate().filter(|_| !planes.is_empty()) {
            let plane = i % planes.len();
            parts.push(zoomed(&paint_labels(map, &planes[plane]), factor));
            occurring[plane].extend(&map.classes);
        }
        if let Some(words) = words {
            parts.push(caption(words, parts[0].width));
        }
        cells.push(if parts.len() == 1 { parts.remove(0) } else { stack(&parts, 1)? });
    }
    let sheet = grid(&cells, columns, PADDING)?;
    let legends = planes.iter().zip(&occurring).map(|(plane, occurring)| {
        let known: Vec<&Class> = plane
            .classes
            .iter()
            .enumerate()
            .filter(|(i, _)| occurring.contains(&(*i as u16)))
            .map(|(_, c)| c)
            .collect();
        legend(&plane.name, &known, sheet.width.max(320))
    });
    let parts: Vec<Image> = std::iter::once(sheet.clone()).chain(legends).collect();
    if parts.len() == 1 { Ok(sheet) } else { stack(&parts, 0) }
}

/// A line with as much of a name as fits.
fn caption(name: &str, width: usize) -> Image {
    let mut line = Image::filled(width, LINE, super::GROUND);
    let fits: String = name.chars().take(width / text_width("x")).collect();
    text(&mut line, 0, 0, INK, &fits);
    line
}

fn points(set: &Dataset, n: usize) -> Result<Image> {
    let points: Vec<f32> = (0..n.min(1_000_000) as u64).map(|i| set.values(i)).collect::<Result<Vec<_>>>()?.concat();
    let range = points.iter().fold(0.0f32, |range, v| range.max(v.abs())) * 1.1;
    Ok(scatter(&[Cloud { points: &points, colour: [110, 200, 255] }], 512, range.max(0.1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Options, open};

    #[test]
    fn a_preview_of_scenes_has_three_rows_of_pictures_and_two_legends() {
        let set = open("scenes", &Options::default()).unwrap();
        let picture = preview(&set, 6, 6).unwrap();
        assert_eq!(picture.width, 6 * (64 + PADDING) + PADDING);
        assert!(picture.height > 3 * 64 + 2 * LINE, "{}", picture.height);
        assert_eq!(picture, preview(&set, 6, 99).unwrap());
    }

    #[test]
    fn points_are_scattered() {
        let set = open("ring8", &Options::default()).unwrap();
        let picture = preview(&set, 500, 1).unwrap();
        let bright = picture.pixels.as_chunks::<3>().0.iter().filter(|p| p[2] > 150).count();
        assert!((100..20_000).contains(&bright), "{bright}");
    }

    #[test]
    fn an_empty_or_giant_preview_is_refused() {
        let set = open("scenes", &Options::default()).unwrap();
        for (n, columns) in [(0, 1), (1, 0), (1_000_000, 1), (150, 150)] {
            assert!(preview(&set, n, columns).is_err(), "{n} in {columns}");
        }
    }
}
