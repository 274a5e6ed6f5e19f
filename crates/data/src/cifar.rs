//! CIFAR-10's binary form: records of one label byte and 3 x 1024 bytes, planes red, green, blue.

#![warn(clippy::indexing_slicing)]

use crate::arrays::{Arrays, LIMIT};
use base::{Error, Result, files};
use std::fs;
use std::path::{Path, PathBuf};

const SIDE: usize = 32;
const RECORD: usize = 1 + 3 * SIDE * SIDE;
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads one or several files of records as one set.
///
/// # Errors
/// A file's length is not a multiple of 3073 bytes, a label is over 9, or there is too much of it.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Arrays> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in paths {
        let bytes = files::read(path, LIMIT - (pixels.len() as u64).min(LIMIT))?;
        if bytes.is_empty() || bytes.len() % RECORD != 0 {
            let reason = format!("has {} bytes, which are not a number of {RECORD}-byte CIFAR-10 records", bytes.len());
            return Err(Error::file(path, reason).with_hint("The file is truncated, or in another format."));
        }
        for [label, planes @ ..] in bytes.as_chunks::<RECORD>().0 {
            if usize::from(*label) >= CLASSES.len() {
                let reason = format!("image {} has the label {label}; CIFAR-10 has 0 to 9", labels.len());
                return Err(Error::file(path, reason));
            }
            labels.push(u32::from(*label));
            let (red, others) = planes.split_at(SIDE * SIDE);
            let (green, blue) = others.split_at(SIDE * SIDE);
            pixels.extend(red.iter().zip(green).zip(blue).flat_map(|((&red, &green), &blue)| [red, green, blue]));
        }
    }
    Ok(Arrays {
        path: paths.first().cloned().unwrap_or_default(),
        width: SIDE,
        height: SIDE,
        channels: 3,
        pixels,
        labels,
        label_names: CLASSES.map(str::to_owned).into(),
        notices: Vec::new(),
    })
}

/// The training files of a folder: `data_batch_*.bin`, sorted; empty if there are none.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e| Error::io("read", folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("data_batch_") && path.extension().is_some_and(|e| e == "bin") && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
