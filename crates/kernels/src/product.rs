//! One dense product, `C = A B`, over the `gemm-f32` crate.

mod dots;

use crate::channel::{Reduction, map_sums};
pub(crate) use dots::{LANES, dots, folded};
use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;
use std::mem::MaybeUninit;

/// A matrix inside a slice: element (i, j) is `data[i * row_stride + j * column_stride]`, which is inside for every row and
/// column. Only this module can make one that is not.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows x columns` in row-major order.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "a {rows} x {columns} matrix");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Inner length of one call into `gemm`: up to here its blocking does not depend on the other two lengths.
const DEPTH: usize = 512;

/// `out (+)= a b`, row-major `a.rows x b.columns`; with `threads`, large products are split over rayon's pool.
///
/// The bits of an element depend on its row of `a`, its column of `b` and the inner length alone: an image must not
/// change with the batch it is in. `gemm` has other paths, with another order of additions, for a single row or column,
/// for small products of two operands that are contiguous along the inner length, and for a deep product of small
/// outputs; we keep out of them.
pub fn product(a: Matrix, b: Matrix, out: &mut [f32], accumulate: bool, threads: bool) {
    // SAFETY: numbers are memory for numbers, and nothing but numbers is written there.
    let out = unsafe { &mut *(&raw mut *out as *mut [MaybeUninit<f32>]) };
    // SAFETY: there are numbers to add to.
    unsafe { any(a, b, out, accumulate, threads) };
}

/// [`product`] into memory that holds nothing yet.
pub(crate) fn new_product<'a>(a: Matrix, b: Matrix, out: &'a mut [MaybeUninit<f32>], threads: bool) -> &'a mut [f32] {
    // SAFETY: nothing is added to; every row and column has a product, so all of `out` is written.
    unsafe {
        any(a, b, out, false, threads);
        out.assume_init_mut()
    }
}

/// Writes all of `out`.
///
/// # Safety
/// What is added to are numbers.
unsafe fn any(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>], accumulate: bool, threads: bool) {
    assert_eq!(a.columns, b.rows, "inner lengths of a product");
    assert_eq!(Some(out.len()), a.rows.checked_mul(b.columns), "length of a product");
    // A matrix without rows may have any number of columns, and nothing behind its pointer to go on to.
    if out.is_empty() {
        return;
    }
    let wide = |a: Matrix, b: Matrix| {
        let mut wide = vec![0.0; a.rows * b.columns];
        product(a, b, &mut wide, false, threads);
        wide
    };
    // SAFETY: as the caller says.
    unsafe {
        if b.columns == 1 {
            let wide = wide(a, Matrix { columns: 2, column_stride: 0, ..b });
            return store(out, wide.into_iter().step_by(2), accumulate);
        }
        if a.rows == 1 {
            let wide = wide(Matrix { rows: 2, row_stride: 0, ..a }, b);
            return store(out, wide.into_iter(), accumulate);
        }
        if a.column_stride == 1 && b.row_stride == 1 && a.rows * b.columns <= 256 {
            let copy: Vec<f32> = (0..b.rows * b.columns)
                .map(|i| b.data[i / b.columns * b.row_stride + i % b.columns * b.column_stride])
                .collect();
            return blocks(a, Matrix::new(&copy, b.rows, b.columns), out, accumulate, threads);
        }
        blocks(a, b, out, accumulate, threads);
    }
}

/// # Safety
/// What is added to are numbers.
unsafe fn blocks(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>], accumulate: bool, threads: bool) {
    if a.columns == 0 && !accumulate {
        out.fill(MaybeUninit::new(0.0));
    }
    let work = a.rows * b.columns * a.columns;
    let parallelism =
        if threads && work > 1 << 20 { Parallelism::Rayon(rayon::current_num_threads()) } else { Parallelism::None };
    for start in (0..a.columns).step_by(DEPTH) {
        let depth = DEPTH.min(a.columns - start);
        // SAFETY: `Matrix::new` checked that rows and columns lie inside the data, `transposed` and the stride of 0 keep
        // that so, `out` has `a.rows * b.columns` elements, and `start + depth <= a.columns`. Where nothing is added to, the first
        // block writes all elements and later ones add to them.
        unsafe {
            // The crate's kernels want columns that are contiguous: so it is told of the transposes, `out^T = b^T a^T`.
            get_gemm_fn()(
                b.columns,
                a.rows,
                depth,
                out.as_mut_ptr().cast::<f32>(),
                b.columns as isize,
                1,
                accumulate || start > 0,
                b.data.as_ptr().add(start * b.row_stride),
                b.row_stride as isize,
                b.column_stride as isize,
                a.data.as_ptr().add(start * a.column_stride),
                a.row_stride as isize,
                a.column_stride as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// `out[i] = sum_k a[i, k] v[k]` for `a` in row-major order `[out.len(), v.len()]`: a layer with one output unit.
pub fn rows_dot_vector(a: &[f32], v: &[f32]) -> Vec<f32> {
    assert!(!v.is_empty() && a.len().is_multiple_of(v.len()), "whole rows");
    map_sums(Reduction::Row, a, v, v.len())
}

/// # Safety
/// What is added to are numbers.
unsafe fn store(out: &mut [MaybeUninit<f32>], values: impl Iterator<Item = f32>, accumulate: bool) {
    for (to, value) in out.iter_mut().zip(values) {
        // SAFETY: as the caller says.
        let before = if accumulate { unsafe { to.assume_init() } } else { 0.0 };
        to.write(if accumulate { before + value } else { value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n).map(|i| (((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.5) - 1.0).collect()
    }

    fn naive(a: Matrix, b: Matrix) -> Vec<f64> {
        let at = |m: &Matrix, i: usize, j: usize| f64::from(m.data[i * m.row_stride + j * m.column_stride]);
        let mut out = Vec::new();
        for i in 0..a.rows {
            for j in 0..b.columns {
                out.push((0..a.columns).map(|k| at(&a, i, k) * at(&b, k, j)).sum());
            }
        }
        out
    }

    #[test]
    fn a_product_of_nothing_is_nothing_or_zero() {
        product(Matrix::new(&[], 0, 1 << 40), Matrix::new(&[], 0, 1 << 40).transposed(), &mut [], false, true);
        product(Matrix::new(&[], 0, 2000), Matrix::new(&[1.0; 4000], 2000, 2), &mut [], true, false);
        let mut out = [1.0; 6];
        product(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3), &mut out, false, true);
        assert_eq!(out, [0.0; 6]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn equals_the_naive_product(m in 1usize..20, n in 1usize..20, k in 1usize..70, ta: bool, tb: bool) {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let a = if ta { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
            let b = if tb { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
            let mut out = vec![0.0; m * n];
            product(a, b, &mut out, false, false);
            for (x, y) in out.iter().zip(naive(a, b)) {
                prop_assert!((f64::from(*x) - y).abs() < 1e-4, "{} {}", x, y);
            }
        }

        #[test]
        fn a_row_does_not_depend_on_the_rows_beside_it(m in 1usize..40, n in 1usize..40, k in 1..crate::usual(600usize, 40)) {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let mut all = vec![0.0; m * n];
            product(Matrix::new(&a, m, k), Matrix::new(&b, n, k).transposed(), &mut all, false, true);
            for row in 0..m {
                let mut alone = vec![0.0; n];
                let a = Matrix::new(&a[row * k..(row + 1) * k], 1, k);
                product(a, Matrix::new(&b, n, k).transposed(), &mut alone, false, false);
                prop_assert_eq!(&alone[..], &all[row * n..(row + 1) * n]);
            }
        }
    }
}
