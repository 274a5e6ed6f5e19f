//! Convolutions of stride 1 that have few channels on one side, straight from the definition: an unfolded image would be as many times
//! larger than the image as the kernel has taps, and a product of three rows leaves most of a processor idle.
//!
//! Maps are laid out as *planes* that include their padding. With as many columns in what is computed as in what is read (the ones
//! too many are not kept), a tap is one distance for all cells at once, and registers need not know of rows.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "registers are indexed; lengths are constants")]

use super::{ConvShape, MOST_IN_LANES, WEIGHT_SUMS, sized};
use crate::elementwise::{Unary, in_place};
use crate::pointwise::written;
use crate::product::{LANES, dots, folded};
use crate::simd::{Level, Simd, with_simd};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Channels of the smaller side up to which this is faster than a product over unfolded images.
const FEW: usize = 4;
/// Outputs that are computed side by side.
const OUTPUTS: usize = 4;
/// Numbers of the planes of a band of rows: they stay in the second cache.
const BAND: usize = 1 << 15;
/// Rows of a band at most, so that threads can share one image.
const BAND_ROWS: usize = 16;

/// Whether convolutions of this shape go this way; the number of images does not matter.
pub(super) fn fits(s: &ConvShape) -> bool {
    s.even().is_some_and(|[stride, ..]| stride == 1)
        && s.c.min(s.o) <= FEW
        && s.kernel[0] * s.kernel[1] > 1
        && s.output[0] * s.output[1] > 0
        && planes_are_small(s)
}

/// Whether planes are not far larger than the maps. Where taps are as far apart as the padding is wide, a map of one cell could have
/// planes for which there is no memory.
fn planes_are_small(s: &ConvShape) -> bool {
    let ([height, width], [down, across]) = (s.output, reach(s));
    let plane = s.h.max(height).saturating_add(down).saturating_mul(s.w.max(width).saturating_add(across));
    plane <= (s.h * s.w + height * width).saturating_mul(64).saturating_add(1 << 12)
}

/// Whether the weight gradient does, too: it keeps sixteen partial sums of each number.
pub(super) fn weight_gradient_fits(s: &ConvShape) -> bool {
    fits(s) && s.o * s.taps() <= MOST_IN_LANES
}

/// How far each tap of the kernel reads from its cell, down and across.
fn taps(s: &ConvShape) -> Vec<[usize; 2]> {
    let [height, width] = s.kernel;
    (0..height * width).map(|tap| [tap / width * s.dilation[0], tap % width * s.dilation[1]]).collect()
}

/// The farthest of them.
fn reach(s: &ConvShape) -> [usize; 2] {
    [0, 1].map(|axis| (s.kernel[axis] - 1) * s.dilation[axis])
}

/// Rows of a band: so many that `planes` of them stay in the cache.
fn band_rows(planes: usize, columns: usize) -> usize {
    (BAND / (planes * columns)).clamp(1, BAND_ROWS)
}

/// A band of the maps of one image, as planes of `rows x columns` behind each other.
struct Planes {
    rows: usize,
    columns: usize,
    /// Where the first cell of a plane lies in its map, which may be outside.
    first: [isize; 2],
}

impl Planes {
    /// Copies the maps `[channels, height, width]`; zero outside, and in as many numbers `beyond` the end.
    fn fill<'a>(
        &self,
        maps: &[f32],
        [height, width]: [usize; 2],
        beyond: usize,
        buffer: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let len = maps.len() / (height * width) * self.rows * self.columns;
        let planes = sized(buffer, len + beyond);
        planes[len..].fill(0.0);
        let [top, left] = self.first;
        // Columns of the plane that lie in the map.
        let start = (-left).max(0).cast_unsigned().min(self.columns);
        let end = (width as isize - left).max(0).cast_unsigned().clamp(start, self.columns);
        let mut rows = planes.chunks_exact_mut(self.columns);
        for map in maps.chunks_exact(height * width) {
            for (row, to) in (0..).zip(rows.by_ref().take(self.rows)) {
                let y = top + row;
                if y < 0 || y >= height as isize || start == end {
                    to.fill(0.0);
                    continue;
                }
                let from = &map[y.cast_unsigned() * width..][(left + start as isize).cast_unsigned()..];
                to[..start].fill(0.0);
                to[end..].fill(0.0);
                to[start..end].copy_from_slice(&from[..end - start]);
            }
        }
        planes
    }
}

/// What [`convolve`] computes: for each of `outputs`, the sum over inputs and taps of weight times input.
pub(super) struct Sums<'a> {
    /// Numbers from one input to the next.
    input: usize,
    inputs: usize,
    /// How far from a cell each tap reads.
    offsets: &'a [usize],
    /// `[blocks of outputs, inputs, taps, outputs of the block]`.
    weights: &'a [f32],
    outputs: usize,
    /// Cells, of which the ones too many are computed as well.
    cells: usize,
}

