//! How a picture is inverted.

use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// The settings of an inversion. The same settings, generator and picture give the same result, bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Seed of the latents that the search begins with.
    pub seed: u64,
    /// Latents that are drawn and judged.
    pub starts: usize,
    /// The best of them, which are followed.
    pub kept: usize,
    /// Steps in which latents are moved; at even distances of them the worse half is given up.
    pub steps: usize,
    /// Adam's learning rate for latents at the first step; it falls to 0 along a cosine.
    pub lr: f64,
    /// How strongly normal latents are kept within the lengths that nearly all have that are drawn.
    pub prior: f64,
    /// Steps in which the layer is shifted; 0: it is not.
    pub shift_steps: usize,
    /// Adam's learning rate for the shift, in standard deviations of the layer's values.
    pub shift_lr: f64,
    /// What the mean squared shift costs, in variances of the layer's values.
    pub shift_penalty: f64,
    /// How often both sides of the pictures are halved for the coarsest scale at which they are compared.
    pub halvings: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            starts: 512,
            kept: 4,
            steps: 200,
            lr: 0.1,
            prior: 0.01,
            shift_steps: 200,
            shift_lr: 0.05,
            shift_penalty: 0.001,
            halvings: 3,
        }
    }
}

impl Settings {
    /// Refuses what cannot be done.
    ///
    /// # Errors
    /// A number is out of its range.
    pub fn check(&self) -> Result<()> {
        for (key, number, least, most) in [
            ("starts", self.starts, 1, 1 << 20),
            ("kept", self.kept, 1, 1024),
            ("steps", self.steps, 0, 1 << 20),
            ("shift_steps", self.shift_steps, 0, 1 << 20),
            ("halvings", self.halvings, 0, 16),
        ] {
            if !(least..=most).contains(&number) {
                return Err(Error::setting(key, format!("is {number}; it is at least {least} and at most {most}")));
            }
        }
        if self.kept > self.starts {
            return Err(Error::setting(
                "kept",
                format!("is {}; of {} latents no more can be kept", self.kept, self.starts),
            ));
        }
        for (key, number, most) in [
            ("lr", self.lr, 10.0),
            ("shift_lr", self.shift_lr, 10.0),
            ("prior", self.prior, 1e6),
            ("shift_penalty", self.shift_penalty, 1e6),
        ] {
            if !(0.0..=most).contains(&number) {
                return Err(Error::setting(key, format!("is {number}; it is at least 0 and at most {most}")));
            }
        }
        Ok(())
    }
}
