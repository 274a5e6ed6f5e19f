//! Images as projections: real ones, and those of the generator with and without units.

use super::RepairSettings;
use crate::subject::Subject;
use crate::watch::Watch;
use data::{Dataset, Image};
use metrics::swd::{Projections, Projector, Reference, Slicing};
use net::{Edit, Result, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// Images that go through the generator at a time. Part of no result.
pub(super) const BATCH: usize = 16;
/// Real images that are read at a time.
const READ: u64 = 64;

/// The real images `0 .. real_samples`; `None` when the watcher wanted it to end.
pub(super) fn reference(real: &Dataset, settings: &RepairSettings, watch: &mut dyn Watch) -> Result<Option<Reference>> {
    let Some(images) = read(real, 0..settings.real_samples, watch)? else { return Ok(None) };
    let shape = images.first().map_or([1; 3], |image| [image.channels, image.height, image.width]);
    let slicing = Slicing { seed: settings.seed, ..Slicing::default() };
    let projector = Projector::new(shape, slicing, images.iter().map(Image::to_floats));
    let projections = projected(&projector, &images, 0);
    Ok(Some(Reference::new(projector, &projections)))
}

/// Some real images as the reference sees them.
pub(super) fn real(
    real: &Dataset,
    range: Range<u64>,
    projector: &Projector,
    watch: &mut dyn Watch,
) -> Result<Option<Vec<Projections>>> {
    let first = range.start;
    Ok(read(real, range, watch)?.map(|images| projected(projector, &images, first)))
}

fn projected(projector: &Projector, images: &[Image], first: u64) -> Vec<Projections> {
    let each = |(at, image): (usize, &Image)| projector.project(&image.to_floats(), first + at as u64);
    images.par_iter().enumerate().map(each).collect()
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
    let mut run = subject.run(&subject.network().latents(seeds, subject.device()))?;
    let maps = run.fetch_before(&[node], &[output])?.remove(0);
    let images = off.iter().map(|units| {
        let mut rest = run.fork();
        rest.feed(node, &Edit::ablate(layer, units.to_vec()).apply(&maps)?)?;
        Ok(rest.fetch(&[output])?.remove(0))
    });
    let images = images.collect::<Result<_>>()?;
    Ok((maps, images))
}

/// A batch of generated images as the reference sees them; each by its seed. They are rounded to bytes, as real images are.
pub(super) fn project(projector: &Projector, images: &Tensor, seeds: &[u64]) -> Vec<Projections> {
    let values = images.to_vec();
    let size = values.len() / seeds.len();
    let each = |(&seed, image): (&u64, &[f32])| {
        let rounded: Vec<f32> = image.iter().map(|&v| f32::from(data::byte_of(v)) / 127.5 - 1.0).collect();
        projector.project(&rounded, seed)
    };
    seeds.par_iter().zip(values.par_chunks_exact(size)).map(each).collect()
}

/// The largest activation of each unit in each image of maps `[n, units, h, w]`.
pub(super) fn peaks(maps: &[f32], cells: usize) -> impl Iterator<Item = f32> {
    maps.chunks_exact(cells).map(|map| map.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}
