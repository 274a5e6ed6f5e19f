//! What people call a model: a shipped name, a model file, an ONNX file, a run folder or a checkpoint.

use base::sniff::{Kind as Thing, Wanted};
use base::{Error, files};
use dissect::Subject;
use net::{Device, Network, Result};
use segment::Segmenter;
use shipped::Kind;
use std::fmt;
use std::path::{Path, PathBuf};
use train::checkpoint::{Checkpoint, MANIFEST, PassedOver};
use train::run_folder;

/// The networks in a checkpoint that people use, the one to prefer first: the moving average where one is kept.
const NETWORKS: [(Kind, &str); 3] = [
    (Kind::Generator, "ema.safetensors"),
    (Kind::Generator, "generator.safetensors"),
    (Kind::Segmenter, segment::SEGMENTER),
];

/// What is read here, for messages about folders that are something else.
const WANTED: Wanted = Wanted {
    name: "a model",
    kind: Thing::CHECKPOINT,
    cure: "Give a model file, or a run folder of `evolve` or `segmenter train`.",
};

/// What was decided on the way to a model, for whoever wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Of a folder, this file was taken.
    Taken(PathBuf),
    /// A file or folder has this shipped name, which does not mean it.
    FilePassedOver(PathBuf),
    /// What was decided where an ONNX file says nothing.
    Imported(PathBuf, String),
    /// A checkpoint that would have been taken cannot be read.
    PassedOver(PassedOver),
}

impl Note {
    /// Whether something went otherwise than people may think.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::Taken(_) | Self::Imported(..))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path) => write!(f, "taking {}", path.display()),
            Self::FilePassedOver(path) => {
                let name = path.display();
                write!(f, "{name} is the model that comes with the program; the file or folder here is ./{name}")
            }
            Self::Imported(path, what) => write!(f, "{}: {what}", path.display()),
            Self::PassedOver(passed) => passed.fmt(f),
        }
    }
}

/// A network and where it came from.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// The file in which it lies, or its shipped name.
    pub path: PathBuf,
}

/// Loads a segmenter: a shipped name, a model file, a run folder or a checkpoint.
///
/// # Errors
/// As [`Model::open`]; or the network is no segmenter.
pub fn open_segmenter(path: impl AsRef<Path>, device: &Device) -> Result<Segmenter> {
    find_segmenter(path.as_ref(), device, &mut |_| {}).map(|(segmenter, _)| segmenter)
}

