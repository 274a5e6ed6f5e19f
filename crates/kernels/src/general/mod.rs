//! Loops over tensors of any rank: what every operator can stand on. They are parallel and give the same bits with any number of
//! threads, but take no care of instruction sets: what training spends its time in has kernels of its own.

mod along;
mod batched;
mod gather;
mod permute;
mod reduce;
mod slice;
mod window;

pub use along::Along;
pub use batched::{batched_product, broadcast_shape};
pub use gather::{gather, scatter_add};
pub use permute::permute;
pub use reduce::{Reduce, reduce};
pub use slice::{Slice, slice, slice_adjoint};
pub use window::{Window, window_max_index};

use rayon::prelude::*;

/// Numbers below which threads cost more than they bring.
const PARALLEL: usize = 1 << 14;

/// `rows` rows of `row` numbers, which start as 0; each is written by `write(its number, it)`.
fn by_rows(rows: usize, row: usize, write: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut out = vec![0.0; rows * row];
    if !out.is_empty() {
        out.par_chunks_mut(row).enumerate().with_min_len(PARALLEL / row + 1).for_each(|(i, row)| write(i, row));
    }
    out
}

/// How far numbers lie apart along each axis of row-major order.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Where the element of number `at` of a tensor of this shape lies, given the distances along its axes.
fn offset(mut at: usize, shape: &[usize], strides: &[usize]) -> usize {
    let mut offset = 0;
    for (&length, stride) in shape.iter().zip(strides).rev() {
        offset += at % length * stride;
        at /= length;
    }
    offset
}

/// What lies before an axis, its length, and what lies behind it.
fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    assert!(axis < shape.len(), "axis {axis} of {shape:?}");
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

fn check(x: &[f32], shape: &[usize]) {
    assert_eq!(x.len(), shape.iter().product::<usize>(), "numbers of a tensor {shape:?}");
}

#[cfg(test)]
mod tests;
