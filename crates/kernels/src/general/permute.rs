//! Axes in another order.

use super::{by_rows, check, offset, strides};

/// `y` whose axis `i` is axis `axes[i]` of `x`.
///
/// # Panics
/// `axes` is no order of the axes of `shape`.
pub fn permute(x: &[f32], shape: &[usize], axes: &[usize]) -> Vec<f32> {
    check(x, shape);
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(0..shape.len()), "{axes:?} is no order of the axes of {shape:?}");
    let own = strides(shape);
    let (to, steps): (Vec<usize>, Vec<usize>) = axes.iter().map(|&axis| (shape[axis], own[axis])).unzip();
    let (Some((&row, outer)), Some((&step, steps))) = (to.split_last(), steps.split_last()) else { return x.to_vec() };
    by_rows(outer.iter().product(), row, |number, y| {
        let start = offset(number, outer, steps);
        y.iter_mut().zip(x[start..].iter().step_by(step.max(1))).for_each(|(y, x)| *y = *x);
    })
}
