//! One dense product, `C = A B`, over the crates `gemm-f32` and `gemm-f64`.

mod dots;
mod row;

use crate::channel::{Reduction, map_sums};
pub(crate) use dots::{LANES, dots, folded};
use gemm_common::Parallelism;
use std::mem::MaybeUninit;
use std::ops::{Add, Range};

/// A function of the crates `gemm-*`: lengths; where to, with its strides, and whether to add; both matrices with their strides;
/// factors; what is to be conjugated; threads.
#[rustfmt::skip]
type Gemm<T> = unsafe fn(
    usize, usize, usize, *mut T, isize, isize, bool, *const T, isize, isize, *const T, isize, isize, T, T, bool, bool, bool, Parallelism,
);

mod sealed {
    pub trait Number {
        fn gemm() -> super::Gemm<Self>
        where
            Self: Sized;
        const ONE: Self;
        const ZERO: Self;
        /// [`super::row::row_times`], where there is one for such numbers.
        fn row_times(_: [&[Self]; 2], _: [usize; 2], _: usize, _: &mut [Self], _: bool) -> bool
        where
            Self: Sized,
        {
            false
        }
    }

    impl Number for f32 {
        fn gemm() -> super::Gemm<Self> {
            gemm_f32::gemm::f32::get_gemm_fn()
        }
        fn row_times(from: [&[f32]; 2], steps: [usize; 2], depth: usize, out: &mut [f32], threads: bool) -> bool {
            super::row::row_times(from, steps, depth, out, threads)
        }
        const ONE: Self = 1.0;
        const ZERO: Self = 0.0;
    }

    impl Number for f64 {
        fn gemm() -> super::Gemm<Self> {
            gemm_f64::gemm::f64::get_gemm_fn()
        }
        const ONE: Self = 1.0;
        const ZERO: Self = 0.0;
    }
}

/// What matrices are made of: `f32` or `f64`.
pub trait Number: sealed::Number + Copy + Send + Sync + Add<Output = Self> {}

impl Number for f32 {}
impl Number for f64 {}

/// A matrix inside a slice: element (i, j) is `data[i * row_stride + j * column_stride]`, which is inside for every row and
/// column. Only this module can make one that is not.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T = f32> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T: Number> Matrix<'a, T> {
    /// `rows x columns` in row-major order.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
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

    /// Some rows and columns, without moving anything.
    #[must_use]
    pub fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        assert!(columns.start <= columns.end && columns.end <= self.columns, "columns {columns:?} of {}", self.columns);
        let (height, width) = (rows.len(), columns.len());
        // Where nothing is left the corner may lie behind the end.
        let corner =
            if height * width == 0 { 0 } else { rows.start * self.row_stride + columns.start * self.column_stride };
        Self { data: &self.data[corner..], rows: height, columns: width, ..self }
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
pub fn product<T: Number>(a: Matrix<T>, b: Matrix<T>, out: &mut [T], accumulate: bool, threads: bool) {
    assert_eq!(Some(out.len()), a.rows.checked_mul(b.columns), "length of a product");
    product_within(a, b, out, b.columns, accumulate, threads);
}

/// [`product`] into a part of a larger matrix: `out` begins with the first element of the result, and `row_stride` elements lie from one
/// row to the next. What lies between stays as it is.
pub fn product_within<T: Number>(
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [T],
    row_stride: usize,
    accumulate: bool,
    threads: bool,
) {
    // SAFETY: numbers are memory for numbers, and nothing but numbers is written there.
    let out = unsafe { &mut *(&raw mut *out as *mut [MaybeUninit<T>]) };
    // SAFETY: there are numbers to add to.
    unsafe { any(a, b, out, row_stride, accumulate, threads) };
}

/// [`product`] into memory that holds nothing yet.
pub(crate) fn new_product<'a>(a: Matrix, b: Matrix, out: &'a mut [MaybeUninit<f32>], threads: bool) -> &'a mut [f32] {
    assert_eq!(Some(out.len()), a.rows.checked_mul(b.columns), "length of a product");
    // SAFETY: nothing is added to; every row and column has a product, and rows lie side by side, so all of `out` is written.
    unsafe {
        any(a, b, out, b.columns, false, threads);
        out.assume_init_mut()
    }
}

