//! The same elements in other places. Results have elements.

use super::{around, blocks};
use crate::reference::{Array, View};
use std::borrow::Cow;

/// Rows and columns that are turned at a time.
const TILE: usize = 16;

pub(super) fn broadcast(x: Array<f32>, shape: &[usize]) -> Vec<f32> {
    // Neighbours that are repeated together, or kept, are one axis: its length in x and in the result.
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let front = shape.len() - x.shape.len();
    for (axis, &wide) in shape.iter().enumerate().filter(|&(_, &wide)| wide != 1) {
        let thin = if axis < front { 1 } else { x.shape[axis - front] };
        match groups.last_mut() {
            Some((before, together)) if (thin == wide) == (before == together) => {
                *before *= thin;
                *together *= wide;
            }
            _ => groups.push((thin, wide)),
        }
    }
    if let [(1, images), (channels, same), (1, cells)] = groups[..]
        && channels == same
    {
        return kernels::channel_broadcast(x.values, images, cells);
    }
    // From the last axis on, so that what is repeated are whole blocks.
    let mut wide = Cow::Borrowed(x.values);
    let mut block = 1;
    for (thin, length) in groups.into_iter().rev() {
        if thin != length {
            wide = Cow::Owned(kernels::repeat(&wide, block, length));
        }
        block *= length;
    }
    wide.into_owned()
}

pub(super) fn slice(x: Array<f32>, axis: usize, start: usize, step: isize, shape: &[usize]) -> Vec<f32> {
    let (outer, inner) = around(shape, axis);
    let (length, entries) = (shape[axis], x.shape[axis]);
    if outer == 1 && step == 1 {
        return x.values[start * inner..(start + length) * inner].to_vec();
    }
    let mut out = vec![0.0; outer * length * inner];
    blocks(&mut out, length * inner, |number, out| {
        let x = &x.values[number * entries * inner..][..entries * inner];
        for_each_entry(start, step, length, inner, |from, to| out[to].copy_from_slice(&x[from]));
    });
    out
}

pub(super) fn embed(x: Array<f32>, axis: usize, start: usize, step: isize, value: f32, shape: &[usize]) -> Vec<f32> {
    let (outer, inner) = around(shape, axis);
    let (length, entries) = (shape[axis], x.shape[axis]);
    let mut out = vec![value; outer * length * inner];
    if x.values.is_empty() {
        return out;
    }
    blocks(&mut out, length * inner, |number, out| {
        let x = &x.values[number * entries * inner..][..entries * inner];
        for_each_entry(start, step, entries, inner, |to, from| out[to].copy_from_slice(&x[from]));
    });
    out
}

/// Calls `copy(sparse, dense)` with the ranges of each entry: `start`, `start + step`, ... on one side, one after the other
/// on the other side.
fn for_each_entry(
    start: usize,
    step: isize,
    count: usize,
    inner: usize,
    mut copy: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>),
) {
    if step == 1 {
        return copy(start * inner..(start + count) * inner, 0..count * inner);
    }
    for dense in 0..count {
        let sparse = start.wrapping_add_signed(step.wrapping_mul(dense as isize));
        copy(sparse * inner..(sparse + 1) * inner, dense * inner..(dense + 1) * inner);
    }
}

pub(super) fn concat(parts: &[Array<f32>], axis: usize, shape: &[usize]) -> Vec<f32> {
    let (outer, inner) = around(shape, axis);
    let mut pieces = Vec::with_capacity(outer * parts.len());
    for number in 0..outer {
        for part in parts {
            let length = part.shape[axis] * inner;
            pieces.push(&part.values[number * length..][..length]);
        }
    }
    kernels::joined(&pieces)
}

pub(super) fn gather(x: Array<f32>, axis: usize, entries: &[usize], length: usize) -> Vec<f32> {
    let mut out = vec![0.0; length];
    if length == 0 {
        return out;
    }
    let (_, inner) = around(x.shape, axis);
    blocks(&mut out, inner, |number, out| {
        let (outer, entry) = (number / entries.len(), entries[number % entries.len()]);
        out.copy_from_slice(&x.values[(outer * x.shape[axis] + entry) * inner..][..inner]);
    });
    out
}

pub(super) fn permute(x: Array<f32>, axes: &[usize]) -> Vec<f32> {
    // Axes that stay side by side are one: its length and its stride in x.
    let view = View::of(x.shape).permuted(axes);
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (&axis, &stride) in axes.iter().zip(view.strides()) {
        let length = x.shape[axis];
        match merged.last_mut() {
            _ if length == 1 => {}
            Some((together, last)) if *last == stride * length => {
                *together *= length;
                *last = stride;
            }
            _ => merged.push((length, stride)),
        }
    }
    if merged.len() < 2 {
        return x.values.to_vec();
    }
    let columns = merged.pop().unwrap_or((1, 1));
    let rows = merged.pop().unwrap_or((1, 1));
    let mut out = vec![0.0; x.values.len()];
    blocks(&mut out, rows.0 * columns.0, |number, out| {
        let mut rest = number;
        let mut start = 0;
        for &(length, stride) in merged.iter().rev() {
            start += rest % length * stride;
            rest /= length;
        }
        blocks(out, TILE * columns.0, |band, out| {
            turn(&x.values[start + band * TILE * rows.1..], rows.1, columns, out);
        });
    });
    out
}

/// Some rows: element (i, j) of `out` is that of x at `i * row + j * stride`.
fn turn(x: &[f32], row: usize, (columns, stride): (usize, usize), out: &mut [f32]) {
    if stride == 1 {
        for (i, out) in out.chunks_exact_mut(columns).enumerate() {
            out.copy_from_slice(&x[i * row..][..columns]);
        }
        return;
    }
    for first in (0..columns).step_by(TILE) {
        let last = (first + TILE).min(columns);
        for (i, out) in out.chunks_exact_mut(columns).enumerate() {
            for (j, out) in (first..last).zip(&mut out[first..last]) {
                *out = x[i * row + j * stride];
            }
        }
    }
}
