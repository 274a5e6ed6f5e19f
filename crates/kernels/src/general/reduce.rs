//! Sums and extremes over axes.

use super::{by_rows, check, offset, strides};
use crate::{Binary, channel_sum};

/// How numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Their sum, added in `f64`; 0 of none.
    Sum,
    /// The largest; minus infinity of none. NaN wins.
    Max,
    /// The smallest; infinity of none. NaN wins.
    Min,
}

impl Reduce {
    fn of<'a>(self, x: impl Iterator<Item = &'a f32>) -> f32 {
        match self {
            Self::Sum => x.map(|&x| f64::from(x)).sum::<f64>() as f32,
            Self::Max => x.fold(f32::NEG_INFINITY, |most, &x| Binary::Max.f32(most, x)),
            Self::Min => x.fold(f32::INFINITY, |least, &x| Binary::Min.f32(least, x)),
        }
    }
}

/// `x` with all numbers along `axes` as one; those axes are left out of the result. The sum over all axes but the second is
/// [`channel_sum`].
///
/// # Panics
/// An axis that is not there.
pub fn reduce(kind: Reduce, x: &[f32], shape: &[usize], axes: &[usize]) -> Vec<f32> {
    check(x, shape);
    assert!(axes.iter().all(|&axis| axis < shape.len()), "axes {axes:?} of {shape:?}");
    let own = strides(shape);
    let (gone, kept): (Vec<usize>, Vec<usize>) = (0..shape.len()).partition(|axis| axes.contains(axis));
    if kind == Reduce::Sum && kept == [1] && shape.len() > 1 {
        return channel_sum(x, shape[1], shape[2..].iter().product());
    }
    let part =
        |axes: &[usize]| -> (Vec<usize>, Vec<usize>) { axes.iter().map(|&axis| (shape[axis], own[axis])).unzip() };
    let ((kept_shape, kept_strides), (gone_shape, gone_strides)) = (part(&kept), part(&gone));
    let (results, each) = (kept_shape.iter().product(), gone_shape.iter().product::<usize>());
    // What is reduced lies side by side where only the last axes are.
    if gone.iter().copied().eq(kept.len()..shape.len()) {
        return by_rows(results, 1, |number, y| y[0] = kind.of(x[number * each..(number + 1) * each].iter()));
    }
    let places: Vec<usize> = (0..each).map(|at| offset(at, &gone_shape, &gone_strides)).collect();
    by_rows(results, 1, |number, y| {
        let start = offset(number, &kept_shape, &kept_strides);
        y[0] = kind.of(places.iter().map(|place| &x[start + place]));
    })
}
