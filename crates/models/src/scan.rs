//! What lies in a folder: runs, dissections, repairs and models. Links are not followed: what is served lies where the user said.

use base::{Error, Result};
use dissect::{PLAN, RepairFolder};
use std::path::{Path, PathBuf};
use train::checkpoint::MANIFEST;
use train::run_folder::CONFIG;

/// How deep runs and models are looked for.
const DEPTH: usize = 3;
/// How deep results are looked for inside of a run or of another result.
const DEPTH_INSIDE: usize = 2;
/// Folders of runs and results that hold nothing of the kind.
const INNER: [&str; 4] = ["checkpoints", "units", "layers", "candidates"];
/// Folders that are looked into at most.
const MOST: usize = 20_000;
/// What a finished dissection holds.
const DISSECTED: &str = "dissection.json";

/// What lies in a folder, by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lying {
    /// Runs.
    pub runs: Vec<PathBuf>,
    /// Finished dissections, and the run in whose folder each lies.
    pub dissections: Vec<(PathBuf, Option<PathBuf>)>,
    /// Repairs whose candidates have been found.
    pub repairs: Vec<PathBuf>,
    /// Model files, and checkpoints that are no part of a run.
    pub models: Vec<PathBuf>,
}

struct Folder {
    path: PathBuf,
    depth: usize,
    run: Option<PathBuf>,
}

/// Looks into a folder and its folders.
///
/// # Errors
/// The folder itself cannot be listed; those in it that cannot are passed over.
pub fn look(root: &Path) -> Result<Lying> {
    let mut lying = Lying::default();
    let mut waiting = vec![Folder { path: root.to_owned(), depth: DEPTH, run: None }];
    let mut looked = 0;
    while let Some(folder) = waiting.pop() {
        looked += 1;
        match lying.add(&folder) {
            Ok(inner) if looked < MOST => waiting.extend(inner),
            Err(e) if looked == 1 => return Err(Error::io("list", root, e)),
            _ => {}
        }
    }
    lying.runs.sort();
    lying.dissections.sort();
    lying.repairs.sort();
    lying.models.sort();
    Ok(lying)
}

/// The repairs that lie in a folder or right inside of it.
pub fn repairs_near(folder: &Path) -> Vec<PathBuf> {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    std::iter::once(folder.to_owned()).chain(folders.take(MOST)).filter(|path| RepairFolder::is(path)).collect()
}

impl Lying {
    /// Notes what a folder is and holds; the folders in it that are to be looked into.
    fn add(&mut self, folder: &Folder) -> std::io::Result<Vec<Folder>> {
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&folder.path)?.flatten() {
            let (Ok(kind), name) = (entry.file_type(), entry.file_name().to_string_lossy().into_owned()) else {
                continue;
            };
            if kind.is_dir() && !name.starts_with('.') && !INNER.contains(&name.as_str()) {
                folders.push(entry.path());
            } else if kind.is_file() && !name.starts_with('.') {
                if crate::files::has_ending(&entry.path(), &["safetensors", "onnx"]) {
                    self.models.push(entry.path());
                }
                files.push(name);
            }
        }
        let holds = |name: &str| files.iter().any(|file| file == name);
        if holds(MANIFEST) {
            // What it holds belongs together.
            self.models.retain(|path| path.parent() != Some(&folder.path));
            self.models.push(folder.path.clone());
            return Ok(Vec::new());
        }
        let (mut depth, mut run) = (folder.depth, folder.run.clone());
        if holds(CONFIG) {
            self.runs.push(folder.path.clone());
            (run, depth) = (Some(folder.path.clone()), DEPTH_INSIDE);
        }
        if holds(PLAN) && holds(DISSECTED) {
            depth = depth.max(1);
            self.dissections.push((folder.path.clone(), run.clone()));
        }
        if RepairFolder::is(&folder.path) {
            self.repairs.push(folder.path.clone());
        }
        if depth == 0 {
            return Ok(Vec::new());
        }
        let inner = |path| Folder { path, depth: depth - 1, run: run.clone() };
        Ok(folders.into_iter().map(inner).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn all_that_is_meant_is_found_and_links_are_not_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path();
        put(
            root,
            &[
                "a.safetensors",
                "00001-x/config.toml",
                "00001-x/checkpoints/000009/manifest.json",
                "00001-x/checkpoints/000009/ema.safetensors",
                "00001-x/found/settings.json",
                "00001-x/found/dissection.json",
                "00001-x/found/units/config.toml",
                "00001-x/found/repair/candidates.json",
                "00001-x/unfinished/settings.json",
                "group/deeper/00002-y/config.toml",
                "group/deeper/00002-y/repair/candidates.json",
                "group/deeper/00002-y/repair/model.safetensors",
                "group/deeper/more/too-deep/config.toml",
                "copy/manifest.json",
                "copy/generator.safetensors",
                ".hidden/config.toml",
            ],
        );
        put(elsewhere.path(), &["run/config.toml", "b.safetensors"]);
        #[cfg(unix)]
        for (from, to) in [("run", "00003-link"), ("b.safetensors", "b.safetensors")] {
            std::os::unix::fs::symlink(elsewhere.path().join(from), root.join(to)).unwrap();
        }
        let lying = look(root).unwrap();
        let under = |paths: &[&str]| paths.iter().map(|path| root.join(path)).collect::<Vec<_>>();
        assert_eq!(lying.runs, under(&["00001-x", "group/deeper/00002-y"]));
        assert_eq!(lying.dissections, [(root.join("00001-x/found"), Some(root.join("00001-x")))]);
        assert_eq!(lying.repairs, under(&["00001-x/found/repair", "group/deeper/00002-y/repair"]));
        assert_eq!(lying.models, under(&["a.safetensors", "copy", "group/deeper/00002-y/repair/model.safetensors"]));
        assert_eq!(repairs_near(&root.join("00001-x/found")), under(&["00001-x/found/repair"]));
        assert!(look(&root.join("none")).is_err());
    }
}
