//! Places between seeds: a latent with the label that belongs to it.

use crate::{Generator, Way};
use net::Tensor;

/// A latent with its label, which is empty where the generator reads none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) latent: Vec<f32>,
    pub(crate) label: Vec<f32>,
}

impl Point {
    /// Those of seeds.
    pub(crate) fn of_seeds(seeds: &[u64], generator: &Generator) -> Vec<Self> {
        let network = generator.network();
        let feed = network.feed(seeds, generator.device());
        let label = network.label().and_then(|(name, _)| feed.value(name)).map(Tensor::to_vec);
        let (latents, labels) = (feed.latents.to_vec(), label.unwrap_or_default());
        let part = |all: &[f32], place: usize| {
            let length = all.len() / seeds.len().max(1);
            all[place * length..][..length].to_vec()
        };
        (0..seeds.len()).map(|place| Self { latent: part(&latents, place), label: part(&labels, place) }).collect()
    }

    /// What is at `t` on the way to another one: labels are mixed.
    pub(crate) fn between(&self, other: &Self, way: Way, t: f64) -> Self {
        let label = Way::Linear.between(&self.label, &other.label, t);
        Self { latent: way.between(&self.latent, &other.latent, t), label }
    }
}
