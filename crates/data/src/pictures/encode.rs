//! Pictures to the bytes of files.

use crate::image::{Image, LabelMap};
use base::{Error, Result};
use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::{Delay, ExtendedColorType, Frame, RgbImage, buffer::ConvertBuffer};

/// The bytes of a PNG file, grey or RGB as the image is.
///
/// # Errors
/// The image is not what [`Image::new`] admits.
pub fn png(image: &Image) -> Result<Vec<u8>> {
    png_with(image, png::Compression::Balanced, None)
}

/// As [`png()`], with a text (an international one of PNG, so any will do) under a key of 1 to 79 Latin letters.
///
/// # Errors
/// As [`png()`]; or the key is none.
pub fn png_with_text(image: &Image, key: &str, text: &str) -> Result<Vec<u8>> {
    png_with(image, png::Compression::Balanced, Some((key, text)))
}

/// As [`png()`], several times faster and somewhat larger: for pictures by the hundred.
///
/// # Errors
/// As [`png()`].
pub fn quick_png(image: &Image) -> Result<Vec<u8>> {
    png_with(image, png::Compression::Fast, None)
}

fn png_with(image: &Image, compression: png::Compression, text: Option<(&str, &str)>) -> Result<Vec<u8>> {
    let broken = |e: png::EncodingError| Error::setting("picture", e.to_string());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width as u32, image.height as u32);
    encoder.set_color(if image.channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(compression);
    if let Some((key, text)) = text {
        encoder.add_itxt_chunk(key.into(), text.into()).map_err(broken)?;
    }
    let mut writer = encoder.write_header().map_err(broken)?;
    writer.write_image_data(&image.pixels).map_err(broken)?;
    writer.finish().map_err(broken)?;
    Ok(bytes)
}

/// The bytes of a JPEG file, grey or RGB as the image is, with colours in full resolution; `quality` is 1 to 100. For pictures to
/// look at where the size counts: pixels do not come back as they were.
///
/// # Errors
/// The image is not what [`Image::new`] admits.
pub fn jpeg(image: &Image, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let colours = if image.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let wrong = |reason: String| Error::setting("picture", reason);
    if image.pixels.len() != image.width * image.height * image.channels {
        return Err(wrong(format!("has {} samples for {}x{} pixels", image.pixels.len(), image.width, image.height)));
    }
    JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
        .encode(&image.pixels, image.width as u32, image.height as u32, colours)
        .map_err(|e| wrong(e.to_string()))?;
    Ok(bytes)
}

