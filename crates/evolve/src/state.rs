//! What a checkpoint holds: everything that the next generation depends on.
//!
//! Random streams need no state: each draw is a function of (seed, purpose, index).

use crate::gan::Generator;
use crate::loss::Loss;
use base::{Error, Result};
use net::{Device, Graph, Network, Params, Storage, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use train::Moments;
use train::checkpoint::Checkpoint;

/// The best survivor as it is, ready to use.
pub(crate) const GENERATOR: &str = "generator.safetensors";
/// The moving average of the best survivors, ready to use.
pub(crate) const EMA: &str = "ema.safetensors";
/// The discriminator, ready to use.
pub(crate) const DISCRIMINATOR: &str = "discriminator.safetensors";
const TENSORS: &str = "state.safetensors";
const NUMBERS: &str = "state.json";

/// Everything that evolves.
#[derive(Clone, Debug)]
pub(crate) struct State {
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
}

/// The files of a checkpoint. `average` is the moving average with statistics of its own.
pub(crate) fn encode(
    state: &State,
    g: &Arc<Graph>,
    d: &Arc<Graph>,
    average: Option<&Params>,
    notes: &[(String, String)],
) -> net::Result<Vec<(&'static str, Vec<u8>)>> {
    let network = |graph: &Arc<Graph>, params: &Params| Network {
        graph: graph.clone(),
        params: params.clone(),
        notes: notes.to_vec(),
    };
    let mut groups: Vec<(String, &[Tensor])> = Vec::new();
    for (i, g) in state.population.iter().enumerate() {
        groups.push((format!("g{i}.params"), g.params.tensors()));
        groups.push((format!("g{i}.first"), &g.moments.first));
        groups.push((format!("g{i}.second"), &g.moments.second));
    }
    groups.push(("d.params".into(), state.discriminator.tensors()));
    groups.push(("d.first".into(), &state.d_moments.first));
    groups.push(("d.second".into(), &state.d_moments.second));
    for (mutation, moments) in &state.per_mutation {
        groups.push((format!("{mutation}.first"), &moments.first));
        groups.push((format!("{mutation}.second"), &moments.second));
    }
    if let Some(ema) = &state.ema {
        groups.push(("ema.params".into(), ema.tensors()));
    }
    let mut tensors: Vec<(String, &Tensor)> = Vec::new();
    for (prefix, values) in &groups {
        tensors.extend(values.iter().enumerate().map(|(k, tensor)| (format!("{prefix}.{k}"), tensor)));
    }
    let numbers = Numbers {
        generation: state.generation,
        images: state.images,
        position: state.position,
        population: state.population.iter().map(|g| g.moments.steps).collect(),
        discriminator: state.d_moments.steps,
        per_mutation: state.per_mutation.iter().map(|(m, moments)| (*m, moments.steps)).collect(),
        ema: state.ema.is_some(),
    };
    let json = serde_json::to_vec_pretty(&numbers).map_err(|e| net::Error::Graph(e.to_string()))?;
    let mut files = vec![(NUMBERS, json), (TENSORS, net::tensors_to_bytes(&tensors)?)];
    if let Some(best) = state.population.first() {
        files.push((GENERATOR, network(g, &best.params).to_bytes(Storage::F32)?));
    }
    files.push((DISCRIMINATOR, network(d, &state.discriminator).to_bytes(Storage::F32)?));
    if let Some(average) = average {
        files.push((EMA, network(g, average).to_bytes(Storage::F32)?));
    }
    Ok(files)
}

/// The state in a checkpoint.
pub(crate) fn decode(checkpoint: &Checkpoint, g: &Graph, d: &Graph, device: &Device) -> net::Result<State> {
    let path = checkpoint.path.join(TENSORS);
    let numbers: Numbers = serde_json::from_slice(checkpoint.file(NUMBERS)?)
        .map_err(|e| Error::file(checkpoint.path.join(NUMBERS), format!("is not understood: {e}")))?;
    let mut tensors = net::tensors_from_bytes(checkpoint.file(TENSORS)?, &path, device)?;
    let (g_all, g_trained) = (g.params().len(), g.trainable().len());
    let (d_all, d_trained) = (d.params().len(), d.trainable().len());
    let moments = |prefix: &str, steps: u64, n: usize, tensors: &mut HashMap<String, Tensor>| -> Result<Moments> {
        let first = take(tensors, &format!("{prefix}.first"), n, &path)?;
        Ok(Moments { steps, first, second: take(tensors, &format!("{prefix}.second"), n, &path)? })
    };
    let mut population = Vec::new();
    for (i, &steps) in numbers.population.iter().enumerate() {
        let params = Params::new(take(&mut tensors, &format!("g{i}.params"), g_all, &path)?);
        let moments = moments(&format!("g{i}"), steps, g_trained, &mut tensors)?;
        population.push(Generator { params, moments, fakes: None, gradient_norm: 0.0 });
    }
    let discriminator = Params::new(take(&mut tensors, "d.params", d_all, &path)?);
    let d_moments = moments("d", numbers.discriminator, d_trained, &mut tensors)?;
    let mut per_mutation = BTreeMap::new();
    for (&mutation, &steps) in &numbers.per_mutation {
        per_mutation.insert(mutation, moments(mutation.name(), steps, g_trained, &mut tensors)?);
    }
    let ema = if numbers.ema { Some(Params::new(take(&mut tensors, "ema.params", g_all, &path)?)) } else { None };
    let Numbers { generation, images, position, .. } = numbers;
    Ok(State { generation, images, position, population, discriminator, d_moments, per_mutation, ema })
}

fn take(tensors: &mut HashMap<String, Tensor>, prefix: &str, n: usize, path: &Path) -> Result<Vec<Tensor>> {
    let missing = |name: &str| Error::file(path, format!("has no tensor {name:?}"));
    let mut one = |k: usize| {
        let name = format!("{prefix}.{k}");
        tensors.remove(&name).ok_or_else(|| missing(&name))
    };
    (0..n).map(&mut one).collect()
}
