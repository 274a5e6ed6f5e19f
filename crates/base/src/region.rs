//! A piece of a file or of bytes in memory, which is read when it is asked for.

#![warn(clippy::indexing_slicing)]

use crate::{Error, Result, files};
use rawzip::{FileReader, ReaderAt};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A piece of a file, or of bytes in memory. Copies share the file; threads may read at the same time. Its length is that which the
/// file had when it was opened: where the file is cut meanwhile, reading is an error.
#[derive(Clone, Debug)]
pub struct Region {
    source: Arc<Source>,
    start: u64,
    length: u64,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    File(FileReader),
    Memory(Cow<'static, [u8]>),
}

impl Region {
    /// All of a file.
    ///
    /// # Errors
    /// As [`files::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (file, length) = files::open(path)?;
        let source = Source { path: path.to_owned(), bytes: Bytes::File(file.into()) };
        Ok(Self { source: Arc::new(source), start: 0, length })
    }

    /// All of these bytes; `path` is only for the messages.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>, path: impl AsRef<Path>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        let source = Source { path: path.as_ref().to_owned(), bytes: Bytes::Memory(bytes) };
        Self { source: Arc::new(source), start: 0, length }
    }

    /// The file that it is a piece of.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// Its bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where it begins in the file.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// A piece of it; `None` where it does not lie inside.
    pub fn piece(&self, offset: u64, length: u64) -> Option<Self> {
        let end = offset.checked_add(length)?;
        let start = self.start.checked_add(offset)?;
        (end <= self.length).then(|| Self { source: self.source.clone(), start, length })
    }

    /// Fills a buffer with the bytes from `offset` on.
    ///
    /// # Errors
    /// There are fewer, or the file cannot be read.
    pub fn fill(&self, offset: u64, mut buffer: &mut [u8]) -> Result<()> {
        let mut at = offset;
        while !buffer.is_empty() {
            let read = match self.read_at(buffer, at) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::io("read", self.path(), e)),
            };
            if read == 0 {
                let reason = format!("is truncated: it ends at byte {at}, where more was to come");
                return Err(Error::file(self.path(), reason).with_hint("Copy or download it again."));
            }
            at += read as u64;
            buffer = buffer.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The bytes from `offset` on, `length` of them. Memory is taken only where they are there.
    ///
    /// # Errors
    /// There are fewer, or the file cannot be read.
    pub fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>> {
        let piece = self.piece(offset, length).and_then(|piece| usize::try_from(piece.length).ok());
        let Some(length) = piece else {
            let reason = format!("is truncated: {length} bytes were to come at byte {offset} of {}", self.length);
            return Err(Error::file(self.path(), reason).with_hint("Copy or download it again."));
        };
        let mut bytes = vec![0; length];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }
}

impl ReaderAt for Region {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (buffer, _) = buffer.split_at_mut(buffer.len().min(left));
        let Some(place) = self.start.checked_add(offset) else { return Ok(0) };
        match &self.source.bytes {
            Bytes::File(file) => file.read_at(buffer, place),
            Bytes::Memory(bytes) => bytes.read_at(buffer, place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_knows_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        for whole in [Region::open(&path).unwrap(), Region::from_bytes(b"0123456789".as_slice(), "a")] {
            let piece = whole.piece(2, 5).unwrap();
            assert_eq!(piece.read(1, 3).unwrap(), b"345");
            assert_eq!((piece.start(), piece.length()), (2, 5));
            assert_eq!(piece.piece(5, 0).unwrap().read(0, 0).unwrap(), b"");
            assert!(whole.piece(2, 9).is_none() && whole.piece(u64::MAX, 2).is_none() && piece.piece(0, 6).is_none());
            // What lies behind the piece is not part of it, and nothing is allocated for what is not there.
            assert!(
                piece.read(1, 5).is_err() && piece.read(0, u64::MAX).is_err() && piece.fill(4, &mut [0; 2]).is_err()
            );
        }
    }

    #[test]
    fn a_file_that_is_cut_meanwhile_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [7; 100]).unwrap();
        let region = Region::open(&path).unwrap();
        std::fs::write(&path, [7; 10]).unwrap();
        let message = region.read(0, 100).unwrap_err().to_string();
        assert!(message.ends_with("is truncated: it ends at byte 10, where more was to come"), "{message}");
    }
}
