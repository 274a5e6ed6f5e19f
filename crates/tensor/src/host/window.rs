//! The greatest of windows, map by map.

use super::blocks;
use crate::Window;
use crate::reference::{Array, taps};
use std::ops::Range;

/// How windows lie in one map.
struct Moves {
    window: Window,
    width: usize,
    /// For each row, and each column, of the result: which places of the window lie inside.
    inside: [Vec<Range<usize>>; 2],
}

impl Moves {
    fn new(window: &Window, [height, width]: [usize; 2], output: [usize; 2]) -> Self {
        let moving = window.moving();
        let along = |axis: usize, length: usize| {
            (0..output[axis]).map(|i| taps(&moving, axis, i, window.size[axis], length)).collect()
        };
        Self { window: *window, width, inside: [along(0, height), along(1, width)] }
    }

    /// Calls `found(place)` with the place of each window's greatest element, window by window.
    fn greatest(&self, x: &[f32], mut found: impl FnMut(usize)) {
        let Window { stride, padding, dilation, .. } = self.window;
        for (i, rows) in self.inside[0].iter().enumerate() {
            for (j, columns) in self.inside[1].iter().enumerate() {
                let place = |a: usize, b: usize| {
                    let row = i * stride[0] + a * dilation[0] - padding[0][0];
                    row * self.width + j * stride[1] + b * dilation[1] - padding[1][0]
                };
                let mut best = place(rows.start, columns.start);
                let mut greatest = x[best];
                for a in rows.clone() {
                    let mut at = place(a, columns.start);
                    for _ in columns.clone() {
                        let value = x[at];
                        if value > greatest || value.is_nan() && !greatest.is_nan() {
                            (best, greatest) = (at, value);
                        }
                        at = at.wrapping_add(dilation[1]);
                    }
                }
                found(best);
            }
        }
    }
}

/// The larger of two; NaN where one of them is that.
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// The greatest of each window of one map itself: of its rows first, then of its columns.
fn greatest_of(moves: &Moves, x: &[f32], out: &mut [f32]) {
    let Window { stride, padding, dilation, .. } = moves.window;
    let (width, mut column) = (moves.inside[1].len(), vec![0.0; moves.width]);
    for (i, (rows, out)) in moves.inside[0].iter().zip(out.chunks_exact_mut(width)).enumerate() {
        let row = |a: usize| &x[(i * stride[0] + a * dilation[0] - padding[0][0]) * moves.width..][..moves.width];
        column.copy_from_slice(row(rows.start));
        for a in rows.clone().skip(1) {
            column.iter_mut().zip(row(a)).for_each(|(most, &value)| *most = larger(*most, value));
        }
        for (j, (columns, out)) in moves.inside[1].iter().zip(out).enumerate() {
            let values = column[j * stride[1] + columns.start * dilation[1] - padding[1][0]..].iter();
            *out = values
                .step_by(dilation[1])
                .take(columns.len())
                .fold(f32::NEG_INFINITY, |most, &value| larger(most, value));
        }
    }
}

/// The result has elements.
pub(super) fn max(window: &Window, v: Array<f32>, x: Array<f32>, shape: &[usize]) -> Vec<f32> {
    let (size, output) = ([x.shape[2], x.shape[3]], [shape[2], shape[3]]);
    let (moves, cells) = (Moves::new(window, size, output), size[0] * size[1]);
    let mut out = vec![0.0; shape.iter().product()];
    if std::ptr::eq(v.values, x.values) {
        blocks(&mut out, output[0] * output[1], |map, out| {
            greatest_of(&moves, &x.values[map * cells..][..cells], out);
        });
        return out;
    }
    blocks(&mut out, output[0] * output[1], |map, out| {
        let (v, mut out) = (&v.values[map * cells..][..cells], out.iter_mut());
        moves.greatest(&x.values[map * cells..][..cells], |best| out.next().into_iter().for_each(|out| *out = v[best]));
    });
    out
}

/// The result has elements, so g has.
pub(super) fn adjoint(window: &Window, g: Array<f32>, x: Array<f32>) -> Vec<f32> {
    let (size, output) = ([x.shape[2], x.shape[3]], [g.shape[2], g.shape[3]]);
    let (moves, cells) = (Moves::new(window, size, output), size[0] * size[1]);
    let mut out = vec![0.0; x.values.len()];
    blocks(&mut out, cells, |map, out| {
        let mut g = g.values[map * output[0] * output[1]..].iter();
        moves.greatest(&x.values[map * cells..][..cells], |best| g.next().into_iter().for_each(|g| out[best] += g));
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_of_maps_themselves_are_those_found_place_by_place() {
        let (height, width) = (7, 9);
        let mut x: Vec<f32> = (0..height * width).map(|i| ((i * 37 % 23) as f32 - 11.0) / 4.0).collect();
        x[30] = f32::NAN;
        x[3] = f32::INFINITY;
        x[50] = f32::NEG_INFINITY;
        for (size, stride, pad, dilation) in [(3, 2, 1, 1), (3, 1, 1, 1), (2, 2, 0, 1), (3, 1, 2, 2), (1, 3, 0, 1)] {
            let window =
                Window { size: [size; 2], stride: [stride; 2], padding: [[pad; 2]; 2], dilation: [dilation; 2] };
            let output = [height, width].map(|side| (side + 2 * pad - (size - 1) * dilation - 1) / stride + 1);
            let moves = Moves::new(&window, [height, width], output);
            let mut expected = Vec::new();
            moves.greatest(&x, |best| expected.push(x[best]));
            let mut found = vec![0.0; output[0] * output[1]];
            greatest_of(&moves, &x, &mut found);
            let bits =
                |values: &[f32]| values.iter().map(|v| if v.is_nan() { None } else { Some(*v) }).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected), "{window:?}");
        }
    }
}
