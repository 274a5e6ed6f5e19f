//! Counting numbers in bins of equal width.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

use crate::simd::{Level, Simd, with_simd};

/// Numbers whose bins are found together.
const LANES: usize = 16;
/// Places of the numbers that are counted in turn. Neighbours of a resampled map fall into one bin, and an addition to a count waits
/// for the one before it to the same count.
const STREAMS: usize = 4;
/// Counts of bin 0 that are one: behind a `ReLU` most numbers are the lowest one.
const SPREAD: usize = STREAMS * LANES;

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

/// How many numbers lie in each bin: bin 0, and as many others as were asked for.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Bin 0 in [`SPREAD`] parts, then the others.
    counts: Vec<u32>,
}

impl Histogram {
    /// Nothing counted yet, in `bins` bins besides bin 0.
    pub fn new(bins: usize) -> Self {
        Self { counts: vec![0; SPREAD + bins] }
    }

    /// How many bins there are besides bin 0.
    pub fn bins(&self) -> usize {
        self.counts.len() - SPREAD
    }

    /// The count of a bin.
    ///
    /// # Panics
    /// There is no such bin.
    pub fn count(&self, bin: usize) -> u32 {
        if bin == 0 { self.counts[..SPREAD].iter().sum() } else { self.counts[SPREAD - 1 + bin] }
    }

    /// The counts of all bins but bin 0.
    pub fn counts(&self) -> &[u32] {
        &self.counts[SPREAD..]
    }

    /// Adds to the count of a bin.
    ///
    /// # Panics
    /// There is no such bin.
    pub fn put(&mut self, bin: usize, count: u32) {
        self.counts[if bin == 0 { 0 } else { SPREAD - 1 + bin }] += count;
    }

    /// The count of bin 0, which becomes 0.
    pub fn take_lowest(&mut self) -> u32 {
        let count = self.count(0);
        self.counts[..SPREAD].fill(0);
        count
    }

    /// Adds each number to the count of its bin; numbers beyond the last bin are counted there, those above `low` before bin 1 in that one.
    ///
    /// # Panics
    /// There is no bin but 0, or numbers of bins are beyond 2^23.
    pub fn add(&mut self, bins: &Bins, values: &[f32]) {
        // Whole numbers that large are exact in `f32`.
        let exact = self.bins() < 1 << 23 && bins.first.unsigned_abs() <= 1 << 24;
        assert!(self.bins() > 0 && exact, "{} bins from {} on", self.bins(), bins.first);
        // SAFETY: the processor has the instruction set of `best`.
        unsafe { add(Level::best(), bins, values, &mut self.counts) };
    }
}

/// `S` only says for which instruction set the loop is compiled.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn add_any<S: Simd>(bins: &Bins, values: &[f32], counts: &mut [u32]) {
    let (most, first) = ((counts.len() - SPREAD) as f32, bins.first as f32);
    let place = |value: f32, lowest: i32| {
        // What is far out, or no number, stays on its side.
        let place = ((value * bins.per_unit).ceil() - first).max(1.0).min(most);
        // SAFETY: it is between 1 and the number of bins.
        let place: i32 = unsafe { place.to_int_unchecked() };
        if value > bins.low { place + (SPREAD as i32 - 1) } else { lowest }
    };
    let blocks = values.len() / SPREAD;
    let (streams, rest) = values.split_at(blocks * SPREAD);
    for block in 0..blocks {
        let mut places = [[0i32; LANES]; STREAMS];
        for (stream, places) in places.iter_mut().enumerate() {
            let values = &streams[(stream * blocks + block) * LANES..][..LANES];
            for lane in 0..LANES {
                places[lane] = place(values[lane], (stream * LANES + lane) as i32);
            }
        }
        for lane in 0..LANES {
            for places in &places {
                counts[places[lane] as usize] += 1;
            }
        }
    }
    rest.iter().for_each(|&value| counts[place(value, 0) as usize] += 1);
}

with_simd! {
    /// Counts numbers in bins.
    fn add(bins: &Bins, values: &[f32], counts: &mut [u32]) = add_any
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_are_those_of_the_bins_one_by_one(
            values in prop::collection::vec(prop_oneof![-4.0f32..4.0, Just(-1.0f32), Just(f32::NAN), Just(f32::INFINITY)], 0..300),
            exponent in -6i32..6, first in -40i32..40, bins in 1usize..50,
        ) {
            let bins_of = Bins { low: -1.0, per_unit: (f32::from(2u8)).powi(exponent), first };
            let mut histogram = Histogram::new(bins);
            histogram.add(&bins_of, &values);
            let counts: Vec<u32> = (0..=bins).map(|bin| histogram.count(bin)).collect();
            let mut expected = vec![0; bins + 1];
            values.iter().for_each(|&value| expected[bins_of.of(value, bins)] += 1);
            prop_assert_eq!(counts, expected);
        }
    }
}
