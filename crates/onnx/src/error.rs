//! What can be wrong with a model.

use std::path::Path;

/// The result of importing.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error about a model; each names the node, tensor or input at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not a whole ONNX model.
    #[error("is not a whole ONNX model: {0}")]
    Damaged(String),
    /// Something that the whole model has or lacks.
    #[error("{reason}")]
    Model {
        /// What is wrong.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// An operator that is not known here.
    #[error("node {node:?}: the operator {operator} (opset {opset}) is not supported")]
    Unsupported {
        /// The node's name.
        node: String,
        /// Its operator, with its domain where that is not ONNX's own.
        operator: String,
        /// The version of the operator set that the model asks for.
        opset: i64,
    },
    /// A node that cannot be written in the operations here.
    #[error("node {node:?} ({operator}): {reason}")]
    Node {
        /// The node's name.
        node: String,
        /// Its operator.
        operator: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Shapes follow from the values of an input, so that they must be known when the model is imported.
    #[error("node {node:?} ({operator}): it must be known at import, and depends on the input {input:?}")]
    NeedsValue {
        /// The node's name.
        node: String,
        /// Its operator.
        operator: String,
        /// The input, which [`Options::constants`](crate::Options::constants) can give.
        input: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] base::Error),
}

impl Error {
    /// An error about the whole model.
    pub(crate) fn model(reason: impl Into<String>) -> Self {
        Self::Model { reason: reason.into(), hint: None }
    }

    /// The same error with a cure.
    #[must_use]
    pub(crate) fn with_hint(mut self, cure: impl Into<String>) -> Self {
        if let Self::Model { hint, .. } | Self::Node { hint, .. } = &mut self {
            *hint = Some(cure.into());
        }
        self
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged(_) => Some("The file is truncated or damaged: copy or export it again.".into()),
            Self::Model { hint, .. } | Self::Node { hint, .. } => hint.clone(),
            Self::Unsupported { .. } => {
                Some("`docs/onnx.md` lists the operators; another opset or exporter may write it in those.".into())
            }
            Self::NeedsValue { input, .. } => Some(format!("Give the value of {input:?} with `constants`.")),
            Self::File(error) => error.hint(),
        }
    }

    /// The same about a model that lies in a file, which is named.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<Path>) -> base::Error {
        let hint = self.hint();
        let plain = match self {
            Self::File(error) => return error,
            other => base::Error::file(path, other.to_string()),
        };
        match hint {
            Some(hint) => plain.with_hint(hint),
            None => plain,
        }
    }
}
