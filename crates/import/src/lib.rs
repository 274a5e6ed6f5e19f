//! Networks that others trained, brought in exactly from their files of weights.
//!
//! A file of weights ([`weights::Stored`]) holds tensors by names, and no network. Which network they belong to is known here by names and
//! shapes ([`Architecture`]), or said by a description of its layers ([`Spec`]). Nodes of the network go by the names of the file. Every tensor
//! must find its place; what the file cannot show and was assumed is told ([`Imported::notices`]).
//!
//! ```no_run
//! use ganatomy_import::import;
//! use weights::Stored;
//!
//! let weights = Stored::open("generator.pth")?.state_dict(None)?;
//! let imported = import(&weights, None)?;
//! imported.network.save("generator.safetensors", net::Storage::F32)?;
//! # Ok::<(), net::Error>(())
//! ```

mod assembly;
mod dcgan;
mod espnet;
mod inception;
mod mimicry;
mod progan;
mod resnet;
mod spec;
mod stylegan;

pub use spec::Spec;
pub use stylegan::Noise;

use base::{Error, Malformed, Result, known_names};
use net::Network;
use std::str::FromStr;
use weights::StateDict;

/// A network that was brought in.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// What it was brought in as: the name of an [`Architecture`], or `spec`.
    pub architecture: &'static str,
    /// What the logits of a segmenter stand for; none for other networks.
    pub classes: Option<Classes>,
    /// What was assumed, as full sentences without a stop.
    pub notices: Vec<String>,
}

/// The classes of a segmenter.
#[derive(Clone, Debug)]
pub struct Classes {
    /// Their names by index, with colours to paint them.
    pub names: Vec<(String, [u8; 3])>,
    /// The index that stands for what is not labelled.
    pub ignore: Option<u16>,
}

/// A network that is known by its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Layers that enlarge a latent to an image, one after the other.
    Dcgan,
    /// The residual generators of torch-mimicry.
    Mimicry,
    /// The `ProGAN` of GAN Dissection.
    Progan,
    /// The `ProGAN` of pro-gan-pth.
    ProganPth,
    /// `StyleGAN2` with the names of rosinality.
    Stylegan2,
    /// NVIDIA's network pickles of `StyleGAN2`-ADA.
    Stylegan2Ada,
    /// NVIDIA's network pickles of `StyleGAN3`, T and R.
    Stylegan3,
    /// `ESPNet`, a segmenter.
    Espnet,
    /// A `ResNet` for CIFAR, a classifier.
    ResnetCifar,
    /// The Inception network of 2015, by whose features FID is measured, with the names of pytorch-fid.
    Inception,
}

/// A row for each: its name, whether tensors look like it, and how it is built.
type Row = (Architecture, &'static str, fn(&StateDict) -> bool, Build);

/// How a network is built.
#[derive(Clone, Copy)]
enum Build {
    Plain(fn(&StateDict) -> Result<Imported>),
    /// One with noise.
    Noisy(fn(&StateDict, Noise) -> Result<Imported>),
}

const TABLE: [Row; 10] = [
    (Architecture::Progan, "progan", progan::is_dissection, Build::Plain(progan::dissection)),
    (Architecture::ProganPth, "pro-gan-pth", progan::is_pth, Build::Plain(progan::pth)),
    (Architecture::Mimicry, "mimicry", mimicry::is_like, Build::Plain(mimicry::network)),
    (Architecture::Stylegan2, "stylegan2", stylegan::is_rosinality, Build::Noisy(stylegan::rosinality)),
    (Architecture::Stylegan2Ada, "stylegan2-ada", stylegan::is_ada, Build::Noisy(stylegan::ada)),
    (Architecture::Stylegan3, "stylegan3", stylegan::is_three, Build::Plain(stylegan::three)),
    (Architecture::Espnet, "espnet", espnet::is_like, Build::Plain(espnet::network)),
    (Architecture::ResnetCifar, "resnet-cifar", resnet::is_like, Build::Plain(resnet::network)),
    (Architecture::Inception, "inception-2015-12-05", inception::is_like, Build::Plain(inception::network)),
    // The least particular comes last.
    (Architecture::Dcgan, "dcgan", dcgan::is_like, Build::Plain(dcgan::network)),
];

impl Architecture {
    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        TABLE.iter().map(|row| row.1)
    }

    /// The architecture that tensors look like, by their names and shapes.
    pub fn of(dict: &StateDict) -> Option<Self> {
        TABLE.iter().find(|row| row.2(dict)).map(|row| row.0)
    }

    /// Its name in settings and notes.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    fn network(self, dict: &StateDict, noise: Noise) -> Result<Imported> {
        match TABLE.iter().find(|row| row.0 == self).map(|row| row.3) {
            Some(Build::Noisy(build)) => build(dict, noise),
            Some(Build::Plain(_)) if noise != Noise::Constant => {
                Err(Error::setting("noise", format!("networks of the kind {} have none", self.name())))
            }
            Some(Build::Plain(build)) => build(dict),
            None => Err(Error::setting("arch", "is not known")),
        }
    }
}

impl FromStr for Architecture {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = TABLE.iter().find(|row| row.1 == text).map(|row| row.0);
        found.ok_or_else(|| {
            let cure = known_names(text, "architectures", Self::names());
            Malformed::new("arch", format!("{text:?} is not known. {cure}"))
        })
    }
}

/// The network with these tensors, of the architecture that is named, or of the one that they look like. Noise is the constant one of the file.
///
/// # Errors
/// They look like none, do not fit the one that is named, or leave open what is meant.
pub fn import(dict: &StateDict, architecture: Option<Architecture>) -> Result<Imported> {
    import_with(dict, architecture, Noise::Constant)
}

/// As [`import`], with another noise.
///
/// # Errors
/// As there; or the network has none.
pub fn import_with(dict: &StateDict, architecture: Option<Architecture>, noise: Noise) -> Result<Imported> {
    let found = architecture.or_else(|| Architecture::of(dict)).ok_or_else(|| {
        let names: Vec<&str> = dict.entries().map(|(name, _)| name).take(3).collect();
        let reason = format!("holds tensors of no network that is known here ({}, ...)", names.join(", "));
        let known: Vec<&str> = Architecture::names().collect();
        Error::file(dict.path(), reason).with_hint(format!(
            "Known are {}. Name one by `arch`, or describe the layers in a file and give that by `spec`.",
            known.join(", ")
        ))
    })?;
    found.network(dict, noise)
}
