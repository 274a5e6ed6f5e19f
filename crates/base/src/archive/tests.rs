use super::*;
use proptest::prelude::*;

/// `zipfile.ZipFile` of Python 3.11 with `hello hello hello` in it, stored.
const STORED: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0;|\x8a\xdf\x12\0\0\0\x12\0\0\0\x07\0\0\0a/b.txthello hello hello\n\
    PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0;|\x8a\xdf\x12\0\0\0\x12\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0\0a/b.txt\
    PK\x05\x06\0\0\0\0\x01\0\x01\x005\0\0\x007\0\0\0\0\0";
/// The same, deflated.
const DEFLATED: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0\0\0!\0;|\x8a\xdf\x0b\0\0\0\x12\0\0\0\x07\0\0\0a/b.txt\
    \xcbH\xcd\xc9\xc9W\xc8@\x90\\\0\
    PK\x01\x02\x14\x03\x14\0\0\0\x08\0\0\0!\0;|\x8a\xdf\x0b\0\0\0\x12\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0\0a/b.txt\
    PK\x05\x06\0\0\0\0\x01\0\x01\x005\0\0\x000\0\0\0\0\0";
/// The same in the form for large files, which Python was made to believe that it needs.
const ZIP64: &[u8] = b"PK\x03\x04-\0\0\0\x08\0\0\0!\0;|\x8a\xdf\xff\xff\xff\xff\xff\xff\xff\xff\x07\0\x14\0a/b.txt\
    \x01\0\x10\0\x12\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\xcbH\xcd\xc9\xc9W\xc8@\x90\\\0\
    PK\x01\x02-\x03-\0\0\0\x08\0\0\0!\0;|\x8a\xdf\xff\xff\xff\xff\xff\xff\xff\xff\x07\0\x14\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0\0a/b.txt\
    \x01\0\x10\0\x12\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\
    PK\x06\x06,\0\0\0\0\0\0\0-\0-\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0I\0\0\0\0\0\0\0D\0\0\0\0\0\0\0\
    PK\x06\x07\0\0\0\0\x8d\0\0\0\0\0\0\0\x01\0\0\0PK\x05\x06\0\0\0\0\x01\0\x01\0I\0\0\0D\0\0\0\0\0";

const HELLO: &[u8] = b"hello hello hello\n";

/// A member as its headers are to describe it, true or not.
#[derive(Clone)]
struct Raw {
    name: Vec<u8>,
    packed: Vec<u8>,
    size: u32,
    checksum: u32,
    method: u16,
    flags: u16,
    /// Where its header is said to be, if not where it is.
    offset: Option<u32>,
}

impl Raw {
    fn stored(name: &str, bytes: &[u8]) -> Self {
        let size = bytes.len() as u32;
        let checksum = rawzip::crc32(bytes);
        let (name, packed) = (name.as_bytes().to_vec(), bytes.to_vec());
        Self { name, packed, size, checksum, method: 0, flags: 0, offset: None }
    }

    fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
        packer.write_all(bytes).unwrap();
        Self { packed: packer.finish().unwrap(), method: 8, ..Self::stored(name, bytes) }
    }

    /// What the header of the member and its entry in the list have in common.
    fn header(&self) -> Vec<u8> {
        let short = |v: u16| v.to_le_bytes();
        let long = |v: u32| v.to_le_bytes();
        let mut bytes = [short(20), short(self.flags), short(self.method), short(0), short(33)].concat();
        bytes.extend([long(self.checksum), long(self.packed.len() as u32), long(self.size)].concat());
        bytes.extend([short(self.name.len() as u16), short(0)].concat());
        bytes
    }
}

fn zip(members: &[Raw]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut list = Vec::new();
    for member in members {
        let offset = member.offset.unwrap_or(bytes.len() as u32);
        list.extend([b"PK\x01\x02\x14\x03", &*member.header(), &[0; 10], &offset.to_le_bytes(), &member.name].concat());
        bytes.extend([b"PK\x03\x04", &*member.header(), &member.name, &member.packed].concat());
    }
    let [count, size, start] = [members.len(), list.len(), bytes.len()].map(|n| n as u32);
    bytes.extend(list);
    let count = (count as u16).to_le_bytes();
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size.to_le_bytes(), &start.to_le_bytes(), &[0; 2]].concat(),
    );
    bytes
}

