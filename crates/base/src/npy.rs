//! `NumPy`'s `.npy`, the file in which latents, raw images and features travel.
//!
//! Read: little-endian `f4`, `f8`, `u1`, `i4`, `i8`, C order, versions 1 to 3. Written: version 1, C order.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

#![warn(clippy::indexing_slicing)]

use crate::archive::{Archive, ArchiveWriter};
use crate::sniff::{Kind, Wanted};
use crate::{Error, Result, files};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

/// The longest `.npy` that is read: 8 GiB.
pub const LIMIT: u64 = 8 << 30;
/// The longest header of an array in an `.npz` that is looked for.
const HEADER_LIMIT: u64 = 16 << 10;
/// What is read here, for messages about files that are something else.
const WANTED: Wanted =
    Wanted { name: "a NumPy array (.npy)", kind: Kind::NPY, cure: "Write the numbers with numpy.save(...)." };
/// How the message begins for a file that should be an `.npz`.
const NOT_NPZ: &str = "is not an .npz archive";

/// An array of numbers with its shape, slowest dimension first.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The elements, last dimension fastest.
    pub data: Elements,
}

/// The element types that are understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// `<f4`
    F32(Vec<f32>),
    /// `<f8`
    F64(Vec<f64>),
    /// `|u1`
    U8(Vec<u8>),
    /// `<i4`
    I32(Vec<i32>),
    /// `<i8`
    I64(Vec<i64>),
}

impl Array {
    /// An `f32` array.
    pub fn f32(shape: Vec<usize>, data: Vec<f32>) -> Self {
        Self { shape, data: Elements::F32(data) }
    }

    /// The elements as `f32`, converted where they are not.
    pub fn into_f32(self) -> Vec<f32> {
        match self.data {
            Elements::F32(v) => v,
            Elements::F64(v) => v.into_iter().map(|x| x as f32).collect(),
            Elements::U8(v) => v.into_iter().map(f32::from).collect(),
            Elements::I32(v) => v.into_iter().map(|x| x as f32).collect(),
            Elements::I64(v) => v.into_iter().map(|x| x as f32).collect(),
        }
    }

    /// The bytes of the `.npy` file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let descr = match self.data {
            Elements::F32(_) => "<f4",
            Elements::F64(_) => "<f8",
            Elements::U8(_) => "|u1",
            Elements::I32(_) => "<i4",
            Elements::I64(_) => "<i8",
        };
        let shape = self.shape.iter().fold(String::new(), |list, d| list + &d.to_string() + ", ");
        // NumPy writes (3,) for one dimension and (2, 3) for two; both readers accept a trailing comma.
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
        let unpadded = 10 + header.len() + 1;
        header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        match &self.data {
            Elements::F32(v) => v.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
            Elements::F64(v) => v.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
            Elements::U8(v) => bytes.extend(v),
            Elements::I32(v) => v.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
            Elements::I64(v) => v.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
        }
        bytes
    }

    /// Parses the bytes of a `.npy` file; `path` is only for the messages.
    ///
    /// # Errors
    /// The bytes are not a `.npy`, hold a type or order that is not read here, or are fewer or more than the header says.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::file(path, reason);
        let Header { shape, descr, fortran, length } = Header::from_bytes(bytes, path)?;
        if fortran && shape.len() > 1 {
            return Err(wrong("is in Fortran order".into())
                .with_hint("Save it again with numpy.ascontiguousarray(...).".to_string()));
        }
        let count = shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .ok_or_else(|| wrong(format!("declares the impossible shape {shape:?}")))?;
        let body = bytes.get(length..).unwrap_or_default();
        let size = match descr.as_str() {
            "<f4" | "<i4" => 4,
            "<f8" | "<i8" => 8,
            "|u1" | "|b1" => 1,
            other => {
                return Err(wrong(format!("holds elements of type {other:?}; f4, f8, u1, i4 and i8 are read"))
                    .with_hint("Save it again with .astype('float32').".to_string()));
            }
        };
        if count.checked_mul(size) != Some(body.len()) {
            return Err(wrong(format!(
                "declares shape {shape:?} of {descr}, that is {count} elements, but holds {} bytes of data",
                body.len()
            )));
        }
        let data = match descr.as_str() {
            "<f4" => Elements::F32(chunks(body, f32::from_le_bytes)),
            "<f8" => Elements::F64(chunks(body, f64::from_le_bytes)),
            "<i4" => Elements::I32(chunks(body, i32::from_le_bytes)),
            "<i8" => Elements::I64(chunks(body, i64::from_le_bytes)),
            _ => Elements::U8(body.to_vec()),
        };
        Ok(Self { shape, data })
    }

    /// Reads a `.npy` file.
    ///
    /// # Errors
    /// As [`Array::from_bytes`], and when the file cannot be read or is over [`LIMIT`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&files::read(&path, LIMIT)?, path.as_ref())
    }

    /// Writes a `.npy` file atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        files::write_atomic(path, &self.to_bytes())
    }
}

