//! Convolutions of 4x4 kernels with stride 2 and 3x3 kernels with stride 1, forward and both gradients, by tiles
//! (Winograd's minimal filtering; Lavin and Gray, arXiv 1509.09308).
//!
//! A kernel of stride 2 is four 2x2 kernels of stride 1, each on every second pixel; their products are summed, so they
//! are more channels of one product. F(4x4, 2x2) then takes 25 multiplications where the definition takes 64, and
//! F(4x4, 3x3) 36 instead of 144.
//!
//! With `V = BT X B`, `P = A dY AT`, `U = G W GT` and all products point by point over the tiles:
//!
//! ```text
//! Y  = AT (U V) A      sums over channels of x and phases
//! dX = B (U^T P) BT    sums over channels of y
//! dW = GT (P V^T) G    sums over tiles and images
//! ```
//!
//! Transformed weights are several times as large as the weights: in training they are made block by block where they are used, and
//! never leave the processor's cache; weights that stay are transformed once ([`Kept`]). Transformed tiles of a few chunks of images at a time lie in a buffer that is kept
//! from call to call.
//!
//! An image's result depends on the image alone: chunks and threads change which products are made together, never the
//! order of additions inside one.

mod chunks;
mod kept;
mod plan;
mod product;
mod scheme;
mod single;
mod strips;
mod transform;

pub(crate) use kept::Kept;
pub(crate) use plan::Plan;

use crate::conv::{After, ConvShape, sized};
use crate::pointwise::written;
use crate::simd::Level;
use chunks::{Chunks, Side, transform};
use product::{Extent, Rows};
use rayon::prelude::*;
use std::cell::Cell;
use std::mem::MaybeUninit;
use transform::{Finish, Kernels, Place, Target};

/// Blocks of channels of y whose weights the input gradient transforms together.
const O_STEP: usize = 2;

/// Blocks of sixteen columns of one task of the forward pass and of the weight gradient.
const GROUP: usize = 2;
/// Words by which points stand farther apart than they need to: at distances of whole pages, all points of a tile would
/// fight for one set of the first cache.
const APART: usize = 16;
/// Words of transformed tiles between two rounds of a weight gradient: 64 MiB.
const MOST_TRANSFORMED: usize = 16 << 20;

/// Numbers that a pass by tiles needs besides maps and weights, at most: that to the weights, or another one.
pub(crate) fn scratch(s: &ConvShape, threads: usize, to_weights: bool) -> u64 {
    // Maps of whole blocks of channels, enlarged by as much as tiles overlap: by 36 to 16 at the most.
    let side = |channels: usize, cells: usize| {
        let map = (channels.next_multiple_of(16) as u64).saturating_mul(cells as u64);
        map.saturating_mul(9).div_ceil(4)
    };
    let image = [side(s.c, s.h.saturating_mul(s.w)), side(s.o, s.output[0].saturating_mul(s.output[1]))];
    // A chunk of small images has as many points as a large one, or as it takes to be worth it.
    let chunk = image[0].max(image[1]).max(4000u64.saturating_mul(s.c.max(s.o) as u64));
    let both = image[0].saturating_add(image[1]);
    let images = s.n.max(1) as u64;
    let at_once =
        if to_weights { both.max(MOST_TRANSFORMED as u64) } else { chunk.saturating_mul(images.min(threads as u64)) };
    at_once.min(both.saturating_mul(images))
}

/// A buffer that belongs to nobody while it is not in use.
#[derive(Default)]
struct Scratch {
    tiles: Vec<f32>,
    gradient_tiles: Vec<f32>,
    weights: Vec<f32>,
    products: Vec<f32>,
    turned: Vec<f32>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Runs with this thread's buffers. A nested call (a waiting thread may be given another task) gets new ones.
fn with_scratch<T>(f: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = f(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}

/// A pointer that tasks share, each for a part of its own. To have one is safe; what is done with it says why no other task
/// reads or writes there at the same time.
#[derive(Clone, Copy)]
struct Shared(*mut f32);
// SAFETY: it is a number until somebody reads or writes there, and each of these blocks says which part is its task's own.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn at(self, offset: usize) -> *mut f32 {
        self.0.wrapping_add(offset)
    }
}

