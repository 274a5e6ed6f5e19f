//! From many latents to the one whose picture is nearest.

use crate::descent::Descent;
use crate::inverter::Inverter;
use crate::loss::Target;
use base::seed::Stream;
use dissect::Watch;
use net::{Law, Result};

/// Draws latents and keeps those with the nearest pictures, the nearest first, side by side.
pub(crate) fn starts(inverter: &Inverter, target: &Target, watch: &mut dyn Watch) -> Result<Option<Vec<f32>>> {
    let settings = &inverter.settings;
    let (length, law) = (inverter.latent_length(), inverter.subject.network().latent_law());
    let draw = |i: u64| law.draw(length, &mut Stream::new(settings.seed, "inversion", i));
    let mut kept: Vec<(f64, Vec<f32>)> = Vec::new();
    watch.stage("first latents", settings.starts as u64);
    let mut first = 0;
    while first < settings.starts {
        if watch.stop() {
            return Ok(None);
        }
        let n = inverter.chunk().min(settings.starts - first);
        let latents: Vec<Vec<f32>> = (first..first + n).map(|i| draw(i as u64)).collect();
        let losses = inverter.losses(target, &latents.concat())?;
        kept.extend(losses.into_iter().zip(latents));
        // Stable: of equals the earlier one is kept.
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        kept.truncate(settings.kept);
        first += n;
        watch.step(n as u64);
    }
    Ok(Some(kept.into_iter().flat_map(|(_, latent)| latent).collect()))
}

/// Moves latents towards the picture, all together; at even distances the worse half is given up. The best that is left.
pub(crate) fn follow(
    inverter: &Inverter,
    target: &Target,
    start: Vec<f32>,
    watch: &mut dyn Watch,
) -> Result<Option<Vec<f32>>> {
    let settings = &inverter.settings;
    let (length, law) = (inverter.latent_length(), inverter.subject.network().latent_law());
    let mut descent = Descent::new(start);
    let mut halvings = Halvings::new(descent.values.len() / length, settings.steps);
    watch.stage("latent", settings.steps as u64);
    for step in 0..settings.steps {
        if watch.stop() {
            return Ok(None);
        }
        let mut slope = inverter.slope_of_latents(target, &descent.values)?;
        if law == Law::Normal {
            let each = descent.values.chunks_exact(length).zip(slope.gradient.chunks_exact_mut(length));
            for ((latent, gradient), loss) in each.zip(&mut slope.losses) {
                *loss += pull_to_length(latent, gradient, settings.prior);
            }
        }
        descent.step(&slope.gradient, settings.lr, step, settings.steps);
        if law == Law::Uniform {
            descent.values.iter_mut().for_each(|z| *z = z.clamp(-1.0, 1.0));
        }
        if halvings.is_due(step) {
            descent.keep(&better_half(&slope.losses), length);
        }
        watch.step(1);
    }
    let losses = inverter.losses(target, &descent.values)?;
    let best = ranked(&losses)[0];
    Ok(Some(descent.values[best * length..][..length].to_vec()))
}

/// The loss `prior * e^2`, where e is how far the mean square of a latent's numbers is beyond two standard deviations of that of normal
/// ones: 1, give or take `sqrt(8 / n)`. Adds its derivative.
fn pull_to_length(latent: &[f32], gradient: &mut [f32], prior: f64) -> f64 {
    let n = latent.len() as f64;
    let off = latent.iter().map(|&z| f64::from(z) * f64::from(z)).sum::<f64>() / n - 1.0;
    let excess = off - off.clamp(-(8.0 / n).sqrt(), (8.0 / n).sqrt());
    let pull = (4.0 * prior * excess / n) as f32;
    gradient.iter_mut().zip(latent).for_each(|(g, z)| *g += pull * z);
    prior * excess * excess
}

/// When halves are given up: so that one is left for the last part of the way.
struct Halvings {
    left: usize,
    distance: usize,
}

impl Halvings {
    fn new(latents: usize, steps: usize) -> Self {
        let left = latents.next_power_of_two().ilog2() as usize;
        Self { left, distance: (steps / (left + 1)).max(1) }
    }

    fn is_due(&mut self, step: usize) -> bool {
        let due = self.left > 0 && (step + 1).is_multiple_of(self.distance);
        self.left -= usize::from(due);
        due
    }
}

/// Places by their loss, the least first.
fn ranked(losses: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    order
}

fn better_half(losses: &[f64]) -> Vec<usize> {
    let mut order = ranked(losses);
    order.truncate(losses.len().div_ceil(2));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_latent_is_left_for_the_last_part() {
        for (latents, steps) in [(8, 200), (5, 40), (1, 10), (8, 3), (2, 2)] {
            let mut halvings = Halvings::new(latents, steps);
            let mut left = latents;
            let mut last = 0;
            for step in 0..steps {
                if halvings.is_due(step) {
                    left = left.div_ceil(2);
                    last = step + 1;
                }
            }
            if steps >= 4 {
                assert_eq!(left, 1, "{latents} {steps}");
                assert!(steps - last >= steps / 5, "{latents} {steps}: {last}");
            }
        }
        assert_eq!(better_half(&[3.0, 1.0, 2.0, 0.5, 9.0]), [3, 1, 2]);
    }

    #[test]
    fn long_and_short_latents_are_pulled_to_their_length() {
        let loss = |latent: &[f32]| pull_to_length(latent, &mut vec![0.0; latent.len()], 0.5);
        assert_eq!((loss(&[1.0, -1.0, 1.0]), loss(&[0.1, 0.1, 2.0])), (0.0, 0.0));
        let latent = [0.5, -3.0, 2.5];
        let mut gradient = [0.0; 3];
        pull_to_length(&latent, &mut gradient, 0.5);
        for place in 0..3 {
            let moved = |step: f32| {
                let mut latent = latent;
                latent[place] += step;
                loss(&latent)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((slope - f64::from(gradient[place])).abs() < 1e-3, "{slope} {}", gradient[place]);
        }
    }
}
