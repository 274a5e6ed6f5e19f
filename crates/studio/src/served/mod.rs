//! What is served: models with their dissections, found by name once. Requests name them by their place in this index, never by a path.

mod find;
mod open;

pub(crate) use open::{Open, Problem};

use find::Spec;
use net::{Device, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A shipped name, a model, a run, a dissection, or a folder of such; the shipped generator if not given.
    pub what: Option<PathBuf>,
    /// The dissection, where another one is meant than that which is found.
    pub dissection: Option<PathBuf>,
    /// The segmenter, where another one is meant than that of the dissection.
    pub segmenter: Option<PathBuf>,
}

/// The index of what is served.
pub struct Served {
    models: Vec<Entry>,
    asked: Asked,
    device: Device,
}

/// A model that can be asked for.
pub struct Entry {
    /// What requests call it.
    pub id: String,
    spec: Mutex<Spec>,
    opened: Mutex<Option<Arc<Open>>>,
}

impl Served {
    /// Finds what there is.
    ///
    /// # Errors
    /// There is nothing of this name, or nothing in the folder that can be served.
    pub fn find(asked: Asked, device: &Device) -> Result<Self> {
        let mut models: Vec<Entry> = Vec::new();
        for spec in find::models(&asked)? {
            let plain = base::file_name(&[&spec.name]);
            let taken = |id: &String| models.iter().any(|entry| entry.id == *id);
            let numbered = |n: usize| if n == 1 { plain.clone() } else { format!("{plain}-{n}") };
            let id = (1..=models.len() + 1).map(numbered).find(|id| !taken(id)).unwrap_or(plain.clone());
            models.push(Entry { id, spec: Mutex::new(spec), opened: Mutex::default() });
        }
        Ok(Self { models, asked, device: device.clone() })
    }

    /// All models, the one to show first.
    pub fn models(&self) -> &[Entry] {
        &self.models
    }

    /// The model that requests call so.
    pub fn model(&self, id: &str) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.id == id)
    }

    /// What the user asked for.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Where networks are computed.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A model, opened when it is first asked for.
    ///
    /// # Errors
    /// It cannot be opened (any more).
    pub fn open(&self, entry: &Entry) -> Result<Arc<Open>> {
        let mut opened = entry.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = opened.as_ref() {
            return Ok(open.clone());
        }
        let open = Arc::new(Open::new(&entry.spec(), &self.asked, &self.device)?);
        *opened = Some(open.clone());
        Ok(open)
    }
}

impl Entry {
    /// What people call it.
    pub fn name(&self) -> String {
        self.spec().name
    }

    /// Where it lies, or its shipped name.
    pub fn path(&self) -> PathBuf {
        self.spec().path
    }

    /// From now on it has this dissection. Who has it open goes on with the old one.
    pub fn set_dissection(&self, folder: &Path) {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner).dissection = Some(folder.to_owned());
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn spec(&self) -> Spec {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
