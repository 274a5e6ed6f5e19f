//! What people look at: for each unit the images that activate it most.

use crate::edit::Sheet;
use crate::find::Findings;
use crate::fit::LayerFit;
use crate::subject::{Layer, Subject};
use crate::watch::Watch;
use base::files;
use data::pictures::{grid, png, zoomed};
use data::{Image, pictures};
use kernels::Upsampler;
use net::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Units whose top images are in memory at the same time.
const UNITS_AT_A_TIME: usize = 32;
/// Images that go through the generator at a time.
const BATCH: usize = 16;
/// The least side of an image in a picture of a unit, in pixels.
pub(crate) const OUTLINED_SIDE: usize = 128;
/// Pixels around the images in a picture of a unit.
pub const PICTURE_GAP: usize = 4;
/// The outline of where a unit is on.
const OUTLINE: [u8; 3] = [255, 214, 10];

/// Where the picture of a unit lies: its top images in one row, the strongest first, [`PICTURE_GAP`] pixels around each.
pub fn unit_picture(folder: &Path, layer: &str, unit: usize) -> PathBuf {
    folder_of_units(folder, layer).join(format!("{unit}.png"))
}

fn folder_of_units(folder: &Path, layer: &str) -> PathBuf {
    folder.join("units").join(file_name(layer))
}

/// `units/LAYER/UNIT.png`: the unit's top images, dark and outlined where it is off and on.
pub(crate) fn units(
    folder: &Path,
    subject: &Subject,
    fits: &[LayerFit],
    findings: &Findings,
    watch: &mut dyn Watch,
) -> Result<()> {
    let total = findings.layers.iter().map(|layer| layer.units.len() as u64).sum();
    watch.stage("pictures of units", total);
    for (place, layer) in findings.layers.iter().enumerate() {
        files::create_folder(folder_of_units(folder, &layer.layer))?;
        for units in layer.units.chunks(UNITS_AT_A_TIME) {
            let wanted: Vec<(u64, usize)> =
                units.iter().flat_map(|unit| unit.top.iter().map(|top| (top.seed, unit.unit))).collect();
            let panels = panels(subject, place, &fits[place], &wanted)?;
            units.par_iter().try_for_each(|unit| {
                let strip: Vec<Image> =
                    unit.top.iter().filter_map(|top| panels.get(&(top.seed, unit.unit))).cloned().collect();
                if strip.is_empty() {
                    return Ok(());
                }
                let picture = grid(&strip, strip.len(), PICTURE_GAP)?;
                files::write_atomic(unit_picture(folder, &layer.layer, unit.unit), &png(&picture)?)
            })?;
            watch.step(units.len() as u64);
        }
    }
    Ok(())
}

/// The panel of each (seed, unit) of a layer.
fn panels(
    subject: &Subject,
    layer: usize,
    fit: &LayerFit,
    wanted: &[(u64, usize)],
) -> Result<BTreeMap<(u64, usize), Image>> {
    let mut seeds: Vec<u64> = wanted.iter().map(|w| w.0).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let [_, height, width] = subject.image_shape();
    let zoom = OUTLINED_SIDE.div_ceil(height.min(width)).max(1);
    let Layer { units, size, .. } = subject.layers()[layer];
    let upsampler = Upsampler::new(size, [height * zoom, width * zoom]);
    let cells = size[0] * size[1];
    let mut found = BTreeMap::new();
    for batch in seeds.chunks(BATCH) {
        let (maps, images) = subject.maps_and_images(batch)?;
        let images = pictures::from_batch(images.shape(), &images.to_vec())?;
        let maps = maps.get(layer).map(net::Tensor::to_vec).unwrap_or_default();
        let here: Vec<(usize, u64, usize)> = wanted
            .iter()
            .filter_map(|&(seed, unit)| Some((batch.iter().position(|&s| s == seed)?, seed, unit)))
            .collect();
        let made: Vec<_> = here
            .par_iter()
            .map(|&(image, seed, unit)| {
                let map = &maps[(image * units + unit) * cells..][..cells];
                let large = zoomed(&images[image].clone().into_rgb(), zoom);
                ((seed, unit), outlined(large, map, fit.levels[unit], &upsampler))
            })
            .collect();
        found.extend(made);
    }
    Ok(found)
}

/// An image, darkened where a unit is off, with a line around where it is on.
pub(crate) fn outlined(mut image: Image, map: &[f32], level: f32, upsampler: &Upsampler) -> Image {
    let mut fine = vec![0.0; image.width * image.height];
    upsampler.upsample(map, &mut fine);
    let on = |x: usize, y: usize| fine[y * image.width + x] > level;
    let (width, height) = (image.width, image.height);
    let edge = |x: usize, y: usize| {
        let near = |x: usize, y: usize| x < width && y < height && !on(x, y);
        on(x, y) && (near(x.wrapping_sub(1), y) || near(x + 1, y) || near(x, y.wrapping_sub(1)) || near(x, y + 1))
    };
    for y in 0..height {
        for x in 0..width {
            let pixel = &mut image.pixels[(y * width + x) * 3..][..3];
            if edge(x, y) {
                pixel.copy_from_slice(&OUTLINE);
            } else if !on(x, y) {
                pixel.iter_mut().for_each(|v| *v = (u16::from(*v) * 2 / 5) as u8);
            }
        }
    }
    image
}

/// A row before, a row after, a row of differences (grey is none), as [`Sheet`] says.
///
/// # Errors
/// There are no images, or they would make too large a picture.
pub fn comparison_sheet(before: &[Image], after: &[Image]) -> base::Result<Image> {
    let sheet = Sheet::new(before.len(), before.first().map_or([0; 2], |image| [image.width, image.height]));
    let columns = sheet.columns;
    let mut cells: Vec<Image> = Vec::new();
    for (before, after) in before.chunks(columns).zip(after.chunks(columns)) {
        let differences: Vec<Image> = before.iter().zip(after).map(|(a, b)| difference(a, b)).collect();
        for row in [before, after, &differences] {
            // The last row of a long list is filled up, so that the next kind begins a row of its own.
            let blank = Image::filled(row[0].width, row[0].height, pictures::GROUND);
            cells.extend(row.iter().cloned().chain(std::iter::repeat_n(blank, columns - row.len())));
        }
    }
    let cells: Vec<Image> = cells.iter().map(|cell| zoomed(cell, sheet.zoom)).collect();
    grid(&cells, columns, sheet.gap)
}

fn difference(before: &Image, after: &Image) -> Image {
    let change = |(&a, &b): (&u8, &u8)| (128 + (i16::from(b) - i16::from(a)) / 2).clamp(0, 255) as u8;
    Image { pixels: before.pixels.iter().zip(&after.pixels).map(change).collect(), ..before.clone() }
}

/// A layer's name as part of a file name: letters, digits, `.`, `_` and `-`; others become `_`.
pub(crate) fn file_name(layer: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = layer.chars().map(safe).collect();
    // `.` and `..` are folders already.
    if name.trim_matches('.').is_empty() { format!("_{name}") } else { name }
}
