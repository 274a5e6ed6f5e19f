//! Eigenvalues of symmetric matrices.

use super::tridiagonal::{Tridiagonal, tridiagonal};

/// Steps for one eigenvalue; two are usual.
const STEPS: usize = 60;

/// All eigenvalues of a symmetric matrix, from its lower triangle, in no order; each to a few rounding errors of the largest. `None` if the
/// iteration does not end, which no finite matrix is known to cause.
pub(crate) fn eigenvalues(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    let largest = (0..n).flat_map(|i| &a[i * n..=i * n + i]).fold(0.0f64, |most, v| most.max(v.abs()));
    if largest == 0.0 {
        return Some(vec![0.0; n]);
    }
    // Squares neither overflow nor vanish.
    a.iter_mut().for_each(|v| *v /= largest);
    let mut found = of_tridiagonal(tridiagonal(&mut a, n))?;
    found.iter_mut().for_each(|v| *v *= largest);
    Some(found)
}

/// The QL method with implicit shifts (Martin and Wilkinson 1968; EISPACK's `imtql1`), without vectors.
fn of_tridiagonal(Tridiagonal { diagonal: mut d, beside: mut e }: Tridiagonal) -> Option<Vec<f64>> {
    let n = d.len();
    e.push(0.0);
    for l in 0..n {
        for step in 0.. {
            // The largest element is 1, and rounding errors of that are in all the others already: among smaller ones there may be nothing
            // but noise, which does not converge.
            let is_split = |m: usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs()).max(1.0);
            let m = (l..n - 1).find(|&m| is_split(m)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            if step == STEPS {
                return None;
            }
            let slope = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let root = (slope * slope + 1.0).sqrt();
            let mut g = d[m] - d[l] + e[l] / (slope + root.copysign(slope));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut is_whole = true;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = (f * f + g * g).sqrt();
                e[i + 1] = r;
                if r == 0.0 {
                    // The matrix falls into two here; the next step sees it.
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    is_whole = false;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = d[i + 1] - p;
                let t = (d[i] - g) * s + 2.0 * c * b;
                p = s * t;
                d[i + 1] = g + p;
                g = c * t - b;
            }
            if is_whole {
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    Some(d)
}
