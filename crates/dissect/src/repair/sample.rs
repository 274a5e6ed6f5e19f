//! Images as projections: real ones, and those of the generator with and without units.

use super::RepairSettings;
use crate::subject::Subject;
use base::watch::Watch;
use data::{Dataset, Image};
use metrics::swd::{Projections, Projector, Reference, Slicing};
use net::{Edit, Result, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// Images that go through the generator at a time. Part of no result.
pub(crate) const BATCH: usize = 16;
/// Real images that are read at a time.
const READ: u64 = 64;
/// Fields on a side, by whose mean colours the real images are found that are most like another.
const CELLS: usize = 8;

/// What is kept of an image.
pub(crate) struct Seen {
    patches: Projections,
    /// The mean colours of [`CELLS`] x [`CELLS`] fields.
    layout: Vec<f32>,
}

/// The real images.
pub(crate) struct Real {
    reference: Reference,
    seen: Vec<Seen>,
    shape: [usize; 3],
}

/// Refuses images of a shape of which there would be too many to be kept: `wanted` of what [`Seen`] keeps, and `read` real ones that
/// are read together.
pub(crate) fn check_memory(who: &str, shape: [usize; 3], [wanted, read]: [u64; 2], network: u64) -> Result<()> {
    let Slicing { patches, directions, .. } = Slicing::default();
    let [channels, height, width] = shape.map(|length| length as u64);
    // The pyramid goes down to 16 pixels.
    let levels = u64::from((height.min(width) / 16).max(1).ilog2()) + 1;
    let of_seen = 4 * (levels * (patches * directions) as u64 + channels * (CELLS * CELLS) as u64);
    let needed = wanted
        .saturating_mul(of_seen)
        .saturating_add(read.saturating_mul(channels * height * width))
        .saturating_add(network);
    Ok(base::memory::check(who, needed, "Take fewer images.")?)
}

impl Real {
    /// The real images `0 .. real_samples`; `None` when the watcher wanted it to end.
    pub(crate) fn open(real: &Dataset, settings: &RepairSettings, watch: &mut dyn Watch) -> Result<Option<Self>> {
        let Some(images) = read(real, 0..settings.real_samples, watch)? else { return Ok(None) };
        let shape = images.first().map_or([1; 3], |image| [image.channels, image.height, image.width]);
        let slicing = Slicing { seed: settings.seed, ..Slicing::default() };
        let projector = Projector::new(shape, slicing, images.iter().map(Image::to_floats));
        let seen: Vec<Seen> = see(&projector, shape, &images, 0);
        let reference = Reference::new(projector, seen.iter().map(|image| &image.patches));
        Ok(Some(Self { reference, seen, shape }))
    }

    /// Other images of the same source; `None` when the watcher wanted it to end.
    pub(crate) fn others(&self, real: &Dataset, range: Range<u64>, watch: &mut dyn Watch) -> Result<Option<Vec<Seen>>> {
        let first = range.start;
        Ok(read(real, range, watch)?.map(|images| see(self.reference.projector(), self.shape, &images, first)))
    }

    /// A batch of generated images; each by its seed. They are rounded to bytes, as real images are.
    pub(crate) fn see(&self, images: &Tensor, seeds: &[u64]) -> Vec<Seen> {
        let values = images.to_vec();
        let size = values.len() / seeds.len();
        let each = |(&seed, image): (&u64, &[f32])| {
            let rounded: Vec<f32> = image.iter().map(|&v| f32::from(data::byte_of(v)) / 127.5 - 1.0).collect();
            Seen { patches: self.reference.projector().project(&rounded, seed), layout: layout(&rounded, self.shape) }
        };
        seeds.par_iter().zip(values.par_chunks_exact(size)).map(each).collect()
    }

    /// How far some images are from all real ones.
    pub(crate) fn distance(&self, images: &[&Seen]) -> f64 {
        self.reference.for_sets_of(images.len()).distance(&patches(images))
    }

    /// How far some images are from the real ones that are most like them ([`Real::most_like`] of each).
    pub(super) fn distance_to_alike(&self, images: &[&Seen]) -> f64 {
        let alike: Vec<&Seen> = images.par_iter().map(|image| &self.seen[self.most_like(image)]).collect();
        self.reference.projector().between(&patches(images), &patches(&alike))
    }

    /// The number of the real image whose colours are laid out most like an image's; of equals the first.
    pub(super) fn most_like(&self, image: &Seen) -> usize {
        let apart = |real: &Seen| real.layout.iter().zip(&image.layout).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let nearer = |best: (usize, f32), (at, real): (usize, &Seen)| {
            let apart = apart(real);
            if apart < best.1 { (at, apart) } else { best }
        };
        self.seen.iter().enumerate().fold((0, f32::INFINITY), nearer).0
    }
}

fn patches<'a>(images: &[&'a Seen]) -> Vec<&'a Projections> {
    images.iter().map(|image| &image.patches).collect()
}

