//! A PyTorch module with its state dict.

use crate::portable;
use net::{Error, Network, Result, Storage};

/// The Python module that reads what [`pytorch()`] writes. It needs `torch` and `safetensors`.
pub const LOADER: &str = include_str!("ganatomy_torch.py");

/// A network for PyTorch.
#[derive(Clone, Debug)]
pub struct PyTorch {
    /// The state dict as `.safetensors`: tensors by name, laid out as PyTorch's layers have them. The description stands in its metadata, so
    /// this is a model file, too.
    pub state_dict: Vec<u8>,
    /// The description as JSON: `{"format", "graph": {"nodes": [{"name", "op", "inputs", ...}], "output"}, "notes"}`.
    pub config: String,
}

/// A network with its stored statistics for PyTorch.
///
/// # Errors
/// The network has adjoints that PyTorch has no form for (the node is named), or a number is too large for the 16 bits that it is to be stored in.
pub fn pytorch(network: &Network, storage: Storage) -> Result<PyTorch> {
    let network = portable(network)?;
    for node in network.graph.nodes() {
        if !LOADER.contains(&format!("\"{}\"", node.op.name())) {
            return Err(Error::Graph(format!("node {} ({}) has no form in PyTorch", node.name, node.op.name())));
        }
    }
    let state_dict = network.to_bytes(storage)?;
    let description = network.description()?;
    let config: serde_json::Value = serde_json::from_str(&description).map_err(|e| Error::Graph(e.to_string()))?;
    let config = serde_json::to_string_pretty(&config).map_err(|e| Error::Graph(e.to_string()))? + "\n";
    Ok(PyTorch { state_dict, config })
}