/// The weights of a pass.
#[derive(Clone, Copy)]
pub(crate) enum Weights<'a> {
    /// `[o, c, kh, kw]`.
    Given(&'a [f32]),
    /// Kept for this pass.
    Kept(&'a Kept),
}

impl Weights<'_> {
    /// How many there are.
    fn len(&self, s: &ConvShape) -> usize {
        match self {
            Self::Given(weights) => weights.len(),
            Self::Kept(_) => s.o * s.taps(),
        }
    }
}

/// What a pass reads besides maps, and what it does with its result.
#[derive(Clone, Copy)]
pub(crate) struct With<'a> {
    pub(crate) weights: Weights<'a>,
    /// A number for each channel of the result.
    pub(crate) bias: Option<&'a [f32]>,
    /// What is done with each number of the result.
    pub(crate) after: After,
}

impl With<'_> {
    /// What is done with the maps of block number `block`.
    fn finish(&self, block: usize) -> Finish {
        let bias = std::array::from_fn(|l| self.bias.and_then(|b| b.get(block * 16 + l)).copied().unwrap_or(0.0));
        Finish { bias, after: self.after }
    }
}

/// Channels of x whose weights the forward pass transforms together, in blocks: 64 numbers of the inner length.
fn c_step(plan: &Plan) -> usize {
    (4 / plan.phases).max(1)
}

/// Blocks of channels of x of one task of the input gradient: all phases of a channel add to the same pixels, so one task has them all.
fn c_group(plan: &Plan) -> usize {
    (4 / plan.phases).max(1)
}

/// Words of the transformed weights of `blocks` blocks of columns and `inner` numbers: those of a block, and those of a point.
fn weight_words(form: transform::Form, blocks: usize, inner: usize) -> [usize; 2] {
    let panel = form.words(inner);
    [panel, blocks * panel + APART]
}

/// The kernels from channel `c` of x to block `o` of y, of `weights` for all channels; none from a channel that is not there.
fn of_forward(plan: &Plan, weights: &[f32], o: usize, c: usize) -> transform::Kernels {
    let (s, stride) = (&plan.s, plan.s.c * plan.taps);
    let (lanes, first) = (if c < s.c { (s.o - o * 16).min(16) } else { 0 }, (o * 16 * s.c + c) * plan.taps);
    let last = first + lanes.saturating_sub(1) * stride + plan.taps;
    assert!(lanes == 0 || last <= weights.len(), "weights of {s:?}");
    transform::Kernels::Apart { at: weights.as_ptr().wrapping_add(first), stride, lanes }
}

/// The kernels from block `c` of x to channel `o` of y, as [`of_forward`].
fn of_gradient(plan: &Plan, weights: &[f32], c: usize, o: usize) -> transform::Kernels {
    let (s, stride) = (&plan.s, plan.taps);
    let (lanes, first) = (if o < s.o { (s.c - c * 16).min(16) } else { 0 }, (o * s.c + c * 16) * plan.taps);
    assert!(lanes == 0 || first + lanes * stride <= weights.len(), "weights of {s:?}");
    transform::Kernels::Apart { at: weights.as_ptr().wrapping_add(first), stride, lanes }
}

/// Transforms the weights of some blocks of channels for the forward pass: `[point][block of y][channel of x and phase][16]`.
fn forward_weights(
    level: Level,
    plan: &Plan,
    w: Weights,
    [o_blocks, c_blocks]: [std::ops::Range<usize>; 2],
    to: &mut Vec<f32>,
) {
    let (s, form) = (&plan.s, plan.forms().1);
    assert_eq!(w.len(s), s.o * s.c * plan.taps, "weights of {s:?}");
    let [panel, point] = weight_words(form, o_blocks.len(), c_blocks.len() * plan.phases * 16);
    let to = sized(to, plan.points * point);
    for (block, o) in o_blocks.enumerate() {
        for c in c_blocks.start * 16..c_blocks.end * 16 {
            let k = (c - c_blocks.start * 16) / 16 * plan.phases * 16 + c % 16;
            let at = to.as_mut_ptr().wrapping_add(block * panel);
            let target = Target { at, form, row: k, point, phase: form.words(16) };
            let kernels = match w {
                Weights::Given(w) => of_forward(plan, w, o, c),
                Weights::Kept(kept) => Kernels::InLanes(kept.lanes(plan, plan.c_blocks, o, c)),
            };
            // SAFETY: kernels are there, say those who know where. The row lies inside of the block's panel at every point and phase,
            // and `to` has all points.
            unsafe { transform::weights(level, plan, kernels, target) };
        }
    }
}

