//! Zip archives: the one reader and the one writer of everything that is packed in them.
//!
//! Members are stored or deflated; archives in the form for large files (zip64) are read and, where they must be, written.
//! An archive may lie about everything. Its list is checked when it is opened: members lie inside of the file and do not
//! overlap, so that all of them together cannot unpack to more than a thousand times the file's length, or so. A member's size
//! and checksum are checked when it is read.

#![warn(clippy::indexing_slicing)]

use crate::sniff::{Kind, Wanted};
use crate::{Error, Region, Result};
use flate2::{Compression, Crc, read::DeflateDecoder, write::DeflateEncoder};
use rawzip::time::UtcDateTime;
use rawzip::{
    CompressionMethod, ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive, ZipArchiveEntryWayfinder,
    ZipArchiveWriter, ZipEntry, ZipLocator, ZipVerification,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

/// What is read here, for messages about files that are something else.
const WANTED: Wanted =
    Wanted { name: "a zip archive", kind: Kind::ZIP, cure: "Copy or download it again, or pack it as a .zip." };
/// What a member takes besides its packed bytes, at the least: the header before them, without the name in it.
const HEADER: u64 = 30;
/// Bytes of a stored member that are compared with its checksum at once.
const CHECKED_AT_ONCE: usize = 1 << 18;
/// The time of every written member, in seconds of Unix time: the first that the format knows, 1980-01-01.
const TIME: i64 = 315_532_800;
/// The upper half of code page 437, in which names are that are not UTF-8.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A zip archive that was opened for reading. Threads may read members at the same time; nothing waits for anything.
pub struct Archive {
    region: Region,
    zip: ZipArchive<Region>,
    members: Vec<Member>,
}

/// What the list of an archive says of a member. Only [`Archive::read`] finds out whether it is true.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, parts divided by `/`. Names that are not UTF-8 are taken for code page 437, as the format has it.
    pub name: String,
    /// The length that it declares to have when unpacked.
    pub size: u64,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
    /// Whether it is encrypted, so that it cannot be read here.
    pub is_encrypted: bool,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

impl Archive {
    /// Opens an archive and reads its list. `broken` begins the message where the file is none: `is a broken zip archive`.
    ///
    /// # Errors
    /// The file cannot be read, is not a whole archive, or has members that overlap.
    pub fn open(path: impl AsRef<Path>, broken: &str) -> Result<Self> {
        Self::of(Region::open(path)?, broken)
    }

    /// As [`Archive::open`], of an archive in memory; `path` is only for the messages.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>, path: impl AsRef<Path>, broken: &str) -> Result<Self> {
        Self::of(Region::from_bytes(bytes, path), broken)
    }

    /// As [`Archive::open`], of a piece of a file.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn of(region: Region, broken: &str) -> Result<Self> {
        let (path, length) = (region.path(), region.length());
        let wrong = |reason: &str| Error::file(path, format!("{broken}: {reason}"));
        let refused = |e: rawzip::Error| match fault(e) {
            // A broken .npz is a broken archive, too.
            Ok(reason) => WANTED.unfit(path, Kind::of_path(path).filter(|kind| *kind != Kind::NPZ), wrong(reason)),
            Err(e) => Error::io("read", path, e),
        };
        // A buffer of this length holds every entry of a list, however long its names.
        let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
        let zip = ZipLocator::new()
            .locate_in_reader(region.clone(), &mut buffer, length)
            .map_err(|(_, error)| refused(error))?;
        let mut members = Vec::new();
        let mut extents = Vec::new();
        let mut entries = zip.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(refused)? {
            let name = name_of(entry.file_path().as_ref());
            let start = entry.local_header_offset();
            let end = entry.compressed_size_hint().checked_add(HEADER).and_then(|taken| start.checked_add(taken));
            let Some(end) = end.filter(|&end| end <= length) else {
                return Err(wrong(&format!("{name:?} does not lie inside of it")));
            };
            extents.push((start, end, members.len()));
            members.push(Member {
                name,
                size: entry.uncompressed_size_hint(),
                is_dir: entry.is_dir(),
                is_link: entry.mode().is_symlink(),
                is_encrypted: entry.flags().is_encrypted(),
                method: entry.compression_method(),
                place: entry.wayfinder(),
            });
        }
        // Programs that do not know the form for large files count from 0 again after 65,535 members.
        let (declared, found) = (zip.entries_hint(), members.len() as u64);
        if declared % (1 << 16) != found % (1 << 16) {
            return Err(wrong(&format!("declares {declared} members but lists {found}")));
        }
        extents.sort_unstable();
        for pair in extents.windows(2) {
            if let [(_, end, first), (start, _, second)] = *pair
                && start < end
            {
                let name = |index: usize| members.get(index).map_or("", |member: &Member| member.name.as_str());
                return Err(wrong(&format!("{:?} and {:?} overlap", name(first), name(second))));
            }
        }
        Ok(Self { region, zip, members })
    }

    /// What is in the archive, in the order of its list. Names may come twice, and may lead out of any folder.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The path of a member, for messages: the archive's path continued.
    pub fn path_of(&self, index: usize) -> PathBuf {
        // Not by `join`, which a name with a `/` at its start would take out of the archive.
        let mut path = self.region.path().as_os_str().to_owned();
        if let Some(member) = self.members.get(index) {
            path.push(MAIN_SEPARATOR_STR);
            path.push(&member.name);
        }
        path.into()
    }

    /// The bytes of a member, at most `limit`. Memory is taken for what comes, never for what is declared.
    ///
    /// # Errors
    /// There is no such member; it is encrypted or packed by another method than deflate; it is longer than it declares or than
    /// the limit, or shorter; its checksum is wrong; or the file cannot be read.
    pub fn read(&self, index: usize, limit: u64) -> Result<Vec<u8>> {
        let path = self.path_of(index);
        let wrong = |reason: String| Error::file(&path, reason);
        let (bytes, claim) = self.unpack(index, limit)?;
        let length = bytes.len() as u64;
        if length > limit {
            return Err(wrong(format!("unpacks to more than {limit} bytes")));
        }
        if length != claim.uncompressed_size {
            let found = if length > claim.uncompressed_size { "more".into() } else { length.to_string() };
            return Err(wrong(format!("is damaged: it declares {} bytes and has {found}", claim.uncompressed_size)));
        }
        let mut checksum = Crc::new();
        checksum.update(&bytes);
        if checksum.sum() != claim.crc {
            return Err(wrong("is damaged: its checksum is not the one that it declares".into()));
        }
        Ok(bytes)
    }

    /// Where a member lies in the file that is stored as it is; `None` where it is packed. [`Archive::check`] says whether it is whole.
    ///
    /// # Errors
    /// There is no such member, it is encrypted or does not lie in the file, or the file cannot be read.
    pub fn stored(&self, index: usize) -> Result<Option<Region>> {
        let (member, entry) = self.entry(index)?;
        let (start, end) = entry.compressed_data_range();
        let region = end.checked_sub(start).and_then(|length| self.region.piece(start, length));
        let wrong = |reason: &str| Error::file(self.path_of(index), reason);
        let region = region.ok_or_else(|| wrong("does not lie inside of the archive"))?;
        if member.method != CompressionMethod::STORE {
            return Ok(None);
        }
        if region.length() != member.size {
            return Err(wrong("is damaged: it is stored in more or fewer bytes than it declares"));
        }
        Ok(Some(region))
    }

    /// Compares a stored member with its checksum, without keeping it in memory.
    ///
    /// # Errors
    /// As [`Archive::stored`], or the checksum is another.
    pub fn check(&self, index: usize) -> Result<()> {
        let Some(region) = self.stored(index)? else { return Ok(()) };
        let (_, entry) = self.entry(index)?;
        let (mut checksum, mut at, mut buffer) = (Crc::new(), 0, vec![0; CHECKED_AT_ONCE]);
        while at < region.length() {
            let length = (region.length() - at).min(CHECKED_AT_ONCE as u64);
            let (piece, _) = buffer.split_at_mut(length as usize);
            region.fill(at, piece)?;
            checksum.update(piece);
            at += length;
        }
        if checksum.sum() != entry.reader().claim_verifier().crc {
            return Err(Error::file(self.path_of(index), "is damaged: its checksum is not the one that it declares"));
        }
        Ok(())
    }

    /// The first `most` bytes of a member, or all of a shorter one: to look at it without unpacking it. Neither its length nor its
    /// checksum is known to be right then.
    ///
    /// # Errors
    /// There is no such member, it cannot be unpacked, or the file cannot be read.
    pub fn start(&self, index: usize, most: u64) -> Result<Vec<u8>> {
        let (mut bytes, _) = self.unpack(index, most)?;
        bytes.truncate(most as usize);
        Ok(bytes)
    }

    /// The bytes of a member, no more than one over the limit or over what it declares, and what it says of itself.
    fn unpack(&self, index: usize, limit: u64) -> Result<(Vec<u8>, ZipVerification)> {
        let path = self.path_of(index);
        let wrong = |reason: String| Error::file(&path, reason);
        let (member, entry) = self.entry(index)?;
        let packed = entry.reader();
        let claim = packed.claim_verifier();
        let most = limit.min(claim.uncompressed_size).saturating_add(1);
        let mut bytes = Vec::new();
        let read = match member.method {
            CompressionMethod::STORE => packed.take(most).read_to_end(&mut bytes),
            CompressionMethod::DEFLATE => DeflateDecoder::new(packed).take(most).read_to_end(&mut bytes),
            other => {
                let name = other.name().unwrap_or("unknown").to_lowercase();
                let reason = format!("is packed by method {} ({name})", other.as_u16());
                return Err(wrong(reason).with_hint("Stored and deflated members are read: pack the archive again."));
            }
        };
        read.map_err(|e| match e.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                wrong(format!("is damaged: {e}"))
            }
            _ => Error::io("read", &path, e),
        })?;
        Ok((bytes, claim))
    }

    /// What the list says of a member, and its place.
    fn entry(&self, index: usize) -> Result<(&Member, ZipEntry<'_, Region>)> {
        let wrong = |reason: String| Error::file(self.path_of(index), reason);
        let member = self.members.get(index).ok_or_else(|| wrong(format!("has no member {index}")))?;
        if member.is_encrypted {
            return Err(wrong("is encrypted".into()));
        }
        let entry = self.zip.get_entry(member.place).map_err(|e| match fault(e) {
            Ok(reason) => wrong(format!("is a broken zip entry: {reason}")),
            Err(e) => Error::io("read", self.path_of(index), e),
        })?;
        Ok((member, entry))
    }
}

