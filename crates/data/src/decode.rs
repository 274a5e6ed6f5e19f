//! Encoded bytes to pixels: PNG, JPEG, WebP, BMP and the first frame of a GIF, with bounds before every allocation.

use crate::image::{Image, LabelMap, MAX_BYTES, check_size};
use base::sniff::{Kind, Wanted};
use base::{Error, Result};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// What is read here, for messages about files that are something else.
const WANTED: Wanted = Wanted {
    name: "an image that is read here (PNG, JPEG, WebP, BMP, GIF)",
    kind: Kind::IMAGE,
    cure: "Save it as PNG or JPEG.",
};

/// Decodes an image. 16-bit samples become 8-bit, transparency is dropped (as PIL's `convert("RGB")` does), the
/// camera's orientation mark is obeyed.
///
/// # Errors
/// The bytes are none of the formats, are truncated or damaged, or declare more than 8192x8192 pixels or 256 MiB.
/// `path` names the image in the message.
pub fn decode(bytes: &[u8], path: &Path) -> Result<Image> {
    let broken = |reason: String| Error::file(path, reason);
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| broken(format!("is not an image that can be read: {e}")))?;
    let Some(format) = reader.format() else {
        let otherwise = broken("is not a PNG, JPEG, WebP, BMP or GIF image".into());
        return Err(WANTED.unfit(path, Kind::of_bytes(bytes), otherwise));
    };
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| broken(format!("is a broken image: {e}")))?;
    let (width, height) = decoder.dimensions();
    check_size(width as usize, height as usize).map_err(broken)?;
    if decoder.total_bytes() > MAX_BYTES {
        return Err(broken(format!("declares {width}x{height} pixels, which take more than {} MiB", MAX_BYTES >> 20)));
    }
    if format == ImageFormat::Jpeg && is_truncated_jpeg(bytes) {
        return Err(broken("is a truncated JPEG: its end is missing".into()));
    }
    let orientation = decoder.orientation().ok();
    let mut picture =
        DynamicImage::from_decoder(decoder).map_err(|e| broken(format!("is a broken or truncated image: {e}")))?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let grey = !picture.color().has_color();
    let (channels, pixels) =
        if grey { (1, picture.into_luma8().into_raw()) } else { (3, picture.into_rgb8().into_raw()) };
    Image::new(width, height, channels, pixels).map_err(|e| broken(e.to_string()))
}

/// The JPEG decoder fills what is missing with grey and says nothing. The end marker must follow the last scan;
/// inside a scan neither marker can occur, because the coder puts a zero behind every 0xFF.
fn is_truncated_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|w| w == marker);
    match (last([0xFF, 0xDA]), last([0xFF, 0xD9])) {
        (Some(scan), Some(end)) => end < scan,
        _ => true,
    }
}

/// Decodes an index PNG: grey or palette, 1 to 16 bits, sample value = class index.
///
/// # Errors
/// The bytes are not such a PNG, are truncated, or declare more than 8192x8192 pixels.
pub fn decode_labels(bytes: &[u8], path: &Path) -> Result<LabelMap> {
    let broken = |reason: String| Error::file(path, reason);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_BYTES as usize });
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|e| broken(format!("is not a PNG label map: {e}")))?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height).map_err(broken)?;
    if !matches!(info.color_type, png::ColorType::Grayscale | png::ColorType::Indexed) {
        return Err(broken(
            "is a coloured PNG; label maps are grey or palette PNGs whose values are class indices".into(),
        )
        .with_hint("Convert the colours to class indices first."));
    }
    let bits = info.bit_depth as usize;
    let size = reader.output_buffer_size().unwrap_or(usize::MAX);
    if size as u64 > MAX_BYTES {
        return Err(broken(format!("declares {width}x{height} pixels, which take more than {} MiB", MAX_BYTES >> 20)));
    }
    let mut raw = vec![0; size];
    reader.next_frame(&mut raw).map_err(|e| broken(format!("is a broken or truncated PNG: {e}")))?;
    let line = (width * bits).div_ceil(8);
    let classes = raw.chunks_exact(line).take(height).flat_map(|row| (0..width).map(move |x| sample(row, x, bits)));
    Ok(LabelMap { width, height, classes: classes.collect() })
}

/// Sample `x` of a packed row of 1, 2, 4, 8 or 16 bits a sample, most significant bits first.
fn sample(row: &[u8], x: usize, bits: usize) -> u16 {
    match bits {
        16 => u16::from_be_bytes([row[2 * x], row[2 * x + 1]]),
        8 => u16::from(row[x]),
        _ => {
            let at = x * bits;
            u16::from(row[at / 8] >> (8 - bits - at % 8)) & ((1 << bits) - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_bytes(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == png::ColorType::Indexed {
            encoder.set_palette((0..48).collect::<Vec<u8>>());
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn a_palette_png_gives_indices_not_colours() {
        let bytes = png_bytes(3, 2, png::ColorType::Indexed, png::BitDepth::Four, &[0x12, 0x30, 0xAB, 0xC0]);
        assert_eq!(decode_labels(&bytes, Path::new("x.png")).unwrap().classes, [1, 2, 3, 10, 11, 12]);
        let bytes = png_bytes(2, 1, png::ColorType::Grayscale, png::BitDepth::Sixteen, &[1, 0, 0, 7]);
        assert_eq!(decode_labels(&bytes, Path::new("x.png")).unwrap().classes, [256, 7]);
    }

    #[test]
    fn every_truncation_of_a_png_and_a_jpeg_is_an_error() {
        let pixels: Vec<u8> = (0..48 * 48 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let png = png_bytes(48, 48, png::ColorType::Rgb, png::BitDepth::Eight, &pixels);
        let mut jpeg = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
            .encode(&pixels, 48, 48, image::ColorType::Rgb8.into())
            .unwrap();
        for whole in [&png, &jpeg] {
            assert!(decode(whole, Path::new("x")).is_ok());
        }
        // The last 12 bytes of a PNG are its end mark, after all of the pixels.
        for (whole, needed) in [(&png, png.len() - 16), (&jpeg, jpeg.len())] {
            for length in (0..needed).step_by(13).chain([needed - 1]) {
                let message = decode(&whole[..length], Path::new("x")).unwrap_err().to_string();
                assert!(message.starts_with("x: "), "{length}: {message}");
            }
        }
    }

    #[test]
    fn a_png_bomb_is_refused_with_its_declared_size() {
        let mut bytes = png_bytes(1, 1, png::ColorType::Rgb, png::BitDepth::Eight, &[0; 3]);
        bytes[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        let crc = crc_of(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let message = decode(&bytes, Path::new("bomb.png")).unwrap_err().to_string();
        assert_eq!(message, "bomb.png: declares 60000x60000 pixels; at most 8192x8192 are read");
    }

    /// CRC-32 as PNG has it.
    fn crc_of(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }
}
