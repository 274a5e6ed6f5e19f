//! Where a resampled map lies above a level, block by block.
//!
//! A block is sixteen columns of the target between two neighbouring rows of the map. Its numbers never leave the range of the
//! cells that it is made of (see [`Upsampler`]), so a block without a cell above the level is not computed. At the levels
//! of a dissection, which one pixel in a hundred exceeds, few blocks are left.
//!
//! The proof needs differences that do not overflow. A map that holds a number of at least half the largest `f32`, an
//! infinity or NaN is computed in full.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

use super::bits::words;
use super::upsample::{Tap, Upsampler};
use crate::simd::{Simd, with_simd};
use std::ops::Range;

/// Numbers that are computed at once, [`Simd::Lanes`].
pub(super) const LANES: usize = 16;
/// Numbers of at least this size make a map wild.
const WILD: f32 = f32::MAX / 2.0;
/// Rows of a band from which on it pays to look where bits end.
const MANY_ROWS: usize = 8;
/// Cells that [`Simd::spread`] reaches.
const WINDOW: usize = 8;

/// Sixteen columns of the target, the last ones perhaps fewer.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// Bit `i` is set where cell `i` of a row has a part in it. All are set in rows of more than 64 cells.
    cells: u64,
    /// Where the windows of the lower and the upper eight lanes start, where cells lie that close.
    windows: Option<[usize; 2]>,
    /// Cells of each lane, in the window or from the start of the row.
    first: [i32; LANES],
    second: [i32; LANES],
    weights: [f32; LANES],
    /// One bit for each column.
    lanes: u64,
}

impl Chunk {
    /// For rows of `w` cells.
    pub(super) fn new(taps: &[Tap], w: usize) -> Self {
        // The lanes behind the last column repeat it.
        let tap = |lane: usize| taps[lane.min(taps.len() - 1)];
        let starts = [0, WINDOW].map(|lane| tap(lane).first.min(w.saturating_sub(WINDOW)));
        let close = (0..LANES).all(|lane| tap(lane).second < starts[lane / WINDOW] + WINDOW);
        let windows = (w >= WINDOW && close).then_some(starts);
        let place = |lane: usize, cell: usize| (cell - windows.map_or(0, |starts| starts[lane / WINDOW])) as i32;
        Self {
            cells: if w > 64 { !0 } else { low(tap(LANES).second + 1) & !low(taps[0].first) },
            windows,
            first: std::array::from_fn(|lane| place(lane, tap(lane).first)),
            second: std::array::from_fn(|lane| place(lane, tap(lane).second)),
            weights: std::array::from_fn(|lane| tap(lane).weight),
            lanes: low(taps.len()),
        }
    }

