//! Encoded bytes to pixels: PNG, JPEG, WebP, BMP and the first frame of a GIF, with bounds before every allocation.

#![warn(clippy::indexing_slicing)]

use crate::image::{Image, LabelMap, MAX_BYTES, check_size};
use crate::{jpeg, profile};
use base::sniff::{Kind, Wanted};
use base::{Error, Result};
use image::codecs::bmp::BmpDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Luma};
use std::io::Cursor;
use std::path::Path;

/// What is read here, for messages about files that are something else.
const WANTED: Wanted = Wanted {
    name: "an image that is read here (PNG, JPEG, WebP, BMP, GIF)",
    kind: Kind::IMAGE,
    cure: "Save it as PNG or JPEG.",
};

/// A picture, and what was done to make it one of bytes in one or three channels.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) image: Image,
    /// Whether something shines through, which was laid on black.
    pub(crate) transparent: bool,
    pub(crate) frame: Frame,
}

/// The size of a picture, and how its camera says that it must be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Width and height as they are stored.
    pub(crate) stored: (usize, usize),
    pub(crate) orientation: Orientation,
}

impl Frame {
    /// Width and height as the picture is shown.
    pub(crate) fn shown(self) -> (usize, usize) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        let (width, height) = self.stored;
        let lies = matches!(self.orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
        if lies { (height, width) } else { self.stored }
    }

    /// A label map of the stored pixels, turned as the picture is.
    pub(crate) fn turned(self, map: LabelMap) -> LabelMap {
        let LabelMap { width, height, classes } = map;
        let buffer = ImageBuffer::<Luma<u16>, _>::from_raw(width as u32, height as u32, classes);
        // A map has a class for each of its pixels.
        let mut picture = DynamicImage::ImageLuma16(buffer.unwrap_or_default());
        picture.apply_orientation(self.orientation);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        LabelMap { width, height, classes: picture.into_luma16().into_raw() }
    }
}

/// Decodes an image. 16-bit samples become 8-bit, what is transparent is laid on black, the camera's orientation mark is obeyed.
/// Colour profiles are not applied.
///
/// # Errors
/// The bytes are none of the formats, are truncated or damaged, or declare more than 8192x8192 pixels or 256 MiB, or a colour
/// profile of more than 16 MiB. `path` names the image in the message.
pub fn decode(bytes: &[u8], path: &Path) -> Result<Image> {
    decoded(bytes, path).map(|decoded| decoded.image)
}

/// As [`decode`], with what was done on the way.
pub(crate) fn decoded(bytes: &[u8], path: &Path) -> Result<Decoded> {
    let broken = |reason: String| Error::file(path, reason);
    let (decoder, frame, format) = opened(bytes, path)?;
    if format == ImageFormat::Jpeg && !jpeg::segments(bytes).whole {
        return Err(broken("is a truncated JPEG: its end is missing".into()));
    }
    let mut picture =
        DynamicImage::from_decoder(decoder).map_err(|e| broken(format!("is a broken or truncated image: {e}")))?;
    picture.apply_orientation(frame.orientation);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (grey, alpha) = (!picture.color().has_color(), picture.color().has_alpha());
    let (channels, (pixels, transparent)) = match (grey, alpha) {
        (true, false) => (1, (picture.into_luma8().into_raw(), false)),
        (false, false) => (3, (picture.into_rgb8().into_raw(), false)),
        (true, true) => (1, on_black::<2>(&picture.into_luma_alpha8().into_raw())),
        (false, true) => (3, on_black::<4>(&picture.into_rgba8().into_raw())),
    };
    let image = Image::new(width, height, channels, pixels).map_err(|e| broken(e.to_string()))?;
    Ok(Decoded { image, transparent, frame })
}

/// The size of an image and how it lies, without its pixels.
pub(crate) fn frame(bytes: &[u8], path: &Path) -> Result<Frame> {
    opened(bytes, path).map(|(_, frame, _)| frame)
}

/// Whether an image that can be read is stored in grey, from its header; `None` where it cannot be read.
pub(crate) fn is_grey(bytes: &[u8]) -> Option<bool> {
    match image::guess_format(bytes).ok()? {
        ImageFormat::Png => Some(matches!(*bytes.get(25)?, 0 | 4)),
        ImageFormat::Jpeg => Some(jpeg::segments(bytes).components? == 1),
        ImageFormat::WebP | ImageFormat::Bmp | ImageFormat::Gif => Some(false),
        _ => None,
    }
}

