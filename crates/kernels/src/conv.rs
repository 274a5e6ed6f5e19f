//! 2-D convolution (cross-correlation, as everywhere in this field), its input gradient (which is the transposed
//! convolution) and its weight gradient: by tiles ([`crate::winograd`]), directly where there are few channels ([`direct`]), and
//! as products over unfolded images everywhere else.
//!
//! With `x [n, c, h, w]`, weights `[o, c / groups, kh, kw]`, `y [n, o, oh, ow]`, and of one group:
//!
//! ```text
//! y[n,o,i,j]  = sum_{c,a,b} w[o,c,a,b] x[n, c, i s0 - top + a d0, j s1 - left + b d1]
//! dx = fold(W^T dy),   dW = sum_n dy unfold(x)^T
//! ```
//!
//! Small maps are unfolded several images at a time, so that a product has at least [`MIN_COLUMNS`] columns: weights
//! are read once for all of them. How many depends on the shape alone.

use crate::elementwise::{Unary, in_place};
use crate::pointwise::written;
use crate::product::{LANES, Matrix, dots, folded, new_product, product};
use crate::simd::Level;
use crate::winograd::{self, Kept, Plan, Weights, With};
use rayon::prelude::*;
use std::cell::Cell;
use std::mem::MaybeUninit;

/// Numbers of a result whose activation is one task.
const AT_ONCE: usize = 1 << 14;
/// Columns below which images are put together into one product.
const MIN_COLUMNS: usize = 256;
/// Partial sums of a weight gradient: the batch is cut into this many runs of images at most.
const WEIGHT_SUMS: usize = 4;
/// Numbers of a weight gradient up to which it is computed with sixteen partial sums of each: they stay in the second cache.
const MOST_IN_LANES: usize = 1 << 13;

pub use prepared::PreparedConv;

/// What the large products of a convolution are made of. Inputs, weights, sums and results are `f32` in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Products of `f32`.
    #[default]
    F32,
    /// Both factors rounded to `bf16` (eight binary digits), where a convolution is computed by tiles: the tiles and
    /// weights are rounded after their transform. Twice as many products a second with AVX512-BF16, and the same
    /// rounding without it. Other convolutions stay in `f32`.
    Bf16,
}

/// Everything about a convolution but its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub n: usize,
    /// Channels of x.
    pub c: usize,
    /// Height of x.
    pub h: usize,
    /// Width of x.
    pub w: usize,
    /// Channels of y.
    pub o: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step, down and across.
    pub stride: [usize; 2],
    /// Zeros around x: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Distance between the kernel's taps, down and across.
    pub dilation: [usize; 2],
    /// Runs of channels: those of y in a run read those of x in the same one. Both numbers of channels are multiples of it.
    pub groups: usize,
    /// Height and width of y.
    pub output: [usize; 2],
}

