//! The same elements in other places.

use super::{Numbers, burn_shape};
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::Slice;
use tensor::AxisMap;

/// In memory of its own: a repeated tensor has strides of zero, which not every operation of Burn's reads. Times 1 keeps
/// zeros' signs.
pub(super) fn owned(x: DispatchTensor) -> DispatchTensor {
    Dispatch::float_mul_scalar(x, 1.0.into())
}

pub(super) fn slice(x: &Numbers, axis: usize, start: usize, length: usize) -> DispatchTensor {
    owned(Dispatch::float_slice(x.tensor(), &entries(x.shape, axis, start, length)))
}

/// x's entries from `start` on inside of `around`, which is of `shape`.
pub(super) fn embed(around: DispatchTensor, shape: &[usize], axis: usize, start: usize, x: &Numbers) -> DispatchTensor {
    Dispatch::float_slice_assign(around, &entries(shape, axis, start, x.shape[axis]), x.tensor())
}

/// `None` for maps that are not written in reshapes and sums.
pub(super) fn along(map: &AxisMap, axis: usize, x: &Numbers, shape: &[usize]) -> Option<DispatchTensor> {
    let AxisMap::Repeat { factor } = *map else { return None };
    let [before, length, behind] = around(x.shape, axis);
    let thin = x.shaped(&[before, length, 1, behind]);
    let wide = owned(Dispatch::float_expand(thin, burn_shape(&[before, length, factor, behind])));
    Some(Dispatch::float_reshape(wide, burn_shape(shape)))
}

pub(super) fn along_adjoint(map: &AxisMap, axis: usize, x: &Numbers, shape: &[usize]) -> Option<DispatchTensor> {
    let AxisMap::Repeat { factor } = *map else { return None };
    let [before, length, behind] = around(shape, axis);
    let sums = Dispatch::float_sum_dim(x.shaped(&[before, length, factor, behind]), 2);
    Some(Dispatch::float_reshape(sums, burn_shape(shape)))
}

/// Elements before an axis, its length, and elements behind it.
fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

fn entries(shape: &[usize], axis: usize, start: usize, length: usize) -> Vec<Slice> {
    let range = |(a, &n): (usize, &usize)| if a == axis { (start, start + length) } else { (0, n) };
    let slice = |(start, end): (usize, usize)| Slice::new(start as isize, Some(end as isize), 1);
    shape.iter().enumerate().map(range).map(slice).collect()
}
