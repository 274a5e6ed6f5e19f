//! A run: its folder, its logs, its checkpoints, and the loop.

mod open;
mod write;

use crate::gan::Gan;
use crate::generation::{Child, Record, Rules, generation};
use crate::graphs::Graphs;
use crate::settings::Settings;
use crate::state::State;
use data::{Dataset, Loader, LoaderOptions};
use net::{Device, Graph, Params, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use train::checkpoint::Store;
use train::signals::Interrupt;
use train::{Outcome, RunLock, Start, average, memory, stats, tensorboard};

/// Generations between two entries of the TensorBoard file.
const EVENTS: u64 = 10;

/// One line of `stats.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The generation, counted from 1.
    pub generation: u64,
    /// Seconds that this one took.
    pub seconds: f64,
    /// Seconds of it that went into getting the reals: what the loader had not ready.
    #[serde(default)]
    pub loading: f64,
    /// Reals that the discriminator has learnt from so far.
    pub images: u64,
    /// The contestants.
    pub children: Vec<Child>,
    /// Places of the survivors among them, best first.
    pub survivors: Vec<usize>,
    /// Mean loss of the discriminator.
    pub d_loss: f64,
    /// Length of the best survivor's last gradient.
    pub g_gradient: f64,
    /// Length of the discriminator's last gradient.
    pub d_gradient: f64,
    /// Reals per second in this generation.
    pub images_per_second: f64,
    /// Resident memory in bytes.
    pub memory: Option<u64>,
    /// Mean variance of the values over the best survivor's samples: near 0 when the generator has collapsed. `null` where
    /// nothing was sampled.
    pub sample_variance: Option<f64>,
    /// Distance of the saved generator to the reals (a rough squared MMD), where a checkpoint was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
}

/// A run that is open: it holds the folder's lock.
pub struct Evolution {
    settings: Settings,
    folder: PathBuf,
    set: Arc<Dataset>,
    g: Arc<Graph>,
    d: Arc<Graph>,
    graphs: Graphs,
    device: Device,
    state: State,
    store: Store,
    stats: stats::Writer,
    events: tensorboard::Writer,
    best: Option<f64>,
    start: Start,
    _lock: RunLock,
}

impl Evolution {
    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The run folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it began.
    pub fn begun(&self) -> &Start {
        &self.start
    }

    /// Generations that are done.
    pub fn done(&self) -> u64 {
        self.state.generation
    }

    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.set
    }

    /// Numbers that training changes, of generator and discriminator.
    pub fn parameters(&self) -> (usize, usize) {
        let count = |graph: &Graph, params: &Params| {
            train::trainable(graph).into_iter().map(|i| params.tensors()[i].len()).sum()
        };
        (count(&self.g, &self.state.population[0].params), count(&self.d, &self.state.discriminator))
    }

    /// Evolves until all generations are done or a signal asks to stop; `watch` sees every generation.
    ///
    /// # Errors
    /// A value that is not finite (the last checkpoint stays, and a file tells what it was), or a file that cannot be
    /// written.
    pub fn run(&mut self, interrupt: &Interrupt, mut watch: impl FnMut(&Stats)) -> Result<Outcome> {
        let settings = self.settings.clone();
        let graphs = self.graphs.clone();
        let options = LoaderOptions { seed: settings.seed, workers: 1, ..LoaderOptions::default() };
        let mut loader = Loader::new(self.set.clone(), options)?;
        loader.seek(self.state.position);
        let mut gan = Gan::new(&graphs, &settings, loader, self.state.discriminator.clone(), self.device.clone());
        gan.d_moments = self.state.d_moments.clone();
        gan.per_mutation = self.state.per_mutation.clone();
        let rules = Rules {
            mutations: settings.mutations.clone(),
            mu: settings.mu,
            gamma: settings.gamma,
            selection: settings.selection,
            d_steps: settings.d_steps,
            seed: settings.seed,
        };
        let log = settings.log;
        let due = |every: u64, generation: u64| every > 0 && generation.is_multiple_of(every);

        while self.state.generation < settings.generations {
            let started = Instant::now();

            // One generation.
            let mut population = std::mem::take(&mut self.state.population);
            let record = match generation(&mut gan, &mut population, &rules, self.state.generation) {
                Ok(record) => record,
                Err(error) => return Err(self.stopped(error)),
            };
            let variance =
                population[0].fakes.as_ref().map(|fakes| variance_over_samples(&fakes.shape(), &fakes.to_vec()));
            population.iter_mut().for_each(|g| g.fakes = None);

            // The state moves only when the generation is whole.
            self.state.generation += 1;
            self.state.images += (settings.batch * settings.d_steps) as u64;
            self.state.position = gan.loader.position();
            self.state.population = population;
            self.state.discriminator = gan.discriminator.clone();
            self.state.d_moments = gan.d_moments.clone();
            self.state.per_mutation = gan.per_mutation.clone();
            if let Some(ema) = &mut self.state.ema {
                // A young average follows fast, as long as it has seen little.
                let decay =
                    settings.ema.min((1.0 + self.state.generation as f64) / (10.0 + self.state.generation as f64));
                *ema = average(ema, &self.state.population[0].params, decay);
            }

            // Records, pictures, checkpoints.
            let now = self.state.generation;
            let last = now == settings.generations;
            let signal = interrupt.requested();
            let save = last || signal.is_some() || due(log.checkpoint, now);
            let seconds = started.elapsed().as_secs_f64();
            let mut stats = Self::line(&self.state, record, &gan, seconds, variance, &settings);
            let distance = if last || (save && signal.is_none()) { Some(self.distance()?) } else { None };
            stats.distance = distance.map(|distance| distance.value);
            self.stats.append(&stats)?;
            if due(EVENTS, now) || last {
                self.write_events(&stats)?;
            }
            if due(log.samples, now) || last {
                self.write_samples()?;
                self.write_curves()?;
            }
            watch(&stats);
            if save {
                self.save(distance)?;
            }
            if let Some(signal) = signal {
                return Ok(Outcome::Interrupted(signal));
            }
        }
        Ok(Outcome::Finished)
    }

    fn line(
        state: &State,
        record: Record,
        gan: &Gan,
        seconds: f64,
        sample_variance: Option<f64>,
        settings: &Settings,
    ) -> Stats {
        Stats {
            generation: state.generation,
            seconds,
            loading: gan.loading,
            images: state.images,
            children: record.children,
            survivors: record.survivors,
            d_loss: record.d_loss,
            g_gradient: state.population[0].gradient_norm,
            d_gradient: gan.d_gradient_norm,
            images_per_second: (settings.batch * settings.d_steps) as f64 / seconds.max(1e-9),
            memory: memory::resident(),
            sample_variance,
            distance: None,
        }
    }
}

/// Variance over the samples of each value, averaged over the values.
fn variance_over_samples(shape: &[usize], values: &[f32]) -> f64 {
    let n = shape.first().copied().unwrap_or(1).max(1);
    let each = values.len() / n;
    let (mut sum, mut squares) = (vec![0.0f64; each], vec![0.0f64; each]);
    for sample in values.chunks_exact(each.max(1)) {
        for ((s, q), &v) in sum.iter_mut().zip(&mut squares).zip(sample) {
            *s += f64::from(v);
            *q += f64::from(v) * f64::from(v);
        }
    }
    let n = n as f64;
    let total: f64 = sum.iter().zip(&squares).map(|(s, q)| (q / n - (s / n) * (s / n)).max(0.0)).sum();
    total / each.max(1) as f64
}
