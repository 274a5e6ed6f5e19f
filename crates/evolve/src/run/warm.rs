//! A run that begins with weights that were learnt before.

use net::{Device, Graph, Network, Params, Result};
use std::collections::HashMap;
use std::path::Path;

/// How much of a network was taken from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Numbers that were taken.
    pub numbers: usize,
    /// Numbers in all.
    pub of: usize,
}

/// Puts the weights of `from` into `params` where a parameter has the same name and shape.
fn take(graph: &Graph, params: &mut Params, from: &Network) -> Taken {
    let name = |graph: &Graph, i: usize| graph.params().get(i).map(|&id| graph.node(id).name.clone());
    let known: HashMap<String, usize> =
        (0..from.params.tensors().len()).filter_map(|i| Some((name(&from.graph, i)?, i))).collect();
    let mut taken = Taken { numbers: 0, of: params.elements() };
    for i in 0..params.tensors().len() {
        let found = name(graph, i).and_then(|name| known.get(&name)).map(|&at| &from.params.tensors()[at]);
        if let Some(tensor) = found.filter(|tensor| tensor.shape() == params.tensors()[i].shape()) {
            taken.numbers += tensor.len();
            params.set(i, tensor.clone());
        }
    }
    taken
}

/// Puts the weights of a model file into a network's, as far as they fit.
pub(super) fn take_file(path: &Path, graph: &Graph, params: &mut Params, device: &Device) -> Result<Taken> {
    Ok(take(graph, params, &Network::load(path, device)?))
}
