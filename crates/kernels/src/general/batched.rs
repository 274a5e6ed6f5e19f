//! Many products of matrices.

use super::{check, offset, strides};
use crate::{Matrix, product};
use rayon::prelude::*;

/// The shape of NumPy's broadcasting of both; `None` where they do not fit.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let of = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let together = |axis| match (of(a, axis), of(b, axis)) {
        (1, length) | (length, 1) => Some(length),
        (a, b) => (a == b).then_some(a),
    };
    (0..rank).map(together).collect()
}

/// `y[.., i, j] = sum_k a[.., i, k] b[.., k, j]`; leading axes are broadcast. With `transpose`, the last two axes of an operand
/// change places first. Each product has the bits of [`product`].
///
/// # Panics
/// An operand of fewer than two axes, inner lengths that differ, or leading axes that do not fit.
pub fn batched_product(
    (a, a_shape): (&[f32], &[usize]),
    (b, b_shape): (&[f32], &[usize]),
    transpose: [bool; 2],
) -> Vec<f32> {
    check(a, a_shape);
    check(b, b_shape);
    let (Some((a_outer, &[a_rows, a_columns])), Some((b_outer, &[b_rows, b_columns]))) =
        (a_shape.split_last_chunk::<2>(), b_shape.split_last_chunk::<2>())
    else {
        panic!("a product of {a_shape:?} and {b_shape:?}");
    };
    let outer = broadcast_shape(a_outer, b_outer);
    let outer = outer.unwrap_or_else(|| panic!("leading axes of a product of {a_shape:?} and {b_shape:?}"));
    let (a_steps, b_steps) = (repeated(a_outer, &outer), repeated(b_outer, &outer));
    let matrix = |x, rows, columns, turn: bool| {
        let matrix = Matrix::new(x, rows, columns);
        if turn { matrix.transposed() } else { matrix }
    };
    let one = |number: usize, y: &mut [f32], threads: bool| {
        let (a_len, b_len) = (a_rows * a_columns, b_rows * b_columns);
        let [a_at, b_at] = [offset(number, &outer, &a_steps) * a_len, offset(number, &outer, &b_steps) * b_len];
        let a = matrix(&a[a_at..a_at + a_len], a_rows, a_columns, transpose[0]);
        let b = matrix(&b[b_at..b_at + b_len], b_rows, b_columns, transpose[1]);
        product(a, b, y, false, threads);
    };
    let rows = if transpose[0] { a_columns } else { a_rows };
    let columns = if transpose[1] { b_rows } else { b_columns };
    let count: usize = outer.iter().product();
    let mut y = vec![0.0; count * rows * columns];
    if y.is_empty() {
        return y;
    }
    if count == 1 {
        one(0, &mut y, true);
    } else {
        y.par_chunks_mut(rows * columns).enumerate().for_each(|(number, y)| one(number, y, false));
    }
    y
}

/// How far matrices lie apart along each leading axis of the result: not at all where they are repeated.
fn repeated(own: &[usize], outer: &[usize]) -> Vec<usize> {
    let mut steps = vec![0; outer.len() - own.len()];
    steps.extend(strides(own).into_iter().zip(own).map(|(stride, &length)| if length == 1 { 0 } else { stride }));
    steps
}
