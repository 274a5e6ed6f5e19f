use super::*;
use crate::Segment;
use data::pictures;
use std::fs;
use std::path::Path;
use train::checkpoint::Store;
use train::signals::Interrupt;
use train::{OpenRun, Outcome, RunSettings, Start, Training as _, stats};

fn settings(words: &str) -> Settings {
    let tiny = "size=32 width=4 levels=2 batch=4 log.judged=8";
    let words: Vec<String> = format!("{tiny} {words}").split_whitespace().map(str::to_owned).collect();
    Settings::preset("scenes").with(&words).unwrap()
}

fn start(settings: Settings, folder: &Path) -> OpenRun<Training> {
    Training::start(settings, Device::cpu(), || train::run_folder::create(folder).map(|()| folder.to_owned())).unwrap()
}

fn tables(run: &OpenRun<Training>) -> Vec<Confusion> {
    run.training().tables(run.state().segmenter()).unwrap()
}

fn segmenter_of(folder: &Path, step: u64) -> Vec<u8> {
    fs::read(Store::open(folder).path_of(step).join(crate::SEGMENTER)).unwrap()
}

#[test]
fn it_learns_scenes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    // With weights, so that rare classes are found in the few steps of a test.
    let mut run = start(settings("steps=120 width=8 lr=0.01 log.checkpoint=0 weighting=root"), &out);
    let before = tables(&run)[0].mean_iou();
    let mut losses = Vec::new();
    assert_eq!(run.run(&Interrupt::default(), |s| losses.push(s.loss)).unwrap(), Outcome::Finished);
    let after = tables(&run)[0].mean_iou();
    assert!(losses[119] < losses[0] / 2.0, "{} {}", losses[0], losses[119]);
    assert!(after > before + 0.15, "{before} {after}");
    for name in ["config.toml", "stats.jsonl", "preview.png", "loss.svg", "iou.svg"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let back = Segmenter::load(out.join("checkpoints/000120").join(crate::SEGMENTER), &Device::cpu()).unwrap();
    assert!(back.learnt_ignored());
    let judged = crate::evaluate(&back, run.training().held_out(), 8, false, &Device::cpu(), |_| ()).unwrap();
    assert_eq!(judged, tables(&run));
}

#[test]
fn an_interrupted_run_goes_on_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let settings = settings("steps=6 log.checkpoint=3 augment.shift=2");
    start(settings.clone(), &whole).run(&Interrupt::default(), |_| ()).unwrap();
    let interrupt = Interrupt::default();
    let stop = |stats: &Stats| {
        if stats.step == 3 {
            interrupt.request(train::signals::Signal::Interrupt);
        }
    };
    let outcome = start(settings.clone(), &parts).run(&interrupt, stop).unwrap();
    assert_eq!(outcome, Outcome::Interrupted(train::signals::Signal::Interrupt));
    let mut run = Training::resume(&parts, settings.clone(), Device::cpu()).unwrap();
    assert!(matches!(run.begun(), Start::Resumed { generation: 4, .. }), "{:?}", run.begun());
    run.run(&Interrupt::default(), |_| ()).unwrap();
    assert_eq!(segmenter_of(&parts, 6), segmenter_of(&whole, 6));
    let losses = |folder: &Path| {
        let stats: Vec<Stats> = stats::read(folder.join("stats.jsonl")).unwrap();
        stats.into_iter().map(|s| (s.step, s.loss)).collect::<Vec<_>>()
    };
    assert_eq!(losses(&parts), losses(&whole));
    drop(run);
    let other = settings.with(&["batch=8"]).unwrap();
    let refused = Training::resume(&parts, other, Device::cpu()).err().unwrap().to_string();
    assert!(refused.ends_with("was made with other settings (batch: 4 -> 8)"), "{refused}");
}

/// A folder of 10x6 pictures: the left part dark, the right one bright, a column between them not labelled.
fn halves(folder: &Path, n: usize) {
    fs::create_dir_all(folder.join("images")).unwrap();
    fs::create_dir_all(folder.join("labels")).unwrap();
    for i in 0..n {
        let edge = 3 + i % 4;
        let pixels: Vec<u8> = (0..60).flat_map(|p| [if p % 10 < edge { 40 } else { 200 }; 3]).collect();
        let image = data::Image::new(10, 6, 3, pixels).unwrap();
        let class = |p: usize| if p % 10 == edge { 9 } else { u16::from(p % 10 > edge) };
        let map = data::LabelMap { width: 10, height: 6, classes: (0..60).map(class).collect() };
        fs::write(folder.join(format!("images/{i:02}.png")), pictures::png(&image).unwrap()).unwrap();
        fs::write(folder.join(format!("labels/{i:02}.png")), pictures::labels_png(&map).unwrap()).unwrap();
    }
    let classes = r#"{"classes": [{"name": "dark"}, {"name": "bright"}], "ignore_index": 9}"#;
    fs::write(folder.join("classes.json"), classes).unwrap();
}

