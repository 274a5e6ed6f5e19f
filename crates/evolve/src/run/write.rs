//! What a run writes: networks with notes, samples, curves, events.

use super::{Evolution, Stats};
use crate::curves;
use crate::labelled::Labelled;
use crate::pictures::{self, Distance, GRID, by_class};
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
            Some(ema) => pictures::with_own_statistics(&self.g, ema, &self.latents(STATISTICS, "statistics"))?,
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
        .into_iter()
        .chain(self.classes.iter().flat_map(|classes| net::class_notes(&classes.names, &classes.counts)))
        .collect()
    }

    /// Latents of the run's own, with classes as the data have them.
    fn latents(&self, n: usize, purpose: &str) -> Labelled {
        Labelled::latents(&self.settings, self.classes.as_deref(), n, purpose, 0, &self.device)
    }

    pub(super) fn distance(&self, state: &State) -> Result<Distance> {
        let network = self.generator(state)?;
        let (shape, fakes) = pictures::samples(&network, &self.latents(SCORED, "score"), &self.device)?;
        let reals = pictures::reals(&self.set, SCORED.min(self.set.len().unwrap_or(SCORED)))?;
        Ok(pictures::distance(&shape, &fakes, &reals))
    }

    pub(super) fn write_samples(&self, state: &State, folder: &Path, events: &mut tensorboard::Writer) -> Result<()> {
        let network = self.generator(state)?;
        let png = match &self.classes {
            Some(classes) => {
                let z = by_class::latents(&network, classes, &self.device);
                let (shape, values) = pictures::samples(&network, &z, &self.device)?;
                by_class::picture(classes, &shape, &values)?
            }
            None => {
                let seeds: Vec<u64> = (0..if self.set.toy().is_some() { 1000 } else { GRID as u64 }).collect();
                let z = network.latents(&seeds, &self.device).into();
                let (shape, values) = pictures::samples(&network, &z, &self.device)?;
                pictures::picture(&self.set, &shape, &values)?
            }
        };
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
        ("rate/generator", s.lr_g),
        ("rate/discriminator", s.lr_d),
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
