//! Several element-wise functions in one pass over memory, with the broadcasting of NumPy.
//!
//! A pass over maps costs what its bytes cost, not what it computes. So a tree of such functions is computed block by block,
//! with everything between its leaves and its result in the processor's first cache.
//!
//! Axes are put together until every leaf is either contiguous or constant along the last one: the *run*. A leaf that is as large as
//! the result is read where it lies. One that is constant along a run that is not short gives its number to the loop over the run.
//! Of others the block's part is put together first.

use super::loops::{Operand, Pair, Single};
use super::{Binary, Unary};
use crate::pointwise::written;
use crate::simd::{Level, Simd, with_simd};
use rayon::prelude::*;
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Floats of a block: a few of these fit into the first cache.
const BLOCK: usize = 512;
/// Elements below which threads cost more than they bring.
const PARALLEL: usize = 1 << 14;
/// Runs of fewer elements are not worth a loop each.
const SHORTEST_RUN: usize = 16;

/// What a [`Step`] does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// A function of its first input.
    Unary(Unary),
    /// A function of its first two inputs.
    Binary(Binary),
    /// The second input where the first is not 0 (as a NaN is not), the third elsewhere.
    Select,
}

/// Where an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A leaf, by its number.
    Leaf(usize),
    /// The result of an earlier step, by its number.
    Step(usize),
}

/// Numbers that a tree reads.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// The numbers in row-major order.
    pub values: &'a [f32],
    /// Aligned with the result's shape at the last axis; along missing axes and those of length 1 it is repeated.
    pub shape: &'a [usize],
}

/// One function of a tree. Its result has the shape of the root.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What to do.
    pub function: Function,
    /// The inputs; those that the function does not have repeat the first.
    pub inputs: [Source; 3],
}

impl Step {
    /// A function of one input.
    pub fn unary(function: Unary, a: Source) -> Self {
        Self { function: Function::Unary(function), inputs: [a; 3] }
    }

    /// A function of two inputs.
    pub fn binary(function: Binary, a: Source, b: Source) -> Self {
        Self { function: Function::Binary(function), inputs: [a, b, a] }
    }

    /// `a` where `condition` is not 0, `b` elsewhere.
    pub fn select(condition: Source, a: Source, b: Source) -> Self {
        Self { function: Function::Select, inputs: [condition, a, b] }
    }
}

/// The result of the last step, of shape `shape`. The same bits as of one function after the other.
///
/// # Panics
/// No steps, a source that is not there (a step reads earlier ones only), a leaf whose numbers do not fit its shape, or whose shape
/// does not fit the result's.
pub fn fused(steps: &[Step], leaves: &[Leaf], shape: &[usize]) -> Vec<f32> {
    assert!(!steps.is_empty(), "a tree has a root");
    for (place, source) in steps.iter().enumerate().flat_map(|(place, step)| step.inputs.map(|input| (place, input))) {
        match source {
            Source::Leaf(leaf) => assert!(leaf < leaves.len(), "a leaf that is there"),
            Source::Step(earlier) => assert!(earlier < place, "steps are in order"),
        }
    }
    let layout = Layout::new(leaves, shape);
    let len = shape.iter().try_fold(1, |len: usize, &length| len.checked_mul(length));
    let len = len.unwrap_or_else(|| panic!("as many numbers as {shape:?} has"));
    if len == 0 {
        return Vec::new();
    }
    // Where no leaf asks for runs blocks may be cut anywhere; of short runs a block takes several.
    let piece = if layout.has_runs { (BLOCK / layout.run).max(1) * layout.run } else { PARALLEL.min(len) };
    let level = Level::best();
    let compute = |number: usize, y: &mut [MaybeUninit<f32>]| {
        SCRATCH.with_borrow_mut(|Scratch { coordinates, room }| {
            let floats = (steps.len() - 1 + leaves.len()) * BLOCK;
            room.resize(floats.max(room.len()), 0.0);
            let (leaf_room, results) = room.split_at_mut(leaves.len() * BLOCK);
            for (block, y) in y.chunks_mut(BLOCK).enumerate() {
                let start = number * piece + block * BLOCK;
                layout.gather(leaves, start, y.len(), coordinates, leaf_room);
                let block = Block { layout: &layout, leaves, coordinates, leaf_room, start };
                // SAFETY: the processor has the instruction set of `best`.
                unsafe { run(level, steps, &block, results, y) };
            }
        });
    };
    let write = |y: &mut [MaybeUninit<f32>]| {
        if len <= PARALLEL {
            y.chunks_mut(piece).enumerate().for_each(|(number, y)| compute(number, y));
        } else {
            let pieces = y.par_chunks_mut(piece).enumerate().with_min_len(PARALLEL / piece + 1);
            pieces.for_each(|(number, y)| compute(number, y));
        }
    };
    // SAFETY: pieces, and blocks of a piece, cover everything; the last step writes its whole block.
    unsafe { written(len, write) }
}

