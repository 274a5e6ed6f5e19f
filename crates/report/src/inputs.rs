//! What the page is made of: a dissection, and what was found and done with it.

use crate::Wanted;
use crate::repair::Repair;
use base::Error;
use dissect::{Causal, Dissection, EDITED, Edited, Findings, PLAN, RECIPE, Recipe};
use net::Result;
use std::path::{Path, PathBuf};

/// The picture in an edit's folder.
pub(crate) const SHEET: &str = "sheet.png";
/// How deep results are looked for inside of a dissection's folder.
const DEPTH: usize = 3;
/// Folders and files of the dissection itself and of edits: no result of `causal` is called so.
const OWN_FOLDERS: [&str; 2] = ["units", "layers"];
const OWN_FILES: [&str; 4] = [PLAN, "dissection.json", RECIPE, EDITED];

/// Everything that was read.
pub(crate) struct Inputs {
    pub(crate) dissection: Dissection,
    pub(crate) findings: Findings,
    pub(crate) causes: Vec<Cause>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) repair: Option<Repair>,
    /// What lay in the dissection's folder and could not be shown.
    pub(crate) notes: Vec<String>,
}

/// A result of `causal`.
pub(crate) struct Cause {
    pub(crate) path: PathBuf,
    pub(crate) found: Causal,
    /// The place of its class among the concepts.
    pub(crate) concept: usize,
    /// The place of its layer.
    pub(crate) layer: usize,
}

/// A folder of `edit`.
pub(crate) struct Edit {
    pub(crate) folder: PathBuf,
    pub(crate) recipe: Recipe,
    /// What was edited; none in folders of older programs.
    pub(crate) edited: Option<Edited>,
}

impl Inputs {
    /// A dissection alone.
    pub(crate) fn of(dissection: Dissection) -> Self {
        let findings = dissection.findings();
        Self { dissection, findings, causes: Vec::new(), edits: Vec::new(), repair: None, notes: Vec::new() }
    }

    /// Reads the dissection, what was named, and what lies in its folder. What was named must be right; what was found there and
    /// cannot be shown becomes a note.
    pub(crate) fn gather(folder: &Path, wanted: &Wanted) -> Result<Self> {
        if !folder.join(PLAN).is_file() && (Repair::is(folder) || folder.join(RECIPE).is_file()) {
            let (what, setting) = if Repair::is(folder) { ("a repair", "repair") } else { ("an edit", "edit") };
            return Err(Error::file(folder, format!("is {what}; a page is made of a dissection"))
                .with_hint(format!("Give it with the dissection: `report FOUND {setting} {}`.", folder.display()))
                .into());
        }
        let mut inputs = Self::of(Dissection::read(folder)?);
        for path in &wanted.causal {
            inputs.named_causes(path)?;
        }
        for path in &wanted.edits {
            let edit = inputs.edit(path)?;
            inputs.edits.push(edit);
        }
        if let Some(path) = &wanted.repair {
            inputs.repair = Some(inputs.own_repair(path)?);
        }
        inputs.look_into(folder, DEPTH)?;
        Ok(inputs)
    }

    /// A file, or all files of a folder.
    fn named_causes(&mut self, path: &Path) -> Result<()> {
        let files = if path.is_dir() { json_files(path)? } else { vec![path.to_owned()] };
        let before = self.causes.len();
        for file in files {
            match self.cause(&file)? {
                Some(cause) => self.causes.push(cause),
                None if path.is_dir() => {}
                None => return Err(no_result(&file).into()),
            }
        }
        if self.causes.len() == before {
            return Err(no_result(path).into());
        }
        Ok(())
    }

    /// A result of `causal`; none if the file is of another kind.
    fn cause(&self, path: &Path) -> Result<Option<Cause>> {
        let Some(found) = Causal::read(path)? else { return Ok(None) };
        let (layer, concept) = found.place_in(&self.dissection).map_err(|why| stranger(path, why))?;
        Ok(Some(Cause { path: path.to_owned(), found, concept, layer }))
    }

    fn edit(&self, folder: &Path) -> Result<Edit> {
        if let Some(missing) = [RECIPE, SHEET].into_iter().find(|name| !folder.join(name).is_file()) {
            return Err(Error::file(folder, format!("is not an edit (no {missing})"))
                .with_hint("Give a folder that `edit` has written.")
                .into());
        }
        let recipe = Recipe::read(&folder.join(RECIPE))?;
        let edited = folder.join(EDITED).is_file().then(|| Edited::read(folder)).transpose()?;
        if edited.as_ref().is_some_and(|edited| edited.model.blake3 != self.dissection.plan.model.blake3) {
            return Err(stranger(folder, "it is an edit of another generator").into());
        }
        Ok(Edit { folder: folder.to_owned(), recipe, edited })
    }

    fn own_repair(&self, folder: &Path) -> Result<Repair> {
        let repair = Repair::read(folder)?;
        if !repair.is_of(&self.dissection.plan.model.blake3) {
            return Err(stranger(folder, "it is a repair of another generator").into());
        }
        Ok(repair)
    }

    /// Takes what lies in a folder and its folders, in the order of names.
    fn look_into(&mut self, folder: &Path, depth: usize) -> Result<()> {
        if Repair::is(folder) {
            if self.repair.is_none() {
                self.repair = self.or_note(folder, |inputs| inputs.own_repair(folder));
            }
            // What else it holds belongs to it.
            return Ok(());
        }
        if folder.join(RECIPE).is_file() && folder.join(SHEET).is_file() {
            if !self.edits.iter().any(|known| same_place(&known.folder, folder)) {
                let edit = self.or_note(folder, |inputs| inputs.edit(folder));
                self.edits.extend(edit);
            }
            return Ok(());
        }
        for file in json_files(folder)? {
            if !self.causes.iter().any(|known| same_place(&known.path, &file)) {
                let cause = self.or_note(&file, |inputs| inputs.cause(&file)).flatten();
                self.causes.extend(cause);
            }
        }
        if depth == 0 {
            return Ok(());
        }
        for inner in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
            let name = inner.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !name.starts_with('.') && !OWN_FOLDERS.contains(&name.as_str()) && !inner.is_symlink() {
                self.look_into(&inner, depth - 1)?;
            }
        }
        Ok(())
    }

    fn or_note<T>(&mut self, path: &Path, read: impl FnOnce(&Self) -> Result<T>) -> Option<T> {
        match read(self) {
            Ok(found) => Some(found),
            Err(error) => {
                let (error, path) = (error.to_string(), path.display().to_string());
                let what = if error.contains(&path) { error } else { format!("{path}: {error}") };
                self.notes.push(what);
                None
            }
        }
    }
}

fn no_result(path: &Path) -> Error {
    Error::file(path, "holds no result of a search for causes").with_hint("Give what `causal` has written.")
}

fn stranger(path: &Path, why: &str) -> Error {
    Error::file(path, format!("does not belong to this dissection: {why}"))
        .with_hint("Make the report of the dissection that it was made with.")
}

/// Whether two paths lead to the same thing.
fn same_place(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(a) == real(b)
}

/// The JSON files of a folder that could be results, by name.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let own = |path: &Path| OWN_FILES.iter().any(|name| path.file_name().is_some_and(|n| n == *name));
    let json = |path: &PathBuf| path.extension().is_some_and(|e| e == "json") && path.is_file() && !own(path);
    Ok(entries(folder)?.into_iter().filter(json).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = list().map_err(|e| Error::io("list", folder, e))?;
    paths.sort();
    Ok(paths)
}
