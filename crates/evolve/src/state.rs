//! What a checkpoint holds: everything that the next generation depends on.
//!
//! Random streams need no state: each draw is a function of (seed, purpose, index).

use crate::estimate::Trust;
use crate::gan::Generator;
use crate::loss::Loss;
use crate::settings::Settings;
use base::Error;
use net::{Device, Graph, Network, Params, Result, Storage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use train::checkpoint::Checkpoint;
use train::{Files, Moments, Pack, TENSORS, Unpack, shapes, trainable_shapes};

/// The best survivor as it is, ready to use.
pub(crate) const GENERATOR: &str = "generator.safetensors";
/// The moving average of the best survivors, ready to use.
pub(crate) const EMA: &str = "ema.safetensors";
/// The discriminator, ready to use.
pub(crate) const DISCRIMINATOR: &str = "discriminator.safetensors";
const NUMBERS: &str = "state.json";

/// Everything that evolves.
#[derive(Clone, Debug)]
pub struct State {
    /// Generations that are finished.
    pub(crate) generation: u64,
    /// Reals that D has learnt from.
    pub(crate) images: u64,
    /// The loader's position.
    pub(crate) position: u64,
    /// The survivors, best first.
    pub(crate) population: Vec<Generator>,
    pub(crate) discriminator: Params,
    pub(crate) d_moments: Moments,
    pub(crate) per_mutation: BTreeMap<Loss, Moments>,
    pub(crate) ema: Option<Params>,
    /// Generations in a row in which samples were alike.
    pub(crate) alike: u64,
    /// The last checks of estimated fitness.
    pub(crate) trust: Trust,
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    generation: u64,
    images: u64,
    position: u64,
    population: Vec<u64>,
    discriminator: u64,
    per_mutation: BTreeMap<Loss, u64>,
    ema: bool,
    #[serde(default)]
    alike: u64,
    #[serde(default)]
    trust: Trust,
}

impl State {
    /// The files of a checkpoint. `average` is the moving average with statistics of its own.
    pub(crate) fn encode(
        &self,
        g: &Arc<Graph>,
        d: &Arc<Graph>,
        average: Option<&Params>,
        notes: &[(String, String)],
    ) -> Result<Files> {
        let model = |graph: &Arc<Graph>, params: &Params| {
            let network = Network { graph: graph.clone(), params: params.clone(), notes: notes.to_vec() };
            network.to_bytes(Storage::F32)
        };
        let mut pack = Pack::default();
        for (i, g) in self.population.iter().enumerate() {
            pack.put(&format!("g{i}.params"), g.params.tensors());
            pack.put_memory(&format!("g{i}."), &g.moments);
        }
        pack.put("d.params", self.discriminator.tensors());
        pack.put_memory("d.", &self.d_moments);
        for (mutation, moments) in &self.per_mutation {
            pack.put_memory(&format!("{mutation}."), moments);
        }
        if let Some(ema) = &self.ema {
            pack.put("ema.params", ema.tensors());
        }
        let numbers = Numbers {
            generation: self.generation,
            images: self.images,
            position: self.position,
            population: self.population.iter().map(|g| g.moments.steps).collect(),
            discriminator: self.d_moments.steps,
            per_mutation: self.per_mutation.iter().map(|(m, moments)| (*m, moments.steps)).collect(),
            ema: self.ema.is_some(),
            alike: self.alike,
            trust: self.trust.clone(),
        };
        let json = serde_json::to_vec_pretty(&numbers).map_err(|e| net::Error::Graph(e.to_string()))?;
        let mut files = vec![(NUMBERS, json), (TENSORS, pack.to_bytes()?)];
        if let Some(best) = self.population.first() {
            files.push((GENERATOR, model(g, &best.params)?));
        }
        files.push((DISCRIMINATOR, model(d, &self.discriminator)?));
        if let Some(average) = average {
            files.push((EMA, model(g, average)?));
        }
        Ok(files)
    }

    /// The state in a checkpoint, of networks `g` and `d` that are trained by `settings`.
    ///
    /// # Errors
    /// The checkpoint is not whole, or not of these settings.
    pub(crate) fn decode(
        checkpoint: &Checkpoint,
        settings: &Settings,
        [g, d]: [&Graph; 2],
        device: &Device,
    ) -> Result<Self> {
        let wrong = |reason: String| Error::file(checkpoint.path.join(NUMBERS), reason);
        let numbers: Numbers =
            serde_json::from_slice(checkpoint.file(NUMBERS)?).map_err(|e| wrong(format!("is not understood: {e}")))?;
        let mu = settings.mu;
        if numbers.population.len() != mu {
            let found = numbers.population.len();
            return Err(wrong(format!("has a population of {found}; the settings ask for mu = {mu}")).into());
        }
        if numbers.ema != (settings.ema > 0.0) {
            let has = if numbers.ema { "has a moving average" } else { "has no moving average" };
            return Err(wrong(format!("{has}; the settings ask for ema = {}", settings.ema)).into());
        }
        if numbers.generation != checkpoint.generation {
            return Err(wrong(format!("is of generation {}", numbers.generation)).into());
        }
        let mut all = Unpack::read(checkpoint, device)?;
        let (g_all, g_trained) = (shapes(g), trainable_shapes(g));
        let (d_all, d_trained) = (shapes(d), trainable_shapes(d));
        let mut population = Vec::new();
        for (i, &steps) in numbers.population.iter().enumerate() {
            let params = Params::new(all.take(&format!("g{i}.params"), &g_all)?);
            let moments = all.take_memory(&format!("g{i}."), steps, &g_trained)?;
            population.push(Generator { params, moments, fakes: None, gradient_norm: 0.0 });
        }
        let discriminator = Params::new(all.take("d.params", &d_all)?);
        let d_moments = all.take_memory("d.", numbers.discriminator, &d_trained)?;
        let mut per_mutation = BTreeMap::new();
        for (&mutation, &steps) in &numbers.per_mutation {
            per_mutation.insert(mutation, all.take_memory(&format!("{mutation}."), steps, &g_trained)?);
        }
        let ema = if numbers.ema { Some(Params::new(all.take("ema.params", &g_all)?)) } else { None };
        all.finish()?;
        let Numbers { generation, images, position, alike, trust, .. } = numbers;
        Ok(Self { generation, images, position, population, discriminator, d_moments, per_mutation, ema, alike, trust })
    }
}