/// What a thread keeps from one block to the next.
struct Scratch {
    /// Where the first run of the block lies along the outer axes.
    coordinates: Vec<usize>,
    /// Leaves that are put together, and results of steps: a block each.
    room: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch { coordinates: Vec::new(), room: Vec::new() }) };
}

/// How a leaf is read over a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Where it lies.
    Whole,
    /// One number for everything.
    One,
    /// One number for the block, which lies inside of a run.
    Number,
    /// One number for each run.
    Numbers,
    /// Put together first.
    Copied,
    /// A part of it, at the block's place in the run.
    Part,
}

/// A result's shape with its axes put together, and how its leaves are read.
pub(super) struct Layout {
    /// Lengths of all axes but the last.
    outer: Vec<usize>,
    /// Length of the last axis.
    run: usize,
    /// Whether blocks must not be cut inside of a run, or lie inside of one.
    has_runs: bool,
    leaves: Vec<Strides>,
}

/// How a leaf is read, and how far its numbers lie apart along each axis (0 where it is repeated).
struct Strides {
    reading: Reading,
    outer: Vec<usize>,
    contiguous: bool,
}

impl Layout {
    fn new(leaves: &[Leaf], shape: &[usize]) -> Self {
        // Along each axis longer than 1: which leaves have numbers of their own. Neighbours that agree are one axis.
        let mut axes: Vec<(usize, Vec<bool>)> = Vec::new();
        for leaf in leaves {
            assert!(leaf.shape.len() <= shape.len(), "a leaf of shape {:?} for {shape:?}", leaf.shape);
            assert_eq!(leaf.values.len(), leaf.shape.iter().product::<usize>(), "numbers of a leaf {:?}", leaf.shape);
            let aligned = &shape[shape.len() - leaf.shape.len()..];
            let fits = leaf.shape.iter().zip(aligned).all(|(&own, &length)| own == length || own == 1);
            assert!(fits, "a leaf of shape {:?} for {shape:?}", leaf.shape);
        }
        for (axis, &length) in shape.iter().enumerate().filter(|(_, length)| **length != 1) {
            let own =
                |leaf: &Leaf| (axis + leaf.shape.len()).checked_sub(shape.len()).is_some_and(|at| leaf.shape[at] != 1);
            let own: Vec<bool> = leaves.iter().map(own).collect();
            match axes.last_mut() {
                Some((together, same)) if *same == own => *together *= length,
                _ => axes.push((length, own)),
            }
        }
        let (run, last) = axes.pop().unwrap_or_else(|| (1, vec![true; leaves.len()]));
        let outer: Vec<usize> = axes.iter().map(|(length, _)| *length).collect();
        let inside = run >= BLOCK;
        let strides = (0..leaves.len()).map(|leaf| {
            let contiguous = last[leaf];
            let mut stride = if contiguous { run } else { 1 };
            let mut outer = vec![0; axes.len()];
            for (to, (length, own)) in outer.iter_mut().zip(&axes).rev() {
                if own[leaf] {
                    *to = stride;
                    stride *= length;
                }
            }
            let repeated = axes.iter().any(|(_, own)| !own[leaf]);
            let reading = match (contiguous, repeated) {
                _ if leaves[leaf].values.len() == 1 => Reading::One,
                (true, false) => Reading::Whole,
                (true, true) if inside => Reading::Part,
                (false, _) if inside => Reading::Number,
                (false, _) if run >= SHORTEST_RUN => Reading::Numbers,
                _ => Reading::Copied,
            };
            Strides { reading, outer, contiguous }
        });
        let leaves: Vec<Strides> = strides.collect();
        let has_runs = leaves.iter().any(|leaf| !matches!(leaf.reading, Reading::Whole | Reading::One));
        Self { outer, run, has_runs, leaves }
    }

    /// Where a run lies along the outer axes.
    fn place(&self, mut run: usize, coordinates: &mut Vec<usize>) {
        coordinates.clear();
        coordinates.resize(self.outer.len(), 0);
        for (coordinate, &length) in coordinates.iter_mut().zip(&self.outer).rev() {
            (*coordinate, run) = (run % length, run / length);
        }
    }