impl ConvShape {
    pub(crate) fn taps(&self) -> usize {
        self.c / self.groups.max(1) * self.kernel[0] * self.kernel[1]
    }
    /// Stride, padding and dilation, where they are the same on all sides and every output reads every input.
    pub(crate) fn even(&self) -> Option<[usize; 3]> {
        let [stride, dilation, padding] = [self.stride[0], self.dilation[0], self.padding[0][0]];
        let same = self.stride == [stride; 2] && self.dilation == [dilation; 2] && self.padding == [[padding; 2]; 2];
        (same && self.groups == 1).then_some([stride, padding, dilation])
    }
    fn cells(&self) -> usize {
        self.output[0] * self.output[1]
    }
    pub(crate) fn x_len(&self) -> usize {
        self.c * self.h * self.w
    }
    pub(crate) fn y_len(&self) -> usize {
        self.o * self.cells()
    }
    fn images_together(&self) -> usize {
        MIN_COLUMNS.div_ceil(self.cells().max(1)).clamp(1, 64)
    }
    /// Numbers that a pass needs besides maps and weights, at most: transformed tiles or unfolded images of as many images as are worked
    /// on at once. Threads keep them from call to call. The pass is that to the weights, or forward or back to the maps.
    pub fn scratch(&self, to_weights: bool) -> u64 {
        let threads = rayon::current_num_threads().max(2);
        let all = |lengths: &[usize]| lengths.iter().fold(1u64, |all, &length| all.saturating_mul(length as u64));
        let tiled = matches!((self.kernel, self.even()), ([3, 3], Some([1, _, 1])) | ([4, 4], Some([2, _, 1])));
        if tiled {
            return winograd::scratch(self, threads, to_weights);
        }
        if self.groups > 1 || self.is_pointwise() && self.images_together() == 1 {
            return 0;
        }
        let together = self.images_together().min(self.n.max(1));
        let at_once = threads.min(self.n.div_ceil(together));
        all(&[at_once, together, self.cells(), self.taps().saturating_add(self.o)])
    }
    /// Multiplications (each with an addition) of the forward pass; both gradients take as many.
    pub fn macs(&self) -> u64 {
        (self.n * self.y_len()) as u64 * self.taps() as u64
    }
    /// Panics unless these are the lengths of x, the weights and y.
    pub(crate) fn check(&self, x: usize, w: usize, y: usize) {
        let whole = |channels: usize| self.groups > 0 && channels.is_multiple_of(self.groups);
        assert!(whole(self.c) && whole(self.o), "channels of {self:?} are whole groups");
        assert!(self.stride.iter().all(|&stride| stride > 0), "{self:?} goes forward");
        // A product that wraps round would let a shape pass that reaches far outside of its numbers.
        let len = |lengths: [usize; 4]| lengths.iter().try_fold(1, |len: usize, &length| len.checked_mul(length));
        let ([kh, kw], [oh, ow]) = (self.kernel, self.output);
        assert_eq!(Some(x), len([self.n, self.c, self.h, self.w]), "length of x for {self:?}");
        assert_eq!(Some(w), len([self.o, self.c / self.groups, kh, kw]), "length of the weights for {self:?}");
        assert_eq!(Some(y), len([self.n, self.o, oh, ow]), "length of y for {self:?}");
        // So far from the first cell is the last one that a kernel reads, with both paddings.
        let reach = |axis: usize, size: usize| {
            let taps = self.kernel[axis].saturating_sub(1).checked_mul(self.dilation[axis])?;
            let steps = self.output[axis].saturating_sub(1).checked_mul(self.stride[axis])?;
            [taps, steps, size, self.padding[axis][0], self.padding[axis][1]]
                .iter()
                .try_fold(0, |sum: usize, &length| sum.checked_add(length))
        };
        let near = |reach: Option<usize>| reach.is_some_and(|reach| reach <= isize::MAX.cast_unsigned());
        assert!(near(reach(0, self.h)) && near(reach(1, self.w)), "{self:?} reaches too far");
    }
    /// Whether the weight gradient goes by [`dots`]: the shape of one image decides.
    fn sums_in_lanes(&self) -> bool {
        self.cells().is_multiple_of(LANES) && self.o * self.taps() <= MOST_IN_LANES
    }
    /// Whether the kernel covers the map, which is its own unfolded form then.
    fn is_one_window(&self) -> bool {
        self.kernel == [self.h, self.w] && self.padding == [[0; 2]; 2] && self.output == [1, 1] && self.groups == 1
    }
    /// A 1x1 convolution needs no unfolding.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [[0; 2]; 2] && self.output == [self.h, self.w]
    }
}

/// What is done with each number of a result before it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum After {
    Nothing,
    Relu,
    /// With this slope of the negative side.
    LeakyRelu(f32),
}

/// How a convolution and its input gradient are computed: the shape of one image decides.
#[derive(Debug)]
enum Way {
    Tiles(Box<Plan>),
    Direct,
    Grouped,
    Unfolded,
}

