//! What a run writes: networks with notes, samples, curves, events.

use super::{Evolution, Stats};
use crate::curves;
use crate::pictures::{self, Distance, GRID};
use crate::state::State;
use base::files;
use net::{Network, Result};
use std::path::Path;
use train::tensorboard;

/// Latents from which a moving average takes its batch-norm statistics.
const STATISTICS: usize = 256;
/// Samples and reals in the distance of a checkpoint.
const SCORED: usize = 256;

impl Evolution {
    /// The generator that people should use: the moving average with statistics of its own, else the best survivor.
    pub(super) fn generator(&self, state: &State) -> Result<Network> {
        let params = match &state.ema {
            Some(ema) => {
                let s = &self.settings;
                let z = s.latent_law.batch(STATISTICS, &[s.latent], s.seed, "statistics", 0, &self.device);
                pictures::with_own_statistics(&self.g, ema, &z)?
            }
            None => state.population[0].params.clone(),
        };
        Ok(Network { graph: self.g.clone(), params, notes: self.notes(state) })
    }

    pub(super) fn notes(&self, state: &State) -> Vec<(String, String)> {
        let s = &self.settings;
        [
            ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
            ("trained on", files::name_of(self.set.name())),
            ("preset", s.preset.clone()),
            ("seed", s.seed.to_string()),
            ("generation", state.generation.to_string()),
            ("images", state.images.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    pub(super) fn distance(&self, state: &State) -> Result<Distance> {
        let network = self.generator(state)?;
        let s = &self.settings;
        let z = s.latent_law.batch(SCORED, &[s.latent], s.seed, "score", 0, &self.device);
        let (shape, fakes) = pictures::samples(&network, &z, &self.device)?;
        let reals = pictures::reals(&self.set, SCORED.min(self.set.len().unwrap_or(SCORED)))?;
        Ok(pictures::distance(&shape, &fakes, &reals))
    }

    pub(super) fn write_samples(&self, state: &State, folder: &Path, events: &mut tensorboard::Writer) -> Result<()> {
        let network = self.generator(state)?;
        let seeds: Vec<u64> = (0..if self.set.toy().is_some() { 1000 } else { GRID as u64 }).collect();
        let (shape, values) = pictures::samples(&network, &network.latents(&seeds, &self.device), &self.device)?;
        let png = pictures::picture(&self.set, &shape, &values)?;
        let generation = state.generation;
        files::write_atomic(folder.join(format!("samples-{generation:06}.png")), &png)?;
        Ok(events.png(generation, "samples", &png)?)
    }
}

pub(super) fn curves(stats: &[Stats], folder: &Path) -> Result<()> {
    Ok(files::write_atomic(folder.join(curves::FILE), curves::chart(stats).as_bytes())?)
}

pub(super) fn events(events: &mut tensorboard::Writer, s: &Stats) -> Result<()> {
    let best = s.survivors.first().and_then(|&i| s.children.get(i));
    let some = [
        ("fitness/fq", best.and_then(|c| c.fq)),
        ("fitness/fd", best.and_then(|c| c.fd)),
        ("fitness/f", best.and_then(|c| c.f)),
        ("fitness/agreement", s.check.as_ref().map(|check| check.agreement)),
        ("fitness/regret", s.check.as_ref().map(|check| check.regret)),
        ("fitness/error", s.check.as_ref().map(|check| check.error)),
        ("fitness/clear", s.check.as_ref().map(|check| check.clear)),
        ("loss/discriminator", Some(s.d_loss)),
        ("gradient/generator", Some(s.g_gradient)),
        ("gradient/discriminator", Some(s.d_gradient)),
        ("speed/images_per_second", Some(s.images_per_second)),
        ("speed/loading", Some(s.loading / s.seconds.max(1e-9))),
        ("samples/variance", s.sample_variance),
        ("samples/modes", s.modes.map(|modes| modes as f64)),
        ("discriminator/accuracy", s.d_accuracy),
        ("samples/distance", s.distance),
        ("samples/collapsed", Some(f64::from(u8::from(s.collapsed)))),
    ];
    for (tag, value) in some {
        if let Some(value) = value {
            events.scalar(s.generation, tag, value)?;
        }
    }
    if let Some(score) = &s.score {
        events.scalar(s.generation, &format!("score/{}", score.name), score.value)?;
    }
    Ok(())
}
