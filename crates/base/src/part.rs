//! A file while it is being written: it grows beside its place, under a name and a lock of its own.

use crate::{Error, Result, files};
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How the names of unfinished files end: like nothing else that could lie in a folder of the user's.
const END: &str = ".ganatomy.part";
/// A file that is older than this has been locked by its writer, if that lives.
const SETTLED: Duration = Duration::from_mins(1);
/// Folders of which a process remembers that it has swept them; it sweeps no more than these.
const REMEMBERED: usize = 4096;

/// A file that grows beside its place and gets its name when it is whole. Dropped before, it leaves nothing behind.
///
/// Its writer holds a lock on it, which the system releases when the process ends, however it ends. So what a process left
/// that died can be told from what is being written, whatever number a living process has by now. Whoever writes into a
/// folder for the first time clears it of such files.
#[derive(Debug)]
pub struct Part {
    target: PathBuf,
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Part {
    /// Begins the file that is to be `target`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(target: &Path) -> Result<Self> {
        sweep_once(files::parent_of(target));
        let path = sibling_of(target);
        let file = File::create(&path).map_err(|e| Error::io("write", target, e))?;
        // Where the system knows no locks, nothing is ever swept: no file there is known to be nobody's.
        drop(file.try_lock());
        Ok(Self { target: target.to_owned(), path, file, finished: false })
    }

    /// Flushes everything to the disk and gives the file its name.
    ///
    /// # Errors
    /// The disk is full, or the system refuses; the file of that name is untouched then, and nothing is left.
    pub fn finish(mut self) -> Result<()> {
        let named = self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.target));
        named.map_err(|e| Error::io("write", &self.target, e))?;
        self.finished = true;
        files::sync_folder(files::parent_of(&self.target))
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: whoever drops an unfinished file has an error or a signal to tell.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A temporary name beside `path`, of this process alone.
pub(crate) fn sibling_of(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}{END}", std::process::id()))
}

/// Whether a process holds the lock of an unfinished file; also where that cannot be found out.
pub(crate) fn is_being_written(path: &Path) -> bool {
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Ok(())) => false,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => true,
    }
}

/// Clears a folder, the first time that this process writes there.
fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let new = {
        let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
        swept.len() < REMEMBERED && swept.insert(folder.to_owned())
    };
    if new {
        sweep(folder);
    }
}

/// Removes the unfinished files of dead processes. Best effort: they are in nobody's way.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with('.') && name.ends_with(END) && entry.file_type().is_ok_and(|t| t.is_file());
        if is_ours && is_settled(&entry) && !is_being_written(&entry.path()) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn is_settled(entry: &fs::DirEntry) -> bool {
    let written = entry.metadata().and_then(|found| found.modified());
    written.is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > SETTLED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A file that was written an hour ago.
    fn old(path: &Path) -> File {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
        file
    }

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_write_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        // The number of a living process, this one, says nothing: it may have been another's before.
        let reused = sibling_of(&at("reused.png"));
        drop(old(&reused));
        drop(old(&at(".dead.png.4000000.ganatomy.part")));
        let alive = old(&at(".alive.png.4000001.ganatomy.part"));
        alive.try_lock().unwrap();
        // Just begun, not locked yet.
        File::create(at(".young.png.4000002.ganatomy.part")).unwrap();
        for name in ["a.part", ".movie.2019.part", "x.ganatomy.part", "keep.png"] {
            drop(old(&at(name)));
        }
        fs::create_dir(at(".folder.1.ganatomy.part")).unwrap();
        files::write_atomic(at("new.png"), b"x").unwrap();
        let left = [
            ".alive.png.4000001.ganatomy.part",
            ".folder.1.ganatomy.part",
            ".movie.2019.part",
            ".young.png.4000002.ganatomy.part",
            "a.part",
            "keep.png",
            "new.png",
            "x.ganatomy.part",
        ];
        assert_eq!(names(folder.path()), left);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing_and_is_locked_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let mut part = Part::create(&target).unwrap();
        part.write_all(b"half").unwrap();
        assert!(is_being_written(&sibling_of(&target)));
        drop(part);
        assert!(names(folder.path()).is_empty());
        let mut part = Part::create(&target).unwrap();
        part.write_all(b"whole").unwrap();
        part.finish().unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        assert!(!is_being_written(&target));
    }
}
