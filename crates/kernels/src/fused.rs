//! Several elementwise operations in one pass over memory.
//!
//! A pass over maps costs what its bytes cost, not what it computes. So a tree of such operations is computed block by block,
//! with everything between its leaves and its result in the processor's first cache.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

use crate::pointwise::{leaky_relu, leaky_relu_gradient, tanh, tanh_gradient, written};
use crate::simd::{Level, Simd, with_simd};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Floats of a block: a few of these fit into the first cache.
const BLOCK: usize = 512;
/// Elements below which threads cost more than they bring.
const PARALLEL: usize = 1 << 14;

/// An operation on each element of maps `[n, c, cells]`. `a` and `b` are the inputs of a [`Step`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pointwise {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a * factor`.
    Scale(f32),
    /// `a + term`.
    AddScalar(f32),
    /// `a` where positive, `slope * a` elsewhere.
    LeakyRelu(f32),
    /// `a` where `b` is positive, `slope * a` elsewhere.
    LeakyReluGradient(f32),
    /// [`tanh`] of `a`.
    Tanh,
    /// `a * (1 - b * b)`.
    TanhGradient,
    /// `a + b[channel]`.
    AddChannel,
    /// `a * b[channel]`.
    MulChannel,
    /// `a[channel]`.
    ChannelBroadcast,
}

/// Where an input comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Maps `[n, c, cells]`.
    Maps(&'a [f32]),
    /// A number for each channel; the `b` of [`Pointwise::AddChannel`] and [`Pointwise::MulChannel`], and the `a` of
    /// [`Pointwise::ChannelBroadcast`].
    Channels(&'a [f32]),
    /// The result of an earlier step.
    Step(usize),
}

/// One operation of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What to do.
    pub op: Pointwise,
    /// The first input.
    pub a: Source<'a>,
    /// The second, of operations that have one; ignored by the others.
    pub b: Source<'a>,
}

/// The result of the last step, `images * channels * cells` numbers. The same bits as of one operation after the other.
///
/// # Panics
/// No steps, lengths that do not fit, a step that reads itself or a later one, or a source that its operation cannot read.
pub fn fused(steps: &[Step], images: usize, channels: usize, cells: usize) -> Vec<f32> {
    assert!(!steps.is_empty(), "a tree has a root");
    for (place, step) in steps.iter().enumerate() {
        for source in [step.a, step.b] {
            match source {
                Source::Maps(x) => assert_eq!(x.len(), images * channels * cells, "length of maps"),
                Source::Channels(x) => assert_eq!(x.len(), channels, "numbers for channels"),
                Source::Step(earlier) => assert!(earlier < place, "steps are in order"),
            }
        }
    }
    let len = images * channels * cells;
    if len == 0 {
        return Vec::new();
    }
    // Without a number for each channel maps may be cut anywhere; of small maps a block takes several.
    let by_channel = steps.iter().flat_map(|step| [step.a, step.b]).any(|source| matches!(source, Source::Channels(_)));
    let piece = if by_channel { (BLOCK / cells).max(1) * cells } else { PARALLEL.min(len) };
    let level = Level::best();
    let scratch = || vec![0.0f32; (steps.len() - 1) * BLOCK];
    let write = |y: &mut [MaybeUninit<f32>]| {
        let pieces = y.par_chunks_mut(piece).enumerate().with_min_len(PARALLEL / piece + 1);
        pieces.for_each_init(scratch, |scratch, (number, y)| {
            for (block, y) in y.chunks_mut(BLOCK).enumerate() {
                let at = Place { map: number * piece / cells, channels, cells, start: number * piece + block * BLOCK };
                // SAFETY: the processor has the instruction set of `best`.
                unsafe { run(level, steps, at, scratch, y) };
            }
        });
    };
    // SAFETY: pieces, and blocks of a piece, cover everything; the last step writes its whole block.
    unsafe { written(len, write) }
}

/// Where a block lies: within the map of number `map`, or over as many maps as it has room for, from that one on.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    map: usize,
    channels: usize,
    cells: usize,
    start: usize,
}

impl Place {
    #[inline(always)]
    fn maps<'a>(self, source: Source<'a>, done: &'a [f32], len: usize) -> &'a [f32] {
        match source {
            Source::Maps(x) => &x[self.start..self.start + len],
            Source::Step(step) => &done[step * BLOCK..step * BLOCK + len],
            Source::Channels(_) => unreachable!("this operation reads maps"),
        }
    }

