//! Distances between sets of numbers.

/// The Wasserstein-1 distance of two sets of numbers, both sorted: the mean of `|x - y|` over their quantiles. The larger set is brought
/// to the size of the smaller one first ([`averaged`]); for sets of one size the distance is exact, else at most a little too small.
///
/// NaN if a set is empty or holds a number that is not finite.
pub fn wasserstein_1d(x: &[f32], y: &[f32]) -> f64 {
    if x.len() > y.len() {
        return wasserstein_1d(y, x);
    }
    let larger: Vec<f32>;
    let y = if x.len() < y.len() {
        larger = averaged(y, x.len());
        &larger
    } else {
        y
    };
    let sum: f64 = x.iter().zip(y).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs()).sum();
    let mean = sum / x.len() as f64;
    if mean.is_finite() { mean } else { f64::NAN }
}

/// A sorted set as `n` numbers, none more than it has: number `i` is the mean of the quantiles from `i / n` to `(i + 1) / n`.
pub fn averaged(sorted: &[f32], n: usize) -> Vec<f32> {
    let m = sorted.len();
    if n >= m {
        return sorted.to_vec();
    }
    // In units of 1 / (n m), number i covers i m .. (i + 1) m, and element j covers j n .. (j + 1) n.
    let cell = |i: usize| {
        let (start, end) = (i * m, (i + 1) * m);
        let part = |j: usize| f64::from(sorted[j]) * (end.min((j + 1) * n) - start.max(j * n)) as f64;
        ((start / n..end.div_ceil(n)).map(part).sum::<f64>() / m as f64) as f32
    };
    (0..n).map(cell).collect()
}
