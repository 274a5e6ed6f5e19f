//! From counts to statements: which unit stands for what, how sure that is, and what the generator leaves out.

use crate::concepts::{Concept, Concepts};
use crate::count::{BLOCKS, LayerTally, ROTATIONS, Tally, Top};
use crate::fit::LayerFit;
use crate::settings::{Rule, Settings};
use crate::subject::Layer;
use base::seed::Stream;
use metrics::discovery::{benjamini_hochberg, empirical_p};
use metrics::overlap::Overlap;
use metrics::summary::quantile;
use rayon::prelude::*;
use serde::Serialize;

/// Resamples of a bootstrap interval.
const RESAMPLES: u64 = 1000;

/// What was found about one unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unit {
    /// Its channel.
    pub unit: usize,
    /// The level above which it counts as on.
    pub threshold: f32,
    /// The share of pixels where it is on.
    pub on: f64,
    /// The concept that it fits best; none if it is never on where a concept is.
    pub label: Option<String>,
    /// The category of that concept.
    pub category: Option<String>,
    /// The concept's place in the list of concepts.
    #[serde(skip)]
    pub concept: Option<usize>,
    /// Intersection over union with that concept.
    pub iou: f64,
    /// The middle 95 % of the `IoU` when blocks of images are drawn anew; NaN where all images are of one block.
    pub iou_interval: [f64; 2],
    /// The information quality ratio with that concept.
    pub iqr: f64,
    /// The share of pixels on which unit and concept agree.
    pub agreement: f64,
    /// How often a unit of this layer fits some concept of *other* images at least as well; NaN where too few images were
    /// counted for a full group.
    pub p: f64,
    /// The expected share of false ones among the units of this layer that are no worse (Benjamini and Hochberg).
    pub fdr: f64,
    /// Whether it counts as interpretable under the settings; never without a chance level.
    pub interpretable: bool,
    /// The images that activate it most.
    pub top: Vec<Example>,
}

/// An image that activates a unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Example {
    /// The seed that makes it.
    pub seed: u64,
    /// The unit's largest activation in it.
    pub max: f32,
}

/// What was found about one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerFindings {
    /// The node's name.
    pub layer: String,
    /// Height and width of a unit's map.
    pub size: [usize; 2],
    /// How many of its units are interpretable.
    pub interpretable: usize,
    /// The concepts that they stand for, with their units; the concept of most units first.
    pub concepts: Vec<Detected>,
    /// The `IoU` that 95 % of the units stay below when they meet the labels of other images; NaN without a chance level.
    pub chance_iou: f64,
    /// The most by which the share of pixels above a unit's level can be off, as a share of all pixels.
    pub threshold_error: f64,
    /// Every unit.
    pub units: Vec<Unit>,
}

/// A concept with the units that stand for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detected {
    /// The concept.
    #[serde(flatten)]
    pub concept: Concept,
    /// Interpretable units with this label, the best fit first.
    pub units: Vec<usize>,
}

/// How much of the pictures a class takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassShare {
    /// The class.
    #[serde(flatten)]
    pub concept: Concept,
    /// Share of the pixels of generated images.
    pub generated: f64,
    /// The middle 95 % when blocks of images are drawn anew; NaN where all images are of one block.
    pub generated_interval: [f64; 2],
    /// Share of the pixels of real images, where there were any.
    pub real: Option<f64>,
    /// As `generated_interval`.
    pub real_interval: Option<[f64; 2]>,
}

/// Everything that a dissection found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Whether there is a chance level: it takes [`GROUP`](crate::GROUP) images. Without one no unit is called interpretable.
    pub chance_level: bool,
    /// By layer.
    pub layers: Vec<LayerFindings>,
    /// By class.
    pub classes: Vec<ClassShare>,
}

impl Findings {
    /// What the counts say.
    pub fn new(layers: &[Layer], fits: &[LayerFit], tally: &Tally, concepts: &Concepts, settings: &Settings) -> Self {
        let draws = [&tally.images, &tally.real_images].map(|images| Draws::new(images));
        let story = Story { tally, concepts, settings, draws: &draws };
        let layers = layers.iter().zip(fits).zip(&tally.layers);
        Self {
            chance_level: tally.chance_images > 0,
            layers: layers.map(|((layer, fit), counts)| story.layer(layer, fit, counts)).collect(),
            classes: story.classes(),
        }
    }
}

