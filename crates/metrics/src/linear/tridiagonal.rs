//! A symmetric matrix turned by reflections until only its diagonal and the elements beside it are left.

use super::add_lower;
use kernels::Matrix;
use rayon::prelude::*;
use std::ops::Range;

/// Reflections that are gathered before the rest of the matrix is brought up to date.
const PANEL: usize = 32;
/// From so many rows on, a product with a vector is shared out among threads.
const SHARED: usize = 256;
/// Parts of a product that is shared out.
const PARTS: usize = 8;

/// The diagonal, and the elements beside it.
pub(super) struct Tridiagonal {
    pub(super) diagonal: Vec<f64>,
    pub(super) beside: Vec<f64>,
}

/// Householder's reduction in panels (Dongarra, Sorensen and Hammarling 1989; LAPACK's `dsytrd`). Reads and overwrites the lower triangle.
///
/// No element may be so large that its square overflows.
pub(super) fn tridiagonal(a: &mut [f64], n: usize) -> Tridiagonal {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n.saturating_sub(1)]);
    // A reflection `x - tau v (v.x)` on both sides takes `v w^T + w v^T` away. A row for each row of the matrix.
    let (mut v, mut w) = (vec![[0.0; PANEL]; n], vec![[0.0; PANEL]; n]);
    for start in (0..n).step_by(PANEL) {
        let end = (start + PANEL).min(n);
        for c in start..end {
            let known = c - start;
            for r in c..n {
                a[r * n + c] -= sum(&v[r], &w[c], known) + sum(&w[r], &v[c], known);
            }
            diagonal[c] = a[c * n + c];
            if c + 1 == n {
                break;
            }
            let mut x: Vec<f64> = (c + 1..n).map(|r| a[r * n + c]).collect();
            let tau;
            (beside[c], tau) = reflection(&mut x);
            let mut y = times(a, n, c + 1, &x);
            let (mut along_v, mut along_w) = ([0.0; PANEL], [0.0; PANEL]);
            for (i, x) in x.iter().enumerate() {
                for k in 0..known {
                    along_v[k] += v[c + 1 + i][k] * x;
                    along_w[k] += w[c + 1 + i][k] * x;
                }
            }
            let mut both = 0.0;
            for (i, (x, y)) in x.iter().zip(&mut y).enumerate() {
                let before = sum(&v[c + 1 + i], &along_w, known) + sum(&w[c + 1 + i], &along_v, known);
                *y = tau * (*y - before);
                both += *x * *y;
            }
            for (i, (x, y)) in x.into_iter().zip(y).enumerate() {
                v[c + 1 + i][known] = x;
                w[c + 1 + i][known] = y - 0.5 * tau * both * x;
            }
        }
        if end < n {
            let beside_each_other = |first: &[[f64; PANEL]], second: &[[f64; PANEL]], sign: f64| -> Vec<f64> {
                first[end..]
                    .iter()
                    .zip(&second[end..])
                    .flat_map(|(a, b)| a.iter().chain(b).map(|x| sign * x).collect::<Vec<_>>())
                    .collect()
            };
            let (minus, turned) = (beside_each_other(&v, &w, -1.0), beside_each_other(&w, &v, 1.0));
            let matrix = |values| Matrix::new(values, n - end, 2 * PANEL);
            add_lower(matrix(&minus), matrix(&turned), &mut a[end * n + end..], n);
        }
    }
    Tridiagonal { diagonal, beside }
}

fn sum(a: &[f64; PANEL], b: &[f64; PANEL], known: usize) -> f64 {
    a[..known].iter().zip(&b[..known]).map(|(a, b)| a * b).sum()
}

/// Turns `x` into the `v` of the reflection that leaves nothing of `x` but its first element. Returns that and `tau`, which is 0 where
/// there is nothing to do.
fn reflection(x: &mut [f64]) -> (f64, f64) {
    let first = x[0];
    let rest: f64 = x[1..].iter().map(|x| x * x).sum();
    x[0] = 1.0;
    if rest == 0.0 {
        return (first, 0.0);
    }
    let length = -(first * first + rest).sqrt().copysign(first);
    let scale = 1.0 / (first - length);
    x[1..].iter_mut().for_each(|x| *x *= scale);
    (length, (length - first) / length)
}

/// The product with `x` of the part of the matrix that begins at row and column `from`.
fn times(a: &[f64], n: usize, from: usize, x: &[f64]) -> Vec<f64> {
    let m = x.len();
    if m < SHARED {
        return times_rows(a, n, from, 0..m, x);
    }
    // Rows grow longer: parts of equal area end at roots.
    let bound = |part: usize| (m as f64 * (part as f64 / PARTS as f64).sqrt()) as usize;
    let parts: Vec<Vec<f64>> =
        (0..PARTS).into_par_iter().map(|part| times_rows(a, n, from, bound(part)..bound(part + 1), x)).collect();
    let mut y = vec![0.0; m];
    for part in parts {
        y.iter_mut().zip(part).for_each(|(y, part)| *y += part);
    }
    y
}

/// What some rows of the lower triangle, and the columns that mirror them, add to the product.
fn times_rows(a: &[f64], n: usize, from: usize, rows: Range<usize>, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; rows.end];
    let row = |i: usize| &a[(from + i) * n + from..][..=i];
    let mut i = rows.start;
    // Four rows at once, as far as all of them go: the matrix is read once, and so is what lies beside it.
    while i + 4 <= rows.end {
        let lines = [row(i), row(i + 1), row(i + 2), row(i + 3)];
        let (own, mut sums) = ([x[i], x[i + 1], x[i + 2], x[i + 3]], [[0.0; 4]; 4]);
        let whole = i / 4 * 4;
        let [a, b, c, d] = lines.map(|line| line[..whole].as_chunks::<4>().0);
        let columns = a.iter().zip(b).zip(c.iter().zip(d));
        let beside = x[..whole].as_chunks::<4>().0.iter().zip(y[..whole].as_chunks_mut::<4>().0);
        for (((a, b), (c, d)), (x, y)) in columns.zip(beside) {
            for lane in 0..4 {
                let [a, b, c, d] = [a[lane], b[lane], c[lane], d[lane]];
                y[lane] += (a * own[0] + b * own[1]) + (c * own[2] + d * own[3]);
                sums[0][lane] += a * x[lane];
                sums[1][lane] += b * x[lane];
                sums[2][lane] += c * x[lane];
                sums[3][lane] += d * x[lane];
            }
        }
        for (k, line) in lines.into_iter().enumerate() {
            y[i + k] += sums[k].iter().sum::<f64>();
            finish(line, whole, x, &mut y);
        }
        i += 4;
    }
    for i in i..rows.end {
        finish(row(i), 0, x, &mut y);
    }
    y
}

/// What the elements of a row from column `start` on add: the last of them lies on the diagonal.
fn finish(line: &[f64], start: usize, x: &[f64], y: &mut [f64]) {
    let i = line.len() - 1;
    let mut sum = line[i] * x[i];
    for j in start..i {
        sum += line[j] * x[j];
        y[j] += line[j] * x[i];
    }
    y[i] += sum;
}
