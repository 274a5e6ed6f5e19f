//! Products of a single tile with weights that stay. Transformed weights are several times as large as they are, and of one tile each is
//! multiplied once: so each kernel is transformed and multiplied at once, and neither read nor written in its transformed form. Every sum is
//! the same chain of additions as in a product of more tiles.

use super::plan::Plan;
use super::transform::{self, Tile};
use super::{Kept, Shared};
use crate::conv::Precision;
use crate::simd::Level;
use rayon::prelude::*;
use std::ops::Range;

/// Whether products of so many tiles go this way.
pub(super) fn fits(plan: &Plan, rows: usize) -> bool {
    rows == 1 && plan.precision == Precision::F32
}

/// One tile of all blocks of one side, `[block][channel]` at every point.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    pub(super) numbers: &'a [f32],
    /// From one block to the next, and from one point to the next.
    pub(super) block: usize,
    pub(super) point: usize,
}

/// Where sums go: sixteen for every block and point.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub(super) products: Shared,
    pub(super) block: usize,
    pub(super) point: usize,
}

/// The products of the forward pass for some blocks of y, shared out to threads where there are `few` other tasks.
///
/// # Safety
/// The processor has `level`. The tile has all blocks and phases of x at every point, and the products have as many blocks as there are in `o_blocks`; nobody
/// else writes there.
pub(super) unsafe fn forward(
    level: Level,
    plan: &Plan,
    kept: &Kept,
    o_blocks: Range<usize>,
    few: bool,
    from: Tiles,
    to: Sums,
) {
    let first = o_blocks.start;
    each(o_blocks, few, |o| {
        let sums = to.products.at((o - first) * to.block);
        // SAFETY: as the caller says.
        unsafe { clear(plan, sums, to.point) };
        for outer in 0..plan.c_blocks * plan.phases {
            let (block, phase) = (outer / plan.phases, outer % plan.phases);
            for lane in 0..16 {
                let kernels = kept.lanes(plan, plan.c_blocks, o, block * 16 + lane);
                let left = &from.numbers[outer * from.block + lane..];
                let tile = Tile { left, left_point: from.point, sums, point: to.point };
                // SAFETY: as the caller says.
                unsafe { transform::weights_times(level, plan, kernels, phase, tile) };
            }
        }
    });
}

/// The same of the input gradient for some blocks of x, with all phases of a block side by side.
///
/// # Safety
/// As of [`forward`], with x and y in each other's place.
pub(super) unsafe fn input_gradient(
    level: Level,
    plan: &Plan,
    kept: &Kept,
    c_blocks: Range<usize>,
    few: bool,
    from: Tiles,
    to: Sums,
) {
    let first = c_blocks.start;
    let phases = plan.phases;
    each(c_blocks.start * phases..c_blocks.end * phases, few, |place| {
        let (c, phase) = (place / phases, place % phases);
        let sums = to.products.at((place - first * phases) * to.block);
        // SAFETY: as the caller says.
        unsafe { clear(plan, sums, to.point) };
        for o in 0..plan.o_blocks * 16 {
            let kernels = kept.lanes(plan, plan.o_blocks, c, o);
            let left = &from.numbers[o / 16 * from.block + o % 16..];
            let tile = Tile { left, left_point: from.point, sums, point: to.point };
            // SAFETY: as the caller says.
            unsafe { transform::weights_times(level, plan, kernels, phase, tile) };
        }
    });
}

fn each(blocks: Range<usize>, few: bool, f: impl Fn(usize) + Send + Sync) {
    if few {
        blocks.into_par_iter().for_each(f);
    } else {
        blocks.for_each(f);
    }
}

/// # Safety
/// Sixteen numbers can be written at every point.
unsafe fn clear(plan: &Plan, sums: *mut f32, point: usize) {
    for place in 0..plan.points {
        // SAFETY: as the caller says.
        unsafe { sums.add(place * point).write_bytes(0, 16) };
    }
}
