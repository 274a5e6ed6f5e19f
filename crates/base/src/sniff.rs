//! What a file or folder is, by its first bytes or its members: so that a reader that finds something else than it reads can say what.

#![warn(clippy::indexing_slicing)]

use crate::{Error, Region};
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are looked at from the start of a file, and from the end of a zip archive, where its list is.
const LOOKED_AT: usize = 1 << 16;

/// A kind of file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    cure: Option<&'static str>,
}

const fn kind(name: &'static str) -> Kind {
    Kind { name, cure: None }
}

impl Kind {
    /// A pointer that stands for a file in a repository with Git LFS.
    pub const LFS: Self = Self {
        name: "a Git LFS pointer",
        cure: Some("It stands for a file that was not fetched: run `git lfs pull` where it was cloned."),
    };
    /// A page of the web.
    pub const HTML: Self = Self {
        name: "a web page (HTML)",
        cure: Some("A page was saved instead of the file that it leads to: download the file itself."),
    };
    /// Nothing at all.
    pub const EMPTY: Self =
        Self { name: "empty", cure: Some("Copy or download it again: what made it may have been interrupted.") };
    /// Of `PyTorch`: a zip archive or a pickle.
    pub const PYTORCH: Self = Self {
        name: "a PyTorch file (.pth, .pt)",
        cure: Some("Make a model of it with `import`, which executes nothing of it."),
    };
    /// A model of this program, or other tensors.
    pub const SAFETENSORS: Self = kind("a .safetensors file");
    /// An image of any form; what is found says which.
    pub const IMAGE: Self = kind("an image");
    /// An array of `NumPy`.
    pub const NPY: Self = kind("a NumPy array (.npy)");
    /// Several of them.
    pub const NPZ: Self = kind("an archive of NumPy arrays (.npz)");
    /// An archive of anything.
    pub const ZIP: Self = kind("a zip archive");
    /// Letters that are no other kind of text.
    pub const TEXT: Self = kind("a text file");
    /// JSON.
    pub const JSON: Self = kind("a JSON document");
    /// A run of `evolve` or `segmenter train`.
    pub const RUN: Self = kind("a run folder");
    /// A checkpoint of one.
    pub const CHECKPOINT: Self = kind("a checkpoint");
    /// What `dissect` writes.
    pub const DISSECTION: Self = kind("a dissection");
    /// What `edit` writes.
    pub const EDIT: Self = kind("the folder of an edit");
    /// What `invert` writes.
    pub const INVERSION: Self = kind("the folder of an inversion");
    /// What `repair` writes.
    pub const REPAIR: Self = kind("the folder of a repair");
    /// What `trial` writes.
    pub const TRIAL: Self = kind("the folder of a trial");
    /// A labelled set.
    pub const LABELLED: Self = kind("a set of labelled images");