    /// These columns of a row of the map.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    #[inline(always)]
    pub(super) unsafe fn spread<S: Simd>(&self, row: &[f32]) -> S::Lanes {
        // SAFETY: windows are eight cells of the row, and `new` makes them only where all places in them are 0 to 7; the other loads are
        // of arrays of sixteen.
        unsafe {
            let (first, second) = if let Some([low, high]) = self.windows {
                let (low, high) = (row[low..low + WINDOW].as_ptr(), row[high..high + WINDOW].as_ptr());
                (S::spread(low, high, &self.first), S::spread(low, high, &self.second))
            } else {
                let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
                for lane in 0..LANES {
                    first[lane] = row[self.first[lane] as usize];
                    second[lane] = row[self.second[lane] as usize];
                }
                (S::load(first.as_ptr()), S::load(second.as_ptr()))
            };
            between::<S>(first, S::sub(second, first), S::load(self.weights.as_ptr()))
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn between<S: Simd>(a: S::Lanes, step: S::Lanes, weight: S::Lanes) -> S::Lanes {
    // Not fused: without an instruction for it that would be slow, and the bits shall not depend on the instructions.
    // SAFETY: registers alone, with the caller's instructions.
    unsafe { S::add(a, S::mul(weight, step)) }
}

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

/// Marks the cells above the level. Returns whether there are any, and whether the map is wild.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn mark<S: Simd>(map: &[f32], level: f32, cells: &mut [u64]) -> (bool, bool) {
    // SAFETY: what is loaded is an array of sixteen.
    unsafe {
        let (level, most, least) = (S::splat(level), S::splat(WILD), S::splat(-WILD));
        let (mut any, mut tame) = (0, low(LANES));
        for (cells, map) in cells.iter_mut().zip(map.chunks(64)) {
            *cells = 0;
            for (group, values) in map.chunks(LANES).enumerate() {
                let mut whole = [0.0; LANES];
                let values = if let Some(values) = values.as_array() {
                    values
                } else {
                    whole[..values.len()].copy_from_slice(values);
                    &whole
                };
                let v = S::load(values.as_ptr());
                *cells |= S::above(v, level) << (group * LANES);
                tame &= S::above(most, v) & S::above(v, least);
            }
            *cells &= low(map.len());
            any |= *cells;
        }
        (any != 0, tame != low(LANES))
    }
}

/// Sets bits of `packed`, which has none, where the resampled map is above the level. They lie in the words `touched`.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
pub(super) unsafe fn pack_any<S: Simd>(
    up: &Upsampler,
    map: &[f32],
    level: f32,
    scratch: &mut Scratch,
    packed: &mut [u64],
    touched: &mut Range<usize>,
) {
    let ([_, w], [_, width]) = (up.source(), up.target());
    let cells = &mut scratch.cells[..];
    *touched = 0..0;
    // SAFETY: the processor has the instruction set, says the caller.
    let (any, wild) = unsafe { mark::<S>(map, level, cells) };
    if !any && !wild {
        return;
    }
    let everywhere = wild || w > 64;
    // The first 64 cells of a row, and what lies behind them.
    let row =
        |row: usize| (cells[row * w / 64] >> (row * w % 64)) | (cells[row * w / 64 + 1] << 1 << (63 - row * w % 64));
    let mut first = None;
    let mut end = 0;
    for band in &up.bands {
        let near = if everywhere { !0 } else { (row(band.first) | row(band.second)) & low(w) };
        if near == 0 {
            continue;
        }
        first.get_or_insert(band.targets.start * width / 64);
        end = (band.targets.end * width).div_ceil(64);
        let (upper, lower) = (&map[band.first * w..][..w], &map[band.second * w..][..w]);
        for (place, chunk) in up.chunks.iter().enumerate().filter(|(_, chunk)| near & chunk.cells != 0) {
            let at = band.targets.start * width + place * LANES;
            // SAFETY: the processor has the instruction set, says the caller.
            unsafe {
                let (upper, lower) = (chunk.spread::<S>(upper), chunk.spread::<S>(lower));
                let block =
                    Block::<S> { upper, step: S::sub(lower, upper), level: S::splat(level), lanes: chunk.lanes };
                block.pack(&up.weights[band.targets.clone()], at, width, !wild, packed);
            }
        }
    }
    *touched = first.unwrap_or(end)..end;
}

/// Sixteen columns between two rows of the map.
struct Block<S: Simd> {
    upper: S::Lanes,
    /// The lower row less the upper one.
    step: S::Lanes,
    level: S::Lanes,
    lanes: u64,
}

impl<S: Simd> Block<S> {
    /// # Safety
    /// The processor has the instruction set of `S`.
    #[inline(always)]
    unsafe fn row(&self, weight: f32) -> u64 {
        // SAFETY: registers alone, with the caller's instructions.
        unsafe { S::above(between::<S>(self.upper, self.step, S::splat(weight)), self.level) & self.lanes }
    }

    /// Sets the bits of the band's rows, the first of them from bit `at` on. In a tame map the numbers of a column go one way
    /// from the upper row to the lower (weights grow, and rounding keeps order), so those above the level begin at one end
    /// of the band: rows are computed from both ends until one has none.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    #[inline(always)]
    unsafe fn pack(&self, weights: &[f32], at: usize, width: usize, tame: bool, packed: &mut [u64]) {
        let from_ends = tame && weights.len() >= MANY_ROWS;
        let (mut start, mut end) = (0, weights.len());
        while start < end {
            // SAFETY: as the caller says.
            let bits = unsafe { self.row(weights[start]) };
            put(packed, at + start * width, bits);
            start += 1;
            if from_ends && bits == 0 {
                break;
            }
        }
        while start < end {
            end -= 1;
            // SAFETY: as the caller says.
            let bits = unsafe { self.row(weights[end]) };
            if bits == 0 {
                break;
            }
            put(packed, at + end * width, bits);
        }
    }
}

/// Sets up to sixteen bits from bit `at` on.
#[inline(always)]
fn put(packed: &mut [u64], at: usize, bits: u64) {
    packed[at / 64] |= bits << (at % 64);
    let beyond = bits >> 1 >> (63 - at % 64);
    if beyond != 0 {
        packed[at / 64 + 1] |= beyond;
    }
}

with_simd! {
    /// [`pack_any`] for an instruction set.
    fn pack(up: &Upsampler, map: &[f32], level: f32, scratch: &mut Scratch, packed: &mut [u64], touched: &mut Range<usize>) = pack_any
}