/// The bytes of an index PNG: grey, sample value = class index, as [`crate::decode_labels`] reads it; 8 bits where that
/// suffices, else 16.
///
/// # Errors
/// The map has another number of classes than of pixels.
pub fn labels_png(map: &LabelMap) -> Result<Vec<u8>> {
    let broken = |e: png::EncodingError| Error::setting("picture", e.to_string());
    let narrow = map.classes.iter().all(|&class| class <= 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, map.width as u32, map.height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(if narrow { png::BitDepth::Eight } else { png::BitDepth::Sixteen });
    let mut writer = encoder.write_header().map_err(broken)?;
    let samples: Vec<u8> = if narrow {
        map.classes.iter().map(|&class| class as u8).collect()
    } else {
        map.classes.iter().flat_map(|class| class.to_be_bytes()).collect()
    };
    writer.write_image_data(&samples).map_err(broken)?;
    writer.finish().map_err(broken)?;
    Ok(bytes)
}

/// Refuses frames that make no animation; gives the first one.
fn checked(frames: &[Image]) -> Result<&Image> {
    let broken = |reason: &str| Error::setting("animation", reason);
    let first = frames.first().ok_or_else(|| broken("has no frames"))?;
    if frames.iter().any(|f| (f.width, f.height) != (first.width, first.height)) {
        return Err(broken("has frames of different sizes"));
    }
    Ok(first)
}

/// The bytes of an animated PNG that shows the frames for `delay_ms` milliseconds each (at most 65,535), over and over. Every colour is what it
/// was, which a GIF's 256 are not.
///
/// # Errors
/// There is no frame, or the frames differ in size.
pub fn apng(frames: &[Image], delay_ms: u32) -> Result<Vec<u8>> {
    let broken = |error: png::EncodingError| Error::setting("animation", error.to_string());
    let first = checked(frames)?;
    let count = u32::try_from(frames.len()).map_err(|_| Error::setting("animation", "has too many frames"))?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, first.width as u32, first.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(count, 0).map_err(broken)?;
    encoder.set_frame_delay(u16::try_from(delay_ms).unwrap_or(u16::MAX), 1000).map_err(broken)?;
    let mut writer = encoder.write_header().map_err(broken)?;
    for frame in frames {
        writer.write_image_data(&frame.clone().into_rgb().pixels).map_err(broken)?;
    }
    writer.finish().map_err(broken)?;
    Ok(bytes)
}

/// The bytes of a GIF that shows the frames for `delay_ms` milliseconds each (rounded to 10), over and over.
///
/// # Errors
/// There is no frame, or the frames differ in size.
pub fn gif(frames: &[Image], delay_ms: u32) -> Result<Vec<u8>> {
    let broken = |reason: String| Error::setting("animation", reason);
    checked(frames)?;
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite).map_err(|e| broken(e.to_string()))?;
    for frame in frames {
        let rgb = frame.clone().into_rgb();
        let picture = RgbImage::from_raw(rgb.width as u32, rgb.height as u32, rgb.pixels)
            .ok_or_else(|| broken("has a frame with too few pixels".into()))?;
        let frame = Frame::from_parts(picture.convert(), 0, 0, Delay::from_numer_denom_ms(delay_ms, 1));
        encoder.encode_frame(frame).map_err(|e| broken(e.to_string()))?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{decode, decode_labels};
    use std::path::Path;

    #[test]
    fn a_png_comes_back_as_it_was_and_its_bytes_are_always_the_same() {
        for channels in [1, 3] {
            let image = Image::new(5, 4, channels, (0..20 * channels as u8).collect()).unwrap();
            let bytes = png(&image).unwrap();
            assert_eq!(decode(&bytes, Path::new("x")).unwrap(), image);
            assert_eq!(png(&image).unwrap(), bytes);
        }
    }

    #[test]
    fn every_frame_of_an_animated_png_comes_back_as_it_was() {
        let frames: Vec<Image> =
            (0..3u8).map(|f| Image::new(5, 4, 3, (0..60).map(|i| i * 4 + f).collect()).unwrap()).collect();
        let bytes = apng(&frames, 80).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let control = reader.info().animation_control().copied().unwrap();
        assert_eq!((control.num_frames, control.num_plays), (3, 0));
        for frame in &frames {
            let mut pixels = vec![0; 60];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, frame.pixels);
            let shown = reader.info().frame_control().unwrap();
            assert_eq!((shown.delay_num, shown.delay_den), (80, 1000));
        }
        assert_eq!(apng(&[], 80).unwrap_err().to_string(), "animation: has no frames");
        let sizes = [Image::filled(5, 4, [1; 3]), Image::filled(4, 4, [1; 3])];
        assert_eq!(apng(&sizes, 80).unwrap_err().to_string(), "animation: has frames of different sizes");
    }

    #[test]
    fn a_jpeg_looks_like_what_it_was_made_of() {
        for channels in [1, 3] {
            let pixels = (0..32 * 16 * channels).map(|i| (i / channels % 32 * 7) as u8).collect();
            let image = Image::new(32, 16, channels, pixels).unwrap();
            let back = decode(&jpeg(&image, 90).unwrap(), Path::new("x")).unwrap();
            assert_eq!((back.width, back.height, back.channels), (32, 16, channels));
            let off = back.pixels.iter().zip(&image.pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(off < 16, "{off}");
            assert_eq!(jpeg(&image, 90).unwrap(), jpeg(&image, 90).unwrap());
        }
        assert!(jpeg(&Image { width: 9, height: 9, channels: 3, pixels: vec![0; 5] }, 90).is_err());
    }

    #[test]
    fn an_index_png_comes_back_as_it_was() {
        for most in [3, 300] {
            let map = LabelMap { width: 3, height: 2, classes: vec![0, 1, 2, 3, most, 0] };
            assert_eq!(decode_labels(&labels_png(&map).unwrap(), Path::new("x")).unwrap(), map);
        }
    }

    #[test]
    fn a_gif_shows_its_first_frame_when_read_as_an_image() {
        let (red, blue) = (Image::filled(6, 4, [255, 0, 0]), Image::filled(6, 4, [0, 0, 255]));
        let bytes = gif(&[red.clone(), blue], 100).unwrap();
        assert_eq!(decode(&bytes, Path::new("x")).unwrap(), red);
        assert!(gif(&[], 100).is_err());
        assert!(gif(&[red, Image::filled(4, 4, [0; 3])], 100).is_err());
    }
}
