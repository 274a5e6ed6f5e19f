//! The forward pass with weights that stay, strip by strip: a strip's tiles are transformed, multiplied and brought back by one task, in
//! its processor's second cache. Rows of tiles of one image make a strip, or several small images.

use super::plan::Plan;
use super::product::Extent;
use super::transform::{self, Place, Target};
use super::{APART, GROUP, Kept, Shared, With, are_few, multiply, weight_words, with_scratch};
use crate::conv::{ConvShape, sized};
use crate::pointwise::written;
use crate::simd::Level;
use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Words of a strip's transformed tiles that leave room for products in a second cache of half a mebibyte.
const TILE_WORDS: usize = 80 << 10;
/// Tiles of a strip at least: weights come from farther away, once for all of them.
const LEAST_TILES: usize = 32;
/// The same where there would be too few strips.
const FEWEST_TILES: usize = 16;
/// Strips for each thread, so that all are busy until the end.
pub(super) const STRIPS: usize = 3;

/// A task.
struct Strip {
    images: Range<usize>,
    /// Rows of tiles.
    rows: Range<usize>,
}

/// The strips of `n` images, and how many tiles one has at most. There are none where threads would be left without one.
fn strips(plan: &Plan, n: usize) -> Option<(Vec<Strip>, usize)> {
    let words = plan.points * plan.c_blocks * plan.phases * plan.forms().0.words(1);
    let strips = of_tiles(plan, n, (TILE_WORDS / words).max(LEAST_TILES));
    if !are_few(strips.0.len()) {
        return Some(strips);
    }
    let small = of_tiles(plan, n, FEWEST_TILES);
    (small.1 >= FEWEST_TILES && small.0.len().is_multiple_of(rayon::current_num_threads())).then_some(small)
}

/// The strips of `n` images with `most` tiles each, if there are as many in a row, and how many tiles one has at most.
fn of_tiles(plan: &Plan, n: usize, most: usize) -> (Vec<Strip>, usize) {
    if plan.tiles > most {
        let rows = (most / plan.across).max(1);
        let of_image = |image: usize| {
            let from =
                move |first: usize| Strip { images: image..image + 1, rows: first..(first + rows).min(plan.down) };
            (0..plan.down).step_by(rows).map(from)
        };
        return ((0..n).flat_map(of_image).collect(), rows * plan.across);
    }
    let images = most / plan.tiles;
    let from = |first: usize| Strip { images: first..(first + images).min(n), rows: 0..plan.down };
    ((0..n).step_by(images).map(from).collect(), images * plan.tiles)
}

/// [`super::forward`], where there are strips enough for all threads.
pub(super) fn forward(
    level: Level,
    plan: &Plan,
    s: &ConvShape,
    x: &[f32],
    with: With,
    kept: &Kept,
) -> Option<Vec<f32>> {
    let (strips, tiles) = strips(plan, s.n)?;
    let (cells, [oh, ow]) = (s.h * s.w, s.output);
    let (tile_form, weight_form) = plan.forms();
    let (outer, block_words) = (plan.c_blocks * plan.phases, tile_form.words(tiles));
    let a_point = outer * block_words + APART;
    let write = |y: &mut [MaybeUninit<f32>]| {
        let y = Shared(y.as_mut_ptr().cast());
        strips.into_par_iter().for_each(|Strip { images, rows }| {
            let of_image = rows.len() * plan.across;
            with_scratch(|scratch| {
                let a = sized(&mut scratch.tiles, plan.points * a_point);
                let turned = sized(&mut scratch.turned, (cells.max(oh * ow) + 1) * 16).as_mut_ptr();
                for (i, image) in images.clone().enumerate() {
                    for block in 0..plan.c_blocks {
                        let lanes = (s.c - block * 16).min(16);
                        let maps = &x[(image * s.c + block * 16) * cells..][..lanes * cells];
                        let target = Target {
                            at: a.as_mut_ptr().wrapping_add(block * plan.phases * block_words),
                            form: tile_form,
                            row: i * of_image,
                            point: a_point,
                            phase: block_words,
                        };
                        // SAFETY: `turned` has room for the maps and one cell; the strip has no more than `tiles` tiles, so they
                        // lie inside of their block at every point and phase, and `a` has all points.
                        unsafe { transform::input(level, plan, rows.clone(), maps.as_ptr(), lanes, turned, target) };
                    }
                }
                for (group, first) in (0..plan.o_blocks).step_by(GROUP).enumerate() {
                    let o_blocks = first..(first + GROUP).min(plan.o_blocks);
                    let [panel, b_point] = weight_words(weight_form, o_blocks.len(), outer * 16);
                    let c_stride = tiles * 16;
                    let c_point = o_blocks.len() * c_stride + APART;
                    let products = sized(&mut scratch.products, plan.points * c_point).as_mut_ptr();
                    let shape = Extent {
                        rows: images.len() * of_image,
                        blocks: o_blocks.len(),
                        outer,
                        inner: weight_form.words(16) / 16,
                        outer_stride: block_words,
                        b_stride: panel,
                        c_stride,
                        accumulate: false,
                    };
                    // SAFETY: at every point there are `outer` blocks of tiles, as many panels as blocks of weights with all channels,
                    // and as many blocks of products.
                    unsafe {
                        let strides = [a_point, b_point, c_point];
                        multiply(level, plan, &shape, false, a, kept.group(group), products, strides);
                    };
                    for (block, o) in o_blocks.enumerate() {
                        let lanes = (s.o - o * 16).min(16);
                        for (i, image) in images.clone().enumerate() {
                            let at = products.wrapping_add(block * c_stride + i * of_image * 16);
                            let from = Place { at, point: c_point, phase: 0 };
                            let maps = y.at((image * s.o + o * 16) * oh * ow);
                            // SAFETY: this task's products; it alone writes these rows of the maps of these images.
                            unsafe {
                                transform::output(
                                    level,
                                    plan,
                                    rows.clone(),
                                    from,
                                    turned,
                                    &with.finish(o),
                                    maps,
                                    lanes,
                                );
                            }
                        }
                    }
                }
            });
        });
    };
    // SAFETY: strips cover all rows of all images, and of each the maps of every block of channels.
    Some(unsafe { written(s.n * s.y_len(), write) })
}
