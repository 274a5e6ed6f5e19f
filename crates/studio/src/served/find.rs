//! What a folder or a name means.

use super::Asked;
use base::Error;
use dissect::{PLAN, Plan, RepairFolder};
use models::scan::Lying;
use models::{RunFolder, RunKind};
use net::Result;
use shipped::Kind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use train::checkpoint::MANIFEST;
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

/// A finished dissection that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dissected {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The run in whose folder it lies.
    pub(super) run: Option<PathBuf>,
    /// The model that it is about, as a model is named in a [`Spec`].
    pub(super) about: PathBuf,
    /// When it was begun.
    begun: Option<SystemTime>,
}

/// A repair whose candidates have been found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Searched {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The model that it is about.
    about: PathBuf,
}

/// What the user means.
#[derive(Debug)]
pub(super) enum Meant {
    /// One model.
    Model(Spec),
    /// All that lies in a folder.
    Folder(PathBuf),
}

/// What the user means.
///
/// # Errors
/// There is nothing of this name, or nothing that can be served.
pub(super) fn meant(asked: &Asked) -> Result<Meant> {
    let what = asked.what.clone().unwrap_or_else(|| SHIPPED.into());
    let hint = "Give a model file, a run, a dissection or a folder of them";
    if is_shipped(&what) {
        return Ok(Meant::Model(Spec::shipped(&what, asked)));
    }
    if !what.exists() {
        let hint = format!("{hint}; without a name the shipped scenes are opened.");
        return Err(Error::file(&what, "there is no such model or folder").with_hint(hint).into());
    }
    if what.is_dir() && !what.join(MANIFEST).is_file() {
        return Ok(Meant::Folder(what));
    }
    if !models::is_model(&what) {
        return Err(Error::file(&what, "is no model").with_hint(format!("{hint}.")).into());
    }
    let name = what.file_stem().map_or_else(|| what.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(Meant::Model(Spec { name, path: what, dissection: asked.dissection.clone() }))
}

/// The models of a folder in which this lies, the one to show first: those that it is named after, then those with a dissection.
///
/// # Errors
/// The folder is a dissection or a repair that cannot be read.
pub(super) fn models(
    root: &Path,
    lying: &Lying,
    dissected: &[Dissected],
    searched: &[Searched],
    asked: &Asked,
) -> Result<Vec<Spec>> {
    let mut found: Vec<Spec> = Vec::new();
    if root.join(PLAN).is_file() && !run_folder::is_run(root) {
        let path = about(&Plan::read(root)?.model.name, None);
        found.push(Spec { name: name_in(root, root), path, dissection: Some(root.to_owned()) });
    } else if RepairFolder::is(root) {
        let path = about(&RepairFolder::read(root)?.model.name, None);
        found.push(Spec { name: name_in(root, root), path, dissection: asked.dissection.clone() });
    }
    let with_checkpoint = |path: &&PathBuf| {
        let run = RunFolder::open(path.as_path());
        run.is_ok_and(|run| run.kind() == RunKind::Evolve && run.checkpoints().is_ok_and(|all| !all.is_empty()))
    };
    let mut own: Vec<Spec> = Vec::new();
    for path in lying.runs.iter().filter(with_checkpoint).chain(&lying.models).take(MOST) {
        let mut about_it: Vec<&Dissected> = dissected.iter().filter(|found| same_place(&found.about, path)).collect();
        about_it.sort_by_key(|found| std::cmp::Reverse(found.begun));
        let mut dissections: Vec<Option<PathBuf>> =
            asked.dissection.iter().chain(about_it.iter().map(|found| &found.folder)).cloned().map(Some).collect();
        if dissections.is_empty() {
            dissections.push(None);
        }
        let spec = |dissection| Spec { name: name_in(root, path), path: path.clone(), dissection };
        own.extend(dissections.into_iter().map(spec));
    }
    let of_others = dissected.iter().filter(|found| !own.iter().any(|spec| same_place(&spec.path, &found.about)));
    let of_others = of_others.map(|found| Spec {
        name: name_in(root, &found.folder),
        path: found.about.clone(),
        dissection: Some(found.folder.clone()),
    });
    let others: Vec<Spec> = of_others.take(MOST).collect();
    own.extend(others);
    for repair in searched.iter().take(MOST) {
        // Who is to decide about its units must be able to see them.
        if !own.iter().any(|spec| same_place(&spec.path, &repair.about)) {
            let (name, path) = (name_in(root, &repair.about), repair.about.clone());
            own.push(Spec { name, path, dissection: asked.dissection.clone() });
        }
    }
    // In a run its own generator comes first, in a folder that whose units are known.
    own.sort_by_key(|spec| (spec.path != root, spec.dissection.is_none()));
    for spec in own {
        if !found.iter().any(|known| known.path == spec.path && known.dissection == spec.dissection) {
            found.push(spec);
        }
    }
    if found.is_empty() {
        // A run that has no checkpoint yet is one soon; meanwhile there is something to look at.
        found.push(Spec::shipped(Path::new(SHIPPED), asked));
    }
    Ok(found)
}

/// The model that a dissection or a repair is about: a shipped name, a run, or a file. `run` is the run in whose folder it lies: a run
/// that has been moved has taken its results along.
fn about(named: &str, run: Option<&Path>) -> PathBuf {
    let named = PathBuf::from(named);
    if is_shipped(&named) {
        return named;
    }
    // Of a run, the file of a checkpoint was taken, which may be gone by now.
    let checkpoints = named.ancestors().nth(2).filter(|folder| folder.file_name().is_some_and(|n| n == "checkpoints"));
    let of_run = checkpoints.and_then(Path::parent).filter(|folder| run_folder::is_run(folder));
    match (of_run, run) {
        (Some(of_run), _) => of_run.to_owned(),
        (None, Some(run)) if !named.exists() => run.to_owned(),
        _ => named,
    }
}

impl Dissected {
    /// Reads which model a dissection is about; none if that cannot be read.
    pub(super) fn read(folder: &Path, run: Option<&Path>) -> Option<Self> {
        let plan = Plan::read(folder).ok()?;
        let begun = std::fs::metadata(folder.join(PLAN)).and_then(|file| file.modified()).ok();
        Some(Self {
            folder: folder.to_owned(),
            run: run.map(Path::to_owned),
            about: about(&plan.model.name, run),
            begun,
        })
    }
}

impl Searched {
    /// Reads which model a repair is about; none if that cannot be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let about = about(&RepairFolder::read(folder).ok()?.model.name, None);
        Some(Self { folder: folder.to_owned(), about })
    }
}

