//! `ganatomy export MODEL`

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::output;
use anyhow::{Context, Result};
use models::{Model, files};
use net::{Device, Storage};
use serde::Serialize;
use std::path::PathBuf;

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

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    model: String,
    bytes: usize,
}

impl Export {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        output::check_ending(&self.out, "safetensors")?;
        let Model { network, path } = Model::find(&self.model, &Device::cpu(), &mut |note| console.note(note))?;
        let storage = if self.half { Storage::F16 } else { Storage::F32 };
        let bytes = network.to_bytes(storage).with_context(|| path.display().to_string())?;
        files::write(&self.out, &bytes)?;
        console::result(&Json { model: path.display().to_string(), bytes: bytes.len() }, String::new)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}
