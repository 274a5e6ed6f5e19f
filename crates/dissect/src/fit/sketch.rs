//! The distribution of one unit's activations in bounded memory, by one pass over numbers whose range is not known before.

use kernels::{Bins, Histogram};

/// The most bins. The range of the activations fills at least half of them, unless it is no wider than rounding.
pub(crate) const MOST_BINS: usize = 8192;

/// A histogram in bins whose width is a power of two, and one more bin for what is not above the least activation.
///
/// The width is the least with which the range of all activations so far fits; when it grows, neighbours are put together, so
/// the counts do not depend on the order in which activations came. The extra bin keeps a point mass exact: a unit behind a
/// `ReLU` is 0 nearly everywhere. A level read from the histogram leaves a share of pixels above it that is off by at most the share
/// of one bin ([`Sketch::error`]).
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    low: f32,
    high: f32,
    /// Bins are `2^exponent` wide.
    exponent: i32,
    /// Bin 1 holds `(first, first + 1]` times the width.
    first: i32,
    /// Bin 0, and [`MOST_BINS`] others once there is a range.
    counts: Histogram,
}

impl Sketch {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY, exponent: i32::MIN, first: 0, counts: Histogram::new(0) }
    }

    /// The largest activation.
    pub(crate) fn high(&self) -> f32 {
        self.high
    }

    /// Counts `fine`: numbers in the range of the finite ones of `coarse`, which are among them or bound them.
    pub(crate) fn add(&mut self, coarse: &[f32], fine: &[f32]) {
        let (low, high) = range(coarse, [self.low, self.high]);
        if low < self.low {
            self.lower(low);
        }
        self.high = high;
        if self.high > self.low {
            self.widen();
            self.counts.add(&self.bins(), fine);
        } else {
            self.counts.put(0, fine.len() as u32);
        }
    }

    /// What was the least activation is no more.
    fn lower(&mut self, low: f32) {
        let before = std::mem::replace(&mut self.low, low);
        if before.is_finite() {
            self.high = self.high.max(before);
            self.widen();
            let (bin, count) = (self.bin(before), self.counts.take_lowest());
            self.counts.put(bin, count);
        }
    }

    /// Makes bins so wide that the range fits.
    fn widen(&mut self) {
        let place = |value: f32, exponent: i32| f64::from(value) * libm::exp2(f64::from(-exponent));
        let bins = |exponent: i32| place(self.high, exponent).ceil() - place(self.low, exponent).floor();
        let fits = |exponent: i32| bins(exponent) <= MOST_BINS as f64;
        // No narrower than the last digit of the largest number: numbers of bins stay below 2^24.
        let digits = libm::ilogbf(self.low.abs().max(self.high.abs())) - 23;
        let mut exponent = self.exponent.max(digits).max(-126);
        while !fits(exponent) {
            exponent += 1;
        }
        let first = place(self.low, exponent).floor() as i32;
        if exponent != self.exponent || first != self.first || self.len() == 0 {
            let mut counts = Histogram::new(MOST_BINS);
            counts.put(0, self.counts.count(0));
            let together = exponent.saturating_sub(self.exponent);
            for (upper, &count) in (self.first + 1..).zip(self.counts.counts()).filter(|(_, count)| **count > 0) {
                // The upper edge is rounded up. Shifting rounds down, for negative numbers as well.
                let upper = -(-upper >> together.min(31));
                counts.put((upper - first) as usize, count);
            }
            self.counts = counts;
        }
        (self.exponent, self.first) = (exponent, first);
    }

    fn bins(&self) -> Bins {
        let per_unit = libm::exp2(f64::from(-self.exponent.min(126))) as f32;
        Bins { low: self.low, per_unit, first: self.first }
    }

    fn width(&self) -> f64 {
        if self.len() > 0 { libm::exp2(f64::from(self.exponent)) } else { 0.0 }
    }

    /// How many bins there are besides bin 0.
    pub(crate) fn len(&self) -> usize {
        self.counts.bins()
    }

    /// The bin of a value; 0 for what is not above the least activation, and for NaN.
    pub(crate) fn bin(&self, value: f32) -> usize {
        if self.len() > 0 { self.bins().of(value, self.len()) } else { 0 }
    }

    fn total(&self) -> u64 {
        u64::from(self.counts.count(0)) + self.counts.counts().iter().map(|&count| u64::from(count)).sum::<u64>()
    }

    /// The upper edge of a bin, no more than the largest activation.
    pub(crate) fn edge(&self, bin: usize) -> f32 {
        if bin == 0 {
            return self.low;
        }
        ((f64::from(self.first) + bin as f64) * self.width()).min(f64::from(self.high)) as f32
    }

    /// The level with this share of values above it, interpolated within its bin.
    pub(crate) fn level(&self, above: f64) -> f32 {
        self.levels([above])[0]
    }

    /// As [`Sketch::level`] for several shares, ascending, in one pass over the bins.
    pub(crate) fn levels(&self, above: impl IntoIterator<Item = f64>) -> Vec<f32> {
        let total = self.total() as f64;
        let (mut bin, mut over) = (self.len(), 0.0);
        let level = |above: f64| {
            let wanted = above * total;
            while bin > 0 && over + f64::from(self.counts.count(bin)) <= wanted {
                over += f64::from(self.counts.count(bin));
                bin -= 1;
            }
            if bin == 0 {
                return self.low;
            }
            let (upper, lower) = (f64::from(self.edge(bin)), (f64::from(self.first) + bin as f64 - 1.0) * self.width());
            let lower = lower.max(f64::from(self.low));
            let part = (wanted - over) / f64::from(self.counts.count(bin));
            (upper - part * (upper - lower)) as f32
        };
        above.into_iter().map(level).collect()
    }

    /// The highest bin above whose upper edge there are as many values as can be without exceeding the share `above`.
    pub(crate) fn bin_above(&self, above: f64) -> usize {
        let wanted = above * self.total() as f64;
        let (mut over, mut lowest) = (0.0, self.len() + 1);
        for bin in (1..=self.len()).rev().filter(|&bin| self.counts.count(bin) > 0) {
            over += f64::from(self.counts.count(bin));
            if over > wanted {
                break;
            }
            lowest = bin;
        }
        lowest - 1
    }

    /// The largest share of values in one bin at or above `level`: how far off the share above it can be.
    pub(crate) fn error(&self, level: f32) -> f64 {
        let bin = self.bin(level).max(1);
        let here = if bin <= self.len() { self.counts.count(bin) } else { 0 };
        f64::from(here) / self.total().max(1) as f64
    }
}

