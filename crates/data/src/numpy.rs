//! Arrays of images in `.npy` and `.npz` files.

use crate::arrays::{Arrays, checked_bytes};
use crate::image::byte_of;
use base::npy::{Array, Elements, read_npz};
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

/// Reads the images of an `.npz` file: the array `x`, `images` or `arr_0`, or else the first array of bytes that has the
/// shape of images; its labels are the array `y` or `labels`, if there is one.
///
/// # Errors
/// As [`read_npy`], or there is no such array.
pub(crate) fn read_archive(path: &Path) -> Result<Arrays> {
    let mut arrays = read_npz(path)?;
    let named = |wanted: &[&str]| wanted.iter().find_map(|w| arrays.iter().position(|(name, _)| name == w));
    let unnamed =
        || arrays.iter().position(|(_, a)| matches!(a.data, Elements::U8(_)) && (3..=4).contains(&a.shape.len()));
    let Some(at) = named(&["x", "images", "arr_0"]).or_else(unnamed) else {
        let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::file(path, format!("holds no array of images (it holds: {})", names.join(", ")))
            .with_hint("Name the array x or images: numpy.savez(file, x=images, y=labels)."));
    };
    let label_at = named(&["y", "labels"]).filter(|&l| l != at);
    let labels = label_at.map(|l| classes_of(&arrays[l].1, path)).transpose()?;
    let (name, array) = arrays.swap_remove(at);
    let images = images(array, &path.join(name))?;
    match labels {
        Some(labels) => images.with_labels(labels, path),
        None => Ok(images),
    }
}

fn images(array: Array, path: &Path) -> Result<Arrays> {
    let wrong = |reason: String| Error::file(path, reason);
    let (n, height, width, channels, planar) = match *array.shape.as_slice() {
        [n, h, w] => (n, h, w, 1, false),
        [n, h, w, c @ (1 | 3)] => (n, h, w, c, false),
        [n, c @ (1 | 3), h, w] => (n, h, w, c, true),
        _ => {
            let reason = format!("has the shape {:?}, which is not one of images", array.shape);
            return Err(wrong(reason).with_hint("[N, H, W], [N, H, W, C] and [N, C, H, W] are read, with C 1 or 3."));
        }
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
    let (path, labels, label_names) = (path.to_owned(), Vec::new(), Vec::new());
    Ok(Arrays { path, width, height, channels, pixels, labels, label_names })
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