/// The same for the input gradient: `[point][block of x][phase][channel of y][16]`.
fn gradient_weights(
    level: Level,
    plan: &Plan,
    w: Weights,
    [c_blocks, o_blocks]: [std::ops::Range<usize>; 2],
    to: &mut Vec<f32>,
) {
    let (s, form) = (&plan.s, plan.forms().1);
    assert_eq!(w.len(s), s.o * s.c * plan.taps, "weights of {s:?}");
    let [panel, point] = weight_words(form, c_blocks.len() * plan.phases, o_blocks.len() * 16);
    let to = sized(to, plan.points * point);
    for (block, c) in c_blocks.enumerate() {
        for (k, o) in (o_blocks.start * 16..o_blocks.end * 16).enumerate() {
            let at = to.as_mut_ptr().wrapping_add(block * plan.phases * panel);
            let target = Target { at, form, row: k, point, phase: panel };
            let kernels = match w {
                Weights::Given(w) => of_gradient(plan, w, c, o),
                Weights::Kept(kept) => Kernels::InLanes(kept.lanes(plan, plan.o_blocks, c, o)),
            };
            // SAFETY: as in the forward pass.
            unsafe { transform::weights(level, plan, kernels, target) };
        }
    }
}

/// `y = w * x (+ bias)`, see [`crate::conv2d`].
pub(crate) fn forward(level: Level, plan: &Plan, s: &ConvShape, x: &[f32], with: With) -> Vec<f32> {
    plan.check(level, s, [x.len(), with.weights.len(s), s.n * s.y_len()]);
    if let Weights::Kept(kept) = with.weights
        && let Some(y) = strips::forward(level, plan, s, x, with, kept)
    {
        return y;
    }
    let chunks = Chunks::new(level, plan, s.n);
    let inner_blocks = plan.c_blocks * plan.phases;
    let groups = plan.o_blocks.div_ceil(GROUP);
    let cells = s.output[0] * s.output[1];
    let (tile_form, weight_form) = plan.forms();
    let block_words = tile_form.words(chunks.tiles);
    let tiles_len = chunks.len(plan, inner_blocks, tile_form);
    let write = |y: &mut [MaybeUninit<f32>]| {
        let y = Shared(y.as_mut_ptr().cast());
        rounds(&chunks, tiles_len, |some, tiles| {
            transform(level, plan, &chunks, some.clone(), Side::Input, tile_form, x, tiles);
            let tiles = &*tiles;
            let few = are_few(some.len() * groups);
            (0..some.len() * groups).into_par_iter().for_each(|task| {
                let (chunk, group) = (task / groups, task % groups);
                let images = chunks.images(some.start + chunk);
                let rows = images.len() * plan.tiles;
                let kept = with.kept_for(rows);
                let step = if kept.is_some() { plan.c_blocks } else { c_step(plan) };
                let o_blocks = group * GROUP..((group + 1) * GROUP).min(plan.o_blocks);
                let blocks = o_blocks.len();
                with_scratch(|scratch| {
                    let c_stride = chunks.tiles * 16;
                    let c_point = blocks * c_stride + APART;
                    let products = sized(&mut scratch.products, plan.points * c_point).as_mut_ptr();
                    let single = with.single(plan, rows);
                    if let Some(kept) = single {
                        let from = single::Tiles {
                            numbers: &tiles[chunk * tiles_len..],
                            block: block_words,
                            point: chunks.point(inner_blocks, tile_form),
                        };
                        let to = single::Sums { products: Shared(products), block: c_stride, point: c_point };
                        // SAFETY: a chunk's tiles have all blocks and phases at every point, and the products all of `o_blocks`.
                        unsafe { single::forward(level, plan, kept, o_blocks.clone(), few, from, to) };
                    }
                    let blocks_left = if single.is_some() { 0 } else { plan.c_blocks };
                    for start in (0..blocks_left).step_by(step) {
                        let c_blocks = start..(start + step).min(plan.c_blocks);
                        let outer = c_blocks.len() * plan.phases;
                        let [panel, b_point] = weight_words(weight_form, blocks, outer * 16);
                        let weights = if let Some(kept) = kept {
                            kept.group(group)
                        } else {
                            forward_weights(
                                level,
                                plan,
                                with.weights,
                                [o_blocks.clone(), c_blocks],
                                &mut scratch.weights,
                            );
                            &scratch.weights
                        };
                        let shape = Extent {
                            rows,
                            blocks,
                            outer,
                            inner: weight_form.words(16) / 16,
                            outer_stride: block_words,
                            b_stride: panel,
                            c_stride,
                            accumulate: start > 0,
                        };
                        let from = &tiles[chunk * tiles_len + start * plan.phases * block_words..];
                        let strides = [chunks.point(inner_blocks, tile_form), b_point, c_point];
                        // SAFETY: at every point the tiles have `outer` blocks of a chunk's tiles, the weights `blocks` panels of
                        // `inner` rows, and the products `blocks` blocks of a chunk's tiles.
                        unsafe { multiply(level, plan, &shape, few, from, weights, products, strides) };
                    }
                    let turned = sized(&mut scratch.turned, (cells + 1) * 16).as_mut_ptr();
                    for (block, o) in o_blocks.clone().enumerate() {
                        let lanes = (s.o - o * 16).min(16);
                        for (i, image) in images.clone().enumerate() {
                            // SAFETY: this task's products, which have a tile's row for every image of the chunk; `turned`
                            // has room for the maps and one cell; the maps of this image and block are written by it alone.
                            unsafe {
                                let from = Place {
                                    at: products.add(block * c_stride + i * plan.tiles * 16),
                                    point: c_point,
                                    phase: 0,
                                };
                                let maps = y.at((image * s.o + o * 16) * cells);
                                transform::output(level, plan, plan.rows(), from, turned, &with.finish(o), maps, lanes);
                            }
                        }
                    }
                });
            });
        });
    };
    // SAFETY: chunks and groups cover every map of every image, and maps are written whole.
    unsafe { written(s.n * s.y_len(), write) }
}

