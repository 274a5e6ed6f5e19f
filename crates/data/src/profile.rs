//! The colour profile of a PNG: it is not applied, but the decoder unpacks it.

#![warn(clippy::indexing_slicing)]

use flate2::read::ZlibDecoder;
use std::io::{self, Read};

/// The longest profile, 16 MiB. Those of printers have some 3 MiB.
const LIMIT: u64 = 16 << 20;
/// Signature of a PNG.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Says what is wrong with a PNG whose profile unpacks to more than the limit. It is counted, not kept.
pub(crate) fn check(png: &[u8]) -> Result<(), String> {
    let mut rest = png.strip_prefix(SIGNATURE).unwrap_or_default();
    while let Some((kind, body, behind)) = chunk(rest) {
        if kind == b"IDAT" {
            break;
        }
        if kind == b"iCCP" && unpacked(body) > LIMIT {
            return Err(format!("holds a colour profile of more than {} MiB", LIMIT >> 20));
        }
        rest = behind;
    }
    Ok(())
}

/// A chunk's kind, what it holds (as far as it is there), and what lies behind it.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_at_checked(4)?;
    let length = (u32::from_be_bytes(length) as usize).min(rest.len());
    let (body, behind) = rest.split_at_checked(length)?;
    Some((kind, body, behind.get(4..).unwrap_or_default()))
}

/// Bytes that a profile unpacks to, no more than one over the limit. It has a name and a method before it.
fn unpacked(body: &[u8]) -> u64 {
    let name = body.iter().position(|&byte| byte == 0).unwrap_or(body.len());
    let packed = body.get(name + 2..).unwrap_or_default();
    let mut counted = Counted(0);
    // Where it is damaged it ends, here as in the decoder.
    drop(io::copy(&mut ZlibDecoder::new(packed).take(LIMIT + 1), &mut counted));
    counted.0
}

/// A place that keeps the number of bytes alone.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Image, decode, decode_labels, pictures};
    use flate2::{Compression, Crc, write::ZlibEncoder};
    use std::io::Write;
    use std::path::Path;

    /// A PNG with a profile of so many MiB of zeros.
    fn with_profile(mib: usize) -> Vec<u8> {
        let png = pictures::png(&Image::new(4, 4, 1, vec![3; 16]).unwrap()).unwrap();
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..mib {
            packer.write_all(&vec![0; 1 << 20]).unwrap();
        }
        let body = [b"iCCPscreen\0\0".to_vec(), packer.finish().unwrap()].concat();
        let mut crc = Crc::new();
        crc.update(&body);
        let chunk = [&(body.len() as u32 - 4).to_be_bytes()[..], &body, &crc.sum().to_be_bytes()].concat();
        // Behind the signature and the header.
        [&png[..33], &chunk, &png[33..]].concat()
    }

    #[test]
    fn a_profile_that_unpacks_to_much_is_refused_and_others_do_no_harm() {
        let bomb = with_profile(572);
        assert!(bomb.len() < 700_000, "{}", bomb.len());
        let started = std::time::Instant::now();
        let message = decode(&bomb, Path::new("x.png")).unwrap_err().to_string();
        assert_eq!(message, "x.png: holds a colour profile of more than 16 MiB");
        assert_eq!(decode_labels(&bomb, Path::new("x.png")).unwrap_err().to_string(), message);
        assert!(started.elapsed().as_secs() < 1);
        let small = with_profile(1);
        assert_eq!(decode(&small, Path::new("x.png")).unwrap().pixels, [3; 16]);
        assert_eq!(decode_labels(&small, Path::new("x.png")).unwrap().classes, [3; 16]);
    }
}