impl Way {
    fn new(s: &ConvShape, precision: Precision) -> Self {
        match Plan::new(s, precision) {
            Some(plan) => Self::Tiles(Box::new(plan)),
            None if direct::fits(s) => Self::Direct,
            None if s.groups > 1 => Self::Grouped,
            None => Self::Unfolded,
        }
    }
}

/// What a pass reads besides maps, and what it does with its result.
#[derive(Clone, Copy)]
struct Layer<'a> {
    way: &'a Way,
    weights: &'a [f32],
    /// The weights as they are kept for this pass; `weights` has none then.
    kept: Option<&'a Kept>,
    bias: Option<&'a [f32]>,
    activation: Option<Unary>,
}

impl<'a> Layer<'a> {
    /// What products by tiles need of it, and the activation that is left to do.
    fn by_tiles(&self) -> (With<'a>, Option<Unary>) {
        let (after, rest) = match self.activation {
            None => (After::Nothing, None),
            Some(Unary::Relu) => (After::Relu, None),
            Some(Unary::LeakyRelu { slope }) => (After::LeakyRelu(slope as f32), None),
            other => (After::Nothing, other),
        };
        let weights = self.kept.map_or(Weights::Given(self.weights), Weights::Kept);
        (With { weights, bias: self.bias, after }, rest)
    }

    /// How many weights there are.
    fn weights_len(&self, s: &ConvShape) -> usize {
        if self.kept.is_some() { s.o * s.taps() } else { self.weights.len() }
    }

    /// Adds the bias to the maps of some images and does the activation.
    fn finish(&self, maps: &mut [f32], cells: usize) {
        if let Some(bias) = self.bias {
            for (map, b) in maps.chunks_exact_mut(cells).zip(bias.iter().cycle()) {
                map.iter_mut().for_each(|v| *v += b);
            }
        }
        if let Some(activation) = self.activation {
            in_place(activation, maps);
        }
    }
}

/// `y = w * x (+ bias)`.
pub fn conv2d(s: &ConvShape, x: &[f32], w: &[f32], bias: Option<&[f32]>, precision: Precision) -> Vec<f32> {
    s.check(x.len(), w.len(), s.n * s.y_len());
    let way = &Way::new(s, precision);
    forward(s, x, &Layer { way, weights: w, kept: None, bias, activation: None })
}

fn forward(s: &ConvShape, x: &[f32], layer: &Layer) -> Vec<f32> {
    s.check(x.len(), layer.weights_len(s), s.n * s.y_len());
    assert!(layer.bias.is_none_or(|bias| bias.len() == s.o), "length of the bias for {s:?}");
    let w = layer.weights;
    match layer.way {
        Way::Tiles(plan) => {
            let (with, rest) = layer.by_tiles();
            activated(winograd::forward(Level::best(), plan, s, x, with), rest)
        }
        Way::Direct => direct::forward(Level::best(), s, x, w, layer.bias, layer.activation),
        Way::Grouped => activated(grouped::forward(s, x, w, layer.bias), layer.activation),
        Way::Unfolded => unfolded(s, x, layer),
    }
}

fn activated(mut maps: Vec<f32>, activation: Option<Unary>) -> Vec<f32> {
    if let Some(activation) = activation {
        maps.par_chunks_mut(AT_ONCE).for_each(|maps| in_place(activation, maps));
    }
    maps
}

