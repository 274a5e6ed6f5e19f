//! `TensorBoard` event files: scalars and PNG images, encoded by hand.
//!
//! A file is a row of records: length (u64, little-endian), masked CRC-32C of those 8 bytes, payload, masked CRC-32C of
//! the payload. A payload is the protobuf message `Event` (tensorflow/core/util/event.proto, with summary.proto).

use base::{Error, Result, files};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes one event file. Each record is handed to the system whole, so `TensorBoard` can follow and a killed process
/// loses nothing.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Writer {
    /// Starts a new event file in `folder`, which is created if need be.
    ///
    /// With `resumed_after`, `TensorBoard` is told to forget the steps after that one that earlier files of the folder
    /// hold: they belong to the part of the run that is now made again.
    ///
    /// # Errors
    /// The folder or file cannot be written.
    pub fn create(folder: impl AsRef<Path>, resumed_after: Option<u64>) -> Result<Self> {
        let folder = folder.as_ref();
        files::create_folder(folder)?;
        let time = now();
        let prefix = format!("events.out.tfevents.{:010}.{}.{}", time as u64, host_name(), std::process::id());
        // The last part tells files apart that one process starts within one second.
        let mut uid = 0;
        let (path, file) = loop {
            let path = folder.join(format!("{prefix}.{uid}"));
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => uid += 1,
                Err(e) => return Err(Error::io("create", path, e)),
            }
        };
        let mut writer = Self { path, file };
        writer.write(&file_version_event(time))?;
        if let Some(step) = resumed_after {
            writer.write(&session_start_event(time, step + 1))?;
        }
        Ok(writer)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one value. `tag` names the curve; a `/` in it groups curves.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn scalar(&mut self, step: u64, tag: &str, value: f64) -> Result<()> {
        self.write(&scalar_event(now(), step, tag, value as f32))
    }

    /// Writes one picture, given as the bytes of a PNG file.
    ///
    /// # Errors
    /// The bytes do not start as those of a PNG; the file cannot be written.
    pub fn png(&mut self, step: u64, tag: &str, png: &[u8]) -> Result<()> {
        let event = image_event(now(), step, tag, png)
            .ok_or_else(|| Error::file(&self.path, format!("cannot take the image {tag:?}: it is not a PNG")))?;
        self.write(&event)
    }

    fn write(&mut self, event: &[u8]) -> Result<()> {
        self.file.write_all(&record(event)).map_err(|e| Error::io("write", &self.path, e))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The name of this machine as far as it is easily known, for the file name only.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok())
        .unwrap_or_default();
    let plain: String = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
    if plain.is_empty() { "localhost".into() } else { plain }
}

// Events. The numbers are the field numbers of event.proto and summary.proto.

fn file_version_event(time: f64) -> Vec<u8> {
    Message::event(time, 0).bytes(3, b"brain.Event:2").0
}

/// `SessionLog { status: START }`: `TensorBoard` then drops older events from `step` on.
fn session_start_event(time: f64, step: u64) -> Vec<u8> {
    Message::event(time, step).bytes(7, &Message::default().varint(1, 1).0).0
}

fn scalar_event(time: f64, step: u64, tag: &str, value: f32) -> Vec<u8> {
    let value = Message::default().bytes(1, tag.as_bytes()).fixed32(2, value.to_le_bytes());
    Message::event(time, step).bytes(5, &Message::default().bytes(1, &value.0).0).0
}

/// `None` if `png` does not begin with a PNG's magic and header.
fn image_event(time: f64, step: u64, tag: &str, png: &[u8]) -> Option<Vec<u8>> {
    let header = png.get(..26).filter(|h| h.starts_with(b"\x89PNG\r\n\x1a\n") && &h[12..16] == b"IHDR")?;
    let side = |at: usize| u64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
    // Summary's colour space is the number of channels; PNG's colour type says it.
    let channels = match header[25] {
        0 => 1,
        4 => 2,
        6 => 4,
        _ => 3,
    };
    let image = Message::default().varint(1, side(20)).varint(2, side(16)).varint(3, channels).bytes(4, png);
    let value = Message::default().bytes(1, tag.as_bytes()).bytes(4, &image.0);
    Some(Message::event(time, step).bytes(5, &Message::default().bytes(1, &value.0).0).0)
}

/// A protobuf message under construction (<https://protobuf.dev/programming-guides/encoding>).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// An `Event` with its time in seconds and its step, which is left out where it is 0, the default.
    fn event(time: f64, step: u64) -> Self {
        let mut event = Self::default();
        event.key(1, 1);
        event.0.extend(time.to_le_bytes());
        if step == 0 { event } else { event.varint(2, step) }
    }

    fn varint(mut self, field: u64, value: u64) -> Self {
        self.key(field, 0);
        self.number(value);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.key(field, 2);
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn fixed32(mut self, field: u64, value: [u8; 4]) -> Self {
        self.key(field, 5);
        self.0.extend(value);
        self
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.number(field << 3 | wire_type);
    }

    /// Seven bits a byte, lowest first, the high bit set where more follow.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

fn record(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    [&length, &masked_crc(&length).to_le_bytes()[..], payload, &masked_crc(payload).to_le_bytes()].concat()
}

/// Masked, as `TFRecord` has it, so that a checksum of data that holds checksums is no weaker.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, RFC 3720 B.4), reflected, a table for each byte.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut crc = index as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
                bit += 1;
            }
            table[index] = crc;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[((crc ^ u32::from(byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests;
