//! Where a run lives: the folder that was asked for, or the next free numbered one.

use crate::{RunLock, lock};
use base::{Error, Result, files};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The resolved settings of a run. A folder that holds this file is a run.
pub const CONFIG: &str = "config.toml";

/// Whether a folder holds a run.
pub fn is_run(path: impl AsRef<Path>) -> bool {
    path.as_ref().join(CONFIG).is_file()
}

/// Makes the folder of a new run at exactly `path`, with its parents. An empty folder will do as well, and so will one in
/// which a process was killed before it wrote the settings.
///
/// # Errors
/// It already holds a run, or anything else; a process is at work in it; it cannot be created.
pub fn create(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    files::create_folder(path)?;
    if is_run(path) {
        return Err(Error::file(path, "already holds a run")
            .with_hint(format!("Go on with it by `resume {}`, or choose another folder with `out`.", path.display())));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|e| Error::io("list", path, e))? {
        names.push(entry.map_err(|e| Error::io("list", path, e))?.file_name().to_string_lossy().into_owned());
    }
    if names.is_empty() {
        return Ok(());
    }
    let begun = names.iter().any(|name| name == lock::FILE);
    if begun && names.iter().all(|name| is_leftover(name)) {
        // Its owner may be about to write the settings: the lock tells.
        let _lock = RunLock::acquire(path)?;
        return sweep(path);
    }
    Err(Error::file(path, "is not empty, and what it holds is not a run")
        .with_hint("Choose a folder that is new or empty with `out`."))
}

/// Makes the folder of a new run with the next free number in `parent`, such as `runs/00003-scenes-paper`.
///
/// The number is one above the highest in use. `label` says what the run is about; characters that file names had
/// better not hold become `-`. Of two programs that start at the same time each gets a number of its own.
///
/// # Errors
/// The folder cannot be created.
pub fn create_next(parent: impl AsRef<Path>, label: &str) -> Result<PathBuf> {
    let parent = parent.as_ref();
    files::create_folder(parent)?;
    let mut number = numbers(parent)?.into_iter().max().unwrap_or(0) + 1;
    loop {
        // The bare number is reserved first: folders with other labels would not collide by themselves.
        let reserved = parent.join(format!(".{number:05}"));
        match fs::create_dir(&reserved) {
            // Nobody else can take the number now, but somebody may have before we reserved it.
            Ok(()) if numbers(parent)?.contains(&number) => {
                fs::remove_dir(&reserved).map_err(|e| Error::io("remove", &reserved, e))?;
            }
            Ok(()) => {
                let path = parent.join(format!("{number:05}-{}", plain(label)));
                fs::rename(&reserved, &path).map_err(|e| Error::io("create", &path, e))?;
                files::sync_folder(parent)?;
                return Ok(path);
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create", &reserved, e)),
        }
        number += 1;
    }
}

/// The numbers in use in a folder of runs.
fn numbers(parent: &Path) -> Result<Vec<u32>> {
    let wrong = |e| Error::io("list", parent, e);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(parent).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        let name = name.to_string_lossy();
        let digits = name.split('-').next().unwrap_or_default();
        // Eight digits would be a date.
        if (5..=7).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            numbers.extend(digits.parse::<u32>());
        }
    }
    Ok(numbers)
}

/// A label as part of a file name: ASCII letters, digits, `.` and `_`, in words joined by single `-`, at most 60 long.
fn plain(label: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let words: Vec<&str> = label.split(|c| !allowed(c)).filter(|word| !word.is_empty()).collect();
    let joined: String = words.join("-").chars().take(60).collect();
    if joined.is_empty() { "run".into() } else { joined }
}

