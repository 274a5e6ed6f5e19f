//! The squared maximum mean discrepancy of two sets of features. With the cubic kernel, subsets, and the features of the Inception
//! network of 2015 it is what papers call KID (Bińkowski et al., arXiv 1801.01401); with other features it must be called by their name.

mod kernel;
mod sums;

use crate::defaults;
use crate::features::{Features, Generated, Number, Real, alike};
use base::seed::Stream;
use base::{Error, Result};
pub use kernel::Kernel;
use serde::{Deserialize, Serialize};
use sums::{Pool, Subset, sums};

/// How the discrepancy is estimated from `n` generated and `m` real images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Without the diagonals of both sets with themselves; divisors `n(n-1)`, `m(m-1)` and `nm`. Its mean over draws is right, so it may
    /// be negative; it is never clipped.
    #[default]
    Unbiased,
    /// With all diagonals: at least 0.
    Biased,
    /// As unbiased, but pairs of images of one number are left out between the sets as well. Takes as many of one as of the other.
    UStatistic,
}

/// Which images are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subsets {
    /// All of them, once.
    Whole,
    /// Random subsets, each without an image twice.
    Random {
        /// How many.
        subsets: usize,
        /// Images of each, of either set.
        size: usize,
        /// Seed of the draws.
        seed: u64,
    },
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The kernel.
    pub kernel: Kernel,
    /// The estimator.
    pub estimator: Estimator,
    /// The images.
    pub subsets: Subsets,
}

impl Default for Options {
    fn default() -> Self {
        let kernel = Kernel::Polynomial { degree: defaults::KID_DEGREE, scale: None, offset: defaults::KID_OFFSET };
        let (subsets, size, seed) = (defaults::KID_SUBSETS, defaults::KID_SUBSET_SIZE, defaults::SEED);
        Self { kernel, estimator: Estimator::default(), subsets: Subsets::Random { subsets, size, seed } }
    }
}

/// A squared discrepancy with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kid {
    /// The mean over subsets.
    pub value: f64,
    /// The standard deviation over subsets (divisor: their number). Subsets share images, so it is no error of the mean.
    pub deviation: f64,
    /// What was chosen.
    pub options: Options,
    /// Numbers of a feature vector.
    pub width: usize,
    /// Generated images.
    pub generated: usize,
    /// Real images.
    pub real: usize,
}

/// The discrepancy of two sets. Besides the features, memory holds a part of their products for each thread.
///
/// # Errors
/// Vectors differ in length, there are fewer images than a subset takes, or an option cannot be used.
pub fn kid<T: Number, U: Number>(
    generated: Generated<Features<T>>,
    real: Real<Features<U>>,
    options: Options,
) -> Result<Kid> {
    let (x, y) = (generated.0, real.0);
    alike(&x, &y)?;
    options.kernel.check()?;
    let (subsets, sizes) = match options.subsets {
        Subsets::Whole => (1, [x.len(), y.len()]),
        Subsets::Random { subsets, size, .. } => (subsets, [size; 2]),
    };
    if subsets == 0 {
        return Err(Error::setting("kid_subsets", "is 0").with_hint("Take at least 1; 100 are usual."));
    }
    let least = if options.estimator == Estimator::Biased { 1 } else { 2 };
    if sizes.into_iter().any(|size| size < least) && matches!(options.subsets, Subsets::Random { .. }) {
        return Err(Error::setting("kid_size", format!("is {}; this estimator takes at least {least}", sizes[0])));
    }
    for enough in [x.need(sizes[0].max(least), "a subset"), y.need(sizes[1].max(least), "a subset")] {
        enough.map_err(|error| match options.subsets {
            Subsets::Random { size, .. } => error.with_hint(format!(
                "Give more images, or set `kid_size` below {size}: figures of other sizes are no longer comparable."
            )),
            Subsets::Whole => error,
        })?;
    }
    if options.estimator == Estimator::UStatistic && sizes[0] != sizes[1] {
        let reason = format!(
            "are {}, and real ones {}: the U-statistic takes as many of one as of the other",
            sizes[0], sizes[1]
        );
        return Err(Error::setting(x.name(), reason).with_hint("Give as many, or choose the unbiased estimator."));
    }
    let drawn = |of: &str, n: usize| -> Vec<Vec<usize>> {
        let one = |number: u64| match options.subsets {
            Subsets::Whole => (0..n).collect(),
            Subsets::Random { size, seed, .. } => draw(n, size, &mut Stream::new(seed, of, number)),
        };
        (0..subsets as u64).map(one).collect()
    };
    let (of_x, of_y) = (drawn("kid-generated", x.len()), drawn("kid-real", y.len()));
    let kernel = options.kernel;
    let xx = over_pairs((x, &of_x), (x, &of_x), kernel, true);
    let yy = over_pairs((y, &of_y), (y, &of_y), kernel, true);
    let xy = over_pairs((x, &of_x), (y, &of_y), kernel, false);
    let of_subset = |i: usize| options.estimator.of(xx[i], yy[i], xy[i], sizes);
    let values: Vec<f64> = (0..subsets).map(of_subset).collect();
    let mean = values.iter().sum::<f64>() / subsets as f64;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / subsets as f64;
    if !mean.is_finite() {
        return Err(Error::setting(x.name(), "are so large that the kernel overflows")
            .with_hint("Look at the images: a generator that diverged makes such features."));
    }
    Ok(Kid { value: mean, deviation: variance.sqrt(), options, width: x.width(), generated: x.len(), real: y.len() })
}

