//! `ganatomy export MODEL`

use super::edit::warn_of_another;
use crate::console::{self, Console};
use crate::exit::{self, Code};
use anyhow::{Context, Result};
use base::Error;
use clap::ValueEnum;
use dissect::Recipe;
use models::files::{self, has_ending};
use models::{Generator, Model};
use net::{Device, Network, Storage};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a model to keep or to pass on: for this program, ONNX or PyTorch
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of a run, that is its best checkpoint by score, else its newest; the moving average where one is
kept. A .safetensors file needs nothing else: every command takes it as MODEL. For PyTorch a folder
is written: the state dict (which is such a file, too), the description as JSON, and a Python module
that makes a torch.nn.Module of both. Edits of a recipe become part of what is written.

Examples:
  ganatomy export runs/00003-scenes-modern --out generator.safetensors
  ganatomy export runs/00003-scenes-modern/checkpoints/005000 --half --out small.safetensors
  ganatomy export scenes --out scenes.onnx
  ganatomy export scenes --to pytorch --out for-torch
  ganatomy export scenes --recipe no-trees/recipe.json --out no-trees.onnx")]
pub(crate) struct Export {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Write this file (.safetensors, .onnx), or for PyTorch this folder
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,

    /// For whom [default: what the ending of --out says]
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,

    /// Store 16-bit numbers: half the size, three significant digits; not in ONNX
    #[arg(long)]
    half: bool,

    /// Make the edits of this recipe part of the model
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// The dissection by which the recipe names units or values
    #[arg(long, value_name = "DIR", requires = "recipe")]
    dissection: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A model file of this program
    Safetensors,
    /// An ONNX model of opset 17
    Onnx,
    /// A folder with a PyTorch module
    Pytorch,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    model: String,
    bytes: usize,
}

impl Export {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let form = self.form()?;
        let model = Model::find(&self.model, &Device::cpu(), &mut |note| console.note(note))?;
        let name = model.path.display().to_string();
        let network = self.edited(model, console)?;
        let storage = if self.half { Storage::F16 } else { Storage::F32 };
        let written = written(&network, form, storage).with_context(|| name.clone())?;
        let bytes = written.iter().map(|(_, bytes)| bytes.len()).sum();
        if form == Form::Pytorch {
            base::files::create_folder(&self.out)?;
            for (file, bytes) in written {
                files::write(&self.out.join(file), &bytes)?;
            }
        } else {
            written.iter().try_for_each(|(_, bytes)| files::write(&self.out, bytes))?;
        }
        console::result(&Json { model: name, bytes }, String::new)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }

    fn form(&self) -> Result<Form> {
        let ends = |ending: &str| has_ending(&self.out, &[ending]);
        let wrong = |reason: &str| Error::setting("--out", format!("{} {reason}", self.out.display()));
        let form = match self.to {
            Some(form) => form,
            None if ends("safetensors") => Form::Safetensors,
            None if ends("onnx") => Form::Onnx,
            None => {
                let hint = "End it in .safetensors or .onnx, or give a folder with --to pytorch.";
                return Err(wrong("is not a kind of file that is written here").with_hint(hint).into());
            }
        };
        if form == Form::Onnx && self.half {
            return Err(Error::setting("half", "ONNX models are written with 32 bits").into());
        }
        let file = |path: &Path| path.is_file() || has_ending(path, &["safetensors", "onnx", "pth", "pt"]);
        if form == Form::Pytorch && file(&self.out) {
            return Err(wrong("is a file, but for PyTorch a folder is written").into());
        }
        let ending = if form == Form::Onnx { "onnx" } else { "safetensors" };
        if form != Form::Pytorch && !ends(ending) {
            return Err(wrong("does not end as such a file does").with_hint(format!("End it in .{ending}.")).into());
        }
        Ok(form)
    }

    /// The model with the edits of the recipe.
    fn edited(&self, model: Model, console: Console) -> Result<Network> {
        let Some(path) = &self.recipe else { return Ok(model.network) };
        let recipe = Recipe::read(path)?;
        let dissection = models::dissection_of_model(self.dissection.as_deref(), &self.model)?;
        let generator = Generator::new(model, &Device::cpu())?;
        warn_of_another(&recipe, &generator, console)?;
        let edits = recipe.resolve(&generator.subject(&[])?, dissection.as_ref())?;
        Ok(generator.network().edited(&edits)?)
    }
}

/// What is written: names, which count in a folder, and bytes.
fn written(network: &Network, form: Form, storage: Storage) -> net::Result<Vec<(&'static str, Vec<u8>)>> {
    Ok(match form {
        Form::Safetensors => vec![("model.safetensors", network.to_bytes(storage)?)],
        Form::Onnx => vec![("model.onnx", export::onnx(network)?)],
        Form::Pytorch => {
            let module = export::pytorch(network, storage)?;
            vec![
                ("model.safetensors", module.state_dict),
                ("config.json", module.config.into_bytes()),
                ("ganatomy_torch.py", export::LOADER.into()),
            ]
        }
    })
}
