//! Files that are either whole or not there, and reading that cannot be made to eat the memory.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read, is longer than `limit`, or is a device or a pipe, which may never end.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
    let path = path.as_ref();
    // Before it is opened: that would wait for somebody to write into a pipe.
    let length = fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    if length.is_dir() {
        return Err(Error::file(path, "is a folder, not a file"));
    }
    if !length.is_file() {
        return Err(Error::file(path, "is a device or a pipe; files are read here")
            .with_hint("Save what it gives as a file first."));
    }
    if length.len() > limit {
        return Err(Error::file(path, format!("has {} bytes; at most {limit} are read here", length.len())));
    }
    let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
    let mut bytes = Vec::with_capacity(length.len() as usize);
    // The file may grow while we read: the limit holds all the same.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::file(path, format!("has more than {limit} bytes; at most that many are read here")));
    }
    Ok(bytes)
}

/// Reads at most `limit` bytes from a decompressor or other stream whose length is not known.
///
/// # Errors
/// The stream breaks off, or holds more than `limit` bytes.
pub fn read_stream(stream: impl Read, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::file(path, format!("unpacks to more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Writes a file so that `path` holds either what it held before or all of `bytes`, also after a crash.
///
/// The bytes go to a temporary sibling (never to the system's temporary folder, which may be another file system), are
/// flushed to the disk, and the sibling is renamed over `path`; then the folder itself is flushed.
///
/// # Errors
/// The folder cannot be written, or the disk is full; `path` is untouched then and the sibling removed.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let sibling = sibling_of(path);
    let written = (|| {
        let mut file = File::create(&sibling)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&sibling, path)
    })();
    if let Err(e) = written {
        // Best effort: the first error is the one to report.
        drop(fs::remove_file(&sibling));
        return Err(Error::io("write", path, e));
    }
    sync_folder(parent_of(path))
}

/// Creates a folder with its parents; an existing one is fine.
///
/// # Errors
/// The system refuses.
pub fn create_folder(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    fs::create_dir_all(path).map_err(|e| Error::io("create", path, e))
}

/// Flushes a folder's entries to the disk, so that a rename survives a power cut (Unix; elsewhere it does nothing).
///
/// # Errors
/// The system refuses.
pub fn sync_folder(path: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| Error::io("sync", path, e))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The folder that holds `path`; `.` for a bare name.
pub fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A temporary name beside `path`, of this process alone.
pub fn sibling_of(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_the_whole_file_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"a long first text").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomic(&path, b"old").unwrap();
        // A folder in the sibling's place makes the write fail for every user, root included.
        fs::create_dir(sibling_of(&path)).unwrap();
        assert!(write_atomic(&path, b"new").is_err());
        assert_eq!(read(&path, 100).unwrap(), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, Path::new("/dev/zero")] {
            let error = read(path, 1 << 40).unwrap_err();
            assert_eq!(error.to_string(), format!("{}: is a device or a pipe; files are read here", path.display()));
        }
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, [0; 100]).unwrap();
        assert!(read(&path, 99).unwrap_err().to_string().ends_with("has 100 bytes; at most 99 are read here"));
        assert_eq!(read(&path, 100).unwrap().len(), 100);
        assert!(read_stream(std::io::repeat(0), &path, 1000).is_err());
    }
}