/// What the start of a `.npy` file says of its array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The type of the elements in `NumPy`'s letters: `|u1`, `<f4`, ...
    pub descr: String,
    /// Whether the first dimension is the fastest.
    fortran: bool,
    /// Bytes before the elements.
    length: usize,
}

impl Header {
    /// Parses the start of a `.npy` file; `path` is only for the messages.
    ///
    /// # Errors
    /// The bytes are not the start of a `.npy`, or end inside of its header.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::file(path, reason);
        let (start, declared): (usize, usize) = match *bytes {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
                (12, u32::from_le_bytes([a, b, c, d]) as usize)
            }
            [0x93, b'N', b'U', b'M', b'P', b'Y', version, _, _, _, ..] => {
                return Err(wrong(format!("is .npy version {version}; versions 1 to 3 are read")));
            }
            _ => {
                let otherwise = wrong("is not a .npy file (no NumPy magic at its start)".into());
                return Err(WANTED.unfit(path, Kind::of_bytes(bytes), otherwise));
            }
        };
        let length = start.saturating_add(declared);
        let header = bytes
            .get(start..length)
            .and_then(|h| std::str::from_utf8(h).ok())
            .ok_or_else(|| wrong("is truncated inside its .npy header".into()))?;
        let (descr, fortran, shape) =
            parse_header(header).ok_or_else(|| wrong(format!("has a .npy header that is not understood: {header}")))?;
        Ok(Self { shape, descr: descr.to_owned(), fortran, length })
    }
}

/// An `.npz` archive that was opened. Only the arrays that are asked for are unpacked.
pub struct Npz {
    archive: Archive,
    names: Vec<String>,
}

impl Npz {
    /// Opens an archive and reads its list.
    ///
    /// # Errors
    /// The file cannot be read, is no whole archive, or two arrays have one name.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::of(Archive::open(path.as_ref(), NOT_NPZ)?, path.as_ref())
    }

    fn of(archive: Archive, path: &Path) -> Result<Self> {
        let names: Vec<String> =
            archive.members().iter().map(|member| member.name.trim_end_matches(".npy").to_owned()).collect();
        let mut seen = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(Error::file(path, format!("holds two arrays of the name {name:?}")));
        }
        Ok(Self { archive, names })
    }

    /// The names of the arrays, without the ending `.npy`, in the archive's order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Shape and type of an array, by its place in [`Npz::names`], from its first bytes.
    ///
    /// # Errors
    /// It is broken there, or there is no such array.
    pub fn header(&self, index: usize) -> Result<Header> {
        Header::from_bytes(&self.archive.start(index, HEADER_LIMIT)?, &self.archive.path_of(index))
    }

    /// An array, by its place in [`Npz::names`].
    ///
    /// # Errors
    /// It is broken, unpacks to more than [`LIMIT`], or there is no such array.
    pub fn read(&self, index: usize) -> Result<Array> {
        Array::from_bytes(&self.archive.read(index, LIMIT)?, &self.archive.path_of(index))
    }

    /// All arrays with their names.
    fn read_all(&self, path: &Path) -> Result<Vec<(String, Array)>> {
        // What a member declares is checked when it is read, so this is a limit on what all unpack to.
        let total = self.archive.members().iter().fold(0u64, |sum, member| sum.saturating_add(member.size));
        if total > LIMIT {
            return Err(Error::file(path, format!("unpacks to {total} bytes; at most {LIMIT} are read")));
        }
        self.names.iter().enumerate().map(|(index, name)| Ok((name.clone(), self.read(index)?))).collect()
    }
}

