//! One group of images through everything that is counted.

use crate::concepts::{Concepts, Rows};
use crate::count::tally::Part;
use crate::count::{BLOCKS, ROTATIONS, Tally, Top};
use crate::fit::LayerFit;
use crate::show::seen::Seen;
use crate::subject::Subject;
use data::LabelMap;
use kernels::{Labels, Upsampler};
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

/// Units of one task: some microseconds for each image.
const UNITS: usize = 32;

/// A group of images whose labels are known.
pub(crate) enum Group {
    /// Images of the generator, with the maps of its layers.
    Made { seeds: Vec<u64>, maps: Vec<Tensor>, images: Tensor, rows: Vec<Rows> },
    /// Real images from this number on.
    Real { first: u64, labels: Vec<Vec<LabelMap>> },
}

/// A group of images that meet each other's labels.
struct Meeting<'a> {
    seeds: &'a [u64],
    /// The concepts of all images.
    labels: Labels,
    /// For each image, the concepts of its part of `labels`.
    concepts: Vec<&'a [usize]>,
    /// Whether every image meets the labels of the others.
    has_partners: bool,
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

    /// Generates the images of a group of seeds once, and segments them once.
    pub(crate) fn make(&self, seeds: Range<u64>) -> Result<Group> {
        let seeds: Vec<u64> = seeds.collect();
        let (maps, images) = self.subject.maps_and_images(&seeds)?;
        // They are read more than once.
        let maps: Vec<Tensor> = maps.iter().map(|maps| maps.on(&Device::cpu())).collect();
        let labels = self.segmenter.segment(&images)?;
        let rows: Vec<Rows> = labels.par_iter().map(|planes| self.concepts.rows(planes)).collect();
        Ok(Group::Made { seeds, maps, images, rows })
    }

    /// Segments real images, whose classes are compared with those of the generated ones. `first` is the number of the first.
    pub(crate) fn take_real(&self, first: u64, images: &Tensor) -> Result<Group> {
        Ok(Group::Real { first, labels: self.segmenter.segment(images)? })
    }

    /// Counts every unit of every layer against every concept of its own image, and against those of [`ROTATIONS`] other images of the
    /// group for the chance level. What pictures will show of them is kept in `seen`. Of real images, what there is of each class.
    pub(crate) fn count(&self, group: Group, tally: &mut Tally, seen: &mut Seen) -> Result<()> {
        match group {
            Group::Made { seeds, maps, images, rows } => {
                self.count_made(&seeds, &maps, &rows, tally);
                seen.keep(tally, &seeds, &maps, &images)?;
            }
            Group::Real { first, labels } => {
                for (number, planes) in (first..).zip(labels) {
                    let block = (number % BLOCKS as u64) as usize;
                    tally.real_images[block] += 1;
                    self.add_real(block, &planes, tally);
                }
            }
        }
        tally.groups += 1;
        Ok(())
    }

    fn count_made(&self, seeds: &[u64], maps: &[Tensor], rows: &[Rows], tally: &mut Tally) {
        let has_partners = seeds.len() > ROTATIONS;
        for (&seed, rows) in seeds.iter().zip(rows) {
            let block = (seed % BLOCKS as u64) as usize;
            tally.images[block] += 1;
            tally.chance_images += u64::from(has_partners);
            for (concept, pixels) in rows.sizes() {
                tally.labels[block * self.concepts.list().len() + concept] += pixels;
                tally.chance_labels[concept] += if has_partners { pixels } else { 0 };
            }
        }
        let words = kernels::words(self.upsamplers.first().map_or(0, |up| up.target().iter().product()));
        let sets: Vec<&[u64]> = rows.iter().flat_map(|rows| rows.bits.chunks_exact(words.max(1))).collect();
        let group = Meeting {
            seeds,
            labels: Labels::new(words, &sets),
            concepts: rows.iter().map(|rows| rows.concepts.as_slice()).collect(),
            has_partners,
        };
        let concepts = self.concepts.list().len();
        let (layers, top_images) = tally.layers_mut();
        layers.par_iter_mut().zip(maps).enumerate().for_each(|(layer, (to, maps))| {
            let values = maps.numbers();
            to.parts(UNITS, concepts).into_par_iter().for_each(|mut part| {
                self.count_units(layer, &values, &group, &mut part, top_images);
            });
        });
    }

    /// Counts some units of a layer, `values` being the maps of all its units in all images of a group.
    fn count_units(&self, layer: usize, values: &[f32], group: &Meeting, part: &mut Part, top_images: usize) {
        let (n, units, concepts) = (group.seeds.len(), part.units.clone(), self.concepts.list().len());
        let (upsampler, levels) = (&self.upsamplers[layer], &self.fits[layer].levels);
        let cells = values.len() / (n * levels.len());
        let (mut both, mut on) = (vec![0; units.len() * group.labels.sets()], vec![0; units.len()]);
        for (image, &seed) in group.seeds.iter().enumerate() {
            let first = image * levels.len() + units.start;
            let maps = &values[first * cells..][..units.len() * cells];
            kernels::tally(upsampler, maps, &levels[units.clone()], &group.labels, &mut both, &mut on);
            let block = (seed % BLOCKS as u64) as usize;
            for (unit, map) in maps.chunks_exact(cells).enumerate() {
                part.keep_top(unit, Top { max: largest(map), seed }, top_images);
                if on[unit] == 0 {
                    continue;
                }
                part.on[block][unit] += u64::from(on[unit]);
                part.chance_on[unit] += if group.has_partners { u64::from(on[unit]) } else { 0 };
                let mut found = &both[unit * group.labels.sets()..][..group.labels.sets()];
                for (other, of_other) in group.concepts.iter().enumerate() {
                    let counts;
                    (counts, found) = found.split_at(of_other.len());
                    // Table r is that of the image r + 1 places further in the group.
                    let sums = match (other + n - image) % n {
                        _ if of_other.is_empty() => continue,
                        0 => &mut part.both[block],
                        _ if !group.has_partners => continue,
                        further => &mut part.chance_both[further - 1],
                    };
                    let sums = &mut sums[unit * concepts..][..concepts];
                    of_other.iter().zip(counts).for_each(|(&concept, &pixels)| sums[concept] += u64::from(pixels));
                }
            }
        }
    }

    fn add_real(&self, block: usize, planes: &[LabelMap], tally: &mut Tally) {
        for (concept, pixels) in self.concepts.rows(planes).sizes() {
            tally.real_labels[block * self.concepts.list().len() + concept] += pixels;
        }
    }
}
