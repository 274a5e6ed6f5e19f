//! The products of transformed tiles: many small ones, of operands in blocks of sixteen lanes.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use crate::conv::Precision;
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx512;
use crate::simd::{Level, Simd, with_simd};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m512, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_set1_epi32};
use std::marker::PhantomData;
#[cfg(target_arch = "x86_64")]
use std::mem::transmute;

/// One product `c (+)= a b` over blocks, of operands in words: a word is one `f32` or a pair of `bf16`.
///
/// `a` is read one word at a time: row `i`, inner index `k = outer * inner + k'` lies at
/// `outer * outer_stride + i * ROW + k' * STEP`. `b` is panels `[block][k][16]`, `c` is `[block][row][16]`.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) rows: usize,
    /// Blocks of sixteen columns.
    pub(super) blocks: usize,
    /// Inner length in words: `outer * inner`.
    pub(super) outer: usize,
    pub(super) inner: usize,
    pub(super) outer_stride: usize,
    /// From one block of `b` to the next.
    pub(super) b_stride: usize,
    /// From one block of `c` to the next.
    pub(super) c_stride: usize,
    /// Add to `c`, or replace it.
    pub(super) accumulate: bool,
}

/// What is multiplied: a word of `a` with sixteen words of `b`.
///
/// # Safety
/// As of [`Simd`]: every function needs the instruction set of its type.
trait Operands {
    type S: Simd;
    type Left: Copy;
    type Right: Copy;
    /// # Safety
    /// A word can be read at `p`.
    unsafe fn left(p: *const f32) -> Self::Left;
    /// # Safety
    /// Sixteen words can be read at `p`.
    unsafe fn right(p: *const f32) -> Self::Right;
    /// # Safety
    /// See [`Operands`].
    unsafe fn add(a: Self::Left, b: Self::Right, sum: Lanes<Self>) -> Lanes<Self>;
}

type Lanes<P> = <<P as Operands>::S as Simd>::Lanes;

/// A word is one `f32`.
struct Single<S>(PhantomData<S>);

impl<S: Simd> Operands for Single<S> {
    type S = S;
    type Left = S::Lanes;
    type Right = S::Lanes;
    #[inline(always)]
    unsafe fn left(p: *const f32) -> S::Lanes {
        // SAFETY: the caller has a word at `p`, and the instructions.
        unsafe { S::splat(*p) }
    }
    #[inline(always)]
    unsafe fn right(p: *const f32) -> S::Lanes {
        // SAFETY: the caller has sixteen words at `p`, and the instructions.
        unsafe { S::load(p) }
    }
    #[inline(always)]
    unsafe fn add(a: S::Lanes, b: S::Lanes, sum: S::Lanes) -> S::Lanes {
        // SAFETY: registers alone, with the caller's instructions.
        unsafe { S::mul_add(a, b, sum) }
    }
}

/// A word is two `bf16`, of two neighbours along the inner length; without an instruction for them.
struct Pair<S>(PhantomData<S>);

impl<S: Simd> Operands for Pair<S> {
    type S = S;
    type Left = [S::Lanes; 2];
    type Right = [S::Lanes; 2];
    #[inline(always)]
    unsafe fn left(p: *const f32) -> [S::Lanes; 2] {
        // SAFETY: the caller has a word at `p`, which is aligned alike as a number of either kind, and the instructions.
        unsafe {
            let word = *p.cast::<u32>();
            [S::splat(f32::from_bits(word << 16)), S::splat(f32::from_bits(word & 0xffff_0000))]
        }
    }
    #[inline(always)]
    unsafe fn right(p: *const f32) -> [S::Lanes; 2] {
        // SAFETY: the caller has sixteen words at `p`, and the instructions.
        unsafe { S::halves(p.cast()) }
    }
    #[inline(always)]
    unsafe fn add(a: [S::Lanes; 2], b: [S::Lanes; 2], sum: S::Lanes) -> S::Lanes {
        // SAFETY: registers alone, with the caller's instructions.
        unsafe { S::mul_add(a[1], b[1], S::mul_add(a[0], b[0], sum)) }
    }
}