    /// The numbers of the maps that a block touches.
    #[inline(always)]
    fn numbers(self, source: Source<'_>) -> impl Iterator<Item = f32> {
        let Source::Channels(x) = source else { unreachable!("this operation reads a number for each channel") };
        x[self.map % self.channels..].iter().chain(x.iter().cycle()).copied()
    }
}

/// All steps for one block; `S` only says for which instruction set the loops are compiled.
#[inline(always)]
unsafe fn run_any<S: Simd>(steps: &[Step<'_>], at: Place, scratch: &mut [f32], y: &mut [MaybeUninit<f32>]) {
    let len = y.len();
    for (place, step) in steps.iter().enumerate() {
        let (done, rest) = scratch.split_at_mut(place * BLOCK);
        let out = if place + 1 == steps.len() {
            &mut *y
        } else {
            // SAFETY: numbers are no less than memory for numbers, and only numbers are written.
            unsafe { &mut *(&raw mut rest[..len] as *mut [MaybeUninit<f32>]) }
        };
        let a = || at.maps(step.a, done, len);
        let b = || at.maps(step.b, done, len);
        match step.op {
            Pointwise::Add => both(out, a(), b(), |a, b| a + b),
            Pointwise::Sub => both(out, a(), b(), |a, b| a - b),
            Pointwise::Mul => both(out, a(), b(), |a, b| a * b),
            Pointwise::LeakyReluGradient(slope) => both(out, a(), b(), |a, b| leaky_relu_gradient(a, b, slope)),
            Pointwise::TanhGradient => both(out, a(), b(), tanh_gradient),
            Pointwise::Scale(factor) => each(out, a(), |a| a * factor),
            Pointwise::AddScalar(term) => each(out, a(), |a| a + term),
            Pointwise::Tanh => each(out, a(), tanh),
            Pointwise::LeakyRelu(slope) => each(out, a(), |a| leaky_relu(a, slope)),
            Pointwise::AddChannel => {
                for ((out, a), term) in out.chunks_mut(at.cells).zip(a().chunks(at.cells)).zip(at.numbers(step.b)) {
                    // SAFETY: chunks of the same length.
                    unsafe { with_number::<S, false>(out, a, term) };
                }
            }
            Pointwise::MulChannel => {
                for ((out, a), factor) in out.chunks_mut(at.cells).zip(a().chunks(at.cells)).zip(at.numbers(step.b)) {
                    // SAFETY: as above.
                    unsafe { with_number::<S, true>(out, a, factor) };
                }
            }
            Pointwise::ChannelBroadcast => {
                for (out, value) in out.chunks_mut(at.cells).zip(at.numbers(step.a)) {
                    out.iter_mut().for_each(|out| _ = out.write(value));
                }
            }
        }
    }
}

#[inline(always)]
fn each(out: &mut [MaybeUninit<f32>], a: &[f32], f: impl Fn(f32) -> f32) {
    out.iter_mut().zip(a).for_each(|(out, &a)| _ = out.write(f(a)));
}

#[inline(always)]
fn both(out: &mut [MaybeUninit<f32>], a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    out.iter_mut().zip(a).zip(b).for_each(|((out, &a), &b)| _ = out.write(f(a, b)));
}

/// `a` times a number, or plus it. Maps may be short, so this loop is not left to the compiler.
#[inline(always)]
unsafe fn with_number<S: Simd, const TIMES: bool>(out: &mut [MaybeUninit<f32>], a: &[f32], number: f32) {
    let (wide, mut at) = (unsafe { S::splat(number) }, 0);
    while at + 16 <= a.len() {
        // SAFETY: the caller's slices are as long, and sixteen numbers are left.
        unsafe {
            let x = S::load(a.as_ptr().add(at));
            let y = if TIMES { S::mul(x, wide) } else { S::add(x, wide) };
            S::store(out.as_mut_ptr().cast::<f32>().add(at), y);
        }
        at += 16;
    }
    each(&mut out[at..], &a[at..], |a| if TIMES { a * number } else { a + number });
}

with_simd! {
    /// All steps for one block.
    fn run(steps: &[Step<'_>], at: Place, scratch: &mut [f32], y: &mut [MaybeUninit<f32>]) = run_any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel_affine, channel_broadcast, map, map2};
    use proptest::prelude::*;

    /// Each operation alone, by the other loops of this crate.
    fn one_by_one(steps: &[Step], images: usize, cells: usize) -> Vec<f32> {
        let mut results: Vec<Vec<f32>> = Vec::new();
        for step in steps {
            let full = |source: Source| match source {
                Source::Maps(x) => x.to_vec(),
                Source::Channels(x) => channel_broadcast(x, images, cells),
                Source::Step(step) => results[step].clone(),
            };
            let (a, b) = (full(step.a), full(step.b));
            results.push(match step.op {
                Pointwise::Add | Pointwise::AddChannel => map2(&a, &b, |a, b| a + b),
                Pointwise::Sub => map2(&a, &b, |a, b| a - b),
                Pointwise::Mul | Pointwise::MulChannel => map2(&a, &b, |a, b| a * b),
                Pointwise::Scale(f) => map(&a, |a| a * f),
                Pointwise::AddScalar(t) => map(&a, |a| a + t),
                Pointwise::LeakyRelu(s) => map(&a, |a| a.max(0.0) + s * a.min(0.0)),
                Pointwise::LeakyReluGradient(s) => map2(&a, &b, |a, b| if b > 0.0 { a } else { s * a }),
                Pointwise::Tanh => map(&a, tanh),
                Pointwise::TanhGradient => map2(&a, &b, |a, b| a * (1.0 - b * b)),
                Pointwise::ChannelBroadcast => a,
            });
        }
        results.pop().unwrap()
    }

    proptest! {
        #[test]
        fn a_tree_is_its_operations_one_by_one(
            n in 0usize..4, c in 1usize..5, cells in 1usize..1300, ops in prop::collection::vec((0usize..12, 0usize..9, 0usize..9), 1..7),
        ) {
            let numbers = |seed: usize, len: usize| -> Vec<f32> { (0..len).map(|i| ((i * 37 + seed) % 101) as f32 / 50.0 - 1.0).collect() };
            let (x, z, per_channel) = (numbers(1, n * c * cells), numbers(50, n * c * cells), numbers(7, c));
            let mut steps: Vec<Step> = Vec::new();
            for (op, a, b) in ops {
                let source = |choice: usize| match choice {
                    0 => Source::Maps(&x),
                    1 => Source::Maps(&z),
                    earlier if earlier - 2 < steps.len() => Source::Step(earlier - 2),
                    _ => Source::Maps(&x),
                };
                let (op, a, b) = match op {
                    0 => (Pointwise::Add, source(a), source(b)),
                    1 => (Pointwise::Sub, source(a), source(b)),
                    2 => (Pointwise::Mul, source(a), source(b)),
                    3 => (Pointwise::Scale(0.7), source(a), source(b)),
                    4 => (Pointwise::AddScalar(0.3), source(a), source(b)),
                    5 => (Pointwise::LeakyRelu(0.2), source(a), source(b)),
                    6 => (Pointwise::LeakyReluGradient(0.0), source(a), source(b)),
                    7 => (Pointwise::TanhGradient, source(a), source(b)),
                    8 => (Pointwise::AddChannel, source(a), Source::Channels(&per_channel)),
                    9 => (Pointwise::MulChannel, source(a), Source::Channels(&per_channel)),
                    10 => (Pointwise::Tanh, source(a), source(b)),
                    _ => (Pointwise::ChannelBroadcast, Source::Channels(&per_channel), source(b)),
                };
                steps.push(Step { op, a, b });
            }
            prop_assert_eq!(fused(&steps, n, c, cells), one_by_one(&steps, n, cells));
        }
    }

    #[test]
    fn batch_norm_with_its_activation_is_one_tree() {
        let (x, scale, shift) = ([1.0, -2.0, 3.0, -4.0], [2.0, 0.5], [0.25, 1.0]);
        let step = |op, a, b| Step { op, a, b };
        let tree = [
            step(Pointwise::MulChannel, Source::Maps(&x), Source::Channels(&scale)),
            step(Pointwise::AddChannel, Source::Step(0), Source::Channels(&shift)),
            step(Pointwise::LeakyRelu(0.0), Source::Step(1), Source::Step(1)),
        ];
        let affine = channel_affine(&x, 2, 2, Some(&scale), Some(&shift));
        assert_eq!(fused(&tree, 1, 2, 2), map(&affine, |v| v.max(0.0)));
        assert_eq!(fused(&tree, 1, 2, 2), [2.25, 0.0, 2.5, 0.0]);
    }
}
