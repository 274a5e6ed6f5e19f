use base::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The file in a run folder that is locked.
pub(crate) const FILE: &str = "run.lock";

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
        let path = run.join(FILE);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| Error::io("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // The number is only a help for the reader, and may be unreadable where locks are mandatory.
                let mut holder = String::new();
                let known = file.take(20).read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if known { format!("process {}", holder.trim()) } else { "another process".into() };
                return Err(Error::file(run, format!("{holder} is at work in this folder"))
                    .with_hint("Wait for it, stop it with Ctrl-C, or use another folder."));
            }
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|e| Error::io("write", &path, e))?;
        Ok(Self { run: run.to_owned(), _file: file })
    }

    /// The run folder.
    pub fn run(&self) -> &Path {
        &self.run
    }
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
        drop(first);
        RunLock::acquire(run.path()).unwrap();
    }
}