/// As [`open_segmenter`], with the file in which it lies; `tell` hears of each choice.
///
/// # Errors
/// As [`open_segmenter`].
pub fn find_segmenter(path: &Path, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<(Segmenter, PathBuf)> {
    let Model { network, path } = Model::of_kind(path, Kind::Segmenter, &[Kind::Segmenter], device, tell)?;
    let of_others = network.notes.iter().all(|(key, _)| key != segment::PLANES);
    let unsaid = of_others && segment::Reads::of_notes(&network.notes)?.is_none();
    let segmenter = Segmenter::of_file(network, &path)?;
    if unsaid {
        tell(&Note::Imported(path.clone(), UNSAID.to_owned()));
    }
    Ok((segmenter, path))
}

/// What is assumed of a segmenter that says nothing of how it reads images.
pub const UNSAID: &str =
    "says nothing of how it reads images; values in [0, 1] with the means and deviations of ImageNet are assumed";

/// Whether a name means a model rather than data: a shipped generator, a model file, a run folder or a checkpoint.
pub fn is_model(path: &Path) -> bool {
    let named = |name| shipped::by_name(name, Kind::Generator).is_some();
    path.to_str().is_some_and(named)
        || crate::files::has_ending(path, &["safetensors", "onnx"])
        || run_folder::is_run(path)
        || path.join(MANIFEST).is_file()
}

impl Model {
    /// Loads a model: of a run, whatever it trains. A path wins over a shipped name, which is of a generator here, only if it has
    /// a `/` in it.
    ///
    /// # Errors
    /// There is nothing of this name, a file is broken, or no checkpoint of the run can be read.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::find(path.as_ref(), device, &mut |_| {})
    }

    /// As [`Model::open`]; `tell` hears of each choice.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn find(path: &Path, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Self> {
        Self::of_kind(path, Kind::Generator, &[Kind::Generator, Kind::Segmenter], device, tell)
    }

    /// As [`Model::find`], of a kind: only that is taken from a run.
    pub(crate) fn named(path: &Path, kind: Kind, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Self> {
        Self::of_kind(path, kind, &[kind], device, tell)
    }

    /// The networks of a kind in a checkpoint, the one to prefer first.
    pub(crate) fn all_in(checkpoint: &Checkpoint, kind: Kind, device: &Device) -> impl Iterator<Item = Result<Self>> {
        let files = NETWORKS.into_iter().filter(move |(of, _)| *of == kind);
        files.filter_map(move |(_, name)| {
            let path = checkpoint.path.join(name);
            let bytes = checkpoint.files.get(name)?;
            Some(Network::from_bytes(bytes, &path, device).map(|network| Self { network, path }))
        })
    }

    /// The network with the layers whose units are looked at; no names mean all layers with maps.
    ///
    /// # Errors
    /// The network makes no pictures, or a layer is not one with maps.
    pub fn subject(&self, layers: &[String], device: &Device) -> Result<Subject> {
        if self.network.notes.iter().any(|(key, _)| key == segment::PLANES) {
            return Err(Error::file(&self.path, "is a segmenter; dissected are generators")
                .with_hint("Give a generator, and this with `segmenter`.")
                .into());
        }
        let subject = Subject::new(&self.network, layers, device).map_err(|error| error.in_file(&self.path))?;
        Ok(subject.of_file(&self.path))
    }

    /// `named` is the kind that a shipped name means, `trained` are the kinds that are taken from runs.
    fn of_kind(
        path: &Path,
        named: Kind,
        trained: &[Kind],
        device: &Device,
        tell: &mut dyn FnMut(&Note),
    ) -> Result<Self> {
        if let Some(shipped) = path.to_str().and_then(|name| shipped::by_name(name, named)) {
            if files::is_passed_over(shipped.name) {
                tell(&Note::FilePassedOver(path.to_owned()));
            }
            return Ok(Self { network: Network::from_bytes(shipped.bytes, path, device)?, path: path.to_owned() });
        }
        if path.is_dir() {
            let checkpoint = checkpoint_in(path, tell)?;
            let model = Self::from_checkpoint(&checkpoint, trained, device)?;
            tell(&Note::Taken(model.path.clone()));
            return Ok(model);
        }
        if !path.exists() {
            let hint = if path.components().count() == 1 && path.extension().is_none() {
                let names: Vec<&str> = shipped::of_kind(named).map(|shipped| shipped.name).collect();
                let what = if named == Kind::Segmenter { "segmenters" } else { "models" };
                match base::nearest(&path.to_string_lossy(), names.iter().copied()) {
                    Some(near) => format!("Did you mean {near}?"),
                    None => {
                        format!("Check the spelling; the {what} that come with the program are: {}.", names.join(", "))
                    }
                }
            } else {
                "Check the spelling of the path.".into()
            };
            return Err(Error::file(path, "there is no such model file, run folder or checkpoint")
                .with_hint(hint)
                .into());
        }
        if crate::files::has_ending(path, &["onnx"]) {
            return Self::of_onnx(path, &[], device, tell);
        }
        Ok(Self { network: Network::load(path, device)?, path: path.to_owned() })
    }

    /// A network of an ONNX file, with the lengths of axes that the file leaves open, by the names that it gives them. One that was exported
    /// for one image takes any number, where its operators let it.
    ///
    /// # Errors
    /// The file cannot be read, or has what cannot be written in the operations here.
    pub fn of_onnx(
        path: &Path,
        lengths: &[(String, usize)],
        device: &Device,
        tell: &mut dyn FnMut(&Note),
    ) -> Result<Self> {
        let as_it_is = onnx::Options { lengths: lengths.iter().cloned().collect(), ..onnx::Options::default() };
        let any_number = onnx::Options { batch_of_one: true, ..as_it_is.clone() };
        let imported = match onnx::import(path, &any_number, device) {
            Ok(imported) => imported,
            Err(_) => onnx::import(path, &as_it_is, device)?,
        };
        imported.notices.into_iter().for_each(|notice| tell(&Note::Imported(path.to_owned(), notice)));
        Ok(Self { network: imported.network, path: path.to_owned() })
    }

    fn from_checkpoint(checkpoint: &Checkpoint, trained: &[Kind], device: &Device) -> Result<Self> {
        if let Some(first) = trained.iter().find_map(|&kind| Self::all_in(checkpoint, kind, device).next()) {
            return first;
        }
        let wanted = NETWORKS.into_iter().filter(|(kind, _)| trained.contains(kind)).map(|(_, name)| name);
        let reason = format!("holds none of {}", wanted.collect::<Vec<_>>().join(", "));
        Err(Error::file(&checkpoint.path, reason).into())
    }
}

/// The checkpoint that a folder stands for: itself, or the best of a run, or its newest whole one.
fn checkpoint_in(folder: &Path, tell: &mut dyn FnMut(&Note)) -> Result<Checkpoint> {
    if let Some(checkpoint) = Checkpoint::of_folder(folder, &mut |passed| tell(&Note::PassedOver(passed)))? {
        return Ok(checkpoint);
    }
    let reason = format!("is neither a run folder (no {}) nor a checkpoint (no {MANIFEST})", run_folder::CONFIG);
    let found = Thing::of_path(folder);
    if found == Some(Thing::REPAIR) {
        let hint = format!("Give the model in it: {}.", folder.join(dissect::REPAIRED_MODEL).display());
        return Err(Error::file(folder, "is the folder of a repair, not a model").with_hint(hint).into());
    }
    Err(WANTED.unfit(folder, found, Error::file(folder, reason).with_hint(WANTED.cure)).into())
}
