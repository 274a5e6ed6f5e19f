//! What pictures of units are made of: images, and where units are on in them. It is kept while images are counted, so that no image
//! has to be made a second time; what was not kept is made again.

use crate::count::Tally;
use crate::fit::LayerFit;
use crate::subject::{Layer, Subject};
use data::{Image, pictures};
use kernels::Upsampler;
use net::{Result, Tensor};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// The least side of an image in a picture of a unit, in pixels.
pub(crate) const OUTLINED_SIDE: usize = 128;
/// Bytes that are kept at most. Beyond them nothing is kept any more.
const BUDGET: usize = 512 << 20;
/// Images that go through the generator at a time.
const BATCH: usize = 16;
/// Images that are kept in vain at most, before it is seen to which ones are still wanted.
const IN_VAIN: usize = 256;

/// A unit in an image: number of the layer, of the unit, and the image's seed.
pub(crate) type Panel = (usize, usize, u64);

/// Images and where units are on in them.
pub(crate) struct Seen {
    /// One for each layer: from its maps to an image as large as it is shown.
    upsamplers: Vec<Upsampler>,
    levels: Vec<Vec<f32>>,
    cells: Vec<usize>,
    zoom: usize,
    images: HashMap<u64, Image>,
    /// Bits of the pixels of the enlarged image.
    masks: HashMap<Panel, Vec<u64>>,
    budget: usize,
    /// Images that were kept when it was last seen to which ones are wanted.
    wanted: usize,
}

impl Seen {
    /// Nothing yet.
    pub(crate) fn new(subject: &Subject, fits: &[LayerFit]) -> Self {
        let [_, height, width] = subject.image_shape();
        let zoom = zoom_of(subject);
        let upsampler = |layer: &Layer| Upsampler::new(layer.size, [height * zoom, width * zoom]);
        Self {
            upsamplers: subject.layers().iter().map(upsampler).collect(),
            levels: fits.iter().map(|fit| fit.levels.clone()).collect(),
            cells: subject.layers().iter().map(|layer| layer.size[0] * layer.size[1]).collect(),
            zoom,
            images: HashMap::new(),
            masks: HashMap::new(),
            budget: BUDGET,
            wanted: 0,
        }
    }

    /// How many times larger an image is shown.
    pub(crate) fn zoom(&self) -> usize {
        self.zoom
    }

    /// The image of a seed, and the bits where a unit is on in it.
    pub(crate) fn panel(&self, panel: Panel) -> Option<(&Image, &[u64])> {
        Some((self.images.get(&panel.2)?, self.masks.get(&panel)?))
    }

    /// Keeps what of a group of images is now among the top images of some unit.
    pub(crate) fn keep(&mut self, tally: &Tally, seeds: &[u64], maps: &[Tensor], images: &Tensor) -> Result<()> {
        if self.budget == 0 {
            return Ok(());
        }
        let (Some(&first), Some(&last)) = (seeds.first(), seeds.last()) else { return Ok(()) };
        let panels = top_panels(tally).filter(|panel| (first..=last).contains(&panel.2)).collect();
        self.take(panels, seeds, maps, images)?;
        if self.images.len() > 2 * self.wanted + IN_VAIN {
            let panels: HashSet<Panel> = top_panels(tally).collect();
            let seeds: HashSet<u64> = panels.iter().map(|panel| panel.2).collect();
            self.masks.retain(|panel, _| panels.contains(panel));
            self.images.retain(|seed, _| seeds.contains(seed));
            self.wanted = self.images.len();
            if self.bytes() > self.budget {
                (self.images, self.masks, self.budget) = (HashMap::new(), HashMap::new(), 0);
            }
        }
        Ok(())
    }

    /// Makes what is missing of some panels.
    pub(crate) fn complete(&mut self, subject: &Subject, panels: &[Panel]) -> Result<()> {
        let mut by_seed: HashMap<u64, Vec<Panel>> = HashMap::new();
        for panel in panels.iter().filter(|panel| self.panel(**panel).is_none()) {
            by_seed.entry(panel.2).or_default().push(*panel);
        }
        let mut seeds: Vec<u64> = by_seed.keys().copied().collect();
        seeds.sort_unstable();
        for batch in seeds.chunks(BATCH) {
            let (maps, images) = subject.maps_and_images(batch)?;
            let panels = batch.iter().flat_map(|seed| by_seed[seed].iter().copied()).collect();
            self.take(panels, batch, &maps, &images)?;
        }
        Ok(())
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.images, self.masks) = (HashMap::new(), HashMap::new());
    }

    /// How many panels may be complete at once, if each needs an image of its own.
    pub(crate) fn panels_at_once(&self, subject: &Subject) -> usize {
        let image: usize = subject.image_shape().iter().product();
        (BUDGET / (image + 8 * self.words())).max(1)
    }

    fn words(&self) -> usize {
        self.upsamplers.first().map_or(0, |upsampler| kernels::words(upsampler.target().iter().product()))
    }

    fn bytes(&self) -> usize {
        let images: usize = self.images.values().map(|image| image.pixels.len()).sum();
        images + 8 * self.words() * self.masks.len()
    }

    fn take(&mut self, panels: Vec<Panel>, seeds: &[u64], maps: &[Tensor], images: &Tensor) -> Result<()> {
        let maps: Vec<_> = maps.iter().map(Tensor::numbers).collect();
        let values = images.numbers();
        let size = values.len() / seeds.len().max(1);
        let mut wanted: Vec<u64> = panels.iter().map(|panel| panel.2).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for seed in wanted {
            let Ok(place) = seeds.binary_search(&seed) else { continue };
            let shape = [&[1], &images.shape()[1..]].concat();
            let image = pictures::from_batch(&shape, &values[place * size..][..size])?.remove(0);
            self.images.insert(seed, image.into_rgb());
        }
        let words = self.words();
        let mask = |panel: Panel| {
            let ((layer, unit, seed), mut mask) = (panel, vec![0; words]);
            let (cells, levels) = (self.cells[layer], &self.levels[layer]);
            let place = seeds.binary_search(&seed).ok()? * levels.len() + unit;
            self.upsamplers[layer].pack_above(&maps[layer][place * cells..][..cells], levels[unit], &mut mask);
            Some((panel, mask))
        };
        let made: Vec<_> = panels.into_par_iter().filter_map(mask).collect();
        self.masks.extend(made);
        Ok(())
    }
}

/// How many times larger images are shown in pictures of units.
pub(crate) fn zoom_of(subject: &Subject) -> usize {
    let [_, height, width] = subject.image_shape();
    OUTLINED_SIDE.div_ceil(height.min(width)).max(1)
}

fn top_panels(tally: &Tally) -> impl Iterator<Item = Panel> {
    let of_layer = |(layer, counts): (usize, &'_ crate::count::LayerTally)| {
        let of_unit = move |(unit, top): (usize, &Vec<crate::count::Top>)| {
            top.iter().map(move |top| (layer, unit, top.seed)).collect::<Vec<_>>()
        };
        counts.top.iter().enumerate().flat_map(of_unit).collect::<Vec<_>>()
    };
    tally.layers.iter().enumerate().flat_map(of_layer)
}