/// The least and the largest finite number, of these and those that are known.
fn range(values: &[f32], [low, high]: [f32; 2]) -> (f32, f32) {
    let (mut lows, mut highs) = ([low; 8], [high; 8]);
    let mut see = |lane: usize, value: f32| {
        if value < lows[lane] && value > f32::NEG_INFINITY {
            lows[lane] = value;
        }
        if value > highs[lane] && value < f32::INFINITY {
            highs[lane] = value;
        }
    };
    let (blocks, rest) = values.as_chunks::<8>();
    blocks.iter().for_each(|block| block.iter().enumerate().for_each(|(lane, &value)| see(lane, value)));
    rest.iter().enumerate().for_each(|(lane, &value)| see(lane, value));
    (lows.into_iter().fold(low, f32::min), highs.into_iter().fold(high, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sketch(values: &[f32]) -> Sketch {
        let mut sketch = Sketch::new();
        sketch.add(values, values);
        sketch
    }

    #[test]
    fn a_point_mass_at_the_least_value_is_exact() {
        let values: Vec<f32> = (0..1000).map(|i| if i < 995 { 0.0 } else { (i - 990) as f32 / 2.0 }).collect();
        let sketch = sketch(&values);
        assert_eq!(sketch.level(0.01), 0.0, "fewer than 1 % are above 0: the level is 0, not within the first bin");
        assert!(sketch.level(0.002) > 3.4 && sketch.level(0.002) < 4.1);
    }

    #[test]
    fn units_that_never_change_and_numbers_that_are_none() {
        assert_eq!((sketch(&[1.0; 9]).level(0.01), sketch(&[1.0; 9]).error(1.0)), (1.0, 0.0));
        let mut with_none = sketch(&[1.0, 2.0]);
        with_none.add(&[f32::NAN, 1.5], &[f32::NAN, 1.5]);
        assert_eq!((with_none.total(), with_none.bin(f32::NAN)), (4, 0));
        // Neighbours of one number, tiny ones, and the largest.
        for values in [[1e8, 1e8 + 8.0], [1e-40, 2e-40], [-3.4e38, 3.4e38]] {
            let sketch = sketch(&values);
            assert_eq!(sketch.total(), 2, "{values:?}");
            assert!((values[0]..=values[1]).contains(&sketch.level(0.3)), "{values:?}");
        }
    }

    #[test]
    fn between_two_point_masses_the_level_is_just_below_the_upper_one() {
        let sketch = sketch(&[[0.0; 84].as_slice(), &[1.0; 16]].concat());
        let bin = sketch.bin(1.0);
        assert_eq!((sketch.bin_above(0.1), sketch.bin_above(0.2)), (MOST_BINS, bin - 1));
    }

    proptest! {
        /// The law that is promised: the share above a level differs from the wanted one by at most the share of its bin.
        #[test]
        fn the_share_above_a_level_is_within_the_stated_error(
            values in prop::collection::vec(-3.0f32..5.0, 50..400), above in 0.0f64..1.0,
        ) {
            let sketch = sketch(&values);
            let level = sketch.level(above);
            let share = values.iter().filter(|&&v| v > level).count() as f64 / values.len() as f64;
            prop_assert!((share - above).abs() <= sketch.error(level) + 1.5 / values.len() as f64, "{share} {above}");
            let bin = sketch.bin_above(above);
            let share = values.iter().filter(|&&v| sketch.bin(v) > bin).count() as f64;
            prop_assert!(share / values.len() as f64 <= above + 1e-9 && sketch.edge(bin) <= 5.0);
        }

        #[test]
        fn the_order_and_the_pieces_in_which_numbers_come_do_not_matter(
            values in prop::collection::vec(prop_oneof![-3.0f32..5.0, -1e-3f32..1e-3, 100.0f32..1e4, Just(0.0f32)], 2..200), piece in 1usize..20,
        ) {
            let whole = sketch(&values);
            let mut pieces = Sketch::new();
            values.rchunks(piece).for_each(|values| pieces.add(values, values));
            let all = |s: &Sketch| (s.low, s.high, s.exponent, s.first, s.counts.count(0), s.counts.counts().to_vec());
            if whole.high > whole.low {
                prop_assert_eq!(all(&whole), all(&pieces));
            }
            let (low, high) = (f64::from(whole.low), f64::from(whole.high));
            let least = 1e-6 * low.abs().max(high.abs());
            prop_assert!(whole.len() == 0 || whole.width() <= ((high - low) / MOST_BINS as f64 * 4.0).max(least));
        }
    }
}
