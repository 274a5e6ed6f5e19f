//! One group of images through everything that is counted.

use crate::concepts::{Concepts, Rows};
use crate::count::{BLOCKS, LayerTally, ROTATIONS, Tally, Top};
use crate::fit::LayerFit;
use crate::show::seen::Seen;
use crate::subject::Subject;
use data::LabelMap;
use kernels::Upsampler;
use net::{Device, Result, Tensor};
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

/// A group of images whose labels are known.
struct Group<'a> {
    seeds: &'a [u64],
    /// For each image the label bits of all its tables, row after row.
    bits: Vec<Vec<u64>>,
    /// For each image and table, the concepts of the rows.
    concepts: Vec<Vec<&'a [usize]>>,
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
        Self { both, on, max: maps.chunks_exact(maps.len() / levels.len()).map(largest).collect() }
    }
}

/// The largest number that is one.
fn largest(map: &[f32]) -> f32 {
    let larger = |most: &mut f32, value: f32| {
        if value > *most {
            *most = value;
        }
    };
    // Lanes beside each other: one after the other would wait for each comparison.
    let (blocks, rest) = map.as_chunks::<16>();
    let mut most = [f32::MIN; 16];
    blocks.iter().for_each(|block| most.iter_mut().zip(block).for_each(|(most, &value)| larger(most, value)));
    most.into_iter().chain(rest.iter().copied()).fold(f32::MIN, f32::max)
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
    /// concept of its own image, and against those of [`ROTATIONS`] other images of the group for the chance level. What pictures will
    /// show of them is kept in `seen`.
    pub(crate) fn count(&self, seeds: Range<u64>, tally: &mut Tally, seen: &mut Seen) -> Result<()> {
        let seeds: Vec<u64> = seeds.collect();
        let (maps, images) = self.subject.maps_and_images(&seeds)?;
        // They are read more than once.
        let maps: Vec<Tensor> = maps.iter().map(|maps| maps.on(&Device::cpu())).collect();
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
        // Table 0 is an image's own; table r is that of the image r places further in the group.
        let tables = if has_partners { ROTATIONS + 1 } else { 1 };
        let images_of_group = seeds.len();
        let partners = |image: usize| (0..tables).map(move |table| (image + table) % images_of_group);
        let bits_of = |image| partners(image).flat_map(|partner| rows[partner].bits.iter().copied()).collect();
        let group = Group {
            bits: (0..seeds.len()).into_par_iter().map(bits_of).collect(),
            concepts: (0..seeds.len())
                .map(|image| partners(image).map(|partner| rows[partner].concepts.as_slice()).collect())
                .collect(),
            seeds: &seeds,
        };
        let (layers, top_images) = tally.layers_mut();
        layers.par_iter_mut().zip(&maps).enumerate().for_each(|(layer, (to, maps))| {
            self.count_layer(layer, maps, &group, to, top_images);
        });
        seen.keep(tally, &seeds, &maps, &images)?;
        tally.groups += 1;
        Ok(())
    }

    fn count_layer(&self, layer: usize, maps: &Tensor, group: &Group, to: &mut LayerTally, top_images: usize) {
        let (n, units) = (group.seeds.len(), self.fits[layer].levels.len());
        let values = maps.numbers();
        let size = values.len() / n;
        let (upsampler, levels) = (&self.upsamplers[layer], self.fits[layer].levels.as_slice());
        let counted: Vec<Counted> = (0..n)
            .into_par_iter()
            .map(|image| Counted::new(upsampler, levels, &values[image * size..][..size], &group.bits[image]))
            .collect();

        let concepts = self.concepts.list().len();
        for (image, counted) in counted.iter().enumerate() {
            let block = (group.seeds[image] % BLOCKS as u64) as usize;
            let tables = &group.concepts[image];
            let width = counted.both.len() / units;
            for unit in 0..units {
                to.on[block * units + unit] += counted.on[unit];
                if tables.len() > 1 {
                    to.chance_on[unit] += counted.on[unit];
                }
                if counted.on[unit] > 0 {
                    let mut found = counted.both[unit * width..][..width].iter();
                    for (table, of_table) in tables.iter().enumerate() {
                        let sums = match table.checked_sub(1) {
                            None => &mut to.both[(block * units + unit) * concepts..][..concepts],
                            Some(r) => &mut to.chance_both[(r * units + unit) * concepts..][..concepts],
                        };
                        of_table.iter().zip(&mut found).for_each(|(&concept, pixels)| sums[concept] += pixels);
                    }
                }
                to.keep_top(unit, Top { max: counted.max[unit], seed: group.seeds[image] }, top_images);
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
