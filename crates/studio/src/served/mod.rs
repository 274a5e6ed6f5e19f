//! What is served: models with their dissections, runs, reports and repairs, found in what the user named. Requests name them by their
//! ids in this index, never by a path.

mod find;
mod index;
pub(crate) mod inside;
mod open;
mod reports;
mod runs;

pub(crate) use open::{Open, Problem};
pub(crate) use runs::Run;

use base::files;
use dissect::{Decision, Decisions, RepairFolder};
use find::{Dissected, Meant, Spec};
use index::{Index, Named};
use net::{Device, Result};
use reports::Reports;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The folder is not looked into more often.
const AGAIN: Duration = Duration::from_secs(1);

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

/// What is served.
pub struct Served {
    /// The folder in which it lies, where it is more than one model.
    root: Option<PathBuf>,
    index: Mutex<Index>,
    looked: Mutex<Instant>,
    asked: Asked,
    device: Device,
    pub(crate) reports: Reports,
    /// Whoever decides about units does so alone.
    deciding: Mutex<()>,
}

/// A model that can be asked for.
pub struct Entry {
    /// What requests call it.
    pub id: String,
    spec: Mutex<Spec>,
    opened: Mutex<Option<Arc<Open>>>,
}

/// A finished dissection that lies in the folder.
pub(crate) struct Lain {
    id: String,
    found: Dissected,
}

impl Named for Entry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Named for Lain {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Served {
    /// Finds what there is.
    ///
    /// # Errors
    /// There is nothing of this name, or nothing in the folder that can be served.
    pub fn find(asked: Asked, device: &Device) -> Result<Self> {
        let mut index = Index::default();
        let root = match find::meant(&asked)? {
            Meant::Model(spec) => {
                index.list_models(vec![spec]);
                None
            }
            Meant::Folder(root) => {
                index.update(&root, &models::scan::look(&root)?, &asked)?;
                Some(root)
            }
        };
        Ok(Self {
            root,
            index: Mutex::new(index),
            looked: Mutex::new(Instant::now()),
            asked,
            device: device.clone(),
            reports: Reports::default(),
            deciding: Mutex::default(),
        })
    }

    /// Looks into the folder again, unless that was a moment ago: what is new there is listed from now on.
    ///
    /// # Errors
    /// The folder is gone.
    pub fn look(&self) -> Result<()> {
        let Some(root) = &self.root else { return Ok(()) };
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.elapsed() < AGAIN && root.is_dir() {
                return Ok(());
            }
            *looked = Instant::now();
        }
        let lying = models::scan::look(root)?;
        self.index().update(root, &lying, &self.asked)
    }

    /// Whether runs can be served: those of a folder.
    pub fn has_runs(&self) -> bool {
        self.root.is_some() && !self.index().runs().listed().is_empty()
    }

    /// All models, the one to show first.
    pub fn models(&self) -> Vec<Arc<Entry>> {
        let mut listed = self.index().models().listed();
        listed.retain(|entry| entry.is_open() || entry.spec().is_there());
        listed
    }

    /// The model that requests call so.
    pub fn model(&self, id: &str) -> Option<Arc<Entry>> {
        self.index().models().find(id)
    }

    /// All runs.
    pub(crate) fn runs(&self) -> Vec<Arc<Run>> {
        self.index().runs().listed()
    }

    /// The run that requests call so.
    pub(crate) fn run(&self, id: &str) -> Option<Arc<Run>> {
        self.index().runs().find(id)
    }

    /// The dissections that lie in the folder of a run.
    pub(crate) fn dissections_in(&self, run: &Run) -> Vec<Arc<Lain>> {
        let mut found = self.index().dissections().listed();
        found.retain(|lain| lain.found.run.as_deref() == Some(run.folder().path()));
        found
    }

    /// The dissections of a model.
    pub(crate) fn dissections_of(&self, entry: &Entry) -> Vec<Arc<Lain>> {
        let mut found = self.index().dissections().listed();
        let path = entry.path();
        found.retain(|lain| find::same_place(&lain.found.about, &path));
        found
    }

    /// The dissection that requests call so.
    pub(crate) fn dissection(&self, id: &str) -> Option<Arc<Lain>> {
        self.index().dissections().find(id)
    }

    /// The model that opens with a dissection.
    pub(crate) fn model_with(&self, dissection: &Lain) -> Option<String> {
        let has = |entry: &&Arc<Entry>| {
            entry.spec().dissection.is_some_and(|own| find::same_place(&own, dissection.folder()))
        };
        self.index().models().listed().iter().find(has).map(|entry| entry.id.clone())
    }

    /// The newest repair of the generator with this hash: in the folder that is served, beside the model or beside its dissection.
    pub(crate) fn repair_of(&self, entry: &Entry, blake3: &str) -> Option<RepairFolder> {
        let spec = entry.spec();
        let mut places = self.index().repairs();
        let beside = spec.dissection.iter().flat_map(|folder| [folder.as_path(), files::parent_of(folder)]);
        let model = Some(files::parent_of(&spec.path)).filter(|_| spec.path.is_file());
        for folder in beside.chain(model) {
            places.extend(models::scan::repairs_near(folder));
        }
        let of_it = |folder: PathBuf| {
            let repair = RepairFolder::read(folder).ok().filter(|repair| repair.model.blake3 == blake3)?;
            Some((repair.changed()?, repair))
        };
        places.into_iter().filter_map(of_it).max_by_key(|(changed, _)| *changed).map(|(_, repair)| repair)
    }

    /// Decides about a unit of a repair; who decides at the same time does so before or after.
    ///
    /// # Errors
    /// As [`RepairFolder::decide`].
    pub(crate) fn decide(&self, repair: &RepairFolder, unit: usize, decision: Decision) -> base::Result<Decisions> {
        let _alone = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        repair.decide(unit, decision)
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

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lain {
    /// What requests call it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.found.folder
    }

    /// What people call it: the name of its folder.
    pub(crate) fn name(&self) -> String {
        let name = self.folder().canonicalize().ok().and_then(|real| Some(real.file_name()?.to_owned()));
        name.or_else(|| Some(self.folder().file_name()?.to_owned())).unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Entry {
    fn new(id: String, spec: Spec) -> Self {
        Self { id, spec: Mutex::new(spec), opened: Mutex::default() }
    }

    /// Whether it is open, or being opened.
    fn is_open(&self) -> bool {
        self.opened.try_lock().map_or(true, |opened| opened.is_some())
    }

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
