//! Signs that a generator has collapsed: its samples are all alike.

use data::toys::Mixture;
use metrics::modes;

/// Samples are alike where their variance is below this share of that of the reals.
const ALIKE: f64 = 0.01;
/// Generations in a row after which that is told: a young generator needs some to find its voice.
pub(crate) const LONG: u64 = 500;

/// Generations in a row in which samples were alike, with this one. `reals` is the variance of the reals.
pub(crate) fn alike_for(before: u64, samples: Option<f64>, reals: f64) -> u64 {
    match samples {
        Some(variance) if variance < ALIKE * reals => before.saturating_add(1),
        _ => 0,
    }
}

/// Variance over the items (the first axis of `shape`) of each value, averaged over the values.
pub(crate) fn variance(shape: &[usize], values: &[f32]) -> f64 {
    let n = shape.first().copied().unwrap_or(1).max(1);
    let each = values.len() / n;
    let (mut sum, mut squares) = (vec![0.0f64; each], vec![0.0f64; each]);
    for item in values.chunks_exact(each.max(1)) {
        for ((s, q), &v) in sum.iter_mut().zip(&mut squares).zip(item) {
            *s += f64::from(v);
            *q += f64::from(v) * f64::from(v);
        }
    }
    let n = n as f64;
    let total: f64 = sum.iter().zip(&squares).map(|(s, q)| (q / n - (s / n) * (s / n)).max(0.0)).sum();
    total / each.max(1) as f64
}

/// The share of reals that get a larger logit than the fake beside them, ties counting half: 0.5 where the discriminator cannot
/// tell them apart, 1 where it always can, whatever its loss.
pub(crate) fn accuracy(reals: &[f32], fakes: &[f32]) -> f64 {
    let won = |(real, fake): (&f32, &f32)| match real.partial_cmp(fake) {
        Some(std::cmp::Ordering::Greater) => 1.0,
        Some(std::cmp::Ordering::Equal) => 0.5,
        _ => 0.0,
    };
    reals.iter().zip(fakes).map(won).sum::<f64>() / reals.len().min(fakes.len()).max(1) as f64
}

/// The modes of a mixture that points `[n, 2]` reach.
pub(crate) fn modes_reached(mixture: &Mixture, values: &[f32]) -> usize {
    let points: Vec<[f64; 2]> = values.as_chunks::<2>().0.iter().map(|point| point.map(f64::from)).collect();
    modes::coverage(&points, &mixture.centres, mixture.sigma).modes_covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::toys::Toy;

    #[test]
    fn variance_is_that_over_items() {
        // Two values that differ within an item, and not from item to item.
        assert!(variance(&[3, 2], &[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]) == 0.0);
        assert!((variance(&[2, 2], &[0.0, 1.0, 2.0, 1.0]) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn accuracy_knows_no_threshold() {
        assert!((accuracy(&[5.0, 6.0], &[4.0, 5.9]) - 1.0).abs() < 1e-12);
        assert!((accuracy(&[-5.0, 1.0], &[-4.0, 1.0]) - 0.25).abs() < 1e-12);
        assert!((accuracy(&[], &[])).abs() < 1e-12);
    }

    #[test]
    fn only_a_row_without_a_break_counts() {
        assert_eq!(alike_for(4, Some(0.009), 1.0), 5);
        assert_eq!((alike_for(4, Some(0.011), 1.0), alike_for(4, None, 1.0)), (0, 0));
        assert_eq!(alike_for(4, Some(0.0), 0.0), 0, "reals that are all alike are learnt well");
    }

    #[test]
    fn modes_are_counted() {
        let mixture = Toy::Ring8.mixture().unwrap();
        let at = |k: usize| mixture.centres[k].map(|v| v as f32);
        assert_eq!(modes_reached(&mixture, &[at(0), at(3), at(3), [9.0, 9.0]].concat()), 2);
    }
}
