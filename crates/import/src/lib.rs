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
mod stylegan2;

pub use spec::Spec;

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
    /// `ESPNet`, a segmenter.
    Espnet,
    /// A `ResNet` for CIFAR, a classifier.
    ResnetCifar,
    /// The Inception network of 2015, by whose features FID is measured, with the names of pytorch-fid.
    Inception,
}

/// A row for each: its name, whether tensors look like it, and how it is built.
type Row = (Architecture, &'static str, fn(&StateDict) -> bool, fn(&StateDict) -> Result<Imported>);

const TABLE: [Row; 9] = [
    (Architecture::Progan, "progan", progan::is_dissection, progan::dissection),
    (Architecture::ProganPth, "pro-gan-pth", progan::is_pth, progan::pth),
    (Architecture::Mimicry, "mimicry", mimicry::is_like, mimicry::network),
    (Architecture::Stylegan2, "stylegan2", stylegan2::is_rosinality, stylegan2::rosinality),
    (Architecture::Stylegan2Ada, "stylegan2-ada", stylegan2::is_official, stylegan2::official),
    (Architecture::Espnet, "espnet", espnet::is_like, espnet::network),
    (Architecture::ResnetCifar, "resnet-cifar", resnet::is_like, resnet::network),
    (Architecture::Inception, "inception-2015-12-05", inception::is_like, inception::network),
    // The least particular comes last.
    (Architecture::Dcgan, "dcgan", dcgan::is_like, dcgan::network),
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

    fn network(self, dict: &StateDict) -> Result<Imported> {
        match TABLE.iter().find(|row| row.0 == self) {
            Some(row) => row.3(dict),
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

/// The network with these tensors, of the architecture that is named, or of the one that they look like.
///
/// # Errors
/// They look like none, do not fit the one that is named, or leave open what is meant.
pub fn import(dict: &StateDict, architecture: Option<Architecture>) -> Result<Imported> {
    let found = architecture.or_else(|| Architecture::of(dict)).ok_or_else(|| {
        let names: Vec<&str> = dict.entries().map(|(name, _)| name).take(3).collect();
        let reason = format!("holds tensors of no network that is known here ({}, ...)", names.join(", "));
        let known: Vec<&str> = Architecture::names().collect();
        Error::file(dict.path(), reason).with_hint(format!(
            "Known are {}. Name one by `arch`, or describe the layers in a file and give that by `spec`.",
            known.join(", ")
        ))
    })?;
    found.network(dict)
}
