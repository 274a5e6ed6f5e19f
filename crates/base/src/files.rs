//! Files that are either whole or not there, and reading that cannot be made to eat the memory.

use crate::part;
pub use crate::part::Part;
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read, or it is longer than `limit`.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
    let length = file.metadata().map_err(|e| Error::io("read", path, e))?;
    if length.is_dir() {
        return Err(Error::file(path, "is a folder, not a file"));
    }
    if length.len() > limit {
        return Err(Error::file(path, format!("has {} bytes; at most {limit} are read here", length.len())));
    }
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
    let mut part = Part::create(path)?;
    part.write_all(bytes).map_err(|e| Error::io("write", path, e))?;
    part.finish()
}

/// Creates a folder with its parents, and flushes those above it: it is there after a power cut, too. An existing one is fine.
///
/// # Errors
/// The system refuses.
pub fn create_folder(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let above = above_new(path);
    fs::create_dir_all(path).map_err(|e| Error::io("create", path, e))?;
    above.into_iter().try_for_each(sync_folder)
}

/// The folders that get a new entry where `path` is created with its parents, the lowest first.
fn above_new(path: &Path) -> Vec<&Path> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    path.ancestors().take_while(missing).map(parent_of).collect()
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
    part::sibling_of(path)
}

/// Whether a living process is writing the temporary file at `path` ([`Part`]); also where that cannot be found out.
pub fn is_being_written(path: &Path) -> bool {
    part::is_being_written(path)
}

/// What people call the thing at `path`: the last part of its path, whatever leads there.
pub fn name_of(path: &str) -> String {
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let real = || fs::canonicalize(path).ok().and_then(|path| last(&path));
    last(Path::new(path)).or_else(real).unwrap_or_else(|| path.to_owned())
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

    #[test]
    fn the_folders_above_new_ones_are_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        assert_eq!(above_new(&path), [&folder.path().join("a/b"), &folder.path().join("a"), folder.path()]);
        create_folder(&path).unwrap();
        assert!(path.is_dir() && above_new(&path).is_empty());
        assert_eq!(above_new(Path::new("no-such-folder")), [Path::new(".")]);
    }

    #[test]
    fn a_name_is_what_the_path_ends_in() {
        let here = std::env::current_dir().unwrap();
        let here = here.file_name().unwrap().to_string_lossy();
        for (path, name) in
            [("scenes", "scenes"), ("/data/cats.zip", "cats.zip"), ("a/b/", "b"), ("/", "/"), (".", &here)]
        {
            assert_eq!(name_of(path), name);
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
