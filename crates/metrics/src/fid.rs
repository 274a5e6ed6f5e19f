//! The Fréchet distance between the Gaussians that two sets of features have (Heusel et al., arXiv 1706.08500). With the features of the
//! Inception network of 2015 it is what papers call FID; with others it is another figure, and must be called by their name.

use crate::features::{Generated, Real};
use crate::linear::{Factor, add_lower, eigenvalues, factor};
use crate::statistics::{Divisor, Statistics};
use base::{Error, Result};
use kernels::{Matrix, product};
use serde::{Deserialize, Serialize};

/// A Fréchet distance with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fid {
    /// `|mu1 - mu2|^2 + tr(S1) + tr(S2) - 2 tr((S1^½ S2 S1^½)^½)`, at least 0. Biased upwards, by about `1/N`: only distances of sets of one
    /// size are comparable ([`crate::infinity`] extrapolates).
    pub value: f64,
    /// Of it, what the means are apart.
    pub of_means: f64,
    /// Numbers of a feature vector.
    pub width: usize,
    /// Generated images, where that is known.
    pub generated: Option<u64>,
    /// Real images, where that is known.
    pub real: Option<u64>,
    /// What the covariances were divided by, where that is known.
    pub divisor: Option<Divisor>,
}

/// The distance of two sets by their statistics, in `f64`.
///
/// With `S = F F^T`, the root's trace is the sum of the singular values of `F1^T F2`: roots of the eigenvalues of its smaller Gram matrix,
/// those that rounding made negative counted as 0. It is the same sum as with `S1^½`, without a root that has to be found first, and a
/// covariance that lacks directions costs less.
///
/// # Errors
/// Lengths or divisors differ, or a covariance has a negative direction.
pub fn fid(generated: Generated<&Statistics>, real: Real<&Statistics>) -> Result<Fid> {
    between(
        Generated(&Gaussian::new("generated statistics", generated.0)?),
        Real(&Gaussian::new("real statistics", real.0)?),
    )
}

/// Statistics with the factor of their covariance, which serves several distances.
pub(crate) struct Gaussian<'a> {
    statistics: &'a Statistics,
    factor: Factor,
}

impl<'a> Gaussian<'a> {
    /// `name` is for messages.
    pub(crate) fn new(name: &str, statistics: &'a Statistics) -> Result<Self> {
        let factor = factor(statistics.covariance.clone(), statistics.mean.len()).ok_or_else(|| {
            Error::setting(name, "the covariance has a negative direction, so it is that of no set of images")
                .with_hint("Compute mean and covariance of the features anew, in f64.")
        })?;
        Ok(Self { statistics, factor })
    }
}

pub(crate) fn between(generated: Generated<&Gaussian>, real: Real<&Gaussian>) -> Result<Fid> {
    let (a, b) = (generated.0.statistics, real.0.statistics);
    let n = a.mean.len();
    if n != b.mean.len() {
        return Err(Error::setting(
            "generated statistics",
            format!("are of {n} features, and the real ones of {}", b.mean.len()),
        )
        .with_hint("Compute both with the same feature network."));
    }
    let divisor = match (a.divisor, b.divisor) {
        (Some(one), Some(other)) if one != other => {
            let reason = format!("are divided by {}, and the real ones by {}", one.name(), other.name());
            return Err(Error::setting("generated statistics", reason).with_hint("Compute both with one divisor."));
        }
        (one, other) => one.or(other),
    };
    let of_means: f64 = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b) * (a - b)).sum();
    let trace = |s: &Statistics| (0..n).map(|i| s.covariance[i * n + i]).sum::<f64>();
    let of_covariances = trace(a) + trace(b) - 2.0 * trace_of_root(&generated.0.factor, &real.0.factor, n)?;
    // Both parts are squares of distances: only rounding makes them negative.
    let value = of_means + if of_covariances < 0.0 { 0.0 } else { of_covariances };
    if !value.is_finite() {
        return Err(Error::setting("generated statistics", "are so large that their squares overflow")
            .with_hint("Look at the images: a generator that diverged makes such features."));
    }
    Ok(Fid { value, of_means, width: n, generated: a.samples, real: b.samples, divisor })
}

/// `tr((S1^½ S2 S1^½)^½)` from the factors of both.
fn trace_of_root(a: &Factor, b: &Factor, n: usize) -> Result<f64> {
    let (few, many) = if a.rank <= b.rank { (a, b) } else { (b, a) };
    if few.rank == 0 {
        return Ok(0.0);
    }
    let mut cross = vec![0.0; few.rank * many.rank];
    product(
        Matrix::new(&few.values, n, few.rank).transposed(),
        Matrix::new(&many.values, n, many.rank),
        &mut cross,
        false,
        true,
    );
    let cross = Matrix::new(&cross, few.rank, many.rank);
    let mut gram = vec![0.0; few.rank * few.rank];
    add_lower(cross, cross, &mut gram, few.rank);
    let squares = eigenvalues(gram, few.rank).ok_or_else(|| {
        Error::setting("generated statistics", "the eigenvalues of the covariances were not found")
            .with_hint("Look at the images: their features are so large that arithmetic fails.")
    })?;
    Ok(squares.iter().map(|&v| v.max(0.0).sqrt()).sum())
}

#[cfg(test)]
mod tests;
