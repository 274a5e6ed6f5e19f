//! What MODEL on the command line means: a shipped name, a model file, a run folder or a checkpoint.

use crate::console::Console;
use anyhow::Result;
use base::Error;
use net::{Device, Network};
use std::path::{Path, PathBuf};
use train::checkpoint::{Checkpoint, MANIFEST, Rejected, Store};
use train::run_folder;

/// The generators in a checkpoint, the one to prefer first: the moving average where one is kept.
const GENERATORS: [&str; 2] = ["ema.safetensors", "generator.safetensors"];

/// A network and where it came from.
pub(crate) struct Model {
    /// The network.
    pub(crate) network: Network,
    /// The file in which it lies, or its shipped name.
    pub(crate) path: PathBuf,
}

impl Model {
    /// Finds and loads what the user calls MODEL. A path wins over a shipped name only if it has a `/` in it.
    pub(crate) fn open(path: &Path, device: &Device, console: Console) -> Result<Self> {
        if let Some(shipped) = path.to_str().and_then(shipped::by_name) {
            return Ok(Self { network: Network::from_bytes(shipped.bytes, path, device)?, path: path.to_owned() });
        }
        if path.is_dir() {
            let checkpoint = checkpoint_in(path, console)?;
            let model = Self::from_checkpoint(&checkpoint, device)?;
            console.say(&format!("taking {}", model.path.display()));
            return Ok(model);
        }
        if !path.exists() {
            let hint = if path.components().count() == 1 && path.extension().is_none() {
                let names = shipped::ALL.map(|shipped| shipped.name).join(", ");
                format!("Check the spelling; the models that come with the program are: {names}.")
            } else {
                "Check the spelling of the path.".into()
            };
            return Err(Error::file(path, "there is no such model file, run folder or checkpoint")
                .with_hint(hint)
                .into());
        }
        Ok(Self { network: Network::load(path, device)?, path: path.to_owned() })
    }

    fn from_checkpoint(checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        for name in GENERATORS {
            if let Some(bytes) = checkpoint.files.get(name) {
                let path = checkpoint.path.join(name);
                return Ok(Self { network: Network::from_bytes(bytes, &path, device)?, path });
            }
        }
        Err(Error::file(&checkpoint.path, format!("holds neither {} nor {}", GENERATORS[0], GENERATORS[1])).into())
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
            .with_hint("Give a model file, or a run folder of `ganatomy evolve`.")
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