fn open(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Archive> {
    Archive::from_bytes(bytes, "x.zip", "is a broken zip archive")
}

/// What opening an archive, or else reading its first member, says.
fn refusal(bytes: Vec<u8>) -> String {
    open(bytes).and_then(|archive| archive.read(0, 1000)).unwrap_err().to_string()
}

#[test]
fn what_python_writes_is_read() {
    for (kind, bytes) in [("stored", STORED), ("deflated", DEFLATED), ("zip64", ZIP64)] {
        let archive = open(bytes).unwrap();
        let [member] = archive.members() else { panic!("{kind}") };
        assert_eq!((member.name.as_str(), member.size), ("a/b.txt", 18), "{kind}");
        assert!(!member.is_dir && !member.is_link && !member.is_encrypted, "{kind}");
        assert_eq!(archive.read(0, 18).unwrap(), HELLO, "{kind}");
        let message = archive.read(0, 17).unwrap_err().to_string();
        assert!(message.ends_with("b.txt: unpacks to more than 17 bytes"), "{message}");
        assert!(archive.read(1, 18).is_err(), "{kind}");
    }
}

#[test]
fn a_written_archive_is_read_from_its_file_by_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let contents: Vec<(String, Vec<u8>)> =
        (0..50).map(|i| (format!("folder/{i}.bin"), vec![i as u8; i * 1000])).collect();
    let write = || {
        let mut writer = ArchiveWriter::new(&path);
        contents.iter().for_each(|(name, bytes)| writer.add(name, bytes).unwrap());
        writer.finish().unwrap()
    };
    let bytes = write();
    assert_eq!(write(), bytes, "the bytes are a function of the contents");
    std::fs::write(&path, bytes).unwrap();
    let archive = Archive::open(&path, "is broken").unwrap();
    let names: Vec<&str> = archive.members().iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, contents.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (archive, contents) = (&archive, &contents);
            scope.spawn(move || {
                for i in (first..50).step_by(4) {
                    assert_eq!(archive.read(i, 1 << 20).unwrap(), contents[i].1);
                }
            });
        }
    });
}

#[test]
fn a_size_that_lies_is_found_out() {
    for raw in [Raw::stored("a", HELLO), Raw::deflated("a", HELLO)] {
        for (size, found) in [(17, "more"), (0, "more"), (19, "18"), (u32::MAX - 1, "18")] {
            let message = refusal(zip(&[Raw { size, ..raw.clone() }]));
            assert!(message.ends_with(&format!("is damaged: it declares {size} bytes and has {found}")), "{message}");
        }
    }
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bomb = Raw::deflated("a", &vec![0; 1 << 24]);
    assert!(bomb.packed.len() < 20_000);
    assert!(refusal(zip(&[bomb])).ends_with("a: unpacks to more than 1000 bytes"));
}

#[test]
fn a_wrong_checksum_is_found_out() {
    for raw in [Raw::stored("a", HELLO), Raw::deflated("a", HELLO), Raw::stored("a", b"")] {
        let message = refusal(zip(&[Raw { checksum: raw.checksum ^ 1, ..raw.clone() }]));
        assert!(message.ends_with("a: is damaged: its checksum is not the one that it declares"), "{message}");
    }
}

