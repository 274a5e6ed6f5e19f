//! Mean and covariance of features, at hand and in files.

mod file;

use base::{Error, Result};
pub use file::{Made, Stored};
use serde::{Deserialize, Serialize};

/// What sums of squares about the mean are divided by. Programs differ: torch-fidelity, clean-fid and pytorch-fid take N-1, `StyleGAN3` N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Divisor {
    /// N - 1: the covariance is right on average.
    #[default]
    #[serde(rename = "N-1")]
    SamplesLessOne,
    /// N.
    #[serde(rename = "N")]
    Samples,
}

impl Divisor {
    pub(crate) fn less(self) -> u64 {
        u64::from(self == Self::SamplesLessOne)
    }

    /// `N-1` or `N`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SamplesLessOne => "N-1",
            Self::Samples => "N",
        }
    }
}

/// Mean and covariance of the features of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    pub(crate) mean: Vec<f64>,
    pub(crate) covariance: Vec<f64>,
    pub(crate) samples: Option<u64>,
    pub(crate) divisor: Option<Divisor>,
}

impl Statistics {
    /// A mean of `d` numbers and a covariance of `d x d`, of somewhere else. The number of images and the divisor are recorded.
    ///
    /// # Errors
    /// Lengths do not fit, a number is not finite, or the covariance is not that of any set: not symmetric, or with a negative variance or
    /// a correlation above 1.
    pub fn new(mean: Vec<f64>, covariance: Vec<f64>, samples: Option<u64>, divisor: Option<Divisor>) -> Result<Self> {
        let n = mean.len();
        let wrong = |reason: String| {
            Err(Error::setting("statistics", reason).with_hint("Compute mean and covariance of the features anew."))
        };
        if n == 0 || Some(covariance.len()) != n.checked_mul(n) {
            return wrong(format!("a mean of {n} numbers does not fit a covariance of {}", covariance.len()));
        }
        if let Some(value) = mean.iter().chain(&covariance).find(|v| !v.is_finite()) {
            return wrong(format!("hold the number {value}"));
        }
        let largest = (0..n).map(|i| covariance[i * n + i]).fold(0.0, f64::max);
        for i in 0..n {
            let variance = covariance[i * n + i];
            if variance < -ROUNDING * largest {
                return wrong(format!("variance {i} is {variance}"));
            }
            for j in 0..i {
                let (below, above) = (covariance[i * n + j], covariance[j * n + i]);
                if (below - above).abs() > ROUNDING * largest {
                    return wrong(format!(
                        "the covariance is not symmetric: {below} at ({i}, {j}), {above} at ({j}, {i})"
                    ));
                }
                let most = (variance.max(0.0) * covariance[j * n + j].max(0.0)).sqrt();
                if below.abs() > most + ROUNDING * largest {
                    return wrong(format!(
                        "numbers {i} and {j} have a covariance of {below}, above {most}, which their variances allow"
                    ));
                }
            }
        }
        Ok(Self { mean, covariance, samples, divisor })
    }

    /// The mean: `d` numbers.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The covariance: `d x d` in row-major order.
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// Images that it was computed from, where that is known.
    pub fn samples(&self) -> Option<u64> {
        self.samples
    }

    /// What the covariance was divided by, where that is known.
    pub fn divisor(&self) -> Option<Divisor> {
        self.divisor
    }
}

/// Files hold `f32` as well.
const ROUNDING: f64 = 1e-5;