    /// What a file's bytes are; `None` where they are nothing that is known here.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, _) = bytes.split_at(bytes.len().min(LOOKED_AT));
        let (_, last) = bytes.split_at(bytes.len().saturating_sub(LOOKED_AT));
        Self::of_ends(first, last)
    }

    /// What the file or folder at a path is; `None` where it cannot be read or is nothing that is known here.
    pub fn of_path(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Self::of_folder(path);
        }
        // Reading from a pipe would take away what it holds.
        let mut file = path.is_file().then(|| File::open(path).ok())??;
        let mut read = |from| {
            let mut bytes = Vec::new();
            file.seek(from).ok()?;
            file.by_ref().take(LOOKED_AT as u64).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        };
        let first = read(SeekFrom::Start(0))?;
        let last = if first.len() < LOOKED_AT { None } else { read(SeekFrom::End(-(LOOKED_AT as i64))) };
        Self::of_ends(&first, last.as_deref().unwrap_or(&first))
    }

    /// What a piece of a file is; `None` where it cannot be read or is nothing that is known here.
    pub fn of_region(region: &Region) -> Option<Self> {
        let length = region.length().min(LOOKED_AT as u64);
        Self::of_ends(&region.read(0, length).ok()?, &region.read(region.length() - length, length).ok()?)
    }

    fn of_folder(path: &Path) -> Option<Self> {
        let holds = |name: &str| path.join(name).exists();
        let marks: [(&[&str], Self); 8] = [
            (&["config.toml", "checkpoints"], Self::RUN),
            (&["manifest.json", "state.json"], Self::CHECKPOINT),
            (&["settings.json", "tally.npz"], Self::DISSECTION),
            (&["edit.json"], Self::EDIT),
            (&["inversion.json"], Self::INVERSION),
            (&["decisions.toml"], Self::REPAIR),
            (&["clouds.svg", "results.csv"], Self::TRIAL),
            (&["images", "labels"], Self::LABELLED),
        ];
        marks.into_iter().find(|(names, _)| names.iter().all(|name| holds(name))).map(|(_, kind)| kind)
    }

    fn of_ends(first: &[u8], last: &[u8]) -> Option<Self> {
        if first.is_empty() {
            return Some(Self::EMPTY);
        }
        of_magic(first).or_else(|| of_structure(first, last)).or_else(|| of_text(first))
    }

    /// As it stands in a sentence, with its article: `a PyTorch file (.pth, .pt)`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What to do where the kind itself says so.
    pub fn cure(self) -> Option<&'static str> {
        self.cure
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Files that begin with bytes of their own, and what these are.
const MAGIC: &[(&[u8], Kind)] = &[
    (b"\x89PNG\r\n\x1a\n", kind("a PNG image")),
    (b"\xff\xd8\xff", kind("a JPEG image")),
    (b"GIF8", kind("a GIF image")),
    (b"II*\0", kind("a TIFF image")),
    (b"MM\0*", kind("a TIFF image")),
    (b"8BPS", kind("a Photoshop image")),
    (b"%PDF", kind("a PDF document")),
    (b"\x1f\x8b", kind("a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", kind("a 7z archive")),
    (b"Rar!\x1a\x07", kind("a RAR archive")),
    (b"\xfd7zXZ\0", kind("an xz archive")),
    (b"BZh", kind("a bzip2 archive")),
    (b"\x28\xb5\x2f\xfd", kind("a zstd archive")),
    (b"\x93NUMPY", Kind::NPY),
    (b"\x89HDF\r\n\x1a\n", kind("an HDF5 file (.h5, Keras)")),
    (b"GGUF", kind("a GGUF model")),
    (b"version https://git-lfs", Kind::LFS),
    // The number with which `torch.save` began before it wrote zip archives.
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", Kind::PYTORCH),
];

fn of_magic(first: &[u8]) -> Option<Kind> {
    MAGIC.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, kind)| *kind)
}

/// Files that are known by more than their first bytes.
fn of_structure(first: &[u8], last: &[u8]) -> Option<Kind> {
    let at = |place: usize, text: &[u8]| first.get(place..).is_some_and(|rest| rest.starts_with(text));
    let holds = |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") {
        return Some(match (holds(last, b"data.pkl"), holds(last, b".npy")) {
            (true, _) => Kind::PYTORCH,
            (_, true) => Kind::NPZ,
            _ => Kind::ZIP,
        });
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some(kind("a WebP image"));
    }
    if at(0, b"BM") && at(6, &[0; 4]) {
        return Some(kind("a BMP image"));
    }
    if at(4, b"ftyp") {
        let still = [b"heic".as_slice(), b"heix", b"mif1", b"avif"].iter().any(|brand| at(8, brand));
        return Some(if still { kind("a HEIC or AVIF image") } else { kind("a video (MP4, MOV)") });
    }
    if at(257, b"ustar") {
        return Some(kind("a tar archive"));
    }
    // A header of so many bytes, which is a JSON object.
    if at(8, b"{") && at(5, &[0; 3]) {
        return Some(Kind::SAFETENSORS);
    }
    match *first {
        [0x80, 2..=5, ..] => Some(kind("a Python pickle (.pkl, .pth)").with(Kind::PYTORCH.cure)),
        // The version of the format, a small number, and the next field of the protocol buffer.
        [0x08, 1..=20, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..] => Some(kind("an ONNX model (.onnx)")),
        _ => None,
    }
}

impl Kind {
    const fn with(self, cure: Option<&'static str>) -> Self {
        Self { cure, ..self }
    }
}

/// Texts, as far as they are known by their first letters.
fn of_text(first: &[u8]) -> Option<Kind> {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        // The last letter may have been cut.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(first.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    Some(match text {
        _ if begins("<!doctype html") || begins("<html") || begins("<head") => Kind::HTML,
        _ if begins("<?xml") || begins("<svg") => kind("an XML or SVG document"),
        _ if text.starts_with('{') || text.starts_with("[{") || text.starts_with("[\"") => Kind::JSON,
        _ => Kind::TEXT,
    })
}

