//! Summaries of repeated trials and the comparison of two arms.

use base::seed::Stream;
use serde::{Deserialize, Serialize};

/// The quantile `q` in `[0, 1]`, interpolated linearly between order statistics as `numpy.quantile` does by default.
///
/// NaN for no values, for a NaN among them, and for `q` outside its range.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_of_sorted(&sorted, q)
}

/// The middle value, or the mean of the two middle ones; NaN as [`quantile`].
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() || !(0.0..=1.0).contains(&q) || sorted.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    // Equal infinities have no difference to interpolate over.
    if below == above { below } else { below + (above - below) * position.fract() }
}

/// A range of values, `low <= high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The percentile bootstrap interval of the median (Efron): the middle `confidence` share, such as 0.95, of the medians
/// of `resamples` draws of `n` values with replacement.
///
/// Resample `i` draws from the stream *(seed, "bootstrap", i)*, so the same arguments give the same interval
/// everywhere. NaN ends for no values, a NaN among them, no resamples, or `confidence` outside `[0, 1]`.
pub fn median_interval(values: &[f64], confidence: f64, resamples: u64, seed: u64) -> Interval {
    bootstrap(&[values], |drawn| drawn.first().map_or(f64::NAN, |values| median(values)), confidence, resamples, seed)
}

/// The percentile bootstrap interval of the mean, as [`median_interval`].
pub fn mean_interval(values: &[f64], confidence: f64, resamples: u64, seed: u64) -> Interval {
    bootstrap(&[values], |drawn| drawn.first().map_or(f64::NAN, |values| mean(values)), confidence, resamples, seed)
}

/// The percentile bootstrap interval of the difference `mean(x) - mean(y)` of two independent samples, each drawn anew, as
/// [`median_interval`]. Of logarithms it is that of a ratio of geometric means.
pub fn difference_interval(x: &[f64], y: &[f64], confidence: f64, resamples: u64, seed: u64) -> Interval {
    let difference = |drawn: &[Vec<f64>]| match drawn {
        [x, y] => mean(x) - mean(y),
        _ => f64::NAN,
    };
    bootstrap(&[x, y], difference, confidence, resamples, seed)
}

/// The mean; NaN of no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn bootstrap(
    samples: &[&[f64]],
    statistic: impl Fn(&[Vec<f64>]) -> f64,
    confidence: f64,
    resamples: u64,
    seed: u64,
) -> Interval {
    let resampled = |index| {
        let mut draw = Stream::new(seed, "bootstrap", index);
        let mut again = |values: &&[f64]| -> Vec<f64> {
            let n = values.len() as u64;
            (0..n).map(|_| values[draw.below(n) as usize]).collect()
        };
        statistic(&samples.iter().map(&mut again).collect::<Vec<_>>())
    };
    let mut found: Vec<f64> = (0..resamples).map(resampled).collect();
    found.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Interval { low: quantile_of_sorted(&found, tail), high: quantile_of_sorted(&found, 1.0 - tail) }
}

/// The comparison of two independent samples by ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankComparison {
    /// Mann and Whitney's `U` of the first sample: pairs in which its value is larger, ties counting one half.
    pub u: f64,
    /// Two-sided p-value by the normal approximation, with correction for ties and for continuity.
    ///
    /// Equals `scipy.stats.mannwhitneyu(x, y, method="asymptotic")`. Meant for about eight values or more on each side.
    pub p: f64,
    /// Cliff's delta, `P(x > y) - P(x < y)` in `[-1, 1]`: positive where the first sample tends to be larger.
    pub cliffs_delta: f64,
}

