//! What is in a data set, as a hash: of the bytes of its files.

use base::{Error, Result, files};
use data::{BUILT_IN, Dataset};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// Folders in folders that are looked into.
const DEEPEST: usize = 16;
/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// What a set holds, in words that differ where sets do, wherever they lie: the hash of its file, or of all files of its folder with their
/// relative names. A world that is made and not read is told by its name, its seed and what it makes.
///
/// # Errors
/// A file cannot be read, or folders are nested too deeply.
pub fn content_of(set: &Dataset) -> Result<String> {
    if BUILT_IN.contains(&set.name()) {
        return Ok(format!("{} {} {}", set.name(), set.options().seed, set.fingerprint()?));
    }
    let mut hasher = blake3::Hasher::new();
    let path = Path::new(set.name());
    if path.is_dir() {
        folder(path, "", 0, &mut hasher)?;
    } else {
        file(path, &mut hasher)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn folder(path: &Path, name: &str, depth: usize, hasher: &mut blake3::Hasher) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::file(path, format!("lies more than {DEEPEST} folders deep")));
    }
    let unreadable = |error| Error::io("read", path, error);
    let entries = fs::read_dir(path).map_err(unreadable)?.collect::<std::io::Result<Vec<_>>>().map_err(unreadable)?;
    let mut entries: Vec<_> = entries.into_iter().map(|entry| (entry.file_name(), entry.path())).collect();
    entries.sort();
    for (own, path) in entries {
        let name = format!("{name}/{}", own.to_string_lossy());
        if path.is_dir() {
            folder(&path, &name, depth + 1, hasher)?;
        } else if path.is_file() {
            hasher.update(format!("{name}\n{}\n", fs::metadata(&path).map_err(unreadable)?.len()).as_bytes());
            file(&path, hasher)?;
        }
    }
    Ok(())
}

fn file(path: &Path, hasher: &mut blake3::Hasher) -> Result<()> {
    let (mut file, _) = files::open(path)?;
    let mut block = vec![0; BLOCK];
    loop {
        let n = file.read(&mut block).map_err(|error| Error::io("read", path, error))?;
        match block.get(..n) {
            Some(read) if n > 0 => hasher.update(read),
            _ => return Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::{Image, Options, open, pictures};

    fn content(path: &Path) -> String {
        content_of(&open(path.to_str().unwrap(), &Options::default()).unwrap()).unwrap()
    }

    #[test]
    fn content_is_what_files_hold_wherever_they_lie() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str, shade: u8| {
            let path = place.path().join(name);
            for (file, shade) in [("a.png", 1), ("deep/b.png", shade)] {
                fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
                fs::write(path.join(file), pictures::png(&Image::filled(8, 8, [shade; 3])).unwrap()).unwrap();
            }
            path
        };
        let first = folder("first", 7);
        assert_eq!(content(&first), content(&folder("elsewhere/second", 7)));
        assert_ne!(content(&first), content(&folder("third", 8)));
        let renamed = folder("fourth", 7);
        fs::rename(renamed.join("a.png"), renamed.join("c.png")).unwrap();
        assert_ne!(content(&first), content(&renamed));
    }

    #[test]
    fn worlds_are_told_by_their_seeds() {
        let of = |seed| content_of(&open("scenes", &Options { seed, ..Options::default() }).unwrap()).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
