//! Images that show a class, and places where it could be put.

use super::CausalSettings;
use super::tail::{Maps, Tail};
use base::seed::Stream;
use base::watch::Watch;
use net::Result;

/// Images that go through the networks at a time. Part of no result.
const BATCH: usize = 20;
/// Cells of an image of the second pool that are tried.
const TRIED: usize = 5;
/// Where the seeds of the pools begin, beyond those of counted images and before those of fitting ones.
const PRESENT: u64 = 1 << 36;
const CANDIDATES: u64 = 1 << 37;

/// An image with one cell, and its maps.
pub(super) struct Placed {
    pub(super) seed: u64,
    pub(super) maps: Vec<f32>,
    pub(super) cell: usize,
}

/// What the search learns from.
pub(super) struct Pools {
    /// Images that show the class, each with the cell that holds most of it.
    pub(super) present: Vec<Placed>,
    /// Images with a cell at which all units, set to their typical values, make much of the class.
    pub(super) insertable: Vec<Placed>,
    /// `[units]`: mean activation where the class is, a cell weighing what the class covers of it.
    pub(super) typical: Vec<f32>,
    /// Mean pixels of the class in an image of the first pool.
    pub(super) mean_pixels: f64,
    /// Images of the first pool that show the class.
    pub(super) present_images: usize,
}

/// Pools, or why there are none.
pub(super) enum Collected {
    Pools(Pools),
    Absent(String),
    Stopped,
}

impl Pools {
    pub(super) fn collect(tail: &Tail, settings: &CausalSettings, watch: &mut dyn Watch) -> Result<Collected> {
        let (cells, units) = (tail.cells(), tail.units());
        let mut popularity = vec![0.0f64; cells];
        let mut sums = vec![0.0f64; units];
        let (mut weight, mut pixels, mut present_images) = (0.0f64, 0u64, 0);
        let mut found: Vec<(f32, u64, usize)> = Vec::new();
        watch.stage("images that show the class", settings.pool);
        for seeds in seeds_from(PRESENT + settings.seed, settings.pool) {
            let maps = tail.maps(&seeds)?;
            for (image, shown) in tail.class_pixels(&maps)?.iter().enumerate() {
                let here = shown.iter().filter(|&&p| p).count();
                if here == 0 {
                    continue;
                }
                present_images += 1;
                pixels += here as u64;
                let covered = tail.covered(shown);
                let values = maps.image(image);
                for (cell, &share) in covered.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                    popularity[cell] += f64::from(share);
                    weight += f64::from(share);
                    for (unit, sum) in sums.iter_mut().enumerate() {
                        *sum += f64::from(share) * f64::from(values[unit * cells + cell]);
                    }
                }
                let (cell, share) = largest(&covered);
                found.push((share, seeds[image], cell));
            }
            watch.step(seeds.len() as u64);
            if watch.stop() {
                return Ok(Collected::Stopped);
            }
        }
        if found.is_empty() {
            return Ok(Collected::Absent(format!("never occurs in {} images", settings.pool)));
        }
        let typical: Vec<f32> = sums.iter().map(|sum| (sum / weight) as f32).collect();
        let present = kept(tail, found, settings.kept)?;

        let mean: f64 = popularity.iter().sum::<f64>() / cells as f64;
        let chances: Vec<f64> = popularity.iter().map(|p| p + mean / 10.0).collect();
        let mut found: Vec<(f32, u64, usize)> = Vec::new();
        watch.stage("places for the class", settings.pool);
        for seeds in seeds_from(CANDIDATES + settings.seed, settings.pool) {
            found.extend(candidates(tail, &seeds, &chances, &typical, settings.seed)?);
            watch.step(seeds.len() as u64);
            if watch.stop() {
                return Ok(Collected::Stopped);
            }
        }
        if found.is_empty() {
            let what = "can be inserted nowhere: setting every unit to its typical value never makes any of it";
            return Ok(Collected::Absent(what.into()));
        }
        let insertable = kept(tail, found, settings.kept)?;
        let mean_pixels = pixels as f64 / settings.pool as f64;
        Ok(Collected::Pools(Self { present, insertable, typical, mean_pixels, present_images }))
    }

    /// How many pairs the search learns from; the rest is held out.
    pub(super) fn train(&self, settings: &CausalSettings) -> usize {
        let pairs = self.present.len().min(self.insertable.len());
        (pairs * (settings.kept - settings.held_out) / settings.kept).max(1)
    }

    /// The pairs by which the search is judged: those that it does not learn from, or all where there is only one.
    pub(super) fn held_out(&self, settings: &CausalSettings) -> Vec<usize> {
        let pairs = self.present.len().min(self.insertable.len());
        let train = self.train(settings);
        if pairs > train { (train..pairs).collect() } else { (0..pairs).collect() }
    }
}

