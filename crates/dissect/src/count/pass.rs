//! One group of images through everything that is counted.

use crate::concepts::{Concepts, Rows};
use crate::count::{BLOCKS, ROTATIONS, Tally, Top};
use crate::fit::LayerFit;
use crate::subject::Subject;
use data::LabelMap;
use kernels::Upsampler;
use net::{Result, Tensor};
use rayon::prelude::*;
use segment::Segment;
use std::ops::Range;

/// Everything that a group of images needs to be counted.
pub(crate) struct Counter<'a> {
    subject: &'a Subject,
    segmenter: &'a dyn Segment,
    concepts: &'a Concepts,
    fits: &'a [LayerFit],
    upsamplers: Vec<Upsampler>,
}

/// What one image adds to a layer.
struct Counted {
    /// `[units][rows]`.
    both: Vec<u64>,
    /// `[units]`.
    on: Vec<u64>,
    /// `[units]`: the largest activation.
    max: Vec<f32>,
}

impl Counted {
    /// Counts the maps of one image against rows of label bits.
    fn new(upsampler: &Upsampler, levels: &[f32], maps: &[f32], rows: &[u64]) -> Self {
        let [height, width] = upsampler.target();
        let rows_per_unit = rows.len() / kernels::words(height * width).max(1);
        let mut both = vec![0; levels.len() * rows_per_unit];
        let mut on = vec![0; levels.len()];
        kernels::tally(upsampler, maps, levels, rows, &mut both, &mut on);
        let largest = |map: &[f32]| map.iter().copied().fold(f32::MIN, f32::max);
        Self { both, on, max: maps.chunks_exact(maps.len() / levels.len()).map(largest).collect() }
    }
}

impl<'a> Counter<'a> {
    pub(crate) fn new(
        subject: &'a Subject,
        segmenter: &'a dyn Segment,
        concepts: &'a Concepts,
        fits: &'a [LayerFit],
    ) -> Self {
        let [_, height, width] = subject.image_shape();
        let upsamplers = subject.layers().iter().map(|l| Upsampler::new(l.size, [height, width])).collect();
        Self { subject, segmenter, concepts, fits, upsamplers }
    }

    /// Generates the images of a group of seeds once, segments them once, and counts every unit of every layer against every
    /// concept of its own image, and against those of [`ROTATIONS`] other images of the group for the chance level.
    pub(crate) fn count(&self, seeds: Range<u64>, tally: &mut Tally) -> Result<()> {
        let seeds: Vec<u64> = seeds.collect();
        let (maps, images) = self.subject.maps_and_images(&seeds)?;
        let labels = self.segmenter.segment(&images)?;
        let rows: Vec<Rows> = labels.par_iter().map(|planes| self.concepts.rows(planes)).collect();

        let has_partners = seeds.len() > ROTATIONS;
        for (&seed, rows) in seeds.iter().zip(&rows) {
            let block = (seed % BLOCKS as u64) as usize;
            tally.images[block] += 1;
            tally.chance_images += u64::from(has_partners);
            for (concept, pixels) in rows.sizes() {
                tally.labels[block * self.concepts.list().len() + concept] += pixels;
                tally.chance_labels[concept] += if has_partners { pixels } else { 0 };
            }
        }
        for (layer, maps) in maps.iter().enumerate() {
            self.count_layer(layer, maps, &seeds, &rows, tally);
        }
        tally.groups += 1;
        Ok(())
    }

    fn count_layer(&self, layer: usize, maps: &Tensor, seeds: &[u64], rows: &[Rows], tally: &mut Tally) {
        let (n, units) = (seeds.len(), self.fits[layer].levels.len());
        // Table 0 is the image's own; table r is that of the image r places further in the group.
        let tables = if n > ROTATIONS { ROTATIONS + 1 } else { 1 };
        let partner = |image: usize, table: usize| &rows[(image + table) % n];
        let values = maps.to_vec();
        let size = values.len() / n;
        let (upsampler, levels) = (&self.upsamplers[layer], self.fits[layer].levels.as_slice());
        let counted: Vec<Counted> = (0..n)
            .into_par_iter()
            .map(|image| {
                let bits: Vec<u64> = (0..tables).flat_map(|table| partner(image, table).bits.iter().copied()).collect();
                Counted::new(upsampler, levels, &values[image * size..][..size], &bits)
            })
            .collect();

        let concepts = self.concepts.list().len();
        for (image, counted) in counted.iter().enumerate() {
            let block = (seeds[image] % BLOCKS as u64) as usize;
            let width = counted.both.len() / units;
            for unit in 0..units {
                let to = &mut tally.layers[layer];
                to.on[block * units + unit] += counted.on[unit];
                if tables > 1 {
                    to.chance_on[unit] += counted.on[unit];
                }
                if counted.on[unit] > 0 {
                    let mut found = counted.both[unit * width..][..width].iter();
                    for table in 0..tables {
                        for (&concept, pixels) in partner(image, table).concepts.iter().zip(&mut found) {
                            match table.checked_sub(1) {
                                None => to.both[(block * units + unit) * concepts + concept] += pixels,
                                Some(r) => to.chance_both[(r * units + unit) * concepts + concept] += pixels,
                            }
                        }
                    }
                }
                tally.keep_top(layer, unit, Top { max: counted.max[unit], seed: seeds[image] });
            }
        }
    }

    /// Segments real images, whose classes are compared with those of the generated ones. `first` is the number of the first.
    pub(crate) fn count_real(&self, first: u64, images: &Tensor, tally: &mut Tally) -> Result<()> {
        for (number, planes) in (first..).zip(self.segmenter.segment(images)?) {
            let block = (number % BLOCKS as u64) as usize;
            tally.real_images[block] += 1;
            self.add_real(block, &planes, tally);
        }
        tally.groups += 1;
        Ok(())
    }

    fn add_real(&self, block: usize, planes: &[LabelMap], tally: &mut Tally) {
        for (concept, pixels) in self.concepts.rows(planes).sizes() {
            tally.real_labels[block * self.concepts.list().len() + concept] += pixels;
        }
    }
}
