//! MNIST's IDX files, plain or gzipped: `*images-idx3-ubyte[.gz]` with `*labels-idx1-ubyte[.gz]` beside it.

#![warn(clippy::indexing_slicing)]

use crate::arrays::{Arrays, checked_bytes};
use crate::classes;
use base::{Error, Result, files};
use flate2::bufread::MultiGzDecoder;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

const IMAGES: u32 = 2051;
const LABELS: u32 = 2049;

/// Reads a file of images, and the file of labels if there is one beside it, with the names of classes of a `classes.json` there.
///
/// # Errors
/// Wrong magic number, impossible shape, too few or too many bytes, a broken gzip stream, or as many labels as there
/// are not images.
pub(crate) fn read(path: &Path) -> Result<Arrays> {
    let mut stream = unpacked(path)?;
    let [n, height, width] = header(&mut stream, IMAGES, path)?;
    if n == 0 {
        return Err(Error::file(path, "holds no images"));
    }
    let Some(size) = checked_bytes(n, height, width, 1) else {
        let reason = format!("declares {n} images of {width}x{height} pixels; that is more than is read");
        return Err(Error::file(path, reason));
    };
    let pixels = body(stream, size, path)?;
    if pixels.len() != size {
        let held = if pixels.len() > size { "more bytes than that".into() } else { format!("{} bytes", pixels.len()) };
        let reason = format!("declares {n} images of {width}x{height} pixels but holds {held}");
        return Err(Error::file(path, reason).with_hint("The file is truncated or damaged: fetch it again."));
    }
    let (path, label_names, notices) = (path.to_owned(), Vec::new(), Vec::new());
    let mut images = Arrays { path, width, height, channels: 1, pixels, labels: Vec::new(), label_names, notices };
    match labels_beside(&images.path) {
        None => Ok(images),
        Some(path) => {
            let labels = read_labels(&path)?;
            let names = path.with_file_name(classes::FILE);
            if names.is_file() {
                images.label_names =
                    classes::read_classes(&names)?.classes.into_iter().map(|class| class.name).collect();
            }
            images.with_labels(labels, &path)
        }
    }
}

/// The file of images in a folder that holds IDX files: the one for training if there is a choice.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn find(folder: &Path) -> Result<Option<PathBuf>> {
    let unreadable = |e| Error::io("read", folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // A folder may have this name, too: some programs unpack a file into a folder that is called as it is.
        if is_images_name(&name) && path.is_file() {
            found.push((!name.contains("train"), name, path));
        }
    }
    Ok(found.into_iter().min().map(|(_, _, path)| path))
}

/// Whether a file is named like IDX images.
pub(crate) fn is_images_name(name: &str) -> bool {
    name.contains("images-idx3") || name.contains("images.idx3")
}

/// The file of labels beside a file of images.
pub(crate) fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let labels = name.replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1");
    let bare = labels.trim_end_matches(".gz");
    // The labels may be packed where the images are not, and the other way round.
    let candidates = [labels.clone(), bare.to_owned(), format!("{bare}.gz")];
    candidates.iter().map(|n| images.with_file_name(n)).find(|path| path != images && path.is_file())
}

fn read_labels(path: &Path) -> Result<Vec<u32>> {
    let mut stream = unpacked(path)?;
    let [n] = header(&mut stream, LABELS, path)?;
    let labels = body(stream, n, path)?;
    if labels.len() != n {
        return Err(Error::file(path, format!("declares {n} labels but holds another number of them")));
    }
    Ok(labels.into_iter().map(u32::from).collect())
}

/// The `N` dimensions behind the magic number.
fn header<const N: usize>(stream: &mut impl Read, magic: u32, path: &Path) -> Result<[usize; N]> {
    let mut word = || {
        let mut bytes = [0; 4];
        let read = stream.read_exact(&mut bytes);
        read.map(|()| u32::from_be_bytes(bytes)).map_err(|_| Error::file(path, "is truncated inside its IDX header"))
    };
    let found = word()?;
    if found != magic {
        let kind = if magic == IMAGES { "images" } else { "labels" };
        let reason = format!("has the magic number {found}; IDX {kind} have {magic}");
        return Err(
            Error::file(path, reason).with_hint("Is it another kind of file, or are images and labels mixed up?")
        );
    }
    let mut shape = [0; N];
    for side in &mut shape {
        *side = word()? as usize;
    }
    Ok(shape)
}

/// What follows the header: no more than one byte over what it declares, whatever a packed stream would unpack to.
fn body(stream: impl Read, declared: usize, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = stream.take(declared as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::file(path, format!("is broken or truncated ({e})")))?;
    Ok(bytes)
}

/// The file's bytes, unpacked if it is gzipped, whatever its name says.
fn unpacked(path: &Path) -> Result<Box<dyn Read>> {
    let mut file = BufReader::new(files::open(path)?.0);
    let start = file.fill_buf().map_err(|e| Error::io("read", path, e))?;
    if start.starts_with(&[0x1F, 0x8B]) { Ok(Box::new(MultiGzDecoder::new(file))) } else { Ok(Box::new(file)) }
}
