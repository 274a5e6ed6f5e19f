//! `ganatomy resume`

use crate::runs::{POINTS, TINY, assert_same, with_photos};
use crate::support::{Place, check};

/// Six generations in one go, and in two legs; all checkpoints are kept and compared.
fn legs(place: &Place, words: &str) {
    let words = format!("{words} --set log.checkpoint=1 --set log.keep=9 --set log.samples=3 --quiet");
    place.succeed(&format!("evolve {words} --generations 6 --out whole"));
    for k in [1, 3, 5] {
        place.succeed(&format!("evolve {words} --generations {k} --out legs{k}"));
        let before = place.files(&format!("legs{k}/checkpoints"));
        place.succeed(&format!("resume legs{k} --generations 6 --quiet"));
        place.assert_same_run("whole", &format!("legs{k}"));
        let after = place.files(&format!("legs{k}/checkpoints"));
        assert!(before.iter().filter(|(name, _)| *name != "best.json").all(|(name, bytes)| after[name] == *bytes));
        assert_eq!(place.read("whole/config.toml"), place.read(&format!("legs{k}/config.toml")));
    }
}

/// Epochs, flips, augmentation, batch-norm statistics, spectral norm's vectors, the moving average.
#[test]
fn images_from_a_folder_resume_to_the_same_bytes() {
    let augmented = "--set image.size=8 --set image.flip=true --set augment=[color,translation,cutout] --set ema=0.9";
    legs(&with_photos(), &format!("--data photos --preset modern {TINY} {augmented} --set mu=2"));
}

/// A moment of Adam per mutation, two survivors, and batch norm in both networks.
#[test]
fn points_resume_to_the_same_bytes() {
    legs(&Place::new(), &format!("{POINTS} --preset theano --set mu=2 --set norm_g=batch --seed 3"));
}

#[test]
fn random_and_elitist_selection_resume_to_the_same_bytes() {
    legs(&Place::new(), &format!("{POINTS} --set selection=random --set fakes=fresh --set mu=2 --set ema=0.5"));
    legs(&Place::new(), &format!("{POINTS} --set selection=elitist --set adam=fresh --set noise=independent"));
}

#[test]
fn a_penalty_resumes_to_the_same_bytes() {
    let wgan = "--set d_loss=wasserstein --set mutations=[wasserstein] --set penalty.gp=10 --set norm_d=none";
    legs(&Place::new(), &format!("{POINTS} {wgan} --set d_steps=2"));
}

#[test]
fn a_corrupt_checkpoint_is_passed_over_aloud_and_made_again() {
    let place = Place::new();
    for run in ["whole", "torn"] {
        place.succeed(&format!("evolve {POINTS} --set log.checkpoint=1 --generations 6 --out {run} --quiet"));
    }
    let name = "torn/checkpoints/000006/state.safetensors";
    let mut bytes = place.read(name);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    place.write(name, &bytes);
    place.write("torn/checkpoints/000005/generator.safetensors", b"short");
    place.write("torn/stats.jsonl", &[place.read("torn/stats.jsonl"), b"{\"generation\":7,\"sec".to_vec()].concat());
    check("resume-corrupt", &blank_hashes(&place.run("resume torn")));
    place.assert_same_run("whole", "torn");
    assert!(!place.tell("resume torn").contains("passed over"));
}

fn blank_hashes(text: &str) -> String {
    let blank = |word: &str| {
        let hex = word.trim_end_matches([',', ')']);
        let is_hash = [16, 64].contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash { word.replace(hex, "[hash]") } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(blank).collect::<Vec<_>>().join(" ");
    text.lines().map(|l| line(l) + "\n").collect()
}

#[test]
fn no_whole_checkpoint_is_an_error() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 1 --out run --quiet"));
    place.write("run/checkpoints/000001/state.json", b"");
    let before = place.files("run");
    check("resume-none-whole", &place.run("resume run"));
    let after = place.files("run");
    assert!(before.keys().filter(|name| *name != "run.lock").all(|name| before[name] == after[name]));
}

#[test]
fn a_run_that_died_before_its_first_checkpoint_begins_again() {
    let place = Place::new();
    for run in ["whole", "begun"] {
        place.succeed(&format!("evolve {POINTS} --generations 3 --out {run} --quiet"));
    }
    std::fs::remove_dir_all(place.path("begun/checkpoints")).unwrap();
    place.tell("resume begun");
    place.assert_same_run("whole", "begun");
}

#[test]
fn what_can_and_what_cannot_be_changed() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 2 --out run --quiet"));
    place.write("photos/a.png", b"");
    let before = place.files("run");
    let words = [
        "run --set batch=4",
        "run --set batch=4 --set seed=1 --set mutations=[hinge] --set penalty.r1=1",
        "run --set bacth=4",
        "run --generations many",
        "photos",
        "nothing",
        "photos/a.png",
    ];
    check("resume-wrong", &words.map(|words| place.run(&format!("resume {words}")) + "\n").concat());
    assert_same(&before, &place.files("run"));
    place.tell("resume run --generations 4 --set log.checkpoint=1 --set log.keep=1");
    assert_eq!(place.stats("run").len(), 4);
    assert_eq!(place.names("run/checkpoints").iter().rfind(|name| name.starts_with('0')).unwrap(), "000004");
}

