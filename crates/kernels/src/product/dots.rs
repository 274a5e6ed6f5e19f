//! `C += A B^T` for matrices that lie along their inner length, of few rows both: weight gradients of layers with few channels. A
//! general product would first bring one of them across, which takes longer than the multiplications.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use crate::simd::{Level, Simd, with_simd};

/// Numbers along the inner length that are added side by side.
pub(crate) const LANES: usize = 16;

/// Adds `sum over k of a[i, k] b[j, k]` to the element `[i, j]` of `sums`, as sixteen partial sums: that of lane `l` has the `k` with
/// `k % 16 == l`, in their order. [`folded`] puts them together.
///
/// `a` and `b` are row-major with `depth` columns, a multiple of [`LANES`]; `sums` is `[rows of a, rows of b, 16]`.
pub(crate) fn dots(level: Level, a: &[f32], b: &[f32], depth: usize, sums: &mut [f32]) {
    assert!(depth > 0 && depth.is_multiple_of(LANES), "whole registers of sixteen");
    assert!(a.len().is_multiple_of(depth) && b.len().is_multiple_of(depth), "whole rows");
    assert_eq!(sums.len(), (a.len() / depth) * (b.len() / depth) * LANES, "length of the sums");
    // SAFETY: the lengths are those that the kernel reads and writes; `level` is one that the processor has.
    unsafe { all(level, a, b, depth, sums) }
}

/// The sum of the sixteen partial sums of each element.
pub(crate) fn folded(sums: &[f32]) -> impl Iterator<Item = f32> {
    sums.chunks_exact(LANES).map(|lanes| {
        let mut lanes: [f32; LANES] = std::array::from_fn(|i| lanes[i]);
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        lanes[0]
    })
}

/// `ROWS` rows of `a` with `COLUMNS` rows of `b`.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    a: *const f32,
    b: *const f32,
    depth: usize,
    sums: *mut f32,
    row: usize,
) {
    unsafe {
        let mut lanes = [[S::splat(0.0); COLUMNS]; ROWS];
        for i in 0..ROWS {
            for j in 0..COLUMNS {
                lanes[i][j] = S::load(sums.add(i * row + j * LANES));
            }
        }
        for k in (0..depth).step_by(LANES) {
            let mut right = [S::splat(0.0); COLUMNS];
            for j in 0..COLUMNS {
                right[j] = S::load(b.add(j * depth + k));
            }
            for i in 0..ROWS {
                let left = S::load(a.add(i * depth + k));
                for j in 0..COLUMNS {
                    lanes[i][j] = S::mul_add(left, right[j], lanes[i][j]);
                }
            }
        }
        for i in 0..ROWS {
            for j in 0..COLUMNS {
                S::store(sums.add(i * row + j * LANES), lanes[i][j]);
            }
        }
    }
}

/// `ROWS` rows of `a` with all rows of `b`.
#[inline(always)]
unsafe fn strip<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    a: *const f32,
    b: &[f32],
    depth: usize,
    sums: *mut f32,
) {
    let (columns, row) = (b.len() / depth, b.len() / depth * LANES);
    let mut j = 0;
    unsafe {
        while columns - j >= COLUMNS {
            tile::<S, ROWS, COLUMNS>(a, b.as_ptr().add(j * depth), depth, sums.add(j * LANES), row);
            j += COLUMNS;
        }
        while j < columns {
            tile::<S, ROWS, 1>(a, b.as_ptr().add(j * depth), depth, sums.add(j * LANES), row);
            j += 1;
        }
    }
}

#[inline(always)]
unsafe fn strips<S: Simd, const SIDE: usize>(a: &[f32], b: &[f32], depth: usize, sums: &mut [f32]) {
    let (rows, row) = (a.len() / depth, b.len() / depth * LANES);
    let (a, sums) = (a.as_ptr(), sums.as_mut_ptr());
    let mut i = 0;
    unsafe {
        while rows - i >= SIDE {
            strip::<S, SIDE, SIDE>(a.add(i * depth), b, depth, sums.add(i * row));
            i += SIDE;
        }
        while i < rows {
            strip::<S, 1, SIDE>(a.add(i * depth), b, depth, sums.add(i * row));
            i += 1;
        }
    }
}

#[inline(always)]
unsafe fn with<S: Simd>(a: &[f32], b: &[f32], depth: usize, sums: &mut [f32]) {
    // As many sums as registers hold beside what is multiplied.
    unsafe { if S::BLOCKS == 2 { strips::<S, 4>(a, b, depth, sums) } else { strips::<S, 2>(a, b, depth, sums) } }
}

with_simd! {
    fn all(a: &[f32], b: &[f32], depth: usize, sums: &mut [f32]) = with
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n).map(|i| (((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.5) - 1.0).collect()
    }

    proptest! {
        #[test]
        fn every_level_gives_the_sums_of_the_definition(m in 1usize..11, n in 1usize..11, registers in 1usize..9) {
            let depth = registers * LANES;
            let (a, b) = (numbers(m * depth, 1), numbers(n * depth, 2));
            for level in Level::available() {
                let mut sums = vec![0.0; m * n * LANES];
                dots(level, &a, &b, depth, &mut sums);
                // They are added to, not replaced.
                dots(level, &a, &b, depth, &mut sums);
                let got: Vec<f32> = folded(&sums).collect();
                for (at, got) in got.iter().enumerate() {
                    let (a, b) = (&a[at / n * depth..][..depth], &b[at % n * depth..][..depth]);
                    let expected: f64 = a.iter().zip(b).map(|(&a, &b)| 2.0 * f64::from(a) * f64::from(b)).sum();
                    prop_assert!((f64::from(*got) - expected).abs() < 1e-4, "{} {}", got, expected);
                }
            }
        }
    }
}