/// The same with AVX512-BF16.
#[cfg(target_arch = "x86_64")]
struct Dot;

#[cfg(target_arch = "x86_64")]
impl Operands for Dot {
    type S = Avx512;
    type Left = __m512i;
    type Right = __m512i;
    #[inline(always)]
    unsafe fn left(p: *const f32) -> __m512i {
        // SAFETY: the caller has a word at `p`, which is aligned alike as a number of either kind, and the instructions.
        unsafe { _mm512_set1_epi32(*p.cast()) }
    }
    #[inline(always)]
    unsafe fn right(p: *const f32) -> __m512i {
        // SAFETY: the caller has sixteen words at `p`, and the instructions.
        unsafe { _mm512_loadu_si512(p.cast()) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512i, b: __m512i, sum: __m512) -> __m512 {
        // SAFETY: both are 512 bits of plain data; the caller has the instructions.
        unsafe { _mm512_dpbf16_ps(sum, transmute::<__m512i, __m512bh>(a), transmute::<__m512i, __m512bh>(b)) }
    }
}

/// `ROWS` rows of `BLOCKS` blocks. Every element is one chain of additions along the inner length, whatever stands beside it. While the `FIRST`
/// rows are multiplied, the next blocks of `b` come nearer.
///
/// # Safety
/// The processor has the instruction set of `P`. Behind `a`, `b` and `c` lie, as [`Extent`] says, the words of `ROWS` rows, of `BLOCKS`
/// panels, and of `ROWS` rows of `BLOCKS` blocks; nothing else writes there meanwhile.
#[inline(always)]
unsafe fn tile<
    P: Operands,
    const ROWS: usize,
    const BLOCKS: usize,
    const ROW: usize,
    const STEP: usize,
    const FIRST: bool,
>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    // SAFETY: `i`, `j`, `outer` and `inner` stay below what the caller says is there.
    unsafe {
        let mut sums = [[P::S::splat(0.0); BLOCKS]; ROWS];
        if shape.accumulate {
            for i in 0..ROWS {
                for j in 0..BLOCKS {
                    sums[i][j] = P::S::load(c.add(j * shape.c_stride + i * 16));
                }
            }
        }
        let mut b = b;
        for outer in 0..shape.outer {
            let mut a = a.add(outer * shape.outer_stride);
            for _ in 0..shape.inner {
                if FIRST {
                    for j in 0..BLOCKS {
                        P::S::soon(b.wrapping_add((BLOCKS + j) * shape.b_stride));
                    }
                }
                let mut right = [P::right(b); BLOCKS];
                for j in 1..BLOCKS {
                    right[j] = P::right(b.add(j * shape.b_stride));
                }
                for i in 0..ROWS {
                    let left = P::left(a.add(i * ROW));
                    for j in 0..BLOCKS {
                        sums[i][j] = P::add(left, right[j], sums[i][j]);
                    }
                }
                a = a.add(STEP);
                b = b.add(16);
            }
        }
        for i in 0..ROWS {
            for j in 0..BLOCKS {
                P::S::store(c.add(j * shape.c_stride + i * 16), sums[i][j]);
            }
        }
    }
}

/// All rows of `BLOCKS` blocks.
///
/// # Safety
/// As of [`tile`], with `shape.rows` rows.
#[inline(always)]
unsafe fn strip<P: Operands, const BLOCKS: usize, const ROW: usize, const STEP: usize>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    let mut i = 0;
    macro_rules! rows {
        ($n:literal) => {
            while shape.rows - i >= $n {
                // SAFETY: from row `i` on there are `$n` of the caller's rows.
                unsafe { tile::<P, $n, BLOCKS, ROW, STEP, false>(shape, a.add(i * ROW), b, c.add(i * 16)) };
                i += $n;
            }
        };
    }
    if shape.rows >= P::S::ROWS {
        // SAFETY: there are as many of the caller's rows; what comes nearer need not be there.
        unsafe {
            match P::S::ROWS {
                12 => tile::<P, 12, BLOCKS, ROW, STEP, true>(shape, a, b, c),
                6 => tile::<P, 6, BLOCKS, ROW, STEP, true>(shape, a, b, c),
                _ => tile::<P, 4, BLOCKS, ROW, STEP, true>(shape, a, b, c),
            }
        }
        i = P::S::ROWS;
    }
    if P::S::ROWS >= 12 {
        rows!(12);
    }
    if P::S::ROWS >= 6 {
        rows!(6);
    }
    rows!(4);
    rows!(2);
    rows!(1);
}

