//! How a run begins: from nothing or from a checkpoint.

use super::Evolution;
use crate::gan::Generator;
use crate::graphs::{Graphs, networks};
use crate::pictures::{self, GRID};
use crate::settings::{BrokenImages, Settings};
use crate::state::{State, decode};
use base::{Error, files};
use data::Dataset;
use net::{Device, Network, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use train::checkpoint::{Checkpoint, Rejected, Store};
use train::{Moments, RunLock, Start, run_folder, stats, tensorboard};

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
            broken: match settings.image.broken {
                BrokenImages::Refuse => data::Broken::Refuse,
                BrokenImages::Skip => data::Broken::Skip,
            },
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

    /// Starts a new run in a folder that `place` makes once settings and data are known to be good:
    /// [`run_folder::create`] or [`run_folder::create_next`].
    ///
    /// # Errors
    /// Settings and data do not fit, the first images cannot be read, or the folder cannot be made.
    pub fn start(settings: Settings, device: Device, place: impl FnOnce() -> base::Result<PathBuf>) -> Result<Self> {
        let set = Self::data(&settings)?;
        let (g, d) = networks(&settings, set.shape());
        Graphs::new(&g, &d, has_penalty(&settings))?;
        let reals = reals_picture(&set)?;
        let folder = place()?;
        let lock = RunLock::acquire(&folder)?;
        Self::begin(settings, &folder, device, lock, set, &reals)
    }

    /// A run from its first generation, in a folder that is ours.
    fn begin(
        settings: Settings,
        folder: &Path,
        device: Device,
        lock: RunLock,
        set: Arc<Dataset>,
        reals: &[u8],
    ) -> Result<Self> {
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
        files::write_atomic(folder.join("reals.png"), reals)?;
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
                .with_hint("Give the folder that `evolve` made.".to_string())
                .into());
        }
        Ok(Settings::read(&folder.join(run_folder::CONFIG))?)
    }

    /// Goes on with a run from its newest valid checkpoint, with `settings` (those of the run, but for its length and
    /// logs); without a checkpoint from the beginning.
    ///
    /// # Errors
    /// The folder holds no run; other settings than the run's (all differences are listed); fewer generations than are done;
    /// no checkpoint is valid.
    pub fn resume(folder: &Path, settings: Settings, device: Device) -> Result<Self> {
        let stored = Self::settings_of(folder)?;
        let differences = stored.differences(&settings);
        if !differences.is_empty() {
            return Err(Error::file(folder, format!("was made with other settings ({})", differences.join("; ")))
                .with_hint("Resume without these changes, or start a new run with `evolve`.".to_string())
                .into());
        }
        let lock = RunLock::acquire(folder)?;
        let store = Store::create(&lock)?;
        run_folder::sweep(folder)?;
        let set = Self::data(&settings)?;
        let (g, d) = networks(&settings, set.shape());
        let graphs = Graphs::new(&g, &d, has_penalty(&settings))?;
        if store.list()?.is_empty() {
            // It died before its first checkpoint: the same settings give the same run from its start.
            let reals = reals_picture(&set)?;
            return Self::begin(settings, folder, device, lock, set, &reals);
        }
        let (checkpoint, rejected): (Checkpoint, Vec<Rejected>) = store.newest_valid()?;
        let state = decode(&checkpoint, &g, &d, &device)?;
        if settings.generations < state.generation {
            let reason = format!("is {}, but {} are done already", settings.generations, state.generation);
            return Err(Error::setting("generations", reason)
                .with_hint("Ask for more, those already done included, or leave it out.".to_string())
                .into());
        }
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
}

fn reals_picture(set: &Dataset) -> Result<Vec<u8>> {
    let n = GRID.min(set.len().unwrap_or(GRID));
    let shape = [&[n], set.shape()].concat();
    Ok(pictures::picture(set, &shape, &pictures::reals(set, n)?)?)
}

fn has_penalty(settings: &Settings) -> bool {
    let p = settings.penalty;
    p.gp > 0.0 || p.r1 > 0.0 || p.r2 > 0.0
}
