//! Where a resampled map lies above a level, block by block.
//!
//! A block is the pixels between four neighbouring cells of the map. Its numbers never leave the range of its cells (see
//! [`Upsampler`]), so a block whose cells are all at or below the level is not computed. Nor is a row of a block whose
//! two ends are. At the levels of a dissection, about one pixel in a hundred, that leaves little to do.
//!
//! The proof needs differences that do not overflow. A map that holds a number of at least half the largest `f32`, an
//! infinity or NaN is computed in full.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

use super::bits::words;
use super::upsample::{Pair, Upsampler};
use crate::simd::{Simd, with_simd};
use std::ops::Range;

/// Numbers that are computed at once, [`Simd::Lanes`].
pub(super) const LANES: usize = 16;
/// Numbers of at least this size make a map wild.
const WILD: f32 = f32::MAX / 2.0;

/// Memory that is used again for the next map.
pub(super) struct Scratch {
    /// One bit for each cell of the map, set where it is above the level; then an empty word.
    cells: Vec<u64>,
}

impl Scratch {
    pub(super) fn new(up: &Upsampler) -> Self {
        let [h, w] = up.source();
        Self { cells: vec![0; words(h * w) + 1] }
    }
}

/// The lowest `n` bits, at most 64.
#[inline(always)]
fn low(n: usize) -> u64 {
    if n < 64 { (1 << n) - 1 } else { !0 }
}

/// Takes the lowest bit of a set out of it.
#[inline(always)]
fn next(set: &mut u64) -> Option<usize> {
    let bit = set.trailing_zeros() as usize;
    *set &= set.wrapping_sub(1);
    (bit < 64).then_some(bit)
}

/// Adds up to sixteen bits from bit `at` on.
#[inline(always)]
fn put(packed: &mut [u64], at: usize, bits: u64) {
    packed[at / 64] |= bits << (at % 64);
    let beyond = bits >> 1 >> (63 - at % 64);
    if beyond != 0 {
        packed[at / 64 + 1] |= beyond;
    }
}

/// Marks the cells above the level. Returns whether there are any, and whether the map is wild.
#[inline(always)]
unsafe fn mark<S: Simd>(map: &[f32], level: f32, cells: &mut [u64]) -> (bool, bool) {
    unsafe {
        let (level, wild) = (S::splat(level), [S::splat(WILD), S::splat(-WILD)]);
        let (mut any, mut tame) = (0, low(LANES));
        for (cells, map) in cells.iter_mut().zip(map.chunks(64)) {
            *cells = 0;
            for (group, values) in map.chunks(LANES).enumerate() {
                let mut whole = [0.0; LANES];
                whole[..values.len()].copy_from_slice(values);
                let v = S::load(whole.as_ptr());
                *cells |= (S::above(v, level) & low(values.len())) << (group * LANES);
                tame &= S::above(wild[0], v) & S::above(v, wild[1]);
            }
            any |= *cells;
        }
        (any != 0, tame != low(LANES))
    }
}

/// Sets bits of `packed`, which has none, where the resampled map is above the level. They lie in the words `touched`.
#[inline(always)]
pub(super) unsafe fn pack_any<S: Simd>(
    up: &Upsampler,
    map: &[f32],
    level: f32,
    scratch: &mut Scratch,
    packed: &mut [u64],
    touched: &mut Range<usize>,
) {
    unsafe {
        let ([_, w], [_, width]) = (up.source(), up.target());
        let cells = &mut scratch.cells[..];
        *touched = 0..0;
        let (any, wild) = mark::<S>(map, level, cells);
        if !any && !wild {
            return;
        }
        let everywhere = if wild { !0 } else { 0 };
        let mut pixels = usize::MAX..0;
        for rows in up.rows.pairs().filter(|rows| !rows.targets.is_empty()) {
            let (upper, lower) = (rows.first * w, rows.second * w);
            // Each 64 cells decide on 63 blocks.
            for start in (0..w).step_by(63) {
                let near = |row: usize| (cells[row / 64] >> (row % 64)) | (cells[row / 64 + 1] << 1 << (63 - row % 64));
                let near = (near(upper + start) | near(lower + start) | everywhere) & low(w - start);
                let mut blocks = (near | near >> 1) & low((w - start).min(63));
                if blocks != 0 {
                    pixels.start = pixels.start.min(rows.targets.start * width);
                    pixels.end = rows.targets.end * width;
                }
                while let Some(block) = next(&mut blocks) {
                    let columns = up.columns.pair(start + block);
                    pack_block::<S>(up, map, level, everywhere, &rows, &columns, packed);
                }
            }
        }
        if !pixels.is_empty() {
            *touched = pixels.start / 64..pixels.end.div_ceil(64);
        }
    }
}

#[inline(always)]
unsafe fn pack_block<S: Simd>(
    up: &Upsampler,
    map: &[f32],
    level: f32,
    everywhere: u64,
    rows: &Pair,
    columns: &Pair,
    packed: &mut [u64],
) {
    unsafe {
        let ([_, w], [_, width]) = (up.source(), up.target());
        let between = |a, b, weight| S::add(a, S::mul(weight, S::sub(b, a)));
        let cell = |row: usize, column: usize| S::splat(map[row * w + column]);
        let above = S::splat(level);
        for y in rows.targets.clone().step_by(LANES) {
            // Lanes are rows here: the numbers above and below the block's left and right cells.
            let weights = S::load(up.rows.weights(y).as_ptr());
            let left = between(cell(rows.first, columns.first), cell(rows.second, columns.first), weights);
            let right = between(cell(rows.first, columns.second), cell(rows.second, columns.second), weights);
            let (mut lefts, mut spans) = ([0.0; LANES], [0.0; LANES]);
            S::store(lefts.as_mut_ptr(), left);
            S::store(spans.as_mut_ptr(), S::sub(right, left));
            let on = (S::above(left, above) | S::above(right, above) | everywhere) & low(rows.targets.end - y);
            for x in columns.targets.clone().step_by(LANES) {
                let weights = S::load(up.columns.weights(x).as_ptr());
                let inside = low(columns.targets.end - x);
                let mut rows = on & low(LANES);
                while let Some(row) = next(&mut rows) {
                    let v = S::add(S::splat(lefts[row]), S::mul(weights, S::splat(spans[row])));
                    put(packed, (y + row) * width + x, S::above(v, above) & inside);
                }
            }
        }
    }
}

with_simd! {
    /// [`pack_any`] for an instruction set.
    fn pack(up: &Upsampler, map: &[f32], level: f32, scratch: &mut Scratch, packed: &mut [u64], touched: &mut Range<usize>) = pack_any
}
