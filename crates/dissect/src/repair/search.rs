//! How far the images that activate each unit most are from the real images that are most like them.

use super::sample::{BATCH, Real, Seen, peaks, versions};
use super::{RepairMeans, RepairSettings};
use crate::subject::Layer;
use base::seed::Stream;
use base::watch::Watch;
use kernels::Upsampler;
use net::Result;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Random sets of images that say what is usual.
const USUAL: u64 = 100;
/// Images from which the levels are taken above which units count as on.
const LEVEL_IMAGES: usize = 128;
/// One pixel in this many is above the level: the top 1 %.
const TOP: usize = 100;
/// Images of a candidate that are shown.
const SHOWN: usize = 8;

/// What was found about the units of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// What is usual.
    pub baseline: Baseline,
    /// All units: those that agree best with the painted defect first, or those whose images are farthest from real ones.
    pub units: Vec<UnitScore>,
    /// The first of them; without a painted defect in the order of how much nearer their images come when they are switched off.
    pub candidates: Vec<Candidate>,
    /// The level above which each unit counts as on: what the top 1 % of its pixels exceed.
    #[serde(skip)]
    pub levels: Vec<f32>,
}

/// Distances of random sets of generated images from the real ones that are most like them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Images in a set: as many as activate a unit most.
    pub images: usize,
    /// Random sets.
    pub sets: u64,
    /// Their mean distance.
    pub mean: f64,
    /// And its standard deviation.
    pub deviation: f64,
}

/// The score of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitScore {
    /// The unit.
    pub unit: usize,
    /// The distance of the images that activate it most from the real images most like them; none where all activate it alike.
    pub distance: Option<f64>,
    /// How many deviations that is above the mean of random sets.
    pub z: Option<f64>,
    /// `IoU` of where it is on with the painted defect, where there is one.
    pub iou: Option<f64>,
}

/// A unit that a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The unit.
    pub unit: usize,
    /// As [`UnitScore::distance`].
    pub distance: f64,
    /// As [`UnitScore::z`].
    pub z: Option<f64>,
    /// The distance of the same images when the unit is switched off.
    pub without: f64,
    /// As [`UnitScore::iou`].
    pub iou: Option<f64>,
    /// The seeds of some of these images, the strongest first.
    pub seeds: Vec<u64>,
    /// The numbers of the real images that are most like them.
    pub alike: Vec<u64>,
}

impl Candidate {
    /// The figures in a few words.
    pub(super) fn summary(&self) -> String {
        let z = self.z.map_or(String::new(), |z| format!(", z {z:.1}"));
        let iou = self.iou.map_or(String::new(), |iou| format!(", IoU {iou:.3}"));
        format!("distance {:.4}{z}, without it {:.4}{iou}", self.distance, self.without)
    }
}

