//! The folder of a repair whose candidates have been found: what it holds, what is decided, and the model without the units.

use super::decisions::{DECISIONS, Decision, Decisions};
use super::search::{Candidate, Ranking};
use super::{DOCUMENT, REPAIR_FORMAT, REPAIRED_MODEL, RepairMeans, RepairSettings, Repaired, SHEET, report};
use crate::plan::Origin;
use crate::subject::Subject;
use base::watch::Watch;
use base::{Error, files};
use data::Dataset;
use net::{Network, Removal, Result, Storage};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use train::RunLock;

/// The candidates.
pub(super) const CANDIDATES: &str = "candidates.json";
/// The folder of their pictures.
pub(super) const PICTURES: &str = "candidates";
/// The longest file that is read.
const LIMIT: u64 = 64 << 20;

/// A repair whose candidates have been found.
#[derive(Clone, Debug)]
pub struct RepairFolder {
    folder: PathBuf,
    /// The generator.
    pub model: Origin,
    /// The real images: a name or path, as it was given.
    pub real: String,
    /// The layer whose units are looked at.
    pub layer: String,
    /// How the candidates were found.
    pub settings: RepairSettings,
    ranking: Ranking,
}

/// What became of a generator whose accepted units were taken out.
#[derive(Clone, Debug)]
pub struct TakenOut {
    /// The units, by their old numbers.
    pub units: Vec<usize>,
    /// How they are gone.
    pub removal: Removal,
    /// The file of the generator without them.
    pub file: PathBuf,
}

#[derive(Deserialize)]
struct File<T> {
    format: u32,
    #[serde(flatten)]
    found: T,
}

#[derive(Deserialize)]
struct Searched {
    model: Origin,
    real: String,
    layer: String,
    settings: RepairSettings,
    #[serde(flatten)]
    ranking: Ranking,
}

