//! What a run begins with: its data, its networks, its first generation.

use super::judge::Judge;
use super::{Evolution, memory, warm};
use crate::collapse;
use crate::estimate::Trust;
use crate::gan::Generator;
use crate::graphs::{Graphs, by_class, networks};
use crate::pictures::{self, GRID, by_class};
use crate::settings::{BrokenImages, Settings};
use crate::state::{DISCRIMINATOR, State};
use base::Error;
use data::Dataset;
use net::{Device, Network, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use train::Moments;

impl Evolution {
    /// Opens the data set of the settings.
    ///
    /// # Errors
    /// As [`data::open`]; or the data are points while the networks are for images, or the other way round.
    pub fn data(settings: &Settings) -> Result<Arc<Dataset>> {
        let points = settings.network == crate::Family::Mlp;
        let set = data::open(&settings.data, &options(settings))?;
        if points != set.toy().is_some() {
            let hint = if points { "Choose network=dcgan for images." } else { "Choose network=mlp for points." };
            return Err(Error::setting("network", format!("does not fit the data {}", settings.data))
                .with_hint(hint.to_string())
                .into());
        }
        Ok(Arc::new(set))
    }

    /// What settings and data make.
    pub(super) fn of(settings: Settings, device: Device) -> Result<Self> {
        let set = Self::data(&settings)?;
        let classes = settings.classes.then(|| set.classes()).transpose()?.map(Arc::new);
        let (g, d) = networks(&settings, set.shape());
        let (g, d) = match &classes {
            Some(classes) => by_class([&g, &d], classes.len())?,
            None => (g, d),
        };
        let p = settings.penalty;
        let graphs = Graphs::new(&g, &d, p.gp > 0.0 || p.r1 > 0.0 || p.r2 > 0.0)?;
        if device.is_cpu() {
            let cure = "Lower batch, eval, width or width_d, or keep fewer generators (mu).";
            base::memory::check("this training", memory::needed(&settings, &graphs)?, cure)?;
        }
        let mixture = set.toy().and_then(data::toys::Toy::mixture);
        let n = GRID.min(set.len().unwrap_or(GRID));
        let real_variance = collapse::variance(&[n], &pictures::reals(&set, n)?);
        let judge = (settings.score.every > 0).then(|| Judge::open(&settings, &device)).transpose()?;
        let (g, d, taken) = (Arc::new(g), Arc::new(d), OnceLock::new());
        Ok(Self { settings, set, g, d, graphs, device, classes, real_variance, mixture, taken, judge })
    }

    /// The state before the first generation: random weights, or those of another model as far as they fit.
    pub(super) fn first(&self) -> Result<State> {
        let mut state = self.random();
        if self.settings.from.is_empty() {
            return Ok(state);
        }
        let path = Path::new(&self.settings.from);
        let mut params = state.population[0].params.clone();
        let taken = warm::take_file(path, &self.g, &mut params, &self.device)?;
        // A bias that happens to have the right length is no beginning.
        if taken.numbers * 100 < taken.of {
            return Err(Error::file(path, "has hardly any weights that fit the generator of these settings")
                .with_hint("Choose network, width, latent and image.size as it has them: see `inspect`.")
                .into());
        }
        state.ema = state.ema.map(|_| params.clone());
        state.population.iter_mut().for_each(|g| g.params = params.clone());
        // A generator that meets a discriminator which knows nothing forgets what it has learnt.
        let beside = path.with_file_name(DISCRIMINATOR);
        let opponent = if beside.is_file() {
            Some(warm::take_file(&beside, &self.d, &mut state.discriminator, &self.device)?)
        } else {
            None
        };
        self.taken.get_or_init(|| (taken, opponent));
        Ok(state)
    }

    fn random(&self) -> State {
        let s = &self.settings;
        let initial = |graph: &Arc<net::Graph>, purpose: &str| {
            Network::initial(graph.as_ref().clone(), s.seed, purpose, &self.device).params
        };
        let generator = |i: usize| {
            let params = initial(&self.g, &format!("generator {i}"));
            let moments = Moments::zero(&self.graphs.g.graph, &params);
            Generator { moments, params, fakes: None, gradient_norm: 0.0 }
        };
        let population: Vec<Generator> = (0..s.mu).map(generator).collect();
        let discriminator = initial(&self.d, "discriminator");
        State {
            generation: 0,
            images: 0,
            position: 0,
            ema: (s.ema > 0.0).then(|| population[0].params.clone()),
            population,
            d_moments: Moments::zero(&self.graphs.d.graph, &discriminator),
            discriminator,
            per_mutation: BTreeMap::new(),
            alike: 0,
            trust: Trust::default(),
        }
    }

    pub(super) fn reals_picture(&self) -> Result<Vec<u8>> {
        if let Some(classes) = &self.classes {
            let (shape, values) = by_class::reals(&self.set, classes)?;
            return Ok(by_class::picture(classes, &shape, &values)?);
        }
        let n = GRID.min(self.set.len().unwrap_or(GRID));
        let shape = [&[n], self.set.shape()].concat();
        Ok(pictures::picture(&self.set, &shape, &pictures::reals(&self.set, n)?)?)
    }
}

/// How a training sees its images.
pub(crate) fn options(settings: &Settings) -> data::Options {
    data::Options {
        size: Some(settings.image.size),
        channels: match settings.image.channels {
            1 => data::Channels::Grey,
            3 => data::Channels::Rgb,
            _ => data::Channels::Native,
        },
        flip: settings.image.flip,
        seed: settings.seed,
        broken: match settings.image.broken {
            BrokenImages::Refuse => data::Broken::Refuse,
            BrokenImages::Skip => data::Broken::Skip,
        },
        ..data::Options::default()
    }
}
