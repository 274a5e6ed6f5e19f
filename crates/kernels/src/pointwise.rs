//! Loops over elements.

use rayon::prelude::*;

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

/// `f` of every element.
pub fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    if x.len() < PARALLEL {
        return x.iter().map(|&v| f(v)).collect();
    }
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| {
        out.iter_mut().zip(x).for_each(|(o, &v)| *o = f(v));
    });
    out
}

/// `f` of every pair of elements.
pub fn map2(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    assert_eq!(x.len(), y.len(), "lengths of a pointwise operation");
    if x.len() < PARALLEL {
        return x.iter().zip(y).map(|(&a, &b)| f(a, b)).collect();
    }
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(y.par_chunks(CHUNK)).for_each(|((out, x), y)| {
        out.iter_mut().zip(x).zip(y).for_each(|((o, &a), &b)| *o = f(a, b));
    });
    out
}
