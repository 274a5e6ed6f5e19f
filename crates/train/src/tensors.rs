//! Tensors by name in a file of a checkpoint: groups of them, tensor k of a group under `name.k`.

use crate::checkpoint::Checkpoint;
use crate::optimiser::{Memory, trainable};
use base::{Error, Result};
use net::{Device, Graph, Op, Params, Tensor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The file of a checkpoint for tensors that are no model of their own.
pub const TENSORS: &str = "state.safetensors";

/// Tensors on their way into a file.
#[derive(Debug, Default)]
pub struct Pack<'a> {
    tensors: Vec<(String, &'a Tensor)>,
}

impl<'a> Pack<'a> {
    /// Adds a group.
    pub fn put(&mut self, name: &str, tensors: &'a [Tensor]) {
        self.tensors.extend(tensors.iter().enumerate().map(|(k, tensor)| (format!("{name}.{k}"), tensor)));
    }

    /// Adds the groups of an optimiser's memory, as `prefix` with their names.
    pub fn put_memory(&mut self, prefix: &str, memory: &'a impl Memory) {
        for (name, tensors) in memory.groups() {
            self.put(&format!("{prefix}{name}"), tensors);
        }
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// The tensors cannot be written as f32.
    pub fn to_bytes(&self) -> net::Result<Vec<u8>> {
        net::tensors_to_bytes(&self.tensors)
    }
}

/// Tensors that were read from a file and are taken out group by group.
#[derive(Debug)]
pub struct Unpack {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
}

impl Unpack {
    /// The tensors in the file [`TENSORS`] of a checkpoint.
    ///
    /// # Errors
    /// There is no such file, or it is broken.
    pub fn read(checkpoint: &Checkpoint, device: &Device) -> net::Result<Self> {
        let path = checkpoint.path.join(TENSORS);
        let tensors = net::tensors_from_bytes(checkpoint.file(TENSORS)?, &path, device)?;
        Ok(Self { path, tensors })
    }

    /// Takes a group of tensors with these shapes.
    ///
    /// # Errors
    /// One is missing, has another shape, or a value that is not finite.
    pub fn take(&mut self, name: &str, shapes: &[Vec<usize>]) -> Result<Vec<Tensor>> {
        let mut one = |(k, shape): (usize, &Vec<usize>)| {
            let name = format!("{name}.{k}");
            let wrong = |reason: String| Error::file(&self.path, reason);
            let Some(tensor) = self.tensors.remove(&name) else {
                return Err(wrong(format!("has no tensor {name:?}")));
            };
            if tensor.shape() != *shape {
                let found = tensor.shape();
                return Err(wrong(format!("has a tensor {name:?} of shape {found:?}; the settings ask for {shape:?}")));
            }
            match tensor.not_finite() {
                None => Ok(tensor),
                Some(value) => Err(refused(&self.path, &format!("the tensor {name:?}"), value)),
            }
        };
        shapes.iter().enumerate().map(&mut one).collect()
    }

    /// Refuses what was never taken: a state says all that it holds.
    ///
    /// # Errors
    /// There is a tensor left.
    pub fn finish(self) -> Result<()> {
        match self.tensors.keys().min() {
            None => Ok(()),
            Some(name) => Err(Error::file(&self.path, format!("holds a tensor {name:?} that belongs to nothing"))),
        }
    }

    /// Takes the memory, after `steps` steps, of an optimiser that moves parameters of these shapes.
    ///
    /// # Errors
    /// As [`Unpack::take`].
    pub fn take_memory<M: Memory>(&mut self, prefix: &str, steps: u64, shapes: &[Vec<usize>]) -> Result<M> {
        M::from_groups(steps, &mut |name| self.take(&format!("{prefix}{name}"), shapes))
    }
}

/// A file of a checkpoint that holds, in `what`, a value that is not finite: nothing good could follow from it.
fn refused(path: &Path, what: &str, value: f32) -> Error {
    Error::file(path, format!("holds a value that is not finite: {what} has {value}"))
        .with_hint("Remove this checkpoint: `resume` then goes on from the one before it, where there is one.")
}

/// Refuses a network in a file of a checkpoint with a parameter that is not finite.
///
/// # Errors
/// As said.
pub fn refuse_not_finite(graph: &Graph, params: &Params, path: &Path) -> Result<()> {
    let found = graph.params().iter().zip(params.tensors()).find_map(|(id, tensor)| Some((id, tensor.not_finite()?)));
    found.map_or(Ok(()), |(&id, value)| Err(refused(path, &format!("weight {}", graph.node(id).name), value)))
}

/// The shapes of a network's parameters.
pub fn shapes(graph: &Graph) -> Vec<Vec<usize>> {
    let shape = |&id| match &graph.node(id).op {
        Op::Param { shape, .. } => shape.clone(),
        _ => Vec::new(),
    };
    graph.params().iter().map(shape).collect()
}

/// The shapes of a network's trainable parameters.
pub fn trainable_shapes(graph: &Graph) -> Vec<Vec<usize>> {
    let all = shapes(graph);
    trainable(graph).into_iter().map(|place| all[place].clone()).collect()
}