/// What all layers are judged by.
struct Story<'a> {
    tally: &'a Tally,
    concepts: &'a Concepts,
    settings: &'a Settings,
    /// Of generated and of real images.
    draws: &'a [Draws; 2],
}

impl Story<'_> {
    fn layer(&self, layer: &Layer, fit: &LayerFit, counts: &LayerTally) -> LayerFindings {
        let n = self.concepts.list().len();
        let (both, on) = (Tally::over_blocks(&counts.both), Tally::over_blocks(&counts.on));
        let labels = Tally::over_blocks(&self.tally.labels);
        let total = self.tally.images.iter().sum::<u64>() * self.tally.pixels;
        let overlap = |unit: usize, concept: usize| Overlap {
            both: both[unit * n + concept],
            unit: on[unit],
            label: labels[concept],
            total,
        };
        let chosen: Vec<Option<usize>> = (0..layer.units)
            .map(|unit| match self.settings.rule {
                Rule::Iqr => fit.informative[unit],
                Rule::Quantile => best(n, |concept| overlap(unit, concept).iou()),
            })
            .collect();
        let iou = |unit: usize| chosen[unit].map_or(0.0, |concept| overlap(unit, concept).iou());
        let found: Vec<f64> = (0..layer.units).map(iou).collect();
        let null = self.chance(layer.units, counts);
        // Too few images for a chance level: nothing can be said.
        let untested = vec![f64::NAN; layer.units];
        let p = if null.is_empty() { untested.clone() } else { empirical_p(&found, &null) };
        let fdr = if null.is_empty() { untested } else { benjamini_hochberg(&p) };
        let units: Vec<Unit> = (0..layer.units)
            .into_par_iter()
            .map(|unit| {
                let concept = chosen[unit];
                let overlap = concept.map_or_else(Overlap::default, |concept| overlap(unit, concept));
                let iqr = overlap.information_quality();
                let interval = concept.map_or([0.0; 2], |concept| self.interval(layer.units, counts, unit, concept));
                Unit {
                    unit,
                    threshold: fit.levels[unit],
                    on: on[unit] as f64 / total.max(1) as f64,
                    label: concept.map(|c| self.concepts.list()[c].name.clone()),
                    category: concept.map(|c| self.concepts.list()[c].category.clone()),
                    concept,
                    iou: found[unit],
                    iou_interval: interval,
                    iqr,
                    agreement: overlap.agreement(),
                    p: p[unit],
                    fdr: fdr[unit],
                    interpretable: found[unit] > self.settings.min_iou
                        && iqr > self.settings.min_iqr
                        && fdr[unit] <= self.settings.max_fdr,
                    top: counts.top[unit].iter().map(|&Top { max, seed }| Example { seed, max }).collect(),
                }
            })
            .collect();
        LayerFindings {
            layer: layer.name.clone(),
            size: layer.size,
            interpretable: units.iter().filter(|u| u.interpretable).count(),
            concepts: self.detected(&units),
            chance_iou: if null.is_empty() { f64::NAN } else { quantile(&null, 0.95) },
            threshold_error: fit.errors.iter().copied().fold(0.0f32, f32::max).into(),
            units,
        }
    }

    /// For each chance table and unit, the best `IoU` with any concept of the other images.
    fn chance(&self, units: usize, counts: &LayerTally) -> Vec<f64> {
        if self.tally.chance_images == 0 {
            return Vec::new();
        }
        let n = self.concepts.list().len();
        let total = self.tally.chance_images * self.tally.pixels;
        let iou = |row: usize, concept: usize| {
            let unit = counts.chance_on[row % units];
            Overlap {
                both: counts.chance_both[row * n + concept],
                unit,
                label: self.tally.chance_labels[concept],
                total,
            }
            .iou()
        };
        (0..ROTATIONS * units).map(|row| (0..n).map(|c| iou(row, c)).fold(0.0, f64::max)).collect()
    }

    fn interval(&self, units: usize, counts: &LayerTally, unit: usize, concept: usize) -> [f64; 2] {
        let n = self.concepts.list().len();
        let per_block: Vec<[u64; 3]> = (0..BLOCKS)
            .map(|block| {
                let row = block * units + unit;
                [counts.both[row * n + concept], counts.on[row], self.tally.labels[block * n + concept]]
            })
            .collect();
        self.draws[0].interval(|draw| {
            let [both, unit, label] = sum(&per_block, draw);
            Overlap { both, unit, label, total: 0 }.iou()
        })
    }

    fn detected(&self, units: &[Unit]) -> Vec<Detected> {
        let mut found: Vec<Detected> = Vec::new();
        for (concept, named) in self.concepts.list().iter().enumerate() {
            let mut own: Vec<&Unit> = units.iter().filter(|u| u.interpretable && u.concept == Some(concept)).collect();
            own.sort_by(|a, b| b.iou.total_cmp(&a.iou).then(a.unit.cmp(&b.unit)));
            if !own.is_empty() {
                found.push(Detected { concept: named.clone(), units: own.iter().map(|u| u.unit).collect() });
            }
        }
        found.sort_by_key(|d| std::cmp::Reverse(d.units.len()));
        found
    }

    fn classes(&self) -> Vec<ClassShare> {
        let n = self.concepts.list().len();
        let share = |draws: &Draws, images: &[u64], labels: &[u64], concept: usize| {
            let blocks: Vec<[u64; 3]> = (0..BLOCKS).map(|b| [labels[b * n + concept], images[b], 0]).collect();
            let of = |[label, images, _]: [u64; 3]| label as f64 / (images * self.tally.pixels).max(1) as f64;
            let all: Vec<usize> = (0..BLOCKS).collect();
            (of(sum(&blocks, &all)), draws.interval(|draw| of(sum(&blocks, draw))))
        };
        let [draws, real_draws] = self.draws;
        let any_real = self.tally.real_images.iter().any(|&images| images > 0);
        let class = |(concept, named): (usize, &Concept)| {
            let (generated, generated_interval) = share(draws, &self.tally.images, &self.tally.labels, concept);
            let real = any_real.then(|| share(real_draws, &self.tally.real_images, &self.tally.real_labels, concept));
            ClassShare {
                concept: named.clone(),
                generated,
                generated_interval,
                real: real.map(|r| r.0),
                real_interval: real.map(|r| r.1),
            }
        };
        self.concepts.list().iter().enumerate().map(class).collect()
    }
}

