//! Arrays of images in `.npy` and `.npz` files.

use crate::arrays::{Arrays, checked_bytes};
use crate::image::byte_of;
use crate::notice::{Matter, Notice};
use base::npy::{Array, Elements, Header, Npz};
use base::{Error, Result};
use std::path::Path;

/// Reads the images of a `.npy` file.
///
/// Shapes: `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]` with C 1 or 3. A `[N, C, H, W]` is taken where the last
/// dimension is neither 1 nor 3. Bytes are taken as they are. Floats must lie in `[-1, 1]`: if any is negative, -1 is
/// black; if none is, 0 is black; 1 is white.
///
/// # Errors
/// The file is broken, or its array has another shape, type or range.
pub(crate) fn read_npy(path: &Path) -> Result<Arrays> {
    images(Array::read(path)?, path)
}

/// Names that people give to arrays of images, in any case, with those of their labels. Of the parts of a set the training part is
/// meant.
const NAMES: [(&str, [&str; 2]); 6] = [
    ("x", ["y", "labels"]),
    ("images", ["labels", "y"]),
    ("x_train", ["y_train", "train_labels"]),
    ("train_x", ["train_y", "train_labels"]),
    ("train_images", ["train_labels", "y_train"]),
    ("images_train", ["labels_train", "y_train"]),
];
/// The name that `numpy.savez` gives to the first of its arrays that have none; the labels may have.
const NAMELESS: (&str, [&str; 2]) = ("arr_0", ["y", "labels"]);
/// More arrays than this are not a set of images.
const MOST_ARRAYS: usize = 1000;

/// Reads the images of an `.npz` file: the array `x`, `images`, `x_train`, `train_images` or the like, or else the only one of bytes
/// that has the shape of images. Its labels are the array `y`, `labels`, `y_train` or the like, if there is one. Others are not
/// unpacked.
///
/// # Errors
/// As [`read_npy`], or there is no such array, or there are several.
pub(crate) fn read_archive(path: &Path) -> Result<Arrays> {
    let npz = Npz::open(path)?;
    if npz.names().len() > MOST_ARRAYS {
        let reason = format!("holds {} arrays; at most {MOST_ARRAYS} are looked at", npz.names().len());
        return Err(Error::file(path, reason));
    }
    let at = image_array(&npz, path)?;
    let name = npz.names()[at].as_str();
    let known = NAMES.iter().chain([&NAMELESS]).find(|(images, _)| images.eq_ignore_ascii_case(name));
    let label_names = known.unwrap_or(&NAMELESS).1;
    let place = |wanted: &&str| npz.names().iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let label_at = label_names.iter().find_map(place).filter(|&place| place != at);
    let labels = label_at.map(|place| classes_of(&npz.read(place)?, path)).transpose()?;
    let mut images = images(npz.read(at)?, &path.join(name))?;
    let is_taken = |place: usize| place == at || Some(place) == label_at;
    let names = |taken: bool| {
        let names = npz.names().iter().enumerate().filter(|(place, _)| is_taken(*place) == taken);
        names.map(|(_, name)| name.clone()).collect()
    };
    let notices = [(Matter::Taken, names(true)), (Matter::Beside, names(false))];
    images.notices = notices.into_iter().filter_map(|(matter, names)| Notice::of(matter, names)).collect();
    match labels {
        Some(labels) => images.with_labels(labels, path),
        None => Ok(images),
    }
}