#[test]
fn a_finished_run_is_done() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 3 --out run --quiet"));
    let (checkpoints, stats) = (place.files("run/checkpoints"), place.read("run/stats.jsonl"));
    check("resume-finished", &(place.run("resume run") + "\n" + &place.run("resume run --generations 3")));
    assert_same(&checkpoints, &place.files("run/checkpoints"));
    assert_eq!(place.read("run/stats.jsonl"), stats);
}

#[test]
fn fewer_generations_than_are_done_are_refused() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 3 --out run --quiet"));
    let before = place.files("run");
    check(
        "resume-fewer",
        &(place.run("resume run --generations 2") + "\n" + &place.run("resume run --set generations=1")),
    );
    let after = place.files("run");
    assert!(before.keys().filter(|name| *name != "run.lock").all(|name| before[name] == after[name]));
}

/// Staging is beside the target, never in the system's temporary folder.
#[test]
fn the_temporary_folder_is_not_needed() {
    let place = Place::new();
    let mut command = place.command(&format!("evolve {POINTS} --generations 1 --out run --quiet"));
    assert!(command.env("TMPDIR", "/nonexistent").status().unwrap().success());
    assert!(place.path("run/checkpoints/000001/manifest.json").is_file());
}

/// Case 19 of public reports: the same name in another folder, and another working folder.
#[test]
fn a_run_goes_on_from_any_folder_with_its_own_data() {
    let place = with_photos();
    let run = format!("--data photos --preset modern {TINY} --set image.size=8");
    place.succeed(&format!("evolve {run} --generations 2 --out run --quiet"));
    let config = String::from_utf8(place.read("run/config.toml")).unwrap();
    let photos = place.path("photos").canonicalize().unwrap();
    let data = config.lines().find_map(|line| line.strip_prefix("data = \"")).unwrap().trim_end_matches('"');
    assert_eq!(std::path::Path::new(data).canonicalize().unwrap(), photos, "the run keeps where its data are");
    assert!(!String::from_utf8_lossy(&place.read("run/checkpoints/000002/ema.safetensors")).contains(data));

    // Two other images of that name lie in another folder: the run does not take them.
    for n in [1, 2] {
        place.write(&format!("b/photos/x{n}.png"), &place.read(&format!("photos/{n}.png")));
    }
    let elsewhere = |words: &str| {
        let mut command = place.command(words);
        let output = command.current_dir(place.path("b")).output().unwrap();
        crate::support::shown(words, &output)
    };
    assert!(elsewhere("resume ../run --generations 3").contains("exit code: 0"));
    place.succeed(&format!("evolve {run} --generations 3 --out whole --quiet"));
    assert_same(&place.checkpoint("run", 3), &place.checkpoint("whole", 3));

    // Moved, and others.
    std::fs::rename(place.path("photos"), place.path("moved")).unwrap();
    let gone = place.run("resume run --generations 4");
    let others = place.run("resume run --generations 4 --data b/photos");
    check("resume-other-data", &blank_hashes(&format!("{gone}\n{others}")));
    place.tell("resume run --generations 4 --data moved");
    place.tell("resume run --generations 4");
    let output = place.output("resume run --generations 5 --data b/photos --allow-change");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("warning: run was made with other data until checkpoint 000004"),
        "{said}"
    );
    place.tell("resume run --generations 6");
}

/// R7: a hash of the settings was kept, and read by nobody.
#[test]
fn a_config_that_was_edited_is_refused_with_the_difference() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 2 --out run --quiet"));
    let config = String::from_utf8(place.read("run/config.toml")).unwrap();
    let edited = config
        .replace("lr_g = 0.0001", "lr_g = 0.5")
        .replace("seed = 0", "seed = 7")
        .replace("latent = 2", "latent = 3")
        .replace("d_loss = \"minimax\"", "d_loss = \"hinge\"");
    place.write("run/config.toml", edited.as_bytes());
    let refused = place.run("resume run --generations 4");
    let unfit = place.run("resume run --generations 4 --allow-change");
    place.write("run/config.toml", config.replace("lr_g = 0.0001", "lr_g = 0.5").as_bytes());
    let allowed = place.run("resume run --generations 4 --allow-change");
    place.write("run/config.toml", place.read("run/config.toml").to_ascii_uppercase().as_slice());
    let broken = place.run("resume run");
    check("resume-edited", &[refused, unfit, allowed, broken].join("\n"));
}

#[test]
fn a_story_that_was_emptied_and_a_damaged_memory_of_the_best_are_told_of() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 3 --out run --quiet"));
    place.write("run/stats.jsonl", b"");
    place.write("run/checkpoints/best.json", b"{\"generation\":");
    let said = String::from_utf8(place.output("sample run --seeds 0..2 --out x.png").stderr).unwrap();
    assert!(
        said.contains("warning: the best checkpoint is passed over: run/checkpoints/best.json: is unreadable"),
        "{said}"
    );
    check("resume-lost-records", &place.run("resume run --generations 4"));
    let lines = place.read("run/stats.jsonl");
    assert!(lines.starts_with(b"{\"generation\":4,"));
}
