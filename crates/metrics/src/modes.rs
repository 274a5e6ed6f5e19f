//! Which modes of a known mixture a generator reaches, and how evenly.

/// What [`coverage`] found. `K` is the number of modes, `N` that of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeReport {
    /// Modes with at least one high-quality sample, `0..=K`.
    pub modes_covered: usize,
    /// Share of all `N` samples that are high-quality, in `[0, 1]`; NaN without samples.
    pub high_quality_share: f64,
    /// KL(empirical || uniform) in nats over the modes that all samples are nearest to, in `[0, ln K]`; NaN when no
    /// sample is finite.
    pub kl_to_uniform: f64,
    /// The value of `kl_to_uniform` that perfect samples are expected to have at this `N`: [`kl_floor`].
    pub kl_floor: f64,
    /// Samples nearest to each mode, `K` entries.
    pub nearest_counts: Vec<usize>,
    /// High-quality samples of each mode, `K` entries.
    pub high_quality_counts: Vec<usize>,
    /// Samples with a coordinate that is NaN or infinite. They count in `N` and belong to no mode.
    pub not_finite: usize,
}

/// Judges 2-D samples against a mixture of round Gaussians with the given `centres` and common `sigma`.
///
/// Each sample belongs to its nearest centre (of equally near ones, the first). It is *high-quality* if it lies within
/// `3 sigma` of it, border included; of true samples of one 2-D Gaussian, `1 - exp(-9/2)` = 98.889 % do. A mode is
/// *covered* if at least one high-quality sample belongs to it. The divergence to the uniform distribution takes **all**
/// finite samples, so that poor samples cannot leave the balance unseen.
pub fn coverage(samples: &[[f64; 2]], centres: &[[f64; 2]], sigma: f64) -> ModeReport {
    let mut nearest_counts = vec![0; centres.len()];
    let mut high_quality_counts = vec![0; centres.len()];
    let mut not_finite = 0;
    for sample in samples {
        if !sample.iter().all(|x| x.is_finite()) {
            not_finite += 1;
            continue;
        }
        let distances = centres.iter().map(|c| (sample[0] - c[0]).hypot(sample[1] - c[1]));
        if let Some((mode, distance)) = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) {
            nearest_counts[mode] += 1;
            high_quality_counts[mode] += usize::from(distance <= 3.0 * sigma);
        }
    }
    ModeReport {
        modes_covered: high_quality_counts.iter().filter(|&&n| n > 0).count(),
        high_quality_share: high_quality_counts.iter().sum::<usize>() as f64 / samples.len() as f64,
        kl_to_uniform: kl_to_uniform(&nearest_counts),
        kl_floor: kl_floor(centres.len(), samples.len() - not_finite),
        nearest_counts,
        high_quality_counts,
        not_finite,
    }
}

/// KL(empirical || uniform) in nats of counts over `K` classes, in `[0, ln K]`; NaN if all counts are 0.
///
/// `sum p ln(p K)` with `0 ln 0 = 0`; half of the classes hit evenly give `ln 2`.
pub fn kl_to_uniform(counts: &[usize]) -> f64 {
    let total = counts.iter().sum::<usize>() as f64;
    if total == 0.0 {
        return f64::NAN;
    }
    let classes = counts.len() as f64;
    let term = |&n: &usize| {
        let share = n as f64 / total;
        if n == 0 { 0.0 } else { share * libm::log(share * classes) }
    };
    let divergence: f64 = counts.iter().map(term).sum();
    // The sum of an even distribution may round to just under 0.
    divergence.clamp(0.0, libm::log(classes))
}

/// What KL(empirical || uniform) is expected to be for `samples` true draws over `modes`: about `(K-1) / (2N)` nats.
///
/// The first term of the expansion in `1/N` (Miller and Madow's bias of the plug-in entropy). A measured divergence
/// near this floor is no evidence of any unevenness, and one below a threshold that lies under the floor none of
/// evenness. Infinite without samples.
pub fn kl_floor(modes: usize, samples: usize) -> f64 {
    modes.saturating_sub(1) as f64 / (2.0 * samples as f64)
}

