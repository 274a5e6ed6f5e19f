//! Adam over one parameter, in one pass.

use rayon::prelude::*;

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

/// New parameter, first and second moment, written beside the old ones.
pub fn adam(step: AdamStep, p: &[f32], g: &[f32], m: &[f32], v: &[f32]) -> [Vec<f32>; 3] {
    const CHUNK: usize = 1 << 15;
    let len = p.len();
    assert!(g.len() == len && m.len() == len && v.len() == len, "lengths of an Adam step");
    let (mut p2, mut m2, mut v2) = (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
    let AdamStep { beta1, beta2, step_size, second_correction, epsilon } = step;
    let outs = p2.par_chunks_mut(CHUNK).zip(m2.par_chunks_mut(CHUNK)).zip(v2.par_chunks_mut(CHUNK));
    let ins = p.par_chunks(CHUNK).zip(g.par_chunks(CHUNK)).zip(m.par_chunks(CHUNK)).zip(v.par_chunks(CHUNK));
    outs.zip(ins).for_each(|(((p2, m2), v2), (((p, g), m), v))| {
        for i in 0..p.len() {
            let first = beta1 * m[i] + (1.0 - beta1) * g[i];
            let second = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            m2[i] = first;
            v2[i] = second;
            p2[i] = p[i] - step_size * first / (second.sqrt() * second_correction + epsilon);
        }
    });
    [p2, m2, v2]
}
