//! Pictures in a page: the top images of units, and pairs cut out of the sheet of an edit.

use crate::html::{Html, markup, text};
use base::{Error, Result, files};
use data::{Crop, Image, MAX_BYTES, Size, pictures};
use dissect::{PICTURE_GAP, Sheet};
use std::path::Path;

/// The largest side of one image in a page, in pixels.
const SIDE: usize = 128;
/// Pixels between the images of a unit.
const GAP: usize = 2;
/// The quality of JPEGs: outlines stay sharp, and a picture takes a quarter of its PNG.
const QUALITY: u8 = 75;

/// A picture in a page.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Its address.
    pub(crate) source: Html,
    /// Its width in pixels.
    pub(crate) width: usize,
    /// Its height in pixels.
    pub(crate) height: usize,
}

impl Picture {
    fn photo(image: &Image) -> Result<Self> {
        let source = Html::data_uri("image/jpeg", &pictures::jpeg(image, QUALITY)?);
        Ok(Self { source, width: image.width, height: image.height })
    }

    /// Pixels that come out as they are.
    fn exact(image: &Image) -> Result<Self> {
        let source = Html::data_uri("image/png", &pictures::png(image)?);
        Ok(Self { source, width: image.width, height: image.height })
    }
}

/// A picture as an element of the page.
pub(crate) fn element(picture: Picture, alt: &str) -> Html {
    markup(
        "<img src=\"{}\" width=\"{}\" height=\"{}\" decoding=\"async\" alt=\"{}\">",
        &[picture.source, text(picture.width), text(picture.height), text(alt)],
    )
}

/// Reads an image.
fn read(path: &Path) -> Result<Image> {
    data::decode(&files::read(path, MAX_BYTES)?, path)
}

/// The first `wanted` of the `there` images in the picture of a unit, in rows of four.
pub(crate) fn of_unit(path: &Path, there: usize, wanted: usize) -> Result<Picture> {
    let strip = read(path)?.into_rgb();
    let (width, height) = (strip.width.saturating_sub(PICTURE_GAP), strip.height.saturating_sub(2 * PICTURE_GAP));
    if there == 0 || height == 0 || !width.is_multiple_of(there) || width / there <= PICTURE_GAP {
        let reason = format!("is not the picture of a unit: {there} images do not make {} pixels", strip.width);
        return Err(Error::file(path, reason));
    }
    let step = width / there;
    let panels: Vec<Image> = (0..wanted.min(there))
        .map(|i| part(&strip, PICTURE_GAP + i * step, PICTURE_GAP, step - PICTURE_GAP, height))
        .map(|panel| if panel.width.max(panel.height) > SIDE { shrunk(panel) } else { panel })
        .collect();
    Picture::photo(&pictures::grid(&panels, 4, GAP)?)
}

/// A picture that is larger than the page shows it.
fn shrunk(image: Image) -> Image {
    // Both sides by one factor, so that the picture keeps its form.
    let longer = image.width.max(image.height);
    let [width, height] = [image.width, image.height].map(|side| ((2 * side * SIDE + longer) / (2 * longer)).max(1));
    data::to_size(image, Size { width, height }, Crop::Stretch)
}

/// The images of a sheet's first rows, before and after, in pixels of the images themselves.
pub(crate) fn pairs(path: &Path, sheet: &Sheet) -> Result<Vec<[Picture; 2]>> {
    let image = read(path)?;
    let [width, height] = sheet.cell;
    let wrong = || Error::file(path, "is not the sheet that edit.json describes");
    let (columns, zoom) = (sheet.columns, sheet.zoom.max(1));
    let reach = |count: usize, cell: usize| count.checked_mul(cell.checked_add(sheet.gap)?)?.checked_add(sheet.gap);
    let fits = reach(columns, width).is_some_and(|w| w == image.width)
        && reach(3, height).is_some_and(|h| h <= image.height)
        && columns > 0
        && width >= zoom
        && height >= zoom;
    if !fits {
        return Err(wrong());
    }
    let cell = |column: usize, row: usize| {
        let (left, top) = (sheet.gap + column * (width + sheet.gap), sheet.gap + row * (height + sheet.gap));
        Picture::exact(&thinned(&part(&image, left, top, width, height), zoom))
    };
    (0..columns.min(sheet.shown)).map(|column| Ok([cell(column, 0)?, cell(column, 1)?])).collect()
}

