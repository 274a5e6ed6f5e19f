//! How images come to the size of a feature network. Programs differ, and the same images may differ by 6 FID between two rules.

use data::Image;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The rule. All of them squeeze the whole image; none of them rounds what comes out to bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// PIL's bicubic filter on floats, widened when shrinking, cut to the range of bytes: clean-fid.
    #[default]
    Clean,
    /// TensorFlow 1's bilinear interpolation, pixels at their upper left corners, without a filter against aliasing: TTUR and torch-fidelity.
    Tf1,
    /// `PyTorch`'s bilinear interpolation, pixels at their centres, without a filter against aliasing: pytorch-fid.
    Pytorch,
}

/// What an entry of the result is made of: entries of the source from `first` on, by weight.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

impl Resize {
    /// All rules.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Tf1, Self::Pytorch];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Tf1 => "tf1",
            Self::Pytorch => "pytorch",
        }
    }

    /// The image in another size (sides of at least 1), as planes `[channels, height, width]` of numbers from 0 to 255.
    pub fn planes(self, image: &Image, size: [usize; 2]) -> Vec<f32> {
        let plane = |channel| image.pixels.iter().skip(channel).step_by(image.channels).map(|&byte| f32::from(byte));
        let planes: Vec<f32> = (0..image.channels).flat_map(plane).collect();
        self.resized(&planes, [image.height, image.width], size)
    }

    /// Planes of numbers from 0 to 255 in another size (sides of at least 1). What lies outside of that range is cut.
    pub fn resized(self, planes: &[f32], from: [usize; 2], [height, width]: [usize; 2]) -> Vec<f32> {
        let (across, down) = (self.taps(from[1], width), self.taps(from[0], height));
        let (plane, row) = ((from[0] * from[1]).max(1), from[1].max(1));
        let mut all = Vec::with_capacity(planes.len() / plane * height * width);
        let mut rows = vec![0f32; from[0] * width];
        for plane in planes.chunks_exact(plane) {
            for (row, values) in rows.chunks_exact_mut(width).zip(plane.chunks_exact(row)) {
                for (value, taps) in row.iter_mut().zip(&across) {
                    let under = values.iter().skip(taps.first).zip(&taps.weights);
                    *value = under.map(|(&value, weight)| f64::from(value) * weight).sum::<f64>() as f32;
                }
            }
            for taps in &down {
                let mut sums = vec![0f64; width];
                for (row, weight) in rows.chunks_exact(width).skip(taps.first).zip(&taps.weights) {
                    sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) * weight);
                }
                // Of bytes only the cubic filter leaves the range.
                all.extend(sums.into_iter().map(|sum| sum.clamp(0.0, 255.0) as f32));
            }
        }
        all
    }

    /// Along one axis.
    fn taps(self, from: usize, to: usize) -> Vec<Taps> {
        let scale = from as f64 / to as f64;
        let last = from - 1;
        let between = |at: f64| {
            let first = (at as usize).min(last);
            let share = at - first as f64;
            if first == last || share == 0.0 {
                Taps { first, weights: vec![1.0] }
            } else {
                Taps { first, weights: vec![1.0 - share, share] }
            }
        };
        let one = |place: usize| match self {
            // In f32, as TensorFlow has it.
            Self::Tf1 => between(f64::from(place as f32 * (from as f32 / to as f32))),
            Self::Pytorch => between(((place as f64 + 0.5) * scale - 0.5).max(0.0)),
            Self::Clean => {
                let (middle, wide) = ((place as f64 + 0.5) * scale, scale.max(1.0));
                let first = (middle - 2.0 * wide + 0.5).max(0.0) as usize;
                let end = ((middle + 2.0 * wide + 0.5) as usize).min(from);
                let weights: Vec<f64> =
                    (first..end).map(|source| cubic((source as f64 - middle + 0.5) / wide)).collect();
                let sum: f64 = weights.iter().sum();
                Taps { first, weights: weights.into_iter().map(|weight| weight / sum).collect() }
            }
        };
        (0..to).map(one).collect()
    }
}

/// Keys' cubic filter with a = -1/2.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Resize {
    type Err = base::Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|rule| rule.name() == text).ok_or_else(|| {
            let cure = base::known_names(text, "rules", Self::ALL.map(Self::name));
            base::Malformed::new("resize", format!("{text:?} is not known. {cure}"))
        })
    }
}

#[cfg(test)]
mod tests;
