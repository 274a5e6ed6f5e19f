//! Initial weights.

use base::seed::Stream;
use serde::{Deserialize, Serialize};

/// The law from which a parameter is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Every element the same.
    Constant(f64),
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The bound.
        bound: f64,
    },
    /// Normal, then scaled to length 1: a start for a singular vector.
    UnitVector,
}

impl Init {
    /// Normal around 0.
    pub fn normal(std: f64) -> Self {
        Self::Normal { mean: 0.0, std }
    }

    /// Glorot and Bengio's uniform law: bound `sqrt(6 / (fan_in + fan_out))`.
    pub fn glorot(fan_in: usize, fan_out: usize) -> Self {
        Self::Uniform { bound: (6.0 / (fan_in + fan_out) as f64).sqrt() }
    }

    /// He's normal law for rectifiers: `sqrt(2 / fan_in)`.
    pub fn he(fan_in: usize) -> Self {
        Self::normal((2.0 / fan_in as f64).sqrt())
    }

    /// `len` numbers; a function of the stream alone.
    pub fn draw(self, len: usize, stream: &mut Stream) -> Vec<f32> {
        let mut values: Vec<f32> = (0..len)
            .map(|_| match self {
                Self::Constant(value) => value as f32,
                Self::Normal { mean, std } => (mean + std * stream.normal()) as f32,
                Self::Uniform { bound } => stream.uniform(-bound, bound) as f32,
                Self::UnitVector => stream.normal() as f32,
            })
            .collect();
        if self == Self::UnitVector {
            let length = values.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            values.iter_mut().for_each(|v| *v /= length);
        }
        values
    }
}
