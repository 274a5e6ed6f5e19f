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

/// What a generator's pictures come from: latents, and for pictures that no latent makes what is added to a layer on the way.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The latents `[n, ...]`.
    pub latents: Tensor,
    /// What is added to a layer.
    pub shift: Option<Shift>,
}

impl Feed {
    /// How many pictures come from it.
    pub fn len(&self) -> usize {
        self.latents.shape().first().copied().unwrap_or_default()
    }

    /// Whether nothing comes from it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Latents alone.
impl From<Tensor> for Feed {
    fn from(latents: Tensor) -> Self {
        Self { latents, shift: None }
    }
}
