//! What a generator's pictures come from.

use crate::{Error, Result};
use tensor::{Binary, Precision, Tensor};

/// Something that is added to the value of one node, before its edits.
///
/// Like an [`Edit`](crate::Edit) it is an argument of a run, never a state of the network.
#[derive(Clone, Debug)]
pub struct Shift {
    /// The node's name.
    pub node: String,
    /// What is added, of the node's shape `[n, ...]`.
    pub by: Tensor,
}

impl Shift {
    /// The shifted value.
    ///
    /// # Errors
    /// It has another shape than the shift.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let wrong = |reason: String| Error::Edit { node: self.node.clone(), reason };
        if x.shape() != self.by.shape() {
            return Err(wrong(format!("a shift of shape {:?} cannot be added to {:?}", self.by.shape(), x.shape())));
        }
        Tensor::compute(&Binary::Add.into(), &[x, &self.by], x.shape(), Precision::F32)
            .map_err(|e| wrong(format!("the node's values cannot be shifted: {e:?}")))
    }
}

/// What a generator's pictures come from: latents with what it reads beside them, and for pictures that no latent makes what is added to a
/// layer on the way.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The latents `[n, ...]`.
    pub latents: Tensor,
    /// Values of further inputs, by their names.
    pub beside: Vec<(String, Tensor)>,
    /// What is added to a layer.
    pub shift: Option<Shift>,
}

impl Feed {
    /// How many pictures come from it.
    pub fn len(&self) -> usize {
        self.latents.shape().first().copied().unwrap_or_default()
    }

    /// Gives a further input its value, instead of one that it had.
    pub fn set(&mut self, name: &str, value: Tensor) {
        self.beside.retain(|(known, _)| known != name);
        self.beside.push((name.to_owned(), value));
    }

    /// The value of a further input.
    pub fn value(&self, name: &str) -> Option<&Tensor> {
        self.beside.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether nothing comes from it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Latents alone.
impl From<Tensor> for Feed {
    fn from(latents: Tensor) -> Self {
        Self { latents, beside: Vec::new(), shift: None }
    }
}
