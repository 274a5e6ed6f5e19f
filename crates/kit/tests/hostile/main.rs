//! Files that are broken, or made to do harm, end in a value or an error: never in a panic, nor in work without end.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod readers;

use base::seed::Stream;
use readers::{Place, READERS, Reader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Changed forms of each valid input.
const CHANGED: u64 = 150;
/// No input is as long that reading it takes a second; on a busy machine some may take a few.
const LONGEST: f64 = 20.0;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/corpus")
}

/// Reads; what went wrong, and where the bytes are that did it.
fn attempt(reader: &Reader, place: &Place, bytes: &[u8], which: &str) -> Option<String> {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| reader.read(place, bytes)));
    let took = start.elapsed().as_secs_f64();
    let wrong = match ended {
        Err(_) => "panicked".to_owned(),
        Ok(()) if took > LONGEST => format!("took {took:.1} s"),
        Ok(()) => return None,
    };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{which}", reader.name));
    std::fs::write(&path, bytes).unwrap();
    Some(format!("the reader {} {wrong}; its input is {}", reader.name, path.display()))
}

/// The bytes with a few changes, as damage or malice make them.
fn changed(bytes: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let len = bytes.len() as u64;
        if len == 0 {
            break;
        }
        let at = random.below(len) as usize;
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'-', b'"', b'9'][random.below(8) as usize],
            2 => bytes.truncate(at),
            3 => {
                // Four bytes of the greatest or least number.
                let end = bytes.len().min(at + 4);
                bytes[at..end].fill([0x00, 0xff][random.below(2) as usize]);
            }
            4 => {
                let text =
                    ["18446744073709551615", "-1", "1e400", "null", "[]", "{}", "\"\"", "0"][random.below(8) as usize];
                // In the place of a number, if there is one behind.
                let first = bytes[at..].iter().position(u8::is_ascii_digit).map_or(at, |more| at + more);
                let digits = bytes[first..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                bytes.splice(first..first + digits, text.bytes());
            }
            _ => {
                let end = bytes.len().min(at + 1 + random.below(64) as usize);
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn changed_files_end_in_values_or_errors() {
    let place = Place::new();
    let mut failures = Vec::new();
    for reader in &READERS {
        for (number, valid) in reader.valid(&place).iter().enumerate() {
            failures.extend(attempt(reader, &place, valid, "valid"));
            let mut random = Stream::new(number as u64, reader.name, 0);
            for change in 0..CHANGED {
                let bytes = changed(valid, &mut random);
                failures.extend(attempt(reader, &place, &bytes, &format!("changed-{number}-{change}")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_once_failed_stays_mended() {
    let place = Place::new();
    let (mut read, mut failures) = (0, Vec::new());
    for reader in &READERS {
        let Ok(files) = std::fs::read_dir(corpus().join(reader.name)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            failures.extend(attempt(reader, &place, &std::fs::read(&path).unwrap(), &name));
            read += 1;
        }
    }
    assert!(read > 0, "the corpus is there");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[ignore = "writes the folders from which the fuzzers start"]
fn seeds_for_the_fuzzers() {
    let place = Place::new();
    for reader in &READERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(reader.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in reader.valid(&place).iter().enumerate() {
            std::fs::write(folder.join(format!("valid-{number}")), bytes).unwrap();
        }
        for file in std::fs::read_dir(corpus().join(reader.name)).into_iter().flatten() {
            let path = file.unwrap().path();
            std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn every_reader_has_a_fuzz_target_and_every_corpus_a_reader() {
    let names: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
    for folder in std::fs::read_dir(corpus()).unwrap() {
        let name = folder.unwrap().file_name().to_string_lossy().into_owned();
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    // The packed crate comes without them.
    let Ok(manifest) = std::fs::read_to_string(fuzz) else { return };
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml: {name}");
    }
}
