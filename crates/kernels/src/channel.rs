//! What batch norm and biases do: one number per channel against maps `[n, c, cells]`.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "lanes are indexed; lengths are constants")]

use crate::simd::{Level, Simd, with_simd};
use rayon::prelude::*;

/// `b[c]` in every cell of `images` images.
pub fn channel_broadcast(b: &[f32], images: usize, cells: usize) -> Vec<f32> {
    let mut y = vec![0.0; images * b.len() * cells];
    let image = b.len() * cells;
    if image > 0 {
        y.par_chunks_mut(image).with_min_len((1 << 14) / image + 1).for_each(|y| {
            y.chunks_exact_mut(cells).zip(b).for_each(|(map, &b)| map.fill(b));
        });
    }
    y
}

/// `sum over images and cells of x`, per channel.
pub fn channel_sum(x: &[f32], channels: usize, cells: usize) -> Vec<f32> {
    reduce(Reduction::Sum, x, x, channels, cells)
}

/// `sum over images and cells of x * y`, per channel.
pub fn channel_dot(x: &[f32], y: &[f32], channels: usize, cells: usize) -> Vec<f32> {
    assert_eq!(x.len(), y.len(), "lengths of a product per channel");
    reduce(Reduction::Dot, x, y, channels, cells)
}

/// [`channel_sum`] of `x` and [`channel_dot`], to the bit, in one pass over memory.
pub fn channel_sum_and_dot(x: &[f32], y: &[f32], channels: usize, cells: usize) -> (Vec<f32>, Vec<f32>) {
    assert_eq!(x.len(), y.len(), "lengths of a product per channel");
    if channels * cells == 0 {
        return (vec![0.0; channels], vec![0.0; channels]);
    }
    let (mut sums, mut dots) = (vec![0.0f32; x.len() / cells], vec![0.0f32; x.len() / cells]);
    // Few enough that they are still in the first cache when they are read again.
    let piece = (PIECE / 4 / cells).max(1);
    let pieces = sums.par_chunks_mut(piece).zip(dots.par_chunks_mut(piece)).enumerate();
    pieces.with_min_len(4).for_each(|(i, (sums, dots))| {
        sums_from(Reduction::Sum, x, x, i * piece, cells, sums);
        sums_from(Reduction::Dot, x, y, i * piece, cells, dots);
    });
    rayon::join(|| totals(&sums, channels), || totals(&dots, channels))
}

/// `sum over images and cells of (x - centre[c])^2`, per channel.
pub fn channel_squares(x: &[f32], centre: &[f32], cells: usize) -> Vec<f32> {
    reduce(Reduction::Squares, x, centre, centre.len(), cells)
}

/// What is summed over a map.
#[derive(Clone, Copy)]
pub(crate) enum Reduction {
    /// `x`.
    Sum,
    /// `x * y`.
    Dot,
    /// `x * y`, the same `y` for every map.
    Row,
    /// `(x - y[c])^2`.
    Squares,
}

/// Sums over the images of each channel. Maps are summed in `f32` lanes, images in `f64` in their order: the result is the same for
/// every number of threads. Maps are read in the order of memory, a table of their sums takes `images * channels` numbers.
fn reduce(what: Reduction, x: &[f32], y: &[f32], channels: usize, cells: usize) -> Vec<f32> {
    let image = channels * cells;
    if image == 0 {
        return vec![0.0; channels];
    }
    assert!(x.len().is_multiple_of(image), "whole images");
    totals(&map_sums(what, x, y, cells), channels)
}

/// The sums of maps, added up over images.
fn totals(maps: &[f32], channels: usize) -> Vec<f32> {
    let mut totals = vec![0.0f64; channels];
    for image in maps.chunks_exact(channels) {
        totals.iter_mut().zip(image).for_each(|(total, &sum)| *total += f64::from(sum));
    }
    totals.into_iter().map(|total| total as f32).collect()
}

/// The sum of each map of `cells` numbers.
pub(crate) fn map_sums(what: Reduction, x: &[f32], y: &[f32], cells: usize) -> Vec<f32> {
    match what {
        Reduction::Sum | Reduction::Dot => assert_eq!(x.len(), y.len(), "a number for each number"),
        Reduction::Row => assert_eq!(y.len(), cells, "a number for each cell"),
        Reduction::Squares => {}
    }
    let mut maps = vec![0.0f32; x.len() / cells];
    let piece = (PIECE / cells).max(1);
    maps.par_chunks_mut(piece).enumerate().for_each(|(i, sums)| sums_from(what, x, y, i * piece, cells, sums));
    maps
}

