//! The greatest of windows.

use super::float::rounded;
use super::{Array, Float, known};
use crate::{Conv, Window};
use std::ops::Range;

/// Which places of a kernel or window lie inside of an axis of `length`, for entry `i` of the result.
pub(crate) fn taps(moving: &Conv, axis: usize, i: usize, size: usize, length: usize) -> Range<usize> {
    let (start, dilation, before) = (i * moving.stride[axis], moving.dilation[axis], moving.padding[axis][0]);
    let first = before.saturating_sub(start).div_ceil(dilation).min(size);
    let end = (before + length).saturating_sub(start).div_ceil(dilation).clamp(first, size);
    first..end
}

/// Calls `found(result, x)` with the number of each window's result and of its greatest element: the first such place, NaN is
/// greatest.
fn greatest<T: Float>(window: &Window, x: Array<T>, mut found: impl FnMut(usize, usize)) {
    let moving = window.moving();
    let (&[n, c, h, w], false) = (x.shape, x.values.is_empty()) else { return };
    let Some([oh, ow]) = window.output([h, w]) else { return };
    for map in 0..n * c {
        for i in 0..oh {
            for j in 0..ow {
                let mut best: Option<usize> = None;
                for a in taps(&moving, 0, i, window.size[0], h) {
                    for b in taps(&moving, 1, j, window.size[1], w) {
                        let y = i * window.stride[0] + a * window.dilation[0] - window.padding[0][0];
                        let at =
                            (map * h + y) * w + j * window.stride[1] + b * window.dilation[1] - window.padding[1][0];
                        let value = x.values[at].wide();
                        let better = best.is_none_or(|best| {
                            let best = x.values[best].wide();
                            value > best || value.is_nan() && !best.is_nan()
                        });
                        if better {
                            best = Some(at);
                        }
                    }
                }
                if let Some(best) = best {
                    found((map * oh + i) * ow + j, best);
                }
            }
        }
    }
}

pub(super) fn max<T: Float>(window: &Window, v: Array<T>, x: Array<T>, shape: &[usize]) -> Vec<T> {
    let mut result = vec![T::of(0.0); known(shape)];
    greatest(window, x, |place, best| result[place] = v.values[best]);
    result
}

pub(super) fn adjoint<T: Float>(window: &Window, g: Array<T>, x: Array<T>) -> Vec<T> {
    let mut sums = vec![0.0; x.values.len()];
    greatest(window, x, |place, best| sums[best] += g.values[place].wide());
    rounded(sums)
}
