//! The error that a user can act upon.

use crate::memory;
use std::path::{Path, PathBuf};

/// The result of everything that can fail for a reason a user can mend.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that names the file, setting or thing at fault and, where there is one, the cure.
///
/// Messages are lower-case fragments without a final stop; [`Error::hint`] is a full sentence. It may name a setting, perhaps
/// with a value (`` `device cpu` ``), or an operation (`` `segmenter train` ``) in backticks: whoever shows them says how it is
/// reached, by a flag, a command or a button.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read, but what it holds is not what it should be.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A setting or argument has a value that cannot be used.
    #[error("{key}: {reason}")]
    Setting {
        /// The setting's plain name.
        key: String,
        /// What is wrong with its value.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// There is not enough memory.
    #[error("{what} needs about {} of memory; {} are free", memory::said(*needed), memory::said(*available))]
    Memory {
        /// Who needs it.
        what: String,
        /// Bytes that it needs, by its shapes.
        needed: u64,
        /// Bytes that the machine has left for this process.
        available: u64,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A value stopped being a finite number during training.
    #[error("{what} is {value} at generation {generation}")]
    NonFinite {
        /// The loss, gradient or weight by name.
        what: String,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
        /// The generation (or step) in which it was noticed.
        generation: u64,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl Error {
    /// An [`Error::Io`]: `action` is a verb such as `read`.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.as_ref().to_owned(), source }
    }

    /// An [`Error::File`] without a hint.
    pub fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_owned(), reason: reason.into(), hint: None }
    }

    /// An [`Error::Setting`] without a hint.
    pub fn setting(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting { key: key.into(), reason: reason.into(), hint: None }
    }

    /// The same error with a cure.
    #[must_use]
    pub fn with_hint(mut self, cure: impl Into<String>) -> Self {
        match &mut self {
            Self::File { hint, .. }
            | Self::Setting { hint, .. }
            | Self::Memory { hint, .. }
            | Self::NonFinite { hint, .. } => {
                *hint = Some(cure.into());
            }
            Self::Io { .. } => {}
        }
        self
    }

    /// What the user can do about it: the stored hint, or the usual cure of a common system error.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { hint, .. }
            | Self::Setting { hint, .. }
            | Self::Memory { hint, .. }
            | Self::NonFinite { hint, .. } => hint.clone(),
            Self::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => Some("Check the spelling of the path.".into()),
                std::io::ErrorKind::PermissionDenied => {
                    Some("Check the permissions of the file and its folder.".into())
                }
                std::io::ErrorKind::StorageFull => {
                    Some("Free some space, then run the same command again: nothing that was saved is lost.".into())
                }
                std::io::ErrorKind::ReadOnlyFilesystem => Some("Choose a folder that can be written.".into()),
                _ => None,
            },
        }
    }
}