/// What is wrong with an archive, in words; or the error of the system that kept it from being read.
fn fault(error: rawzip::Error) -> std::result::Result<&'static str, io::Error> {
    match error.into_kind() {
        ErrorKind::IO(e) if e.kind() != io::ErrorKind::UnexpectedEof => Err(e),
        ErrorKind::MissingEndOfCentralDirectory => Ok("it has no end record"),
        ErrorKind::InvalidEndOfCentralDirectory => Ok("its end record is damaged"),
        ErrorKind::IO(_) | ErrorKind::Eof => Ok("it is truncated"),
        _ => Ok("its headers are damaged"),
    }
}

fn name_of(bytes: &[u8]) -> String {
    let letter = |&byte: &u8| match byte.checked_sub(128) {
        None => char::from(byte),
        Some(at) => CODE_PAGE_437.chars().nth(at.into()).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    // Programs that write UTF-8 do not always say so.
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(letter).collect(), str::to_owned)
}

/// Writes an archive of deflated members into memory. The bytes depend on nothing but names and contents.
pub struct ArchiveWriter {
    path: PathBuf,
    zip: ZipArchiveWriter<Vec<u8>>,
    names: BTreeSet<String>,
}

impl ArchiveWriter {
    /// An archive without members; `path` is only for the messages.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let zip = ZipArchiveWriter::new(Vec::new());
        Self { path: path.as_ref().to_owned(), zip, names: BTreeSet::new() }
    }

    /// Adds a member.
    ///
    /// # Errors
    /// There is one of this name, or the name is not a relative path without `.` and `..`, or too long.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let wrong = |reason: String| Error::file(&self.path, reason);
        // Another name would be written than the one that was asked for.
        if name.is_empty() || name.ends_with('/') || rawzip::path::ZipFilePath::from_str(name).as_str() != name {
            return Err(wrong(format!("cannot hold a member of the name {name:?}")));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(wrong(format!("would hold two members of the name {name:?}")));
        }
        pack(&mut self.zip, name, bytes).map_err(|e| wrong(format!("cannot hold {name:?}: {e}")))
    }

    /// The bytes of the whole archive.
    ///
    /// # Errors
    /// The list of members cannot be written, which does not happen in memory.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.zip.finish().map_err(|e| Error::file(&self.path, e.to_string()))
    }
}

fn pack(zip: &mut ZipArchiveWriter<Vec<u8>>, name: &str, bytes: &[u8]) -> std::result::Result<(), rawzip::Error> {
    let file = zip.new_file(name).compression_method(CompressionMethod::DEFLATE);
    let (mut member, settings) = file.last_modified(UtcDateTime::from_unix(TIME)).start()?;
    let mut packer = settings.wrap(DeflateEncoder::new(&mut member, Compression::default()));
    packer.write_all(bytes)?;
    let (packer, sums) = packer.finish()?;
    packer.finish()?;
    member.finish(sums)?;
    Ok(())
}

#[cfg(test)]
mod tests;
