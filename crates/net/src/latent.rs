//! Latents: what a generator makes its images from.

use crate::{Device, Network, Op, Primitive, Tensor};
use base::seed::Stream;
use serde::{Deserialize, Serialize};

/// The law of each number of a latent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Standard normal.
    #[default]
    Normal,
    /// Uniform in [-1, 1).
    Uniform,
}

impl Law {
    /// `len` numbers of a stream.
    pub fn draw(self, len: usize, stream: &mut Stream) -> Vec<f32> {
        match self {
            Self::Normal => (0..len).map(|_| stream.normal() as f32).collect(),
            Self::Uniform => (0..len).map(|_| stream.uniform(-1.0, 1.0) as f32).collect(),
        }
    }

    /// `n` latents `[n, shape...]` of one purpose: latent i is a function of (seed, purpose, first + i) alone.
    pub fn batch(self, n: usize, shape: &[usize], seed: u64, purpose: &str, first: u64, device: &Device) -> Tensor {
        let len = shape.iter().product();
        let each = |i| self.draw(len, &mut Stream::new(seed, purpose, first + i));
        Tensor::new(&[&[n], shape].concat(), (0..n as u64).flat_map(each).collect(), device)
    }
}

impl Network {
    /// The law of the first input; standard normal where the description does not say.
    pub fn latent_law(&self) -> Law {
        match self.graph.inputs().first().map(|&id| &self.graph.node(id).op) {
            Some(Op::Input { law: Some(law), .. }) => *law,
            _ => Law::default(),
        }
    }

    /// Whether the length of a latent counts. Where the network divides its latent by its length first, as ProGAN does, latents that are
    /// nearer to the middle of their law give the same as those further out.
    pub fn reads_latent_length(&self) -> bool {
        let Some(&input) = self.graph.inputs().first() else { return false };
        let mut read = vec![input];
        let mut at = 0;
        while let Some(&id) = read.get(at) {
            at += 1;
            for (reader, node) in self.graph.nodes().iter().enumerate().filter(|(_, node)| node.inputs.contains(&id)) {
                match node.op {
                    Op::PixelNorm { .. } => {}
                    Op::Reshape { .. } | Op::Primitive(Primitive::Reshape { .. }) => read.push(reader),
                    _ => return true,
                }
            }
        }
        false
    }

    /// The latents that people call by their seeds: one `[shape...]` each, the same in every command and batch.
    pub fn latents(&self, seeds: &[u64], device: &Device) -> Tensor {
        let shape = self.input_shape();
        let len = shape.iter().product();
        let law = self.latent_law();
        let values = seeds.iter().flat_map(|&seed| law.draw(len, &mut Stream::new(seed, "latent", 0))).collect();
        Tensor::new(&[&[seeds.len()], shape.as_slice()].concat(), values, device)
    }
}
