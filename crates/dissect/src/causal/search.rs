//! The search for the strengths of units by gradients.

use super::CausalSettings;
use super::kept::Kept;
use super::pools::{Placed, Pools};
use super::tail::{Maps, Tail};
use crate::dissection::Dissection;
use base::seed::Stream;
use base::watch::Watch;
use net::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};
use train::{Adam, Moments, Optimiser, Parameter};

/// How the search stood after one pass over the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss of a held-out pair: the class's probability after removal, less that after insertion; -1 is perfect.
    pub held_out: f64,
    /// Mean loss of a pair that was learnt from, as it came.
    pub train: f64,
    /// The sum of all strengths: about how many units are meant.
    pub alphas: f64,
}

/// How far a search has come: what the next pass begins with, and what was found after the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The strength of each unit.
    pub(super) alpha: Vec<f32>,
    /// Adam's running mean of the gradient.
    pub(super) first: Vec<f32>,
    /// Adam's running mean of its square.
    pub(super) second: Vec<f32>,
    /// Steps so far.
    step: u64,
    /// Passes so far.
    pub(super) epochs: Vec<Epoch>,
}

/// The strengths at the start: each unit's `IoU` with the class, the largest being 1.
pub(super) fn start(dissection: &Dissection, layer: usize, concept: usize) -> Vec<f32> {
    let ious = dissection.ious(layer, concept);
    let largest = ious.iter().copied().fold(0.0, f64::max);
    ious.iter().map(|iou| if largest > 0.0 { (iou / largest) as f32 } else { 0.0 }).collect()
}

/// Moves `alpha` by Adam, one step for each batch of pairs, and keeps it in [0, 1]. Goes on where a kept search stopped.
pub(super) fn search(
    tail: &Tail,
    pools: &Pools,
    start: Vec<f32>,
    settings: &CausalSettings,
    kept: &Kept,
    watch: &mut dyn Watch,
) -> Result<Option<State>> {
    let train = pools.train(settings);
    let held_out = pools.held_out(settings);
    let zeros = vec![0.0; start.len()];
    let mut state = kept.read()?.unwrap_or_else(|| State {
        alpha: start,
        first: zeros.clone(),
        second: zeros,
        step: 0,
        epochs: Vec::new(),
    });
    watch.stage("search for causes", settings.epochs as u64);
    watch.step(state.epochs.len() as u64);
    for epoch in state.epochs.len()..settings.epochs {
        let mut order: Vec<usize> = (0..train).collect();
        Stream::new(settings.seed, "causal order", epoch as u64).shuffle(&mut order);
        let mut total = 0.0;
        for batch in order.chunks(settings.batch) {
            let (loss, gradient) = pair_loss(tail, pools, batch, &state.alpha)?;
            total += loss * batch.len() as f64;
            state.follow(&gradient, settings);
            // The file holds the search as it was before this pass.
            if watch.stop() {
                return Ok(None);
            }
        }
        let (mut judged, mut n) = (0.0, 0.0);
        for batch in held_out.chunks(settings.batch) {
            judged += pair_loss(tail, pools, batch, &state.alpha)?.0 * batch.len() as f64;
            n += batch.len() as f64;
        }
        let alphas = state.alpha.iter().map(|&a| f64::from(a)).sum();
        state.epochs.push(Epoch { held_out: judged / n, train: total / train as f64, alphas });
        kept.write(&state)?;
        watch.step(1);
    }
    Ok(Some(state))
}

impl State {
    /// Whether a search of so many units can have come to this.
    pub(super) fn is_possible(&self, units: usize, settings: &CausalSettings) -> bool {
        let finite = |values: &[f32]| values.len() == units && values.iter().all(|v| v.is_finite());
        let most = (settings.epochs as u64).saturating_mul(settings.kept as u64);
        [&self.alpha, &self.first, &self.second].into_iter().all(|values| finite(values))
            && self.alpha.iter().all(|a| (0.0..=1.0).contains(a))
            && self.epochs.len() <= settings.epochs
            && self.step <= most
    }