/// How many of `modes` equally likely ones true draws are expected to leave out: `K (1 - 1/K)^N`.
pub fn expected_unseen(modes: usize, samples: usize) -> f64 {
    let modes = modes as f64;
    modes * libm::pow(1.0 - 1.0 / modes, samples as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed::Stream;
    use proptest::prelude::*;

    /// The 8 Gaussians of E-GAN's toy experiments: radius 2, sigma 0.02, divided by 1.414.
    fn ring() -> (Vec<[f64; 2]>, f64) {
        let angles = (0..8).map(|k| f64::from(k) * std::f64::consts::FRAC_PI_4);
        (angles.map(|a| [2.0 * a.cos() / 1.414, 2.0 * a.sin() / 1.414]).collect(), 0.02 / 1.414)
    }

    fn true_samples(n: usize) -> Vec<[f64; 2]> {
        let ((centres, sigma), mut draw) = (ring(), Stream::new(5, "test", 0));
        (0..n)
            .map(|i| {
                let centre = centres[i % centres.len()];
                [centre[0] + sigma * draw.normal(), centre[1] + sigma * draw.normal()]
            })
            .collect()
    }

    #[test]
    fn true_samples_are_within_three_sigma_as_often_as_theory_says() {
        let (centres, sigma) = ring();
        let n = 200_000;
        let report = coverage(&true_samples(n), &centres, sigma);
        let share = 1.0 - (-4.5_f64).exp();
        assert!((share - 0.988_89).abs() < 1e-5);
        let noise = (share * (1.0 - share) / n as f64).sqrt();
        assert!((report.high_quality_share - share).abs() < 4.0 * noise, "{}", report.high_quality_share);
        assert_eq!((report.modes_covered, report.not_finite), (8, 0));
        assert_eq!(report.kl_to_uniform, 0.0, "the test draws each mode equally often");
    }

    #[test]
    fn half_of_the_modes_hit_evenly_is_ln_2() {
        let (centres, sigma) = ring();
        let report = coverage(&centres[..4].repeat(10), &centres, sigma);
        assert_eq!((report.modes_covered, report.high_quality_share), (4, 1.0));
        assert!((report.kl_to_uniform - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!(report.nearest_counts, [10, 10, 10, 10, 0, 0, 0, 0]);
    }

    #[test]
    fn a_poor_sample_counts_for_the_balance_but_covers_nothing() {
        let report = coverage(&[[0.0, 0.0], [9.0, 0.5]], &[[0.0, 0.0], [10.0, 0.0]], 0.1);
        assert_eq!((report.modes_covered, report.high_quality_share, report.kl_to_uniform), (1, 0.5, 0.0));
        assert_eq!((report.nearest_counts, report.high_quality_counts), (vec![1, 1], vec![1, 0]));
    }

    #[test]
    fn the_border_of_three_sigma_is_inside() {
        assert_eq!(coverage(&[[3.0, 0.0]], &[[0.0, 0.0]], 1.0).modes_covered, 1);
        assert_eq!(coverage(&[[3.0 + 1e-9, 0.0]], &[[0.0, 0.0]], 1.0).modes_covered, 0);
    }

    #[test]
    fn samples_that_are_not_numbers_lower_the_share_and_are_reported() {
        let report = coverage(&[[0.0, 0.0], [f64::NAN, 0.0], [f64::INFINITY, 0.0]], &[[0.0, 0.0], [1.0, 0.0]], 0.1);
        assert_eq!((report.not_finite, report.modes_covered), (2, 1));
        assert!((report.high_quality_share - 1.0 / 3.0).abs() < 1e-15);
        let nothing = coverage(&[[f64::NAN; 2]], &[[0.0, 0.0]], 0.1);
        assert!(nothing.kl_to_uniform.is_nan());
        assert!(coverage(&[], &[], 0.1).high_quality_share.is_nan());
    }

    #[test]
    fn the_floor_is_what_fair_draws_have_on_average() {
        let mean = (0..40)
            .map(|repeat| {
                let mut draw = Stream::new(1, "test", repeat);
                let mut counts = vec![0; 1000];
                (0..26_000).for_each(|_| counts[draw.below(1000) as usize] += 1);
                kl_to_uniform(&counts)
            })
            .sum::<f64>()
            / 40.0;
        assert!((kl_floor(1000, 26_000) - 0.0192).abs() < 5e-5);
        // Monte Carlo 0.0187 to 0.0211 for one draw; the mean of 40 is nearer.
        assert!((0.0190..0.0200).contains(&mean), "{mean}");
    }

    #[test]
    fn modes_that_nobody_drew() {
        assert!((expected_unseen(1000, 26_000) / 5e-9 - 1.0).abs() < 0.02);
        assert_eq!((expected_unseen(1, 1), expected_unseen(4, 0), expected_unseen(2, 2)), (0.0, 4.0, 0.5));
    }

    proptest! {
        #[test]
        fn divergence_is_between_0_and_ln_k(counts in prop::collection::vec(0usize..50, 1..30)) {
            prop_assume!(counts.iter().any(|&n| n > 0));
            let divergence = kl_to_uniform(&counts);
            prop_assert!((0.0..=(counts.len() as f64).ln() + 1e-15).contains(&divergence));
        }

        #[test]
        fn order_does_not_matter(samples in prop::collection::vec([-2.0..2.0f64, -2.0..2.0], 1..60), seed: u64) {
            let (centres, sigma) = ring();
            let mut shuffled = samples.clone();
            Stream::new(seed, "test", 0).shuffle(&mut shuffled);
            prop_assert_eq!(coverage(&samples, &centres, sigma), coverage(&shuffled, &centres, sigma));
        }
    }
}