/// Writes all elements of the product.
///
/// # Safety
/// What is added to are numbers.
unsafe fn any<T: Number>(
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [MaybeUninit<T>],
    row_stride: usize,
    accumulate: bool,
    threads: bool,
) {
    assert_eq!(a.columns, b.rows, "inner lengths of a product");
    // A matrix without rows may have any number of columns, and nothing behind its pointer to go on to.
    if a.rows == 0 || b.columns == 0 {
        return;
    }
    let last = (a.rows - 1).checked_mul(row_stride).and_then(|start| start.checked_add(b.columns));
    let is_inside = last.is_some_and(|end| end <= out.len());
    assert!(is_inside && (b.columns <= row_stride || a.rows == 1), "a product inside of its matrix");
    // A row times a matrix whose rows lie side by side, or its transpose: the numbers, the rows, the length of the result, and whether that
    // lies side by side.
    let row = if a.rows == 1 && b.column_stride == 1 {
        Some(([a.data, b.data], [a.column_stride, b.row_stride], b.columns, true))
    } else if b.columns == 1 && a.row_stride == 1 {
        Some(([b.data, a.data], [b.row_stride, a.column_stride], a.rows, row_stride == 1))
    } else {
        None
    };
    if let (Some((from, steps, len, true)), false) = (row, accumulate) {
        let out = &mut out[..len];
        out.fill(MaybeUninit::new(T::ZERO));
        // SAFETY: they have just been written.
        if T::row_times(from, steps, a.columns, unsafe { out.assume_init_mut() }, threads) {
            return;
        }
    }
    let wide = |a: Matrix<T>, b: Matrix<T>| {
        let mut wide = vec![T::ZERO; a.rows * b.columns];
        product(a, b, &mut wide, false, threads);
        wide
    };
    // SAFETY: as the caller says.
    unsafe {
        if b.columns == 1 {
            let wide = wide(a, Matrix { columns: 2, column_stride: 0, ..b });
            return store(out.iter_mut().step_by(row_stride), wide.into_iter().step_by(2), accumulate);
        }
        if a.rows == 1 {
            let wide = wide(Matrix { rows: 2, row_stride: 0, ..a }, b);
            return store(out.iter_mut().take(b.columns), wide.into_iter(), accumulate);
        }
        if a.column_stride == 1 && b.row_stride == 1 && a.rows * b.columns <= 256 {
            let copy: Vec<T> = (0..b.rows * b.columns)
                .map(|i| b.data[i / b.columns * b.row_stride + i % b.columns * b.column_stride])
                .collect();
            return blocks(a, Matrix::new(&copy, b.rows, b.columns), out, row_stride, accumulate, threads);
        }
        blocks(a, b, out, row_stride, accumulate, threads);
    }
}

