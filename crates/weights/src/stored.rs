//! A file that was opened: what kind it is, what is in it.

use crate::item::Item;
use crate::pickle::{self, Budget, Tree};
use crate::state_dict::StateDict;
use crate::{find, safetensors, torch};
use base::archive::Archive;
use base::sniff::{Kind, Wanted};
use base::{Region, Result};
use std::borrow::Cow;
use std::path::Path;

/// What is read here, for messages about files that are something else.
const WANTED: Wanted = Wanted {
    name: "a file of weights (.pth, .pt, .pkl, .safetensors)",
    kind: Kind::PYTORCH,
    cure: "Give a file that torch.save or safetensors wrote.",
};

/// The form in which a file keeps its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// A zip archive of `PyTorch`, since 2020.
    TorchZip,
    /// A zip archive of `PyTorch` with a program in it.
    TorchScript,
    /// The stream of pickles and storages of `PyTorch` before.
    TorchLegacy,
    /// The tar archive of the first `PyTorch`.
    TorchTar,
    /// A pickle with tensors or arrays in it.
    Pickle,
    /// `.safetensors`.
    Safetensors,
}

impl Container {
    /// With its article, for messages: `a PyTorch file (zip)`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TorchZip => "a PyTorch file (zip)",
            Self::TorchScript => "a TorchScript file",
            Self::TorchLegacy => "a PyTorch file (before 2020)",
            Self::TorchTar => "a PyTorch file (tar)",
            Self::Pickle => "a Python pickle",
            Self::Safetensors => "a .safetensors file",
        }
    }
}

/// A file of weights that was opened. Its tensors are read when they are asked for.
#[derive(Debug)]
pub struct Stored {
    region: Region,
    container: Container,
    tree: Tree,
    notes: Vec<(String, String)>,
}

impl Stored {
    /// Opens a file, whatever its name, and reads what it holds but the values of tensors.
    ///
    /// # Errors
    /// The file cannot be read, is nothing that is read here, is not whole, or is larger than the limits.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::of(Region::open(path)?)
    }

    /// As [`Stored::open`], of a file in memory; `path` is only for the messages.
    ///
    /// # Errors
    /// As [`Stored::open`].
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>, path: impl AsRef<Path>) -> Result<Self> {
        Self::of(Region::from_bytes(bytes, path))
    }

    fn of(region: Region) -> Result<Self> {
        let mut budget = Budget::new();
        let (container, tree, notes) = read(&region, &mut budget)?;
        Ok(Self { region, container, tree, notes })
    }

    /// The form in which it keeps its tensors.
    pub fn container(&self) -> Container {
        self.container
    }

    /// All that it holds.
    pub fn root(&self) -> Item<'_> {
        Item { tree: &self.tree, id: self.tree.root }
    }

    /// Notes of a `.safetensors` file, by their names.
    pub fn notes(&self) -> &[(String, String)] {
        &self.notes
    }

    /// All that could be the tensors of a network: dictionaries of tensors and modules, wherever they are nested. Names are without
    /// what wrappers put before them (`module.`); networks whose tensors lie in one dictionary (`generator.`, `discriminator.`) are apart.
    ///
    /// # Errors
    /// Two tensors of one have one name.
    pub fn state_dicts(&self) -> Result<Vec<StateDict>> {
        find::state_dicts(self.root(), self.region.path())
    }

    /// The tensors of the only network, or of the one that a key leads to: keys with dots between them (`g_ema`, `model.generator`), or their
    /// end.
    ///
    /// # Errors
    /// There are several and no key, which lists them; there is none; or two tensors have one name.
    pub fn state_dict(&self, key: Option<&str>) -> Result<StateDict> {
        find::choose(self.state_dicts()?, key, self.region.path())
    }
}

type Read = (Container, Tree, Vec<(String, String)>);

fn read(region: &Region, budget: &mut Budget) -> Result<Read> {
    let start = region.read(0, region.length().min(512))?;
    let plain = |container, tree| Ok((container, tree, Vec::new()));
    let unfit = |otherwise| WANTED.unfit(region.path(), Kind::of_region(region), otherwise);
    match *start {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => {
            let archive = Archive::of(region.clone(), "is a broken zip archive")?;
            if !torch::holds_pickle(&archive) {
                let otherwise = base::Error::file(region.path(), "is a zip archive without data.pkl");
                return Err(unfit(otherwise.with_hint(WANTED.cure)));
            }
            let zip = torch::Zip::new(archive, region)?;
            let container = if zip.is_script() { Container::TorchScript } else { Container::TorchZip };
            plain(container, zip.read(budget)?)
        }
        _ if start.get(257..262) == Some(b"ustar") => match torch::read_tar(region, region.length(), budget)? {
            Some(tree) => plain(Container::TorchTar, tree),
            None => Err(unfit(base::Error::file(region.path(), "is a tar archive of something else"))),
        },
        _ if matches!(Kind::of_region(region), Some(kind) if kind == Kind::SAFETENSORS) => {
            let (tree, notes) = safetensors::read(region, budget)?;
            Ok((Container::Safetensors, tree, notes))
        }
        // Protocols 0 and 1 begin with nothing of their own.
        [0x80, 0..=5, ..] | [b'(' | b']' | b'}' | b'c', ..] if !is_other(region) => {
            let read = pickle::read(region, 0, budget);
            let (mut tree, _) = read.map_err(|e| if start.first() == Some(&0x80) { e } else { unfit(e) })?;
            if torch::is_magic(&tree) {
                let most = region.length();
                return plain(Container::TorchLegacy, torch::read_legacy(region, most, budget)?);
            }
            torch::resolve(&mut tree, region, &mut torch::NoKeeper, budget)?;
            plain(Container::Pickle, tree)
        }
        _ => Err(unfit(base::Error::file(region.path(), "is no file of weights").with_hint(WANTED.cure))),
    }
}

/// Whether bytes that could be a pickle are something else that is known, and no text.
fn is_other(region: &Region) -> bool {
    Kind::of_region(region).is_some_and(|kind| kind == Kind::JSON || kind == Kind::HTML)
}