/// The sums of as many maps as there is room for, from number `first` on.
fn sums_from(what: Reduction, x: &[f32], y: &[f32], first: usize, cells: usize, sums: &mut [f32]) {
    let numbers = first * cells..(first + sums.len()) * cells;
    let y = match what {
        Reduction::Row => &y[..cells],
        Reduction::Squares if y.is_empty() => panic!("a number for each channel"),
        Reduction::Squares => y,
        Reduction::Sum | Reduction::Dot => &y[numbers.clone()],
    };
    // SAFETY: as many maps as sums; of `y` as many numbers as of `x`, for `Row` a map, for `Squares` at least one. The processor has `best`.
    unsafe { sum_maps(Level::best(), what, &x[numbers], y, first, cells, sums) };
}

/// Numbers that one thread sums at a time.
const PIECE: usize = 1 << 13;

/// The sums of consecutive maps, the first of which has number `first`.
///
/// # Safety
/// The processor has the instruction set of `S`. `y` has as many numbers as `x`, which is `sums.len()` maps; for `Row` it is one map, for
/// `Squares` it has a number for each channel.
#[inline(always)]
unsafe fn sum_maps_any<S: Simd>(what: Reduction, x: &[f32], y: &[f32], first: usize, cells: usize, sums: &mut [f32]) {
    // SAFETY: as the caller's.
    unsafe {
        match what {
            Reduction::Sum => sum_maps_of::<S, SUM>(x, y, first, cells, sums),
            Reduction::Dot => sum_maps_of::<S, DOT>(x, y, first, cells, sums),
            Reduction::Row => sum_maps_of::<S, ROW>(x, y, first, cells, sums),
            Reduction::Squares => sum_maps_of::<S, SQUARES>(x, y, first, cells, sums),
        }
    }
}

/// # Safety
/// As of [`sum_maps_any`].
#[inline(always)]
unsafe fn sum_maps_of<S: Simd, const WHAT: u8>(x: &[f32], y: &[f32], first: usize, cells: usize, sums: &mut [f32]) {
    // A map, the one that it meets (itself where there is none) and the number that is taken from it.
    let of = |place: usize| {
        let map = &x[place * cells..(place + 1) * cells];
        match WHAT {
            DOT => (map, &y[place * cells..(place + 1) * cells], 0.0),
            ROW => (map, y, 0.0),
            SQUARES => (map, map, y[(first + place) % y.len()]),
            _ => (map, map, 0.0),
        }
    };
    // Maps shorter than the lanes would be mostly folding.
    if cells < 16 {
        for (place, sum) in sums.iter_mut().enumerate() {
            let (map, other, centre) = of(place);
            *sum = map.iter().zip(other).map(|(&x, &y)| term::<WHAT>(x, y, centre)).sum();
        }
        return;
    }
    // The lanes of sixteen maps are folded together. Of fewer maps the other rows are left over from before, and their sums not taken.
    let mut lanes = [0.0f32; 256];
    for (group, sums) in sums.chunks_mut(16).enumerate() {
        for k in 0..sums.len() {
            let (map, other, centre) = of(16 * group + k);
            // SAFETY: both maps have `cells` numbers (that of `Row` says the caller), and from one of sixteen rows on there is room
            // for sixteen lanes.
            unsafe {
                if cells == 16 {
                    let sum = with_term::<S, WHAT>(S::splat(0.0), map, other, S::splat(centre));
                    S::store(lanes[16 * k..].as_mut_ptr(), sum);
                } else {
                    sum_map::<S, WHAT>(map, other, centre, &mut lanes[16 * k..]);
                }
            };
        }
        // SAFETY: sixteen rows of sixteen numbers.
        unsafe { fold::<S>(&mut lanes) };
        sums.copy_from_slice(&lanes[..sums.len()]);
    }
}

/// Writes the sum of each of sixteen rows of sixteen numbers into the first row.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn fold<S: Simd>(rows: &mut [f32; 256]) {
    // SAFETY: 256 numbers are sixteen rows of sixteen; from the eighth number on, each has eight more.
    unsafe {
        let (left, right) = (S::columns(rows.as_ptr(), 16), S::columns(rows.as_ptr().add(8), 16));
        let mut sums = [S::splat(0.0); 8];
        for i in 0..8 {
            sums[i] = S::add(left[i], right[i]);
        }
        for half in [4, 2, 1] {
            for i in 0..half {
                sums[i] = S::add(sums[i], sums[i + half]);
            }
        }
        S::store(rows.as_mut_ptr(), sums[0]);
    }
}