#[test]
fn a_folder_of_images_that_are_not_square_is_learnt_and_its_last_part_kept() {
    let folder = tempfile::tempdir().unwrap();
    halves(&folder.path().join("set"), 20);
    let data = folder.path().join("set").display().to_string();
    let words: Vec<String> =
        ["steps=60", "width=4", "levels=2", "batch=4", "lr=0.01", "held_out=0.2", "augment.shift=1", "log.judged=99"]
            .map(str::to_owned)
            .to_vec();
    let settings = Settings::preset(&data).with(&words).unwrap();
    let mut run = start(settings, &folder.path().join("run"));
    assert_eq!((run.training().dataset().len(), run.training().held_out().len()), (Some(16), Some(4)));
    assert_eq!(run.state().segmenter().image_shape(), [3, 6, 10]);
    run.run(&Interrupt::default(), |_| ()).unwrap();
    let table = tables(&run).remove(0);
    assert_eq!(table.rows().flatten().sum::<u64>(), 4 * (60 - 6));
    assert!(table.mean_iou() > 0.9, "{}", table.mean_iou());
}

#[test]
fn a_training_can_begin_with_the_weights_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    start(settings("steps=2"), &first).run(&Interrupt::default(), |_| ()).unwrap();
    let from = Store::open(&first).path_of(2).join(crate::SEGMENTER).display().to_string();
    let settings = settings("steps=2 log.checkpoint=1 weighting=none");
    let mut run = start(Settings { from: from.clone(), ..settings.clone() }, &second);
    let weights = |s: &Segmenter| s.network().params.tensors()[0].to_vec();
    let learnt = weights(&Segmenter::load(&from, &Device::cpu()).unwrap());
    assert_eq!(weights(run.state().segmenter()), learnt);
    run.run(&Interrupt::default(), |_| ()).unwrap();
    assert_ne!(weights(run.state().segmenter()), learnt);
    drop(run);
    // A run that has checkpoints goes on without them.
    fs::remove_dir_all(&first).unwrap();
    Training::resume(&second, Settings { from: from.clone(), ..settings.clone() }, Device::cpu()).unwrap();
    let other = Store::open(&second).path_of(2).join(crate::SEGMENTER).display().to_string();
    let wider = Settings { from: other, width: 8, ..settings };
    let refused = Training::start(wider, Device::cpu(), || unreachable!("nothing is to be made")).err().unwrap();
    assert!(refused.to_string().contains("is a segmenter of another form"), "{refused}");
}

#[test]
fn data_and_settings_that_do_not_fit_are_refused_before_a_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |settings: Settings| {
        let place = || unreachable!("nothing is to be made");
        let error = Training::start(settings, Device::cpu(), place).err().unwrap();
        format!("{error} | {}", error.hint().unwrap_or_default())
    };
    let tall = refused(settings("levels=6"));
    assert_eq!(tall, "levels: 6 halvings leave nothing of 32x32 pixels | Choose fewer levels or a larger `size`.");
    fs::create_dir_all(folder.path().join("plain")).unwrap();
    let image = data::Image::filled(32, 32, [9; 3]);
    fs::write(folder.path().join("plain/a.png"), pictures::png(&image).unwrap()).unwrap();
    let plain = Settings { data: folder.path().join("plain").display().to_string(), ..settings("") };
    assert!(refused(plain).contains("has no label maps | Take scenes, or a folder"));
    assert!(refused(Settings { data: "ring8".into(), ..settings("") }).contains("has points, not images"));
    halves(&folder.path().join("set"), 3);
    let set = folder.path().join("set").display().to_string();
    let all = Settings { data: set.clone(), held_out: 1.0, ..settings("") };
    assert!(refused(all).starts_with("held_out: leaves none of 3 images to learn from"));
    let other = Settings { val: set, ..settings("") };
    assert!(refused(other).contains("has other images or classes than scenes"));
}

#[test]
fn moments_that_are_not_finite_end_the_run_and_are_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut run = start(settings("steps=4 log.checkpoint=1"), &out);
    let interrupt = Interrupt::default();
    run.run(&interrupt, |_| interrupt.request(train::signals::Signal::Interrupt)).unwrap();
    drop(run);
    // The state as it is, with one moment changed.
    let change = |value: f32| {
        let store = Store::open(&out);
        let checkpoint = store.load(*store.list().unwrap().last().unwrap()).unwrap();
        let training = Training::of(settings("steps=4 log.checkpoint=1"), Device::cpu()).unwrap();
        let mut state = train::Training::restore(&training, &checkpoint).unwrap();
        let shape = state.moments.second[0].shape().to_vec();
        let mut values = state.moments.second[0].to_vec();
        values[0] = value;
        state.moments.second[0] = Tensor::new(&shape, values, &Device::cpu());
        (training, state, checkpoint)
    };
    let (training, mut state, checkpoint) = change(f32::INFINITY);
    let mut loader = train::Training::open(&training, &state).unwrap();
    let error = train::Training::step(&training, &mut loader, &mut state).unwrap_err().to_string();
    assert!(
        error.starts_with("the second moment of ") && error.contains(" of the segmenter is inf at generation "),
        "{error}"
    );
    let files = train::Training::save(&training, &state).unwrap();
    let mut contents: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    contents.push(("settings.toml", checkpoint.file("settings.toml").unwrap()));
    Store::open(&out).save(checkpoint.generation, &contents, &checkpoint.config_hash, 9).unwrap();
    let refused =
        Training::resume(&out, settings("steps=4 log.checkpoint=1"), Device::cpu()).err().unwrap().to_string();
    assert!(refused.contains("holds a value that is not finite: the tensor \"second.0\" has inf"), "{refused}");
}
