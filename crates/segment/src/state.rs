//! What a checkpoint holds: everything that the next step depends on.
//!
//! Random streams need no state: each draw is a function of (seed, purpose, index).

use crate::Segmenter;
use base::{Error, Result};
use net::{Device, Graph, Network, Params, Storage, Tensor};
use serde::{Deserialize, Serialize};
use std::path::Path;
use train::Moments;
use train::checkpoint::Checkpoint;

/// The segmenter, ready to use.
pub const SEGMENTER: &str = "segmenter.safetensors";
const TENSORS: &str = "state.safetensors";
const NUMBERS: &str = "state.json";

/// Everything that changes while a segmenter learns.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// Steps that are done.
    pub(crate) step: u64,
    /// The loader's position.
    pub(crate) position: u64,
    pub(crate) params: Params,
    pub(crate) moments: Moments,
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    step: u64,
    position: u64,
    adam: u64,
}

/// The files of a checkpoint; `segmenter` has the parameters of the state.
pub(crate) fn encode(state: &State, segmenter: &Segmenter) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut tensors: Vec<(String, &Tensor)> = Vec::new();
    for (prefix, values) in [("first", &state.moments.first), ("second", &state.moments.second)] {
        tensors.extend(values.iter().enumerate().map(|(k, tensor)| (format!("{prefix}.{k}"), tensor)));
    }
    let numbers = Numbers { step: state.step, position: state.position, adam: state.moments.steps };
    let json = serde_json::to_vec_pretty(&numbers).map_err(|e| Error::setting(NUMBERS, e.to_string()))?;
    Ok(vec![
        (NUMBERS, json),
        (TENSORS, net::tensors_to_bytes(&tensors)?),
        (SEGMENTER, segmenter.to_bytes(Storage::F32)?),
    ])
}

/// The state in a checkpoint of a network.
pub(crate) fn decode(checkpoint: &Checkpoint, graph: &Graph, device: &Device) -> Result<State> {
    let at = |name: &str| checkpoint.path.join(name);
    let numbers: Numbers = serde_json::from_slice(checkpoint.file(NUMBERS)?)
        .map_err(|e| Error::file(at(NUMBERS), format!("is not understood: {e}")))?;
    let network = Network::from_bytes(checkpoint.file(SEGMENTER)?, &at(SEGMENTER), device)?;
    if *network.graph != *graph {
        return Err(Error::file(at(SEGMENTER), "is another network than the settings of the run ask for"));
    }
    let mut tensors = net::tensors_from_bytes(checkpoint.file(TENSORS)?, &at(TENSORS), device)?;
    let mut take = |prefix: &str, path: &Path| -> Result<Vec<Tensor>> {
        let one = |(k, place): (usize, usize)| {
            let name = format!("{prefix}.{k}");
            let tensor = tensors.remove(&name).filter(|t| t.shape() == network.params.tensors()[place].shape());
            tensor.ok_or_else(|| Error::file(path, format!("has no tensor {name:?} of the right shape")))
        };
        train::trainable(graph).into_iter().enumerate().map(one).collect()
    };
    let (first, second) = (take("first", &at(TENSORS))?, take("second", &at(TENSORS))?);
    let moments = Moments { steps: numbers.adam, first, second };
    Ok(State { step: numbers.step, position: numbers.position, params: network.params, moments })
}