    /// One step of Adam, then back into [0, 1].
    fn follow(&mut self, gradient: &[f64], settings: &CausalSettings) {
        let adam = Adam { lr: settings.lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let pull = |(g, &a): (&f64, &f32)| (g + 2.0 * settings.penalty * f64::from(a)) as f32;
        let gradient: Vec<f32> = gradient.iter().zip(&self.alpha).map(pull).collect();
        let [value, first, second, gradient] = [&self.alpha, &self.first, &self.second, &gradient]
            .map(|values| Tensor::new(&[values.len()], values.clone(), &Device::cpu()));
        let moments = Moments { steps: self.step, first: vec![first], second: vec![second] };
        let alpha = Parameter { name: "alpha", value: &value, gradient: Some(&gradient) };
        let (values, moments) = adam.advance(&[alpha], &moments);
        self.alpha = values[0].to_vec().into_iter().map(|a| a.clamp(0.0, 1.0)).collect();
        self.step = moments.steps;
        [self.first, self.second] = [moments.first, moments.second].map(|of| of[0].to_vec());
    }
}

/// The mean loss of some pairs, and its gradient by alpha.
fn pair_loss(tail: &Tail, pools: &Pools, pairs: &[usize], alpha: &[f32]) -> Result<(f64, Vec<f64>)> {
    let n = pairs.len() as f64;
    let removed = one_side(tail, &pools.present, pairs, alpha, &vec![0.0; alpha.len()])?;
    let inserted = one_side(tail, &pools.insertable, pairs, alpha, &pools.typical)?;
    let gradient = removed.1.iter().zip(&inserted.1).map(|(r, i)| (r - i) / n).collect();
    Ok(((removed.0 - inserted.0) / n, gradient))
}

/// The summed probability of the class at each image's cell when the units there are moved towards `values` by `alpha`, and its
/// gradient by alpha: `(k - x) dp/dx'`.
fn one_side(tail: &Tail, placed: &[Placed], pairs: &[usize], alpha: &[f32], values: &[f32]) -> Result<(f64, Vec<f64>)> {
    let cells = tail.cells();
    let mut maps = Maps { seeds: Vec::new(), values: Vec::new(), size: tail.units() * cells };
    for &pair in pairs {
        maps.seeds.push(placed[pair].seed);
        let from = maps.values.len();
        maps.values.extend_from_slice(&placed[pair].maps);
        for (unit, (&a, &k)) in alpha.iter().zip(values).enumerate() {
            let x = &mut maps.values[from + unit * cells + placed[pair].cell];
            *x = *x * (1.0 - a) + k * a;
        }
    }
    let at: Vec<usize> = pairs.iter().map(|&pair| placed[pair].cell).collect();
    let (probability, gradient) = tail.cell_probability(&maps, &at, 1.0)?;
    let mut by_alpha = vec![0.0; alpha.len()];
    for (image, &pair) in pairs.iter().enumerate() {
        for (unit, sum) in by_alpha.iter_mut().enumerate() {
            let place = unit * cells + placed[pair].cell;
            let change = values[unit] - placed[pair].maps[place];
            *sum += f64::from(change) * f64::from(gradient.image(image)[place]);
        }
    }
    Ok((probability.iter().sum(), by_alpha))
}

/// The average causal effect of sets of units on held-out pairs: class pixels after insertion less those after removal at the
/// pairs' cells, in shares of the class's mean area.
pub(super) fn effects(tail: &Tail, pools: &Pools, sets: &[&[usize]], settings: &CausalSettings) -> Result<Vec<f64>> {
    let pairs = pools.held_out(settings);
    let count = |set: &[usize], values: &[f32]| -> Result<f64> {
        let mut pixels = 0;
        for pairs in pairs.chunks(settings.batch) {
            let mut maps = Maps { seeds: Vec::new(), values: Vec::new(), size: tail.units() * tail.cells() };
            for &pair in pairs {
                let placed = &pools.insertable[pair];
                let from = maps.values.len();
                maps.seeds.push(placed.seed);
                maps.values.extend_from_slice(&placed.maps);
                set.iter().for_each(|&unit| maps.values[from + unit * tail.cells() + placed.cell] = values[unit]);
            }
            pixels += tail.class_pixels(&maps)?.iter().flatten().filter(|&&p| p).count();
        }
        Ok(pixels as f64)
    };
    let zero = vec![0.0; tail.units()];
    let effect = |set: &&[usize]| {
        let difference = count(set, &pools.typical)? - count(set, &zero)?;
        Ok(difference / pairs.len() as f64 / pools.mean_pixels)
    };
    sets.iter().map(effect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_search_comes_to_is_known() {
        let settings = CausalSettings { epochs: 2, kept: 10, ..CausalSettings::default() };
        let state =
            || State { alpha: vec![0.5; 3], first: vec![-1.0; 3], second: vec![0.1; 3], step: 4, epochs: Vec::new() };
        let possible = |state: State| state.is_possible(3, &settings);
        assert!(possible(state()));
        let epoch = Epoch { held_out: 0.0, train: 0.0, alphas: 0.0 };
        for wrong in [
            State { alpha: vec![0.5; 2], ..state() },
            State { alpha: vec![1.5; 3], ..state() },
            State { second: vec![f32::INFINITY; 3], ..state() },
            State { step: u64::MAX, ..state() },
            State { epochs: vec![epoch; 3], ..state() },
        ] {
            assert!(!possible(wrong));
        }
    }
}