/// Compares two samples by ranks: the Wilcoxon, Mann and Whitney test with Cliff's delta as its effect size.
///
/// All fields are NaN if a sample is empty or holds a NaN.
pub fn compare_ranks(x: &[f64], y: &[f64]) -> RankComparison {
    let unknown = RankComparison { u: f64::NAN, p: f64::NAN, cliffs_delta: f64::NAN };
    if x.is_empty() || y.is_empty() || x.iter().chain(y).any(|v| v.is_nan()) {
        return unknown;
    }
    let mut pooled: Vec<(f64, bool)> = x.iter().map(|&v| (v, true)).chain(y.iter().map(|&v| (v, false))).collect();
    pooled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut ties, mut ranked) = (0.0, 0.0, 0.0);
    // Grouped by ==, so that -0.0 and 0.0 tie.
    for group in pooled.chunk_by(|a, b| a.0 == b.0) {
        let size = group.len() as f64;
        // The group shares the ranks ranked+1 ..= ranked+size: each gets their mean.
        let rank = f64::midpoint(ranked + 1.0, ranked + size);
        rank_sum += rank * group.iter().filter(|(_, first)| *first).count() as f64;
        ties += size * (size * size - 1.0);
        ranked += size;
    }
    let (n, m) = (x.len() as f64, y.len() as f64);
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let deviation = libm::sqrt(n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0))));
    let distance = (u - n * m / 2.0).abs() - 0.5;
    // Two normal tails beyond z are erfc(z / sqrt 2). All values equal: no deviation, no difference.
    let p = if deviation > 0.0 { libm::erfc(distance / deviation * std::f64::consts::FRAC_1_SQRT_2) } else { 1.0 };
    RankComparison { u, p: p.min(1.0), cliffs_delta: 2.0 * u / (n * m) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1e-300)
    }

    /// Of a normal sample the bootstrap interval of a mean is about the mean plus or minus 1.96 standard errors.
    #[test]
    fn intervals_of_means_are_about_those_of_the_normal_law() {
        let mut draw = Stream::new(1, "test", 0);
        let mut sample = |n: usize, at: f64| (0..n).map(|_| at + draw.normal()).collect::<Vec<f64>>();
        let (x, y) = (sample(200, 3.0), sample(100, 1.0));
        let of = |v: &[f64]| {
            let (m, n) = (mean(v), v.len() as f64);
            (m, (v.iter().map(|a| (a - m).powi(2)).sum::<f64>() / n / n).sqrt())
        };
        let ((m, e), (k, f)) = (of(&x), of(&y));
        let found = mean_interval(&x, 0.95, 4000, 0);
        assert!((found.low - (m - 1.96 * e)).abs() < 0.1 * e && (found.high - (m + 1.96 * e)).abs() < 0.1 * e);
        let (found, e) = (difference_interval(&x, &y, 0.95, 4000, 0), (e * e + f * f).sqrt());
        assert!((found.low - (m - k - 1.96 * e)).abs() < 0.1 * e && (found.high - (m - k + 1.96 * e)).abs() < 0.1 * e);
        assert!(
            mean_interval(&[], 0.95, 10, 0).low.is_nan() && difference_interval(&x, &[], 0.95, 10, 0).high.is_nan()
        );
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([3.1, -1.0, 4.0, 1.5, 9.2, 2.6], q), NumPy 2.4.6.
        let values = [3.1, -1.0, 4.0, 1.5, 9.2, 2.6];
        let expected = [(0.0, -1.0), (0.05, -0.375), (0.25, 1.775), (0.5, 2.85), (0.75, 3.775), (0.9, 6.6), (1.0, 9.2)];
        for (q, value) in expected {
            assert!(near(quantile(&values, q), value), "{q}: {}", quantile(&values, q));
        }
        assert_eq!(median(&[4.0]), 4.0);
        assert_eq!(median(&[f64::INFINITY; 3]), f64::INFINITY);
        for nothing in [median(&[]), median(&[1.0, f64::NAN]), quantile(&[1.0], 1.5), quantile(&[1.0], f64::NAN)] {
            assert!(nothing.is_nan());
        }
    }

    /// `scipy.stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic")`, `SciPy` 1.17.1; delta as
    /// `numpy.sign(numpy.subtract.outer(x, y)).mean()`.
    #[test]
    fn rank_comparisons_are_those_of_scipy() {
        let run = |first: u32, n: u32, add: f64| (first..first + n).map(|v| f64::from(v) + add).collect::<Vec<_>>();
        let cases = [
            (
                vec![0.391, 0.217, 0.498, 0.226, 0.3],
                vec![0.104, 0.072, 0.139, 0.226, 0.048, 0.061],
                (28.5, 0.017_365_464_062_047_378, 0.9),
            ),
            (
                vec![1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0],
                vec![2.0, 3.0, 4.0, 4.0, 5.0, 5.0, 6.0, 7.0],
                (8.5, 0.025_279_736_885_893_914, -0.696_428_571_428_571_4),
            ),
            (run(1, 3, 0.0), run(1, 3, 0.0), (4.5, 1.0, 0.0)),
            (run(1, 20, 0.0), run(1, 25, 9.5), (55.0, 8.883_985_251_736_712e-6, -0.78)),
            (vec![5.0; 4], vec![5.0; 3], (6.0, 1.0, 0.0)),
        ];
        for (x, y, (u, p, delta)) in cases {
            let found = compare_ranks(&x, &y);
            assert_eq!(found.u, u);
            assert!(near(found.p, p), "{} {p}", found.p);
            assert!((found.cliffs_delta - delta).abs() < 1e-15, "{}", found.cliffs_delta);
        }
        assert!(compare_ranks(&[], &[1.0]).p.is_nan() && compare_ranks(&[1.0, f64::NAN], &[1.0]).p.is_nan());
    }

    #[test]
    fn the_bootstrap_interval_covers_the_true_median_about_as_often_as_it_claims() {
        let covered = (0..300)
            .filter(|&trial| {
                let mut draw = Stream::new(11, "test", trial);
                let values: Vec<f64> = (0..40).map(|_| draw.normal()).collect();
                let interval = median_interval(&values, 0.9, 400, trial);
                interval.low <= 0.0 && 0.0 <= interval.high
            })
            .count();
        // Binomial(300, 0.9) has mean 270 and deviation 5.2.
        assert!((250..=290).contains(&covered), "{covered}");
    }

    #[test]
    fn the_bootstrap_is_reproducible_and_tolerates_nothing_to_draw_from() {
        let values = [1.0, 5.0, 2.0, 8.0, 3.0];
        assert_eq!(median_interval(&values, 0.95, 200, 7), median_interval(&values, 0.95, 200, 7));
        assert!(median_interval(&[], 0.95, 200, 7).low.is_nan());
        assert!(median_interval(&values, 0.95, 0, 7).low.is_nan());
        assert!(median_interval(&values, 2.0, 10, 7).low.is_nan());
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_within_the_values(
            values in prop::collection::vec(-1e3..1e3f64, 1..40), a in 0.0..=1.0f64, b in 0.0..=1.0f64,
        ) {
            let (low, high) = (quantile(&values, a.min(b)), quantile(&values, a.max(b)));
            prop_assert!(low <= high + 1e-9);
            prop_assert!(quantile(&values, 0.0) <= low + 1e-9 && high <= quantile(&values, 1.0) + 1e-9);
        }

        #[test]
        fn swapping_the_arms_swaps_the_sign(
            x in prop::collection::vec(0i8..6, 1..20), y in prop::collection::vec(0i8..6, 1..20),
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = (x.into_iter().map(f64::from).collect(), y.into_iter().map(f64::from).collect());
            let (there, back) = (compare_ranks(&x, &y), compare_ranks(&y, &x));
            prop_assert!((there.cliffs_delta + back.cliffs_delta).abs() < 1e-12);
            prop_assert!((there.p - back.p).abs() < 1e-12 && (0.0..=1.0).contains(&there.p));
            prop_assert_eq!(there.u + back.u, (x.len() * y.len()) as f64);
        }
    }
}
