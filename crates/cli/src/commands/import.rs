//! `ganatomy import FILE`

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::output;
use anyhow::{Context, Result};
use base::Error;
use clap::ValueEnum;
use data::{Class, Plane};
use import::{Architecture, Classes, Imported, Noise, Spec};
use models::files;
use net::{Network, Storage};
use segment::Segmenter;
use serde::Serialize;
use std::path::{Path, PathBuf};
use weights::Stored;

/// The longest file of names of classes that is read.
const MOST_OF_NAMES: u64 = 1 << 20;

/// Bring in a network that was trained with PyTorch
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FILE is what torch.save wrote (.pth, .pt, .ckpt, .tar, .th), a pickle with tensors in it (.pkl), or
.safetensors. It is read as data: nothing in it is executed. Of a state dict within a checkpoint,
--key says which one is meant where there are several.

A file of weights names tensors, not layers. Known by their names and shapes are:
  dcgan          layers that enlarge a latent, one after the other
  progan         the ProGAN of GAN Dissection
  pro-gan-pth    the ProGAN of pro-gan-pth
  mimicry        the residual generators of torch-mimicry (SNGAN)
  stylegan2      StyleGAN2 with the names of rosinality
  stylegan2-ada  the network pickles of StyleGAN2-ADA
  stylegan3      the network pickles of StyleGAN3, T and R
  espnet         ESPNet for CamVid, a segmenter
  resnet-cifar   ResNets for CIFAR, classifiers
Any other sequence of layers can be described in a file for --spec (docs/import.md).

Examples:
  ganatomy import generator.pth --out generator.safetensors
  ganatomy import checkpoint.pt --key netG --out generator.safetensors
  ganatomy import faces.pt --spec faces.json --out faces.safetensors
  ganatomy import network.pkl --key G_ema --classes names.txt --out animals.safetensors")]
pub(crate) struct Import {
    /// The file that holds the weights
    file: PathBuf,

    /// Write this .safetensors, which every command takes as MODEL
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The network that it is [default: the one whose tensors it has]
    #[arg(long, value_name = "NAME", conflicts_with = "spec")]
    arch: Option<Architecture>,

    /// Take the layers from this description (JSON)
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,

    /// Where in the file the network is: `g_ema`, model.generator
    #[arg(long)]
    key: Option<String>,

    /// The noise of a generator that adds some to its maps: that of the file, each seed's own, or none
    #[arg(long, value_name = "KIND", conflicts_with = "spec", default_value = "constant")]
    noise: NoiseKind,

    /// What the classes of a generator with labels are called: a text with one name a line
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,

    /// Store 16-bit numbers: half the size, three significant digits
    #[arg(long)]
    half: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NoiseKind {
    Constant,
    Random,
    Off,
}

impl From<NoiseKind> for Noise {
    fn from(kind: NoiseKind) -> Self {
        match kind {
            NoiseKind::Constant => Self::Constant,
            NoiseKind::Random => Self::Random,
            NoiseKind::Off => Self::Off,
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    model: String,
    container: &'a str,
    key: &'a str,
    architecture: &'a str,
    parameters: usize,
    notices: &'a [String],
}

impl Import {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        output::check_ending(&self.out, "safetensors")?;
        let stored = Stored::open(&self.file)?;
        let weights = stored.state_dict(self.key.as_deref())?;
        let Imported { network, architecture, classes, notices } = match &self.spec {
            Some(spec) => Spec::read(spec)?.network(&weights)?,
            None => import::import_with(&weights, self.arch, self.noise.into())?,
        };
        for notice in &notices {
            console.say(&format!("{}: {notice}", self.file.display()));
        }
        let network = match classes {
            Some(classes) => segmenter(network, classes)?,
            None => network,
        };
        let network = match &self.classes {
            Some(path) => named(network, path)?,
            None => network,
        };
        let storage = if self.half { Storage::F16 } else { Storage::F32 };
        let bytes = network.to_bytes(storage).with_context(|| self.file.display().to_string())?;
        files::write(&self.out, &bytes)?;
        let told = Json {
            model: self.file.display().to_string(),
            container: stored.container().name(),
            key: weights.key(),
            architecture,
            parameters: network.params.elements(),
            notices: &notices,
        };
        console::result(&told, String::new)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}

/// A generator with the names of the classes that it makes.
fn named(mut network: Network, path: &Path) -> Result<Network> {
    let Some((_, count)) = network.label() else {
        return Err(Error::setting("classes", "this network reads no label").into());
    };
    let text = String::from_utf8(base::files::read(path, MOST_OF_NAMES)?);
    let text = text.map_err(|_| Error::file(path, "is no text in UTF-8"))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if names.len() != count {
        let reason = format!("holds {} names; the generator has {count} classes", names.len());
        return Err(Error::file(path, reason).with_hint("Write one name a line, in the order of the labels.").into());
    }
    if let Some(name) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
        return Err(Error::file(path, format!("holds the name {:?} twice", name.1)).into());
    }
    network.name_classes(&names);
    Ok(network)
}

/// A network with the classes of its logits, as segmenters keep them.
fn segmenter(network: Network, Classes { names, ignore }: Classes) -> Result<Network> {
    let classes = names.into_iter().map(|(name, colour)| Class { name, colour }).collect();
    let plane = Plane { name: "objects".into(), classes, ignore };
    Ok(Segmenter::new(network, vec![plane])?.network().clone())
}
