//! Many tests at once.

/// The p-value of each of `found` under an empirical null: the share of null values that are at least as large, with the
/// found value itself counted among them, so that it is never 0 (Davison and Hinkley 1997, section 4.2).
pub fn empirical_p(found: &[f64], null: &[f64]) -> Vec<f64> {
    let mut null = null.to_vec();
    null.sort_unstable_by(f64::total_cmp);
    let at_least = |value: f64| null.len() - null.partition_point(|&n| n < value);
    found.iter().map(|&value| (1 + at_least(value)) as f64 / (1 + null.len()) as f64).collect()
}

/// Adjusted p-values of Benjamini and Hochberg (1995), in the order of `p`: calling discoveries all those at most `q` keeps the
/// expected share of false ones among them at or below `q`.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        least = least.min(p[index] * p.len() as f64 / (rank + 1) as f64);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of R's `p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "BH")`.
    #[test]
    fn adjusted_as_in_r() {
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (a, b) in adjusted.iter().zip([0.025, 0.05, 0.05, 0.025, 0.5]) {
            assert!((a - b).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn a_p_value_counts_the_null_values_that_are_as_large() {
        assert_eq!(empirical_p(&[5.0, 2.0, 0.0], &[1.0, 2.0, 3.0]), [0.25, 0.75, 1.0]);
        assert_eq!(empirical_p(&[1.0], &[]), [1.0]);
    }
}
