//! How alike two feature vectors are.

use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// A kernel of two vectors of `d` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// `(scale x.y + offset)^degree`
    Polynomial {
        /// The exponent, at least 1.
        degree: u32,
        /// Factor of the product; `1/d` where there is none.
        scale: Option<f64>,
        /// What is added.
        offset: f64,
    },
    /// `exp(-|x - y|^2 / (2 sigma^2))`
    Gaussian {
        /// The width, above 0.
        sigma: f64,
    },
}

impl Kernel {
    pub(super) fn check(self) -> Result<()> {
        let wrong = |key: &str, reason: String, hint: &str| Err(Error::setting(key, reason).with_hint(hint));
        match self {
            Self::Polynomial { degree: 0, .. } => {
                wrong("degree", "is 0: all images would be alike".into(), "The usual degree is 3.")
            }
            Self::Polynomial { scale: Some(v), .. } | Self::Polynomial { offset: v, .. } if !v.is_finite() => wrong(
                "kernel",
                format!("{v} is no number to compute with"),
                "The usual scale is 1/d, and the usual offset 1.",
            ),
            Self::Gaussian { sigma } if !(sigma > 0.0 && sigma.is_finite()) => {
                wrong("sigma", format!("is {sigma}"), "Take a number above 0, about the usual distance of two vectors.")
            }
            _ => Ok(()),
        }
    }

    /// Whether it needs the squares of vectors beside their products.
    pub(super) fn wants_squares(self) -> bool {
        matches!(self, Self::Gaussian { .. })
    }

    /// Its values, from products `x.y` in place; `x` is the square of one vector, `y` those of the others.
    pub(super) fn apply(self, products: &mut [f64], x: f64, y: &[f64], width: usize) {
        match self {
            Self::Polynomial { degree, scale, offset } => {
                let scale = scale.unwrap_or(1.0 / width as f64);
                products.iter_mut().for_each(|v| *v = scale * *v + offset);
                if degree == 3 {
                    products.iter_mut().for_each(|v| *v = *v * *v * *v);
                } else {
                    products.iter_mut().for_each(|v| *v = (1..degree).fold(*v, |power, _| power * *v));
                }
            }
            Self::Gaussian { sigma } => {
                let factor = -0.5 / (sigma * sigma);
                for (v, y) in products.iter_mut().zip(y) {
                    *v = libm::exp(factor * (x + y - 2.0 * *v).max(0.0));
                }
            }
        }
    }
}