/// Reads every array of an `.npz` archive, in the archive's order, without the `.npy` ending of its names.
///
/// # Errors
/// The archive or one of its members is broken, two arrays have one name, or all of them unpack to more than [`LIMIT`].
pub fn read_npz(path: impl AsRef<Path>) -> Result<Vec<(String, Array)>> {
    Npz::open(path.as_ref())?.read_all(path.as_ref())
}

/// As [`read_npz`], of an archive in memory; `path` is only for the messages.
///
/// # Errors
/// As [`read_npz`].
pub fn read_npz_bytes(bytes: impl Into<Cow<'static, [u8]>>, path: impl AsRef<Path>) -> Result<Vec<(String, Array)>> {
    let path = path.as_ref();
    Npz::of(Archive::from_bytes(bytes, path, NOT_NPZ)?, path)?.read_all(path)
}

/// Writes arrays as a compressed `.npz` archive, atomically; the bytes depend on nothing but the arrays.
///
/// # Errors
/// The file cannot be written, or two arrays have one name.
pub fn write_npz(path: impl AsRef<Path>, arrays: &[(&str, &Array)]) -> Result<()> {
    let path = path.as_ref();
    let mut archive = ArchiveWriter::new(path);
    for (name, array) in arrays {
        archive.add(&format!("{name}.npy"), &array.to_bytes())?;
    }
    files::write_atomic(path, &archive.finish()?)
}

fn chunks<const N: usize, T>(body: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    body.as_chunks::<N>().0.iter().map(|chunk| decode(*chunk)).collect()
}

