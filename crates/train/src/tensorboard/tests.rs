use super::*;
use proptest::prelude::*;

/// The payloads of the records, up to a clean end.
fn payloads(mut bytes: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    let mut payloads = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_at_checked(8).ok_or("torn length")?;
        let (crc, rest) = rest.split_at_checked(4).ok_or("torn length checksum")?;
        if masked_crc(length).to_le_bytes() != crc {
            return Err("wrong length checksum");
        }
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        let (payload, rest) = rest.split_at_checked(length).ok_or("torn payload")?;
        let (crc, rest) = rest.split_at_checked(4).ok_or("torn payload checksum")?;
        if masked_crc(payload).to_le_bytes() != crc {
            return Err("wrong payload checksum");
        }
        payloads.push(payload);
        bytes = rest;
    }
    Ok(payloads)
}

fn png(width: u32, height: u32, colour_type: u8) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(height.to_be_bytes());
    png.extend([8, colour_type, 0, 0, 0]);
    png
}

#[test]
fn checksums_are_castagnoli_s() {
    // The check value of CRC-32C, and RFC 3720 B.4's 32 bytes of zeros.
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
}

#[test]
fn a_scalar_has_these_bytes_for_ever() {
    let event = scalar_event(1_700_000_000.5, 300, "loss/d", 0.25);
    #[rustfmt::skip]
    let expected = [
        0x09, 0x00, 0x00, 0x20, 0x40, 0xfc, 0x54, 0xd9, 0x41, // 1: wall time, double
        0x10, 0xac, 0x02, // 2: step 300, varint
        0x2a, 0x0f, // 5: summary, 15 bytes
        0x0a, 0x0d, // 1: value, 13 bytes
        0x0a, 0x06, b'l', b'o', b's', b's', b'/', b'd', // 1: tag
        0x15, 0x00, 0x00, 0x80, 0x3e, // 2: 0.25, float
    ];
    assert_eq!(event, expected);
    // The masked checksums that TensorBoard 2.21.0's own masked_crc32c gives for the length and the payload.
    let (length, payload) = (0x23df_2f60_u32.to_le_bytes(), 0x62be_759f_u32.to_le_bytes());
    assert_eq!(record(&event), [&29_u64.to_le_bytes()[..], &length, &expected, &payload].concat());
}

#[test]
fn a_file_starts_with_its_version_and_a_resumed_one_with_the_purge() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path().join("tb"), Some(41)).unwrap();
    writer.scalar(42, "fid", 12.5).unwrap();
    writer.png(42, "samples", &png(3, 2, 2)).unwrap();
    assert!(writer.png(42, "samples", b"JFIF").unwrap_err().to_string().contains("not a PNG"));
    let second = Writer::create(folder.path().join("tb"), None).unwrap();
    assert_ne!(writer.path(), second.path());
    let name = writer.path().file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("events.out.tfevents.") && name.split('.').count() == 7, "{name}");
    let bytes = std::fs::read(writer.path()).unwrap();
    let events = payloads(&bytes).unwrap();
    // Without key and value of the wall time, the first 9 bytes.
    assert_eq!(&events[0][9..], b"\x1a\x0dbrain.Event:2");
    assert_eq!(&events[1][9..], [0x10, 42, 0x3a, 2, 0x08, 1]);
    assert_eq!(events[2][9..], scalar_event(0.0, 42, "fid", 12.5)[9..]);
    assert_eq!(events[3][9..], image_event(0.0, 42, "samples", &png(3, 2, 2)).unwrap()[9..]);
    assert_eq!(events.len(), 4);
}

#[test]
fn an_image_carries_its_height_width_and_channels() {
    for (colour_type, channels) in [(0, 1), (2, 3), (3, 3), (4, 2), (6, 4)] {
        let event = image_event(0.0, 0, "t", &png(300, 2, colour_type)).unwrap();
        let header = [0x08, 2, 0x10, 0xac, 0x02, 0x18, channels, 0x22, 29];
        assert!(event.windows(header.len()).any(|w| w == header), "{event:x?}");
    }
    assert!(image_event(0.0, 0, "t", &png(1, 1, 2)[..25]).is_none());
}

#[test]
fn each_truncation_is_a_clean_end_or_an_error() {
    let records = [record(&file_version_event(1.0)), record(&scalar_event(2.0, 3, "a", 4.0)), record(b"")];
    let ends: Vec<usize> = (0..=3).map(|n| records[..n].concat().len()).collect();
    let bytes = records.concat();
    for length in 0..=bytes.len() {
        let read = payloads(&bytes[..length]);
        match ends.iter().position(|&end| end == length) {
            Some(count) => assert_eq!(read.unwrap().len(), count),
            None => assert!(read.unwrap_err().starts_with("torn"), "{length}"),
        }
    }
}

proptest! {
    #[test]
    fn a_changed_byte_is_seen(at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = record(&scalar_event(2.0, 3, "a", 4.0));
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(payloads(&bytes).is_err());
    }
}