impl Sums<'_> {
    /// Panics unless every cell of every output can be computed from so many numbers `x`, with so many weights, into so much room `y`.
    fn check(&self, x: usize, y: usize) {
        let all = |lengths: [usize; 3]| lengths.iter().try_fold(1, |len: usize, &length| len.checked_mul(length));
        assert!(self.cells.is_multiple_of(REGISTERS), "whole registers of cells");
        // An offset may lead into the next input, but no farther, and behind the last one there are as many numbers as cells.
        assert!(self.offsets.iter().all(|&offset| offset <= self.input), "offsets inside of an input");
        let read = all([self.inputs, self.input, 1]).and_then(|len| len.checked_add(self.cells));
        assert!(read.is_some_and(|len| len <= x), "inputs, and as many numbers behind them as cells");
        assert_eq!(Some(self.weights.len()), all([self.outputs, self.inputs, self.offsets.len()]), "weights");
        assert!(all([self.outputs, self.cells, 1]).is_some_and(|len| len <= y), "room for the outputs");
    }
}

/// The weights in the order in which they are read: `weight(output, input, tap)`.
fn packed(outputs: usize, inputs: usize, taps: usize, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let mut all = Vec::with_capacity(outputs * inputs * taps);
    for first in (0..outputs).step_by(OUTPUTS) {
        for input in 0..inputs {
            for tap in 0..taps {
                all.extend((first..outputs.min(first + OUTPUTS)).map(|output| weight(output, input, tap)));
            }
        }
    }
    all
}

