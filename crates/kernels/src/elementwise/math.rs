//! Fast forms that are too long for a row of a table: only operations that every instruction set has for whole vectors, so a
//! loop over them is vectorised and gives the same bits everywhere.

/// `x` where positive, `slope * x` elsewhere.
#[inline]
pub(crate) fn leaky_relu(x: f32, slope: f32) -> f32 {
    if x > 0.0 { x } else { slope * x }
}

/// `g` where `x` is positive, `slope * g` elsewhere.
#[inline]
pub(crate) fn leaky_relu_gradient(g: f32, x: f32, slope: f32) -> f32 {
    if x > 0.0 { g } else { slope * g }
}

/// So large that the sum of it and a small number has no digits behind the point.
const ROUNDER: f32 = 12_582_912.0;
// ln 2 in two parts, the first with few digits, so that whole multiples of it are exact.
const LN2: f32 = 0.693_359_4;
const LN2_REST: f32 = std::f64::consts::LN_2 as f32 - LN2;
/// The rest to all digits, for large multiples.
const LN2_WHOLE_REST: f32 = (std::f64::consts::LN_2 - LN2 as f64) as f32;

/// `n + r / ln 2 = y / ln 2` with a whole number `n`: `n + ROUNDER`, whose last digits are `n`, and `exp(r) - 1` by its Taylor series
/// (`|r|` is at most ln 2 / 2). `|y|` is at most some hundreds.
#[inline(always)]
fn reduced(y: f32, ln2_rest: f32) -> (f32, f32) {
    let rounder = y * std::f32::consts::LOG2_E + ROUNDER;
    let n = rounder - ROUNDER;
    let r = (y - n * LN2) - n * ln2_rest;
    let series = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let series = 1.0 / 24.0 + r * (1.0 / 120.0 + r * series);
    (rounder, r + r * r * (0.5 + r * (1.0 / 6.0 + r * series)))
}

/// The hyperbolic tangent, at most 3 units in the last place off. Signed zeros, infinities and NaN keep what they are.
///
/// `-t / (t + 2)` with `t = exp(-2 |x|) - 1`, which loses no digits near 0.
#[inline]
pub(crate) fn tanh(x: f32) -> f32 {
    // From 10 on the result is 1. A NaN is not less.
    let y = -2.0 * if x.abs() > 10.0 { 10.0 } else { x.abs() };
    let (rounder, small) = reduced(y, LN2_REST);
    // 2^n: the last digits of `rounder` are n.
    let power = f32::from_bits((rounder.to_bits() << 23).wrapping_add(127 << 23));
    let t = power * small + (power - 1.0);
    (-t / (t + 2.0)).copysign(x)
}

/// `e^x`, at most 2 units in the last place off.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these it is 0 or infinite. A NaN is neither more nor less.
    let y = if x > 89.0 { 89.0 } else { x };
    let y = if y < -104.0 { -104.0 } else { y };
    let (rounder, small) = reduced(y, LN2_WHOLE_REST);
    // 2^n in two factors: of both ends of the range one alone is no number.
    let n = rounder.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed();
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned());
    let half = n >> 1;
    (small + 1.0) * power(half) * power(n.wrapping_sub(half))
}

/// `e^x - 1` of an `x` that is not positive (or NaN), which loses no digits near 0.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    // Beyond it the result is -1.
    let (rounder, small) = reduced(if x < -20.0 { -20.0 } else { x }, LN2_REST);
    let power = f32::from_bits((rounder.to_bits() << 23).wrapping_add(127 << 23));
    power * small + (power - 1.0)
}

/// `g (1 - y^2)`, where `y` is the hyperbolic tangent.
#[inline]
pub(crate) fn tanh_gradient(g: f32, y: f32) -> f32 {
    g * (1.0 - y * y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_close_to_that_of_twice_the_digits() {
        let mut worst = 0.0f64;
        // All signs and magnitudes, from the smallest number on.
        for bits in (0..=u32::MAX).step_by(crate::usual(1511, 15_110_011)) {
            let x = f32::from_bits(bits);
            let (y, exact) = (tanh(x), f64::from(x).tanh());
            assert_eq!(y.is_nan(), x.is_nan(), "{x}");
            if !x.is_nan() {
                assert!(y.abs() <= 1.0 && y.is_sign_negative() == x.is_sign_negative(), "{x}: {y}");
                let unit = f64::from((exact as f32).abs().next_up() - (exact as f32).abs());
                worst = worst.max((f64::from(y) - exact).abs() / unit);
            }
        }
        assert!(worst < 3.0, "{worst} units in the last place");
        for (x, y) in [(0.0, 0.0), (-0.0, -0.0), (f32::INFINITY, 1.0), (f32::NEG_INFINITY, -1.0), (20.0, 1.0)] {
            assert_eq!(tanh(x).to_bits(), f32::to_bits(y), "{x}");
        }
    }

    #[test]
    fn exponentials_are_close_to_those_of_twice_the_digits() {
        let mut worst = [0.0f64; 2];
        for bits in (0..=u32::MAX).step_by(crate::usual(1511, 15_110_011)) {
            let x = f32::from_bits(bits);
            let off = |y: f32, exact: f64| {
                assert_eq!(y.is_nan(), x.is_nan(), "{x}");
                let near = exact as f32;
                if x.is_nan() || y.to_bits() == near.to_bits() {
                    return 0.0;
                }
                assert!(y.is_finite() || exact > f64::from(f32::MAX), "{x}: {y}");
                (f64::from(y) - exact).abs() / f64::from(near.abs().next_up() - near.abs())
            };
            worst[0] = worst[0].max(off(exp(x), f64::from(x).exp()));
            if x <= 0.0 || x.is_nan() {
                worst[1] = worst[1].max(off(exp_m1(x), f64::from(x).exp_m1()));
            }
        }
        assert!(worst[0] < 2.0 && worst[1] < 3.0, "{worst:?} units in the last place");
    }
}
