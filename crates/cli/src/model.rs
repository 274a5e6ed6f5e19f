//! What MODEL on the command line means: a shipped name, a model file, a run folder or a checkpoint.

use crate::console::Console;
use anyhow::Result;
use base::Error;
use net::{Device, Network};
use shipped::Kind;
use std::path::{Path, PathBuf};
use train::checkpoint::{Checkpoint, MANIFEST, Rejected, Store};
use train::run_folder;

/// The networks in a checkpoint that people use, the one to prefer first: the moving average where one is kept.
const NETWORKS: [(Kind, &str); 3] = [
    (Kind::Generator, "ema.safetensors"),
    (Kind::Generator, "generator.safetensors"),
    (Kind::Segmenter, segment::SEGMENTER),
];

/// A network and where it came from.
pub(crate) struct Model {
    /// The network.
    pub(crate) network: Network,
    /// The file in which it lies, or its shipped name.
    pub(crate) path: PathBuf,
}

impl Model {
    /// Finds and loads what the user calls MODEL: of a run, whatever it trains. A path wins over a shipped name, which is
    /// of a generator here, only if it has a `/` in it.
    pub(crate) fn open(path: &Path, device: &Device, console: Console) -> Result<Self> {
        Self::find(path, Kind::Generator, &[Kind::Generator, Kind::Segmenter], device, console)
    }

    /// As [`Model::open`] for what the user calls SEG: a segmenter.
    pub(crate) fn open_segmenter(path: &Path, device: &Device, console: Console) -> Result<Self> {
        Self::find(path, Kind::Segmenter, &[Kind::Segmenter], device, console)
    }

    /// `named` is the kind that a shipped name means, `trained` are the kinds that are taken from runs.
    fn find(path: &Path, named: Kind, trained: &[Kind], device: &Device, console: Console) -> Result<Self> {
        if let Some(shipped) = path.to_str().and_then(|name| shipped::by_name(name, named)) {
            return Ok(Self { network: Network::from_bytes(shipped.bytes, path, device)?, path: path.to_owned() });
        }
        if path.is_dir() {
            let checkpoint = checkpoint_in(path, console)?;
            let model = Self::from_checkpoint(&checkpoint, trained, device)?;
            console.say(&format!("taking {}", model.path.display()));
            return Ok(model);
        }
        if !path.exists() {
            let hint = if path.components().count() == 1 && path.extension().is_none() {
                let names: Vec<&str> = shipped::of_kind(named).map(|shipped| shipped.name).collect();
                let what = if named == Kind::Segmenter { "segmenters" } else { "models" };
                format!("Check the spelling; the {what} that come with the program are: {}.", names.join(", "))
            } else {
                "Check the spelling of the path.".into()
            };
            return Err(Error::file(path, "there is no such model file, run folder or checkpoint")
                .with_hint(hint)
                .into());
        }
        Ok(Self { network: Network::load(path, device)?, path: path.to_owned() })
    }

    fn from_checkpoint(checkpoint: &Checkpoint, trained: &[Kind], device: &Device) -> Result<Self> {
        let names = || NETWORKS.into_iter().filter(|(kind, _)| trained.contains(kind)).map(|(_, name)| name);
        for name in names() {
            if let Some(bytes) = checkpoint.files.get(name) {
                let path = checkpoint.path.join(name);
                return Ok(Self { network: Network::from_bytes(bytes, &path, device)?, path });
            }
        }
        let reason = format!("holds none of {}", names().collect::<Vec<_>>().join(", "));
        Err(Error::file(&checkpoint.path, reason).into())
    }
}

/// The checkpoint that a folder stands for: itself, or the best of a run, or its newest whole one.
fn checkpoint_in(folder: &Path, console: Console) -> Result<Checkpoint> {
    if folder.join(MANIFEST).exists() {
        // The folder's name is part of what is verified; `.` has none.
        let named = if folder.file_name().is_some() { Ok(folder.to_owned()) } else { folder.canonicalize() };
        return Ok(Checkpoint::read(named.map_err(|e| Error::io("read", folder, e))?)?);
    }
    let store = Store::open(folder);
    if !run_folder::is_run(folder) && !store.folder().is_dir() {
        let reason = format!("is neither a run folder (no {}) nor a checkpoint (no {MANIFEST})", run_folder::CONFIG);
        return Err(Error::file(folder, reason)
            .with_hint("Give a model file, or a run folder of `ganatomy evolve` or `ganatomy segmenter train`.")
            .into());
    }
    let best = store.best()?.map(|best| best.generation);
    if let Some(best) = best {
        match store.load(best) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(e) => console.warn(&format!("the best checkpoint is passed over: {e}")),
        }
    }
    let (checkpoint, rejected) = store.newest_valid()?;
    let best = best.map(|best| store.path_of(best));
    for Rejected { path, reason } in rejected.into_iter().filter(|r| best.as_ref() != Some(&r.path)) {
        console.warn(&format!("a newer checkpoint is passed over: {}: {reason}", path.display()));
    }
    Ok(checkpoint)
}
