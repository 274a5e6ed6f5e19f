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
fn greatest_of(moves: &Moves, x: &[f32], column: &mut Vec<f32>, out: &mut [f32]) {
    let Window { stride, padding, dilation, .. } = moves.window;
    let width = moves.inside[1].len();
    for (i, (rows, out)) in moves.inside[0].iter().zip(out.chunks_exact_mut(width)).enumerate() {
        let row = |a: usize| &x[(i * stride[0] + a * dilation[0] - padding[0][0]) * moves.width..][..moves.width];
        column.clear();
        column.extend_from_slice(row(rows.start));
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
            greatest_of(&moves, &x.values[map * cells..][..cells], &mut Vec::new(), out);
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