/// # Safety
/// What is added to are numbers; `out` holds all elements of the product, and rows do not meet.
unsafe fn blocks<T: Number>(
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [MaybeUninit<T>],
    row_stride: usize,
    accumulate: bool,
    threads: bool,
) {
    if a.columns == 0 && !accumulate {
        out.chunks_mut(row_stride).take(a.rows).for_each(|row| row[..b.columns].fill(MaybeUninit::new(T::ZERO)));
    }
    let work = a.rows * b.columns * a.columns;
    let parallelism =
        if threads && work > 1 << 20 { Parallelism::Rayon(rayon::current_num_threads()) } else { Parallelism::None };
    for start in (0..a.columns).step_by(DEPTH) {
        let depth = DEPTH.min(a.columns - start);
        // SAFETY: `Matrix::new` checked that rows and columns lie inside the data; `transposed`, `part` and the stride of 0 keep
        // that so, `any` checked it for `out`, and `start + depth <= a.columns`. Where nothing is added to, the first
        // block writes all elements and later ones add to them.
        unsafe {
            // The crate's kernels want columns that are contiguous: so it is told of the transposes, `out^T = b^T a^T`.
            T::gemm()(
                b.columns,
                a.rows,
                depth,
                out.as_mut_ptr().cast::<T>(),
                row_stride as isize,
                1,
                accumulate || start > 0,
                b.data.as_ptr().add(start * b.row_stride),
                b.row_stride as isize,
                b.column_stride as isize,
                a.data.as_ptr().add(start * a.column_stride),
                a.row_stride as isize,
                a.column_stride as isize,
                T::ONE,
                T::ONE,
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
unsafe fn store<'a, T: Number + 'a>(
    out: impl Iterator<Item = &'a mut MaybeUninit<T>>,
    values: impl Iterator<Item = T>,
    accumulate: bool,
) {
    for (to, value) in out.zip(values) {
        // SAFETY: as the caller says.
        let before = if accumulate { unsafe { to.assume_init() } } else { T::ZERO };
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
        product(Matrix::<f32>::new(&[], 0, 1 << 40), Matrix::new(&[], 0, 1 << 40).transposed(), &mut [], false, true);
        product(Matrix::<f32>::new(&[], 0, 2000), Matrix::new(&[1.0; 4000], 2000, 2), &mut [], true, false);
        let mut out = [1.0f32; 6];
        product(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3), &mut out, false, true);
        assert_eq!(out, [0.0; 6]);
    }

    #[test]
    #[should_panic(expected = "a product inside of its matrix")]
    fn a_product_that_would_not_fit_is_a_bug_of_the_caller() {
        let one = [1.0f32; 4];
        product_within(Matrix::new(&one, 2, 2), Matrix::new(&one, 2, 2), &mut [0.0; 6], 5, false, false);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn a_part_of_a_part_times_another_lands_where_it_should(
            m in 1usize..20, n in 1usize..20, k in 0usize..40, aside in 0usize..4, accumulate: bool
        ) {
            let of = |n, salt| numbers(n, salt).into_iter().map(f64::from).collect::<Vec<f64>>();
            let (a, b) = (of((m + 2) * (k + 3), 1), of((n + 1) * (k + 2), 2));
            let left = Matrix::new(&a, m + 2, k + 3).part(1..m + 1, 2..k + 2);
            let right = Matrix::new(&b, n + 1, k + 2).transposed().part(1..k + 1, 1..n + 1);
            let stride = n + aside;
            let before = of(m * stride, 3);
            let mut out = before.clone();
            product_within(left, right, &mut out, stride, accumulate, false);
            for (at, value) in out.iter().enumerate() {
                let (i, j) = (at / stride, at % stride);
                let sum: f64 = (0..k).map(|l| a[(i + 1) * (k + 3) + l + 2] * b[(j + 1).min(n) * (k + 2) + l + 1]).sum();
                let expected = if j >= n { before[at] } else if accumulate { before[at] + sum } else { sum };
                prop_assert!((value - expected).abs() < 1e-13, "{} {}", value, expected);
            }
        }

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

        #[test]
        fn nor_where_the_rows_of_the_other_factor_lie_side_by_side(
            m in 2usize..6, n in 1usize..90, k in prop_oneof![1usize..6, 1..crate::usual(1200usize, 40), 510usize..517]
        ) {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let mut all = vec![0.0; m * n];
            product(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut all, false, true);
            // The same as one product of columns, which lie far apart.
            let columns: Vec<f32> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
            for row in 0..m {
                let (mut alone, mut turned) = (vec![0.0; n], vec![0.0; n]);
                product(Matrix::new(&a, m, k).part(row..row + 1, 0..k), Matrix::new(&b, k, n), &mut alone, false, true);
                prop_assert_eq!(&alone[..], &all[row * n..(row + 1) * n]);
                let column = Matrix::new(&columns, k, m).part(0..k, row..row + 1);
                product(Matrix::new(&b, k, n).transposed(), column, &mut turned, false, false);
                prop_assert_eq!(&turned[..], &all[row * n..(row + 1) * n]);
            }
        }

        #[test]
        fn nor_does_it_in_f64_and_factors_may_change_places(m in 1usize..40, n in 1usize..40, k in 1..crate::usual(1200usize, 40)) {
            let of = |n, salt| numbers(n, salt).into_iter().map(f64::from).collect::<Vec<f64>>();
            let (a, b) = (of(m * k, 1), of(n * k, 2));
            let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, n, k));
            let (mut all, mut turned) = (vec![0.0; m * n], vec![0.0; m * n]);
            product(a, b.transposed(), &mut all, false, true);
            product(b, a.transposed(), &mut turned, false, true);
            for row in 0..m {
                let mut alone = vec![0.0; n];
                product(a.part(row..row + 1, 0..k), b.transposed(), &mut alone, false, false);
                prop_assert_eq!(&alone[..], &all[row * n..(row + 1) * n]);
                prop_assert!((0..n).all(|column| turned[column * m + row] == all[row * n + column]));
            }
        }
    }
}