/// `OUT` outputs at `16 WIDE` cells.
///
/// # Safety
/// The processor has the instruction set of `S`. At `x` lies a cell of the first input from which on `16 WIDE` cells can be read at every
/// offset of every input, at `w` a block's weights, at `y` the same cell of the block's first output, with room for as many cells of each.
#[inline(always)]
unsafe fn block<S: Simd, const OUT: usize, const WIDE: usize>(
    sums: &Sums<'_>,
    x: *const f32,
    mut w: *const f32,
    y: *mut f32,
) {
    // SAFETY: `w` goes on by `OUT` weights for each input and tap, which are as many as a block has; the rest is as the caller says.
    unsafe {
        let mut lanes = [[S::splat(0.0); WIDE]; OUT];
        for input in 0..sums.inputs {
            let x = x.add(input * sums.input);
            for &offset in sums.offsets {
                let mut right = [S::splat(0.0); WIDE];
                for j in 0..WIDE {
                    right[j] = S::load(x.add(offset + 16 * j));
                }
                for i in 0..OUT {
                    let left = S::splat(*w.add(i));
                    for j in 0..WIDE {
                        lanes[i][j] = S::mul_add(left, right[j], lanes[i][j]);
                    }
                }
                w = w.add(OUT);
            }
        }
        for i in 0..OUT {
            for j in 0..WIDE {
                S::store(y.add(i * sums.cells + 16 * j), lanes[i][j]);
            }
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`; `sums`, `x` and `y` fit each other ([`Sums::check`]), and `WIDE` is at most 4.
#[inline(always)]
unsafe fn blocks<S: Simd, const WIDE: usize>(sums: &Sums<'_>, x: &[f32], y: &mut [f32]) {
    let per_output = sums.inputs * sums.offsets.len();
    for cell in (0..sums.cells).step_by(16 * WIDE) {
        for output in (0..sums.outputs).step_by(OUTPUTS) {
            // SAFETY: cells are a multiple of 64, so `16 WIDE` of them are left; `x` goes on for as many behind the last offset of the
            // last input, `y` has as many for each output; blocks before this one have `OUTPUTS * per_output` weights.
            unsafe {
                let (x, w) = (x.as_ptr().add(cell), sums.weights.as_ptr().add(output * per_output));
                let y = y.as_mut_ptr().add(output * sums.cells + cell);
                match sums.outputs - output {
                    1 => block::<S, 1, WIDE>(sums, x, w, y),
                    2 => block::<S, 2, WIDE>(sums, x, w, y),
                    3 => block::<S, 3, WIDE>(sums, x, w, y),
                    _ => block::<S, OUTPUTS, WIDE>(sums, x, w, y),
                }
            }
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`; `sums`, `x` and `y` fit each other ([`Sums::check`]).
#[inline(always)]
unsafe fn convolve_any<S: Simd>(sums: &Sums<'_>, x: &[f32], y: &mut [f32]) {
    // As many sums as registers hold beside what is multiplied.
    // SAFETY: as the caller says.
    unsafe { if S::BLOCKS == 2 { blocks::<S, 4>(sums, x, y) } else { blocks::<S, 1>(sums, x, y) } }
}

with_simd! {
    /// `y [outputs, cells]` of the planes `x`.
    fn convolve(sums: &Sums<'_>, x: &[f32], y: &mut [f32]) = convolve_any
}

/// Cells that registers compute at once, at most.
const REGISTERS: usize = 64;

/// A multiple of what registers compute at once.
fn whole(cells: usize) -> usize {
    cells.next_multiple_of(REGISTERS)
}

/// The maps (channels, height, width) of every image cut into bands of `rows` rows: for each band its image, its first row, and its part of every
/// channel.
fn bands<T>(maps: &mut [T], [channels, height, width]: [usize; 3], rows: usize) -> Vec<(usize, usize, Vec<&mut [T]>)> {
    let mut all = Vec::new();
    for (image, maps) in maps.chunks_exact_mut(channels * height * width).enumerate() {
        let first = all.len();
        all.extend((0..height).step_by(rows).map(|top| (image, top, Vec::with_capacity(channels))));
        for map in maps.chunks_exact_mut(height * width) {
            all[first..].iter_mut().zip(map.chunks_mut(rows * width)).for_each(|(band, rows)| band.2.push(rows));
        }
    }
    all
}

/// `y` of [`super::conv2d`].
pub(super) fn forward(
    level: Level,
    s: &ConvShape,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    activation: Option<Unary>,
) -> Vec<f32> {
    let taps = taps(s);
    let weights = packed(s.o, s.c, taps.len(), |o, c, tap| w[(o * s.c + c) * taps.len() + tap]);
    let before = s.padding.map(|[before, _]| before as isize);
    all(level, s, [s.c, s.h, s.w], x, before, &taps, &weights, bias, activation, [s.o, s.output[0], s.output[1]])
}

/// `dx` of [`super::conv2d_input_gradient`]: a convolution as well, with the kernel turned round.
pub(super) fn input_gradient(
    level: Level,
    s: &ConvShape,
    dy: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    activation: Option<Unary>,
) -> Vec<f32> {
    let reach = reach(s);
    let taps: Vec<[usize; 2]> =
        taps(s).into_iter().map(|[down, across]| [reach[0] - down, reach[1] - across]).collect();
    let weights = packed(s.c, s.o, taps.len(), |c, o, tap| w[(o * s.c + c) * taps.len() + tap]);
    let before = [0, 1].map(|axis| reach[axis] as isize - s.padding[axis][0] as isize);
    all(level, s, [s.o, s.output[0], s.output[1]], dy, before, &taps, &weights, bias, activation, [s.c, s.h, s.w])
}

/// The maps `to` (channels, height, width) of every image: each cell the sum over the maps `from` and over taps, each so far from the cell as
/// it says, `before` cells further up and left.
#[allow(clippy::too_many_arguments, reason = "two sets of maps and what lies between them")]
fn all(
    level: Level,
    s: &ConvShape,
    from: [usize; 3],
    x: &[f32],
    before: [isize; 2],
    taps: &[[usize; 2]],
    weights: &[f32],
    bias: Option<&[f32]>,
    activation: Option<Unary>,
    to: [usize; 3],
) -> Vec<f32> {
    level.check();
    let ([inputs, h, w], [outputs, height, width], [down, across]) = (from, to, reach(s));
    let columns = width + across;
    let rows = band_rows(inputs, columns).min(height);
    let offsets: Vec<usize> = taps.iter().map(|[down, across]| down * columns + across).collect();
    let cells = whole(rows * columns);
    let sums = Sums { input: (rows + down) * columns, inputs, offsets: &offsets, weights, outputs, cells };
    let each = |scratch: &mut [Vec<f32>; 2], (image, top, maps): (usize, usize, Vec<&mut [MaybeUninit<f32>]>)| {
        let [planes, results] = scratch;
        let layout = Planes { rows: rows + down, columns, first: [top as isize - before[0], -before[1]] };
        let planes = layout.fill(&x[image * inputs * h * w..][..inputs * h * w], [h, w], cells, planes);
        let results = sized(results, outputs * cells);
        sums.check(planes.len(), results.len());
        // SAFETY: the lengths and the level have been checked.
        unsafe { convolve(level, &sums, planes, results) };
        for (channel, (map, result)) in maps.into_iter().zip(results.chunks_exact(cells)).enumerate() {
            let bias = bias.map_or(0.0, |bias| bias[channel]);
            for (to, from) in map.chunks_exact_mut(width).zip(result.chunks(columns)) {
                to.iter_mut().zip(from).for_each(|(to, from)| _ = to.write(from + bias));
            }
            if let Some(activation) = activation {
                // SAFETY: the loop above has written its rows, which are whole.
                in_place(activation, unsafe { map.assume_init_mut() });
            }
        }
    };
    let write = |y: &mut [MaybeUninit<f32>]| {
        bands(y, to, rows).into_par_iter().for_each_init(Default::default, each);
    };
    // SAFETY: bands cover every row of every map, a row has no more cells than one that is computed, and there are as many of those.
    unsafe { written(s.n * outputs * height * width, write) }
}

/// `dW` of [`super::conv2d_weight_gradient`].
pub(super) fn weight_gradient(level: Level, s: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let ([height, width], [down, across]) = (s.output, reach(s));
    let columns = width + across;
    let rows = band_rows(s.c + s.o, columns).min(height);
    let cells = (rows * columns).next_multiple_of(LANES);
    let taps = taps(s);
    let of_input = |input: usize| taps.iter().map(move |[y, x]| (input * (rows + down) + y) * columns + x);
    let starts: Vec<usize> = (0..s.c).flat_map(of_input).collect();
    let images: Vec<usize> = (0..s.n).collect();
    let sums: Vec<Vec<f32>> = images
        .par_chunks(s.n.div_ceil(WEIGHT_SUMS).max(1))
        .map(|images| {
            let mut sums = vec![0.0; s.o * s.taps() * LANES];
            let [mut x_planes, mut dy_planes] = [Vec::new(), Vec::new()];
            for &image in images {
                for top in (0..height).step_by(rows) {
                    let first = [top as isize - s.padding[0][0] as isize, -(s.padding[1][0] as isize)];
                    let layout = Planes { rows: rows + down, columns, first };
                    let x = layout.fill(&x[image * s.x_len()..][..s.x_len()], [s.h, s.w], cells, &mut x_planes);
                    // Zeros where a row of planes is longer than one of dy, and after the last one.
                    let dy_planes = sized(&mut dy_planes, s.o * cells);
                    dy_planes.fill(0.0);
                    let dy = &dy[image * s.y_len()..][..s.y_len()];
                    for (to, map) in dy_planes.chunks_exact_mut(cells).zip(dy.chunks_exact(height * width)) {
                        let from = map[top * width..].chunks_exact(width).take(rows);
                        to.chunks_mut(columns).zip(from).for_each(|(to, from)| to[..width].copy_from_slice(from));
                    }
                    dots(level, dy_planes, x, &starts, cells, &mut sums);
                }
            }
            folded(&sums).collect()
        })
        .collect();
    super::total(sums, s.o * s.taps())
}

#[cfg(test)]
mod tests {
    use super::super::naive::{all_three, numbers};
    use super::*;
    use proptest::prelude::*;

    fn close(got: &[f32], expected: &[f64]) -> bool {
        got.len() == expected.len()
            && got.iter().zip(expected).all(|(g, e)| (f64::from(*g) - e).abs() <= 1e-4 * (1.0 + e.abs()))
    }

    fn check(s: &ConvShape) -> Result<(), TestCaseError> {
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (y_bias, x_bias) = (numbers(s.o, 4), numbers(s.c, 5));
        let (y, dx, dw) = all_three(s, &x, &w, &dy, &y_bias, &x_bias);
        for level in Level::available() {
            prop_assert!(close(&forward(level, s, &x, &w, Some(&y_bias), None), &y), "forward, {level:?}");
            prop_assert!(
                close(&input_gradient(level, s, &dy, &w, Some(&x_bias), None), &dx),
                "input gradient, {level:?}"
            );
            prop_assert!(close(&weight_gradient(level, s, &x, &dy), &dw), "weight gradient, {level:?}");
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn every_level_equals_the_definition(
            n in 1usize..4, c in 1usize..8, o in 1usize..8, h in 1..crate::usual(40usize, 8), w in 1..crate::usual(40usize, 20),
            kh in 1usize..6, kw in 1usize..6, padding in 0usize..4, dilation in 1usize..3,
        ) {
            let out = |size: usize, k: usize| (size + 2 * padding + 1).saturating_sub(dilation * (k - 1) + 1);
            let s = ConvShape { n, c, h, w, o, kernel: [kh, kw], stride: [1; 2], padding: [[padding; 2]; 2], dilation: [dilation; 2], groups: 1, output: [out(h, kh), out(w, kw)] };
            prop_assume!(s.output[0] * s.output[1] > 0);
            check(&s)?;
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes hours there")]
    fn layers_of_networks_cut_into_bands_equal_the_definition() {
        let shape = |c, o, side: usize, kernel: usize| {
            let (padding, output) = (kernel / 2, [side + 1 - kernel % 2; 2]);
            ConvShape {
                n: 1,
                c,
                h: side,
                w: side,
                o,
                kernel: [kernel; 2],
                stride: [1; 2],
                padding: [[padding; 2]; 2],
                dilation: [1; 2],
                groups: 1,
                output,
            }
        };
        for s in [shape(48, 3, 64, 3), shape(3, 32, 64, 4), shape(1, 17, 64, 3), shape(300, 2, 40, 3)] {
            check(&s).unwrap();
        }
    }
}