/// Removes the temporary files that a dead process left in the run folder itself; one that a living process is writing, of
/// another kind than a training, stays. To be called by the holder of the lock.
///
/// # Errors
/// The folder cannot be read, or a file in it not removed.
pub fn sweep(run: impl AsRef<Path>) -> Result<()> {
    let run = run.as_ref();
    for entry in std::fs::read_dir(run).map_err(|e| Error::io("read", run, e))? {
        let path = entry.map_err(|e| Error::io("read", run, e))?.path();
        if is_temporary(&path) && path.is_file() && !files::is_being_written(&path) {
            std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
    }
    Ok(())
}

/// Whether a name in a run folder is one that a process leaves which died before it wrote anything that lasts.
pub fn is_leftover(name: &str) -> bool {
    name == lock::FILE || is_temporary(Path::new(name))
}

/// Whether a name is that of a file which was being written.
fn is_temporary(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    hidden && path.extension().is_some_and(|end| end == "part")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_up_from_the_highest() {
        let parent = tempfile::tempdir().unwrap();
        let runs = parent.path().join("runs");
        let next = |label| create_next(&runs, label).unwrap().file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(next("scenes-paper"), "00001-scenes-paper");
        fs::create_dir(runs.join("00041-other")).unwrap();
        fs::create_dir(runs.join("20261123-by-date")).unwrap();
        fs::create_dir(runs.join("00099T")).unwrap();
        assert_eq!(next("/data/my photos.zip, wgan"), "00042-data-my-photos.zip-wgan");
        assert_eq!(next("../../über"), "00043-..-..-ber");
        assert_eq!(next("///"), "00044-run");
    }

    #[test]
    fn starts_at_the_same_time_get_different_numbers() {
        let parent = tempfile::tempdir().unwrap();
        let start = |label: String| create_next(parent.path(), &label).unwrap();
        let mut numbers: Vec<String> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|i| scope.spawn(move || start(format!("run{i}")))).collect();
            starts
                .into_iter()
                .map(|s| s.join().unwrap().file_name().unwrap().to_string_lossy()[..5].to_owned())
                .collect()
        });
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 8);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 8, "no reservation is left behind");
    }

    #[test]
    fn a_run_or_a_stranger_s_folder_is_not_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("a/b");
        create(&out).unwrap();
        create(&out).unwrap();
        fs::write(out.join("thesis.tex"), "x").unwrap();
        let refused = create(&out).unwrap_err();
        assert!(refused.to_string().ends_with("is not empty, and what it holds is not a run"), "{refused}");
        fs::write(out.join(CONFIG), "").unwrap();
        let refused = create(&out).unwrap_err();
        assert!(refused.to_string().ends_with("already holds a run"), "{refused}");
        assert!(refused.hint().unwrap().contains("`resume "));
        assert!(create(out.join("thesis.tex")).is_err());
    }

    #[test]
    fn a_folder_whose_process_died_before_its_settings_is_used_again() {
        let out = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(out.path()).unwrap();
        fs::write(out.path().join(".config.toml.123.part"), "prese").unwrap();
        let refused = create(out.path()).unwrap_err();
        assert!(refused.to_string().ends_with("is at work in this folder"), "{refused}");
        drop(lock);
        create(out.path()).unwrap();
        let names: Vec<_> = fs::read_dir(out.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["run.lock"]);
        for stranger in ["thesis.tex", "a.part"] {
            fs::write(out.path().join(stranger), "x").unwrap();
            assert!(create(out.path()).unwrap_err().to_string().contains("is not empty"), "{stranger}");
            fs::remove_file(out.path().join(stranger)).unwrap();
        }
        fs::remove_file(out.path().join("run.lock")).unwrap();
        fs::write(out.path().join(".x.part"), "x").unwrap();
        assert!(create(out.path()).is_err(), "without a lock nobody says that a run was meant");
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".config.toml.123.part", ".x.png.7.ganatomy.part", "config.toml", "a.part", ".hidden"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        // Somebody writes samples into the run's folder.
        let alive = files::Part::create(&folder.path().join("samples.png")).unwrap();
        sweep(folder.path()).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let writing = format!(".samples.png.{}.ganatomy.part", std::process::id());
        assert_eq!(left, [".hidden", &*writing, "a.part", "config.toml"]);
        drop(alive);
    }
}
