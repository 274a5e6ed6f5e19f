//! Files that the commands write: each is whole or not there, and devices are written to, not replaced.

use anyhow::Result;
use base::npy::Array;
use base::{Error, files};
use data::{Image, MAX_SIDE, pictures};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Pixels between the pictures of a grid.
pub(crate) const PADDING: usize = 2;

/// Where the pictures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All in one PNG.
    Grid(PathBuf),
    /// One PNG each, in this folder.
    Folder(PathBuf),
}

impl Target {
    /// `grid.png` or a folder; other endings of pictures are refused.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        if has_ending(path, &["png"]) {
            return Ok(Self::Grid(path.to_owned()));
        }
        let wrong = |reason: &str| Error::setting("--out", format!("{} {reason}", path.display()));
        if has_ending(path, &["jpg", "jpeg", "webp", "gif", "bmp", "npy", "npz"]) {
            return Err(wrong("is not a kind of file that is written here")
                .with_hint("End it in .png for one grid, or give a folder for one PNG each.")
                .into());
        }
        if path.exists() && !path.is_dir() {
            return Err(wrong("is a file, not a folder")
                .with_hint("End it in .png for one grid, or give a folder.")
                .into());
        }
        Ok(Self::Folder(path.to_owned()))
    }
}

/// Whether a name ends in one of these (in any case).
pub(crate) fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    endings.contains(&ending.as_str())
}

/// Refuses a result whose name does not end in `.ending`.
pub(crate) fn check_ending(out: &Path, ending: &str) -> Result<()> {
    if has_ending(out, &[ending]) {
        return Ok(());
    }
    let reason = format!("{} is not a kind of file that is written here", out.display());
    Err(Error::setting("--out", reason).with_hint(format!("End it in .{ending}.")).into())
}

/// Refuses a grid that could not be written, before the work of making its pictures.
pub(crate) fn check_grid(n: u64, columns: usize, [_, height, width]: [usize; 3], cure: &str) -> Result<()> {
    let length = |count: u64, cell: usize| u128::from(count) * (cell + PADDING) as u128 + PADDING as u128;
    let columns = n.min(columns as u64);
    if length(columns, width).max(length(n.div_ceil(columns.max(1)), height)) > MAX_SIDE as u128 {
        let reason = format!("a grid of {n} pictures in {columns} columns is larger than {MAX_SIDE}x{MAX_SIDE} pixels");
        return Err(Error::setting("--out", reason).with_hint(cure).into());
    }
    Ok(())
}

/// Writes a picture as PNG.
pub(crate) fn write_png(path: &Path, image: &Image) -> Result<()> {
    write(path, &pictures::png(image)?)
}

/// Removes a file that has served.
pub(crate) fn remove(path: &Path) -> Result<()> {
    Ok(fs::remove_file(path).map_err(|e| Error::io("remove", path, e))?)
}

/// Writes a whole file, with its folder where that is missing.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut out = Writer::create(path)?;
    out.write(bytes)?;
    out.finish()
}

/// A file that grows batch by batch and gets its name when it is whole.
pub(crate) struct Writer {
    path: PathBuf,
    /// Where it grows; `None` for a device or pipe.
    sibling: Option<PathBuf>,
    out: BufWriter<File>,
}

impl Writer {
    /// Opens a file, with its folder where that is missing.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        files::create_folder(files::parent_of(path))?;
        if path.is_dir() {
            return Err(Error::file(path, "is a folder, not a file").into());
        }
        // A rename would replace /dev/full or /dev/stdout by a plain file.
        let sibling = if path.exists() && !path.is_file() { None } else { Some(files::sibling_of(path)) };
        let opened = match &sibling {
            Some(sibling) => File::create(sibling),
            None => File::options().write(true).open(path),
        };
        let out = BufWriter::with_capacity(1 << 20, opened.map_err(|e| Error::io("write", path, e))?);
        Ok(Self { path: path.to_owned(), sibling, out })
    }

    /// Opens an `.npy` file for numbers of this shape, which are to be written next.
    pub(crate) fn npy(path: &Path, shape: &[usize]) -> Result<Self> {
        let mut out = Self::create(path)?;
        // An array's header does not depend on its elements.
        out.write(&Array::f32(shape.to_vec(), Vec::new()).to_bytes())?;
        Ok(out)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.out.write_all(bytes).map_err(|e| Error::io("write", &self.path, e))?)
    }

    pub(crate) fn write_floats(&mut self, values: &[f32]) -> Result<()> {
        values.iter().try_for_each(|v| self.write(&v.to_le_bytes()))
    }

    /// Flushes everything to the disk and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        let wrong = |e| Error::io("write", &self.path, e);
        self.out.flush().map_err(wrong)?;
        if let Some(sibling) = &self.sibling {
            self.out.get_ref().sync_all().and_then(|()| fs::rename(sibling, &self.path)).map_err(wrong)?;
            self.sibling = None;
            files::sync_folder(files::parent_of(&self.path))?;
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(sibling) = &self.sibling {
            // Best effort: whoever drops an unfinished file has an error or a signal to tell.
            drop(fs::remove_file(sibling));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.npy");
        let mut out = Writer::npy(&path, &[2, 1]).unwrap();
        out.write_floats(&[1.0]).unwrap();
        drop(out);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn a_streamed_array_is_the_array() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let mut out = Writer::npy(&path, &[2, 2]).unwrap();
        out.write_floats(&[1.0, 2.0]).unwrap();
        out.write_floats(&[3.0, 4.0]).unwrap();
        out.finish().unwrap();
        assert_eq!(Array::read(&path).unwrap(), Array::f32(vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        write(Path::new("/dev/null"), b"x").unwrap();
        assert!(!Path::new("/dev/null").is_file());
        let full = write(Path::new("/dev/full"), b"x").unwrap_err();
        assert!(full.to_string().contains("No space left"), "{full}");
    }
}
