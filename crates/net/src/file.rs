//! One `.safetensors` file holds a network: the description in its metadata, the tensors beside it.
//!
//! The metadata key [`METADATA_KEY`] holds JSON: `{"format": 1, "graph": {...}, "notes": [[key, value], ...]}`; the format is 2
//! where the graph has what programs of format 1 do not know. Loading is strict: every parameter must be there in its shape, and nothing else.

#![warn(clippy::indexing_slicing)]

mod twice;

use crate::{Device, Error, Graph, Network, Op, Params, Result, Tensor};
use base::sniff::{Kind, Wanted};
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use twice::key_given_twice;

/// Where the description lies in the file's metadata.
pub const METADATA_KEY: &str = "ganatomy";
const FORMAT: u32 = 2;
/// The longest model file that is read: 16 GiB.
const LIMIT: u64 = 16 << 30;

/// What is read here, for messages about files that are something else.
const WANTED: Wanted = Wanted {
    name: "a model file of this program (.safetensors)",
    kind: Kind::SAFETENSORS,
    cure: "Give a model that `evolve` made: a .safetensors file, a run folder, or the name of a shipped one.",
};

/// How numbers are stored in a file. Computations do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// 32 bits: exact.
    #[default]
    F32,
    /// 16 bits: half the size, three significant digits.
    F16,
}

#[derive(Serialize, Deserialize)]
struct Description<'a> {
    format: u32,
    graph: Cow<'a, Graph>,
    #[serde(default)]
    notes: Vec<(String, String)>,
}

impl Network {
    /// The description as JSON, as the model file has it.
    ///
    /// # Errors
    /// It holds a number that JSON cannot hold.
    pub fn description(&self) -> Result<String> {
        let description = Description {
            format: self.graph.format(),
            graph: Cow::Borrowed(self.graph.as_ref()),
            notes: self.notes.clone(),
        };
        serde_json::to_string(&description).map_err(|e| Error::Graph(e.to_string()))
    }

    /// The bytes of the model file.
    ///
    /// # Errors
    /// The tensors cannot be put into the format (more than it can index), or a number is too large for 16 bits.
    pub fn to_bytes(&self, storage: Storage) -> Result<Vec<u8>> {
        let json = self.description()?;
        let dtype = match storage {
            Storage::F32 => Dtype::F32,
            Storage::F16 => Dtype::F16,
        };
        let encoded: Vec<(String, Vec<usize>, Vec<u8>)> = self
            .graph
            .params()
            .iter()
            .zip(self.params.tensors())
            .map(|(&id, tensor)| {
                let name = &self.graph.node(id).name;
                let values = tensor.to_vec();
                let bytes = match storage {
                    Storage::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                    Storage::F16 => {
                        let halves: Vec<half::f16> = values.iter().map(|&v| half::f16::from_f32(v)).collect();
                        let lost = values.iter().zip(&halves).find(|(v, half)| v.is_finite() && half.is_infinite());
                        if let Some((&value, _)) = lost {
                            return Err(Error::TooLarge { tensor: name.clone(), value });
                        }
                        halves.iter().flat_map(|v| v.to_le_bytes()).collect()
                    }
                };
                Ok((name.clone(), tensor.shape().to_vec(), bytes))
            })
            .collect::<Result<_>>()?;
        let broken = |e: safetensors::SafeTensorError| Error::Graph(format!("the model cannot be written: {e}"));
        let views = encoded
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes).map_err(broken)?)))
            .collect::<Result<Vec<_>>>()?;
        // Collected, because the kind of map depends on the features that other crates choose.
        let metadata = [(METADATA_KEY.to_owned(), json)].into_iter().collect();
        safetensors::serialize(views, Some(metadata)).map_err(broken)
    }

    /// Writes the model file, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>, storage: Storage) -> Result<()> {
        Ok(base::files::write_atomic(path, &self.to_bytes(storage)?)?)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// The file cannot be read, is truncated, has no description, or its tensors are not exactly those of the description.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(&base::files::read(path, LIMIT)?, path, device)
    }

    /// Parses the bytes of a model file; `path` is only for the messages.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<Self> {
        let wrong = |reason: String| Error::Model { path: path.to_owned(), reason, hint: None };
        let (metadata, tensors) = parse(bytes, path)?;
        let json = metadata.metadata().as_ref().and_then(|m| m.get(METADATA_KEY)).ok_or_else(|| Error::Model {
            path: path.to_owned(),
            reason: format!("holds tensors but no network description (metadata key {METADATA_KEY:?})"),
            hint: Some("It was not written by this program; give a model that `evolve` made.".into()),
        })?;
        if let Some(key) = key_given_twice(json.as_bytes()) {
            return Err(wrong(format!("has a description that gives {key:?} twice in one place")));
        }
        let description: Description =
            serde_json::from_str(json).map_err(|e| wrong(format!("has a description that is not understood: {e}")))?;
        if description.format > FORMAT {
            return Err(Error::Model {
                path: path.to_owned(),
                reason: format!("has format {}; this program reads up to {FORMAT}", description.format),
                hint: Some("It was written by a newer ganatomy: update this one.".into()),
            });
        }
        let graph = description.graph.into_owned();
        graph.shapes(1).map_err(|e| e.in_file(path))?;
        let mut params = Vec::with_capacity(graph.params().len());
        for &id in graph.params() {
            let node = graph.node(id);
            let Op::Param { shape, .. } = &node.op else { continue };
            let view = tensors.tensor(&node.name).map_err(|_| Error::Model {
                path: path.to_owned(),
                reason: format!("has no tensor {:?}, which its description names", node.name),
                hint: Some("The file was changed after it was written: take an unchanged copy.".into()),
            })?;
            if view.shape() != shape {
                return Err(wrong(format!("tensor {:?} has shape {:?}, expected {shape:?}", node.name, view.shape())));
            }
            let values = decode(&view).ok_or_else(|| {
                wrong(format!("tensor {:?} is {:?}; F32, F16 and BF16 are read", node.name, view.dtype()))
            })?;
            params.push(Tensor::new(shape, values, device));
        }
        if let Some(extra) = tensors.names().into_iter().find(|name| !graph.has_param(name)) {
            return Err(wrong(format!("holds a tensor {extra:?} that its description does not name")));
        }
        Ok(Self { graph: Arc::new(graph), params: Params::new(params), notes: description.notes })
    }
}

