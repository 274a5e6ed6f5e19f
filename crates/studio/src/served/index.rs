//! All that has been found so far, by the ids under which requests may name it.

use super::find::{self, Dissected, Searched, Spec, name_in};
use super::{Asked, Entry, Lain, Run};
use models::RunFolder;
use models::scan::Lying;
use net::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs that are known at most.
const MOST_RUNS: usize = 1024;
/// Dissections that are known at most.
const MOST_DISSECTIONS: usize = 1024;
/// Models that are known at most.
const MOST_MODELS: usize = 1024;

/// The index. What was there once keeps its id; what is listed is what was there when the folder was looked into last.
#[derive(Default)]
pub(super) struct Index {
    models: Known<Entry>,
    runs: Known<Run>,
    dissections: Known<Lain>,
    repairs: Vec<Searched>,
}

/// Things of a kind.
pub(super) struct Known<T> {
    all: Vec<Arc<T>>,
    listed: Vec<Arc<T>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { all: Vec::new(), listed: Vec::new() }
    }
}

/// Something with an id.
pub(super) trait Named {
    fn id(&self) -> &str;
}

impl<T: Named> Known<T> {
    pub(super) fn find(&self, id: &str) -> Option<Arc<T>> {
        self.all.iter().find(|known| known.id() == id).cloned()
    }

    pub(super) fn listed(&self) -> Vec<Arc<T>> {
        self.listed.clone()
    }

    /// An id for something that is called so: no other one has it.
    fn free_id(&self, name: &str) -> String {
        let plain = base::file_name(&[name]);
        let numbered = |n: usize| if n == 1 { plain.clone() } else { format!("{plain}-{n}") };
        let taken = |id: &String| self.all.iter().any(|known| known.id() == id);
        (1..=self.all.len() + 1).map(numbered).find(|id| !taken(id)).unwrap_or_else(|| plain.clone())
    }

    /// A new one that gets this name; none where there are too many.
    fn add(&mut self, most: usize, name: &str, new: impl FnOnce(String) -> T) -> Option<Arc<T>> {
        if self.all.len() >= most {
            return None;
        }
        let new = Arc::new(new(self.free_id(name)));
        self.all.push(new.clone());
        Some(new)
    }

    fn list(&mut self, listed: impl Iterator<Item = Arc<T>>) {
        self.listed.clear();
        for one in listed {
            if !self.listed.iter().any(|known| Arc::ptr_eq(known, &one)) {
                self.listed.push(one);
            }
        }
    }
}

impl Index {
    pub(super) fn models(&self) -> &Known<Entry> {
        &self.models
    }

    pub(super) fn runs(&self) -> &Known<Run> {
        &self.runs
    }

    pub(super) fn dissections(&self) -> &Known<Lain> {
        &self.dissections
    }

    /// The folders of all repairs.
    pub(super) fn repairs(&self) -> Vec<PathBuf> {
        self.repairs.iter().map(|repair| repair.folder.clone()).collect()
    }

    /// Takes in what lies in a folder now.
    ///
    /// # Errors
    /// As [`find::models`].
    pub(super) fn update(&mut self, root: &Path, lying: &Lying, asked: &Asked) -> Result<()> {
        let mut dissections = Vec::new();
        for (folder, run) in &lying.dissections {
            let new = || Dissected::read(folder, run.as_deref());
            let name = name_in(root, folder);
            let known = self.dissections.all.iter().find(|known| known.found.folder == *folder).cloned();
            dissections.extend(match known {
                Some(known) => Some(known),
                // One that is broken does not keep the others from being served.
                None => new().and_then(|found| self.dissections.add(MOST_DISSECTIONS, &name, |id| Lain { id, found })),
            });
        }
        self.dissections.list(dissections.into_iter());

        let mut runs = Vec::new();
        for path in &lying.runs {
            let name = name_in(root, path);
            let known = self.runs.all.iter().find(|run| run.folder().path() == path).cloned();
            runs.extend(known.or_else(|| {
                let folder = RunFolder::open(path.as_path()).ok()?;
                self.runs.add(MOST_RUNS, &name, |id| Run::new(id, name.clone(), folder))
            }));
        }
        self.runs.list(runs.into_iter());

        let dissected: Vec<Dissected> = self.dissections.listed.iter().map(|lain| lain.found.clone()).collect();
        let known = |folder: &PathBuf| self.repairs.iter().find(|known| known.folder == *folder).cloned();
        let repairs = lying.repairs.iter().filter_map(|folder| known(folder).or_else(|| Searched::read(folder)));
        self.repairs = repairs.collect();
        let specs = find::models(root, lying, &dissected, &self.repairs, asked)?;
        self.list_models(specs);
        Ok(())
    }

    /// These are the models now.
    pub(super) fn list_models(&mut self, specs: Vec<Spec>) {
        let mut models = Vec::new();
        for spec in specs {
            let same_model = |entry: &Entry| entry.spec().path == spec.path;
            let same = |entry: &Entry| same_model(entry) && entry.spec().dissection == spec.dissection;
            if let Some(known) = self.models.all.iter().find(|entry| same(entry)) {
                models.push(known.clone());
                continue;
            }
            // One that had no dissection has got one; one whose dissection is gone is still the same model.
            let fits =
                |entry: &Entry| same_model(entry) && (entry.spec().dissection.is_none() || spec.dissection.is_none());
            if let Some(known) = self.models.all.iter().find(|entry| fits(entry)) {
                spec.dissection.iter().for_each(|folder| known.set_dissection(folder));
                models.push(known.clone());
                continue;
            }
            let inner = spec.dissection.as_ref().and_then(|folder| folder.file_name());
            let name = match inner.filter(|_| self.models.all.iter().any(|entry| same_model(entry))) {
                // Another dissection of the same model.
                Some(inner) => format!("{} / {}", spec.name, inner.to_string_lossy()),
                None => spec.name.clone(),
            };
            let spec = Spec { name: name.clone(), ..spec };
            models.extend(self.models.add(MOST_MODELS, &name, |id| Entry::new(id, spec)));
        }
        // What is open stays.
        let open: Vec<_> = self.models.listed.iter().filter(|entry| entry.is_open()).cloned().collect();
        self.models.list(models.into_iter().chain(open));
    }
}