    /// The first run after the last one along the last of the outer axes.
    fn next_row(&self, coordinates: &mut [usize]) {
        let mut axes = coordinates.iter_mut().zip(&self.outer).rev();
        if let Some((last, _)) = axes.next() {
            *last = 0;
        }
        for (coordinate, &length) in axes {
            *coordinate = (*coordinate + 1) % length;
            if *coordinate > 0 {
                return;
            }
        }
    }

    /// Puts together what is not read where it lies: of each leaf into its block of `room`. Afterwards `coordinates` are those of the block's
    /// first run, where the block lies inside of one.
    fn gather(&self, leaves: &[Leaf], start: usize, len: usize, coordinates: &mut Vec<usize>, room: &mut [f32]) {
        if !self.has_runs {
            return;
        }
        let runs = len.div_ceil(self.run);
        self.place(start / self.run, coordinates);
        // Runs that follow each other along the last of the outer axes are read together.
        let mut done = 0;
        while done < runs {
            let last = self.outer.last().zip(coordinates.last());
            let here = last.map_or(runs, |(length, at)| runs.min(done + length - at)) - done;
            for ((leaf, strides), room) in leaves.iter().zip(&self.leaves).zip(room.chunks_exact_mut(BLOCK)) {
                strides.gather(leaf.values, coordinates, (self.run, done..done + here), &mut room[..len]);
            }
            done += here;
            if done < runs {
                self.next_row(coordinates);
            }
        }
    }
}

impl Strides {
    /// Where its numbers of a run lie.
    #[inline]
    fn offset(&self, coordinates: &[usize]) -> usize {
        self.outer.iter().zip(coordinates).map(|(stride, at)| stride * at).sum()
    }

    /// Puts together its numbers of some runs of a block, which follow each other from `coordinates` on.
    #[inline]
    fn gather(&self, values: &[f32], coordinates: &[usize], (run, runs): (usize, Range<usize>), room: &mut [f32]) {
        let (offset, stride) = (self.offset(coordinates), self.outer.last().copied().unwrap_or(0));
        match self.reading {
            Reading::Whole | Reading::One | Reading::Part => {}
            Reading::Number => room[0] = values[offset],
            Reading::Numbers => {
                let numbers = &mut room[runs];
                match stride {
                    0 => numbers.fill(values[offset]),
                    1 => numbers.copy_from_slice(&values[offset..offset + numbers.len()]),
                    _ => {
                        let values = values[offset..].iter().step_by(stride);
                        numbers.iter_mut().zip(values).for_each(|(number, &value)| *number = value);
                    }
                }
            }
            Reading::Copied => {
                let end = room.len().min(runs.end * run);
                for (place, part) in room[runs.start * run..end].chunks_mut(run).enumerate() {
                    let offset = offset + place * stride;
                    if self.contiguous {
                        part.copy_from_slice(&values[offset..offset + part.len()]);
                    } else {
                        part.fill(values[offset]);
                    }
                }
            }
        }
    }
}

/// A block, and what has been put together for it.
pub(super) struct Block<'a> {
    layout: &'a Layout,
    leaves: &'a [Leaf<'a>],
    coordinates: &'a [usize],
    leaf_room: &'a [f32],
    start: usize,
}