/// All units by score; `None` when the watcher wanted it to end.
pub(super) fn search(
    means: &RepairMeans,
    real: &Real,
    settings: &RepairSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Ranking>> {
    let layer = &means.subject.layers()[0];
    let seeds: Vec<u64> = (settings.seed..settings.seed + settings.samples).collect();
    let Some(sampled) = sampled(means, real, &seeds, watch)? else { return Ok(None) };

    let size = RepairSettings::strongest(settings.samples);
    let distance = |images: &[usize]| {
        real.distance_to_alike(&images.iter().map(|&image| &sampled.seen[image]).collect::<Vec<_>>())
    };
    let random = |set: u64| {
        let mut order: Vec<usize> = (0..seeds.len()).collect();
        Stream::new(settings.seed, "repair baseline", set).shuffle(&mut order);
        distance(&order[..size])
    };
    let usual: Vec<f64> = (0..USUAL).into_par_iter().map(random).collect();
    let mean = usual.iter().sum::<f64>() / USUAL as f64;
    let variance = usual.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (USUAL - 1) as f64;
    let baseline = Baseline { images: size, sets: USUAL, mean, deviation: libm::sqrt(variance) };

    let ious = match means.defects {
        Some(defects) => match defects.agreement(means.subject, &sampled.levels, &seeds, watch)? {
            Some(ious) => ious.into_iter().map(Some).collect(),
            None => return Ok(None),
        },
        None => vec![None; layer.units],
    };
    let strongest: Vec<Vec<usize>> = (0..layer.units).map(|unit| sampled.strongest(unit, layer, size)).collect();
    watch.stage("units", layer.units as u64);
    let mut units = Vec::new();
    for part in (0..layer.units).collect::<Vec<_>>().chunks(32) {
        let score = |&unit: &usize| {
            let distance = Some(&strongest[unit]).filter(|images| !images.is_empty()).map(|images| distance(images));
            let z = distance.map(|d| (d - baseline.mean) / baseline.deviation).filter(|z| z.is_finite());
            UnitScore { unit, distance, z, iou: ious[unit] }
        };
        units.extend(part.par_iter().map(score).collect::<Vec<_>>());
        watch.step(part.len() as u64);
        if watch.stop() {
            return Ok(None);
        }
    }
    // Ties (and units without a distance) stay in the order of units.
    let key = |score: &UnitScore| [score.iou.unwrap_or(0.0), score.distance.unwrap_or(-1.0)];
    units.sort_by(|a, b| key(b)[0].total_cmp(&key(a)[0]).then(key(b)[1].total_cmp(&key(a)[1])));

    let shown: Vec<UnitScore> =
        units.iter().filter(|score| score.distance.is_some()).take(settings.candidates).copied().collect();
    watch.stage("candidates", shown.len() as u64);
    let mut candidates = Vec::new();
    for UnitScore { unit, distance, z, iou } in shown {
        let images: Vec<u64> = strongest[unit].iter().map(|&image| seeds[image]).collect();
        let mut off = Vec::new();
        for part in images.chunks(BATCH) {
            off.extend(real.see(&versions(means.subject, part, &[&[unit]])?.1[0], part));
        }
        let without = real.distance_to_alike(&off.iter().collect::<Vec<_>>());
        let alike = |&image: &usize| real.most_like(&sampled.seen[image]) as u64;
        candidates.push(Candidate {
            unit,
            distance: distance.unwrap_or(f64::NAN),
            z,
            without,
            iou,
            seeds: images.into_iter().take(SHOWN).collect(),
            alike: strongest[unit].iter().take(SHOWN).map(alike).collect(),
        });
        watch.step(1);
        if watch.stop() {
            return Ok(None);
        }
    }
    if means.defects.is_none() {
        // Units that are on together have the same strange images; the one that makes them strange is the one without which they are not.
        let gain = |candidate: &Candidate| candidate.distance - candidate.without;
        candidates.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
    }
    Ok(Some(Ranking { baseline, units, candidates, levels: sampled.levels }))
}

struct Sampled {
    seen: Vec<Seen>,
    /// `[image][unit]`.
    peaks: Vec<f32>,
    /// By unit.
    levels: Vec<f32>,
}

impl Sampled {
    /// The images that activate a unit most, strongest first, then in their order; none where all activate it alike.
    fn strongest(&self, unit: usize, layer: &Layer, size: usize) -> Vec<usize> {
        let peak = |image: usize| self.peaks[image * layer.units + unit];
        let mut order: Vec<usize> = (0..self.seen.len()).collect();
        order.sort_by(|&a, &b| peak(b).total_cmp(&peak(a)));
        let alike = peak(order[0]) <= peak(order[order.len() - 1]) && order.len() > 1;
        order.truncate(if alike { 0 } else { size });
        order
    }
}

fn sampled(means: &RepairMeans, real: &Real, seeds: &[u64], watch: &mut dyn Watch) -> Result<Option<Sampled>> {
    let layer = &means.subject.layers()[0];
    let [_, height, width] = means.subject.image_shape();
    let cells = layer.size[0] * layer.size[1];
    let upsampler = Upsampler::new(layer.size, [height, width]);
    let counted = seeds.len().min(LEVEL_IMAGES);
    let mut largest = vec![Largest::new((counted * height * width).div_ceil(TOP)); layer.units];
    let (mut seen, mut found) = (Vec::new(), Vec::new());
    watch.stage("generated images", seeds.len() as u64);
    for part in seeds.chunks(BATCH) {
        let (maps, images) = versions(means.subject, part, &[&[]])?;
        let maps = maps.to_vec();
        found.extend(peaks(&maps, cells));
        let wanted = counted.saturating_sub(seen.len()).min(part.len());
        largest.par_iter_mut().enumerate().for_each(|(unit, largest)| {
            let mut fine = vec![0.0; height * width];
            for image in 0..wanted {
                upsampler.upsample(&maps[(image * layer.units + unit) * cells..][..cells], &mut fine);
                largest.add(&fine);
            }
        });
        seen.extend(real.see(&images[0], part));
        watch.step(part.len() as u64);
        if watch.stop() {
            return Ok(None);
        }
    }
    let levels = largest.into_iter().map(Largest::least).collect();
    Ok(Some(Sampled { seen, peaks: found, levels }))
}

/// The `n` largest of many numbers.
#[derive(Clone)]
struct Largest {
    n: usize,
    kept: Vec<f32>,
    /// What must be exceeded to be kept.
    least: f32,
}

impl Largest {
    fn new(n: usize) -> Self {
        Self { n, kept: Vec::new(), least: f32::NEG_INFINITY }
    }

    fn add(&mut self, values: &[f32]) {
        self.kept.extend(values.iter().filter(|&&v| v > self.least));
        if self.kept.len() > self.n {
            self.least = *self.kept.select_nth_unstable_by(self.n - 1, |a, b| b.total_cmp(a)).1;
            self.kept.truncate(self.n);
        }
    }

    fn least(self) -> f32 {
        self.kept.into_iter().fold(f32::INFINITY, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_numbers_are_kept() {
        let mut draw = Stream::new(1, "test", 0);
        let all: Vec<f32> = (0..1000).map(|_| draw.normal() as f32).collect();
        let mut largest = Largest::new(10);
        all.chunks(37).for_each(|part| largest.add(part));
        let mut sorted = all.clone();
        sorted.sort_unstable_by(|a, b| b.total_cmp(a));
        assert_eq!(largest.least(), sorted[9]);
        let mut few = Largest::new(2);
        few.add(&[2.0, 1.0]);
        few.add(&[1.5]);
        assert_eq!(few.least(), 1.5);
    }
}
