//! Quantiles of Student's t distribution.

use std::f64::consts::FRAC_2_PI;

/// What a value of Student's distribution with so many degrees of freedom (at least 1) stays below with probability `p`, one half or more.
pub(super) fn quantile(p: f64, freedom: u32) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, freedom) < 2.0 * p - 1.0 && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 2.0 * p - 1.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// `P(|T| < t)`, by the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: u32) -> f64 {
    let angle = libm::atan(t / f64::from(freedom).sqrt());
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let is_odd = freedom % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cos, if freedom > 1 { cos } else { 0.0 }) } else { (1.0, 1.0) };
    let mut k = if is_odd { 3 } else { 2 };
    while k < freedom {
        term *= f64::from(k - 1) / f64::from(k) * cos * cos;
        sum += term;
        k += 2;
    }
    if is_odd { FRAC_2_PI * (angle + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.t.ppf`.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [
            (0.975, 1, 12.706_204_736_174_694),
            (0.975, 2, 4.302_652_729_911_275),
            (0.975, 7, 2.364_624_251_592_784),
            (0.975, 11, 2.200_985_160_091_639_7),
            (0.95, 10, 1.812_461_122_811_676_2),
            (0.995, 30, 2.749_995_653_567_225_5),
        ];
        for (p, freedom, expected) in table {
            let found = quantile(p, freedom);
            assert!((found - expected).abs() < 1e-9 * expected, "{freedom}: {found} for {expected}");
        }
        assert!(quantile(0.5, 5) < 1e-12);
    }
}