impl Spec {
    fn shipped(name: &Path, asked: &Asked) -> Self {
        Self { name: name.display().to_string(), path: name.to_owned(), dissection: asked.dissection.clone() }
    }

    /// Whether there is still what it names.
    pub(super) fn is_there(&self) -> bool {
        is_shipped(&self.path) || self.path.exists()
    }
}

/// What people call what lies in a folder: its path from there, without the ending of a model.
pub(super) fn name_in(root: &Path, path: &Path) -> String {
    let short = path.strip_prefix(root).ok().filter(|short| !short.as_os_str().is_empty());
    let named = short.map(Path::to_owned).or_else(|| path.canonicalize().ok()?.file_name().map(PathBuf::from));
    let named = named.unwrap_or_else(|| path.to_owned());
    let bare = if models::files::has_ending(&named, &["safetensors"]) { named.with_extension("") } else { named };
    bare.display().to_string()
}

fn is_shipped(path: &Path) -> bool {
    path.to_str().is_some_and(|name| shipped::by_name(name, Kind::Generator).is_some())
}

/// Whether two paths lead to the same thing.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    a == b || (a.exists() && a.canonicalize().ok() == b.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::scan;

    fn asked(what: &Path) -> Asked {
        Asked { what: Some(what.to_owned()), ..Asked::default() }
    }

    fn names(root: &Path) -> Vec<String> {
        let lying = scan::look(root).unwrap();
        models(root, &lying, &[], &[], &asked(root)).unwrap().into_iter().map(|spec| spec.name).collect()
    }

    #[test]
    fn without_a_name_the_shipped_generator_is_meant() {
        let Meant::Model(found) = meant(&Asked::default()).unwrap() else { panic!("it is a folder") };
        assert_eq!(found, Spec { name: "scenes".into(), path: "scenes".into(), dissection: None });
    }

    #[test]
    fn a_folder_is_its_models_and_what_is_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(names(folder.path()), ["scenes"]);
        for name in ["b.safetensors", "a.safetensors", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(names(folder.path()), ["a", "b"]);
        let refused = |name: &str| meant(&asked(&folder.path().join(name))).unwrap_err().to_string();
        assert!(refused("none").ends_with("there is no such model or folder"));
        assert!(refused("notes.txt").ends_with("is no model"));
    }

    #[test]
    fn a_run_is_a_model_as_soon_as_it_has_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("group/00001-x");
        std::fs::create_dir_all(run.join("checkpoints")).unwrap();
        std::fs::write(run.join(run_folder::CONFIG), "generations = 9").unwrap();
        assert_eq!(names(folder.path()), ["scenes"], "there is a run, and no model of it yet");
        std::fs::create_dir(run.join("checkpoints/000004")).unwrap();
        assert_eq!(names(folder.path()), [Path::new("group").join("00001-x").display().to_string()]);
        assert_eq!(names(&run), ["00001-x"]);
        std::fs::write(run.join(run_folder::CONFIG), "task = \"segmenter\"").unwrap();
        assert_eq!(names(folder.path()), ["scenes"], "a segmenter makes no pictures");
    }

    #[test]
    fn a_dissection_is_that_of_its_run_of_its_file_or_of_a_shipped_generator() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("00001-x");
        std::fs::create_dir_all(run.join("checkpoints/000004")).unwrap();
        std::fs::write(run.join(run_folder::CONFIG), "").unwrap();
        let mut plan = models::open_dissection("scenes").unwrap().plan;
        assert_eq!(about(&plan.model.name, Some(&run)), Path::new("scenes"));
        plan.model.name = run.join("checkpoints/000002/ema.safetensors").display().to_string();
        assert_eq!(about(&plan.model.name, None), run, "a checkpoint may be gone while its run is there");
        plan.model.name = "runs/elsewhere/checkpoints/000002/ema.safetensors".into();
        assert_eq!(about(&plan.model.name, Some(&run)), run, "the run has been moved");
        assert_eq!(about(&plan.model.name, None), Path::new(&plan.model.name));
        let found = |name: &str, about: &Path, age| Dissected {
            folder: run.join(name),
            run: Some(run.clone()),
            about: about.to_owned(),
            begun: SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(age)),
        };
        let dissected = [found("old", &run, 1), found("new", &run, 2), found("other", Path::new("scenes"), 3)];
        let lying = scan::look(folder.path()).unwrap();
        let repair = |about: &Path| Searched { folder: folder.path().join("repair"), about: about.to_owned() };
        let searched = [repair(&run), repair(Path::new("scenes")), repair(Path::new("g.safetensors"))];
        let specs = models(folder.path(), &lying, &dissected, &searched, &asked(folder.path())).unwrap();
        let (last, specs) = specs.split_last().unwrap();
        assert_eq!((last.name.as_str(), &last.dissection), ("g", &None), "the model of a repair");
        let told: Vec<(&Path, String)> = specs
            .iter()
            .map(|spec| (spec.path.as_path(), name_in(&run, spec.dissection.as_deref().unwrap())))
            .collect();
        assert_eq!(told, [(run.as_path(), "new".into()), (&run, "old".into()), (Path::new("scenes"), "other".into())]);
    }
}