/// A decoder that has read the header of an image within the bounds.
fn opened<'a>(bytes: &'a [u8], path: &Path) -> Result<(impl ImageDecoder + 'a, Frame, ImageFormat)> {
    let broken = |reason: String| Error::file(path, reason);
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| broken(format!("is not an image that can be read: {e}")))?;
    let Some(format) = reader.format() else {
        let otherwise = broken("is not a PNG, JPEG, WebP, BMP or GIF image".into());
        return Err(WANTED.unfit(path, Kind::of_bytes(bytes), otherwise));
    };
    if format == ImageFormat::Png {
        profile::check(bytes).map_err(broken)?;
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| broken(format!("is a broken image: {e}")))?;
    let (width, height) = decoder.dimensions();
    check_size(width as usize, height as usize).map_err(broken)?;
    if decoder.total_bytes() > MAX_BYTES {
        return Err(broken(format!("declares {width}x{height} pixels, which take more than {} MiB", MAX_BYTES >> 20)));
    }
    // A mark that is not understood turns nothing.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((decoder, Frame { stored: (width as usize, height as usize), orientation }, format))
}

/// Pixels of `ALL` numbers, the last of which is alpha, on a black ground, and whether it shines through anywhere.
fn on_black<const ALL: usize>(pixels: &[u8]) -> (Vec<u8>, bool) {
    let over = |v: u8, alpha: u8| ((u32::from(v) * u32::from(alpha) + 127) / 255) as u8;
    let pixels = || pixels.as_chunks::<ALL>().0.iter().filter_map(|pixel| pixel.split_last());
    let laid = pixels().flat_map(|(&alpha, colours)| colours.iter().map(move |&v| over(v, alpha))).collect();
    (laid, pixels().any(|(&alpha, _)| alpha != 255))
}

/// Decodes an index picture: a PNG (grey or palette, 1 to 16 bits) or BMP (palette), sample value = class index.
///
/// # Errors
/// The bytes are not such a picture, are truncated, or declare more than 8192x8192 pixels.
pub fn decode_labels(bytes: &[u8], path: &Path) -> Result<LabelMap> {
    let broken = |reason: String| Error::file(path, reason);
    match image::guess_format(bytes) {
        Ok(ImageFormat::Bmp) => bmp_labels(bytes, path),
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif)) => Err(no_labels(path, format)),
        _ => {
            profile::check(bytes).map_err(broken)?;
            png_labels(bytes, path)
        }
    }
}

/// Why an image of this format is no label map.
pub(crate) fn no_labels(path: &Path, format: ImageFormat) -> Error {
    let reason = match format {
        ImageFormat::Jpeg => "is a JPEG, which changes the values of pixels: they are no class indices",
        ImageFormat::WebP => "is a WebP, whose values are colours: they are no class indices",
        _ => "is of a kind whose values are colours: they are no class indices",
    };
    Error::file(path, reason)
        .with_hint("Write label maps as PNG, grey or palette, whose values are class indices; do not convert these.")
}

fn coloured(path: &Path, kind: &str) -> Error {
    Error::file(
        path,
        format!("is a coloured {kind}; label maps are grey or palette pictures whose values are class indices"),
    )
    .with_hint("Convert the colours to class indices first.")
}

fn bmp_labels(bytes: &[u8], path: &Path) -> Result<LabelMap> {
    let broken = |reason: String| Error::file(path, reason);
    let mut decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|e| broken(format!("is a broken image: {e}")))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height).map_err(broken)?;
    if decoder.get_palette().is_none() {
        return Err(coloured(path, "BMP"));
    }
    decoder.set_indexed_color(true);
    let mut indices = vec![0; width * height];
    if decoder.total_bytes() != indices.len() as u64 {
        return Err(coloured(path, "BMP"));
    }
    decoder.read_image(&mut indices).map_err(|e| broken(format!("is a broken or truncated image: {e}")))?;
    Ok(LabelMap { width, height, classes: indices.into_iter().map(u16::from).collect() })
}