/// As one product for a few images.
fn unfolded(s: &ConvShape, x: &[f32], layer: &Layer) -> Vec<f32> {
    let group = s.images_together();
    let write = |y: &mut [MaybeUninit<f32>]| {
        y.par_chunks_mut(group * s.y_len()).zip(x.par_chunks(group * s.x_len())).for_each(|(y, x)| {
            let images = y.len() / s.y_len();
            let columns = images * s.cells();
            let y = with_scratch(|scratch| {
                let [unfolded, together] = scratch;
                let unfolded = if s.is_pointwise() && images == 1 {
                    x
                } else {
                    let unfolded = sized(unfolded, s.taps() * columns);
                    unfold(s, x, images, unfolded);
                    unfolded
                };
                let (a, b) = (Matrix::new(layer.weights, s.o, s.taps()), Matrix::new(unfolded, s.taps(), columns));
                if images == 1 {
                    new_product(a, b, y, s.n == 1)
                } else {
                    let together = sized(together, s.o * columns);
                    product(a, b, together, false, s.n <= group);
                    channels_first_to_images(together, y, s.o, images, s.cells())
                }
            });
            layer.finish(y, s.cells());
        });
    };
    // SAFETY: groups of images cover everything, and a product or its maps in another order are as many numbers as a group.
    unsafe { written(s.n * s.y_len(), write) }
}

/// `dx` of [`conv2d`] for a given `dy`: the transposed convolution of `dy` with the same weights.
pub fn conv2d_input_gradient(
    s: &ConvShape,
    dy: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    precision: Precision,
) -> Vec<f32> {
    s.check(s.n * s.x_len(), w.len(), dy.len());
    let way = &Way::new(s, precision);
    input_gradient(s, dy, &Layer { way, weights: w, kept: None, bias, activation: None })
}

fn input_gradient(s: &ConvShape, dy: &[f32], layer: &Layer) -> Vec<f32> {
    s.check(s.n * s.x_len(), layer.weights_len(s), dy.len());
    assert!(layer.bias.is_none_or(|bias| bias.len() == s.c), "length of the bias for {s:?}");
    let w = layer.weights;
    match layer.way {
        Way::Tiles(plan) => {
            let (with, rest) = layer.by_tiles();
            activated(winograd::input_gradient(Level::best(), plan, s, dy, with), rest)
        }
        Way::Direct => direct::input_gradient(Level::best(), s, dy, w, layer.bias, layer.activation),
        Way::Grouped => activated(grouped::input_gradient(s, dy, w, layer.bias), layer.activation),
        Way::Unfolded => folded_back(s, dy, layer),
    }
}

/// As one product for a few images, whose numbers are added to the pixels that they were read from.
fn folded_back(s: &ConvShape, dy: &[f32], layer: &Layer) -> Vec<f32> {
    let group = s.images_together();
    let write = |dx: &mut [MaybeUninit<f32>]| {
        dx.par_chunks_mut(group * s.x_len()).zip(dy.par_chunks(group * s.y_len())).for_each(|(dx, dy)| {
            let images = dx.len() / s.x_len();
            let columns = images * s.cells();
            let dx = with_scratch(|scratch| {
                let [unfolded, together] = scratch;
                let dy = if images == 1 {
                    dy
                } else {
                    let together = sized(together, s.o * columns);
                    images_to_channels_first(dy, together, s.o, images, s.cells());
                    together
                };
                let a = Matrix::new(layer.weights, s.o, s.taps()).transposed();
                if images == 1 && s.is_one_window() {
                    return new_product(a, Matrix::new(dy, s.o, 1), dx, s.n == 1);
                }
                let unfolded = sized(unfolded, s.taps() * columns);
                product(a, Matrix::new(dy, s.o, columns), unfolded, false, s.n <= group);
                fold(s, unfolded, images, dx)
            });
            layer.finish(dx, s.h * s.w);
        });
    };
    // SAFETY: groups of images cover everything, and `fold` clears a group first.
    unsafe { written(s.n * s.x_len(), write) }
}

