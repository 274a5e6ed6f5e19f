//! A run: its folder, its logs, its checkpoints, and the loop.

use crate::curves;
use crate::gan::{Gan, Generator};
use crate::generation::{Child, Record, Rules, generation};
use crate::graphs::{Graphs, networks};
use crate::pictures::{self, GRID};
use crate::settings::Settings;
use crate::state::{State, decode, encode};
use base::{Error, files};
use data::{Dataset, Loader, LoaderOptions};
use net::{Device, Graph, Network, Params, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use train::checkpoint::{Checkpoint, Rejected, Store};
use train::signals::{Interrupt, Signal};
use train::{Moments, RunLock, average, memory, run_folder, stats, tensorboard};

/// Latents from which a moving average takes its batch-norm statistics.
const STATISTICS: usize = 256;
/// Samples and reals in the distance of a checkpoint.
const SCORED: usize = 256;
/// Generations between two entries of the TensorBoard file.
const EVENTS: u64 = 10;

/// One line of `stats.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The generation, counted from 1.
    pub generation: u64,
    /// Seconds that this one took.
    pub seconds: f64,
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

/// How a run begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// From nothing.
    New,
    /// From a checkpoint; the newer ones in the list were passed over.
    Resumed {
        /// The generation of the checkpoint.
        generation: u64,
        /// Corrupt checkpoints, with what is wrong.
        rejected: Vec<(PathBuf, String)>,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All generations are done.
    Finished,
    /// Interrupted; everything is saved.
    Interrupted(Signal),
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
    /// Opens the data set of the settings.
    ///
    /// # Errors
    /// As [`data::open`]; or the data are points while the networks are for images, or the other way round.
    pub fn data(settings: &Settings) -> Result<Arc<Dataset>> {
        let points = settings.network == crate::Family::Mlp;
        let channels = match settings.image.channels {
            1 => data::Channels::Grey,
            3 => data::Channels::Rgb,
            _ => data::Channels::Native,
        };
        let options = data::Options {
            size: Some(settings.image.size),
            channels,
            flip: settings.image.flip,
            seed: settings.seed,
            ..data::Options::default()
        };
        let set = data::open(&settings.data, &options)?;
        if points != set.toy().is_some() {
            let hint = if points { "Choose network=dcgan for images." } else { "Choose network=mlp for points." };
            return Err(Error::setting("network", format!("does not fit the data {}", settings.data))
                .with_hint(hint.to_string())
                .into());
        }
        Ok(Arc::new(set))
    }

    /// Starts a new run in `folder`, which must be new or empty.
    ///
    /// # Errors
    /// The folder holds something, cannot be written, or settings and data do not fit.
    pub fn start(settings: Settings, folder: &Path, device: Device) -> Result<Self> {
        let set = Self::data(&settings)?;
        let (g, d) = networks(&settings, set.shape());
        Graphs::new(&g, &d, has_penalty(&settings))?;
        run_folder::create(folder)?;
        let lock = RunLock::acquire(folder)?;
        Self::begin(settings, folder, device, lock, set)
    }

    /// A run from its first generation, in a folder that is ours.
    fn begin(settings: Settings, folder: &Path, device: Device, lock: RunLock, set: Arc<Dataset>) -> Result<Self> {
        let (g, d) = networks(&settings, set.shape());
        let graphs = Graphs::new(&g, &d, has_penalty(&settings))?;
        files::write_atomic(folder.join(run_folder::CONFIG), settings.to_toml().as_bytes())?;
        let population = (0..settings.mu)
            .map(|i| {
                let params = Network::initial(g.clone(), settings.seed, &format!("generator {i}"), &device).params;
                Generator { moments: Moments::zero(&graphs.g.graph, &params), params, fakes: None, gradient_norm: 0.0 }
            })
            .collect::<Vec<_>>();
        let discriminator = Network::initial(d.clone(), settings.seed, "discriminator", &device).params;
        let state = State {
            generation: 0,
            images: 0,
            position: 0,
            ema: (settings.ema > 0.0).then(|| population[0].params.clone()),
            population,
            d_moments: Moments::zero(&graphs.d.graph, &discriminator),
            discriminator,
            per_mutation: std::collections::BTreeMap::new(),
        };
        let n = GRID.min(set.len().unwrap_or(GRID));
        let shape = [&[n], set.shape()].concat();
        files::write_atomic(folder.join("reals.png"), &pictures::picture(&set, &shape, &pictures::reals(&set, n)?)?)?;
        let store = Store::create(&lock)?;
        let stats = stats::Writer::resume(folder.join("stats.jsonl"), 0)?;
        let events = tensorboard::Writer::create(folder, None)?;
        Ok(Self {
            settings,
            folder: folder.to_owned(),
            set,
            g: Arc::new(g),
            d: Arc::new(d),
            graphs,
            device,
            state,
            store,
            stats,
            events,
            best: None,
            start: Start::New,
            _lock: lock,
        })
    }

    /// Reads the settings of a run.
    ///
    /// # Errors
    /// The folder holds no run.
    pub fn settings_of(folder: &Path) -> Result<Settings> {
        if !run_folder::is_run(folder) {
            return Err(Error::file(folder, format!("is not a run folder: it holds no {}", run_folder::CONFIG))
                .with_hint("Give the folder that `ganatomy evolve` made.".to_string())
                .into());
        }
        let path = folder.join(run_folder::CONFIG);
        let bytes = files::read(&path, 1 << 20)?;
        Ok(Settings::parse(&String::from_utf8_lossy(&bytes), &path)?)
    }

    /// Goes on with a run from its newest valid checkpoint, with `settings` (those of the run, but for its length and
    /// logs); without a checkpoint from the beginning.
    ///
    /// # Errors
    /// The folder holds no run; other settings than the run's (all differences are listed); no checkpoint is valid.
    pub fn resume(folder: &Path, settings: Settings, device: Device) -> Result<Self> {
        let stored = Self::settings_of(folder)?;
        let differences = stored.differences(&settings);
        if !differences.is_empty() {
            return Err(Error::file(folder, format!("was made with other settings ({})", differences.join("; ")))
                .with_hint("Resume without these changes, or start a new run with `ganatomy evolve`.".to_string())
                .into());
        }
        let lock = RunLock::acquire(folder)?;
        let store = Store::create(&lock)?;
        let set = Self::data(&settings)?;
        let (g, d) = networks(&settings, set.shape());
        let graphs = Graphs::new(&g, &d, has_penalty(&settings))?;
        if store.list()?.is_empty() {
            // It died before its first checkpoint: the same settings give the same run from its start.
            return Self::begin(settings, folder, device, lock, set);
        }
        let (checkpoint, rejected): (Checkpoint, Vec<Rejected>) = store.newest_valid()?;
        let state = decode(&checkpoint, &g, &d, &device)?;
        files::write_atomic(folder.join(run_folder::CONFIG), settings.to_toml().as_bytes())?;
        let stats = stats::Writer::resume(folder.join("stats.jsonl"), state.generation)?;
        let events = tensorboard::Writer::create(folder, Some(state.generation))?;
        let best = store.best()?.map(|b| b.score);
        let rejected = rejected.into_iter().map(|r| (r.path, r.reason)).collect();
        Ok(Self {
            start: Start::Resumed { generation: state.generation, rejected },
            settings,
            folder: folder.to_owned(),
            set,
            g: Arc::new(g),
            d: Arc::new(d),
            graphs,
            device,
            state,
            store,
            stats,
            events,
            best,
            _lock: lock,
        })
    }

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
            if last || (save && signal.is_none()) {
                stats.distance = Some(self.distance()?);
            }
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
                self.save(stats.distance)?;
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

    fn save(&mut self, distance: Option<f64>) -> Result<()> {
        let average = if self.state.ema.is_some() { Some(self.generator()?.params) } else { None };
        let files = encode(&self.state, &self.g, &self.d, average.as_ref(), &self.notes())?;
        let contents: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        self.stats.sync()?;
        self.store.save(self.state.generation, &contents, &self.settings.hash(), self.settings.log.keep.max(1))?;
        if let Some(distance) = distance.filter(|d| d.is_finite() && self.best.is_none_or(|best| *d < best)) {
            self.store.mark_best(self.state.generation, distance)?;
            self.best = Some(distance);
        }
        Ok(())
    }

    fn distance(&self) -> Result<f64> {
        let network = self.generator()?;
        let s = &self.settings;
        let z = s.latent_law.batch(SCORED, &[s.latent], s.seed, "score", 0, &self.device);
        let (shape, fakes) = pictures::samples(&network, &z, &self.device)?;
        let reals = pictures::reals(&self.set, SCORED.min(self.set.len().unwrap_or(SCORED)))?;
        Ok(pictures::distance(&shape, &fakes, &reals))
    }

    fn write_samples(&mut self) -> Result<()> {
        let network = self.generator()?;
        let seeds: Vec<u64> = (0..if self.set.toy().is_some() { 1000 } else { GRID as u64 }).collect();
        let (shape, values) = pictures::samples(&network, &network.latents(&seeds, &self.device), &self.device)?;
        let png = pictures::picture(&self.set, &shape, &values)?;
        let generation = self.state.generation;
        files::write_atomic(self.folder.join(format!("samples-{generation:06}.png")), &png)?;
        Ok(self.events.png(generation, "samples", &png)?)
    }

    fn write_curves(&self) -> Result<()> {
        let stats: Vec<Stats> = stats::read(self.folder.join("stats.jsonl"))?;
        for (name, svg) in curves::charts(&stats) {
            files::write_atomic(self.folder.join(name), svg.as_bytes())?;
        }
        Ok(())
    }

    fn write_events(&mut self, s: &Stats) -> Result<()> {
        let best = s.survivors.first().and_then(|&i| s.children.get(i));
        let some = [
            ("fitness/fq", best.and_then(|c| c.fq)),
            ("fitness/fd", best.and_then(|c| c.fd)),
            ("fitness/f", best.and_then(|c| c.f)),
            ("loss/discriminator", Some(s.d_loss)),
            ("gradient/generator", Some(s.g_gradient)),
            ("gradient/discriminator", Some(s.d_gradient)),
            ("speed/images_per_second", Some(s.images_per_second)),
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
    fn stopped(&self, error: net::Error) -> net::Error {
        if let net::Error::File(Error::NonFinite { what, value, generation, .. }) = &error {
            let dump = serde_json::json!({
                "what": what, "value": value.to_string(), "generation": generation + 1,
                "d_loss_settings": self.settings.d_loss.name(), "lr_g": self.settings.lr_g, "lr_d": self.settings.lr_d,
            });
            let path = self.folder.join(format!("nonfinite-{:06}.json", generation + 1));
            // The error itself is what matters; a second one on top of it would only hide it.
            drop(files::write_atomic(path, dump.to_string().as_bytes()));
        }
        error
    }
}

fn has_penalty(settings: &Settings) -> bool {
    let p = settings.penalty;
    p.gp > 0.0 || p.r1 > 0.0 || p.r2 > 0.0
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
