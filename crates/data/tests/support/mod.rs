//! Files and folders for the tests of this room.

// Each test binary uses some of it.
#![allow(dead_code)]

use flate2::Compression;
use flate2::write::DeflateEncoder;
use ganatomy_data::{Dataset, Image, Options, open, pictures};
use rawzip::{CompressionMethod, ZipArchiveWriter, path::EntryPath};
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::{TempDir, tempdir};

pub(crate) fn png(width: usize, height: usize, v: u8) -> Vec<u8> {
    pictures::png(&Image::filled(width, height, [v, 0, 255 - v])).unwrap()
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// A zip with these entries, stored and deflated by turns, their names as they are.
pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (k, (name, bytes)) in files.iter().enumerate() {
        let methods = [CompressionMethod::STORE, CompressionMethod::DEFLATE];
        let file = archive.new_file(EntryPath::verbatim(name.as_bytes())).compression_method(methods[k % 2]);
        let (mut entry, settings) = file.start().unwrap();
        let sums = if k % 2 == 0 {
            let mut writer = settings.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().1
        } else {
            let mut writer = settings.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
            writer.write_all(bytes).unwrap();
            let (encoder, sums) = writer.finish().unwrap();
            encoder.finish().unwrap();
            sums
        };
        entry.finish(sums).unwrap();
    }
    archive.finish().unwrap()
}

pub(crate) fn try_open(path: &Path) -> base::Result<Dataset> {
    open(path.to_str().unwrap(), &Options::default())
}

/// The message and the hint that opening gives.
pub(crate) fn refusal(path: &Path) -> (String, String) {
    let error = try_open(path).err().unwrap();
    (error.to_string(), error.hint().unwrap_or_default())
}

/// A colourful JPEG whose camera says how it must be turned (1 to 8, as EXIF has it).
pub(crate) fn photo(width: usize, height: usize, orientation: u8) -> Vec<u8> {
    let pixels = (0..width * height).flat_map(|i| [(i % width * 5) as u8, (i / width * 5) as u8, 90]).collect();
    let jpeg = pictures::jpeg(&Image::new(width, height, 3, pixels).unwrap(), 95).unwrap();
    let tiff = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[orientation, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    let exif = [b"Exif\0\0", &tiff[..]].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

/// A grey PNG of these values.
pub(crate) fn grey(width: usize, values: &[u8]) -> Vec<u8> {
    pictures::png(&Image::new(width, values.len() / width, 1, values.to_vec()).unwrap()).unwrap()
}

/// What a set says of itself.
pub(crate) fn said(set: &Dataset) -> Vec<String> {
    set.notices().iter().map(ToString::to_string).collect()
}