/// [`sums`] for subsets of images. Where they share so many images that all pairs of these are less work, each pair is computed once;
/// otherwise one subset after the other.
fn over_pairs<T: Number, U: Number>(
    (a, of_a): (Features<T>, &[Vec<usize>]),
    (b, of_b): (Features<U>, &[Vec<usize>]),
    kernel: Kernel,
    half: bool,
) -> Vec<[f64; 2]> {
    let (all_a, all_b) = (Pool::new(a, union(of_a), kernel), Pool::new(b, union(of_b), kernel));
    let alone: usize = of_a.iter().zip(of_b).map(|(a, b)| a.len() * b.len()).sum();
    if all_a.len() * all_b.len() <= alone {
        let subsets: Vec<Subset> = of_a.iter().zip(of_b).map(|(a, b)| [all_a.places(a), all_b.places(b)]).collect();
        return sums(&all_a, &all_b, kernel, half, &subsets);
    }
    let one = |(of_a, of_b): (&Vec<usize>, &Vec<usize>)| {
        let (a, b) = (Pool::new(a, of_a.clone(), kernel), Pool::new(b, of_b.clone(), kernel));
        sums(&a, &b, kernel, half, &[[(0..of_a.len()).collect(), (0..of_b.len()).collect()]])[0]
    };
    of_a.iter().zip(of_b).map(one).collect()
}

/// What is in any of the sets, in order.
fn union(sets: &[Vec<usize>]) -> Vec<usize> {
    let mut all: Vec<usize> = sets.concat();
    all.sort_unstable();
    all.dedup();
    all
}

impl Estimator {
    /// From the sums over pairs of different images of one set, with those over images with themselves, and over pairs of one of each,
    /// with those of one number.
    fn of(
        self,
        [xx, diagonal_xx]: [f64; 2],
        [yy, diagonal_yy]: [f64; 2],
        [xy, diagonal_xy]: [f64; 2],
        [n, m]: [usize; 2],
    ) -> f64 {
        let (n, m) = (n as f64, m as f64);
        match self {
            Self::Unbiased => 2.0 * xx / (n * (n - 1.0)) + 2.0 * yy / (m * (m - 1.0)) - 2.0 * xy / (n * m),
            Self::Biased => {
                let own = (2.0 * xx + diagonal_xx) / (n * n) + (2.0 * yy + diagonal_yy) / (m * m);
                // A norm: only rounding makes it negative.
                let value = own - 2.0 * xy / (n * m);
                if value < 0.0 { 0.0 } else { value }
            }
            Self::UStatistic => 2.0 * (xx + yy - (xy - diagonal_xy)) / (n * (n - 1.0)),
        }
    }
}

/// `size` of `0..n`, each at most once, in order: the first steps of a shuffle.
fn draw(n: usize, size: usize, stream: &mut Stream) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for place in 0..size {
        let other = place + stream.below((n - place) as u64) as usize;
        all.swap(place, other);
    }
    all.truncate(size);
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests;