fn see(projector: &Projector, shape: [usize; 3], images: &[Image], first: u64) -> Vec<Seen> {
    let each = |(at, image): (usize, &Image)| {
        let values = image.to_floats();
        Seen { patches: projector.project(&values, first + at as u64), layout: layout(&values, shape) }
    };
    images.par_iter().enumerate().map(each).collect()
}

/// Means over fields of planes; a plane with fewer pixels on a side has as many fields.
fn layout(image: &[f32], [_, height, width]: [usize; 3]) -> Vec<f32> {
    let (rows, columns) = (height.min(CELLS), width.min(CELLS));
    let mut fields = Vec::new();
    for plane in image.chunks_exact(height * width) {
        for field in 0..rows * columns {
            let (row, column) = (field / columns, field % columns);
            let (top, bottom) = (row * height / rows, (row + 1) * height / rows);
            let (left, right) = (column * width / columns, (column + 1) * width / columns);
            let sum: f32 = (top..bottom).flat_map(|y| &plane[y * width + left..y * width + right]).sum();
            fields.push(sum / ((bottom - top) * (right - left)) as f32);
        }
    }
    fields
}

fn read(real: &Dataset, range: Range<u64>, watch: &mut dyn Watch) -> Result<Option<Vec<Image>>> {
    watch.stage("real images", range.end - range.start);
    let mut images = Vec::new();
    let mut next = range.start;
    while next < range.end {
        let end = (next + READ).min(range.end);
        let batch: base::Result<Vec<Image>> = (next..end).into_par_iter().map(|index| real.image(index)).collect();
        images.extend(batch?);
        watch.step(end - next);
        if watch.stop() {
            return Ok(None);
        }
        next = end;
    }
    Ok(Some(images))
}

/// The maps of the layer, and the images with each of several sets of units switched off. What lies before the layer is computed once.
pub(super) fn versions(subject: &Subject, seeds: &[u64], off: &[&[usize]]) -> Result<(Tensor, Vec<Tensor>)> {
    let layer = &subject.layers()[0].name;
    let (node, output) = (subject.node_of(layer)?, subject.output());
    let axis = subject.program().unit_axis(layer)?;
    let mut run = subject.run(&subject.network().feed(seeds, subject.device()))?;
    let maps = run.fetch_before(&[node], &[output])?.remove(0);
    let images = off.iter().map(|units| {
        let mut rest = run.fork();
        rest.feed(node, &Edit::ablate(layer, units.to_vec()).apply(&maps, axis)?)?;
        rest.fetch_one(output)
    });
    let images = images.collect::<Result<Vec<_>>>()?;
    subject.check(std::slice::from_ref(&maps))?;
    subject.check(&images)?;
    Ok((maps, images))
}

/// The largest activation of each unit in each image of maps `[n, units, h, w]`.
pub(super) fn peaks(maps: &[f32], cells: usize) -> impl Iterator<Item = f32> {
    maps.chunks_exact(cells).map(|map| map.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_the_mean_colour_of_each_field() {
        // 10 pixels in 8 fields: fields 3 and 7 have two of them.
        let image: Vec<f32> = (0..20).map(|v| v as f32).collect();
        let found = layout(&image, [2, 1, 10]);
        assert_eq!(found[..8], [0.0, 1.0, 2.0, 3.5, 5.0, 6.0, 7.0, 8.5]);
        assert_eq!(found[8..], found[..8].iter().map(|v| v + 10.0).collect::<Vec<_>>());
    }
}
