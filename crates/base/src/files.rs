//! Files that are either whole or not there, and reading that cannot be made to eat the memory.

use crate::part;
pub use crate::part::Part;
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Opens a regular file to read it, and says how long it is. A link to one will do.
///
/// # Errors
/// The file cannot be opened, or is none: a folder, a pipe, a device. A pipe is refused before it is opened, because that would
/// wait for somebody who writes to it.
pub fn open(path: impl AsRef<Path>) -> Result<(File, u64)> {
    let path = path.as_ref();
    let unreadable = |e| Error::io("read", path, e);
    let check = |found: &fs::Metadata| match found {
        found if found.is_file() => Ok(()),
        found if found.is_dir() => Err(Error::file(path, "is a folder, not a file")),
        _ => Err(Error::file(path, "is not a regular file (it is a pipe, a device or the like)")
            .with_hint("Save what it gives to a file first.")),
    };
    check(&fs::metadata(path).map_err(unreadable)?)?;
    let file = File::open(path).map_err(unreadable)?;
    // What lies there may have changed meanwhile.
    let found = file.metadata().map_err(unreadable)?;
    check(&found)?;
    Ok((file, found.len()))
}

/// Whether a file or folder lies here that a bare name does not mean, because the name is that of something built in. With a
/// `/` in it (`./name`) it is meant.
pub fn is_passed_over(name: &str) -> bool {
    !name.is_empty() && !name.contains(std::path::is_separator) && Path::new(name).exists()
}

/// Refuses a path where nothing is, before anything else is said of it.
///
/// # Errors
/// There is nothing, or it cannot be looked at.
pub fn must_exist(path: &Path) -> Result<()> {
    fs::metadata(path).map(drop).map_err(|e| Error::io("open", path, e))
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], or the file is longer than `limit`.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let (file, length) = open(path)?;
    if length > limit {
        return Err(Error::file(path, format!("has {length} bytes; at most {limit} are read here")));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may grow while we read: the limit holds all the same.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
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

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, reason) in [(&*pipe, "not a regular file"), (Path::new("/dev/zero"), "not a regular file")] {
            let message = read(path, 100).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
        assert!(read(folder.path(), 100).unwrap_err().to_string().ends_with("is a folder, not a file"));
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link, 3).unwrap(), b"abc");
    }
}