/// `descr`, `fortran_order` and `shape` of a header, which is a Python dictionary of a fixed form.
fn parse_header(header: &str) -> Option<(&str, bool, Vec<usize>)> {
    let value_of = |key: &str| {
        let at = header.find(&format!("'{key}'"))? + key.len() + 2;
        Some(header[at..].trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = value_of("descr")?.strip_prefix('\'')?;
    let descr = &descr[..descr.find('\'')?];
    let fortran = value_of("fortran_order")?.starts_with("True");
    let shape = value_of("shape")?.strip_prefix('(')?;
    let shape = shape[..shape.find(')')?]
        .split(',')
        .map(str::trim)
        .filter(|d| !d.is_empty())
        .map(|d| d.trim_end_matches('L').parse().ok())
        .collect::<Option<_>>()?;
    Some((descr, fortran, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_those_that_numpy_writes() {
        // numpy.save of numpy.array([[1, 2, 3]], 'f4'), NumPy 2.x, but for its ", }" after the shape's comma.
        let bytes = Array::f32(vec![1, 3], vec![1.0, 2.0, 3.0]).to_bytes();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!((bytes.len() - 12) % 64, 0, "data starts on a multiple of 64");
        assert_eq!(&bytes[bytes.len() - 12..], [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]);
    }

    #[test]
    fn each_truncation_is_an_error() {
        let bytes = Array::f32(vec![2, 3], vec![0.5; 6]).to_bytes();
        for length in 0..bytes.len() {
            assert!(Array::from_bytes(&bytes[..length], Path::new("x.npy")).is_err(), "{length}");
        }
    }

    #[test]
    fn an_impossible_shape_is_refused_before_anything_is_allocated() {
        let mut bytes = Array::f32(vec![1], vec![0.0]).to_bytes();
        let at = bytes.windows(4).position(|w| w == b"(1,)").unwrap();
        bytes[at..at + 24].copy_from_slice(b"(4294967296,4294967296),");
        assert!(Array::from_bytes(&bytes, Path::new("x.npy")).is_err());
    }

    #[test]
    fn an_npz_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let (a, b) = (Array::f32(vec![2], vec![1.0, -2.0]), Array { shape: vec![], data: Elements::I64(vec![7]) });
        write_npz(&path, &[("a", &a), ("b", &b)]).unwrap();
        let expected = [("a".to_string(), a.clone()), ("b".to_string(), b)];
        assert_eq!(read_npz(&path).unwrap(), expected);
        assert_eq!(read_npz_bytes(std::fs::read(&path).unwrap(), "a.npz").unwrap(), expected);
        assert!(write_npz(&path, &[("a", &a), ("a", &a)]).is_err());
    }

    #[test]
    fn two_arrays_of_one_name_are_refused() {
        let mut archive = ArchiveWriter::new("a.npz");
        let array = Array::f32(vec![1], vec![1.0]).to_bytes();
        // NumPy adds the ending; both are read as `a`.
        archive.add("a", &array).unwrap();
        archive.add("a.npy", &array).unwrap();
        let message = read_npz_bytes(archive.finish().unwrap(), "a.npz").unwrap_err().to_string();
        assert_eq!(message, "a.npz: holds two arrays of the name \"a\"");
    }

    #[test]
    fn only_what_is_asked_for_is_unpacked_and_all_of_it_is_limited() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let small = Array { shape: vec![2, 3], data: Elements::U8(vec![7; 6]) };
        let big = Array { shape: vec![9, 1 << 20], data: Elements::U8(vec![0; 9 << 20]) };
        write_npz(&path, &[("big", &big), ("small", &small)]).unwrap();
        // A byte of `big`, which is then damaged.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3000] ^= 0xFF;
        std::fs::write(&path, bytes).unwrap();
        let npz = Npz::open(&path).unwrap();
        assert_eq!(npz.names(), ["big", "small"]);
        let header = npz.header(0).unwrap();
        assert_eq!((header.shape, header.descr.as_str()), (vec![9, 1 << 20], "|u1"));
        assert_eq!(npz.read(1).unwrap(), small);
        assert!(npz.read(0).is_err() && read_npz(&path).is_err());
        // Members that say of themselves that they are 4 GiB each.
        let mut archive = ArchiveWriter::new("b.npz");
        for name in ["a", "b", "c"] {
            archive.add(name, &[0; 9]).unwrap();
        }
        let mut bytes = archive.finish().unwrap();
        let entries: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..at + 4] == *b"PK\x01\x02").collect();
        for at in entries {
            bytes[at + 24..at + 28].copy_from_slice(&0xFFFF_FFFEu32.to_le_bytes());
        }
        let message = read_npz_bytes(bytes, "b.npz").unwrap_err().to_string();
        assert_eq!(message, "b.npz: unpacks to 12884901882 bytes; at most 8589934592 are read");
    }

    proptest! {
        #[test]
        fn round_trip(shape in prop::collection::vec(0usize..5, 0..4)) {
            let n = shape.iter().product();
            for data in [
                Elements::F32(vec![1.5; n]), Elements::F64(vec![-2.5; n]), Elements::U8(vec![3; n]),
                Elements::I32(vec![-4; n]), Elements::I64(vec![5; n]),
            ] {
                let array = Array { shape: shape.clone(), data };
                prop_assert_eq!(&Array::from_bytes(&array.to_bytes(), Path::new("x")).unwrap(), &array);
            }
        }
    }
}
