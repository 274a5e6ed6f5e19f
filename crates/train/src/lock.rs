use base::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file in a run folder that is locked.
pub(crate) const FILE: &str = "run.lock";
/// How often a lock is tried, and the time between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The right to train in one run folder, held until it is dropped.
///
/// An advisory lock on `RUN/run.lock`. The system releases it when the process ends, however it ends, so no stale lock
/// can be left; the file itself stays.
#[derive(Debug)]
pub struct RunLock {
    run: PathBuf,
    _file: File,
}

impl RunLock {
    /// Takes the lock of an existing run folder, without waiting.
    ///
    /// # Errors
    /// Another process (or another part of this one) holds it; the folder does not exist or cannot be written.
    pub fn acquire(run: impl AsRef<Path>) -> Result<Self> {
        let run = run.as_ref();
        let file = locked(&run.join(FILE), |holder| {
            Error::file(run, format!("{holder} is at work in this folder"))
                .with_hint("Wait for it, stop it with Ctrl-C, or use another folder.")
        })?;
        Ok(Self { run: run.to_owned(), _file: file })
    }

    /// Whether a process holds the lock of a run folder. To look leaves nothing behind.
    pub fn is_held(run: impl AsRef<Path>) -> bool {
        // A shared lock, so that two who look do not see each other; it is gone before this returns.
        File::open(run.as_ref().join(FILE))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The run folder.
    pub fn run(&self) -> &Path {
        &self.run
    }
}

/// The right to write one file and what lies beside it, held until it is dropped.
///
/// An advisory lock on a hidden file beside it, which is removed at the end. One that a killed process left means nothing.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    _file: File,
}

impl FileLock {
    /// Takes the lock of a file, which need not be there, in a folder that is; without waiting.
    ///
    /// # Errors
    /// Another process (or another part of this one) holds it, or the folder cannot be written.
    pub fn acquire(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = file.with_file_name(format!(".{name}.lock"));
        let held = locked(&path, |holder| {
            Error::file(file, format!("{holder} is at work on this file"))
                .with_hint("Wait for it, stop it with Ctrl-C, or choose another file with `out`.")
        })?;
        Ok(Self { path, _file: held })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // While it is still held, so that it is nobody else's. What cannot be removed is no harm.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Opens and locks a file and writes the number of this process into it; `busy` says what it means that somebody else holds it.
fn locked(path: &Path, busy: impl FnOnce(String) -> Error) -> Result<File> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| Error::io("open", path, e))?;
    let mut tries = 1;
    let taken = loop {
        match file.try_lock() {
            // Somebody who only looks ([`RunLock::is_held`]) has it for a moment.
            Err(TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(PAUSE),
            taken => break taken,
        }
        tries += 1;
    };
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // The number is only a help for the reader, and may be unreadable where locks are mandatory.
            let mut holder = String::new();
            let known = file.take(20).read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
            return Err(busy(if known { format!("process {}", holder.trim()) } else { "another process".into() }));
        }
        Err(TryLockError::Error(e)) => return Err(Error::io("lock", path, e)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(|e| Error::io("write", path, e))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_training_is_refused_until_the_first_ends() {
        let run = tempfile::tempdir().unwrap();
        let first = RunLock::acquire(run.path()).unwrap();
        let refused = RunLock::acquire(run.path()).unwrap_err();
        let expected = format!("process {} is at work in this folder", std::process::id());
        assert!(refused.to_string().ends_with(&expected), "{refused}");
        assert!(refused.hint().unwrap().contains("another folder"));
        assert!(RunLock::is_held(run.path()));
        drop(first);
        assert!(!RunLock::is_held(run.path()));
        RunLock::acquire(run.path()).unwrap();
    }

    #[test]
    fn who_looks_leaves_nothing_behind_and_disturbs_nobody() {
        let run = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(run.path()));
        assert_eq!(std::fs::read_dir(run.path()).unwrap().count(), 0);
        drop(RunLock::acquire(run.path()).unwrap());
        let looker = File::open(run.path().join(FILE)).unwrap();
        looker.lock_shared().unwrap();
        let gone = std::thread::spawn(move || {
            std::thread::sleep(PAUSE);
            drop(looker);
        });
        RunLock::acquire(run.path()).unwrap();
        gone.join().unwrap();
    }

    #[test]
    fn a_file_is_one_process_s_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.json");
        let first = FileLock::acquire(&path).unwrap();
        let _other = FileLock::acquire(folder.path().join("sky.json")).unwrap();
        let refused = FileLock::acquire(&path).unwrap_err();
        let expected = format!("tree.json: process {} is at work on this file", std::process::id());
        assert!(refused.to_string().ends_with(&expected), "{refused}");
        drop(first);
        assert!(!folder.path().join(".tree.json.lock").exists());
        std::fs::write(folder.path().join(".tree.json.lock"), "1\n").unwrap();
        drop(FileLock::acquire(&path).unwrap());
    }
}
