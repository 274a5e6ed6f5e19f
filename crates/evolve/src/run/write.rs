//! What a run writes: checkpoints, samples, curves, events, and why it stopped.

use super::{Evolution, Stats};
use crate::pictures::{self, Distance, GRID};
use crate::{curves, state};
use base::{Error, files};
use net::{Network, Result};
use train::stats;

/// Latents from which a moving average takes its batch-norm statistics.
const STATISTICS: usize = 256;
/// Samples and reals in the distance of a checkpoint.
const SCORED: usize = 256;

impl Evolution {
    /// The generator that people should use: the moving average with statistics of its own, else the best survivor.
    fn generator(&self) -> Result<Network> {
        let params = match &self.state.ema {
            Some(ema) => {
                let s = &self.settings;
                let z = s.latent_law.batch(STATISTICS, &[s.latent], s.seed, "statistics", 0, &self.device);
                pictures::with_own_statistics(&self.g, ema, &z)?
            }
            None => self.state.population[0].params.clone(),
        };
        Ok(Network { graph: self.g.clone(), params, notes: self.notes() })
    }

    fn notes(&self) -> Vec<(String, String)> {
        let s = &self.settings;
        [
            ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
            ("trained on", self.set.name().to_owned()),
            ("preset", s.preset.clone()),
            ("seed", s.seed.to_string()),
            ("generation", self.state.generation.to_string()),
            ("images", self.state.images.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    pub(super) fn save(&mut self, distance: Option<Distance>) -> Result<()> {
        let average = if self.state.ema.is_some() { Some(self.generator()?.params) } else { None };
        let files = state::encode(&self.state, &self.g, &self.d, average.as_ref(), &self.notes())?;
        let contents: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        self.stats.sync()?;
        self.store.save(self.state.generation, &contents, &self.settings.hash(), self.settings.log.keep.max(1))?;
        if let Some(distance) = distance.filter(|distance| distance.replaces(self.best)) {
            self.store.mark_best(self.state.generation, distance.value)?;
            self.best = Some(distance.value);
        }
        Ok(())
    }

    pub(super) fn distance(&self) -> Result<Distance> {
        let network = self.generator()?;
        let s = &self.settings;
        let z = s.latent_law.batch(SCORED, &[s.latent], s.seed, "score", 0, &self.device);
        let (shape, fakes) = pictures::samples(&network, &z, &self.device)?;
        let reals = pictures::reals(&self.set, SCORED.min(self.set.len().unwrap_or(SCORED)))?;
        Ok(pictures::distance(&shape, &fakes, &reals))
    }

    pub(super) fn write_samples(&mut self) -> Result<()> {
        let network = self.generator()?;
        let seeds: Vec<u64> = (0..if self.set.toy().is_some() { 1000 } else { GRID as u64 }).collect();
        let (shape, values) = pictures::samples(&network, &network.latents(&seeds, &self.device), &self.device)?;
        let png = pictures::picture(&self.set, &shape, &values)?;
        let generation = self.state.generation;
        files::write_atomic(self.folder.join(format!("samples-{generation:06}.png")), &png)?;
        Ok(self.events.png(generation, "samples", &png)?)
    }

    pub(super) fn write_curves(&self) -> Result<()> {
        let stats: Vec<Stats> = stats::read(self.folder.join("stats.jsonl"))?;
        for (name, svg) in curves::charts(&stats) {
            files::write_atomic(self.folder.join(name), svg.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn write_events(&mut self, s: &Stats) -> Result<()> {
        let best = s.survivors.first().and_then(|&i| s.children.get(i));
        let some = [
            ("fitness/fq", best.and_then(|c| c.fq)),
            ("fitness/fd", best.and_then(|c| c.fd)),
            ("fitness/f", best.and_then(|c| c.f)),
            ("loss/discriminator", Some(s.d_loss)),
            ("gradient/generator", Some(s.g_gradient)),
            ("gradient/discriminator", Some(s.d_gradient)),
            ("speed/images_per_second", Some(s.images_per_second)),
            ("speed/loading", Some(s.loading / s.seconds.max(1e-9))),
            ("samples/variance", s.sample_variance),
            ("samples/distance", s.distance),
        ];
        for (tag, value) in some {
            if let Some(value) = value {
                self.events.scalar(s.generation, tag, value)?;
            }
        }
        Ok(())
    }

    /// Writes down why the run stopped, beside the checkpoints, which stay as they are.
    pub(super) fn stopped(&self, error: net::Error) -> net::Error {
        if let net::Error::File(Error::NonFinite { what, value, generation, .. }) = &error {
            let dump = serde_json::json!({
                "what": what, "value": value.to_string(), "generation": generation,
                "d_loss_settings": self.settings.d_loss.name(), "lr_g": self.settings.lr_g, "lr_d": self.settings.lr_d,
            });
            let path = self.folder.join(format!("nonfinite-{generation:06}.json"));
            // The error itself is what matters; a second one on top of it would only hide it.
            drop(files::write_atomic(path, dump.to_string().as_bytes()));
        }
        error
    }
}