/// The products of one step of the inner length, point by point; `strides` are the words from one point to the next of
/// tiles, weights and products. Where there are `few` tasks, threads share the blocks of one.
///
/// # Safety
/// `shape` and `strides` must lie inside of all three at every point, and the processor must have `level`.
#[allow(clippy::too_many_arguments, reason = "three operands and their layout")]
unsafe fn multiply(
    level: Level,
    plan: &Plan,
    shape: &Extent,
    few: bool,
    tiles: &[f32],
    weights: &[f32],
    products: *mut f32,
    strides: [usize; 3],
) {
    let products = Shared(products);
    let some = |first: usize, shape: &Extent| {
        for point in 0..plan.points {
            let (a, b) = (&tiles[point * strides[0]..], &weights[point * strides[1] + first * shape.b_stride..]);
            let c = products.at(point * strides[2] + first * shape.c_stride);
            // SAFETY: what the caller promises of every point, and of the level; no other task has these blocks of products.
            unsafe { product::product(level, plan.precision, Rows::Tiles, shape, a.as_ptr(), b.as_ptr(), c) };
        }
    };
    if few {
        let one = Extent { blocks: 1, ..*shape };
        (0..shape.blocks).into_par_iter().for_each(|block| some(block, &one));
    } else {
        some(0, shape);
    }
}

/// Whether so many tasks leave threads without work.
fn are_few(tasks: usize) -> bool {
    tasks < strips::STRIPS * rayon::current_num_threads()
}

/// Calls `f` for a few chunks at a time, with a buffer for their transformed tiles.
fn rounds(chunks: &Chunks, len: usize, f: impl Fn(std::ops::Range<usize>, &mut Vec<f32>)) {
    let at_once = rayon::current_num_threads().max(2);
    let mut tiles = with_scratch(|scratch| std::mem::take(&mut scratch.tiles));
    for start in (0..chunks.count()).step_by(at_once) {
        let some = start..(start + at_once).min(chunks.count());
        sized(&mut tiles, some.len() * len);
        f(some, &mut tiles);
    }
    with_scratch(|scratch| scratch.tiles = tiles);
}

