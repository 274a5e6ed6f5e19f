//! A positive semi-definite matrix as a product with its own transpose.

use super::{add_lower, dot};
use kernels::Matrix;

/// Columns that are finished before the rest of the matrix is brought up to date.
const PANEL: usize = 64;
/// Part of the largest entry that may be missing from a diagonal by rounding: files hold `f32` as well.
const ROUNDING: f64 = 1e-5;

/// `S = F F^T`, where `F` has as many columns as `S` has rank.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// `n x rank` in row-major order.
    pub(crate) values: Vec<f64>,
    /// Columns.
    pub(crate) rank: usize,
}

/// Cholesky's factor with the largest pivot first (Higham 2002, section 10.3, blocked as LAPACK's `dpstrf`); `None` if the matrix is not
/// positive semi-definite.
///
/// What is left when no pivot exceeds `n` rounding errors of the largest entry counts as 0: a covariance of few samples has no more columns
/// than it has directions, and rounding errors get no root.
pub(crate) fn factor(mut a: Vec<f64>, n: usize) -> Option<Factor> {
    let largest = (0..n).map(|i| a[i * n + i]).fold(0.0, f64::max);
    let negligible = n as f64 * f64::EPSILON * largest;
    let mut order: Vec<usize> = (0..n).collect();
    // Of each diagonal element, what columns of this panel took.
    let mut taken = vec![0.0; n];
    let mut rank = 0;
    'panels: for start in (0..n).step_by(PANEL) {
        let end = (start + PANEL).min(n);
        taken[start..].fill(0.0);
        for j in start..end {
            if j > start {
                for i in j..n {
                    taken[i] += a[i * n + j - 1] * a[i * n + j - 1];
                }
            }
            let left = |i: usize| a[i * n + i] - taken[i];
            let pivot = (j + 1..n).fold(j, |best, i| if left(i) > left(best) { i } else { best });
            if left(pivot) <= negligible {
                if (j..n).any(|i| left(i) < -ROUNDING * largest) {
                    return None;
                }
                break 'panels;
            }
            let root = left(pivot).sqrt();
            swap(&mut a, n, j, pivot);
            taken.swap(j, pivot);
            order.swap(j, pivot);
            a[j * n + j] = root;
            let (above, below) = a.split_at_mut((j + 1) * n);
            let row_of_pivot = &above[j * n + start..j * n + j];
            for row in below.chunks_exact_mut(n) {
                row[j] = (row[j] - dot(&row[start..j], row_of_pivot)) / root;
            }
            rank = j + 1;
        }
        let panel: Vec<f64> = a[end * n..].chunks_exact(n).flat_map(|row| row[start..end].iter().copied()).collect();
        let minus: Vec<f64> = panel.iter().map(|v| -v).collect();
        if end < n {
            let matrix = |values| Matrix::new(values, n - end, end - start);
            add_lower(matrix(&minus), matrix(&panel), &mut a[end * n + end..], n);
        }
    }
    let mut values = vec![0.0; n * rank];
    for (place, &row) in order.iter().enumerate() {
        let known = rank.min(place + 1);
        values[row * rank..][..known].copy_from_slice(&a[place * n..][..known]);
    }
    Some(Factor { values, rank })
}

/// Exchanges two rows and the same columns, `j <= other`, in the lower triangle.
fn swap(a: &mut [f64], n: usize, j: usize, other: usize) {
    if j == other {
        return;
    }
    for i in 0..j {
        a.swap(j * n + i, other * n + i);
    }
    a.swap(j * n + j, other * n + other);
    for i in j + 1..other {
        a.swap(i * n + j, other * n + i);
    }
    for i in other + 1..n {
        a.swap(i * n + j, i * n + other);
    }
}
