//! Named files, wherever they lie: in a folder (with its sub-folders) or in a zip archive. Nothing is ever extracted.

use crate::notice::{Matter, Notice};
use base::archive::Archive;
use base::{Error, Result, files};
use image::ImageFormat;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
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
    /// What was left out when it was listed.
    left: Left,
}

/// What is not among the names of a store.
#[derive(Default)]
struct Left {
    /// Images that are hidden files.
    hidden: Vec<String>,
    /// Pipes, devices and the like.
    no_files: Vec<String>,
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
        let (mut found, mut left) = (Vec::new(), Left::default());
        walk(root, "", MAX_DEPTH, &mut found, &mut left)?;
        found.sort();
        left.hidden.sort();
        left.no_files.sort();
        let (names, paths) = found.into_iter().unzip();
        Ok(Self { root: root.to_owned(), names, place: Place::Folder(paths), left })
    }

    /// Lists an archive.
    ///
    /// # Errors
    /// The archive is broken, encrypted, or holds a link or a name that leads out of it.
    pub(crate) fn zip(path: &Path) -> Result<Self> {
        let archive = Archive::open(path, "is a broken zip archive")?;
        let (mut found, mut left) = (Vec::new(), Left::default());
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
            } else if !member.is_dir && is_hidden_image(name) {
                left.hidden.push(name.clone());
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
        Ok(Self { root: path.to_owned(), names, place: Place::Zip(archive, indices), left })
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

    /// What is left out: files that `is_used` does not want, and those that are no names of the store.
    pub(crate) fn left_out(&self, is_used: impl Fn(&str) -> bool) -> Vec<Notice> {
        let other = self.names.iter().filter(|name| !is_image_name(name) && !is_used(name)).cloned().collect();
        let Left { hidden, no_files } = &self.left;
        [(Matter::OtherKind, other), (Matter::Hidden, hidden.clone()), (Matter::NoFile, no_files.clone())]
            .into_iter()
            .filter_map(|(matter, names)| Notice::of(matter, names))
            .collect()
    }

    /// The bytes of file `index` of [`Store::names`].
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is over the limit.
    pub(crate) fn read(&self, index: usize) -> Result<Vec<u8>> {
        self.read_at_most(index, FILE_LIMIT)
    }

    /// As [`Store::read`], with a limit for documents.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub(crate) fn read_at_most(&self, index: usize, limit: u64) -> Result<Vec<u8>> {
        let path = self.path(index);
        match &self.place {
            Place::Folder(paths) => files::read(paths.get(index).unwrap_or(&path), limit),
            Place::Zip(archive, indices) => {
                let member = indices.get(index).copied().unwrap_or(usize::MAX);
                if let Some(size) = archive.members().get(member).map(|m| m.size).filter(|&size| size > limit) {
                    return Err(Error::file(&path, format!("declares {size} bytes; at most {limit} are read")));
                }
                archive.read(member, limit)
            }
        }
    }

    /// The first `most` bytes of a file, or all of a shorter one.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub(crate) fn start(&self, index: usize, most: u64) -> Result<Vec<u8>> {
        let path = self.path(index);
        match &self.place {
            Place::Folder(paths) => {
                let (file, _) = files::open(paths.get(index).unwrap_or(&path))?;
                let mut bytes = Vec::new();
                file.take(most).read_to_end(&mut bytes).map_err(|e| Error::io("read", &path, e))?;
                Ok(bytes)
            }
            Place::Zip(archive, indices) => archive.start(indices.get(index).copied().unwrap_or(usize::MAX), most),
        }
    }

    /// The bytes of the first of these files that is there or, failing that, of a file of this name beside the store.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is over the limit.
    pub(crate) fn read_in_or_beside(
        &self,
        folders: &[&str],
        name: &str,
        limit: u64,
    ) -> Result<Option<(PathBuf, Vec<u8>)>> {
        if let Some(index) = folders.iter().find_map(|folder| self.find(&format!("{folder}{name}"))) {
            return Ok(Some((self.path(index), self.read_at_most(index, limit)?)));
        }
        // `..` of a relative folder such as `.` must still lead out of it, hence the absolute path.
        let root = fs::canonicalize(&self.root).map_err(|e| Error::io("read", &self.root, e))?;
        let beside = root.with_file_name(name);
        if beside.is_file() { Ok(Some((beside.clone(), files::read(&beside, limit)?))) } else { Ok(None) }
    }

    /// What a store without images holds instead, in words.
    pub(crate) fn contents(&self) -> String {
        if self.names.is_empty() {
            return "it is empty".into();
        }
        let mut kinds = BTreeMap::<String, usize>::new();
        for name in &self.names {
            let file = name.rsplit_once('/').map_or(name.as_str(), |(_, file)| file);
            let ending = file.rsplit_once('.').map_or("without ending".to_owned(), |(_, end)| format!(".{end}"));
            *kinds.entry(ending.to_lowercase()).or_default() += 1;
        }
        let mut kinds: Vec<(String, usize)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, n)| Reverse(*n));
        let shown: Vec<String> = kinds.iter().take(4).map(|(ending, n)| format!("{n} {ending}")).collect();
        format!("its files are: {}{}", shown.join(", "), if kinds.len() > 4 { ", ..." } else { "" })
    }
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>, left: &mut Left) -> Result<()> {
    if depth == 0 {
        return Err(Error::file(folder, format!("is more than {MAX_DEPTH} folders deep")));
    }
    let unreadable = |e| Error::io("read", folder, e);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        // Behind links; one that leads nowhere stays in the list, so that its image is missed.
        let kind = fs::metadata(&path).ok();
        let is_dir = kind.as_ref().is_some_and(fs::Metadata::is_dir);
        if is_hidden(&name) {
            if !is_dir && is_hidden_image(&name) {
                left.hidden.push(name);
            }
        } else if is_dir {
            walk(&path, &format!("{name}/"), depth - 1, found, left)?;
        } else if kind.is_none_or(|kind| kind.is_file()) {
            found.push((name, path));
        } else {
            left.no_files.push(name);
        }
    }
    Ok(())
}