/// What a reader reads, for [`Wanted::unfit`].
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// With its article: `a model file (.safetensors)`.
    pub name: &'static str,
    /// What its files are when they are whole.
    pub kind: Kind,
    /// A full sentence: what to give instead of something else.
    pub cure: &'static str,
}

impl Wanted {
    /// The error of a reader that found something else: what the file is, where that is known, before what it is not. Where nothing is
    /// known of it, or it is of the right kind and broken, the error is `otherwise`.
    pub fn unfit(self, path: &Path, found: Option<Kind>, otherwise: Error) -> Error {
        match found {
            Some(found) if found != self.kind => {
                let name = self.name;
                Error::file(path, format!("is {found}, not {name}")).with_hint(found.cure.unwrap_or(self.cure))
            }
            _ => otherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::{Array, write_npz};

    fn name(bytes: &[u8]) -> Option<&'static str> {
        Kind::of_bytes(bytes).map(Kind::name)
    }

    #[test]
    fn files_are_known_by_their_bytes() {
        let tar = [vec![b'a'; 100], vec![0; 157], b"ustar\0".to_vec(), vec![0; 200]].concat();
        let cases: &[(&[u8], &str)] = &[
            (b"", "empty"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", Kind::LFS.name),
            (b"\xef\xbb\xbf \n<!DOCTYPE HTML>\n<p>Not found", "a web page (HTML)"),
            (b"<html lang=en>", "a web page (HTML)"),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch file (.pth, .pt)"),
            (b"\x80\x04\x95.", "a Python pickle (.pkl, .pth)"),
            (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0", "an ONNX model (.onnx)"),
            (b"\x89PNG\r\n\x1a\nxxxx", "a PNG image"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP image"),
            (b"\0\0\0\x18ftypheic", "a HEIC or AVIF image"),
            (b"\0\0\0\x18ftypmp42", "a video (MP4, MOV)"),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
            (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
            (&tar, "a tar archive"),
            (b"\x93NUMPY\x01\0", "a NumPy array (.npy)"),
            (b"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5, Keras)"),
            (b"{\"format\": 1}", "a JSON document"),
            (b"batch = 32\n[image]\nsize = 64\n", "a text file"),
            (b"\x20\0\0\0\0\0\0\0{\"a\":1}", "a .safetensors file"),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(name(bytes), Some(*wanted), "{bytes:?}");
        }
        for unknown in [b"\x01\x02\x03".as_slice(), b"\xff\xfe\xfd", &[0; 300]] {
            assert_eq!(name(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn archives_are_known_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let archive = |names: &[&str]| {
            let path = folder.path().join("a");
            let mut writer = crate::archive::ArchiveWriter::new(&path);
            names.iter().for_each(|name| writer.add(name, b"x").unwrap());
            std::fs::write(&path, writer.finish().unwrap()).unwrap();
            let found = Kind::of_path(&path);
            assert_eq!(found, Kind::of_bytes(&std::fs::read(&path).unwrap()));
            found.unwrap()
        };
        assert_eq!(archive(&["net/data.pkl", "net/version"]), Kind::PYTORCH);
        assert_eq!(archive(&["images/a.png"]), Kind::ZIP);
        let path = folder.path().join("x.npz");
        write_npz(&path, &[("x", &Array::f32(vec![1 << 16], vec![0.5; 1 << 16]))]).unwrap();
        assert_eq!(Kind::of_path(&path), Some(Kind::NPZ));
    }

    #[test]
    fn folders_are_known_by_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Kind::of_path(folder.path()), None);
        for name in ["settings.json", "tally.npz"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(Kind::of_path(folder.path()), Some(Kind::DISSECTION));
        assert_eq!(Kind::of_path(&folder.path().join("none")), None);
    }

    #[test]
    fn what_it_is_comes_before_what_it_is_not() {
        let wanted = Wanted { name: "a model file", kind: Kind::SAFETENSORS, cure: "Give a model." };
        let said = |found| {
            let error = wanted.unfit(Path::new("m"), found, Error::file("m", "is broken").with_hint("Copy it again."));
            (error.to_string(), error.hint().unwrap())
        };
        assert_eq!(said(Some(Kind::JSON)), ("m: is a JSON document, not a model file".into(), "Give a model.".into()));
        assert!(said(Some(Kind::LFS)).1.contains("git lfs pull"));
        for found in [None, Some(Kind::SAFETENSORS)] {
            assert_eq!(said(found), ("m: is broken".into(), "Copy it again.".into()));
        }
    }
}
