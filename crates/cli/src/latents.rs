//! Where latents come from: seeds, or a file; and the ways between two of them.

use crate::seeds::Seeds;
use anyhow::Result;
use base::npy::Array;
use base::{Error, npy};
use net::{Device, Network, Tensor};
use std::path::Path;

/// Latents that are delivered in batches.
pub(crate) enum Latents {
    /// Drawn from seeds, a batch at a time.
    Seeds(Seeds),
    /// Read from a file.
    File {
        /// How many there are.
        n: usize,
        /// Their numbers, side by side.
        values: Vec<f32>,
    },
}

impl Latents {
    /// Reads an `.npy` file of latents for a network: `[N, Z]` or `[N, Z, 1, 1]`.
    pub(crate) fn read(path: &Path, network: &Network) -> Result<Self> {
        let array: Array = npy::Array::read(path)?;
        let (shape, wanted) = (array.shape.clone(), network.input_shape());
        let (n, fits) = match shape.split_first() {
            Some((&n, rest)) => (n, without_ones(rest) == without_ones(&wanted)),
            None => (0, false),
        };
        if !fits {
            let z = without_ones(&wanted);
            let accepted = match *z {
                [z] => format!("[N, {z}] or [N, {z}, 1, 1]"),
                _ => format!("{:?}", [&["N".to_owned()], &*strings(&wanted)].concat()).replace('"', ""),
            };
            return Err(Error::file(path, format!("has shape {shape:?}, but this model reads latents {accepted}"))
                .with_hint("See the model's input with `ganatomy inspect MODEL`.")
                .into());
        }
        if n == 0 {
            return Err(Error::file(path, "holds no latents").into());
        }
        let values = array.into_f32();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let latent = at / (values.len() / n);
            return Err(Error::file(path, format!("latent {latent} holds {}, which is not finite", values[at])).into());
        }
        Ok(Self::File { n, values })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Seeds(seeds) => seeds.len(),
            Self::File { n, .. } => *n as u64,
        }
    }

    /// At most `n` latents from place `first` on, as the network reads them.
    pub(crate) fn batch(&self, network: &Network, first: u64, n: usize, device: &Device) -> Tensor {
        match self {
            Self::Seeds(seeds) => network.latents(&seeds.part(first, n), device),
            Self::File { n: all, values } => {
                let length = values.len() / all;
                let first = first as usize;
                let end = all.min(&(first + n)).to_owned();
                let shape = [&[end - first], network.input_shape().as_slice()].concat();
                Tensor::new(&shape, values[first * length..end * length].to_vec(), device)
            }
        }
    }

    /// The name of the file of one latent's picture, without ending.
    pub(crate) fn file_stem(&self, place: u64) -> String {
        match self {
            Self::Seeds(seeds) => format!("seed{:06}", seeds.part(place, 1).first().copied().unwrap_or_default()),
            Self::File { .. } => format!("latent{place:06}"),
        }
    }
}

fn without_ones(shape: &[usize]) -> Vec<usize> {
    // [Z, 1, 1] and [Z] are the same latent; [1] alone stays one number.
    match shape {
        [z, 1, 1] => vec![*z],
        other => other.to_vec(),
    }
}

fn strings(shape: &[usize]) -> Vec<String> {
    shape.iter().map(ToString::to_string).collect()
}

/// The way from one latent to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    // Straight.
    Linear,
    // Along the great circle, which keeps the length that a normal latent has.
    Spherical,
}

impl Way {
    /// The latent at `t` of the way (0: `a` itself, 1: `b` itself).
    pub(crate) fn between(self, a: &[f32], b: &[f32], t: f64) -> Vec<f32> {
        if t <= 0.0 || t >= 1.0 {
            return if t <= 0.0 { a.to_vec() } else { b.to_vec() };
        }
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
        let cosine = dot(a, b) / libm::sqrt(dot(a, a) * dot(b, b));
        let angle = libm::acos(cosine.clamp(-1.0, 1.0));
        let sine = libm::sin(angle);
        // Parallel or opposite latents (or zero) span no circle. NaN must go the straight way, too.
        let (of_a, of_b) = if self == Self::Spherical && sine > 1e-6 {
            (libm::sin((1.0 - t) * angle) / sine, libm::sin(t * angle) / sine)
        } else {
            (1.0 - t, t)
        };
        a.iter().zip(b).map(|(&x, &y)| (of_a * f64::from(x) + of_b * f64::from(y)) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_way_are_the_latents_themselves() {
        let (a, b) = ([0.1, -0.7], [0.3, 0.9]);
        for way in [Way::Linear, Way::Spherical] {
            assert_eq!((way.between(&a, &b, 0.0), way.between(&a, &b, 1.0)), (a.to_vec(), b.to_vec()));
        }
    }

    #[test]
    fn half_of_a_right_angle() {
        let (a, b) = ([2.0, 0.0], [0.0, 2.0]);
        assert_eq!(Way::Linear.between(&a, &b, 0.5), [1.0, 1.0]);
        let half = Way::Spherical.between(&a, &b, 0.5);
        assert!(half.iter().all(|v| (v - 2f32.sqrt()).abs() < 1e-6), "{half:?}");
    }

    #[test]
    fn latents_that_span_no_circle_are_joined_straight() {
        for (a, b) in [([1.0, 0.0], [2.0, 0.0]), ([1.0, 0.0], [-1.0, 0.0]), ([0.0, 0.0], [1.0, 1.0])] {
            assert_eq!(Way::Spherical.between(&a, &b, 0.25), Way::Linear.between(&a, &b, 0.25));
        }
    }
}