impl<'a> Block<'a> {
    #[inline(always)]
    fn operand(&self, source: Source, done: &'a [f32], len: usize) -> Operand<'a> {
        let leaf = match source {
            Source::Step(step) => return Operand::Full(&done[step * BLOCK..step * BLOCK + len]),
            Source::Leaf(leaf) => leaf,
        };
        let (values, room) = (self.leaves[leaf].values, &self.leaf_room[leaf * BLOCK..(leaf + 1) * BLOCK]);
        let strides = &self.layout.leaves[leaf];
        match strides.reading {
            Reading::Whole => Operand::Full(&values[self.start..self.start + len]),
            Reading::One => Operand::One(values[0]),
            Reading::Number => Operand::One(room[0]),
            Reading::Numbers => Operand::Runs(room),
            Reading::Copied => Operand::Full(&room[..len]),
            Reading::Part => {
                let from = strides.offset(self.coordinates) + self.start % self.layout.run;
                Operand::Full(&values[from..from + len])
            }
        }
    }
}

/// [`Function::Select`]. Not inlined: the room that it needs would be set up for every block of every tree.
#[inline(never)]
fn select(out: &mut [MaybeUninit<f32>], inputs: [Operand<'_>; 3], run: usize) {
    let (mut room, len) = ([[0.0; BLOCK]; 3], out.len());
    let [for_a, for_b, for_c] = &mut room;
    let [a, b, c] = inputs;
    let [a, b] = [a.spread(run, &mut for_a[..len]), b.spread(run, &mut for_b[..len])];
    let numbers = a.iter().zip(b).zip(c.spread(run, &mut for_c[..len]));
    out.iter_mut().zip(numbers).for_each(|(out, ((&a, &b), &c))| _ = out.write(if a == 0.0 { c } else { b }));
}

/// All steps for one block; `S` only says for which instruction set the loops are compiled. Writes all of `y`.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn run_any<S: Simd>(steps: &[Step], block: &Block<'_>, results: &mut [f32], y: &mut [MaybeUninit<f32>]) {
    let (len, run) = (y.len(), block.layout.run);
    if let Some([dy, a, x, m, k, c]) = of_norm(steps) {
        // One by one: `map` would not be inlined.
        let (dy, x) = (block.operand(Source::Leaf(dy), &[], len), block.operand(Source::Leaf(x), &[], len));
        let (a, m) = (block.operand(Source::Leaf(a), &[], len), block.operand(Source::Leaf(m), &[], len));
        let (k, c) = (block.operand(Source::Leaf(k), &[], len), block.operand(Source::Leaf(c), &[], len));
        let numbers = [a, m, k, c];
        if let (Operand::Full(dy), Operand::Full(x)) = (dy, x)
            && numbers.iter().all(|number| !matches!(number, Operand::Full(_)))
        {
            // SAFETY: as the caller says.
            unsafe { gradient_of_norm::<S>(y, dy, x, [&a, &m, &k, &c].map(Operand::numbers), run) };
            return;
        }
    }
    for (place, step) in steps.iter().enumerate() {
        let (done, rest) = results.split_at_mut(place * BLOCK);
        let out = if place + 1 == steps.len() {
            &mut *y
        } else {
            // SAFETY: numbers are no less than memory for numbers, and only numbers are written.
            unsafe { &mut *(&raw mut rest[..len] as *mut [MaybeUninit<f32>]) }
        };
        let [a, b, c] = step.inputs.map(|input| block.operand(input, done, len));
        match (step.function, a, b) {
            // What batch norm does, and weights' scales: these loops are not left to the compiler.
            (Function::Binary(Binary::Mul), Operand::Full(x), numbers @ (Operand::One(_) | Operand::Runs(_)))
            | (Function::Binary(Binary::Mul), numbers @ (Operand::One(_) | Operand::Runs(_)), Operand::Full(x)) => {
                // SAFETY: as the caller says.
                unsafe { with_numbers::<S, TIMES>(out, x, numbers, run) };
            }
            (Function::Binary(Binary::Add), Operand::Full(x), numbers @ (Operand::One(_) | Operand::Runs(_)))
            | (Function::Binary(Binary::Add), numbers @ (Operand::One(_) | Operand::Runs(_)), Operand::Full(x)) => {
                // SAFETY: as the caller says.
                unsafe { with_numbers::<S, PLUS>(out, x, numbers, run) };
            }
            (Function::Binary(Binary::Sub), Operand::Full(x), numbers @ (Operand::One(_) | Operand::Runs(_))) => {
                // SAFETY: as the caller says.
                unsafe { with_numbers::<S, MINUS>(out, x, numbers, run) };
            }
            (Function::Unary(function), ..) => function.run(Single { out, a, run }),
            (Function::Binary(function), ..) => function.run(Pair { out, a, b, run }),
            (Function::Select, ..) => select(out, [a, b, c], run),
        }
    }
}

/// The leaves `[dy, a, x, m, k, c]`, if the steps are those of the gradient of batch norm: `dy a + (x - m) k + c`, in this order.
fn of_norm(steps: &[Step]) -> Option<[usize; 6]> {
    use Source::{Leaf, Step as Done};
    let [mul, sub, times, add, plus] = steps else { return None };
    let inputs = |step: &Step, does: Binary| {
        (step.function == Function::Binary(does)).then_some([step.inputs[0], step.inputs[1]])
    };
    match [
        inputs(mul, Binary::Mul)?,
        inputs(sub, Binary::Sub)?,
        inputs(times, Binary::Mul)?,
        inputs(add, Binary::Add)?,
        inputs(plus, Binary::Add)?,
    ] {
        [[Leaf(dy), Leaf(a)], [Leaf(x), Leaf(m)], [Done(1), Leaf(k)], [Done(0), Done(2)], [Done(3), Leaf(c)]] => {
            Some([dy, a, x, m, k, c])
        }
        _ => None,
    }
}

/// `dy a + (x - m) k + c` in registers, with the bits of one step after the other: of short runs the steps would be mostly beginnings.
/// `a`, `m`, `k` and `c` are one number for all runs, or one for each.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn gradient_of_norm<S: Simd>(
    y: &mut [MaybeUninit<f32>],
    dy: &[f32],
    x: &[f32],
    numbers: [&[f32]; 4],
    run: usize,
) {
    let (len, runs) = (y.len(), y.len().div_ceil(run));
    assert!(dy.len() == len && x.len() == len, "as many numbers on all sides");
    assert!(numbers.iter().all(|numbers| numbers.len() == 1 || numbers.len() >= runs), "a number for each run");
    let step = numbers.map(|numbers| usize::from(numbers.len() > 1));
    let y = y.as_mut_ptr().cast::<f32>();
    for place in 0..runs {
        // SAFETY: the first number of all, or one for each run: both have been checked.
        let number = |k: usize| unsafe { *numbers[k].as_ptr().add(place * step[k]) };
        let [a, m, k, c] = [number(0), number(1), number(2), number(3)];
        let (mut at, end) = (place * run, len.min(place * run + run));
        // SAFETY: `at` and `end` lie within all three, which are equally long; before `end` at least sixteen numbers are left where
        // sixteen are read.
        unsafe {
            let [wide_a, wide_m, wide_k, wide_c] = [S::splat(a), S::splat(m), S::splat(k), S::splat(c)];
            while at + 16 <= end {
                let left = S::mul(S::load(dy.as_ptr().add(at)), wide_a);
                let right = S::mul(S::sub(S::load(x.as_ptr().add(at)), wide_m), wide_k);
                S::store(y.add(at), S::add(S::add(left, right), wide_c));
                at += 16;
            }
            while at < end {
                y.add(at).write(dy[at] * a + (x[at] - m) * k + c);
                at += 1;
            }
        }
    }
}