pub(super) fn seeds_from(first: u64, n: u64) -> impl Iterator<Item = Vec<u64>> {
    (0..n.div_ceil(BATCH as u64)).map(move |batch| {
        let from = batch * BATCH as u64;
        (first + from..first + (from + BATCH as u64).min(n)).collect()
    })
}

fn largest(values: &[f32]) -> (usize, f32) {
    values.iter().copied().enumerate().fold((0, f32::MIN), |best, v| if v.1 > best.1 { v } else { best })
}

/// For each image the best of a few cells at which every unit is set to its typical value: how many pixels of the class that
/// adds. A cell that holds some of the class already is worth nothing.
fn candidates(
    tail: &Tail,
    seeds: &[u64],
    chances: &[f64],
    typical: &[f32],
    seed: u64,
) -> Result<Vec<(f32, u64, usize)>> {
    let maps = tail.maps(seeds)?;
    let before = tail.class_pixels(&maps)?;
    let places: Vec<Vec<usize>> =
        seeds.iter().map(|&s| drawn(&mut Stream::new(seed, "causal cells", s), chances)).collect();
    let mut best: Vec<(f32, u64, usize)> = Vec::new();
    for tried in 0..TRIED.min(tail.cells()) {
        let mut inserted = maps.clone();
        for (image, places) in places.iter().enumerate() {
            for (unit, &k) in typical.iter().enumerate() {
                inserted.values[image * maps.size + unit * tail.cells() + places[tried]] = k;
            }
        }
        for (image, after) in tail.class_pixels(&inserted)?.iter().enumerate() {
            let cell = places[image][tried];
            if tail.window(cell).iter().any(|&pixel| before[image][pixel]) {
                continue;
            }
            let count = |shown: &[bool]| shown.iter().filter(|&&p| p).count() as f32;
            let gain = count(after) - count(&before[image]);
            match best.iter_mut().find(|(_, s, _)| *s == seeds[image]) {
                Some(entry) if entry.0 < gain => *entry = (gain, seeds[image], cell),
                Some(_) => {}
                None if gain > 0.0 => best.push((gain, seeds[image], cell)),
                None => {}
            }
        }
    }
    Ok(best)
}

/// A few cells without repetition, each as likely as its chance.
fn drawn(stream: &mut Stream, chances: &[f64]) -> Vec<usize> {
    let mut left = chances.to_vec();
    let mut found = Vec::new();
    for _ in 0..TRIED.min(chances.len()) {
        let mut at = stream.unit() * left.iter().sum::<f64>();
        let mut cell = left.iter().rposition(|&c| c > 0.0).unwrap_or_default();
        for (candidate, &chance) in left.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
            if at < chance {
                cell = candidate;
                break;
            }
            at -= chance;
        }
        found.push(cell);
        left[cell] = 0.0;
    }
    found
}

/// The images with the largest scores, in the order of their seeds, with their maps.
fn kept(tail: &Tail, mut found: Vec<(f32, u64, usize)>, most: usize) -> Result<Vec<Placed>> {
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(most);
    found.sort_by_key(|entry| entry.1);
    let mut placed = Vec::new();
    for batch in found.chunks(BATCH) {
        let seeds: Vec<u64> = batch.iter().map(|entry| entry.1).collect();
        let maps: Maps = tail.maps(&seeds)?;
        for (image, &(_, seed, cell)) in batch.iter().enumerate() {
            placed.push(Placed { seed, maps: maps.image(image).to_vec(), cell });
        }
    }
    Ok(placed)
}
