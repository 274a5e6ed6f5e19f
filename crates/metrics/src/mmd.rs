//! Maximum mean discrepancy between two sets of points, with the kernel of the E-GAN line's toy comparisons.

use base::seed::Stream;

/// Both estimators of the squared discrepancy, from one pass over the pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredMmd {
    /// `mean(Kxx) + mean(Kyy) - 2 mean(Kxy)`, diagonals included: at least 0, and 0 for equal sets. IE-GAN's.
    pub biased: f64,
    /// The same without the diagonals of `Kxx` and `Kyy` (divisors `n(n-1)`, `m(m-1)`): its mean over draws is 0 for
    /// equal distributions, so it may be negative and is never clipped. NaN if a set has fewer than two points.
    pub unbiased: f64,
}

/// Squared MMD of `x` (`n` points) and `y` (`m` points) in `D` dimensions; NaN if a set is empty or not finite.
///
/// The kernel is a sum of five Gaussians, `k(a, b) = sum over i in -2..=2 of exp(-|a - b|^2 / (2^i s))`, where `s` is
/// the mean squared distance over all pairs of different points of both sets together (Long et al.'s multi-kernel MMD
/// as IE-GAN uses it, 512 points against 512, the biased estimator). `s` depends on the data, so values are comparable
/// only among samples of like spread. Time grows with `(n + m)^2`.
pub fn squared<const D: usize>(x: &[[f64; D]], y: &[[f64; D]]) -> SquaredMmd {
    let kernel = kernel(x, y);
    estimators([x.len(), y.len()], [within(x, &kernel), within(y, &kernel), between(x, y, &kernel)])
}

/// [`squared`], and what its unbiased estimator stays below in 95 % of the cases where both sets are of one distribution: the quantile over
/// `deals` random deals of all points to two sets of these sizes (a permutation test, Gretton et al. 2012). The second is NaN where the
/// estimator is, and without deals.
pub fn with_chance<const D: usize>(
    x: &[[f64; D]],
    y: &[[f64; D]],
    deals: usize,
    stream: &mut Stream,
) -> (SquaredMmd, f64) {
    let kernel = kernel(x, y);
    let points: Vec<&[f64; D]> = x.iter().chain(y).collect();
    let all: Vec<f64> = points.iter().flat_map(|a| points.iter().map(|b| kernel(a, b))).collect();
    let of = |a: &usize, b: &usize| all[a * points.len() + b];
    let dealt = |order: &[usize]| {
        let (x, y) = order.split_at(x.len());
        estimators([x.len(), y.len()], [within(x, of), within(y, of), between(x, y, of)])
    };
    let mut order: Vec<usize> = (0..points.len()).collect();
    let found = dealt(&order);
    let mut by_chance: Vec<f64> = (0..deals)
        .map(|_| {
            stream.shuffle(&mut order);
            dealt(&order).unbiased
        })
        .collect();
    by_chance.sort_by(f64::total_cmp);
    let place = (by_chance.len() * 95).div_ceil(100).saturating_sub(1);
    (found, by_chance.get(place).copied().unwrap_or(f64::NAN))
}

/// The sum of five Gaussians for the points of both sets.
fn kernel<const D: usize>(x: &[[f64; D]], y: &[[f64; D]]) -> impl Fn(&[f64; D], &[f64; D]) -> f64 {
    let count = (x.len() + y.len()) as f64;
    let distances = within(x, squared_distance) + within(y, squared_distance) + between(x, y, squared_distance);
    let widest = 4.0 * distances / (count * (count - 1.0) / 2.0);
    move |a, b| {
        let distance = squared_distance(a, b);
        // Halving a bandwidth squares its Gaussian: one exponential serves all five. Equal points need no bandwidth.
        let mut gaussian = if distance == 0.0 { 1.0 } else { libm::exp(-distance / widest) };
        let mut sum = gaussian;
        for _ in 0..4 {
            gaussian *= gaussian;
            sum += gaussian;
        }
        sum
    }
}

/// From the sizes of both sets, and the sums of the kernel over the pairs within each and between them.
fn estimators([n, m]: [usize; 2], [xx, yy, cross]: [f64; 3]) -> SquaredMmd {
    let (n, m, diagonal) = (n as f64, m as f64, 5.0);
    let (xx, yy, cross) = (2.0 * xx, 2.0 * yy, 2.0 * cross / (n * m));
    let biased = (xx + n * diagonal) / (n * n) + (yy + m * diagonal) / (m * m) - cross;
    SquaredMmd {
        // A norm: only rounding can make it negative. Written so that NaN stays NaN.
        biased: if biased < 0.0 { 0.0 } else { biased },
        unbiased: xx / (n * (n - 1.0)) + yy / (m * (m - 1.0)) - cross,
    }
}

fn squared_distance<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The sum of `f` over the unordered pairs of different points.
fn within<P>(points: &[P], f: impl Fn(&P, &P) -> f64) -> f64 {
    // A partial sum for each point keeps the rounding error small.
    points.iter().enumerate().map(|(i, a)| points[i + 1..].iter().map(|b| f(a, b)).sum::<f64>()).sum()
}

