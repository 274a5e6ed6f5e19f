//! The products of transformed tiles: many small ones, of operands in blocks of sixteen lanes.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use crate::simd::{Simd, with_simd};

/// One product `c (+)= a b` over blocks.
///
/// `a` is read one number at a time: row `i`, inner index `k = outer * inner + k'` lies at
/// `outer * outer_stride + i * ROW + k' * STEP`. `b` is panels `[block][k][16]`, `c` is `[block][row][16]`.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) rows: usize,
    /// Blocks of sixteen columns.
    pub(super) blocks: usize,
    /// Inner length: `outer * inner`.
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

/// Every element is one chain of fused additions along the inner length, whatever stands beside it.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const BLOCKS: usize, const ROW: usize, const STEP: usize>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    unsafe {
        let mut sums = [[S::splat(0.0); BLOCKS]; ROWS];
        if shape.accumulate {
            for i in 0..ROWS {
                for j in 0..BLOCKS {
                    sums[i][j] = S::load(c.add(j * shape.c_stride + i * 16));
                }
            }
        }
        let mut b = b;
        for outer in 0..shape.outer {
            let mut a = a.add(outer * shape.outer_stride);
            for _ in 0..shape.inner {
                let mut right = [S::splat(0.0); BLOCKS];
                for j in 0..BLOCKS {
                    right[j] = S::load(b.add(j * shape.b_stride));
                }
                for i in 0..ROWS {
                    let left = S::splat(*a.add(i * ROW));
                    for j in 0..BLOCKS {
                        sums[i][j] = S::mul_add(left, right[j], sums[i][j]);
                    }
                }
                a = a.add(STEP);
                b = b.add(16);
            }
        }
        for i in 0..ROWS {
            for j in 0..BLOCKS {
                S::store(c.add(j * shape.c_stride + i * 16), sums[i][j]);
            }
        }
    }
}

#[inline(always)]
unsafe fn strip<S: Simd, const BLOCKS: usize, const ROW: usize, const STEP: usize>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    let mut i = 0;
    macro_rules! rows {
        ($n:literal) => {
            while shape.rows - i >= $n {
                unsafe { tile::<S, $n, BLOCKS, ROW, STEP>(shape, a.add(i * ROW), b, c.add(i * 16)) };
                i += $n;
            }
        };
    }
    if S::ROWS >= 12 {
        rows!(12);
    }
    if S::ROWS >= 6 {
        rows!(6);
    }
    rows!(4);
    rows!(2);
    rows!(1);
}

#[inline(always)]
unsafe fn blocks<S: Simd, const ROW: usize, const STEP: usize>(
    shape: &Extent,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
) {
    let mut j = 0;
    unsafe {
        if S::BLOCKS == 2 {
            while shape.blocks - j >= 2 {
                strip::<S, 2, ROW, STEP>(shape, a, b.add(j * shape.b_stride), c.add(j * shape.c_stride));
                j += 2;
            }
        }
        while j < shape.blocks {
            strip::<S, 1, ROW, STEP>(shape, a, b.add(j * shape.b_stride), c.add(j * shape.c_stride));
            j += 1;
        }
    }
}

#[inline(always)]
unsafe fn by_tiles<S: Simd>(shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    unsafe { blocks::<S, 16, 1>(shape, a, b, c) }
}

#[inline(always)]
unsafe fn by_channels<S: Simd>(shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) {
    unsafe { blocks::<S, 1, 16>(shape, a, b, c) }
}

with_simd! {
    /// Rows are tiles, the inner length channels: `a` is `[outer][row][16]`.
    fn rows_are_tiles(shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) = by_tiles
}
with_simd! {
    /// Rows are channels, the inner length tiles: `a` is `[tile][16]`.
    fn rows_are_channels(shape: &Extent, a: *const f32, b: *const f32, c: *mut f32) = by_channels
}
