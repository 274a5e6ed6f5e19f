//! How much of a class goes when more and more units are switched off.

use super::CausalSettings;
use super::pools::seeds_from;
use super::tail::{Maps, Tail};
use base::seed::Stream;
use base::watch::Watch;
use net::Result;
use serde::{Deserialize, Serialize};

/// Where the seeds of the curve's images begin.
const CURVE: u64 = 1 << 38;

/// One number of units: the share of the class's pixels that is removed when that many are switched off everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// How many units.
    pub units: usize,
    /// The strongest causes.
    pub causal: f64,
    /// Those with the largest `IoU`.
    pub iou: f64,
    /// Random ones, averaged over several draws.
    pub random: f64,
}

/// The curve for two rankings and for random ones.
pub(super) fn curve(
    tail: &Tail,
    [causal, iou]: &[&Vec<usize>; 2],
    settings: &CausalSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Vec<Point>>> {
    let random = |draw| {
        let mut units: Vec<usize> = (0..tail.units()).collect();
        Stream::new(settings.seed, "random units", draw).shuffle(&mut units);
        units
    };
    let mut rankings = vec![(*causal).clone(), (*iou).clone()];
    rankings.extend((0..settings.random as u64).map(random));
    let mut counts: Vec<usize> = settings.curve_units.iter().map(|&n| n.min(tail.units())).collect();
    counts.sort_unstable();
    counts.dedup();

    let mut before = 0u64;
    let mut after = vec![vec![0u64; counts.len()]; rankings.len()];
    watch.stage("curve of removed pixels", settings.curve_images);
    for seeds in seeds_from(CURVE + settings.seed, settings.curve_images) {
        let maps = tail.maps(&seeds)?;
        before += pixels(tail, &maps)?;
        for (ranking, after) in rankings.iter().zip(&mut after) {
            for (&n, after) in counts.iter().zip(after) {
                *after += pixels(tail, &without(tail, &maps, &ranking[..n]))?;
            }
        }
        watch.step(seeds.len() as u64);
        if watch.stop() {
            return Ok(None);
        }
    }
    let removed = |ranking: usize, point: usize| 1.0 - after[ranking][point] as f64 / before.max(1) as f64;
    let point = |(at, &units): (usize, &usize)| Point {
        units,
        causal: removed(0, at),
        iou: removed(1, at),
        random: (2..rankings.len()).map(|r| removed(r, at)).sum::<f64>() / (rankings.len() - 2).max(1) as f64,
    };
    Ok(Some(counts.iter().enumerate().map(point).collect()))
}

fn pixels(tail: &Tail, maps: &Maps) -> Result<u64> {
    let count = |shown: &Vec<bool>| shown.iter().filter(|&&p| p).count() as u64;
    Ok(tail.class_pixels(maps)?.iter().map(count).sum())
}

fn without(tail: &Tail, maps: &Maps, units: &[usize]) -> Maps {
    let mut edited = maps.clone();
    for image in edited.values.chunks_exact_mut(maps.size) {
        units.iter().for_each(|&unit| image[unit * tail.cells()..][..tail.cells()].fill(0.0));
    }
    edited
}