/// `dW` of [`conv2d`] for given `x` and `dy`, summed over the batch.
pub fn conv2d_weight_gradient(s: &ConvShape, x: &[f32], dy: &[f32], precision: Precision) -> Vec<f32> {
    let len = s.o * s.taps();
    s.check(x.len(), len, dy.len());
    if let Some(plan) = Plan::new(s, precision) {
        return winograd::weight_gradient(Level::best(), &plan, s, x, dy);
    }
    if direct::weight_gradient_fits(s) {
        return direct::weight_gradient(Level::best(), s, x, dy);
    }
    if s.groups > 1 {
        return grouped::weight_gradient(s, x, dy);
    }
    let group = s.images_together();
    let groups = s.n.div_ceil(group);
    let groups_per_sum = groups.div_ceil(WEIGHT_SUMS).max(1);
    let per_sum = groups_per_sum * group;
    let lanes = if s.sums_in_lanes() { LANES } else { 1 };
    let sums: Vec<Vec<f32>> = x
        .par_chunks(per_sum * s.x_len())
        .zip(dy.par_chunks(per_sum * s.y_len()))
        .map(|(x, dy)| {
            let mut sum = vec![0.0; len * lanes];
            for (x, dy) in x.chunks(group * s.x_len()).zip(dy.chunks(group * s.y_len())) {
                let images = dy.len() / s.y_len();
                let columns = images * s.cells();
                with_scratch(|scratch| {
                    let [unfolded, together] = scratch;
                    let unfolded = sized(unfolded, s.taps() * columns);
                    unfold(s, x, images, unfolded);
                    let dy = if images == 1 {
                        dy
                    } else {
                        let together = sized(together, s.o * columns);
                        images_to_channels_first(dy, together, s.o, images, s.cells());
                        together
                    };
                    if lanes > 1 {
                        let starts: Vec<usize> = (0..s.taps()).map(|tap| tap * columns).collect();
                        return dots(Level::best(), dy, unfolded, &starts, columns, &mut sum);
                    }
                    let (a, b) = (Matrix::new(dy, s.o, columns), Matrix::new(unfolded, s.taps(), columns).transposed());
                    product(a, b, &mut sum, true, groups <= 1);
                });
            }
            if lanes > 1 { folded(&sum).collect() } else { sum }
        })
        .collect();
    total(sums, len)
}

/// The sum of partial sums of `len` numbers, in their order.
fn total(sums: Vec<Vec<f32>>, len: usize) -> Vec<f32> {
    let mut sums = sums.into_iter();
    let mut total = sums.next().unwrap_or_else(|| vec![0.0; len]);
    for sum in sums {
        total.iter_mut().zip(&sum).for_each(|(t, v)| *t += v);
    }
    total
}

thread_local! {
    /// Unfolded images, and maps of several images put together: kept from call to call.
    static SCRATCH: Cell<[Vec<f32>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) };
}

/// Runs with this thread's buffers. A nested call (a thread that waits for a product may be given another task) gets new ones.
fn with_scratch<T>(f: impl FnOnce(&mut [Vec<f32>; 2]) -> T) -> T {
    let mut scratch = SCRATCH.take();
    let result = f(&mut scratch);
    SCRATCH.set(scratch);
    result
}

/// The first `len` numbers of a buffer that grows where it must; what they are is left from before.
pub(crate) fn sized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

/// The output columns `j` for which tap `b` reads inside a row of width `w`: `first..end`.
fn inside(tap: usize, stride: usize, padding: usize, w: usize, output: usize) -> std::ops::Range<usize> {
    // j * stride + tap - padding in 0..w
    let first = padding.saturating_sub(tap).div_ceil(stride).min(output);
    let end = (w + padding).saturating_sub(tap).div_ceil(stride).clamp(first, output);
    first..end
}

