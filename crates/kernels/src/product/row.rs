//! A row times a matrix: a linear layer, or a transposed convolution of one cell, for one image. A general product would first pack the matrix,
//! which takes several times as long as to read it.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "rows are indexed; their number is a constant")]

use super::DEPTH;
use crate::simd::{Level, Simd, with_simd};
use rayon::prelude::*;

/// Columns that one task computes: their sums stay in the first cache.
const COLUMNS: usize = 1024;
/// Rows of the matrix that are read side by side.
const ROWS: usize = 8;
/// Inner lengths up to which general products round after each multiplication.
const ROUNDED: usize = 2;
/// Multiplications from which on it pays to share them out.
const MANY: usize = 1 << 16;

/// `sum over k of v[k * step] rows[k * stride + j]` for each `j` below the length of `out`: the bits are those of a general product, that is one chain
/// of fused additions for each [`DEPTH`] of the inner length, and the sum of these. Returns whether it was computed: it is not where a general product has no such chains.
pub(super) fn row_times(
    [v, rows]: [&[f32]; 2],
    [step, stride]: [usize; 2],
    depth: usize,
    out: &mut [f32],
    threads: bool,
) -> bool {
    let level = Level::best();
    let last = depth % DEPTH;
    if level == Level::Portable || depth == 0 || (1..=ROUNDED).contains(&last) {
        return false;
    }
    let last = |step: usize| (depth - 1).checked_mul(step);
    assert!(last(step).is_some_and(|last| last < v.len()), "a number for each row");
    let end = last(stride).and_then(|start| start.checked_add(out.len()));
    assert!(end.is_some_and(|end| end <= rows.len()), "rows inside of what is given");
    let piece = |(piece, out): (usize, &mut [f32])| {
        let rows = &rows[piece * COLUMNS..];
        let mut sums = [0.0; COLUMNS];
        for start in (0..depth).step_by(DEPTH) {
            let depth = DEPTH.min(depth - start);
            let (v, rows) = (&v[start * step..], &rows[start * stride..]);
            let sums = &mut sums[..out.len()];
            sums.fill(0.0);
            // SAFETY: the processor has `best`; the rows and their numbers from `start` on are inside of what was checked.
            unsafe { chains(level, [v, rows], [step, stride], depth, sums) };
            if start == 0 {
                out.copy_from_slice(sums);
            } else {
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out += *sum);
            }
        }
    };
    if threads && depth * out.len() >= MANY {
        out.par_chunks_mut(COLUMNS).enumerate().for_each(piece);
    } else {
        out.chunks_mut(COLUMNS).enumerate().for_each(piece);
    }
    true
}

/// Adds `N` rows from row `k` on.
///
/// # Safety
/// As of [`chains_any`]; there are `N` rows from `k` on.
#[inline(always)]
unsafe fn add_rows<S: Simd, const N: usize>(
    [v, rows]: [*const f32; 2],
    [step, stride]: [usize; 2],
    k: usize,
    out: &mut [f32],
) {
    // SAFETY: `k + i` is below the depth that the caller speaks of, and `j`, with the registers from there on, below the length of `out`.
    unsafe {
        let mut left = [0.0; N];
        let mut wide = [S::splat(0.0); N];
        for i in 0..N {
            left[i] = *v.add((k + i) * step);
            wide[i] = S::splat(left[i]);
        }
        let rows = rows.add(k * stride);
        let (len, to) = (out.len(), out.as_mut_ptr());
        let mut j = 0;
        while j + 16 <= len {
            let mut sum = S::load(to.add(j));
            for i in 0..N {
                sum = S::mul_add(wide[i], S::load(rows.add(i * stride + j)), sum);
            }
            S::store(to.add(j), sum);
            j += 16;
        }
        while j < len {
            for i in 0..N {
                *to.add(j) = left[i].mul_add(*rows.add(i * stride + j), *to.add(j));
            }
            j += 1;
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`. For each `k` below `depth`, `v` has a number at `k * step` and `rows` as many as `out` from
/// `k * stride` on.
#[inline(always)]
unsafe fn chains_any<S: Simd>([v, rows]: [&[f32]; 2], steps: [usize; 2], depth: usize, out: &mut [f32]) {
    let from = [v.as_ptr(), rows.as_ptr()];
    let mut k = 0;
    // SAFETY: so many rows are left.
    unsafe {
        while k + ROWS <= depth {
            add_rows::<S, ROWS>(from, steps, k, out);
            k += ROWS;
        }
        while k < depth {
            add_rows::<S, 1>(from, steps, k, out);
            k += 1;
        }
    }
}

with_simd! {
    /// One chain of additions for each element of `out`, which begins with what is there.
    fn chains(from: [&[f32]; 2], steps: [usize; 2], depth: usize, out: &mut [f32]) = chains_any
}
