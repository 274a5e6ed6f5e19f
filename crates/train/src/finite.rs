//! Values that must be finite, and what is done when one is not.

use crate::optimiser::{Memory, trainable};
use base::{Error, Result, files};
use net::{Graph, Params, Tensor};
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

/// The first number of a tensor that is not finite.
pub fn not_finite(tensor: &Tensor) -> Option<f64> {
    // Whole blocks without a way out of them are looked at many numbers at a time.
    let is_bad = |block: &&[f32]| block.iter().fold(false, |bad, value| bad | !value.is_finite());
    let numbers = tensor.numbers();
    let block = numbers.chunks(1024).find(is_bad)?;
    block.iter().find(|value| !value.is_finite()).map(|&value| f64::from(value))
}

/// Every parameter of a network must be finite; `who` it is, `done` and `cure` as in [`check_finite`].
///
/// # Errors
/// One is not: it is named.
pub fn check_params(graph: &Graph, params: &Params, who: &str, done: u64, cure: &str) -> Result<()> {
    for (&id, tensor) in graph.params().iter().zip(params.tensors()) {
        if let Some(value) = not_finite(tensor) {
            check_finite(&format!("weight {} of the {who}", graph.node(id).name), value, done, cure)?;
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
            if let Some(value) = not_finite(tensor) {
                let name = &graph.node(graph.params()[place]).name;
                check_finite(&format!("the {group} moment of {name} of the {who}"), value, done, cure)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use net::Device;

    #[test]
    fn the_first_number_that_is_not_finite_is_found_wherever_it_is() {
        for place in [0, 1, 1023, 1024, 2999] {
            let mut values = vec![1.0f32; 3000];
            let tensor = |values: &[f32]| Tensor::new(&[3000], values.to_vec(), &Device::cpu());
            assert_eq!(not_finite(&tensor(&values)), None);
            values[place] = f32::NEG_INFINITY;
            values[2999] = if place == 2999 { f32::NEG_INFINITY } else { f32::NAN };
            assert_eq!(not_finite(&tensor(&values)), Some(f64::NEG_INFINITY), "{place}");
        }
    }
}
