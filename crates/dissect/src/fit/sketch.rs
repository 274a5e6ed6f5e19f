//! The distribution of one unit's activations in bounded memory, exactly mergeable because it is a histogram.

/// Bins between the smallest and the largest activation.
pub(crate) const BINS: usize = 4096;

/// A histogram over `(low, high]` in [`BINS`] bins of equal width, and one more for what is at most `low`.
///
/// The extra bin keeps a point mass exact: a unit behind a `ReLU` is 0 nearly everywhere. A level read from the histogram
/// leaves a share of pixels above it that is off by at most the share of one bin ([`Sketch::error`]).
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    low: f32,
    width: f32,
    /// `BINS + 1` counts.
    counts: Vec<u64>,
}

impl Sketch {
    /// Nothing counted yet; activations will lie in `[low, high]`.
    pub(crate) fn new(low: f32, high: f32) -> Self {
        let width = if high > low { (high - low) / BINS as f32 } else { 0.0 };
        Self { low, width, counts: vec![0; BINS + 1] }
    }

    /// The bin of a value; 0 for what is at most `low`, and for NaN.
    pub(crate) fn bin(&self, value: f32) -> usize {
        if value > self.low && self.width > 0.0 {
            1 + (((value - self.low) / self.width) as usize).min(BINS - 1)
        } else {
            0
        }
    }

    /// Counts values.
    pub(crate) fn add(&mut self, values: &[f32]) {
        for &value in values {
            let bin = self.bin(value);
            self.counts[bin] += 1;
        }
    }

    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The upper edge of a bin.
    pub(crate) fn edge(&self, bin: usize) -> f32 {
        self.low + self.width * bin as f32
    }

    /// The level with this share of values above it, interpolated within its bin.
    pub(crate) fn level(&self, above: f64) -> f32 {
        self.levels([above])[0]
    }

    /// As [`Sketch::level`] for several shares, ascending, in one pass over the bins.
    pub(crate) fn levels(&self, above: impl IntoIterator<Item = f64>) -> Vec<f32> {
        let total = self.total() as f64;
        let (mut bin, mut over) = (BINS, 0.0);
        let level = |above: f64| {
            let wanted = above * total;
            while bin > 0 && over + self.counts[bin] as f64 <= wanted {
                over += self.counts[bin] as f64;
                bin -= 1;
            }
            if bin == 0 {
                return self.low;
            }
            let part = (wanted - over) / self.counts[bin] as f64;
            (f64::from(self.edge(bin)) - part * f64::from(self.width)) as f32
        };
        above.into_iter().map(level).collect()
    }

    /// The highest bin above whose upper edge there are as many values as can be without exceeding the share `above`.
    pub(crate) fn bin_above(&self, above: f64) -> usize {
        let wanted = above * self.total() as f64;
        let (mut over, mut lowest) = (0.0, BINS + 1);
        for bin in (1..=BINS).rev().filter(|&bin| self.counts[bin] > 0) {
            over += self.counts[bin] as f64;
            if over > wanted {
                break;
            }
            lowest = bin;
        }
        lowest - 1
    }

    /// The largest share of values in one bin at or above `level`: how far off the share above it can be.
    pub(crate) fn error(&self, level: f32) -> f64 {
        let here = self.counts[self.bin(level).max(1)];
        here as f64 / self.total().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_point_mass_at_the_least_value_is_exact() {
        let mut sketch = Sketch::new(0.0, 8.0);
        let values: Vec<f32> = (0..1000).map(|i| if i < 995 { 0.0 } else { (i - 990) as f32 / 2.0 }).collect();
        sketch.add(&values);
        assert_eq!(sketch.level(0.01), 0.0, "fewer than 1 % are above 0: the level is 0, not within the first bin");
        assert!(sketch.level(0.002) > 3.4 && sketch.level(0.002) < 4.1);
        assert_eq!(Sketch::new(1.0, 1.0).level(0.01), 1.0);
    }

    #[test]
    fn between_two_point_masses_the_level_is_just_below_the_upper_one() {
        let mut sketch = Sketch::new(0.0, 1.0);
        sketch.add(&[[0.0; 84].as_slice(), &[1.0; 16]].concat());
        assert_eq!((sketch.bin_above(0.1), sketch.bin_above(0.2)), (BINS, BINS - 1));
    }

    proptest! {
        /// The law that is promised: the share above a level differs from the wanted one by at most the share of its bin.
        #[test]
        fn the_share_above_a_level_is_within_the_stated_error(
            mut values in prop::collection::vec(-3.0f32..5.0, 50..400), above in 0.0f64..1.0,
        ) {
            values.extend([-3.0, 5.0]);
            let mut sketch = Sketch::new(-3.0, 5.0);
            sketch.add(&values);
            let level = sketch.level(above);
            let share = values.iter().filter(|&&v| v > level).count() as f64 / values.len() as f64;
            prop_assert!((share - above).abs() <= sketch.error(level) + 1.5 / values.len() as f64, "{share} {above}");
            let edge = sketch.edge(sketch.bin_above(above));
            let share = values.iter().filter(|&&v| sketch.bin(v) > sketch.bin_above(above)).count() as f64;
            prop_assert!(share / values.len() as f64 <= above + 1e-9 && edge <= 5.0);
        }
    }
}