/// The place of the array of images that is meant.
fn image_array(npz: &Npz, path: &Path) -> Result<usize> {
    // An array whose start is broken is none; if it is asked for by its name, it is read, and refused then.
    let headers: Vec<Option<Header>> = (0..npz.names().len()).map(|place| npz.header(place).ok()).collect();
    let has_images = |place: usize| headers[place].as_ref().is_some_and(|header| layout(&header.shape).is_some());
    let is_called = |place: usize, name: &str| npz.names()[place].eq_ignore_ascii_case(name);
    let all = 0..npz.names().len();
    let mut meant: Vec<usize> =
        all.clone().filter(|&place| NAMES.iter().any(|(name, _)| is_called(place, name))).collect();
    if meant.is_empty() {
        let of_bytes = |place: usize| headers[place].as_ref().is_some_and(|header| header.descr == "|u1");
        meant = all.filter(|&place| has_images(place) && of_bytes(place) || is_called(place, NAMELESS.0)).collect();
    }
    if meant.len() > 1 {
        meant.retain(|&place| has_images(place));
    }
    let hint = "Name the array x or images: numpy.savez(file, x=images, y=labels).";
    match *meant.as_slice() {
        [place] => Ok(place),
        [] => {
            let names = npz.names().join(", ");
            Err(Error::file(path, format!("holds no array of images (it holds: {names})")).with_hint(hint))
        }
        _ => {
            let shape = |place: usize| headers[place].as_ref().map_or(&[][..], |header| &header.shape);
            let names: Vec<String> =
                meant.iter().map(|&place| format!("{} {:?}", npz.names()[place], shape(place))).collect();
            Err(Error::file(path, format!("holds several arrays of images: {}", names.join(", "))).with_hint(hint))
        }
    }
}

/// Number, height, width and channels of the images of a shape, and whether each channel is a plane.
fn layout(shape: &[usize]) -> Option<(usize, usize, usize, usize, bool)> {
    match *shape {
        [n, h, w] => Some((n, h, w, 1, false)),
        [n, h, w, c @ (1 | 3)] => Some((n, h, w, c, false)),
        [n, c @ (1 | 3), h, w] => Some((n, h, w, c, true)),
        _ => None,
    }
}

fn images(array: Array, path: &Path) -> Result<Arrays> {
    let wrong = |reason: String| Error::file(path, reason);
    let Some((n, height, width, channels, planar)) = layout(&array.shape) else {
        let reason = format!("has the shape {:?}, which is not one of images", array.shape);
        return Err(wrong(reason).with_hint("[N, H, W], [N, H, W, C] and [N, C, H, W] are read, with C 1 or 3."));
    };
    if n == 0 || checked_bytes(n, height, width, channels).is_none() {
        return Err(wrong(format!("has the shape {:?}: no images, or too large ones", array.shape)));
    }
    let mut pixels = match array.data {
        Elements::U8(bytes) => bytes,
        Elements::F32(values) => bytes_of(&values).map_err(wrong)?,
        Elements::F64(values) => bytes_of(&values.iter().map(|&v| v as f32).collect::<Vec<_>>()).map_err(wrong)?,
        Elements::I32(_) | Elements::I64(_) => {
            return Err(wrong("holds integers of 32 or 64 bits".into()).with_hint("Save it with .astype('uint8')."));
        }
    };
    if planar && channels == 3 {
        let plane = height * width;
        let interleave =
            |image: &[u8]| (0..plane).flat_map(|at| [0, 1, 2].map(|c| image[c * plane + at])).collect::<Vec<_>>();
        pixels = pixels.chunks_exact(3 * plane).flat_map(interleave).collect();
    }
    let (path, labels, label_names, notices) = (path.to_owned(), Vec::new(), Vec::new(), Vec::new());
    Ok(Arrays { path, width, height, channels, pixels, labels, label_names, notices })
}

/// Floats as bytes, by the rule of [`read_npy`].
fn bytes_of(values: &[f32]) -> Result<Vec<u8>, String> {
    // Written so that NaN fails, too. A little slack, because resizing and half precision overshoot.
    if let Some(v) = values.iter().find(|v| !(-1.01..=1.01).contains(*v)) {
        return Err(format!("holds the value {v}; images of floats lie in [-1, 1] or [0, 1]"));
    }
    let signed = values.iter().any(|&v| v < 0.0);
    Ok(values.iter().map(|&v| byte_of(if signed { v } else { 2.0 * v - 1.0 })).collect())
}

fn classes_of(array: &Array, path: &Path) -> Result<Vec<u32>> {
    let classes: Option<Vec<u32>> = match &array.data {
        Elements::U8(v) => Some(v.iter().map(|&c| u32::from(c)).collect()),
        Elements::I32(v) => v.iter().map(|&c| u32::try_from(c).ok()).collect(),
        Elements::I64(v) => v.iter().map(|&c| u32::try_from(c).ok()).collect(),
        Elements::F32(_) | Elements::F64(_) => None,
    };
    classes.ok_or_else(|| Error::file(path, "has labels that are not numbers 0, 1, 2, ..."))
}