/// What file managers leave behind.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX" || part == "Thumbs.db")
}

/// An image that somebody hid, which what macOS writes beside every file is not.
fn is_hidden_image(name: &str) -> bool {
    let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
    is_image_name(name) && !file.starts_with("._") && !name.split('/').any(|part| part == "__MACOSX")
}

/// A relative name that stays inside, on every system.
fn is_safe(name: &str) -> bool {
    let forbidden = |c: char| c == '\\' || c == ':' || c.is_control();
    !name.is_empty() && !name.starts_with('/') && !name.contains(forbidden) && name.split('/').all(|part| part != "..")
}

/// Whether a name ends like one of the image formats that are read.
pub(crate) fn is_image_name(name: &str) -> bool {
    format_of(name).is_some()
}

/// The format that the ending of a name promises, among those that are read.
pub(crate) fn format_of(name: &str) -> Option<ImageFormat> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" => Some(ImageFormat::Png),
        "jpg" | "jpeg" => Some(ImageFormat::Jpeg),
        "webp" => Some(ImageFormat::WebP),
        "bmp" => Some(ImageFormat::Bmp),
        "gif" => Some(ImageFormat::Gif),
        _ => None,
    }
}

/// A name without its ending.
pub(crate) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => stem,
        _ => name,
    }
}

/// What things made of these images can be called: their names without endings, but with them where names differ by the ending alone.
pub(crate) fn places<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut stems = BTreeMap::<String, usize>::new();
    for name in names.clone() {
        *stems.entry(stem(name).to_lowercase()).or_default() += 1;
    }
    let place = |name: &str| if stems[&stem(name).to_lowercase()] > 1 { name } else { stem(name) }.to_owned();
    names.map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_two_images_has_two_names() {
        let names = ["x/a.jpg", "x/a.png", "x/b.c.png", "y/a.png", "y/B.gif", "y/b.jpg", "z.d/e"];
        assert_eq!(places(names.into_iter()), ["x/a.jpg", "x/a.png", "x/b.c", "y/a", "y/B.gif", "y/b.jpg", "z.d/e"]);
    }

    #[test]
    fn names_that_lead_out_are_unsafe() {
        for name in ["../a.png", "a/../../b", "/etc/passwd", "C:\\a.png", "a\\..\\b", "a\0b", "", ".."] {
            assert!(!is_safe(name), "{name:?}");
        }
        for name in ["a.png", "a/b.png", "a..b/c.png", "a/...png"] {
            assert!(is_safe(name), "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn pipes_are_left_out_and_hidden_images_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(path("pipe.png")).status().unwrap().success());
        for name in ["a.png", ".b.png", "._a.png", "note.txt"] {
            fs::write(path(name), b"x").unwrap();
        }
        std::os::unix::fs::symlink(path("gone"), path("link.png")).unwrap();
        let store = Store::folder(folder.path()).unwrap();
        assert_eq!(store.names(), ["a.png", "link.png", "note.txt"]);
        let said: Vec<String> = store.left_out(|_| false).iter().map(ToString::to_string).collect();
        assert!(said[0].ends_with("of no kind that is read: 1 (note.txt)"), "{said:?}");
        assert!(said[1].ends_with("hidden files: 1 (.b.png)"), "{said:?}");
        assert!(said[2].ends_with("neither files nor folders: 1 (pipe.png)"), "{said:?}");
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
