//! What can be wrong with a network.

/// The result of building, checking, loading or running a network.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error about a network; each names the node, tensor or file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node got something other than it can work on.
    #[error("node {node} ({op}): expected {expected}, found {found}")]
    Shape {
        /// The node's name.
        node: String,
        /// Its operation.
        op: &'static str,
        /// What the operation needs.
        expected: String,
        /// What came.
        found: String,
    },
    /// No node has this name.
    #[error("there is no node {name:?}; the nodes are: {known}")]
    NoSuchNode {
        /// The name that was asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// The description is not one of a network.
    #[error("{0}")]
    Graph(String),
    /// A tensor that the description names is missing from the file, is there without being named, or has another shape.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The model file.
        path: std::path::PathBuf,
        /// What is wrong, with the tensor's name.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A number that would become infinite in the 16 bits it was to be stored in.
    #[error("tensor {tensor:?} holds {value}, which 16 bits cannot")]
    TooLarge {
        /// The tensor's name.
        tensor: String,
        /// The number.
        value: f32,
    },
    /// An edit that the network cannot take.
    #[error("edit of {node}: {reason}")]
    Edit {
        /// The node's name.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] base::Error),
}

impl Error {
    /// The same about a network that lies in a file, which is named.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<std::path::Path>) -> Self {
        match self {
            Self::Shape { .. } | Self::Graph(_) | Self::NoSuchNode { .. } => {
                Self::Model { path: path.as_ref().to_owned(), reason: self.to_string(), hint: self.hint() }
            }
            Self::File(base::Error::Memory { what, needed, available, hint }) => {
                let what = format!("{}: {what}", path.as_ref().display());
                Self::File(base::Error::Memory { what, needed, available, hint })
            }
            other => other,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Model { hint, .. } => hint.clone(),
            Self::TooLarge { .. } => Some("Store it in 32 bits: leave `half` out.".into()),
            _ => None,
        }
    }
}

/// A text that people wrote for a setting.
impl From<base::Malformed> for Error {
    fn from(malformed: base::Malformed) -> Self {
        base::Error::from(malformed).into()
    }
}

/// For rooms whose other errors are about files and settings.
impl From<Error> for base::Error {
    fn from(error: Error) -> Self {
        let hint = error.hint();
        let plain = match error {
            Error::File(error) => return error,
            Error::Model { path, reason, .. } => Self::file(path, reason),
            other => Self::setting("network", other.to_string()),
        };
        match hint {
            Some(hint) => plain.with_hint(hint),
            None => plain,
        }
    }
}