/// The concept with the largest positive score; of equals the first.
fn best(n: usize, score: impl Fn(usize) -> f64) -> Option<usize> {
    let mut found = (0.0, None);
    for concept in 0..n {
        let here = score(concept);
        if here > found.0 {
            found = (here, Some(concept));
        }
    }
    found.1
}

fn sum(blocks: &[[u64; 3]], draw: &[usize]) -> [u64; 3] {
    draw.iter().fold([0; 3], |sum, &b| [0, 1, 2].map(|i| sum[i] + blocks[b][i]))
}

/// The resamples of blocks, the same for everything that is estimated of some images.
struct Draws(Vec<Vec<usize>>);

impl Draws {
    /// Resamples of as many blocks as there are, of `images` each; those that hold no image say nothing. None where all images are of one
    /// block: nothing varies there.
    fn new(images: &[u64]) -> Self {
        if images.iter().filter(|&&n| n > 0).count() < 2 {
            return Self(Vec::new());
        }
        let draw = |index| {
            let mut stream = Stream::new(0, "bootstrap", index);
            (0..BLOCKS).map(|_| stream.below(BLOCKS as u64) as usize).collect::<Vec<_>>()
        };
        Self((0..RESAMPLES).map(draw).filter(|draw| draw.iter().any(|&block| images[block] > 0)).collect())
    }

    /// The middle 95 % of an estimate over the resamples; NaN without any.
    fn interval(&self, estimate: impl Fn(&[usize]) -> f64) -> [f64; 2] {
        let values: Vec<f64> = self.0.iter().map(|draw| estimate(draw)).collect();
        [quantile(&values, 0.025), quantile(&values, 0.975)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_one_block_give_no_interval() {
        let mut images = vec![0; BLOCKS];
        images[3] = 5;
        let interval = Draws::new(&images).interval(|_| 0.5);
        assert!(interval.iter().all(|end| end.is_nan()), "{interval:?}");
        // A draw without images has no share that could be 0.
        images[4] = 5;
        let share = |draw: &[usize]| {
            let n: u64 = draw.iter().map(|&block| images[block]).sum();
            draw.iter().filter(|&&block| block == 3 || block == 4).count() as f64 * 5.0 / n.max(1) as f64
        };
        assert_eq!(Draws::new(&images).interval(share), [1.0; 2]);
        assert_eq!(Draws::new(&[1; BLOCKS]).0.len() as u64, RESAMPLES);
    }
}
