//! The life of a run, with the smallest training there is: numbers that move to a target by Adam.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use base::{Error, Result};
use ganatomy_train::checkpoint::{Checkpoint, Store};
use ganatomy_train::settings::{Key, Values};
use ganatomy_train::signals::{Interrupt, Signal};
use ganatomy_train::{
    Adam, Change, Files, Memory, Moments, OpenRun, Optimiser, Outcome, Pack, Parameter, RunSettings, Schedule, Shown,
    Start, TENSORS, Training, Unpack, check_finite, run_folder,
};
use net::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    task: String,
    /// A file, or nothing.
    data: String,
    target: f64,
    rounds: u64,
    lr: f64,
    /// The round whose place is no number; 0: none.
    burst: u64,
    log: Log,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    checkpoint: u64,
}

impl RunSettings for Settings {
    const TASK: Option<&'static str> = Some("approach");
    const COMMAND: &'static str = "approach it";
    const UNIT: &'static str = "round";
    const EXAMPLES: [&'static str; 2] = ["lr=0.1", "target=2"];
    const FREE: &'static [&'static str] = &["rounds"];
    const DATA: &'static [&'static str] = &["data"];
    const KEYS: &'static [Key] = &[
        Key::new("task", Values::OneOf(&["approach"]), "what is done"),
        Key::new("data", Values::Free("a file"), "where to begin"),
        Key::new("target", Values::Free("a number"), "where to go"),
        Key::new("rounds", Values::count(1000), "how often"),
        Key::new("lr", Values::Positive, "how fast"),
        Key::new("burst", Values::EVERY, "when it bursts"),
        Key::new("log.checkpoint", Values::EVERY, "how often it is saved"),
    ];

    fn beneath(table: &toml::Table, path: &Path) -> Result<Self> {
        if table.contains_key("task") { Ok(settings("")) } else { Err(Error::file(path, "is of something else")) }
    }

    fn schedule(&self) -> Schedule {
        Schedule { length: self.rounds, checkpoint: self.log.checkpoint, judged: 0, keep: 9 }
    }
}

fn settings(words: &str) -> Settings {
    let log = Log { checkpoint: 2 };
    let plain =
        Settings { task: "approach".into(), data: String::new(), target: 3.0, rounds: 5, lr: 0.5, burst: 0, log };
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    plain.with(&words).unwrap()
}

struct Approach {
    settings: Settings,
    /// What was asked of it, in order.
    acts: RefCell<Vec<String>>,
}

struct State {
    round: u64,
    place: Tensor,
    moments: Moments,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    step: u64,
    place: f32,
    score: Option<f64>,
}

impl Approach {
    fn note(&self, act: impl Into<String>) {
        self.acts.borrow_mut().push(act.into());
    }