/// What [`with_numbers`] does.
const PLUS: u8 = 0;
const MINUS: u8 = 1;
const TIMES: u8 = 2;

/// `x` plus, minus or times a number: one for all, or one for each run.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn with_numbers<S: Simd, const DOES: u8>(
    out: &mut [MaybeUninit<f32>],
    x: &[f32],
    numbers: Operand<'_>,
    run: usize,
) {
    match numbers {
        Operand::Runs(numbers) => {
            for ((out, x), &number) in out.chunks_mut(run).zip(x.chunks(run)).zip(numbers) {
                // SAFETY: as the caller says.
                unsafe { with_number::<S, DOES>(out, x, number) };
            }
        }
        // SAFETY: as the caller says.
        Operand::One(number) => unsafe { with_number::<S, DOES>(out, x, number) },
        Operand::Full(_) => unreachable!("numbers are not as many as elements"),
    }
}

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn with_number<S: Simd, const DOES: u8>(out: &mut [MaybeUninit<f32>], x: &[f32], number: f32) {
    let len = out.len().min(x.len());
    // SAFETY: as the caller says.
    let (wide, mut at) = (unsafe { S::splat(number) }, 0);
    while at + 16 <= len {
        // SAFETY: sixteen numbers are left on both sides.
        unsafe {
            let x = S::load(x.as_ptr().add(at));
            let y = match DOES {
                PLUS => S::add(x, wide),
                MINUS => S::sub(x, wide),
                _ => S::mul(x, wide),
            };
            S::store(out.as_mut_ptr().cast::<f32>().add(at), y);
        }
        at += 16;
    }
    let rest = out[at..].iter_mut().zip(&x[at..]);
    let one = |x: f32| match DOES {
        PLUS => x + number,
        MINUS => x - number,
        _ => x * number,
    };
    rest.for_each(|(out, &x)| _ = out.write(one(x)));
}

/// A function of each number, where it stands.
pub(crate) fn in_place(function: Unary, numbers: &mut [f32]) {
    // SAFETY: the processor has the instruction set of `best`.
    unsafe { each(Level::best(), function, numbers) };
}

/// `S` only says for which instruction set the loop is compiled.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn each_any<S: Simd>(function: Unary, numbers: &mut [f32]) {
    let mut room = [0.0; BLOCK];
    for numbers in numbers.chunks_mut(BLOCK) {
        let room = &mut room[..numbers.len()];
        room.copy_from_slice(numbers);
        // SAFETY: numbers are memory for numbers, and only numbers are written.
        let out = unsafe { &mut *(&raw mut *numbers as *mut [MaybeUninit<f32>]) };
        function.run(Single { out, a: Operand::Full(room), run: BLOCK });
    }
}

with_simd! {
    /// A function of each number, where it stands.
    fn each(function: Unary, numbers: &mut [f32]) = each_any
}
with_simd! {
    /// All steps for one block.
    fn run(steps: &[Step], block: &Block<'_>, results: &mut [f32], y: &mut [MaybeUninit<f32>]) = run_any
}
