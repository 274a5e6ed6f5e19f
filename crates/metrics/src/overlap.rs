//! How well two sets of pixels agree.

/// Sizes of two sets among `total` pixels: a unit's (where it is on) and a label's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Pixels in both.
    pub both: u64,
    /// Pixels where the unit is on.
    pub unit: u64,
    /// Pixels of the label.
    pub label: u64,
    /// All pixels.
    pub total: u64,
}

impl Overlap {
    /// Intersection over union, 0 to 1; 0 where both sets are empty.
    pub fn iou(self) -> f64 {
        ratio(self.both, self.unit + self.label - self.both)
    }

    /// The share of pixels on which the sets agree, 0 to 1: in both or in neither. 0 of no pixels.
    pub fn agreement(self) -> f64 {
        ratio(self.total + 2 * self.both - self.unit - self.label, self.total)
    }

    /// The information quality ratio `I(A; S) / H(A, S)` of the two sets as random bits, 0 to 1, with `0 log 0 = 0` and
    /// `0 / 0 = 0` (Wijaya et al. 2017; used by Bau et al., arXiv 1811.10597).
    pub fn information_quality(self) -> f64 {
        let n = self.total as f64;
        let joint =
            [self.both, self.unit - self.both, self.label - self.both, self.total + self.both - self.unit - self.label];
        let term = |count: u64| if count == 0 { 0.0 } else { -(count as f64 / n) * libm::log(count as f64 / n) };
        let joint: f64 = joint.into_iter().map(term).sum();
        let bit = |count: u64| term(count) + term(self.total - count);
        let information = bit(self.unit) + bit(self.label) - joint;
        if joint > 0.0 { (information / joint).clamp(0.0, 1.0) } else { 0.0 }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_sets_are_1_and_independent_sets_carry_no_information() {
        let equal = Overlap { both: 30, unit: 30, label: 30, total: 100 };
        assert_eq!((equal.iou(), equal.agreement()), (1.0, 1.0));
        assert!((equal.information_quality() - 1.0).abs() < 1e-12);
        let independent = Overlap { both: 10, unit: 20, label: 50, total: 100 };
        assert_eq!((independent.iou(), independent.agreement()), (10.0 / 60.0, 0.5));
        assert!(independent.information_quality() < 1e-12);
        assert_eq!((Overlap::default().iou(), Overlap::default().information_quality()), (0.0, 0.0));
    }

    /// The 2x2 table 40, 10, 20, 30 of 100, worked out by hand: I = 0.0863 nats, H = 1.2799 nats.
    #[test]
    fn a_table_by_hand() {
        let overlap = Overlap { both: 40, unit: 50, label: 60, total: 100 };
        assert!((overlap.information_quality() - 0.086_305 / 1.279_854).abs() < 1e-5);
        assert!((overlap.iou() - 40.0 / 70.0).abs() < 1e-12 && (overlap.agreement() - 0.7).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn all_three_are_shares_and_do_not_depend_on_the_order(a in 0u64..50, b in 0u64..50, both in 0u64..50, rest in 0u64..50) {
            let overlap = Overlap { both, unit: both + a, label: both + b, total: both + a + b + rest };
            let swapped = Overlap { unit: overlap.label, label: overlap.unit, ..overlap };
            for (x, y) in [
                (overlap.iou(), swapped.iou()),
                (overlap.agreement(), swapped.agreement()),
                (overlap.information_quality(), swapped.information_quality()),
            ] {
                prop_assert!((0.0..=1.0).contains(&x));
                prop_assert!((x - y).abs() < 1e-9);
            }
        }
    }
}