/// The header and the tensors of a `.safetensors` file; `path` is only for the messages.
fn parse<'b>(bytes: &'b [u8], path: &Path) -> Result<(Metadata, SafeTensors<'b>)> {
    let damaged = |e: safetensors::SafeTensorError| {
        let otherwise = base::Error::file(path, format!("is not a whole .safetensors file: {e}"))
            .with_hint("The file is truncated or damaged: copy or download it again.");
        WANTED.unfit(path, Kind::of_bytes(bytes), otherwise)
    };
    // The parser keeps the last of two entries of one name.
    if let Some(name) = header_of(bytes).and_then(key_given_twice) {
        return Err(base::Error::file(path, format!("gives {name:?} twice in its header"))
            .with_hint("It is two models at once, or damaged: copy or download it again.")
            .into());
    }
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    Ok((metadata, SafeTensors::deserialize(bytes).map_err(damaged)?))
}

/// The JSON at the start of a file, behind its length.
fn header_of(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// The bytes of a `.safetensors` file of plain named tensors, exact in f32.
///
/// # Errors
/// Two tensors have one name.
pub fn tensors_to_bytes(tensors: &[(String, &Tensor)]) -> Result<Vec<u8>> {
    let broken = |e: safetensors::SafeTensorError| Error::Graph(format!("the tensors cannot be written: {e}"));
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, t)| t.to_vec().iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, t), bytes)| Ok((name, TensorView::new(Dtype::F32, t.shape().to_vec(), bytes).map_err(broken)?)))
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(broken)
}

/// Reads what [`tensors_to_bytes`] wrote; `path` is only for the messages.
///
/// # Errors
/// The bytes are not a whole file of f32 tensors.
pub fn tensors_from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<HashMap<String, Tensor>> {
    let wrong = |reason: String| Error::Model { path: path.to_owned(), reason, hint: None };
    let (_, file) = parse(bytes, path)?;
    let each = |(name, view): (String, TensorView)| {
        let values = decode(&view).ok_or_else(|| wrong(format!("tensor {name:?} is not of floats")))?;
        Ok((name, Tensor::new(view.shape(), values, device)))
    };
    file.tensors().into_iter().map(each).collect()
}

impl Graph {
    fn has_param(&self, name: &str) -> bool {
        self.find(name).is_ok_and(|id| matches!(self.node(id).op, Op::Param { .. }))
    }
}