fn png_labels(bytes: &[u8], path: &Path) -> Result<LabelMap> {
    let broken = |reason: String| Error::file(path, reason);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_BYTES as usize });
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|e| broken(format!("is not a PNG label map: {e}")))?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height).map_err(broken)?;
    if !matches!(info.color_type, png::ColorType::Grayscale | png::ColorType::Indexed) {
        return Err(coloured(path, "PNG"));
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
    let byte = |at: usize| row.get(at).copied().unwrap_or(0);
    match bits {
        16 => u16::from_be_bytes([byte(2 * x), byte(2 * x + 1)]),
        8 => u16::from(byte(x)),
        _ => {
            let at = x * bits;
            u16::from(byte(at / 8) >> (8 - bits - at % 8)) & ((1 << bits) - 1)
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
    fn what_is_hidden_under_alpha_does_not_come_out() {
        use png::BitDepth::{Eight, Sixteen};
        use png::ColorType::{GrayscaleAlpha, Rgba};
        let path = Path::new("x.png");
        // A pixel that is there, one that is half there, and one that is not, whatever colour lies under it.
        for hidden in [[0, 0, 0], [255, 255, 255], [9, 200, 30]] {
            let pixels = [&[200, 100, 50, 255, 200, 100, 50, 128][..], &hidden, &[0]].concat();
            let found = decoded(&png_bytes(3, 1, Rgba, Eight, &pixels), path).unwrap();
            assert_eq!(found.image.pixels, [200, 100, 50, 100, 50, 25, 0, 0, 0]);
            assert!(found.transparent);
        }
        let grey = decoded(&png_bytes(2, 1, GrayscaleAlpha, Eight, &[255, 255, 255, 0]), path).unwrap();
        assert_eq!((grey.image.channels, grey.image.pixels, grey.transparent), (1, vec![255, 0], true));
        let deep = png_bytes(2, 1, GrayscaleAlpha, Sixteen, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
        assert_eq!(decoded(&deep, path).unwrap().image.pixels, [255, 0]);
        let opaque = decoded(&png_bytes(1, 1, Rgba, Eight, &[1, 2, 3, 255]), path).unwrap();
        assert_eq!((opaque.image.pixels, opaque.transparent), (vec![1, 2, 3], false));
    }

    #[test]
    fn a_palette_with_a_transparent_colour_lies_on_black() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(vec![255, 0, 0, 0, 255, 0]);
        encoder.set_trns(vec![255, 0]);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0, 1]).unwrap();
        writer.finish().unwrap();
        let found = decoded(&bytes, Path::new("x.png")).unwrap();
        assert_eq!((found.image.pixels, found.transparent), (vec![255, 0, 0, 0, 0, 0], true));
    }

    #[test]
    fn sixteen_bits_become_the_nearest_eight() {
        use png::BitDepth::Sixteen;
        let bytes = png_bytes(4, 1, png::ColorType::Grayscale, Sixteen, &[0, 0, 0, 128, 0, 129, 0xFF, 0xFF]);
        assert_eq!(decode(&bytes, Path::new("x.png")).unwrap().pixels, [0, 0, 1, 255]);
        let bytes = png_bytes(1, 1, png::ColorType::Rgb, Sixteen, &[0x80, 0x80, 0xFF, 0xFF, 0, 0]);
        assert_eq!(decode(&bytes, Path::new("x.png")).unwrap().pixels, [128, 255, 0]);
    }

    #[test]
    fn the_header_says_whether_an_image_is_grey() {
        use png::BitDepth::Eight;
        let grey = crate::Image::new(8, 8, 1, vec![7; 64]).unwrap();
        let colour = grey.clone().into_rgb();
        for (image, expected) in [(&grey, true), (&colour, false)] {
            for bytes in [crate::pictures::png(image).unwrap(), crate::pictures::jpeg(image, 90).unwrap()] {
                assert_eq!(is_grey(&bytes), Some(expected));
                assert_eq!(decode(&bytes, Path::new("x")).unwrap().channels == 1, expected);
            }
        }
        let alpha = png_bytes(1, 1, png::ColorType::GrayscaleAlpha, Eight, &[1, 2]);
        assert_eq!((is_grey(&alpha), is_grey(b"hello")), (Some(true), None));
    }

    fn bmp(colour: image::ExtendedColorType, pixels: &[u8], palette: Option<&[[u8; 3]]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::bmp::BmpEncoder::new(&mut bytes);
        encoder.encode_with_palette(pixels, 3, 2, colour, palette).unwrap();
        bytes
    }

    #[test]
    fn label_maps_are_exact_or_refused() {
        use image::ExtendedColorType::{L8, Rgb8};
        let palette = [[9, 9, 9], [200, 0, 0], [0, 200, 0], [0, 0, 200]];
        let bytes = bmp(L8, &[0, 1, 2, 3, 2, 1], Some(&palette));
        assert_eq!(decode_labels(&bytes, Path::new("x.bmp")).unwrap().classes, [0, 1, 2, 3, 2, 1]);
        let refused = |bytes: &[u8]| decode_labels(bytes, Path::new("x")).unwrap_err().to_string();
        assert!(refused(&bmp(Rgb8, &[7; 18], None)).starts_with("x: is a coloured BMP"));
        for cut in 0..bytes.len() {
            drop(decode_labels(&bytes[..cut], Path::new("x")));
        }
        let grey = crate::Image::new(8, 8, 1, vec![1; 64]).unwrap();
        assert!(refused(&crate::pictures::jpeg(&grey, 90).unwrap()).contains("is a JPEG, which changes the values"));
    }

    #[test]
    fn a_label_map_turns_as_its_photo() {
        let map = LabelMap { width: 3, height: 2, classes: vec![0, 1, 2, 3, 4, 300] };
        let turned = |orientation| Frame { stored: (3, 2), orientation }.turned(map.clone());
        assert_eq!(turned(Orientation::NoTransforms), map);
        let right = turned(Orientation::Rotate90);
        assert_eq!((right.width, right.height, right.classes), (2, 3, vec![3, 0, 4, 1, 300, 2]));
        assert_eq!(turned(Orientation::Rotate180).classes, [300, 4, 3, 2, 1, 0]);
        assert_eq!(Frame { stored: (3, 2), orientation: Orientation::Rotate90 }.shown(), (2, 3));
        assert_eq!(Frame { stored: (3, 2), orientation: Orientation::Rotate180 }.shown(), (3, 2));
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
