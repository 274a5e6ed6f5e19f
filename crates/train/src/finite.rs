//! Values that must be finite, and what is done when one is not.

use crate::optimiser::{Memory, trainable};
use base::{Error, Result, files};
use net::{Graph, Params};
use serde_json::{Map, Value};
use std::path::Path;

/// A value must be finite. `done` counts the steps before this one; `cure` is a full sentence.
///
/// # Errors
/// It is not: [`Error::NonFinite`] with the number of this step.
pub fn check_finite(what: &str, value: f64, done: u64, cure: &str) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    // People count steps from 1, as the statistics do.
    Err(Error::NonFinite { what: what.into(), value, generation: done + 1, hint: None }.with_hint(cure))
}

/// Every parameter of a network must be finite; `who` it is, `done` and `cure` as in [`check_finite`].
///
/// # Errors
/// One is not: it is named.
pub fn check_params(graph: &Graph, params: &Params, who: &str, done: u64, cure: &str) -> Result<()> {
    for (&id, tensor) in graph.params().iter().zip(params.tensors()) {
        if let Some(value) = tensor.not_finite() {
            check_finite(&format!("weight {} of the {who}", graph.node(id).name), f64::from(value), done, cure)?;
        }
    }
    Ok(())
}

/// As [`check_params`], of what an optimiser remembers of the network's trainable parameters.
///
/// # Errors
/// As [`check_params`].
pub fn check_memory(graph: &Graph, memory: &impl Memory, who: &str, done: u64, cure: &str) -> Result<()> {
    for (group, tensors) in memory.groups() {
        for (place, tensor) in trainable(graph).into_iter().zip(tensors) {
            if let Some(value) = tensor.not_finite() {
                let name = &graph.node(graph.params()[place]).name;
                check_finite(&format!("the {group} moment of {name} of the {who}"), f64::from(value), done, cure)?;
            }
        }
    }
    Ok(())
}

/// Writes down why a run stopped, where a value that is not finite is the reason: `nonfinite-STEP.json`, beside the
/// checkpoints, which stay as they are.
pub(crate) fn dump(error: &(dyn std::error::Error + 'static), folder: &Path, circumstances: Map<String, Value>) {
    let error = error.downcast_ref().or_else(|| match error.downcast_ref() {
        Some(net::Error::File(error)) => Some(error),
        _ => None,
    });
    let Some(Error::NonFinite { what, value, generation, .. }) = error else { return };
    let mut all = Map::new();
    all.insert("what".into(), what.as_str().into());
    all.insert("value".into(), value.to_string().into());
    all.insert("generation".into(), (*generation).into());
    all.extend(circumstances);
    let path = folder.join(format!("nonfinite-{generation:06}.json"));
    // The error itself is what matters; a second one on top of it would only hide it.
    drop(files::write_atomic(path, Value::Object(all).to_string().as_bytes()));
}