fn decode(view: &TensorView) -> Option<Vec<f32>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks::<2>().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f32()).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo;

    fn small() -> Network {
        let graph = zoo::mlp_discriminator(2, 4, zoo::Norm::Batch);
        let mut network = Network::initial(graph, 3, "weights", &Device::cpu());
        network.notes.push(("trained on".into(), "nothing".into()));
        network
    }

    #[test]
    fn a_network_comes_back_as_it_was() {
        let network = small();
        let bytes = network.to_bytes(Storage::F32).unwrap();
        let back = Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap();
        assert_eq!((&back.graph, &back.notes), (&network.graph, &network.notes));
        for (a, b) in back.params.tensors().iter().zip(network.params.tensors()) {
            assert_eq!(a.to_vec(), b.to_vec());
        }
        assert_eq!(back.to_bytes(Storage::F32).unwrap(), bytes);
    }

    #[test]
    fn half_precision_keeps_three_digits() {
        let network = small();
        let bytes = network.to_bytes(Storage::F16).unwrap();
        let back = Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap();
        for (a, b) in back.params.tensors().iter().zip(network.params.tensors()) {
            for (a, b) in a.to_vec().iter().zip(b.to_vec()) {
                assert!((a - b).abs() <= 1e-3 * b.abs() + 1e-7);
            }
        }
    }

    #[test]
    fn a_number_that_half_precision_cannot_hold_is_an_error() {
        let mut network = small();
        let tensor = &network.params.tensors()[0];
        let (inside, outside) = (tensor.full_like(tensor.shape(), 65519.0), tensor.full_like(tensor.shape(), -65520.0));
        network.params.set(0, inside);
        network.to_bytes(Storage::F16).unwrap();
        network.params.set(0, outside);
        network.to_bytes(Storage::F32).unwrap();
        let message = network.to_bytes(Storage::F16).unwrap_err().to_string();
        assert!(message.ends_with("holds -65520, which 16 bits cannot"), "{message}");
    }

    /// A safetensors file with this header, and a tensor of one number.
    fn of_header(header: &str) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat()
    }

    #[test]
    fn of_two_entries_of_one_name_none_is_believed() {
        let refused = |header: &str| {
            let bytes = of_header(header);
            let network = Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap_err().to_string();
            assert_eq!(tensors_from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap_err().to_string(), network);
            network
        };
        let (first, second) = (
            r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#,
            r#"{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#,
        );
        let both = r#"{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        for (header, name) in [
            (format!(r#"{{"w":{both},"w":{both}}}"#), "w"),
            (format!(r#"{{"w":{first},"v":{second},"w":{first}}}"#), "w"),
            (format!(r#"{{"w":{both},"\u0077":{both}}}"#), "w"),
            (format!(r#"{{"__metadata__":{{}},"w":{both},"__metadata__":{{}}}}"#), "__metadata__"),
            (format!(r#"{{"__metadata__":{{"ganatomy":"a","ganatomy":"b"}},"w":{both}}}"#), "ganatomy"),
        ] {
            assert_eq!(refused(&header), format!("m: gives {name:?} twice in its header"), "{header}");
        }
        let description =
            r#"{"format":1,"graph":{"nodes":[{"name":"z","op":"input","shape":[4],"shape":[5]}],"output":"z"}}"#;
        let header = serde_json::json!({ "__metadata__": { METADATA_KEY: description } }).to_string();
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let message = Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap_err().to_string();
        assert_eq!(message, "m: has a description that gives \"shape\" twice in one place");
    }

    #[test]
    fn what_a_file_is_comes_before_what_it_is_not() {
        let said = |bytes: &[u8]| {
            let error = Network::from_bytes(bytes, Path::new("m"), &Device::cpu()).unwrap_err();
            format!("{error} | {}", error.hint().unwrap_or_default())
        };
        let pickle = said(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.");
        assert!(pickle.starts_with("m: is a PyTorch file (.pth, .pt), not a model file of this program"), "{pickle}");
        assert!(said(b"version https://git-lfs.github.com/spec/v1\n").contains("`git lfs pull`"));
        assert!(said(b"{}").starts_with("m: is a JSON document, not a model file"), "{}", said(b"{}"));
        let cut = small().to_bytes(Storage::F32).unwrap();
        assert!(said(&cut[..100]).starts_with("m: is not a whole .safetensors file"), "{}", said(&cut[..100]));
    }

    #[test]
    fn each_truncation_is_an_error() {
        let bytes = small().to_bytes(Storage::F32).unwrap();
        for length in (0..bytes.len()).step_by(7) {
            assert!(Network::from_bytes(&bytes[..length], Path::new("m"), &Device::cpu()).is_err(), "{length}");
        }
    }

    #[test]
    fn a_missing_an_extra_and_a_misshaped_tensor_are_errors() {
        let network = small();
        let bytes = network.to_bytes(Storage::F32).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let all: Vec<(String, TensorView)> = tensors.tensors();
        let write = |tensors: Vec<(String, TensorView)>| {
            let bytes = safetensors::serialize(tensors, metadata.metadata().clone()).unwrap();
            Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap_err().to_string()
        };
        let missing = all.iter().filter(|(n, _)| n != "2.weight").cloned().collect();
        assert_eq!(write(missing), "m: has no tensor \"2.weight\", which its description names");
        let data = [0; 4];
        let one = TensorView::new(Dtype::F32, vec![1], &data).unwrap();
        let extra = all.iter().cloned().chain([("extra".to_string(), one.clone())]).collect();
        assert_eq!(write(extra), "m: holds a tensor \"extra\" that its description does not name");
        let bent =
            all.iter().map(|(n, t)| (n.clone(), if n == "2.weight" { one.clone() } else { t.clone() })).collect();
        assert_eq!(write(bent), "m: tensor \"2.weight\" has shape [1], expected [4, 4]");
    }
}
