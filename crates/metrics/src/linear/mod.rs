//! Symmetric matrices in row-major order, of which the lower triangle counts.
//!
//! All of it is split by shape, so that bits do not depend on the number of threads.

mod eigenvalues;
mod factor;
mod tridiagonal;

pub(crate) use eigenvalues::eigenvalues;
pub(crate) use factor::{Factor, factor};

use kernels::{Matrix, product_within};
use rayon::prelude::*;

/// Rows of the result that are computed at once.
const ROWS: usize = 128;

/// Adds the lower triangle of `a b^T`, which the caller knows to be symmetric. `out` begins with its first element, and `row_stride`
/// elements lie from one row to the next. Blocks on the diagonal are written whole.
pub(crate) fn add_lower(a: Matrix<f64>, b: Matrix<f64>, out: &mut [f64], row_stride: usize) {
    let (n, depth) = (a.rows(), a.columns());
    out.par_chunks_mut(ROWS * row_stride).take(n.div_ceil(ROWS)).enumerate().for_each(|(block, out)| {
        let rows = block * ROWS..((block + 1) * ROWS).min(n);
        let left = b.part(0..rows.end, 0..depth).transposed();
        product_within(a.part(rows, 0..depth), left, out, row_stride, true, false);
    });
}

/// The sum of products, in eight sums side by side.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