/// All rows of all blocks.
///
/// # Safety
/// As of [`product`], with the operands of `P` and the distances `ROW` and `STEP`.
#[inline(always)]
unsafe fn blocks<P: Operands, const ROW: usize, const STEP: usize>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    let mut j = 0;
    // SAFETY: from block `j` on there are one or two of the caller's blocks, `b_stride` and `c_stride` apart.
    unsafe {
        if P::S::BLOCKS == 2 {
            while shape.blocks - j >= 2 {
                strip::<P, 2, ROW, STEP>(shape, a, b.add(j * shape.b_stride), c.add(j * shape.c_stride));
                j += 2;
            }
        }
        while j < shape.blocks {
            strip::<P, 1, ROW, STEP>(shape, a, b.add(j * shape.b_stride), c.add(j * shape.c_stride));
            j += 1;
        }
    }
}

/// Which operand has its rows along the tiles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Rows are tiles, the inner length channels: `a` is `[outer][row][16 numbers]`.
    Tiles,
    /// Rows are channels, the inner length tiles: `a` is `[tile][16 words]`.
    Channels,
}

/// # Safety
/// As of [`product`], with the instruction set of `S`.
#[inline(always)]
unsafe fn singles<S: Simd>(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: the distances are those of single words in `a`; the rest is as the caller says.
    unsafe {
        match rows {
            Rows::Tiles => blocks::<Single<S>, 16, 1>(shape, a, b, c),
            Rows::Channels => blocks::<Single<S>, 1, 16>(shape, a, b, c),
        }
    }
}

/// # Safety
/// As of [`product`], with the instruction set of `P`.
#[inline(always)]
unsafe fn pairs_of<P: Operands>(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: the distances are those of words of two numbers in `a`; the rest is as the caller says.
    unsafe {
        match rows {
            Rows::Tiles => blocks::<P, 8, 1>(shape, a, b, c),
            Rows::Channels => blocks::<P, 1, 16>(shape, a, b, c),
        }
    }
}

/// # Safety
/// As of [`product`], with the instruction set of `S`.
#[inline(always)]
unsafe fn pairs<S: Simd>(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: as the caller says.
    unsafe { pairs_of::<Pair<S>>(rows, shape, a, b, c) }
}

/// # Safety
/// As of [`product`], with AVX512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,popcnt")]
unsafe fn dots(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: as the caller says; these are the instructions of `Dot`.
    unsafe { pairs_of::<Dot>(rows, shape, a, b, c) }
}

with_simd! {
    /// A product of `f32`.
    fn of_singles(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) = singles
}
with_simd! {
    /// A product of pairs of `bf16` by fused multiply-adds of `f32`.
    fn of_pairs(rows: Rows, shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) = pairs
}

/// One product of words in the given form.
///
/// # Safety
/// The processor has `level`. Behind `a`, `b` and `c` lie, as [`Extent`] says, the words of `shape.rows` rows, of `shape.blocks` panels, and
/// of as many rows of as many blocks; nothing else writes there meanwhile.
pub(super) unsafe fn product(
    level: Level,
    precision: Precision,
    rows: Rows,
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    // SAFETY: as the caller says; `dots` is called only where the level has its instructions.
    unsafe {
        match (precision, level) {
            (Precision::F32, _) => of_singles(level, rows, shape, a, b, c),
            #[cfg(target_arch = "x86_64")]
            (Precision::Bf16, Level::Avx512Bf16) => dots(rows, shape, a, b, c),
            (Precision::Bf16, _) => of_pairs(level, rows, shape, a, b, c),
        }
    }
}
