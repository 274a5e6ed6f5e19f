//! Networks that people bring, in inference: every ONNX model of a folder (`peers/networks.py` writes some), at batches of 1 and 16.

use crate::{Case, Cost, infer};
use base::Error;
use net::{Device, Network, Result};
use std::path::{Path, PathBuf};

/// Images at a time.
const BATCHES: [usize; 2] = [1, 16];

/// A case for each model of the folder and each batch: `network/NAME/bBATCH`.
///
/// # Errors
/// The folder or a model cannot be read.
pub fn cases(folder: &Path) -> Result<Vec<Case>> {
    let unreadable = |error| Error::io("read", folder, error);
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "onnx"));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let network = read(&path)?;
        let (macs, numbers) =
            (network.report()?.macs, network.params.elements() + network.input_shape().iter().product::<usize>());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for batch in BATCHES {
            let path = path.clone();
            let cost = Cost { macs: batch as u64 * macs, bytes: 4 * numbers as u64 };
            cases.push(Case::new(format!("network/{name}/b{batch}"), cost, move || infer::pass(&read(&path)?, batch)));
        }
    }
    Ok(cases)
}

fn read(path: &Path) -> Result<Network> {
    Ok(onnx::import(path, &onnx::Options::default(), &Device::cpu())?.network)
}
