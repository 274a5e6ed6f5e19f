//! What signals do to a training, and what two trainings do to each other.

use crate::runs::{POINTS, assert_same};
use crate::support::{Place, check};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts a training that would not end by itself.
fn start(place: &Place, words: &str) -> Child {
    let mut command = place.command(&format!("{words} --generations 1000000"));
    command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

/// Waits until a run has written some lines of statistics.
fn wait_for(place: &Place, run: &str, lines: usize) {
    let begun = Instant::now();
    let written = || std::fs::read(place.path(&format!("{run}/stats.jsonl"))).unwrap_or_default();
    while written().split(|&b| b == b'\n').count() - 1 < lines {
        assert!(begun.elapsed() < Duration::from_mins(1), "the training does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal and gives the exit code and what the program said.
fn stop(child: Child, signal: &str) -> (Option<i32>, String) {
    let sent = Instant::now();
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(sent.elapsed() < Duration::from_secs(10), "it takes too long to stop");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Whether whoever started the tests had hangups ignored, as `nohup` does: a program leaves it so.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

#[test]
fn a_signal_saves_everything() {
    let ignored = hangups_are_ignored();
    if ignored {
        eprintln!("SKIPPED: hangups. Whoever started the tests ignores them.");
    }
    let hangup = (cfg!(target_os = "linux") && !ignored).then_some(("-HUP", 129));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)].into_iter().chain(hangup) {
        let place = Place::new();
        let words = format!("{POINTS} --preset theano --set ema=0.9 --set log.checkpoint=0 --set log.samples=0");
        let child = start(&place, &format!("evolve {words} --out run"));
        wait_for(&place, "run", 3);
        let (ended, said) = stop(child, signal);
        assert_eq!(ended, Some(code), "{said}");
        let done = place.stats("run").len();
        assert!(said.contains(&format!("stopped after generation {done}; everything is saved\n")), "{said}");
        assert!(said.ends_with("go on with: ganatomy resume run\n"), "{said}");
        assert_eq!(place.names("run/checkpoints"), [format!("{done:06}")]);
        assert!(place.path(&format!("run/samples-{done:06}.png")).is_file(), "there is something to look at");
        assert!(place.path("run/curves.svg").is_file());

        // A signal in a resumed run is no different.
        let child = start(&place, "resume run");
        wait_for(&place, "run", done + 2);
        assert_eq!(stop(child, signal).0, Some(code));
        let total = place.stats("run").len() + 3;
        place.tell(&format!("resume run --generations {total}"));
        place.succeed(&format!("evolve {words} --generations {total} --out whole --quiet"));
        assert_same(&place.checkpoint("run", total), &place.checkpoint("whole", total));
        assert_eq!(place.timeless("run"), place.timeless("whole"));
    }
}

#[test]
fn two_programs_cannot_train_in_one_folder() {
    let place = Place::new();
    let child = start(&place, &format!("evolve {POINTS} --out run"));
    wait_for(&place, "run", 2);
    let id = child.id().to_string();
    let refused = place.run("resume run") + "\n" + &place.run(&format!("evolve {POINTS} --out run"));
    check("signals-lock", &refused.replace(&format!("process {id} "), "process [id] "));
    let (code, said) = stop(child, "-INT");
    assert_eq!(code, Some(130), "the first one is not disturbed: {said}");
    place.stats("run");
}

/// A short version of scripts/kill-test.sh.
#[test]
fn being_killed_costs_at_most_the_unfinished_generation() {
    let place = Place::new();
    let words = format!("{POINTS} --preset theano --set mu=2 --set log.samples=0");
    let mut saved = 0;
    for (kill, wait) in [40, 55, 5, 80, 120, 31, 97, 63].into_iter().enumerate() {
        let begun = place.path("run/config.toml").exists();
        let mut child = if begun {
            start(&place, "resume run")
        } else {
            start(&place, &format!("evolve {words} --set log.checkpoint=1 --out run"))
        };
        if kill > 0 && kill % 3 == 0 {
            wait_for(&place, "run", saved + 2);
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        assert!(!said.contains("error") && !said.contains("warning"), "{said}");
        if !place.path("run/config.toml").exists() {
            continue;
        }
        let store = train::checkpoint::Store::open(place.path("run"));
        let newest = store.list().unwrap().last().map_or(0, |&generation| generation as usize);
        assert!(newest >= saved, "generation {saved} was saved");
        // It loads, and without a generation more where there is a checkpoint.
        saved = newest.max(1);
        let said = place.tell(&format!("resume run --generations {saved}"));
        assert_eq!(said.contains(&format!("resuming run after generation {newest}\n")), newest > 0, "{said}");
        assert_eq!(place.stats("run").len(), saved);
        assert!(place.names("run/checkpoints").iter().all(|name| !name.starts_with('.')));
    }
    assert!(saved > 1);
    place.tell(&format!("resume run --generations {}", saved + 2));
    place.succeed(&format!("evolve {words} --set log.checkpoint=0 --generations {} --out whole --quiet", saved + 2));
    assert_same(&place.checkpoint("run", saved + 2), &place.checkpoint("whole", saved + 2));
}