/// `unfolded[(c, a, b), (image, i, j)] = x[image, c, i s0 - top + a d0, j s1 - left + b d1]`, zero outside.
fn unfold(s: &ConvShape, x: &[f32], images: usize, unfolded: &mut [f32]) {
    let [kh, kw] = s.kernel;
    let [oh, ow] = s.output;
    let [[top, _], [left, _]] = s.padding;
    let mut rows = unfolded.chunks_exact_mut(images * s.cells());
    for c in 0..s.c {
        for a in 0..kh {
            for b in 0..kw {
                let Some(row) = rows.next() else { return };
                let columns = inside(b * s.dilation[1], s.stride[1], left, s.w, ow);
                let lines = inside(a * s.dilation[0], s.stride[0], top, s.h, oh);
                for (image, cells) in row.chunks_exact_mut(s.cells()).enumerate() {
                    let map = &x[(image * s.c + c) * s.h * s.w..][..s.h * s.w];
                    for (i, line) in cells.chunks_exact_mut(ow).enumerate() {
                        if !lines.contains(&i) || columns.is_empty() {
                            line.fill(0.0);
                            continue;
                        }
                        let source = &map[(i * s.stride[0] + a * s.dilation[0] - top) * s.w..][..s.w];
                        let start = columns.start * s.stride[1] + b * s.dilation[1] - left;
                        line[..columns.start].fill(0.0);
                        line[columns.end..].fill(0.0);
                        let inner = &mut line[columns.clone()];
                        if s.stride[1] == 1 {
                            inner.copy_from_slice(&source[start..start + inner.len()]);
                        } else {
                            inner
                                .iter_mut()
                                .zip(source[start..].iter().step_by(s.stride[1]))
                                .for_each(|(t, v)| *t = *v);
                        }
                    }
                }
            }
        }
    }
}

/// The adjoint of [`unfold`]: adds every unfolded value to the pixel that it was read from.
fn fold<'a>(s: &ConvShape, unfolded: &[f32], images: usize, x: &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] {
    let [kh, kw] = s.kernel;
    let [oh, ow] = s.output;
    let [[top, _], [left, _]] = s.padding;
    x.fill(MaybeUninit::new(0.0));
    // SAFETY: all of it has just been written.
    let x = unsafe { x.assume_init_mut() };
    if s.cells() == 0 {
        return x;
    }
    let mut rows = unfolded.chunks_exact(images * s.cells());
    for c in 0..s.c {
        for a in 0..kh {
            for b in 0..kw {
                let Some(row) = rows.next() else { return x };
                let columns = inside(b * s.dilation[1], s.stride[1], left, s.w, ow);
                let lines = inside(a * s.dilation[0], s.stride[0], top, s.h, oh);
                if columns.is_empty() {
                    continue;
                }
                let start = columns.start * s.stride[1] + b * s.dilation[1] - left;
                for (image, cells) in row.chunks_exact(s.cells()).enumerate() {
                    let map = &mut x[(image * s.c + c) * s.h * s.w..][..s.h * s.w];
                    for i in lines.clone() {
                        let line = &cells[i * ow..][columns.clone()];
                        let target = &mut map[(i * s.stride[0] + a * s.dilation[0] - top) * s.w..][..s.w];
                        if s.stride[1] == 1 {
                            target[start..].iter_mut().zip(line).for_each(|(t, v)| *t += v);
                        } else {
                            target[start..].iter_mut().step_by(s.stride[1]).zip(line).for_each(|(t, v)| *t += v);
                        }
                    }
                }
            }
        }
    }
    x
}

fn channels_first_to_images<'a>(
    from: &[f32],
    to: &'a mut [MaybeUninit<f32>],
    channels: usize,
    images: usize,
    cells: usize,
) -> &'a mut [f32] {
    assert_eq!(to.len(), images * channels * cells, "maps in another order");
    for image in 0..images {
        for c in 0..channels {
            let map = &from[(c * images + image) * cells..][..cells];
            to[(image * channels + c) * cells..][..cells].write_copy_of_slice(map);
        }
    }
    // SAFETY: every map of every image has been written, and there is nothing else.
    unsafe { to.assume_init_mut() }
}

fn images_to_channels_first(from: &[f32], to: &mut [f32], channels: usize, images: usize, cells: usize) {
    for image in 0..images {
        for c in 0..channels {
            to[(c * images + image) * cells..][..cells]
                .copy_from_slice(&from[(image * channels + c) * cells..][..cells]);
        }
    }
}

mod direct;
mod grouped;
#[cfg(test)]
pub(crate) mod naive;
mod prepared;
#[cfg(test)]
mod tests;
