//! Files that are written for people: each is whole or not there, and devices are written to, not replaced.

use base::files::Part;
use base::npy::Array;
use base::{Error, Result, files};
use data::{Image, pictures};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Whether a name ends in one of these (in any case).
pub fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    endings.contains(&ending.as_str())
}

/// Writes a picture as PNG.
///
/// # Errors
/// The picture has no pixels, or as [`write()`].
pub fn write_png(path: &Path, image: &Image) -> Result<()> {
    write(path, &pictures::png(image)?)
}

/// Removes a file that has served.
///
/// # Errors
/// The system refuses.
pub fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|e| Error::io("remove", path, e))
}

/// Writes a whole file, with its folder where that is missing.
///
/// # Errors
/// The path is a folder, or the system refuses.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut out = Writer::create(path)?;
    out.write(bytes)?;
    out.finish()
}

/// A file that grows batch by batch and gets its name when it is whole.
pub struct Writer {
    path: PathBuf,
    out: BufWriter<Out>,
}

/// Where the bytes go.
enum Out {
    /// Beside the file's place.
    Part(Part),
    /// Straight into a device or pipe: a rename would replace `/dev/full` or `/dev/stdout` by a plain file.
    Device(File),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Part(part) => part.write(bytes),
            Self::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Part(part) => part.flush(),
            Self::Device(device) => device.flush(),
        }
    }
}

impl Writer {
    /// Opens a file, with its folder where that is missing.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn create(path: &Path) -> Result<Self> {
        files::create_folder(files::parent_of(path))?;
        if path.is_dir() {
            return Err(Error::file(path, "is a folder, not a file"));
        }
        let out = if path.exists() && !path.is_file() {
            Out::Device(File::options().write(true).open(path).map_err(|e| Error::io("write", path, e))?)
        } else {
            Out::Part(Part::create(path)?)
        };
        Ok(Self { path: path.to_owned(), out: BufWriter::with_capacity(1 << 20, out) })
    }

    /// Opens an `.npy` file for numbers of this shape, which are to be written next.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn npy(path: &Path, shape: &[usize]) -> Result<Self> {
        let mut out = Self::create(path)?;
        // An array's header does not depend on its elements.
        out.write(&Array::f32(shape.to_vec(), Vec::new()).to_bytes())?;
        Ok(out)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The disk is full, or a pipe has been closed.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Appends numbers, as an `.npy` file holds them.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_floats(&mut self, values: &[f32]) -> Result<()> {
        values.iter().try_for_each(|v| self.write(&v.to_le_bytes()))
    }

    /// Flushes everything to the disk and gives the file its name.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(self) -> Result<()> {
        let Self { path, out } = self;
        match out.into_inner() {
            Ok(Out::Part(part)) => part.finish(),
            Ok(Out::Device(_)) => Ok(()),
            Err(e) => Err(Error::io("write", &path, e.into_error())),
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
