//! Convolutions of several groups of channels: each group of each image is an image of its own, with the weights of its group.

use super::{ConvShape, fold, sized, unfold, with_scratch};
use crate::pointwise::written;
use crate::product::{Matrix, new_product, product};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// One group of one image.
fn one(s: &ConvShape) -> ConvShape {
    ConvShape { n: 1, c: s.c / s.groups, o: s.o / s.groups, groups: 1, ..*s }
}

/// Adds its number to each map of a group.
fn add_bias(maps: &mut [f32], cells: usize, bias: Option<&[f32]>, group: usize) {
    let Some(bias) = bias else { return };
    let channels = maps.len() / cells;
    for (map, b) in maps.chunks_exact_mut(cells).zip(&bias[group * channels..]) {
        map.iter_mut().for_each(|v| *v += b);
    }
}

/// `y` of [`super::conv2d`].
pub(super) fn forward(s: &ConvShape, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let one = one(s);
    let (taps, cells) = (one.taps(), one.cells());
    let each = |(task, y): (usize, &mut [MaybeUninit<f32>])| {
        let group = task % s.groups;
        let w = &w[group * one.o * taps..(group + 1) * one.o * taps];
        let y = with_scratch(|[unfolded, _]| {
            let unfolded = sized(unfolded, taps * cells);
            unfold(&one, &x[task * one.x_len()..(task + 1) * one.x_len()], 1, unfolded);
            new_product(Matrix::new(w, one.o, taps), Matrix::new(unfolded, taps, cells), y, false)
        });
        add_bias(y, cells, bias, group);
    };
    let write = |y: &mut [MaybeUninit<f32>]| y.par_chunks_mut(one.y_len().max(1)).enumerate().for_each(each);
    // SAFETY: y is whole groups of images, and a product writes all of its part.
    unsafe { written(s.n * s.y_len(), write) }
}

/// `dx` of [`super::conv2d_input_gradient`].
pub(super) fn input_gradient(s: &ConvShape, dy: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let one = one(s);
    let (taps, cells) = (one.taps(), one.cells());
    let each = |(task, dx): (usize, &mut [MaybeUninit<f32>])| {
        let group = task % s.groups;
        let w = &w[group * one.o * taps..(group + 1) * one.o * taps];
        let dy = &dy[task * one.y_len()..(task + 1) * one.y_len()];
        let dx = with_scratch(|[unfolded, _]| {
            let unfolded = sized(unfolded, taps * cells);
            let w = Matrix::new(w, one.o, taps).transposed();
            product(w, Matrix::new(dy, one.o, cells), unfolded, false, false);
            fold(&one, unfolded, 1, dx)
        });
        add_bias(dx, s.h * s.w, bias, group);
    };
    let write = |dx: &mut [MaybeUninit<f32>]| dx.par_chunks_mut(one.x_len().max(1)).enumerate().for_each(each);
    // SAFETY: dx is whole groups of images, and `fold` clears its part first.
    unsafe { written(s.n * s.x_len(), write) }
}

/// `dW` of [`super::conv2d_weight_gradient`].
pub(super) fn weight_gradient(s: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let one = one(s);
    let (taps, cells) = (one.taps(), one.cells());
    let mut dw = vec![0.0; s.o * taps];
    if dw.is_empty() || cells == 0 {
        return dw;
    }
    dw.par_chunks_mut(one.o * taps).enumerate().for_each(|(group, dw)| {
        with_scratch(|[unfolded, _]| {
            let unfolded = sized(unfolded, taps * cells);
            for image in 0..s.n {
                let task = image * s.groups + group;
                unfold(&one, &x[task * one.x_len()..(task + 1) * one.x_len()], 1, unfolded);
                let dy = Matrix::new(&dy[task * one.y_len()..(task + 1) * one.y_len()], one.o, cells);
                product(dy, Matrix::new(unfolded, taps, cells).transposed(), dw, true, false);
            }
        });
    });
    dw
}
