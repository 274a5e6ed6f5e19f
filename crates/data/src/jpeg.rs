//! The segments of a JPEG, as far as they say whether it is whole and whether it has colour.
//!
//! Format: ITU-T T.81, annex B.

#![warn(clippy::indexing_slicing)]

/// Markers without a length behind them: restarts and TEM.
fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xD0..=0xD7)
}

/// Frame headers, all kinds of coding. The others of this row are tables, or reserved.
fn begins_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// What is found on the way to the end of a picture, or as far as the bytes reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments {
    /// Components of a pixel, 1 for grey, where a frame header was met.
    pub(crate) components: Option<u8>,
    /// Whether the picture ends with its end marker, after a scan. What lies behind it (a film, a second picture) does not matter.
    pub(crate) whole: bool,
}

/// Goes from segment to segment. The decoder fills what is missing with grey and says nothing, so somebody has to look.
pub(crate) fn segments(bytes: &[u8]) -> Segments {
    let mut found = Segments::default();
    let mut scans = 0;
    let Some(mut rest) = bytes.strip_prefix(&[0xFF, 0xD8]) else { return found };
    loop {
        // Decoders pass over what lies before a marker, so it does no harm here, either; between scans it is coded data.
        let Some((marker, behind)) = next_marker(rest) else { return found };
        rest = behind;
        match marker {
            0xD9 => {
                found.whole = scans > 0;
                return found;
            }
            _ if stands_alone(marker) => {}
            _ => {
                let Some((segment, behind)) = segment(rest) else { return found };
                if begins_frame(marker) {
                    found.components = segment.get(5).copied();
                }
                scans += usize::from(marker == 0xDA);
                rest = behind;
            }
        }
    }
}

/// The next marker, and what lies behind it. In coded data a zero follows every 0xFF that is none.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let pair = bytes.windows(2).position(|pair| matches!(pair, [0xFF, second] if !matches!(second, 0 | 0xFF)))?;
    let behind = bytes.get(pair + 1..)?;
    behind.split_first().map(|(&marker, rest)| (marker, rest))
}

/// What a segment holds behind its length, and what lies behind the segment.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let &[high, low, ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    Some((bytes.get(2..length)?, bytes.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(channels: usize) -> Vec<u8> {
        let pixels = (0..48 * 48 * channels).map(|i| (i * 7 % 251) as u8).collect();
        crate::pictures::jpeg(&crate::Image::new(48, 48, channels, pixels).unwrap(), 90).unwrap()
    }

    #[test]
    fn a_jpeg_ends_where_its_picture_ends() {
        for (channels, components) in [(1, 1), (3, 3)] {
            let whole = jpeg(channels);
            assert_eq!(segments(&whole), Segments { components: Some(components), whole: true });
            for length in 0..whole.len() {
                assert!(!segments(&whole[..length]).whole, "{length}");
            }
            // A film, in which marks of scans occur, and another picture that is cut off.
            let film: Vec<u8> = [&b"MotionPhoto_Data"[..], &[0xFF, 0xDA, 0, 9, 1, 0xFF, 0xC0, 0, 8]].concat();
            assert!(segments(&[&whole[..], &film].concat()).whole);
            assert!(segments(&[&whole[..], &whole[..300]].concat()).whole);
        }
    }

    #[test]
    fn a_picture_in_the_header_does_not_end_the_picture() {
        let (whole, thumbnail) = (jpeg(3), jpeg(1));
        let length = (thumbnail.len() as u16 + 2).to_be_bytes();
        let with = [&[0xFF, 0xD8, 0xFF, 0xE1][..], &length, &thumbnail, &whole[2..]].concat();
        assert_eq!(segments(&with), Segments { components: Some(3), whole: true });
        assert!(!segments(&with[..with.len() - 2]).whole);
    }
}
