//! What a run makes of checkpoints whose values were changed, and of a generator that has nothing to say.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use ganatomy_evolve::{Evolution, Settings, Stats};
use net::Device;
use serde_json::{Value, json};
use std::path::Path;
use train::checkpoint::Store;
use train::signals::Interrupt;
use train::{RunSettings, Training};

fn settings(words: &str) -> Settings {
    let small = "data=ring8 width=8 width_d=8 batch=8 eval=16 log.samples=0 log.checkpoint=0";
    let words: Vec<&str> = small.split(' ').chain(words.split_whitespace()).collect();
    Settings::preset("paper", true).unwrap().with(&words).unwrap()
}

fn run(folder: &Path, words: &str) -> Vec<Stats> {
    let mut told = Vec::new();
    let mut run = Evolution::start_in(folder, settings(words), Device::cpu()).unwrap();
    run.run(&Interrupt::default(), |stats| told.push(stats.clone())).unwrap();
    told
}

/// Why a run of two generations does not go on after its `state.json` was changed.
fn refused(words: &str, change: impl Fn(&mut Value)) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &format!("generations=2 {words}"));
    let store = Store::open(folder.path());
    let checkpoint = store.load(2).unwrap();
    let mut numbers: Value = serde_json::from_slice(checkpoint.file("state.json").unwrap()).unwrap();
    change(&mut numbers);
    let mut files = checkpoint.files.clone();
    files.insert("state.json".into(), serde_json::to_vec(&numbers).unwrap());
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    store.save(2, &files, &checkpoint.config_hash, 9).unwrap();
    let error =
        Evolution::resume(folder.path(), settings(&format!("generations=4 {words}")), Device::cpu()).err().unwrap();
    let checkpoint = checkpoint.path.display().to_string();
    error.to_string().replace(&format!("{checkpoint}/"), "")
}

#[test]
fn a_state_that_cannot_be_that_of_the_settings_is_refused() {
    assert_eq!(
        refused("", |state| state["population"] = json!([])),
        "state.json: has a population of 0; the settings ask for mu = 1"
    );
    assert_eq!(
        refused("mu=2", |state| state["population"] = json!([2])),
        "state.json: has a population of 1; the settings ask for mu = 2"
    );
    assert_eq!(
        refused("ema=0.9", |state| state["ema"] = json!(false)),
        "state.json: has no moving average; the settings ask for ema = 0.9"
    );
    assert_eq!(refused("", |state| state["generation"] = json!(7)), "state.json: is of generation 7");
    let left = refused("adam=per-mutation", |state| state["per_mutation"] = json!({}));
    assert!(
        left.starts_with("state.safetensors: holds a tensor \"heuristic.first.0\" that belongs to nothing"),
        "{left}"
    );
}

#[test]
fn samples_that_do_not_vary_are_told_of_once_they_have_not_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("grey");
    std::fs::create_dir(&data).unwrap();
    for shade in 0..10 {
        let image = data::Image::filled(8, 8, [25 * shade; 3]);
        std::fs::write(data.join(format!("{shade}.png")), data::pictures::png(&image).unwrap()).unwrap();
    }
    // A generator that does not move from where it began, where all its images are nearly one.
    let words = "image.size=8 width=4 width_d=4 batch=4 latent=6 mutations=[heuristic] d_steps=1 lr_g=1e-12 \
                 generations=510 log.samples=0 log.checkpoint=0";
    let data = format!("data={}", data.display());
    let words: Vec<&str> = words.split_whitespace().chain([&*data]).collect();
    let still = Settings::preset("paper", false).unwrap().with(&words).unwrap();
    let mut run = Evolution::start_in(folder.path().join("still"), still, Device::cpu()).unwrap();
    let mut told = Vec::new();
    run.run(&Interrupt::default(), |stats| told.push(stats.clone())).unwrap();
    let since = told.iter().position(|stats| stats.collapsed).unwrap();
    assert_eq!(told[since].generation, 500);
    assert!(told[since..].iter().all(|stats| stats.collapsed));
    let last = told.last().unwrap();
    assert!(last.sample_variance.unwrap() < 1e-3 && last.modes.is_none(), "{last:?}");
    assert!(last.d_accuracy.unwrap() > 0.9, "{last:?}");
}

#[test]
fn what_tells_of_a_collapse_is_told_of_every_generation() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is evaluated where there is one mutation: the fakes of D's steps are looked at.
    for words in ["generations=2", "generations=2 mutations=[heuristic]"] {
        let told = run(&folder.path().join(words), words);
        assert!(told.iter().all(|s| s.sample_variance.is_some() && s.d_accuracy.is_some() && s.modes.is_some()));
        assert!(told.iter().all(|stats| !stats.collapsed && stats.modes.unwrap() <= 8), "{told:?}");
    }
}

#[test]
fn what_a_run_will_take_is_known_before_it_begins() {
    for words in ["ema=0", "ema=0.9 mu=2", "adam=fresh"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&format!("width=256 width_d=256 generations=1 {words}"));
        let mut run = Evolution::start_in(folder.path(), settings, Device::cpu()).unwrap();
        let training = run.training();
        let told = training.checkpoint_bytes(run.state()).unwrap() as f64;
        assert!(training.seconds_of_a_step().unwrap() > 0.0 && training.memory().unwrap().unwrap() > 0);
        assert_eq!(run.done(), 0, "what was tried is thrown away");
        run.run(&Interrupt::default(), |_| ()).unwrap();
        let checkpoint = Store::open(folder.path()).load(1).unwrap();
        let written: usize = checkpoint.files.values().map(Vec::len).sum();
        assert!((0.9..1.02).contains(&(told / written as f64)), "{words}: {told} bytes were told, {written} written");
    }
}
