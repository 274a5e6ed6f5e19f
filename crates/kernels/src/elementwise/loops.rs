//! Loops of a function over a block.
//!
//! Everything here is inlined into a function that is compiled for an instruction set.

use std::mem::MaybeUninit;

/// What a function reads over a block.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    /// A number for each element.
    Full(&'a [f32]),
    /// The same number for all.
    One(f32),
    /// A number for each run of the block.
    Runs(&'a [f32]),
}

impl<'a> Operand<'a> {
    /// What is read over the run of number `run`, which lies at `range`; never `Runs`.
    #[inline(always)]
    fn of_run(self, run: usize, range: std::ops::Range<usize>) -> Operand<'a> {
        match self {
            Operand::Full(x) => Operand::Full(&x[range]),
            Operand::One(x) => Operand::One(x),
            Operand::Runs(x) => Operand::One(x[run]),
        }
    }

    /// One number for everything, or one for each run, where they are the same all over it.
    #[inline(always)]
    pub(super) fn numbers(&self) -> &[f32] {
        match self {
            Operand::One(x) => std::slice::from_ref(x),
            Operand::Runs(x) => x,
            Operand::Full(_) => unreachable!("numbers are not as many as elements"),
        }
    }

    /// As a number for each element, in `room` where it is none yet.
    pub(super) fn spread(self, run: usize, room: &'a mut [f32]) -> &'a [f32] {
        match self {
            Operand::Full(x) => return x,
            Operand::One(x) => room.fill(x),
            Operand::Runs(x) => room.chunks_mut(run).zip(x).for_each(|(room, &x)| room.fill(x)),
        }
        room
    }
}

/// A function of one number over a block.
pub(super) struct Single<'a> {
    pub(super) out: &'a mut [MaybeUninit<f32>],
    pub(super) a: Operand<'a>,
    /// Length of a run.
    pub(super) run: usize,
}

impl Single<'_> {
    #[inline(always)]
    pub(super) fn run(self, f: impl Fn(f32) -> f32) {
        match self.a {
            Operand::Full(a) => each(self.out, a, f),
            Operand::One(a) => fill(self.out, f(a)),
            Operand::Runs(a) => self.out.chunks_mut(self.run).zip(a).for_each(|(out, &a)| fill(out, f(a))),
        }
    }
}

/// A function of two numbers over a block.
pub(super) struct Pair<'a> {
    pub(super) out: &'a mut [MaybeUninit<f32>],
    pub(super) a: Operand<'a>,
    pub(super) b: Operand<'a>,
    /// Length of a run.
    pub(super) run: usize,
}

impl Pair<'_> {
    #[inline(always)]
    pub(super) fn run(self, f: impl Fn(f32, f32) -> f32) {
        match (self.a, self.b) {
            (Operand::Full(a), Operand::Full(b)) => {
                self.out.iter_mut().zip(a).zip(b).for_each(|((out, &a), &b)| _ = out.write(f(a, b)));
            }
            (Operand::Full(a), Operand::One(b)) => each(self.out, a, |a| f(a, b)),
            (Operand::One(a), Operand::Full(b)) => each(self.out, b, |b| f(a, b)),
            (Operand::One(a), Operand::One(b)) => fill(self.out, f(a, b)),
            (a, b) => {
                let mut start = 0;
                for (number, out) in self.out.chunks_mut(self.run).enumerate() {
                    let range = start..start + out.len();
                    start = range.end;
                    match (a.of_run(number, range.clone()), b.of_run(number, range)) {
                        (Operand::Full(a), Operand::One(b)) => short(out, a, |a| f(a, b)),
                        (Operand::One(a), Operand::Full(b)) => short(out, b, |b| f(a, b)),
                        (Operand::One(a), Operand::One(b)) => fill(out, f(a, b)),
                        // One of them is a number.
                        _ => {}
                    }
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
fn fill(out: &mut [MaybeUninit<f32>], value: f32) {
    out.iter_mut().for_each(|out| _ = out.write(value));
}

/// [`each`] of a run, which may be short: sixteen at a time, not as many as the compiler would unroll.
#[inline(always)]
fn short(out: &mut [MaybeUninit<f32>], a: &[f32], f: impl Fn(f32) -> f32) {
    let ((outs, out), (numbers, a)) = (out.as_chunks_mut::<16>(), a.as_chunks::<16>());
    for (out, a) in outs.iter_mut().zip(numbers) {
        let y: [f32; 16] = std::array::from_fn(|i| f(a[i]));
        *out = y.map(MaybeUninit::new);
    }
    each(out, a, f);
}
