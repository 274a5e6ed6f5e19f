//! Archives of arrays that may have been damaged.

use base::npy::{self, Array, Elements};
use base::{Error, Result};
use std::path::{Path, PathBuf};

/// The arrays of an `.npz` file.
pub(crate) struct Archive {
    path: PathBuf,
    arrays: Vec<(String, Array)>,
}

impl Archive {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not whole.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::new(path, npy::read_npz(path))
    }

    /// Reads what the file would hold; `path` is only for the messages.
    ///
    /// # Errors
    /// It is not whole.
    pub(crate) fn from_bytes(bytes: &'static [u8], path: &Path) -> Result<Self> {
        Self::new(path, npy::read_npz_bytes(bytes, path))
    }

    fn new(path: &Path, arrays: Result<Vec<(String, Array)>>) -> Result<Self> {
        match arrays {
            Ok(arrays) => Ok(Self { path: path.to_owned(), arrays }),
            Err(Error::File { reason, .. }) => Err(corrupt(path, &reason)),
            Err(other) => Err(other),
        }
    }

    /// What is wrong with the file.
    pub(crate) fn corrupt(&self, what: &str) -> Error {
        corrupt(&self.path, what)
    }

    fn find(&self, name: &str, shape: &[usize]) -> Result<&Elements> {
        let found = self.arrays.iter().find(|(found, _)| found == name).map(|(_, array)| array);
        let array = found.ok_or_else(|| self.corrupt(&format!("it holds no {name}")))?;
        if array.shape == shape {
            Ok(&array.data)
        } else {
            Err(self.corrupt(&format!("{name} has the shape {:?}, not {shape:?}", array.shape)))
        }
    }

    /// The array of this name and shape.
    ///
    /// # Errors
    /// There is none, or it is of another shape or kind.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        match self.find(name, shape)? {
            Elements::F32(values) => Ok(values),
            _ => Err(self.corrupt(&format!("{name} is not of f32"))),
        }
    }

    /// As [`Archive::floats`], of integers.
    ///
    /// # Errors
    /// As [`Archive::floats`].
    pub(crate) fn integers(&self, name: &str, shape: &[usize]) -> Result<&[i64]> {
        match self.find(name, shape)? {
            Elements::I64(values) => Ok(values),
            _ => Err(self.corrupt(&format!("{name} is not of i64"))),
        }
    }
}

fn corrupt(path: &Path, what: &str) -> Error {
    Error::file(path, format!("corrupt: {what}")).with_hint("Remove the dissection's folder and run the command again.")
}
