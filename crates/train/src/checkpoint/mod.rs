//! Checkpoints: each is one folder that is either whole or not there.
//!
//! ```text
//! RUN/checkpoints/000120/generator.safetensors   the files of generation 120, whatever they are
//! RUN/checkpoints/000120/manifest.json           their sizes and BLAKE3 hashes, written last
//! RUN/checkpoints/best.json                      which generation scored best
//! ```
//!
//! A checkpoint is written into a sibling folder (never the system's temporary folder), each file is flushed to the
//! disk, the manifest comes last, one rename publishes it and the parent is flushed. So the death of the process at any
//! moment costs at most the checkpoint that was being written, and on Unix the same holds for a power cut. Not
//! promised: network file systems whose rename is not atomic.

mod folder;
mod manifest;
mod store;

pub use folder::PassedOver;
pub use manifest::{FORMAT, MANIFEST};
pub use store::Store;

use base::{Error, Result, files};
use manifest::Manifest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One checkpoint in memory, every byte of it verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The folder that it was read from.
    pub path: PathBuf,
    /// The generation after which it was saved.
    pub generation: u64,
    /// The hash of the settings it was trained with, as given to [`Store::save`].
    pub config_hash: String,
    /// The version of the program that wrote it.
    pub program: String,
    /// The content of each file by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Checkpoint {
    /// The bytes of the file called `name`.
    ///
    /// # Errors
    /// The checkpoint has no such file.
    pub fn file(&self, name: &str) -> Result<&[u8]> {
        self.files.get(name).map(Vec::as_slice).ok_or_else(|| Error::file(&self.path, format!("holds no {name}")))
    }

    /// Reads and verifies the checkpoint in `folder`, whose name is its generation.
    ///
    /// # Errors
    /// Something is missing, or differs in size or hash from what the manifest says, or the manifest itself is broken
    /// or of a newer format. Nothing of a broken checkpoint is returned.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let manifest = Manifest::read(folder)?;
        if store::generation_of(folder) != Some(manifest.generation) {
            return Err(corrupt(folder, &format!("its {MANIFEST} is of generation {}", manifest.generation)));
        }
        let mut contents = BTreeMap::new();
        for entry in manifest.files {
            let path = folder.join(&entry.name);
            let wrong = |what: String| corrupt(folder, &format!("{} {what}", entry.name));
            let size = match std::fs::metadata(&path) {
                Ok(found) if found.is_file() => found.len(),
                Ok(_) => return Err(wrong("is not a file".into())),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(wrong("is missing".into())),
                Err(e) => return Err(Error::io("read", &path, e)),
            };
            if size != entry.bytes {
                return Err(wrong(format!("has {size} bytes, expected {}", entry.bytes)));
            }
            let bytes = files::read(&path, entry.bytes)?;
            let hash = blake3::hash(&bytes).to_hex();
            if hash.as_str() != entry.blake3 {
                return Err(wrong(format!("has BLAKE3 {hash}, expected {}", entry.blake3)));
            }
            contents.insert(entry.name, bytes);
        }
        Ok(Self {
            path: folder.to_owned(),
            generation: manifest.generation,
            config_hash: manifest.config_hash,
            program: manifest.program,
            files: contents,
        })
    }
}

/// A checkpoint that was passed over because it cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its folder.
    pub path: PathBuf,
    /// What is wrong, such as `corrupt: generator.safetensors has 10 bytes, expected 12`.
    pub reason: String,
}

/// The generation that scored best so far.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Best {
    /// Its number.
    pub generation: u64,
    /// Its score, finite. Whether more or less is better is the caller's to know.
    pub score: f64,
}

fn corrupt(folder: &Path, what: &str) -> Error {
    Error::file(folder, format!("corrupt: {what}"))
}
