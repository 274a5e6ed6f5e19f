//! Adam over all parameters of a network, in one pass.

use rayon::prelude::*;
use std::array;

/// The numbers of one Adam step, bias corrections worked in (Kingma and Ba, arXiv 1412.6980, the efficient form of
/// their section 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// `lr / (1 - beta1^t)`.
    pub step_size: f32,
    /// `1 / sqrt(1 - beta2^t)`.
    pub second_correction: f32,
    /// Added to the root.
    pub epsilon: f32,
}

/// What Adam knows of one parameter, all of one length.
#[derive(Clone, Copy, Debug)]
pub struct AdamParameter<'a> {
    /// The parameter.
    pub value: &'a [f32],
    /// Its gradient.
    pub gradient: &'a [f32],
    /// Moving average of the gradient.
    pub first: &'a [f32],
    /// Moving average of its square.
    pub second: &'a [f32],
}

/// New value, first and second moment of every parameter, written beside the old ones. All threads work on all parameters: many
/// small ones are shared out as well as a large one.
pub fn adam(step: AdamStep, parameters: &[AdamParameter]) -> Vec<[Vec<f32>; 3]> {
    parameters.par_iter().map(|parameter| one(step, parameter)).collect()
}

fn one(step: AdamStep, parameter: &AdamParameter) -> [Vec<f32>; 3] {
    const CHUNK: usize = 1 << 15;
    let AdamParameter { value, gradient, first, second } = *parameter;
    let len = value.len();
    assert!(gradient.len() == len && first.len() == len && second.len() == len, "lengths of an Adam step");
    let AdamStep { beta1, beta2, step_size, second_correction, epsilon } = step;
    let mut new: [Vec<f32>; 3] = array::from_fn(|_| Vec::with_capacity(len));
    let [p2, m2, v2] = new.each_mut().map(|out| out.spare_capacity_mut()[..len].par_chunks_mut(CHUNK));
    let outs = p2.zip(m2).zip(v2);
    let ins = value.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK));
    let ins = ins.zip(first.par_chunks(CHUNK)).zip(second.par_chunks(CHUNK));
    outs.zip(ins).for_each(|(((p2, m2), v2), (((p, g), m), v))| {
        for i in 0..p.len() {
            let first = beta1 * m[i] + (1.0 - beta1) * g[i];
            let second = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            m2[i].write(first);
            v2[i].write(second);
            p2[i].write(p[i] - step_size * first / (second.sqrt() * second_correction + epsilon));
        }
    });
    for out in &mut new {
        // SAFETY: chunks of the same length on all sides cover everything.
        unsafe { out.set_len(len) };
    }
    new
}