/// The sum of `f` over all pairs of a point of `x` and one of `y`.
fn between<P>(x: &[P], y: &[P], f: impl Fn(&P, &P) -> f64) -> f64 {
    x.iter().map(|a| y.iter().map(|b| f(a, b)).sum::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn values_are_those_of_the_definition_in_numpy() {
        // NumPy 2.4.6: d = ((t[:,None]-t[None])**2).sum(-1); s = d.sum()/(N*N-N); k = sum(exp(-d/(s*2.**i)), i=-2..2).
        let y = [[1.0, 1.0], [3.0, -1.0], [2.0, 2.0], [0.5, 0.25]];
        let mmd = squared(&[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], &y);
        assert!(near(mmd.biased, 1.186_475_823_690_904_5), "{}", mmd.biased);
        assert!(near(mmd.unbiased, -0.336_793_882_148_963_8), "{}", mmd.unbiased);
        let same = squared(&[[0.0, 0.0], [1.0, 0.0]], &[[0.0, 0.0], [1.0, 0.0]]);
        assert!(near(same.biased, 0.0) && near(same.unbiased, -3.564_948_187_775_053_5), "{same:?}");
    }

    #[test]
    fn equal_distributions_average_to_0_only_without_the_diagonals() {
        let set = |index| {
            let mut draw = Stream::new(3, "test", index);
            (0..50).map(|_| [draw.normal(), draw.normal()]).collect::<Vec<_>>()
        };
        let repeats = 200;
        let all: Vec<_> = (0..repeats).map(|i| squared(&set(2 * i), &set(2 * i + 1))).collect();
        let mean = |f: fn(&SquaredMmd) -> f64| all.iter().map(f).sum::<f64>() / repeats as f64;
        assert!(mean(|m| m.unbiased).abs() < 0.005, "{}", mean(|m| m.unbiased));
        assert!(mean(|m| m.biased) > 0.03);
    }

    #[test]
    fn chance_is_exceeded_in_one_case_of_twenty_and_by_other_distributions() {
        let set = |index, shift: f64| {
            let mut draw = Stream::new(4, "test", index);
            (0..40).map(|_| [draw.normal() + shift, draw.normal()]).collect::<Vec<_>>()
        };
        let exceeds = |i: u64, shift| {
            let (x, y) = (set(2 * i, 0.0), set(2 * i + 1, shift));
            let (found, chance) = with_chance(&x, &y, 100, &mut Stream::new(i, "deals", 0));
            assert_eq!(found, squared(&x, &y));
            found.unbiased > chance
        };
        let alike = (0..200).filter(|&i| exceeds(i, 0.0)).count();
        assert!((2..=20).contains(&alike), "{alike} of 200");
        assert!((0..20).all(|i| exceeds(i, 1.5)));
        let chance = |x: &[_], deals| with_chance(x, &[[0.0], [1.0]], deals, &mut Stream::new(0, "deals", 0)).1;
        assert!(chance(&[[0.0]], 10).is_nan() && chance(&[[0.0], [1.0]], 0).is_nan());
    }

    #[test]
    fn what_cannot_be_computed_is_nan_and_never_0() {
        assert!(squared(&[], &[[0.0]]).biased.is_nan());
        let one = squared(&[[0.0]], &[[0.0], [1.0]]);
        assert!(one.biased.is_finite() && one.unbiased.is_nan());
        assert!(squared(&[[f64::NAN], [0.0]], &[[0.0], [1.0]]).biased.is_nan());
        // All points equal: no bandwidth, but no discrepancy either.
        assert_eq!(squared(&[[1.0], [1.0]], &[[1.0], [1.0]]), SquaredMmd { biased: 0.0, unbiased: 0.0 });
    }

    fn points() -> impl Strategy<Value = Vec<[f64; 2]>> {
        prop::collection::vec([-3.0..3.0f64, -3.0..3.0], 2..20)
    }

    proptest! {
        #[test]
        fn laws(x in points(), y in points(), seed: u64) {
            let mmd = squared(&x, &y);
            prop_assert!(mmd.biased >= 0.0);
            prop_assert!(near(squared(&x, &x).biased, 0.0));
            let swapped = squared(&y, &x);
            prop_assert!(near(mmd.biased, swapped.biased) && near(mmd.unbiased, swapped.unbiased));
            let mut shuffled = x.clone();
            Stream::new(seed, "test", 0).shuffle(&mut shuffled);
            let shuffled = squared(&shuffled, &y);
            prop_assert!(near(mmd.biased, shuffled.biased) && near(mmd.unbiased, shuffled.unbiased));
        }

        #[test]
        fn the_bandwidth_follows_the_scale(x in points(), y in points(), scale in 0.01..100.0f64) {
            let scaled = |set: &[[f64; 2]]| set.iter().map(|p| p.map(|v| scale * v)).collect::<Vec<_>>();
            prop_assert!((squared(&x, &y).unbiased - squared(&scaled(&x), &scaled(&y)).unbiased).abs() < 1e-9);
        }
    }
}
