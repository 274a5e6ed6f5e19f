//! The running check of an estimated fitness: all children are made and judged exactly, and compared with the estimates.

use super::fitness::{diversity, quality_of};
use super::{Gan, Generator};
use crate::Loss;
use crate::estimate::{Check, Exact};
use crate::generation::Players;
use net::{Result, Run, Tensor};

/// Groups of images by which the noise of fitness is told (jackknife).
const GROUPS: usize = 8;

impl<'a> Gan<'a> {
    /// Compares estimates of the fitness of a parent's children with the exact one. Nothing that the run goes on with changes.
    pub(super) fn checked(
        &mut self,
        place: usize,
        parent: &Generator,
        mutations: &[Loss],
        gamma: f64,
        estimates: &[f64],
    ) -> Result<Check> {
        let moments = self.per_mutation.clone();
        let foreseen = self.foreseen.take();
        let children = self.mutate(place, parent, mutations)?;
        (self.per_mutation, self.foreseen) = (moments, foreseen);
        let mut exact = Vec::with_capacity(children.len());
        for child in &children {
            exact.push(self.exact(child, gamma)?);
        }
        Ok(Check::of(estimates, &exact))
    }

    /// The fitness of a child by all images, and without each of the groups.
    pub(super) fn exact(&mut self, child: &Generator, gamma: f64) -> Result<Exact> {
        let s = self.settings;
        let z = self.evaluation_noise(0);
        let fakes = self.images(&child.params, &z)?;
        let later = if gamma == 0.0 { Vec::new() } else { self.graphs.d.by_params.nodes() };
        let (run, logits) = self.judge(&fakes, &later)?;
        let groups = GROUPS.min(s.eval);
        let qualities: Vec<f64> = logits.iter().map(|&l| quality_of(s.quality, l)).collect();
        let mean = |keep: &dyn Fn(usize) -> bool| {
            let kept: Vec<f64> = (0..s.eval).filter(|&i| keep(i)).map(|i| qualities[i]).collect();
            kept.iter().sum::<f64>() / kept.len().max(1) as f64
        };
        let mut all = mean(&|_| true);
        let mut without: Vec<f64> = (0..groups).map(|group| mean(&|i| i % groups != group)).collect();
        if gamma != 0.0 {
            let parts = self.gradients_by_group(&run, &logits, groups)?;
            let total = dots(&parts);
            let length = |squares: f64| squares.max(0.0).sqrt();
            all += gamma * diversity(length(total.iter().flatten().sum()));
            for (group, without) in without.iter_mut().enumerate() {
                let rest = |row: usize| row != group;
                let squares: f64 = (0..groups)
                    .filter(|&a| rest(a))
                    .flat_map(|a| (0..groups).filter(|&b| rest(b)).map(move |b| (a, b)))
                    .map(|(a, b)| total[a][b])
                    .sum();
                let share = (0..s.eval).filter(|i| i % groups != group).count() as f64 / s.eval as f64;
                *without += gamma * diversity(length(squares) / share);
            }
        }
        Ok(Exact { all, without })
    }

    /// D's gradient by its weights in parts that add up to it: one of every group of reals and fakes.
    fn gradients_by_group(&mut self, fakes: &Run<'a>, logits: &[f32], groups: usize) -> Result<Vec<Vec<Tensor>>> {
        let (reals, real_logits) = self.judge_reals()?;
        let loss = self.settings.d_loss.discriminator(&real_logits, logits);
        let of_group = |by_logit: &[f32], group: usize| {
            by_logit.iter().enumerate().map(|(i, &v)| if i % groups == group { v } else { 0.0 }).collect()
        };
        let mut parts = Vec::with_capacity(groups);
        for group in 0..groups {
            let real = self.weight_gradient(&reals, of_group(&loss.real, group))?;
            let fake = self.weight_gradient(fakes, of_group(&loss.fake, group))?;
            parts.push(super::summed(&real, &fake).into_iter().flatten().collect());
        }
        Ok(parts)
    }
}

/// The products of all pairs of gradients.
fn dots(parts: &[Vec<Tensor>]) -> Vec<Vec<f64>> {
    let dot = |a: &Tensor, b: &Tensor| -> f64 {
        a.numbers().iter().zip(b.numbers().iter()).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let product = |a: &[Tensor], b: &[Tensor]| a.iter().zip(b).map(|(a, b)| dot(a, b)).sum();
    parts.iter().map(|a| parts.iter().map(|b| product(a, b)).collect()).collect()
}
