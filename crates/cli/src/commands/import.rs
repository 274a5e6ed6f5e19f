//! `ganatomy import FILE`

mod meant;

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::output;
use anyhow::{Context, Result};
use base::Error;
use clap::ValueEnum;
use data::{Class, Plane};
use import::{Architecture, Imported, Noise, Spec};
use models::Model;
use models::files::{self, has_ending};
use net::{Device, Network, Storage};
use serde::Serialize;
use std::path::PathBuf;
use weights::Stored;

/// Bring in a network that others trained, from a PyTorch or ONNX file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FILE is what torch.save wrote (.pth, .pt, .ckpt, .tar, .th), a pickle with tensors in it (.pkl),
.safetensors, or .onnx. It is read as data: nothing in it is executed. Of a state dict within a
checkpoint, --key says which one is meant where there are several.

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

A segmenter of one's own needs the names of its classes, and how it reads images: an ONNX file may
say both in its metadata; --classes, --mean, --std, --range and --bgr say it otherwise. --for makes
it read the images of a generator, whatever their size.

Examples:
  ganatomy import generator.pth --out generator.safetensors
  ganatomy import checkpoint.pt --key netG --out generator.safetensors
  ganatomy import faces.pt --spec faces.json --out faces.safetensors
  ganatomy import network.pkl --key G_ema --classes names.txt --out animals.safetensors
  ganatomy import unet.onnx --classes classes.txt --for generator.safetensors --out unet.safetensors")]
pub(crate) struct Import {
    /// The file that holds the weights, or the ONNX model
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

    /// Lengths of axes that an ONNX file leaves open: height=256,width=256
    #[arg(long, value_name = "NAME=N,...", value_delimiter = ',', value_parser = meant::length)]
    lengths: Vec<(String, usize)>,

    /// Store 16-bit numbers: half the size, three significant digits
    #[arg(long)]
    half: bool,

    #[command(flatten)]
    meant: meant::Meant,
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

/// A network that was brought in, and where it was.
struct Found {
    network: Network,
    container: &'static str,
    key: String,
    architecture: &'static str,
    /// Of a segmenter that is known.
    plane: Option<Plane>,
    notices: Vec<String>,
}

impl Import {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        output::check_ending(&self.out, "safetensors")?;
        let found = if has_ending(&self.file, &["onnx"]) { self.onnx(console)? } else { self.weights()? };
        for notice in &found.notices {
            console.say(&format!("{}: {notice}", self.file.display()));
        }
        let Found { network, container, key, architecture, plane, notices } = found;
        let network = self.meant.network(network, plane, &self.file, console)?;
        let storage = if self.half { Storage::F16 } else { Storage::F32 };
        let bytes = network.to_bytes(storage).with_context(|| self.file.display().to_string())?;
        files::write(&self.out, &bytes)?;
        let told = Json {
            model: self.file.display().to_string(),
            container,
            key: &key,
            architecture,
            parameters: network.params.elements(),
            notices: &notices,
        };
        console::result(&told, String::new)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }

    fn weights(&self) -> Result<Found> {
        if !self.lengths.is_empty() {
            return Err(Error::setting("lengths", "is for ONNX files").into());
        }
        let stored = Stored::open(&self.file)?;
        let weights = stored.state_dict(self.key.as_deref())?;
        let Imported { network, architecture, classes, notices } = match &self.spec {
            Some(spec) => Spec::read(spec)?.network(&weights)?,
            None => import::import_with(&weights, self.arch, self.noise.into())?,
        };
        let plane = classes.map(|classes| {
            let of_class = |(name, colour)| Class { name, colour };
            let ignore = classes.ignore;
            Plane { name: "objects".into(), classes: classes.names.into_iter().map(of_class).collect(), ignore }
        });
        let (container, key) = (stored.container().name(), weights.key().to_owned());
        Ok(Found { network, container, key, architecture, plane, notices })
    }

    fn onnx(&self, console: Console) -> Result<Found> {
        let typed = [("arch", self.arch.is_some()), ("spec", self.spec.is_some()), ("key", self.key.is_some())];
        if let Some((setting, _)) = typed.into_iter().find(|(_, typed)| *typed) {
            return Err(Error::setting(setting, "is for files of weights; an ONNX file says its layers itself").into());
        }
        let mut tell = |note: &models::Note| console.note(note);
        let Model { network, .. } = Model::of_onnx(&self.file, &self.lengths, &Device::cpu(), &mut tell)?;
        let (container, architecture) = ("an ONNX file", "onnx");
        Ok(Found { network, container, key: String::new(), architecture, plane: None, notices: Vec::new() })
    }
}
