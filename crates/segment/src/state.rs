//! What a checkpoint holds: everything that the next step depends on.
//!
//! Random streams need no state: each draw is a function of (seed, purpose, index).

use crate::Segmenter;
use base::{Error, Result};
use net::{Device, Graph, Network, Params, Storage};
use serde::{Deserialize, Serialize};
use train::checkpoint::Checkpoint;
use train::{Files, Moments, Pack, TENSORS, Unpack, refuse_not_finite, trainable_shapes};

/// The segmenter, ready to use.
pub const SEGMENTER: &str = "segmenter.safetensors";
const NUMBERS: &str = "state.json";

/// Everything that changes while a segmenter learns.
#[derive(Clone, Debug)]
pub struct State {
    /// Steps that are done.
    pub(crate) step: u64,
    /// The loader's position.
    pub(crate) position: u64,
    pub(crate) segmenter: Segmenter,
    pub(crate) moments: Moments,
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    step: u64,
    position: u64,
    adam: u64,
}

impl State {
    /// The segmenter as it is now.
    pub fn segmenter(&self) -> &Segmenter {
        &self.segmenter
    }

    /// The files of a checkpoint.
    pub(crate) fn encode(&self) -> Result<Files> {
        let mut pack = Pack::default();
        pack.put_memory("", &self.moments);
        let numbers = Numbers { step: self.step, position: self.position, adam: self.moments.steps };
        let json = serde_json::to_vec_pretty(&numbers).map_err(|e| Error::setting(NUMBERS, e.to_string()))?;
        Ok(vec![(NUMBERS, json), (TENSORS, pack.to_bytes()?), (SEGMENTER, self.segmenter.to_bytes(Storage::F32)?)])
    }

    /// The state in a checkpoint of a network; `segmenter` makes one of its weights.
    pub(crate) fn decode(
        checkpoint: &Checkpoint,
        graph: &Graph,
        segmenter: impl FnOnce(Params) -> Result<Segmenter>,
        device: &Device,
    ) -> Result<Self> {
        let at = |name: &str| checkpoint.path.join(name);
        let numbers: Numbers = serde_json::from_slice(checkpoint.file(NUMBERS)?)
            .map_err(|e| Error::file(at(NUMBERS), format!("is not understood: {e}")))?;
        let network = Network::from_bytes(checkpoint.file(SEGMENTER)?, &at(SEGMENTER), device)?;
        if *network.graph != *graph {
            return Err(Error::file(at(SEGMENTER), "is another network than the settings of the run ask for"));
        }
        refuse_not_finite(graph, &network.params, &at(SEGMENTER))?;
        if numbers.step != checkpoint.generation {
            return Err(Error::file(at(NUMBERS), format!("is of step {}", numbers.step)));
        }
        let mut all = Unpack::read(checkpoint, device)?;
        let moments = all.take_memory("", numbers.adam, &trainable_shapes(graph))?;
        all.finish()?;
        let segmenter = segmenter(network.params)?;
        Ok(Self { step: numbers.step, position: numbers.position, segmenter, moments })
    }
}