/// `dx` for a given `dy`, see [`crate::conv2d_input_gradient`].
pub(crate) fn input_gradient(level: Level, plan: &Plan, s: &ConvShape, dy: &[f32], with: With) -> Vec<f32> {
    plan.check(level, s, [s.n * s.x_len(), with.weights.len(s), dy.len()]);
    let chunks = Chunks::new(level, plan, s.n);
    let per_group = c_group(plan);
    let groups = plan.c_blocks.div_ceil(per_group);
    let cells = s.h * s.w;
    let (tile_form, weight_form) = plan.forms();
    let block_words = tile_form.words(chunks.tiles);
    let tiles_len = chunks.len(plan, plan.o_blocks, tile_form);
    let write = |dx: &mut [MaybeUninit<f32>]| {
        let dx = Shared(dx.as_mut_ptr().cast());
        rounds(&chunks, tiles_len, |some, tiles| {
            transform(level, plan, &chunks, some.clone(), Side::OutputGradient, tile_form, dy, tiles);
            let tiles = &*tiles;
            let few = are_few(some.len() * groups);
            (0..some.len() * groups).into_par_iter().for_each(|task| {
                let (chunk, group) = (task / groups, task % groups);
                let images = chunks.images(some.start + chunk);
                let rows = images.len() * plan.tiles;
                let kept = with.kept_for(rows);
                let step = if kept.is_some() { plan.o_blocks } else { O_STEP };
                let c_blocks = group * per_group..((group + 1) * per_group).min(plan.c_blocks);
                let blocks = c_blocks.len() * plan.phases;
                with_scratch(|scratch| {
                    let c_stride = chunks.tiles * 16;
                    let c_point = blocks * c_stride + APART;
                    let products = sized(&mut scratch.products, plan.points * c_point).as_mut_ptr();
                    let single = with.single(plan, rows);
                    if let Some(kept) = single {
                        let from = single::Tiles {
                            numbers: &tiles[chunk * tiles_len..],
                            block: block_words,
                            point: chunks.point(plan.o_blocks, tile_form),
                        };
                        let to = single::Sums { products: Shared(products), block: c_stride, point: c_point };
                        // SAFETY: a chunk's tiles have all blocks at every point, and the products all of `c_blocks` with their phases.
                        unsafe { single::input_gradient(level, plan, kept, c_blocks.clone(), few, from, to) };
                    }
                    let blocks_left = if single.is_some() { 0 } else { plan.o_blocks };
                    for start in (0..blocks_left).step_by(step) {
                        let o_blocks = start..(start + step).min(plan.o_blocks);
                        let outer = o_blocks.len();
                        let [panel, b_point] = weight_words(weight_form, blocks, outer * 16);
                        let weights = if let Some(kept) = kept {
                            kept.group(group)
                        } else {
                            gradient_weights(
                                level,
                                plan,
                                with.weights,
                                [c_blocks.clone(), o_blocks],
                                &mut scratch.weights,
                            );
                            &scratch.weights
                        };
                        let shape = Extent {
                            rows,
                            blocks,
                            outer,
                            inner: weight_form.words(16) / 16,
                            outer_stride: block_words,
                            b_stride: panel,
                            c_stride,
                            accumulate: start > 0,
                        };
                        let from = &tiles[chunk * tiles_len + start * block_words..];
                        let strides = [chunks.point(plan.o_blocks, tile_form), b_point, c_point];
                        // SAFETY: as in the forward pass.
                        unsafe { multiply(level, plan, &shape, few, from, weights, products, strides) };
                    }
                    let turned = sized(&mut scratch.turned, (cells + 1) * 16).as_mut_ptr();
                    for (block, c) in c_blocks.clone().enumerate() {
                        let lanes = (s.c - c * 16).min(16);
                        for (i, image) in images.clone().enumerate() {
                            // SAFETY: as in the forward pass.
                            unsafe {
                                let from = Place {
                                    at: products.add(block * plan.phases * c_stride + i * plan.tiles * 16),
                                    point: c_point,
                                    phase: c_stride,
                                };
                                let maps = dx.at((image * s.c + c * 16) * cells);
                                transform::input_gradient(level, plan, from, turned, &with.finish(c), maps, lanes);
                            }
                        }
                    }
                });
            });
        });
    };
    // SAFETY: as in the forward pass.
    unsafe { written(s.n * s.x_len(), write) }
}

