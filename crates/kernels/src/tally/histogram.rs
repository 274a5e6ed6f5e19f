//! Counting numbers in bins of equal width.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

use crate::simd::{Level, Simd, with_simd};

/// Numbers whose bins are found together.
const LANES: usize = 16;

/// Bins of one width, and one more for what is not above the lowest number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    /// What is not above it, or is NaN, is counted in bin 0.
    pub low: f32,
    /// One over the width. Where it is a power of two, no number is rounded on its way to its bin.
    pub per_unit: f32,
    /// Bin 1 holds `(first, first + 1] / per_unit`.
    pub first: i32,
}

impl Bins {
    /// Adds each number to the count of its bin; numbers beyond the last bin are counted there, those above `low` before bin 1 in that one.
    ///
    /// # Panics
    /// There is no bin but 0, or numbers of bins are beyond 2^24.
    pub fn count(&self, values: &[f32], counts: &mut [u32]) {
        // Whole numbers that large are exact in `f32`.
        let exact = counts.len() < 1 << 24 && self.first.unsigned_abs() <= 1 << 24;
        assert!(counts.len() > 1 && exact, "{} bins from {} on", counts.len(), self.first);
        // SAFETY: the processor has the instruction set of `best`.
        unsafe { count(Level::best(), self, values, counts) };
    }

    /// The bin of one number, if there are `bins` besides bin 0.
    pub fn of(&self, value: f32, bins: usize) -> usize {
        if value > self.low {
            let place = (f64::from(value) * f64::from(self.per_unit)).ceil() - f64::from(self.first);
            (place.max(1.0) as usize).min(bins)
        } else {
            0
        }
    }
}

/// `S` only says for which instruction set the loop is compiled.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn count_any<S: Simd>(bins: &Bins, values: &[f32], counts: &mut [u32]) {
    let (most, first) = ((counts.len() - 1) as f32, bins.first as f32);
    let place = |value: f32| {
        // What is far out, or no number, stays on its side.
        let place = ((value * bins.per_unit).ceil() - first).max(1.0).min(most);
        // SAFETY: it is between 1 and the number of bins.
        let place: i32 = unsafe { place.to_int_unchecked() };
        if value > bins.low { place } else { 0 }
    };
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut not_above = 0;
    for block in blocks {
        // Behind a ReLU most numbers are the lowest one.
        if block.iter().fold(0, |above, &value| above + u32::from(value > bins.low)) == 0 {
            not_above += LANES as u32;
            continue;
        }
        block.map(place).into_iter().for_each(|place| counts[place as usize] += 1);
    }
    rest.iter().for_each(|&value| counts[place(value) as usize] += 1);
    counts[0] += not_above;
}

with_simd! {
    /// Counts numbers in bins.
    fn count(bins: &Bins, values: &[f32], counts: &mut [u32]) = count_any
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_are_those_of_the_bins_one_by_one(
            values in prop::collection::vec(prop_oneof![-4.0f32..4.0, Just(-1.0f32), Just(f32::NAN), Just(f32::INFINITY)], 0..100),
            exponent in -6i32..6, first in -40i32..40, bins in 1usize..50,
        ) {
            let bins_of = Bins { low: -1.0, per_unit: (f32::from(2u8)).powi(exponent), first };
            let mut counts = vec![0; bins + 1];
            bins_of.count(&values, &mut counts);
            let mut expected = vec![0; bins + 1];
            values.iter().for_each(|&value| expected[bins_of.of(value, bins)] += 1);
            prop_assert_eq!(counts, expected);
        }
    }
}
