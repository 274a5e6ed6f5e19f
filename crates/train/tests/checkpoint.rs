//! What checkpoints promise: whole or absent, corruption seen, the newest whole one found.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ganatomy_train::RunLock;
use ganatomy_train::checkpoint::{Checkpoint, MANIFEST, Store};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const FILES: &[(&str, &[u8])] =
    &[("generator.safetensors", b"0123456789"), ("state.json", b"{\"adam\": 1}"), ("empty", b"")];

fn save(store: &Store, generation: u64, keep: usize) {
    store.save(generation, FILES, "c0ffee", keep).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_was_saved_comes_back() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::create(&RunLock::acquire(run.path()).unwrap()).unwrap();
    let path = store.save(120, FILES, "c0ffee", 3).unwrap();
    assert_eq!(path, run.path().join("checkpoints/000120"));
    assert_eq!(names(&path), ["empty", "generator.safetensors", MANIFEST, "state.json"]);
    let checkpoint = Store::open(run.path()).load(120).unwrap();
    assert_eq!((checkpoint.generation, checkpoint.config_hash.as_str()), (120, "c0ffee"));
    assert_eq!(checkpoint.program, env!("CARGO_PKG_VERSION"));
    assert_eq!(checkpoint.file("generator.safetensors").unwrap(), b"0123456789");
    assert_eq!(checkpoint.files.len(), 3);
    assert!(checkpoint.file("nothing").unwrap_err().to_string().ends_with("holds no nothing"));
    let missing = store.load(7).unwrap_err();
    assert_eq!(missing.hint().unwrap(), "Checkpoints that exist: 120.");
    store.save(12_345_678, FILES, "", 3).unwrap();
    assert_eq!(store.list().unwrap(), [120, 12_345_678]);
}

#[test]
fn the_newest_whole_one_is_found_and_the_others_named() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    assert!(store.newest_valid().unwrap_err().to_string().ends_with("holds no checkpoint yet"));
    (1..=5).for_each(|generation| save(&store, generation, 10));
    fs::write(store.path_of(5).join("generator.safetensors"), b"012345678X").unwrap();
    fs::write(store.path_of(4).join("state.json"), b"").unwrap();
    fs::remove_file(store.path_of(3).join(MANIFEST)).unwrap();
    // A stray folder whose name is a number, but not as ours are written.
    fs::create_dir(store.folder().join("7")).unwrap();
    let (checkpoint, rejected) = store.newest_valid().unwrap();
    assert_eq!(checkpoint.generation, 2);
    let reasons: Vec<&str> = rejected.iter().map(|r| r.reason.as_str()).collect();
    let found = blake3::hash(b"012345678X");
    let expected = blake3::hash(b"0123456789");
    assert_eq!(
        reasons,
        [
            &*format!("corrupt: generator.safetensors has BLAKE3 {found}, expected {expected}"),
            "corrupt: state.json has 0 bytes, expected 11",
            "corrupt: manifest.json is missing",
        ]
    );
    assert_eq!(rejected[0].path, store.path_of(5));
    for generation in [1, 2] {
        fs::remove_file(store.path_of(generation).join("empty")).unwrap();
    }
    let error = store.newest_valid().unwrap_err();
    assert!(error.to_string().contains("none of 5 checkpoints is whole") && error.hint().is_some(), "{error}");
}

#[test]
fn a_checkpoint_under_another_number_is_not_believed() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    save(&store, 1, 1);
    fs::rename(store.path_of(1), store.path_of(9)).unwrap();
    let error = store.load(9).unwrap_err().to_string();
    assert!(error.ends_with("corrupt: its manifest.json is of generation 1"), "{error}");
}

#[test]
fn pruning_spares_the_newest_and_the_best() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    save(&store, 1, 2);
    assert_eq!(store.best().unwrap(), None);
    assert!(store.mark_best(8, 0.5).is_err() && store.mark_best(1, f64::NAN).is_err());
    store.mark_best(1, 0.5).unwrap();
    (2..=5).for_each(|generation| save(&store, generation, 2));
    assert_eq!(store.list().unwrap(), [1, 4, 5]);
    store.mark_best(5, 0.25).unwrap();
    assert_eq!(store.best().unwrap().unwrap().score, 0.25);
    save(&store, 6, 0);
    assert_eq!(store.list().unwrap(), [5, 6]);
    fs::write(store.folder().join("best.json"), "{").unwrap();
    assert!(store.save(7, FILES, "", 1).unwrap_err().to_string().contains("best.json"));
    assert_eq!(store.list().unwrap(), [5, 6, 7], "without knowing the best nothing is pruned");
}

#[test]
fn a_save_after_falling_back_replaces_the_abandoned_future() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    (1..=3).for_each(|generation| save(&store, generation, 9));
    fs::remove_file(store.path_of(3).join("empty")).unwrap();
    store.save(2, &[("state.json", b"again")], "", 9).unwrap();
    assert_eq!(store.list().unwrap(), [1, 2]);
    assert_eq!(store.load(2).unwrap().file("state.json").unwrap(), b"again");
    assert_eq!(names(store.folder()), ["000001", "000002"]);
}

