//! Fitness linearised at the mean of a parent's children: one gradient, and a product with each child's step.
//!
//! With m the mean child and a the gradient of F there, `F(child) = F(m) + <a, child - m>`. The curvature that all steps
//! have in common drops out; the error is of second order in the distance of a child from the mean. The price does not
//! depend on the number of children.

use super::fitness::{diversity, quality};
use super::{Gan, Generator, fair};
use crate::labelled::Labelled;
use net::{Binary, Graph, NodeId, Params, Result, Tensor};
use train::{gradient_norm, trainable};

/// How far D's weights are moved to see how its gradients change, as a share of their length.
const NUDGE: f64 = 1e-3;

impl Gan<'_> {
    /// The fitness of the children of one parent; `gamma` is the weight of diversity.
    pub(super) fn linear(&mut self, children: &[Generator], gamma: f64) -> Result<Vec<f64>> {
        let s = self.settings;
        let side = &self.graphs.g;
        let mean = mean_child(&side.graph, children);
        let z = self.evaluation_noise(0);
        let mut g = self.start(side, &mean, &z)?;
        let images = z.with(g.fetch_before(&[side.output], &side.by_params.nodes())?.remove(0));
        self.work.g_images += s.eval as u64;
        self.work.macs += g.macs();

        let mut later = self.graphs.d_by_input.nodes();
        if gamma != 0.0 {
            later.extend(self.graphs.d.by_params.nodes());
        }
        let (d, logits) = self.judge(&images, &later)?;
        let (mut value, slopes) = quality(s.quality, &logits);
        let mut by_image = self.by_image(&d, slopes)?;
        if gamma != 0.0 {
            let gradient = self.discriminator_gradient(&d, &logits)?;
            let length = self.checked_norm(&self.graphs.d, "discriminator", &gradient)?;
            value += gamma * diversity(length);
            if let Some(by_diversity) = self.diversity_by_image(&images, &gradient, length)? {
                let part = by_diversity.scale(gamma);
                by_image = Some(by_image.map_or_else(|| part.clone(), |sum| sum.add(&part)));
            }
        }
        if !value.is_finite() {
            return Err(self.nonfinite("the fitness of the mean child", value));
        }
        let Some(by_image) = by_image else { return Ok(vec![value; children.len()]) };
        let slope = self.by_generator(&g, &by_image)?;
        self.checked_norm(&self.graphs.g, "generator", &slope)?;
        let places = trainable(&side.graph);
        let along = |child: &Generator| {
            let parts = places.iter().zip(&slope).filter_map(|(&at, slope)| {
                let step = fair::step(&mean, &child.params, at);
                slope.as_ref().map(|slope| dot(slope, &step))
            });
            parts.sum::<f64>()
        };
        Ok(children.iter().map(|child| value + along(child)).collect())
    }

    /// The gradient of `Fd = -log |g|` by fake images, g the gradient of D's loss by its weights w: with u the rate at which the gradient
    /// of that loss by the images changes as w moves along g, it is `-u / |g|^2`. The rate is a central difference.
    pub(super) fn diversity_by_image(
        &mut self,
        images: &Labelled,
        gradient: &[Option<Tensor>],
        length: f64,
    ) -> Result<Option<Tensor>> {
        let s = self.settings;
        let places = trainable(&self.graphs.d.graph);
        let weights: Vec<_> = places.iter().map(|&at| Some(self.discriminator.tensors()[at].clone())).collect();
        let nudge = NUDGE * gradient_norm(&weights);
        // Where D has no gradient, diversity is at its bound.
        if length < f64::MIN_POSITIVE || nudge == 0.0 {
            return Ok(None);
        }
        let by_input: Vec<NodeId> = self.graphs.d_by_input.nodes();
        let mut sides = Vec::with_capacity(2);
        for sign in [1.0, -1.0] {
            let mut moved = self.discriminator.clone();
            for (&at, gradient) in places.iter().zip(gradient) {
                if let Some(gradient) = gradient {
                    moved.set(at, moved.tensors()[at].add(&gradient.scale(sign * nudge / length)));
                }
            }
            let (d, logits) = self.judge_by(&moved, images, &by_input)?;
            let by_logit = if s.d_loss.is_paired() {
                let real_logits = self.judge_by(&moved, &self.evaluation_reals(), &[])?.1;
                s.d_loss.discriminator(&real_logits, &logits).fake
            } else {
                s.d_loss.fake_half(&logits).1
            };
            sides.push(self.by_image(&d, by_logit)?);
        }
        let [Some(up), Some(down)] = sides.as_slice() else { return Ok(None) };
        // The difference is along the unit vector of g, so u has one factor |g| more.
        Ok(Some(up.binary(Binary::Sub, down).scale(-1.0 / (2.0 * nudge * length))))
    }
}

/// The mean of the children's weights, with the state that all of them share.
fn mean_child(graph: &Graph, children: &[Generator]) -> Params {
    let Some(first) = children.first() else { return Params::new(Vec::new()) };
    let mut mean = first.params.clone();
    for at in trainable(graph) {
        let sum = |sum: Tensor, child: &Generator| sum.add(&child.params.tensors()[at]);
        let total = children.iter().skip(1).fold(first.params.tensors()[at].clone(), sum);
        mean.set(at, total.scale(1.0 / children.len() as f64));
    }
    mean
}

/// The product of two tensors, summed in f64.
fn dot(a: &Tensor, b: &Tensor) -> f64 {
    a.to_vec_f64().iter().zip(b.to_vec_f64()).map(|(a, b)| a * b).sum()
}