/// `dW` for given `x` and `dy`, see [`crate::conv2d_weight_gradient`].
pub(crate) fn weight_gradient(level: Level, plan: &Plan, s: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    plan.check(level, s, [x.len(), s.o * s.taps(), dy.len()]);
    let chunks = Chunks::new(level, plan, s.n);
    let x_blocks = plan.c_blocks * plan.phases;
    // Both operands run along the tiles.
    let (_, form) = plan.forms();
    let block_words = form.words(chunks.tiles);
    let (x_len, y_len) = (chunks.len(plan, x_blocks, form), chunks.len(plan, plan.o_blocks, form));
    // The order of additions depends on this number: it comes from the shape alone.
    let at_once = (MOST_TRANSFORMED / (x_len + y_len)).max(1);
    let groups = plan.o_blocks.div_ceil(GROUP);
    let mut gradient = vec![0.0; s.o * s.taps()];
    let dw = Shared(gradient.as_mut_ptr());
    let (mut x_tiles, mut y_tiles) =
        with_scratch(|scratch| (std::mem::take(&mut scratch.tiles), std::mem::take(&mut scratch.gradient_tiles)));
    for start in (0..chunks.count()).step_by(at_once) {
        let some = start..(start + at_once).min(chunks.count());
        let x_tiles = sized(&mut x_tiles, some.len() * x_len);
        let y_tiles = sized(&mut y_tiles, some.len() * y_len);
        transform(level, plan, &chunks, some.clone(), Side::Input, form, x, x_tiles);
        transform(level, plan, &chunks, some.clone(), Side::OutputGradient, form, dy, y_tiles);
        let (x_tiles, y_tiles) = (&*x_tiles, &*y_tiles);
        (0..plan.c_blocks * groups).into_par_iter().for_each(|task| {
            let (c, group) = (task / groups, task % groups);
            let o_blocks = group * GROUP..((group + 1) * GROUP).min(plan.o_blocks);
            let blocks = o_blocks.len();
            let c_stride = plan.phases * 256;
            with_scratch(|scratch| {
                let c_point = blocks * c_stride + APART;
                let products = sized(&mut scratch.products, plan.points * c_point).as_mut_ptr();
                for chunk in 0..some.len() {
                    let shape = Extent {
                        rows: 16,
                        blocks,
                        outer: 1,
                        inner: form.words(chunks.images(some.start + chunk).len() * plan.tiles) / 16,
                        outer_stride: 0,
                        b_stride: block_words,
                        c_stride,
                        accumulate: chunk > 0,
                    };
                    for point in 0..plan.points {
                        let b = &y_tiles[chunk * y_len
                            + point * chunks.point(plan.o_blocks, form)
                            + o_blocks.start * block_words..];
                        for phase in 0..plan.phases {
                            let a = &x_tiles[chunk * x_len
                                + point * chunks.point(x_blocks, form)
                                + (c * plan.phases + phase) * block_words..];
                            // SAFETY: `a` has a block of the chunk's tiles, `b` `blocks` of them, and the products of a
                            // point have sixteen rows for each phase and block.
                            unsafe {
                                let c = products.add(point * c_point + phase * 256);
                                let (a, b) = (a.as_ptr(), b.as_ptr());
                                product::product(level, plan.precision, Rows::Channels, &shape, a, b, c);
                            }
                        }
                    }
                }
                for (block, o) in o_blocks.clone().enumerate() {
                    for row in 0..(s.c - c * 16).min(16) {
                        // SAFETY: this task's products, sixteen rows for each phase and block; the kernels between these
                        // channels are this task's alone.
                        unsafe {
                            let from =
                                Place { at: products.add(block * c_stride + row * 16), point: c_point, phase: 256 };
                            let kernels = dw.at((o * 16 * s.c + c * 16 + row) * plan.taps);
                            let lanes = (s.o - o * 16).min(16);
                            transform::weight_gradient(level, plan, from, kernels, s.c * plan.taps, lanes, start > 0);
                        }
                    }
                }
            });
        });
    }
    with_scratch(|scratch| (scratch.tiles, scratch.gradient_tiles) = (x_tiles, y_tiles));
    gradient
}

#[cfg(test)]
mod tests;
