//! What people look at: for each unit the images that activate it most.

use super::seen::{Panel, Seen};
use crate::dissection::Dissection;
use crate::edit::Sheet;
use crate::find::Findings;
use crate::subject::Subject;
use base::files;
use base::watch::Watch;
use data::pictures::{grid, quick_png, zoomed};
use data::{Image, pictures};
use net::Result;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Units whose pictures are written between two looks at the watcher.
const UNITS_AT_A_TIME: usize = 64;
/// Pixels around the images in a picture of a unit.
pub const PICTURE_GAP: usize = 4;
/// The outline of where a unit is on.
const OUTLINE: [u8; 3] = [255, 214, 10];

/// A grid of the first images of a dissection, in its folder.
pub const SAMPLES: &str = "samples.png";
/// Images in it, and in a row of it.
const SAMPLED: u64 = 24;
const COLUMNS: usize = 8;

/// Where the picture of a unit lies: its top images in one row, the strongest first, [`PICTURE_GAP`] pixels around each.
pub fn unit_picture(folder: &Path, layer: &str, unit: usize) -> PathBuf {
    folder_of_units(folder, layer).join(format!("{unit}.png"))
}

fn folder_of_units(folder: &Path, layer: &str) -> PathBuf {
    folder.join("units").join(base::file_name(&[layer]))
}

/// `samples.png`: what the generator makes of the first seeds.
pub(crate) fn samples(folder: &Path, subject: &Subject, first: u64, count: u64) -> Result<()> {
    let seeds: Vec<u64> = (first..first.saturating_add(count.min(SAMPLED))).collect();
    let (_, images) = subject.maps_and_images(&seeds)?;
    let images: Vec<Image> = pictures::from_batch(images.shape(), &images.numbers())?;
    Ok(files::write_atomic(folder.join(SAMPLES), &quick_png(&grid(&images, COLUMNS, 2)?)?)?)
}

/// `units/LAYER/UNIT.png`: the unit's top images, dark and outlined where it is off and on.
pub(crate) fn units(
    folder: &Path,
    subject: &Subject,
    findings: &Findings,
    mut seen: Seen,
    watch: &mut dyn Watch,
) -> Result<()> {
    let total = findings.layers.iter().map(|layer| layer.units.len() as u64).sum();
    watch.stage("pictures of units", total);
    let mut pictures: Vec<(PathBuf, Vec<Panel>)> = Vec::new();
    for (place, layer) in findings.layers.iter().enumerate() {
        files::create_folder(folder_of_units(folder, &layer.layer))?;
        for unit in &layer.units {
            let panels = unit.top.iter().map(|top| (place, unit.unit, top.seed)).collect();
            pictures.push((unit_picture(folder, &layer.layer, unit.unit), panels));
        }
    }
    let most = pictures.iter().map(|(_, panels)| panels.len()).max().unwrap_or(0);
    let at_once = (seen.panels_at_once(subject) / most.max(1)).max(UNITS_AT_A_TIME);
    for (round, units) in pictures.chunks(at_once).enumerate() {
        if round > 0 {
            seen.clear();
        }
        let panels: Vec<Panel> = units.iter().flat_map(|(_, panels)| panels.iter().copied()).collect();
        seen.complete(subject, &panels)?;
        for units in units.chunks(UNITS_AT_A_TIME) {
            units.par_iter().try_for_each(|(path, panels)| {
                let strip = strip(&seen, panels);
                if strip.is_empty() {
                    return Ok(());
                }
                files::write_atomic(path, &quick_png(&grid(&strip, strip.len(), PICTURE_GAP)?)?)
            })?;
            watch.step(units.len() as u64);
        }
    }
    Ok(())
}

impl Dissection {
    /// The images that activate a unit of layer number `layer` most, at most `images` of them in one row, dark where the unit is off and
    /// outlined where it is on; none where it is never on. `subject` has the layers of the dissection.
    ///
    /// # Errors
    /// The network cannot be run.
    pub fn picture_of_unit(
        &self,
        subject: &Subject,
        layer: usize,
        unit: usize,
        images: usize,
    ) -> Result<Option<Image>> {
        let mut seen = Seen::new(subject, &self.fits);
        let top = self.tally.layers[layer].top[unit].iter().take(images);
        let panels: Vec<Panel> = top.map(|top| (layer, unit, top.seed)).collect();
        seen.complete(subject, &panels)?;
        let strip = strip(&seen, &panels);
        if strip.is_empty() { Ok(None) } else { Ok(Some(grid(&strip, strip.len(), 0)?)) }
    }
}

/// The images of panels, outlined.
fn strip(seen: &Seen, panels: &[Panel]) -> Vec<Image> {
    let panel = |&panel: &Panel| {
        let (image, mask) = seen.panel(panel)?;
        Some(outlined(zoomed(image, seen.zoom()), mask))
    };
    panels.iter().filter_map(panel).collect()
}

/// An image, darkened where a unit is off, with a line around where it is on: pixel `p` is bit `p % 64` of word `p / 64`.
pub(crate) fn outlined(mut image: Image, mask: &[u64]) -> Image {
    let (width, height) = (image.width, image.height);
    // One byte a pixel, and a border: beyond the image nothing is off.
    let wide = width + 2;
    let mut on = vec![true; wide * (height + 2)];
    for (y, row) in on.chunks_exact_mut(wide).skip(1).take(height).enumerate() {
        for (pixel, on) in (y * width..).zip(&mut row[1..=width]) {
            *on = mask[pixel / 64] >> (pixel % 64) & 1 == 1;
        }
    }
    for (y, row) in image.pixels.chunks_exact_mut(width * 3).enumerate() {
        let [above, here, below] = [y, y + 1, y + 2].map(|y| &on[y * wide..][..wide]);
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            if !here[x + 1] {
                *pixel = pixel.map(|v| (u16::from(v) * 2 / 5) as u8);
            } else if !(here[x] & here[x + 2] & above[x + 1] & below[x + 1]) {
                *pixel = OUTLINE;
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

/// How two pictures of one shape differ: middle grey is no difference.
pub fn difference(before: &Image, after: &Image) -> Image {
    let change = |(&a, &b): (&u8, &u8)| (128 + (i16::from(b) - i16::from(a)) / 2).clamp(0, 255) as u8;
    Image { pixels: before.pixels.iter().zip(&after.pixels).map(change).collect(), ..before.clone() }
}
