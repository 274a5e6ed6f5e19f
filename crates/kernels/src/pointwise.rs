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
