//! What a folder or a name means.

use super::Asked;
use base::Error;
use dissect::{PLAN, Plan};
use net::Result;
use std::path::{Path, PathBuf};
use train::run_folder;

/// The generator that is shown where nothing is asked for.
const SHIPPED: &str = "scenes";
/// Models of a folder that are served at most.
const MOST: usize = 256;

/// A model and its dissection by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// What people call it.
    pub(super) name: String,
    /// The model: a file, a run folder or a shipped name.
    pub(super) path: PathBuf,
    /// The folder of its dissection, where one was found.
    pub(super) dissection: Option<PathBuf>,
}

/// The models that are meant, the one to show first.
pub(super) fn models(asked: &Asked) -> Result<Vec<Spec>> {
    let what = asked.what.clone().unwrap_or_else(|| SHIPPED.into());
    if models::is_model(&what) {
        return Ok(vec![Spec::of_model(&what)]);
    }
    if !what.exists() {
        let hint =
            "Give a model, a run, a dissection or a folder of them; without a name the shipped scenes are opened.";
        return Err(Error::file(&what, "there is no such model or folder").with_hint(hint).into());
    }
    if !what.is_dir() {
        let hint = "Give a model file, a run, a dissection or a folder of them.";
        return Err(Error::file(&what, "is no model").with_hint(hint).into());
    }
    if what.join(PLAN).is_file() {
        return Ok(vec![Spec::of_dissection(&what)?]);
    }
    let mut found: Vec<Spec> = Vec::new();
    for path in entries(&what)?.into_iter().take(MOST) {
        if path.is_dir() && path.join(PLAN).is_file() {
            // One that is broken does not keep the others from being served.
            found.extend(Spec::of_dissection(&path).ok());
        } else if models::is_model(&path) {
            found.push(Spec::of_model(&path));
        }
    }
    if found.is_empty() {
        found.push(Spec::of_model(Path::new(SHIPPED)));
    }
    Ok(found)
}

impl Spec {
    fn of_model(path: &Path) -> Self {
        let name = path.file_stem().filter(|_| path.is_file()).or(path.file_name());
        let name = name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let inside = if path.is_dir() { dissection_in(path) } else { None };
        Self { name, path: path.to_owned(), dissection: inside }
    }

    fn of_dissection(folder: &Path) -> Result<Self> {
        let plan = Plan::read(folder)?;
        let path = PathBuf::from(&plan.model.name);
        let name =
            folder.file_name().map_or_else(|| plan.model.name.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, path, dissection: Some(folder.to_owned()) })
    }
}

/// The newest dissection in a run's folder.
fn dissection_in(run: &Path) -> Option<PathBuf> {
    if !run_folder::is_run(run) {
        return None;
    }
    let plan_of = |path: &PathBuf| std::fs::metadata(path.join(PLAN)).and_then(|file| file.modified()).ok();
    entries(run).ok()?.into_iter().filter_map(|path| Some((plan_of(&path)?, path))).max().map(|(_, path)| path)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = list().map_err(|e| Error::io("list", folder, e))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_the_shipped_generator_is_meant() {
        let found = models(&Asked::default()).unwrap();
        assert_eq!(found, [Spec { name: "scenes".into(), path: "scenes".into(), dissection: None }]);
    }

    #[test]
    fn a_folder_is_its_models_and_what_is_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let asked = |what: &Path| Asked { what: Some(what.to_owned()), ..Asked::default() };
        assert_eq!(models(&asked(folder.path())).unwrap()[0].name, "scenes");
        for name in ["b.safetensors", "a.safetensors", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<String> = models(&asked(folder.path())).unwrap().into_iter().map(|spec| spec.name).collect();
        assert_eq!(names, ["a", "b"]);
        let refused = |name: &str| models(&asked(&folder.path().join(name))).unwrap_err().to_string();
        assert!(refused("none").ends_with("there is no such model or folder"));
        assert!(refused("notes.txt").ends_with("is no model"));
    }
}
