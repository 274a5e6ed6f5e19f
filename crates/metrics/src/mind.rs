//! The sliced squared Wasserstein distance of two sets of features, as MIND (arXiv 2605.06797). Along a direction two sets are as far apart
//! as sorted values are; many random directions make a distance that needs no covariance and no kernel.

use crate::defaults;
use crate::features::{Features, Generated, Number, Real, alike};
use base::seed::Stream;
use base::{Error, Result};
use kernels::{Matrix, product};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Directions that are taken at once.
const AT_ONCE: usize = 16;
/// Images that are held as `f64` at once.
const ROWS: usize = 512;

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Random directions.
    pub directions: usize,
    /// Their seed.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { directions: defaults::DIRECTIONS, seed: defaults::SEED }
    }
}

/// A distance with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mind {
    /// `3 d` times the mean over directions of the squared 2-Wasserstein distance along them; 0 for equal sets. Small sets are farther
    /// apart by chance: only distances of sets of one size are comparable.
    pub value: f64,
    /// The standard error that the choice of directions makes.
    pub error_of_directions: f64,
    /// What was chosen.
    pub options: Options,
    /// Numbers of a feature vector, `d`.
    pub width: usize,
    /// Generated images.
    pub generated: usize,
    /// Real images.
    pub real: usize,
}

/// The distance of two sets, of one size or not.
///
/// # Errors
/// Vectors differ in length, a set is empty, or there are no directions.
pub fn mind<T: Number, U: Number>(
    generated: Generated<Features<T>>,
    real: Real<Features<U>>,
    options: Options,
) -> Result<Mind> {
    let (generated, real) = (generated.0, real.0);
    alike(&generated, &real)?;
    generated.need(1, "a distance")?;
    real.need(1, "a distance")?;
    if options.directions == 0 {
        return Err(Error::setting("directions", "is 0").with_hint("Take some hundred."));
    }
    let blocks = (0..options.directions.div_ceil(AT_ONCE)).into_par_iter().flat_map_iter(|block| {
        let directions = block * AT_ONCE..((block + 1) * AT_ONCE).min(options.directions);
        let lines: Vec<f64> =
            directions.flat_map(|number| direction(options.seed, number as u64, real.width())).collect();
        let (x, y) = (sorted(&generated, &lines), sorted(&real, &lines));
        x.into_iter().zip(y).map(|(x, y)| squared(&x, &y))
    });
    let all: Vec<f64> = blocks.collect();
    let n = all.len() as f64;
    let (mean, scale) = (all.iter().sum::<f64>() / n, 3.0 * real.width() as f64);
    let variance = all.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    Ok(Mind {
        value: scale * mean,
        error_of_directions: scale * (variance / n).sqrt(),
        options,
        width: real.width(),
        generated: generated.len(),
        real: real.len(),
    })
}

/// A vector of length 1, uniform on the sphere.
fn direction(seed: u64, number: u64, width: usize) -> Vec<f64> {
    let mut draw = Stream::new(seed, "mind", number);
    let normal: Vec<f64> = (0..width).map(|_| draw.normal()).collect();
    let length = normal.iter().map(|v| v * v).sum::<f64>().sqrt();
    normal.into_iter().map(|v| v / length).collect()
}

/// The places of all images along each line, in order.
fn sorted<T: Number>(features: &Features<T>, lines: &[f64]) -> Vec<Vec<f64>> {
    let (width, n) = (features.width(), lines.len() / features.width());
    let mut places = vec![Vec::with_capacity(features.len()); n];
    for first in (0..features.len()).step_by(ROWS) {
        let images = first..(first + ROWS).min(features.len());
        let rows = features.gather(images.clone());
        let mut along = vec![0.0; images.len() * n];
        let lines = Matrix::new(lines, n, width).transposed();
        product(Matrix::new(&rows, images.len(), width), lines, &mut along, false, false);
        for row in along.chunks_exact(n) {
            places.iter_mut().zip(row).for_each(|(line, place)| line.push(*place));
        }
    }
    places.iter_mut().for_each(|line| line.sort_unstable_by(f64::total_cmp));
    places
}

/// The squared 2-Wasserstein distance of two sorted sets of numbers: the mean squared difference of their quantiles.
fn squared(x: &[f64], y: &[f64]) -> f64 {
    if x.len() == y.len() {
        return x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / x.len() as f64;
    }
    // In units of 1 / (n m), each number of x goes on for m, each of y for n.
    let (n, m) = (x.len(), y.len());
    let (mut i, mut j, mut at, mut sum) = (0, 0, 0, 0.0);
    while i < n && j < m {
        let end = ((i + 1) * m).min((j + 1) * n);
        sum += (end - at) as f64 * (x[i] - y[j]) * (x[i] - y[j]);
        at = end;
        i += usize::from((i + 1) * m == end);
        j += usize::from((j + 1) * n == end);
    }
    sum / (n as f64 * m as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(x: &[f64], y: &[f64], width: usize, options: Options) -> Mind {
        let [x, y] = [x, y].map(|values| Features::new("features", values, width).unwrap());
        mind(Generated(x), Real(y), options).unwrap()
    }

    fn few(directions: usize, seed: u64) -> Options {
        Options { directions, seed }
    }

    fn normals(n: usize, seed: u64) -> Vec<f64> {
        let mut draw = Stream::new(seed, "test", 0);
        (0..n).map(|_| draw.normal()).collect()
    }

    /// The table of reference values.
    #[test]
    fn sets_of_the_table() {
        for seed in 0..5 {
            assert!((of(&[0.0, 1.0], &[1.0, 3.0], 1, few(20, seed)).value - 7.5).abs() < 1e-12);
            assert!((of(&[1.0, 0.0, 1.0, 0.0], &[1.0, 3.0], 1, few(20, seed)).value - 7.5).abs() < 1e-12);
        }
        let (n, d, shift) = (4000, 8, 0.5);
        let (x, y) = (normals(n * d, 1), normals(n * d, 2).iter().map(|v| v + shift).collect::<Vec<_>>());
        let (found, exact) = (of(&x, &y, d, few(2000, 3)), 3.0 * d as f64 * shift * shift);
        assert!((found.value / exact - 1.0).abs() < 0.1, "{found:?} for {exact}");
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let [none, one] = [&[][..], &[1.0]].map(|values| Features::<f64>::new("features", values, 1).unwrap());
        assert!(mind(Generated(none), Real(one), few(9, 1)).unwrap_err().to_string().contains("too few"));
        assert_eq!(mind(Generated(one), Real(one), few(0, 1)).unwrap_err().to_string(), "directions: is 0");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn laws(n in 1usize..60, m in 1usize..60, d in 1usize..6, seed in 0u64..1000) {
            let (x, y) = (normals(n * d, seed), normals(m * d, seed + 5000));
            let there = of(&x, &y, d, few(20, seed));
            prop_assert!(there.value >= 0.0);
            prop_assert_eq!(there.value, of(&y, &x, d, few(20, seed)).value);
            let reversed: Vec<f64> = x.chunks(d).rev().flatten().copied().collect();
            prop_assert_eq!(there, of(&reversed, &y, d, few(20, seed)));
            prop_assert_eq!(of(&x, &x, d, few(20, seed)).value, 0.0);
            // The same distribution, twice as many of it.
            let twice: Vec<f64> = x.iter().chain(&x).copied().collect();
            prop_assert!(of(&x, &twice, d, few(20, seed)).value < 1e-20);
            prop_assert!((of(&twice, &y, d, few(20, seed)).value - there.value).abs() < 1e-12 * there.value.max(1.0));
        }
    }
}
