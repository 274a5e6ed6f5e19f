//! Loops over elements.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements below which threads cost more than they bring.
const PARALLEL: usize = 1 << 16;
const CHUNK: usize = 1 << 14;

/// `x` where positive, `slope * x` elsewhere.
#[inline]
pub fn leaky_relu(x: f32, slope: f32) -> f32 {
    if x > 0.0 { x } else { slope * x }
}

/// `g` where `x` is positive, `slope * g` elsewhere.
#[inline]
pub fn leaky_relu_gradient(g: f32, x: f32, slope: f32) -> f32 {
    if x > 0.0 { g } else { slope * g }
}

/// The hyperbolic tangent, at most 3 units in the last place off. Signed zeros, infinities and NaN keep what they are.
///
/// `-t / (t + 2)` with `t = exp(-2 |x|) - 1`, which loses no digits near 0; only operations that every instruction set has for
/// whole vectors, so a loop over it is vectorised and gives the same bits everywhere.
#[inline]
pub fn tanh(x: f32) -> f32 {
    /// So large that the sum of it and a small number has no digits behind the point.
    const ROUNDER: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few digits, so that whole multiples of it are exact.
    const LN2: f32 = 0.693_359_4;
    const LN2_REST: f32 = std::f64::consts::LN_2 as f32 - LN2;
    // From 10 on the result is 1. A NaN is not less.
    let y = -2.0 * if x.abs() > 10.0 { 10.0 } else { x.abs() };
    let rounder = y * std::f32::consts::LOG2_E + ROUNDER;
    let n = rounder - ROUNDER;
    let r = (y - n * LN2) - n * LN2_REST;
    // exp(r) - 1 by its Taylor series: |r| is at most ln 2 / 2.
    let series = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let series = 1.0 / 24.0 + r * (1.0 / 120.0 + r * series);
    let small = r + r * r * (0.5 + r * (1.0 / 6.0 + r * series));
    // 2^n: the last digits of `rounder` are n.
    let power = f32::from_bits((rounder.to_bits() << 23).wrapping_add(127 << 23));
    let t = power * small + (power - 1.0);
    (-t / (t + 2.0)).copysign(x)
}

/// `g (1 - y^2)`, where `y` is the hyperbolic tangent.
#[inline]
pub fn tanh_gradient(g: f32, y: f32) -> f32 {
    g * (1.0 - y * y)
}

/// A vector of `len` numbers whose memory is not cleared first.
///
/// # Safety
/// `write` writes all of them.
pub(crate) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut out = Vec::with_capacity(len);
    write(&mut out.spare_capacity_mut()[..len]);
    // SAFETY: the caller promises that they have been written.
    unsafe { out.set_len(len) };
    out
}

/// `f` of every element.
pub fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    if x.len() < PARALLEL {
        return x.iter().map(|&v| f(v)).collect();
    }
    let write = |out: &mut [MaybeUninit<f32>]| {
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| {
            out.iter_mut().zip(x).for_each(|(o, &v)| _ = o.write(f(v)));
        });
    };
    // SAFETY: chunks of the same length on all sides cover everything.
    unsafe { written(x.len(), write) }
}

/// Each block of `block` elements `times` times in a row: what lies along one dimension, repeated along the one before it.
///
/// # Panics
/// `x` is not whole blocks.
pub fn repeat(x: &[f32], block: usize, times: usize) -> Vec<f32> {
    if x.is_empty() || times == 0 {
        return Vec::new();
    }
    assert!(x.len().is_multiple_of(block), "whole blocks are repeated");
    let write = |out: &mut [MaybeUninit<f32>]| {
        let parts = out.par_chunks_mut(block * times).zip(x.par_chunks(block));
        parts.with_min_len((PARALLEL / (block * times)).max(1)).for_each(|(out, x)| {
            if let &[x] = x {
                out.iter_mut().for_each(|o| _ = o.write(x));
                return;
            }
            for out in out.chunks_mut(block) {
                out.iter_mut().zip(x).for_each(|(o, &v)| _ = o.write(v));
            }
        });
    };
    // SAFETY: a block's copies are as many as its part of the output has room for, and all parts have a block.
    unsafe { written(x.len() * times, write) }
}

/// `f` of every pair of elements.
pub fn map2(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    assert_eq!(x.len(), y.len(), "lengths of a pointwise operation");
    if x.len() < PARALLEL {
        return x.iter().zip(y).map(|(&a, &b)| f(a, b)).collect();
    }
    let write = |out: &mut [MaybeUninit<f32>]| {
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(y.par_chunks(CHUNK)).for_each(|((out, x), y)| {
            out.iter_mut().zip(x).zip(y).for_each(|((o, &a), &b)| _ = o.write(f(a, b)));
        });
    };
    // SAFETY: chunks of the same length on all sides cover everything.
    unsafe { written(x.len(), write) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_repeated_in_place() {
        assert_eq!(repeat(&[1.0, 2.0, 3.0, 4.0], 2, 2), [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(repeat(&[1.0, 2.0], 1, 3), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(repeat(&[], 0, 3), [0.0; 0]);
        assert_eq!(repeat(&[1.0], 1, 0), [0.0; 0]);
        // So large that threads share it.
        let x: Vec<f32> = (0..3000).map(|i| i as f32).collect();
        let expected: Vec<f32> = x.chunks(3).flat_map(|block| block.repeat(50)).collect();
        assert_eq!(repeat(&x, 3, 50), expected);
    }

    #[test]
    fn tanh_is_close_to_that_of_twice_the_digits() {
        let mut worst = 0.0f64;
        // All signs and magnitudes, from the smallest number on.
        for bits in (0..=u32::MAX).step_by(1511) {
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
}