#[test]
fn another_method_is_named_with_the_member() {
    for (method, expected) in [(12, "12 (bzip2)"), (14, "14 (lzma)"), (93, "93 (zstd)"), (777, "777 (unknown)")] {
        let error = open(zip(&[Raw { method, ..Raw::stored("a.png", HELLO) }])).unwrap().read(0, 1000).unwrap_err();
        assert!(error.to_string().ends_with(&format!("a.png: is packed by method {expected}")), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn an_encrypted_member_is_listed_and_not_read() {
    let archive = open(zip(&[Raw { flags: 1, ..Raw::stored("a", HELLO) }, Raw::stored("b", HELLO)])).unwrap();
    assert!(archive.members()[0].is_encrypted);
    assert!(archive.read(0, 1000).unwrap_err().to_string().ends_with("a: is encrypted"));
    assert_eq!(archive.read(1, 1000).unwrap(), HELLO);
}

#[test]
fn a_stream_that_breaks_off_or_is_none_is_an_error() {
    let whole = Raw::deflated("a", HELLO);
    for length in 0..whole.packed.len() {
        let message = refusal(zip(&[Raw { packed: whole.packed[..length].to_vec(), ..whole.clone() }]));
        assert!(message.contains("is damaged"), "{length}: {message}");
    }
    let message = refusal(zip(&[Raw { packed: vec![0xFF; 20], ..whole }]));
    assert!(message.contains("a: is damaged: "), "{message}");
}

#[test]
fn each_truncation_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zip");
    for bytes in [STORED, DEFLATED, ZIP64] {
        for length in 0..bytes.len() {
            let message = open(&bytes[..length]).err().unwrap().to_string();
            assert!(message.starts_with("x.zip: is a broken zip archive: "), "{length}: {message}");
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(Archive::open(&path, "is broken").is_err(), "{length}");
        }
    }
    assert!(open(b"hello".as_slice()).err().unwrap().to_string().ends_with("archive: it has no end record"));
    assert!(open(zip(&[])).unwrap().members().is_empty());
}

#[test]
fn members_that_overlap_or_lie_outside_are_refused() {
    let (a, b) = (Raw::deflated("a", HELLO), Raw::deflated("b", HELLO));
    let twice = zip(&[a.clone(), Raw { offset: Some(0), ..b.clone() }]);
    assert!(refusal(twice).ends_with("archive: \"a\" and \"b\" overlap"));
    let inside = zip(&[a.clone(), Raw { offset: Some(20), ..b.clone() }]);
    assert!(refusal(inside).ends_with("\"a\" and \"b\" overlap"));
    for offset in [1000, u32::MAX - 1] {
        let outside = zip(&[a.clone(), Raw { offset: Some(offset), ..b.clone() }]);
        assert!(refusal(outside).ends_with("\"b\" does not lie inside of it"));
    }
    // Where no member begins.
    assert!(
        refusal(zip(&[Raw { offset: Some(1), ..a }, b])).ends_with("a: is a broken zip entry: its headers are damaged")
    );
}

#[test]
fn a_list_that_is_not_as_long_as_it_should_be_is_refused() {
    let mut bytes = zip(&[Raw::stored("a", HELLO), Raw::stored("b", HELLO)]);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[3, 0, 3, 0]);
    assert!(refusal(bytes).ends_with("declares 3 members but lists 2"));
}

#[test]
fn names_that_are_not_utf8_are_of_code_page_437() {
    let named = |name: &[u8]| Raw { name: name.to_vec(), ..Raw::stored("", HELLO) };
    let archive = open(zip(&[named(b"caf\x82/\xff.png"), named("café".as_bytes()), named(b"folder/")])).unwrap();
    let names: Vec<&str> = archive.members().iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["café/\u{a0}.png", "café", "folder/"]);
    assert_eq!(archive.members().iter().map(|m| m.is_dir).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(CODE_PAGE_437.chars().count(), 128);
    assert_eq!(open(zip(&[named(b"/etc/passwd")])).unwrap().path_of(0), Path::new("x.zip").join("").join("etc/passwd"));
}

#[test]
fn names_that_cannot_be_written_are_refused() {
    let mut writer = ArchiveWriter::new("x.zip");
    writer.add("a/b", b"").unwrap();
    assert_eq!(writer.add("a/b", b"").unwrap_err().to_string(), "x.zip: would hold two members of the name \"a/b\"");
    for name in ["", "/a", "../a", "a/", "a//b", "a\\b", &"x".repeat(70_000)] {
        assert!(writer.add(name, b"").is_err(), "{name:?}");
    }
    let archive = open(writer.finish().unwrap()).unwrap();
    assert_eq!(archive.members().len(), 1);
}

#[test]
fn a_missing_file_is_an_error_of_the_system() {
    let error = Archive::open("no/such.zip", "is broken").err().unwrap();
    assert_eq!(error.hint().as_deref(), Some("Check the spelling of the path."));
}

proptest! {
    /// Damage anywhere gives other members or an error, never a panic.
    #[test]
    fn damage_does_no_harm(kind in 0usize..4, places in prop::collection::vec((0usize..10_000, any::<u8>()), 1..4)) {
        let own = zip(&[Raw::deflated("a", HELLO), Raw::stored("b", HELLO)]);
        let mut bytes = [STORED, DEFLATED, ZIP64, &own][kind].to_vec();
        for (at, value) in places {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(archive) = open(bytes) {
            (0..archive.members().len()).for_each(|i| drop(archive.read(i, 1000)));
        }
    }

    #[test]
    fn noise_is_refused(mut bytes: Vec<u8>, end: bool) {
        if end {
            bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x05\0\0\0\0\0\0\0\0\0");
        }
        prop_assert!(open(bytes).is_err());
    }
}

#[test]
fn a_stored_member_is_read_where_it_lies() {
    let archive = open(zip(&[Raw::deflated("a", HELLO), Raw::stored("b", HELLO)])).unwrap();
    assert!(archive.stored(0).unwrap().is_none() && archive.stored(2).is_err());
    let region = archive.stored(1).unwrap().unwrap();
    assert_eq!(region.read(0, HELLO.len() as u64).unwrap(), HELLO);
    archive.check(1).unwrap();
    let mut bytes = zip(&[Raw::stored("b", HELLO)]);
    let at = bytes.windows(HELLO.len()).position(|window| window == HELLO).unwrap();
    bytes[at] ^= 1;
    let message = open(bytes).unwrap().check(0).unwrap_err().to_string();
    assert!(message.ends_with("is damaged: its checksum is not the one that it declares"), "{message}");
}