with_simd! {
    /// The sums of consecutive maps.
    fn sum_maps(what: Reduction, x: &[f32], y: &[f32], first: usize, cells: usize, sums: &mut [f32]) = sum_maps_any
}

const SUM: u8 = 0;
const DOT: u8 = 1;
const ROW: u8 = 2;
const SQUARES: u8 = 3;

/// One map as sixteen partial sums, of 64 while there are as many numbers left.
///
/// # Safety
/// The processor has the instruction set of `S`, `y` as many numbers as `x`, and `to` room for sixteen.
#[inline(always)]
unsafe fn sum_map<S: Simd, const WHAT: u8>(x: &[f32], y: &[f32], centre: f32, to: &mut [f32]) {
    // SAFETY: from `at` on, `x` has 64 or 16 numbers, and `y` no fewer; `to` has room for one register.
    unsafe {
        let wide = S::splat(centre);
        let (mut lanes, mut at) = ([S::splat(0.0); 4], 0);
        while at + 64 <= x.len() {
            for i in 0..4 {
                lanes[i] = with_term::<S, WHAT>(lanes[i], &x[at + 16 * i..], &y[at + 16 * i..], wide);
            }
            at += 64;
        }
        let mut sum = S::add(S::add(lanes[0], lanes[1]), S::add(lanes[2], lanes[3]));
        while at + 16 <= x.len() {
            sum = with_term::<S, WHAT>(sum, &x[at..], &y[at..], wide);
            at += 16;
        }
        S::store(to.as_mut_ptr(), sum);
        for (to, (&x, &y)) in to.iter_mut().zip(x[at..].iter().zip(&y[at..])) {
            *to += term::<WHAT>(x, y, centre);
        }
    }
}

/// One term.
#[inline(always)]
fn term<const WHAT: u8>(x: f32, y: f32, centre: f32) -> f32 {
    match WHAT {
        SUM => x,
        DOT | ROW => x * y,
        _ => (x - centre) * (x - centre),
    }
}

/// Sixteen terms more.
///
/// # Safety
/// The processor has the instruction set of `S`; `x` and `y` have sixteen numbers.
#[inline(always)]
unsafe fn with_term<S: Simd, const WHAT: u8>(sum: S::Lanes, x: &[f32], y: &[f32], centre: S::Lanes) -> S::Lanes {
    // SAFETY: sixteen numbers each, says the caller.
    unsafe {
        let x = S::load(x.as_ptr());
        match WHAT {
            SUM => S::add(sum, x),
            DOT | ROW => S::mul_add(x, S::load(y.as_ptr()), sum),
            _ => {
                let off = S::sub(x, centre);
                S::mul_add(off, off, sum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_channel_is_repeated_over_images_and_cells() {
        assert_eq!(channel_broadcast(&[1.0, 2.0], 2, 3), [1., 1., 1., 2., 2., 2., 1., 1., 1., 2., 2., 2.]);
        assert!(channel_broadcast(&[1.0], 0, 3).is_empty());
    }

    #[test]
    #[should_panic(expected = "a number for each cell")]
    fn a_row_is_as_long_as_a_map() {
        map_sums(Reduction::Row, &[1.0; 64], &[1.0; 16], 32);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn sums_equal_the_definition(n in 1usize..6, c in 1usize..9, cells in 1usize..900) {
            let x: Vec<f32> = (0..n * c * cells).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
            let y: Vec<f32> = (0..n * c * cells).map(|i| (i * 53 % 97) as f32 / 48.0 - 1.0).collect();
            let centre: Vec<f32> = (0..c).map(|k| k as f32 / 4.0 - 1.0).collect();
            let expected = |f: &dyn Fn(usize) -> f64| -> Vec<f64> {
                (0..c).map(|k| (0..x.len()).filter(|i| i / cells % c == k).map(f).sum()).collect()
            };
            for (got, want) in channel_sum(&x, c, cells).iter().zip(expected(&|i| f64::from(x[i]))) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-3);
            }
            for (got, want) in channel_dot(&x, &y, c, cells).iter().zip(expected(&|i| f64::from(x[i]) * f64::from(y[i]))) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-3);
            }
            let alone = (channel_sum(&x, c, cells), channel_dot(&x, &y, c, cells));
            prop_assert_eq!(channel_sum_and_dot(&x, &y, c, cells), alone);
            let off = |i: usize| f64::from(x[i]) - f64::from(centre[i / cells % c]);
            for (got, want) in channel_squares(&x, &centre, cells).iter().zip(expected(&|i| off(i).powi(2))) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-5 * (1.0 + want), "{got} for {want}");
            }
        }
    }
}