#[test]
fn what_a_killed_process_left_is_cleared_and_what_it_set_aside_comes_back() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    (1..=2).for_each(|generation| save(&store, generation, 9));
    fs::create_dir(store.folder().join(".000003.4242.part")).unwrap();
    fs::write(store.folder().join(".best.json.4242.part"), "{").unwrap();
    fs::rename(store.path_of(1), store.folder().join(".000001.replaced")).unwrap();
    fs::create_dir(store.folder().join(".000002.replaced")).unwrap();
    fs::write(store.folder().join(".DS_Store"), "").unwrap();
    assert_eq!(store.newest_valid().unwrap().0.generation, 2, "a reader clears nothing");
    assert_eq!(names(store.folder()).len(), 6);
    let store = Store::create(&RunLock::acquire(run.path()).unwrap()).unwrap();
    assert_eq!(names(store.folder()), [".DS_Store", "000001", "000002"]);
    store.load(1).unwrap();
}

#[test]
fn a_failed_save_leaves_the_old_ones_and_no_trace() {
    let run = tempfile::tempdir().unwrap();
    let store = Store::open(run.path());
    save(&store, 1, 1);
    for bad in ["../x", "a/b", "", MANIFEST, "state.json"] {
        assert!(store.save(2, &[("STATE.json", b""), (bad, b"")], "", 1).is_err(), "{bad}");
    }
    // A file where the folder should go makes the write fail for every user, root included.
    let too_long = "x".repeat(200);
    let blocked = run.path().join("blocked");
    fs::write(&blocked, "").unwrap();
    assert!(Store::open(&blocked).save(1, &[(&too_long, b"")], "", 1).is_err());
    assert_eq!(names(store.folder()), ["000001"]);
    assert_eq!(store.newest_valid().unwrap().0.generation, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_changed_byte_or_lost_end_is_seen(which in 0usize..4, at: prop::sample::Index, flip in 1u8.., cut: bool) {
        let run = tempfile::tempdir().unwrap();
        let store = Store::open(run.path());
        save(&store, 1, 1);
        save(&store, 2, 2);
        let path = store.path_of(2).join(&names(&store.path_of(2))[which]);
        let mut bytes = fs::read(&path).unwrap();
        if bytes.is_empty() {
            bytes.push(flip);
        } else if cut {
            bytes.truncate(at.index(bytes.len()));
        } else {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        fs::write(&path, bytes).unwrap();
        let error = Checkpoint::read(store.path_of(2)).unwrap_err().to_string();
        prop_assert!(error.contains("corrupt: "), "{}", error);
        let (found, rejected) = store.newest_valid().unwrap();
        prop_assert_eq!((found.generation, rejected.len()), (1, 1));
    }
}

const SAVING_IN: &str = "TRAIN_CHECKPOINT_SAVING_IN";

/// Not a test by itself: saves for ever in the folder that the variable names, until it is killed.
#[test]
fn child() {
    let Ok(run) = std::env::var(SAVING_IN) else { return };
    let lock = RunLock::acquire(&run).unwrap();
    let store = Store::create(&lock).unwrap();
    let mut generation = store.newest_valid().map_or(0, |(newest, _)| newest.generation);
    loop {
        generation += 1;
        let bytes = generation.to_le_bytes().repeat(20_000);
        store.save(generation, &[("a", &bytes), ("b", &bytes)], "", 2).unwrap();
        // Every other time again, so that the replacement of a checkpoint is hit as well.
        if generation.is_multiple_of(2) {
            store.save(generation, &[("a", &bytes), ("b", &bytes)], "", 2).unwrap();
        }
    }
}

/// R1: kills at random moments; `TRAIN_KILLS=200` for the full count.
#[test]
fn a_kill_at_any_moment_leaves_a_whole_newest_checkpoint() {
    let run = tempfile::tempdir().unwrap();
    let mut random = base::seed::Stream::new(1, "kill", 0);
    let kills = std::env::var("TRAIN_KILLS").map_or(25, |n| n.parse().unwrap());
    let mut newest = 0;
    for _ in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact"])
            .env(SAVING_IN, run.path())
            .env("TMPDIR", "/nonexistent")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Not before it has saved something, however slow the machine is.
        while Store::open(run.path()).list().unwrap().last().is_none_or(|&last| last <= newest) {
            assert!(child.try_wait().unwrap().is_none(), "it never stops by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.below(40_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        // The next process: takes the lock that died with the last one, clears, and finds the newest.
        let store = Store::create(&RunLock::acquire(run.path()).unwrap()).unwrap();
        let (found, rejected) = store.newest_valid().unwrap();
        assert_eq!(rejected, [], "nothing half-written has a checkpoint's name");
        assert!(found.generation > newest, "no saved checkpoint is lost");
        newest = found.generation;
    }
}
