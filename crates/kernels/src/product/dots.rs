//! `C += A B^T` for matrices that lie along their inner length, one of them of few rows: weight gradients of layers with few channels. A
//! general product would first bring one of them across, which takes longer than the multiplications.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use crate::simd::{Level, Simd, with_simd};

/// Numbers along the inner length that are added side by side.
pub(crate) const LANES: usize = 16;

/// Adds `sum over k of a[i, k] b[starts[j] + k]` to the element `[i, j]` of `sums`, as sixteen partial sums: that of lane `l` has the `k` with
/// `k % 16 == l`, in their order. [`folded`] puts them together.
///
/// `a` is row-major with `depth` columns, a multiple of [`LANES`]; `starts` says where each row of the other factor begins, and rows may
/// overlap; `sums` is `[rows of a, starts, 16]`.
pub(crate) fn dots(level: Level, a: &[f32], b: &[f32], starts: &[usize], depth: usize, sums: &mut [f32]) {
    level.check();
    assert!(depth > 0 && depth.is_multiple_of(LANES), "whole registers of sixteen");
    assert!(a.len().is_multiple_of(depth), "whole rows");
    let inside = |start: &usize| start.checked_add(depth).is_some_and(|end| end <= b.len());
    assert!(starts.iter().all(inside), "rows inside of what is given");
    let len = (a.len() / depth).checked_mul(starts.len()).and_then(|len| len.checked_mul(LANES));
    assert_eq!(Some(sums.len()), len, "length of the sums");
    // SAFETY: the level, and the lengths that the kernel reads and writes, have just been checked.
    unsafe { all(level, a, b, starts, depth, sums) }
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
///
/// # Safety
/// The processor has the instruction set of `S`. At `a` lie `ROWS * depth` numbers, at `b + start` lie `depth` for each of `COLUMNS`
/// starts, and at `sums` are `ROWS` rows of `COLUMNS * LANES`, `row` apart. `depth` is a multiple of `LANES`.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    a: *const f32,
    b: *const f32,
    starts: &[usize],
    depth: usize,
    sums: *mut f32,
    row: usize,
) {
    // SAFETY: `i`, `j` and `k` stay below what the caller says is there, and registers have `LANES` numbers.
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
                right[j] = S::load(b.add(starts[j] + k));
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
///
/// # Safety
/// As of [`tile`], for all of `starts`; a row of `sums` has `LANES` numbers for each of them.
#[inline(always)]
unsafe fn strip<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    a: *const f32,
    b: *const f32,
    starts: &[usize],
    depth: usize,
    sums: *mut f32,
) {
    let row = starts.len() * LANES;
    let mut j = 0;
    // SAFETY: the caller's rows of `sums` have room for `starts.len()` registers, and `j` and those behind it are fewer.
    unsafe {
        while starts.len() - j >= COLUMNS {
            tile::<S, ROWS, COLUMNS>(a, b, &starts[j..j + COLUMNS], depth, sums.add(j * LANES), row);
            j += COLUMNS;
        }
        while j < starts.len() {
            tile::<S, ROWS, 1>(a, b, &starts[j..=j], depth, sums.add(j * LANES), row);
            j += 1;
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`, and the lengths are those that [`dots`] checks.
#[inline(always)]
unsafe fn strips<S: Simd, const SIDE: usize>(a: &[f32], b: &[f32], starts: &[usize], depth: usize, sums: &mut [f32]) {
    let (rows, row) = (a.len() / depth, starts.len() * LANES);
    let (a, b, sums) = (a.as_ptr(), b.as_ptr(), sums.as_mut_ptr());
    let mut i = 0;
    while i < rows {
        let side = SIDE.min(rows - i);
        // SAFETY: `a` has `rows` rows of `depth` numbers, `sums` as many of `row`, and `side` of them are left from row `i` on.
        unsafe {
            let (a, sums) = (a.add(i * depth), sums.add(i * row));
            match side {
                1 => strip::<S, 1, SIDE>(a, b, starts, depth, sums),
                2 => strip::<S, 2, SIDE>(a, b, starts, depth, sums),
                3 => strip::<S, 3, SIDE>(a, b, starts, depth, sums),
                _ => strip::<S, SIDE, SIDE>(a, b, starts, depth, sums),
            }
        }
        i += side;
    }
}

/// # Safety
/// As of [`strips`].
#[inline(always)]
unsafe fn with<S: Simd>(a: &[f32], b: &[f32], starts: &[usize], depth: usize, sums: &mut [f32]) {
    // As many sums as registers hold beside what is multiplied.
    // SAFETY: as the caller says.
    unsafe {
        if S::BLOCKS == 2 {
            strips::<S, 4>(a, b, starts, depth, sums);
        } else {
            strips::<S, 2>(a, b, starts, depth, sums);
        }
    }
}

with_simd! {
    fn all(a: &[f32], b: &[f32], starts: &[usize], depth: usize, sums: &mut [f32]) = with
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n).map(|i| (((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.5) - 1.0).collect()
    }

    #[test]
    #[should_panic(expected = "rows inside of what is given")]
    fn a_row_that_begins_at_the_end_of_all_numbers_is_none() {
        dots(Level::best(), &[1.0; LANES], &[1.0; LANES], &[usize::MAX - LANES + 1], LANES, &mut [0.0; LANES]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn every_level_gives_the_sums_of_the_definition(
            m in 1usize..11, starts in prop::collection::vec(0usize..300, 1..11), registers in 1usize..9,
        ) {
            let (n, depth) = (starts.len(), registers * LANES);
            let (a, b) = (numbers(m * depth, 1), numbers(300 + depth, 2));
            for level in Level::available() {
                let mut sums = vec![0.0; m * n * LANES];
                dots(level, &a, &b, &starts, depth, &mut sums);
                // They are added to, not replaced.
                dots(level, &a, &b, &starts, depth, &mut sums);
                let got: Vec<f32> = folded(&sums).collect();
                for (at, got) in got.iter().enumerate() {
                    let (a, b) = (&a[at / n * depth..][..depth], &b[starts[at % n]..][..depth]);
                    let expected: f64 = a.iter().zip(b).map(|(&a, &b)| 2.0 * f64::from(a) * f64::from(b)).sum();
                    prop_assert!((f64::from(*got) - expected).abs() < 1e-4, "{} {}", got, expected);
                }
            }
        }
    }
}
