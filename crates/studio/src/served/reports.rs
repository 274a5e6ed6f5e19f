//! Pages of dissections, made when they are asked for and kept while nothing in the folder changes.

use base::Error;
use net::Result;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Pages that are kept.
const KEPT: usize = 4;
/// How deep a change is looked for.
const DEPTH: usize = 4;
/// Files whose times are looked at.
const MOST: usize = 20_000;

/// The pages.
#[derive(Default)]
pub(crate) struct Reports {
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    folder: PathBuf,
    state: blake3::Hash,
    html: Arc<str>,
}

impl Reports {
    /// The page of a dissection.
    ///
    /// # Errors
    /// The folder is no finished dissection (any more).
    pub(crate) fn of(&self, folder: &Path) -> Result<Arc<str>> {
        let state = state(folder)?;
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().iter().find(|kept| kept.folder == folder && kept.state == state) {
            return Ok(known.html.clone());
        }
        let html: Arc<str> = report::report(folder, &report::Wanted::default())?.html.into();
        let mut kept = kept();
        kept.retain(|kept| kept.folder != folder);
        kept.push_front(Kept { folder: folder.to_owned(), state, html: html.clone() });
        kept.truncate(KEPT);
        Ok(html)
    }
}

/// What changes when a file in a folder does: a hash of all names, lengths and times.
fn state(folder: &Path) -> Result<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    let mut waiting = vec![(folder.to_owned(), 0)];
    let mut seen = 0;
    while let Some((path, depth)) = waiting.pop() {
        let entries = || std::fs::read_dir(&path)?.collect::<std::io::Result<Vec<_>>>();
        let mut entries = match entries() {
            Ok(entries) => entries,
            Err(e) if depth == 0 => return Err(Error::io("list", folder, e).into()),
            Err(_) => continue,
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let Ok(about) = entry.metadata() else { continue };
            seen += 1;
            let time = about.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            let nanoseconds = time.map_or(0, |time| time.as_nanos());
            hash.update(entry.path().as_os_str().as_encoded_bytes()).update(&[0]);
            hash.update(&about.len().to_le_bytes()).update(&nanoseconds.to_le_bytes());
            if about.is_dir() && depth < DEPTH && seen < MOST {
                waiting.push((entry.path(), depth + 1));
            }
        }
    }
    Ok(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_in_a_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        let before = state(folder.path()).unwrap();
        assert_eq!(state(folder.path()).unwrap(), before);
        std::fs::write(folder.path().join("a/b/c.json"), "{}").unwrap();
        let after = state(folder.path()).unwrap();
        assert!(before != after);
        std::fs::write(folder.path().join("a/b/c.json"), "{\"x\":1}").unwrap();
        assert!(after != state(folder.path()).unwrap());
        assert!(state(&folder.path().join("none")).is_err());
    }
}