/// A whole picture as it is.
pub(crate) fn whole(path: &Path) -> Result<Picture> {
    Picture::exact(&read(path)?)
}

/// A whole picture, for looking at.
pub(crate) fn photo(path: &Path) -> Result<Picture> {
    Picture::photo(&read(path)?)
}

fn part(image: &Image, left: usize, top: usize, width: usize, height: usize) -> Image {
    let row = |y: usize| &image.pixels[((top + y) * image.width + left) * image.channels..][..width * image.channels];
    Image { width, height, channels: image.channels, pixels: (0..height).flat_map(row).copied().collect() }
}

/// Every n-th pixel, which undoes [`pictures::zoomed`].
fn thinned(image: &Image, every: usize) -> Image {
    let (width, height) = (image.width / every, image.height / every);
    let pixel = |x: usize, y: usize| {
        let at = (y * every * image.width + x * every) * image.channels;
        &image.pixels[at..at + image.channels]
    };
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).copied().collect();
    Image { width, height, channels: image.channels, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(image: &Image) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        std::fs::write(&path, pictures::png(image).unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn the_images_of_a_unit_come_in_rows_of_four() {
        let panels: Vec<Image> = (0..6).map(|i| Image::filled(128, 128, [i * 40, 10, 10])).collect();
        let (_folder, path) = saved(&pictures::grid(&panels, 6, PICTURE_GAP).unwrap());
        let picture = of_unit(&path, 6, 5).unwrap();
        assert_eq!((picture.width, picture.height), (4 * 130 + 2, 2 * 130 + 2));
        assert!(picture.source.as_str().starts_with("data:image/jpeg;base64,/9j/"));
        let wrong = of_unit(&path, 5, 5).unwrap_err().to_string();
        assert!(wrong.ends_with("x.png: is not the picture of a unit: 5 images do not make 796 pixels"), "{wrong}");
    }

    #[test]
    fn large_images_are_made_smaller() {
        let (_folder, path) = saved(&pictures::grid(&[Image::filled(256, 256, [9; 3])], 1, PICTURE_GAP).unwrap());
        assert_eq!(of_unit(&path, 1, 8).unwrap().width, 128 + 2 * GAP);
        let (_folder, path) = saved(&pictures::grid(&[Image::filled(300, 100, [9; 3])], 1, PICTURE_GAP).unwrap());
        let picture = of_unit(&path, 1, 8).unwrap();
        assert_eq!((picture.width, picture.height), (128 + 2 * GAP, 43 + 2 * GAP));
    }

    #[test]
    fn a_sheet_comes_apart_into_the_images_it_was_made_of() {
        let image = |v: u8| Image::new(3, 2, 3, (0..18).map(|i| v + i).collect()).unwrap();
        let cells: Vec<Image> = [10, 20, 30, 40, 50, 60].map(|v| pictures::zoomed(&image(v), 2)).into();
        let (_folder, path) = saved(&pictures::grid(&cells, 2, 1).unwrap());
        let sheet = Sheet { shown: 2, columns: 2, cell: [6, 4], zoom: 2, gap: 1 };
        let found = pairs(&path, &sheet).unwrap();
        let png = |v| Html::data_uri("image/png", &pictures::png(&image(v)).unwrap());
        assert_eq!((&found[0][0].source, &found[0][1].source), (&png(10), &png(30)));
        assert_eq!((&found[1][0].source, &found[1][1].source), (&png(20), &png(40)));
        for wrong in [Sheet { columns: 3, ..sheet }, Sheet { cell: [6, 400], ..sheet }, Sheet { zoom: 99, ..sheet }] {
            assert!(
                pairs(&path, &wrong).unwrap_err().to_string().ends_with("is not the sheet that edit.json describes")
            );
        }
    }
}
