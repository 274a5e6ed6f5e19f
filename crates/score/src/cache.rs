//! What was found of reference images, kept in a folder.
//!
//! The name of a file is the BLAKE3 hash of all that its numbers depend on: the hash of the feature network's weights with the node, the rule of
//! resizing, what is in the files of the set and which of its images were taken in what size, and the divisor. So nothing in the folder can be out of date:
//! what changes has another name. Any file may be removed at any time.

use crate::{Extractor, Gathered, Resize, Sized, Vectors, Wanted};
use base::npy::Array;
use base::{Result, files};
use metrics::statistics::{Divisor, Stored};
use net::Device;
use std::env;
use std::path::{Path, PathBuf};

/// It grows where the same inputs give other numbers than before.
const FORMAT: u32 = 1;

/// A folder of statistics and features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// In this folder, which is made when there is something to keep.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where programs keep what they can make again: `$XDG_CACHE_HOME/ganatomy`, else `%LOCALAPPDATA%\ganatomy`, else `~/.cache/ganatomy`; none
    /// where the system says none of these.
    pub fn usual() -> Option<Self> {
        let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = named("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| named("LOCALAPPDATA"))
            .or_else(|| named("HOME").map(|home| home.join(".cache")))?;
        Some(Self::new(folder.join("ganatomy")))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is kept of these images, if it is all that is wanted. A file that cannot be read counts as none.
    pub(crate) fn read(&self, key: &str, wanted: Wanted) -> Option<Gathered> {
        if wanted.groups.is_some() || wanted.logits {
            return None;
        }
        let stored = Stored::read(self.statistics(key)).ok()?;
        let features = if wanted.features {
            let array = Array::read(self.features(key)).ok()?;
            let &[_, width @ (1..)] = array.shape.as_slice() else { return None };
            Some(Vectors { values: array.into_f32(), width })
        } else {
            None
        };
        Some(Gathered { statistics: Some(stored.statistics), features, made: stored.made, ..Gathered::default() })
    }

    /// Keeps what was found.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn write(&self, key: &str, gathered: &Gathered) -> Result<()> {
        let Some(statistics) = gathered.statistics.clone() else { return Ok(()) };
        files::create_folder(&self.folder)?;
        if let Some(Vectors { values, width }) = &gathered.features {
            Array::f32(vec![values.len() / width, *width], values.clone()).write(self.features(key))?;
        }
        Stored { statistics, made: gathered.made.clone() }.write(self.statistics(key))
    }

    fn statistics(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.npz"))
    }

    fn features(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.npy"))
    }
}

/// The name of what is found of images; none where it is not known what is in them.
pub(crate) fn key(extractor: &Extractor, resize: Resize, images: &Sized, divisor: Divisor) -> Option<String> {
    let content = images.content.as_ref()?;
    let about = &images.about;
    let device: &Device = extractor.device();
    let all = format!(
        "{FORMAT}\n{}\n{}\n{:?}\n{resize}\n{content}\n{:?}\n{}\n{}\n{:?}\n{}\n{device}",
        extractor.weights(),
        extractor.name(),
        extractor.shape(),
        about.choice,
        about.count,
        about.mirrored,
        about.size,
        divisor.name(),
    );
    Some(blake3::hash(all.as_bytes()).to_hex().to_string())
}