impl RepairFolder {
    /// Whether a folder is one.
    pub fn is(folder: impl AsRef<Path>) -> bool {
        folder.as_ref().join(CANDIDATES).is_file()
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none, or its list of candidates cannot be read or understood.
    pub fn read(folder: impl Into<PathBuf>) -> base::Result<Self> {
        let folder = folder.into();
        let Searched { model, real, layer, settings, ranking } = read(&folder.join(CANDIDATES))?;
        Ok(Self { folder, model, real, layer, settings, ranking })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// When its candidates were written, where the system tells.
    pub fn changed(&self) -> Option<std::time::SystemTime> {
        std::fs::metadata(self.folder.join(CANDIDATES)).and_then(|file| file.modified()).ok()
    }

    /// The units that a person should look at, in their order.
    pub fn candidates(&self) -> &[Candidate] {
        &self.ranking.candidates
    }

    /// The picture of a candidate: its strongest images, where it is on in them, the images without it, and the real images that are
    /// most like them, a row each.
    pub fn picture(&self, unit: usize) -> PathBuf {
        self.folder.join(PICTURES).join(format!("{unit}.png"))
    }

    /// What is decided.
    ///
    /// # Errors
    /// The decisions cannot be read, or are about another generator or layer.
    pub fn decisions(&self) -> base::Result<Decisions> {
        Decisions::read(&self.folder.join(DECISIONS), &self.model, (&self.layer, self.ranking.units.len()))
    }

    /// Decides about a unit, in the files at once. Nobody else may write there meanwhile: whoever does holds the folder's lock.
    ///
    /// # Errors
    /// The layer has no such unit; a process is at work in the folder; a file cannot be read or written.
    pub fn decide(&self, unit: usize, decision: Decision) -> base::Result<Decisions> {
        let units = self.ranking.units.len();
        if unit >= units {
            let reason = format!("layer {} has no unit {unit}; it has units 0 to {}", self.layer, units.max(1) - 1);
            return Err(Error::setting("unit", reason));
        }
        let _lock = RunLock::acquire(&self.folder)?;
        let mut decisions = self.decisions()?;
        decisions.units.insert(unit, decision);
        let is_candidate = self.candidates().iter().any(|candidate| candidate.unit == unit);
        if decision == Decision::Undecided && !is_candidate {
            decisions.units.remove(&unit);
        }
        report::decisions(&self.folder, self.candidates(), &decisions)?;
        Ok(decisions)
    }

    /// What the repair did when it was judged last; `None` if it was not.
    ///
    /// # Errors
    /// The record cannot be read or understood.
    pub fn repaired(&self) -> base::Result<Option<Repaired>> {
        let path = self.folder.join(DOCUMENT);
        if path.is_file() { read(&path).map(Some) } else { Ok(None) }
    }

    /// The file of the generator without the units, where it has been made.
    pub fn model_file(&self) -> Option<PathBuf> {
        Some(self.folder.join(REPAIRED_MODEL)).filter(|path| path.is_file())
    }

    /// Takes the accepted units out of the generator, and judges what that did where real images are given; without them the figures
    /// of an earlier judgement go, which would be taken for those of this one. `None` when the watcher wanted it to end: nothing has
    /// changed then.
    ///
    /// # Errors
    /// No unit is accepted; the generator or the layer is another one; a process is at work in the folder; the real images have another
    /// shape or are too few; a network cannot be run or a file cannot be written.
    pub fn take_out(
        &self,
        subject: &Subject,
        real: Option<&Dataset>,
        watch: &mut dyn Watch,
    ) -> Result<Option<TakenOut>> {
        if subject.layers()[0].name != self.layer || !self.model.is(subject.network())? {
            let reason = format!("is the repair of another generator or layer ({}, {})", self.model.name, self.layer);
            return Err(Error::file(&self.folder, reason).into());
        }
        let _lock = RunLock::acquire(&self.folder)?;
        let accepted = self.decisions()?.accepted();
        if accepted.is_empty() {
            return Err(Error::file(&self.folder, "no unit is accepted, so there is nothing to take out").into());
        }
        let Some(real) = real else {
            let (network, removal, _) = super::without(subject, &accepted)?;
            remove_results(&self.folder);
            return Ok(Some(TakenOut { file: write(&self.folder, &network)?, units: accepted, removal }));
        };
        let means = RepairMeans { subject, name: self.model.name.clone(), real, defects: None };
        super::check_real(&means, &self.settings)?;
        self.settings.check_memory(subject)?;
        let Some(seen) = super::sample::Real::open(real, &self.settings, watch)? else { return Ok(None) };
        let done = super::judged(&self.folder, &means, &self.model, &seen, accepted, &self.settings, watch)?;
        let taken =
            |Repaired { units, removal, .. }| TakenOut { file: self.folder.join(REPAIRED_MODEL), units, removal };
        Ok(done.map(taken))
    }
}

/// Writes the generator without the units.
pub(super) fn write(folder: &Path, network: &Network) -> Result<PathBuf> {
    let file = folder.join(REPAIRED_MODEL);
    files::write_atomic(&file, &network.to_bytes(Storage::F32)?)?;
    Ok(file)
}

/// Removes what other decisions gave: it would be taken for the result of new ones.
pub(super) fn remove_results(folder: &Path) {
    for name in [DOCUMENT, SHEET, REPAIRED_MODEL] {
        drop(std::fs::remove_file(folder.join(name)));
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> base::Result<T> {
    let wrong = |reason: String| Error::file(path, reason);
    let bytes = files::read(path, LIMIT)?;
    let File { format, found } =
        serde_json::from_slice(&bytes).map_err(|e| wrong(format!("cannot be understood: {e}")))?;
    if format > REPAIR_FORMAT {
        return Err(wrong(format!("has format {format}; this program reads up to {REPAIR_FORMAT}"))
            .with_hint("Use the newer program that wrote it."));
    }
    Ok(found)
}
