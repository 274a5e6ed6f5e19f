//! Named files, wherever they lie: in a folder (with its sub-folders) or in a zip archive. Nothing is ever extracted.

use base::archive::Archive;
use base::{Error, Result, files};
use std::fs;
use std::path::{Path, PathBuf};

/// The longest encoded file that is read from a store: 256 MiB.
const FILE_LIMIT: u64 = 256 << 20;
/// Folders inside folders inside folders: deeper than this is a loop of links.
const MAX_DEPTH: usize = 32;

/// A set of named byte strings.
pub(crate) struct Store {
    /// The folder or archive.
    root: PathBuf,
    /// Sorted relative names, parts divided by `/`.
    names: Vec<String>,
    place: Place,
}

enum Place {
    /// Where each name lies.
    Folder(Vec<PathBuf>),
    /// The archive, and the number of each name's member.
    Zip(Archive, Vec<usize>),
}

impl Store {
    /// Lists a folder and its sub-folders. Hidden files and folders are left out.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(crate) fn folder(root: &Path) -> Result<Self> {
        let mut found = Vec::new();
        walk(root, "", MAX_DEPTH, &mut found)?;
        found.sort();
        let (names, paths) = found.into_iter().unzip();
        Ok(Self { root: root.to_owned(), names, place: Place::Folder(paths) })
    }

    /// Lists an archive.
    ///
    /// # Errors
    /// The archive is broken, encrypted, or holds a link or a name that leads out of it.
    pub(crate) fn zip(path: &Path) -> Result<Self> {
        let archive = Archive::open(path, "is a broken zip archive")?;
        let mut found = Vec::new();
        for (index, member) in archive.members().iter().enumerate() {
            let name = &member.name;
            if !is_safe(name) || member.is_link {
                return Err(Error::file(path, format!("holds the unsafe entry {name:?}"))
                    .with_hint("Entries must be plain files with relative names, without \"..\"."));
            }
            if member.is_encrypted {
                return Err(Error::file(path, format!("is encrypted (entry {name:?})")));
            }
            if !member.is_dir && !is_hidden(name) {
                found.push((name.clone(), index));
            }
        }
        found.sort();
        // A name that comes twice means the later entry: programs that add to an archive leave the older one in it.
        found.dedup_by(|later, earlier| {
            let again = later.0 == earlier.0;
            if again {
                earlier.1 = later.1;
            }
            again
        });
        let (names, indices) = found.into_iter().unzip();
        Ok(Self { root: path.to_owned(), names, place: Place::Zip(archive, indices) })
    }

    /// The folder or archive itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// All names in order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where in [`Store::names`] a name is.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|n| n.as_str().cmp(name)).ok()
    }

    /// The path of a name, for messages (inside an archive: the archive's path continued).
    pub(crate) fn path(&self, index: usize) -> PathBuf {
        self.root.join(self.names.get(index).map_or("", String::as_str))
    }

    /// The bytes of file `index` of [`Store::names`].
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is over the limit.
    pub(crate) fn read(&self, index: usize) -> Result<Vec<u8>> {
        let path = self.path(index);
        match &self.place {
            Place::Folder(paths) => files::read(paths.get(index).unwrap_or(&path), FILE_LIMIT),
            Place::Zip(archive, indices) => {
                let member = indices.get(index).copied().unwrap_or(usize::MAX);
                if let Some(size) = archive.members().get(member).map(|m| m.size).filter(|&size| size > FILE_LIMIT) {
                    return Err(Error::file(&path, format!("declares {size} bytes; at most {FILE_LIMIT} are read")));
                }
                archive.read(member, FILE_LIMIT)
            }
        }
    }

    /// The bytes of a file inside the store or, failing that, of a file of this name beside it.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(crate) fn read_in_or_beside(&self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        if let Some(index) = self.find(name) {
            return Ok(Some((self.path(index), self.read(index)?)));
        }
        // `..` of a relative folder such as `.` must still lead out of it, hence the absolute path.
        let root = fs::canonicalize(&self.root).map_err(|e| Error::io("read", &self.root, e))?;
        let beside = root.with_file_name(name);
        if beside.is_file() { Ok(Some((beside.clone(), files::read(&beside, FILE_LIMIT)?))) } else { Ok(None) }
    }
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
    if depth == 0 {
        return Err(Error::file(folder, format!("is more than {MAX_DEPTH} folders deep")));
    }
    let unreadable = |e| Error::io("read", folder, e);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_hidden(&name) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), depth - 1, found)?;
        } else {
            found.push((format!("{prefix}{name}"), path));
        }
    }
    Ok(())
}

/// What file managers leave behind.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX" || part == "Thumbs.db")
}

/// A relative name that stays inside, on every system.
fn is_safe(name: &str) -> bool {
    let forbidden = |c: char| c == '\\' || c == ':' || c.is_control();
    !name.is_empty() && !name.starts_with('/') && !name.contains(forbidden) && name.split('/').all(|part| part != "..")
}

/// Whether a name ends like one of the image formats that are read.
pub(crate) fn is_image_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|e| ["png", "jpg", "jpeg", "webp", "bmp", "gif"].contains(&e.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_unsafe() {
        for name in ["../a.png", "a/../../b", "/etc/passwd", "C:\\a.png", "a\\..\\b", "a\0b", "", ".."] {
            assert!(!is_safe(name), "{name:?}");
        }
        for name in ["a.png", "a/b.png", "a..b/c.png", "a/...png"] {
            assert!(is_safe(name), "{name:?}");
        }
    }

    #[test]
    fn a_loop_of_links_ends() {
        #[cfg(unix)]
        {
            let folder = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
            assert!(Store::folder(folder.path()).is_err());
        }
    }
}
