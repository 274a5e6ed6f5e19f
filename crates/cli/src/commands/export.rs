//! `ganatomy export MODEL`

use crate::console::{self, Console};
use crate::model::Model;
use crate::output;
use anyhow::Result;
use base::Error;
use net::{Device, Precision};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a model as one file, to keep or to pass on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of a run, that is its best checkpoint by score, else its newest; the moving average where one is
kept. The file needs nothing else: every command takes it as MODEL.

Examples:
  ganatomy export runs/00003-scenes-modern --out generator.safetensors
  ganatomy export runs/00003-scenes-modern/checkpoints/005000 --half --out small.safetensors")]
pub(crate) struct Export {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Write this .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Store 16-bit numbers: half the size, three significant digits
    #[arg(long)]
    half: bool,
}

impl Export {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        if !output::has_ending(&self.out, &["safetensors"]) {
            let reason = format!("{} is not a kind of file that is written here", self.out.display());
            return Err(Error::setting("--out", reason).with_hint("End it in .safetensors.").into());
        }
        let Model { network, path } = Model::open(&self.model, &Device::cpu(), console)?;
        let precision = if self.half { Precision::F16 } else { Precision::F32 };
        if let (Precision::F16, Some(name)) = (precision, too_large_for_half(&network)) {
            return Err(Error::file(path, format!("holds numbers in {name:?} that 16 bits cannot"))
                .with_hint("Leave --half out.")
                .into());
        }
        output::write(&self.out, &network.to_bytes(precision)?)?;
        console::print(&format!("{}\n", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A parameter with a number that would become infinite.
fn too_large_for_half(network: &net::Network) -> Option<&str> {
    /// Halfway between the largest half and the next power of two.
    const LIMIT: f32 = 65520.0;
    let graph = &network.graph;
    let mut parameters = graph.params().iter().zip(network.params.tensors());
    let (&id, _) = parameters.find(|(_, tensor)| tensor.to_vec().iter().any(|v| v.is_finite() && v.abs() >= LIMIT))?;
    Some(&graph.node(id).name)
}
