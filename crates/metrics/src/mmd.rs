//! Maximum mean discrepancy between two sets of points, with the kernel of the E-GAN line's toy comparisons.

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
    let (n, m) = (x.len() as f64, y.len() as f64);
    let distances = within(x, squared_distance) + within(y, squared_distance) + between(x, y, squared_distance);
    let pairs = (n + m) * (n + m - 1.0) / 2.0;
    let widest = 4.0 * distances / pairs;
    let kernel = |a: &[f64; D], b: &[f64; D]| {
        let distance = squared_distance(a, b);
        // Halving a bandwidth squares its Gaussian: one exponential serves all five. Equal points need no bandwidth.
        let mut gaussian = if distance == 0.0 { 1.0 } else { libm::exp(-distance / widest) };
        let mut sum = gaussian;
        for _ in 0..4 {
            gaussian *= gaussian;
            sum += gaussian;
        }
        sum
    };
    let diagonal = 5.0;
    let (xx, yy) = (2.0 * within(x, kernel), 2.0 * within(y, kernel));
    let cross = 2.0 * between(x, y, kernel) / (n * m);
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
    use base::seed::Stream;
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