    fn adam(&self) -> Adam {
        Adam { lr: self.settings.lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Training for Approach {
    type Settings = Settings;
    type State = State;
    type Work<'a> = &'a str;
    type Record = Record;
    type Error = Error;

    fn prepare(settings: Settings, _device: Device) -> Result<Self> {
        if settings.target > 1e6 {
            return Err(Error::setting("target", "is too far"));
        }
        if !settings.data.is_empty() {
            base::files::read(&settings.data, 100)?;
        }
        Ok(Self { settings, acts: RefCell::default() })
    }

    fn data(&self) -> Result<Vec<(&'static str, String)>> {
        let words = || fs::read_to_string(&self.settings.data).unwrap();
        Ok(if self.settings.data.is_empty() { Vec::new() } else { vec![("data", words())] })
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn begin(&self) -> Result<(State, Files)> {
        let place = Tensor::new(&[2], vec![0.0, 1.0], &Device::cpu());
        let moments = self.adam().begin(&[&place]);
        Ok((State { round: 0, place, moments }, vec![("target.txt", self.settings.target.to_string().into_bytes())]))
    }

    fn restore(&self, checkpoint: &Checkpoint) -> Result<State> {
        let steps = serde_json::from_slice(checkpoint.file("state.json")?).unwrap();
        let mut all = Unpack::read(checkpoint, &Device::cpu())?;
        let moments = all.take_memory("adam/", steps, &[vec![2]])?;
        Ok(State { round: checkpoint.generation, place: all.take("place", &[vec![2]])?.remove(0), moments })
    }

    fn save(&self, state: &State) -> Result<Files> {
        self.note(format!("save {}", state.round));
        let mut pack = Pack::default();
        pack.put("place", std::slice::from_ref(&state.place));
        pack.put_memory("adam/", &state.moments);
        Ok(vec![("state.json", state.moments.steps().to_string().into_bytes()), (TENSORS, pack.to_bytes()?)])
    }

    fn done(state: &State) -> u64 {
        state.round
    }

    fn open(&self, _state: &State) -> Result<&str> {
        self.note("open");
        Ok("open")
    }

    fn step(&self, work: &mut &str, state: &mut State) -> Result<Record> {
        assert_eq!(*work, "open");
        let gradient = state.place.unary(net::Unary::AddScalar { term: -self.settings.target });
        let place = Parameter { name: "place", value: &state.place, gradient: Some(&gradient) };
        let (mut values, moments) = self.adam().advance(&[place], &state.moments);
        let place = values[0].to_vec()[0];
        let finite = state.round + 1 != self.settings.burst;
        let place = if finite { place } else { f32::NAN };
        check_finite("the place", f64::from(place), state.round, "Stay near.")?;
        *state = State { round: state.round + 1, place: values.remove(0), moments };
        self.note(format!("step {}", state.round));
        Ok(Record { step: state.round, place, score: None })
    }

    fn judge(&self, state: &State, record: &mut Record, best: Option<f64>) -> Result<Option<f64>> {
        self.note(format!("judge {}, best {best:?}", state.round));
        // The third round is better than all others.
        let score = if state.round == 3 { 9.0 } else { state.round as f64 };
        record.score = Some(score);
        Ok(best.is_none_or(|best| score > best).then_some(score))
    }

    fn show(&self, _work: &mut &str, _state: &State, shown: &Shown<Self>) -> Result<()> {
        assert!(run_folder::is_run(shown.folder));
        let records = shown.records()?;
        assert_eq!(records.last(), Some(shown.record));
        if shown.due(3) {
            self.note(format!(
                "show {} of {}{}{}",
                shown.step,
                records.len(),
                match (shown.last, shown.stops) {
                    (true, _) => ", the last",
                    (false, true) => ", at a stop",
                    _ => "",
                },
                shown.resumed.map_or(String::new(), |step| format!(", resumed after {step}")),
            ));
        }
        Ok(())
    }

    fn circumstances(&self) -> Option<Map<String, Value>> {
        let noted = self.settings.target > 100.0;
        noted.then(|| Map::from_iter([("target".to_owned(), self.settings.target.into())]))
    }
}

fn start(words: &str, folder: &Path) -> OpenRun<Approach> {
    let place = || run_folder::create(folder).map(|()| folder.to_owned());
    Approach::start(settings(words), Device::cpu(), place).unwrap()
}

fn resume(words: &str, folder: &Path) -> Result<OpenRun<Approach>> {
    Approach::resume(folder, settings(words), Device::cpu())
}

/// Trains to the end; with `stop`, a signal comes while that round is watched.
fn train(run: &mut OpenRun<Approach>, stop: Option<u64>) -> Outcome {
    let interrupt = Interrupt::default();
    let watch = |record: &Record| {
        if Some(record.step) == stop {
            interrupt.request(Signal::Terminate);
        }
    };
    run.run(&interrupt, watch).unwrap()
}

fn message(error: &Error) -> String {
    format!("{error} | {}", error.hint().unwrap_or_default())
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let run = parent.path().join("run");
    (parent, run)
}

#[test]
fn a_run_is_told_judged_shown_and_saved_in_order() {
    let (_parent, out) = folder();
    let mut run = start("", &out);
    assert_eq!((run.begun(), run.done()), (&Start::New, 0));
    assert_eq!(train(&mut run, None), Outcome::Finished);
    insta::assert_snapshot!(run.training().acts.borrow().join("\n"), @r"
    open
    step 1
    step 2
    judge 2, best None
    save 2
    step 3
    show 3 of 3
    step 4
    judge 4, best Some(2.0)
    save 4
    step 5
    judge 5, best Some(4.0)
    save 5
    show 5 of 5, the last
    ");
    assert_eq!(run_folder_names(&out), ["checkpoints", "config.toml", "run.lock", "stats.jsonl", "target.txt"]);
    assert_eq!(fs::read_to_string(out.join("config.toml")).unwrap(), run.settings().to_toml());
    let store = Store::open(&out);
    assert_eq!(store.list().unwrap(), [2, 4, 5]);
    assert_eq!(store.best().unwrap().unwrap().generation, 5);
    assert_eq!(store.load(5).unwrap().config_hash, run.settings().hash());
}

fn run_folder_names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// The bytes of all that must not depend on interruptions.
fn story(folder: &Path) -> [Vec<u8>; 3] {
    let store = Store::open(folder);
    let last = *store.list().unwrap().last().unwrap();
    [folder.join("stats.jsonl"), store.path_of(last).join(TENSORS), store.folder().join("best.json")]
        .map(|path| fs::read(path).unwrap())
}

#[test]
fn an_interrupted_run_is_saved_unjudged_and_goes_on_bit_by_bit() {
    let ((_a, whole), (_b, parts)) = (folder(), folder());
    train(&mut start("rounds=8", &whole), None);
    let mut run = start("rounds=8", &parts);
    assert_eq!(train(&mut run, Some(4)), Outcome::Interrupted(Signal::Terminate));
    let acts = run.training().acts.borrow().join("; ");
    assert!(acts.ends_with("save 4; step 5; save 5; show 5 of 5, at a stop"), "{acts}");
    drop(run);
    let mut run = resume("rounds=8", &parts).unwrap();
    assert_eq!(run.begun(), &Start::Resumed { generation: 5, rejected: Vec::new() });
    assert_eq!(train(&mut run, None), Outcome::Finished);
    let acts = run.training().acts.borrow().join("; ");
    assert!(acts.starts_with("open; step 6; judge 6, best Some(4.0)"), "{acts}");
    assert_eq!(story(&parts), story(&whole));
    // All is done: there is nothing to be done again.
    drop(run);
    let mut run = resume("rounds=8", &parts).unwrap();
    assert_eq!(train(&mut run, None), Outcome::Finished);
    assert_eq!(story(&parts), story(&whole));
}

#[test]
fn a_run_may_become_longer_and_is_then_that_longer_run() {
    let ((_a, whole), (_b, parts)) = (folder(), folder());
    train(&mut start("rounds=6 log.checkpoint=0", &whole), None);
    train(&mut start("rounds=2 log.checkpoint=0", &parts), None);
    train(&mut resume("rounds=6 log.checkpoint=0", &parts).unwrap(), None);
    let state = |folder: &Path| story(folder)[1].clone();
    assert_eq!(state(&parts), state(&whole));
    assert_eq!(Settings::of_run(&parts).unwrap().rounds, 6);
}

#[test]
fn broken_checkpoints_are_passed_over_and_what_died_at_once_begins_again() {
    let ((_a, whole), (_b, out)) = (folder(), folder());
    train(&mut start("", &whole), None);
    train(&mut start("", &out), None);
    let newest = Store::open(&out).path_of(5);
    fs::write(newest.join("state.json"), "5 ").unwrap();
    let mut run = resume("", &out).unwrap();
    let Start::Resumed { generation: 4, rejected } = run.begun() else { panic!("{:?}", run.begun()) };
    assert_eq!(rejected[0].0, newest);
    assert!(rejected[0].1.starts_with("corrupt: state.json"), "{}", rejected[0].1);
    train(&mut run, None);
    assert_eq!(story(&out), story(&whole));
    drop(run);
    fs::remove_dir_all(out.join("checkpoints")).unwrap();
    fs::remove_file(out.join("target.txt")).unwrap();
    let mut run = resume("", &out).unwrap();
    assert_eq!(run.begun(), &Start::New);
    train(&mut run, None);
    assert_eq!(story(&out), story(&whole));
    assert!(out.join("target.txt").is_file());
}

#[test]
fn what_cannot_be_gone_on_with_is_refused_and_nothing_is_touched() {
    let (parent, out) = folder();
    train(&mut start("", &out), None);
    let before = story(&out);
    let refused = |words: &str| message(&resume(words, &out).err().unwrap()).replace(&out.display().to_string(), "RUN");
    insta::assert_snapshot!(refused("lr=0.1 target=4"), @"RUN: was made with other settings (lr: 0.5 -> 0.1; target: 3.0 -> 4.0) | Go on with what the run had, or with another run from here on by `allow_change`.");
    insta::assert_snapshot!(refused("rounds=4"), @"rounds: is 4, but 5 are done already | Ask for more, those already done included, or leave it out.");
    let held = resume("", &out).unwrap();
    assert!(refused("").contains("is at work in this folder"));
    drop(held);
    let none = message(&resume("", parent.path()).err().unwrap()).replace(&parent.path().display().to_string(), "DIR");
    insta::assert_snapshot!(none, @"DIR: is not a run folder: it holds no config.toml | Give the folder that `approach it` made.");
    assert_eq!(story(&out), before);
    assert_eq!(Settings::of_run(&out).unwrap(), settings(""));
    fs::write(out.join("config.toml"), "preset = \"paper\"\n").unwrap();
    assert!(refused("").contains("is of something else"));
    assert!(!Settings::are_in(&out) && !Settings::are_in(parent.path()));
}

#[test]
fn a_run_that_cannot_be_leaves_no_folder() {
    let place = || unreachable!("nothing is to be made");
    let refused = Approach::start(settings("target=1e9"), Device::cpu(), place).err().unwrap();
    assert_eq!(refused.to_string(), "target: is too far");
}

#[test]
fn a_value_that_is_not_finite_ends_the_run_at_its_last_checkpoint() {
    for (target, noted) in [(4.0, false), (400.0, true)] {
        let (_parent, out) = folder();
        let mut run = start(&format!("target={target} burst=4"), &out);
        let error = run.run(&Interrupt::default(), |_| ()).unwrap_err();
        assert_eq!(message(&error), "the place is NaN at generation 4 | Stay near.");
        assert_eq!((run.done(), Store::open(&out).list().unwrap()), (3, vec![2]));
        let dump = fs::read_to_string(out.join("nonfinite-000004.json"));
        assert_eq!(dump.is_ok(), noted);
        if let Ok(dump) = dump {
            let dump: Value = serde_json::from_str(&dump).unwrap();
            assert_eq!((&dump["what"], &dump["generation"]), (&"the place".into(), &4.into()));
            assert_eq!(dump["target"], 400.0);
        }
    }
}

#[test]
fn settings_made_by_hand_are_checked_before_a_folder_is_made() {
    let (_parent, folder) = folder();
    let refused = Approach::start_in(&folder, Settings { lr: -1.0, ..settings("") }, Device::cpu()).err().unwrap();
    assert_eq!(refused.to_string(), "lr: -1 is not a positive number");
    assert!(!folder.exists());
    let mut run = Approach::start_in(&folder, settings(""), Device::cpu()).unwrap();
    assert_eq!(run.run(&Interrupt::default(), |_| ()).unwrap(), Outcome::Finished);
    assert_eq!(run.folder(), folder);
    drop(run);
    assert!(Approach::start_in(&folder, settings(""), Device::cpu()).is_err(), "a run is not overwritten");
}

#[test]
fn settings_are_a_file_over_a_preset_and_single_values_over_both() {
    let (parent, _) = folder();
    let path = parent.path().join("mine.toml");
    fs::write(&path, "lr = 1\n[log]\ncheckpoint = 7\n").unwrap();
    let resolved = settings("").resolve(Some(&path), &["log.checkpoint=8".into()]).unwrap();
    assert_eq!(resolved, Settings { lr: 1.0, log: Log { checkpoint: 8 }, ..settings("") });
    let wrong = |text: &str| {
        fs::write(&path, text).unwrap();
        message(&settings("").resolve(Some(&path), &[]).unwrap_err()).replace(&path.display().to_string(), "FILE")
    };
    assert_eq!(wrong("lrr = 1\n"), "FILE: lrr: there is no such setting | Did you mean lr?");
    assert_eq!(wrong("rounds = 0\n"), "FILE: rounds: 0 is not a whole number from 1 to 1000 | ");
    assert_eq!(wrong("lr = \"high\"\n"), "FILE: lr: \"high\" is not a number | ");
    assert_eq!(wrong("task = 5\ntarget = true\n"), "FILE: target: true is not a number | ");
    // What was typed over the file is not the file's fault.
    fs::write(&path, "rounds = 7\n").unwrap();
    let typed = settings("").resolve(Some(&path), &["rounds=0".into()]).unwrap_err();
    assert_eq!(message(&typed), "rounds: 0 is not a whole number from 1 to 1000 | ");
    let word = message(&settings("").with(&["lr"]).unwrap_err());
    assert_eq!(word, "set: \"lr\" is not of the form key=value | For example `set lr=0.1` or `set target=2`.");
    // A file of a run is named for whatever is wrong in it.
    fs::write(&path, "task = \"approach\"\nrounds = 0\n").unwrap();
    let read = message(&Settings::read(&path).unwrap_err());
    assert!(read.ends_with("mine.toml: rounds: 0 is not a whole number from 1 to 1000 | "), "{read}");
    fs::write(&path, "task = \"approach\"\ntarget = 5.5\n").unwrap();
    assert_eq!(Settings::read(&path).unwrap(), settings("target=5.5"), "an older run has no other keys");
}

#[test]
fn only_what_decides_the_result_is_a_difference() {
    let (a, b) = (settings(""), settings("lr=0.25 rounds=9 log.checkpoint=1"));
    assert_eq!(a.differences(&b), ["lr: 0.5 -> 0.25"]);
    assert_ne!(a.hash(), b.hash());
    assert_eq!(a.hash(), settings("rounds=9 log.checkpoint=1").hash());
}

#[test]
fn a_memory_of_other_parameters_is_refused() {
    let (_parent, out) = folder();
    train(&mut start("", &out), None);
    let checkpoint = Store::open(&out).load(5).unwrap();
    let mut all = Unpack::read(&checkpoint, &Device::cpu()).unwrap();
    let moments: Moments = all.take_memory("adam/", 5, &[vec![2]]).unwrap();
    assert_eq!((moments.steps(), moments.first[0].shape()), (5, &[2][..]));
    for shape in [vec![3], vec![2]] {
        let refused = all.take("place", &[shape.clone(), shape]).unwrap_err().to_string();
        assert!(refused.contains("tensor \"place."), "{refused}");
    }
}

/// Goes on with a run as its file says it is now.
fn go_on(out: &Path, words: &str, change: Change) -> Result<OpenRun<Approach>> {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let settings = Settings::of_run(out)?.with(&words)?;
    OpenRun::resume(out, settings, Device::cpu(), change)
}

fn edit(out: &Path, from: &str, to: &str) {
    let path = out.join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_file_that_was_edited_is_refused_with_the_difference_or_goes_on_aloud() {
    let (_parent, out) = folder();
    train(&mut start("", &out), None);
    edit(&out, "lr = 0.5", "lr = 0.25");
    edit(&out, "checkpoint = 2", "checkpoint = 1");
    let refused = |words: &str| {
        message(&go_on(&out, words, Change::Refused).err().unwrap()).replace(&out.display().to_string(), "RUN")
    };
    insta::assert_snapshot!(refused("rounds=7"), @"RUN/config.toml: differs from the settings with which checkpoint 000005 was made (lr: 0.5 -> 0.25) | Go on with what the run had, or with another run from here on by `allow_change`.");
    let mut run = go_on(&out, "rounds=7", Change::Allowed).unwrap();
    let said = run.oddities().join("").replace(&out.display().to_string(), "RUN");
    insta::assert_snapshot!(said, @"RUN/config.toml differs from the settings with which checkpoint 000005 was made, and the run goes on with the new ones: lr: 0.5 -> 0.25");
    train(&mut run, None);
    drop(run);
    // From here on it is a run of these settings.
    let run = go_on(&out, "", Change::Refused).unwrap();
    assert!(run.oddities().is_empty() && run.settings().lr < 0.3);
}

#[test]
fn a_checkpoint_from_before_settings_were_kept_knows_their_hash() {
    let (_parent, out) = folder();
    train(&mut start("", &out), None);
    let newest = Store::open(&out).load(5).unwrap();
    let old: Vec<(&str, &[u8])> = newest
        .files
        .iter()
        .filter(|(name, _)| *name != "settings.toml")
        .map(|(n, b)| (n.as_str(), b.as_slice()))
        .collect();
    Store::open(&out).save(5, &old, &settings("").hash(), 9).unwrap();
    go_on(&out, "", Change::Refused).unwrap();
    edit(&out, "lr = 0.5", "lr = 0.25");
    let refused = message(&go_on(&out, "", Change::Refused).err().unwrap());
    assert!(
        refused.contains("differs from the settings with which checkpoint 000005 was made (it does not say"),
        "{refused}"
    );
    go_on(&out, "", Change::Allowed).unwrap();
}

#[test]
fn data_may_move_and_may_not_be_others() {
    let (parent, out) = folder();
    let data = parent.path().join("data.txt");
    fs::write(&data, "12 images").unwrap();
    train(&mut start(&format!("data={}", data.display()), &out), None);
    let moved = parent.path().join("moved.txt");
    fs::rename(&data, &moved).unwrap();
    let said = |text: &str| {
        text.replace(&parent.path().display().to_string(), "DIR").replace(&out.display().to_string(), "RUN")
    };
    let refused = |words: &str| said(&message(&go_on(&out, words, Change::Refused).err().unwrap()));
    let run = said(&out.display().to_string());
    assert_eq!(
        refused(""),
        format!("DIR/data.txt: is not there; {run} learns from it | Say where the data are now with `data`.")
    );
    let there = format!("data={}", moved.display());
    drop(go_on(&out, &there, Change::Refused).unwrap());
    assert_eq!(Settings::of_run(&out).unwrap().data, moved.display().to_string());
    fs::write(&moved, "2 images").unwrap();
    let other = refused("");
    assert!(
        other.starts_with(&format!(
            "{run}: was made with other data until checkpoint 000005 (data: 12 images -> 2 images) | "
        )),
        "{other}"
    );
    let run = go_on(&out, "", Change::Allowed).unwrap();
    assert!(run.oddities()[0].ends_with("the run goes on with the new ones: data: 12 images -> 2 images"));
}

#[test]
fn a_run_keeps_absolute_paths() {
    let here = std::env::current_dir().unwrap();
    let made = settings("data=some/file").absolute().unwrap();
    assert_eq!(made.data, here.join("some/file").display().to_string());
    assert_eq!(settings("").absolute().unwrap(), settings(""));
    assert_eq!(settings("data=a").hash(), settings("data=/b").hash(), "what lies there decides");
}

#[test]
fn a_memory_of_the_best_that_is_damaged_is_passed_over_aloud() {
    let damaged = [
        ("{", "is unreadable: "),
        ("{\"generation\":99,\"score\":0.5}", "is of generation 99, which has no checkpoint"),
    ];
    for (text, why) in damaged {
        let (_parent, out) = folder();
        train(&mut start("", &out), None);
        fs::write(out.join("checkpoints/best.json"), text).unwrap();
        let mut run = go_on(&out, "rounds=7", Change::Refused).unwrap();
        let said = run.oddities().join(" | ");
        assert!(said.starts_with("passed over ") && said.contains(why), "{said}");
        train(&mut run, None);
        assert_eq!(Store::open(&out).best().unwrap().unwrap().generation, 7);
    }
}

#[test]
fn a_story_with_gaps_is_told_of() {
    let (_parent, out) = folder();
    train(&mut start("", &out), None);
    fs::write(out.join("stats.jsonl"), "").unwrap();
    let run = go_on(&out, "", Change::Refused).unwrap();
    let said = run.oddities().join(" | ");
    assert!(
        said.ends_with(
            "stats.jsonl tells nothing of round 1 to 5: curves leave them out, and nothing else depends on them"
        ),
        "{said}"
    );
}

#[test]
fn a_state_with_a_value_that_is_not_finite_is_refused() {
    for value in [f32::NAN, f32::INFINITY] {
        let (_parent, out) = folder();
        train(&mut start("", &out), None);
        let good = Store::open(&out).load(5).unwrap();
        let second = Tensor::new(&[2], vec![0.1, value], &Device::cpu());
        let mut all = Unpack::read(&good, &Device::cpu()).unwrap();
        let [place, first] = ["place", "adam/first"].map(|name| all.take(name, &[vec![2]]).unwrap());
        let mut pack = Pack::default();
        pack.put("place", &place);
        pack.put("adam/first", &first);
        pack.put("adam/second", std::slice::from_ref(&second));
        let tensors = pack.to_bytes().unwrap();
        let mut files = good.files.clone();
        files.insert(TENSORS.into(), tensors);
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        Store::open(&out).save(5, &files, &good.config_hash, 9).unwrap();
        let refused = message(&go_on(&out, "", Change::Refused).err().unwrap());
        let reason = format!("holds a value that is not finite: the tensor \"adam/second.0\" has {value}");
        assert!(refused.contains(&reason) && refused.contains("Remove this checkpoint"), "{refused}");
    }
}
