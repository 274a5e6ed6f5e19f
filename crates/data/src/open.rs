//! One word of the user's to a data set.

use crate::dataset::{Content, Dataset};
use crate::image::MAX_SIDE;
use crate::image_files::ImageFiles;
use crate::notice::{Matter, Notice};
use crate::resize::Crop;
use crate::scenes::{self, Scenes};
use crate::segmented::Segmented;
use crate::size::Size;
use crate::source::Source;
use crate::store::Store;
use crate::toys::Toy;
use crate::{cifar, idx, numpy};
use base::sniff::{Kind, Wanted};
use base::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What is read here, for messages about files and folders that are something else.
const WANTED: Wanted = Wanted {
    name: "a data set",
    kind: Kind::LABELLED,
    cure: "A folder or .zip of images, IDX (.gz), CIFAR-10 .bin, .npz and .npy are read. Give the folder, not one image.",
};

/// The names that need no file.
pub const BUILT_IN: [&str; 4] = ["scenes", "ring8", "grid25", "swissroll"];

/// What to make of the images of a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The size of the images, sides of 1 to 8192 (scenes: 32 to 2048); `None` for the size that they have (scenes: 64).
    pub size: Option<Size>,
    /// Grey or colour.
    pub channels: Channels,
    /// How images come to the form of `size` where it is given.
    pub crop: Crop,
    /// Whether the loader mirrors every other image, by chance.
    pub flip: bool,
    /// The seed of the procedural worlds. Files do not depend on it.
    pub seed: u64,
    /// What to do about images that cannot be read.
    pub broken: Broken,
}

/// The channels of the delivered images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// One where all images are grey, else three. Of a large set a thousand images are looked at; one in colour that is met later in
    /// a set that was taken for grey is an error.
    #[default]
    Native,
    /// One.
    Grey,
    /// Three.
    Rgb,
}

/// What to do about images that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Broken {
    /// The first one met is an error that names it.
    #[default]
    Refuse,
    /// Every image is read once when the set is opened, and those that cannot be are left out and listed by
    /// [`Dataset::skipped`].
    Skip,
}

/// Opens a data set: `scenes`, `ring8`, `grid25`, `swissroll`, or the path of
///
/// - a folder or zip of images (PNG, JPEG, WebP, BMP, GIF; also in sub-folders, which are then the classes; or with
///   `StyleGAN`'s `dataset.json`),
/// - a folder or zip with `images/`, `labels/` (index PNGs or BMPs) and `classes.json`, which may lie beside it, or all in a folder of
///   it,
/// - an IDX file of images, plain or gzipped, with its labels beside it (and the names of its classes in `classes.json`), or a folder
///   of such files,
/// - a CIFAR-10 `.bin` file, or a folder with `data_batch_*.bin`,
/// - an `.npz` or `.npy` file of images.
///
/// A path wins over a built-in name only if it has a `/` in it. What was taken, what was left and why is to be had from
/// [`Dataset::notices`].
///
/// # Errors
/// An unknown name, a missing path, a set without images, a file that is broken or of an unknown kind, an impossible size.
pub fn open(spec: &str, options: &Options) -> Result<Dataset> {
    if let Some(size) = options.size
        && !(size.shorter() >= 1 && size.longer() <= MAX_SIDE)
    {
        return Err(Error::setting("image.size", format!("is {size}; images have a side of 1 to {MAX_SIDE} pixels")));
    }
    if let Some(toy) = Toy::ALL.into_iter().find(|toy| toy.name() == spec) {
        return Dataset::new(spec, Content::Points(toy), options.clone());
    }
    let source: Box<dyn Source> = if spec == "scenes" {
        let size = options.size.unwrap_or(Size::square(scenes::DEFAULT_SIDE));
        if size.shorter() < scenes::MIN_SIDE || size.longer() > scenes::MAX_SIDE {
            let range = format!("{} to {}", scenes::MIN_SIDE, scenes::MAX_SIDE);
            return Err(Error::setting("image.size", format!("is {size}; scenes have a side of {range} pixels")));
        }
        Box::new(Scenes::new(options.seed, size))
    } else {
        open_path(Path::new(spec))?
    };
    Dataset::new(spec, Content::Images(source), options.clone())
}

fn open_path(path: &Path) -> Result<Box<dyn Source>> {
    if path.is_dir() {
        return open_folder(path);
    }
    if !path.exists() {
        let hint = match base::nearest(&path.to_string_lossy(), BUILT_IN) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("Check the spelling of the path, or take one of: {}.", BUILT_IN.join(", ")),
        };
        return Err(
            Error::file(path, "is neither a file or folder nor the name of a built-in data set").with_hint(hint)
        );
    }
    let name = name_of(path).to_lowercase();
    let ending = Path::new(&name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    match ending {
        "zip" => open_store(Store::zip(path)?),
        "npz" => Ok(Box::new(numpy::read_archive(path)?)),
        "npy" => Ok(Box::new(numpy::read_npy(path)?)),
        "bin" => Ok(Box::new(cifar::read(&[path.to_owned()])?)),
        "gz" | "idx" => Ok(Box::new(idx::read(path)?)),
        _ if idx::is_images_name(&name) || ending.starts_with("idx") => Ok(Box::new(idx::read(path)?)),
        _ => {
            let otherwise = Error::file(path, "is of a kind that is not read as a data set").with_hint(WANTED.cure);
            Err(WANTED.unfit(path, Kind::of_path(path), otherwise))
        }
    }
}

fn open_folder(path: &Path) -> Result<Box<dyn Source>> {
    // The pictures in what this program makes are no images to learn from.
    if let Some(kind) = Kind::of_path(path).filter(|kind| *kind != Kind::LABELLED) {
        return Err(WANTED.unfit(path, Some(kind), Error::file(path, "is no data set")));
    }
    if let Some(images) = idx::find(path)? {
        let mut arrays = idx::read(&images)?;
        let labels = idx::labels_beside(&images);
        let names =
            labels.as_ref().map(|labels| labels.with_file_name(crate::classes::FILE)).filter(|path| path.is_file());
        let taken: Vec<PathBuf> = [Some(images.clone()), labels, names].into_iter().flatten().collect();
        arrays.notices = choice(path, &taken)?;
        return Ok(Box::new(arrays));
    }
    let batches: Vec<PathBuf> = cifar::find(path)?;
    if !batches.is_empty() {
        let mut arrays = cifar::read(&batches)?;
        arrays.notices = choice(path, &batches)?;
        return Ok(Box::new(arrays));
    }
    open_store(Store::folder(path)?)
}

/// What was taken of a folder, and what else is in it.
fn choice(folder: &Path, taken: &[PathBuf]) -> Result<Vec<Notice>> {
    let unreadable = |e| Error::io("read", folder, e);
    let mut left = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = name_of(&path);
        if !taken.contains(&path) && !name.starts_with('.') {
            left.push(name);
        }
    }
    left.sort();
    let taken = taken.iter().map(|path| name_of(path)).collect();
    Ok([(Matter::Taken, taken), (Matter::Beside, left)]
        .into_iter()
        .filter_map(|(matter, names)| Notice::of(matter, names))
        .collect())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn open_store(store: Store) -> Result<Box<dyn Source>> {
    match Segmented::open(store)? {
        Ok(set) => Ok(Box::new(set)),
        Err(store) => Ok(Box::new(ImageFiles::new(store)?)),
    }
}
