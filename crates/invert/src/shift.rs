//! From the best latent on: a shift of one layer, for what no latent makes.

use crate::descent::Descent;
use crate::inverter::Inverter;
use crate::loss::Target;
use dissect::Watch;
use net::{Result, Tensor};

/// Searches what is added to the layer, whose value is `h` for the latent `z`.
pub(crate) fn follow(
    inverter: &Inverter,
    target: &Target,
    (z, h): (&Tensor, &Tensor),
    watch: &mut dyn Watch,
) -> Result<Option<Vec<f32>>> {
    let settings = &inverter.settings;
    let spread = spread(&h.numbers());
    // Steps and costs are in the layer's own measure, which differs from generator to generator.
    let pull = (2.0 * settings.shift_penalty / (spread * spread * h.len() as f64)) as f32;
    let mut descent = Descent::new(vec![0.0; h.len()]);
    watch.stage("shift", settings.shift_steps as u64);
    for step in 0..settings.shift_steps {
        if watch.stop() {
            return Ok(None);
        }
        let mut slope = inverter.slope_of_shift(target, (z, h), &descent.values)?;
        slope.gradient.iter_mut().zip(&descent.values).for_each(|(g, d)| *g += pull * d);
        descent.step(&slope.gradient, settings.shift_lr * spread, step, settings.shift_steps);
        watch.step(1);
    }
    Ok(Some(descent.values))
}

/// The standard deviation of a layer's values; never 0.
fn spread(values: &[f32]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    variance.sqrt().max(1e-6)
}
