//! Dissections whose answer is known: generators built by hand, and shards against the whole.

#![expect(clippy::unwrap_used, reason = "tests")]

use data::{Class, LabelMap, Plane};
use ganatomy_dissect::{
    CausalSettings, CausalTask, Dissection, Means, Origin, Outcome, Plan, Rule, Settings, Shard, Subject, Unwatched,
    causal, dissect, merge,
};
use net::{Conv, Device, Graph, Init, Network, Op, Params, Tensor, Unary};
use segment::{Oracle, Segment, Segmenter};
use std::path::Path;

const SIDE: usize = 8;

/// A generator whose units are made by hand: unit u is 1 where number u of the latent at that pixel is above `threshold`, else
/// 0. `mix[u]` lists the latent's channels whose units are added up in it, and the image's colour c shows channel c.
fn by_hand(channels: usize, threshold: f64, mix: &[&[usize]]) -> Network {
    let mut graph = Graph::default();
    let param = |graph: &mut Graph, name: &str, shape: &[usize]| {
        graph.push(name, Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true }, &[])
    };
    let z = graph.push("z", Op::input(&[channels * SIDE * SIDE]), &[]);
    let maps = graph.push("maps", Op::Reshape { shape: vec![channels, SIDE, SIDE] }, &[z]);
    let shifted = graph.push("shifted", Unary::AddScalar { term: -threshold }, &[maps]);
    let steep = graph.push("steep", Unary::Scale { factor: 1e6 }, &[shifted]);
    let masks = graph.push("masks", Unary::Sigmoid, &[steep]);
    let w = param(&mut graph, "mix.weight", &[mix.len(), channels, 1, 1]);
    let mixed = graph.push("mix", Op::conv2d(Conv::new(1, 0)), &[masks, w]);
    let units = graph.push("units", Unary::Relu, &[mixed]);
    let w = param(&mut graph, "image.weight", &[3, channels, 1, 1]);
    let b = param(&mut graph, "image.bias", &[3]);
    let image = graph.push("image", Op::conv2d(Conv::new(1, 0)), &[masks, w, b]);
    graph.push("x", Unary::Tanh, &[image]);
    // The units lie on no way to the image; they are looked at all the same.
    let _ = units;
    let device = Device::cpu();
    let mut mixing = vec![0.0; mix.len() * channels];
    for (unit, parts) in mix.iter().enumerate() {
        parts.iter().for_each(|&part| mixing[unit * channels + part] = 1.0);
    }
    let mut colours = vec![0.0; 3 * channels];
    (0..3).for_each(|c| colours[c * channels + c] = 2.0);
    let tensor = |shape: &[usize], values| Tensor::new(shape, values, &device);
    let params = Params::new(vec![
        tensor(&[mix.len(), channels, 1, 1], mixing),
        tensor(&[3, channels, 1, 1], colours),
        tensor(&[3], vec![-1.0; 3]),
    ]);
    Network { graph: graph.into(), params, notes: Vec::new() }
}

/// A plane for each colour, with one class: the pixels where the colour is above 0.
fn colours(side: usize) -> Oracle<impl Fn(&[f32]) -> Vec<LabelMap> + Sync> {
    let plane = |name: &str| {
        let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
        Plane { name: format!("is {name}"), classes: vec![class("none"), class(name)], ignore: Some(0) }
    };
    Oracle::new(["red", "green", "blue"].map(plane).into(), [3, side, side], move |image: &[f32]| {
        let map = |values: &[f32]| LabelMap {
            width: side,
            height: side,
            classes: values.iter().map(|&v| u16::from(v > 0.0)).collect(),
        };
        image.chunks_exact(side * side).map(map).collect()
    })
}

fn run(folder: &Path, network: &Network, segmenter: &dyn Segment, settings: Settings, shard: Shard) -> Dissection {
    let device = Device::cpu();
    let subject = Subject::new(network, &[], &device).unwrap();
    let origins = [Origin::of_network("model", network).unwrap(), Origin { name: "oracle".into(), blake3: "0".into() }];
    let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, shard);
    let means = Means { subject: &subject, segmenter, real: None, device: &device };
    dissect(folder, &plan, &means, &mut Unwatched).unwrap().unwrap()
}

fn few() -> Settings {
    Settings { samples: 300, fit_samples: 200, top_images: 3, ..Settings::default() }
}

/// Truth test (a): the channels are the class masks.
#[test]
fn units_that_are_the_masks_are_found_exactly() {
    let folder = tempfile::tempdir().unwrap();
    // About 1.4 % of the pixels are on: the level of the top 1 % is then just below 1.
    let network = by_hand(3, 2.2, &[&[1], &[0], &[2]]);
    let findings = run(folder.path(), &network, &colours(SIDE), few(), Shard::WHOLE).findings();
    let layer = findings.layers.iter().find(|l| l.layer == "units").unwrap();
    let found: Vec<_> = layer.units.iter().map(|u| (u.label.as_deref().unwrap(), u.iou, u.interpretable)).collect();
    assert_eq!(found, [("green", 1.0, true), ("red", 1.0, true), ("blue", 1.0, true)]);
    assert!(layer.units.iter().all(|u| u.iou_interval == [1.0; 2] && (u.iqr - 1.0).abs() < 1e-12), "{layer:?}");
    for class in &findings.classes {
        let expected = 0.0139;
        let [low, high] = class.generated_interval;
        assert!(low < expected && expected < high && (class.generated - expected).abs() < 0.003, "{class:?}");
    }
    let table = std::fs::read_to_string(folder.path().join("units.csv")).unwrap();
    assert!(table.starts_with("layer,unit,label,category,iou,iqr,threshold,interpretable,"), "{table}");
    assert!(table.contains("\nunits,0,green,is green,1.000000,1.000000,"), "{table}");
}

/// Truth test (b): known mixtures, and channels that have nothing to do with the image.
#[test]
fn mixtures_are_half_right_and_distractors_are_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let distractors: Vec<[usize; 1]> = (3..23).map(|u| [u]).collect();
    let mut mix: Vec<&[usize]> = vec![&[0], &[1, 2], &[2, 3]];
    mix.extend(distractors.iter().map(<[usize; 1]>::as_slice));
    // The level lets everything above 0 count, and only the chance level tells units from distractors.
    let settings = Settings { top: 0.03, min_iou: 0.0, ..few() };
    let findings = run(folder.path(), &by_hand(23, 2.2, &mix), &colours(SIDE), settings, Shard::WHOLE).findings();
    let layer = findings.layers.iter().find(|l| l.layer == "units").unwrap();
    let interpretable: Vec<usize> = layer.units.iter().filter(|u| u.interpretable).map(|u| u.unit).collect();
    assert_eq!(interpretable, [0, 1, 2], "precision and recall are 1");
    assert_eq!(layer.units[0].iou, 1.0);
    for unit in [1, 2] {
        // Two sets of equal size, all but disjoint: one of them is half of their union.
        assert!((layer.units[unit].iou - 0.5).abs() < 0.08, "{:?}", layer.units[unit]);
    }
    assert!(layer.chance_iou < 0.03 && layer.units[3..].iter().all(|u| u.iou < 0.05), "{}", layer.chance_iou);
}

#[test]
fn the_information_quality_rule_finds_the_level_of_a_mask() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { samples: 300, fit_samples: 200, ..Settings::preset("iclr2019").unwrap() };
    // On for 16 % of the pixels, which a fixed share of 1 % could not show.
    let network = by_hand(4, 1.0, &[&[0], &[3], &[1]]);
    let findings = run(folder.path(), &network, &colours(SIDE), settings, Shard::WHOLE).findings();
    let layer = findings.layers.iter().find(|l| l.layer == "units").unwrap();
    let shown: Vec<_> = layer.units.iter().map(|u| (u.label.as_deref(), u.interpretable)).collect();
    assert_eq!((shown[0], shown[2]), ((Some("red"), true), (Some("green"), true)));
    assert!(!shown[1].1, "a distractor");
    assert!(layer.units[0].iou > 0.99 && layer.units[0].iqr > 0.99, "{:?}", layer.units[0]);
}

/// A generator whose image is made of its units: colour c shows unit `shows[c]`, other units show nowhere.
fn on_the_way(units: usize, shows: [usize; 3]) -> Network {
    let mut graph = Graph::default();
    let param = |graph: &mut Graph, name: &str, shape: &[usize]| {
        graph.push(name, Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true }, &[])
    };
    let z = graph.push("z", Op::input(&[units * SIDE * SIDE]), &[]);
    let maps = graph.push("maps", Op::Reshape { shape: vec![units, SIDE, SIDE] }, &[z]);
    let shifted = graph.push("shifted", Unary::AddScalar { term: -1.5 }, &[maps]);
    let steep = graph.push("steep", Unary::Scale { factor: 1e6 }, &[shifted]);
    let units_node = graph.push("units", Unary::Sigmoid, &[steep]);
    let w = param(&mut graph, "image.weight", &[3, units, 1, 1]);
    let b = param(&mut graph, "image.bias", &[3]);
    let image = graph.push("image", Op::conv2d(Conv::new(1, 0)), &[units_node, w, b]);
    graph.push("x", Unary::Tanh, &[image]);
    let mut colours = vec![0.0; 3 * units];
    shows.iter().enumerate().for_each(|(c, unit)| colours[c * units + unit] = 2.0);
    let tensor = |shape: &[usize], values| Tensor::new(shape, values, &Device::cpu());
    let params = Params::new(vec![tensor(&[3, units, 1, 1], colours), tensor(&[3], vec![-1.0; 3])]);
    Network { graph: graph.into(), params, notes: Vec::new() }
}

/// The planes of [`colours`] as a network: the logit of a class is its colour.
fn colour_network() -> Segmenter {
    let mut graph = Graph::default();
    let x = graph.push("image", Op::input(&[3, SIDE, SIDE]), &[]);
    let init = Init::Constant(0.0);
    let w = graph.push("weight", Op::Param { shape: vec![6, 3, 1, 1], init, trainable: true }, &[]);
    graph.push("logits", Op::conv2d(Conv::new(1, 0)), &[x, w]);
    let weights = (0..6).flat_map(|k| (0..3).map(move |c| if k / 2 == c { [-3.0, 3.0][k % 2] } else { 0.0 }));
    let params = Params::new(vec![Tensor::new(&[6, 3, 1, 1], weights.collect(), &Device::cpu())]);
    let network = Network { graph: graph.into(), params, notes: Vec::new() };
    Segmenter::new(network, colours(SIDE).planes().to_vec()).unwrap()
}

/// Truth test (a), causes: the search must name exactly the unit that makes a class, and insertion must obey.
#[test]
fn the_cause_of_a_class_is_named_and_obeys() {
    let folder = tempfile::tempdir().unwrap();
    let network = on_the_way(12, [7, 2, 5]);
    let segmenter = colour_network();
    // 7 % of the pixels of each unit are on.
    let settings = Settings { top: 0.05, ..few() };
    let dissection = run(folder.path(), &network, &segmenter, settings, Shard::WHOLE);
    let subject = Subject::new(&network, &[], &Device::cpu()).unwrap();
    let layer = subject.layers().iter().position(|layer| layer.name == "units").unwrap();
    let settings = CausalSettings {
        pool: 120,
        kept: 40,
        held_out: 8,
        epochs: 8,
        curve_images: 40,
        curve_units: vec![1, 2],
        insertion_images: 500,
        ..CausalSettings::default()
    };
    for (class, unit) in [("red", 7), ("green", 2), ("blue", 5)] {
        let concept = dissection.concepts.find(class).unwrap();
        let task = CausalTask { dissection: &dissection, layer, concept, settings: &settings, partial: None };
        let found = causal(&subject, &segmenter, &task, &mut Unwatched);
        let Outcome::Found(found) = found.unwrap() else { panic!("{class} has causes") };
        assert_eq!((found.units[0], found.iou_units[0]), (unit, unit));
        assert!(found.alpha[0] > 0.9 && found.alpha[1] < 0.1, "{:?}", found.alpha);
        assert_eq!((found.curve[0].causal, found.curve[0].iou), (1.0, 1.0), "without its unit the class is gone");
        assert!(found.curve[1].random < 0.7, "{:?}", found.curve);
        assert!((found.inserted[unit] - 1.0).abs() < 1e-3, "where the class is, its unit is 1");
        // One pixel more instead of one pixel less, of 64 pixels of which 6.7 % are of the class.
        assert!((found.effect - 1.0 / (64.0 * 0.0668)).abs() < 0.05, "{}", found.effect);
        assert!(found.epochs.last().unwrap().held_out < -0.9, "{:?}", found.epochs);
        assert!((found.unit_effects[0] - found.effect).abs() < 1e-12, "it does so alone: {:?}", found.unit_effects);
        assert!(found.unit_effects[1..].iter().all(|&effect| effect == 0.0), "and no other: {:?}", found.unit_effects);
        let inserted = found.insertions.unwrap();
        let [place] = &inserted.contexts[..] else {
            panic!("red pixels are the only context: {:?}", inserted.contexts)
        };
        assert_eq!((place.class.as_str(), inserted.images), ("red", 500));
        if class == "red" {
            assert_eq!((place.effect, place.made), (0.0, 0.0), "what is there is not made once more");
        } else {
            // Wherever it was not yet: each insertion makes one pixel.
            assert!((place.made - 0.933).abs() < 0.03, "{place:?}");
            assert!((place.effect * 64.0 * 0.0668 - place.made).abs() < 0.08, "{place:?}");
            assert!(place.error > 0.0 && place.error < 0.1 * place.effect, "{place:?}");
        }
        assert_eq!(inserted.trace.last().unwrap().layer, "image");
        assert!(inserted.trace.iter().all(|layer| layer.made > 0.0), "{:?}", inserted.trace);
    }
}

/// A network with maps of another size than its images, and latents that make something of them.
fn drawn() -> Network {
    use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
    let graph = dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels: 3,
        latent: 6,
        width: 3,
        norm: Norm::None,
        start: GeneratorStart::Linear,
        extra: false,
    });
    let network = Network::initial(graph, 5, "test", &Device::cpu());
    let larger = network.params.tensors().iter().map(|t| t.scale(20.0)).collect();
    Network { params: Params::new(larger), ..network }
}

#[test]
fn shards_merged_are_one_run_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let network = drawn();
    // A last group of 3 images has no partners for the chance level.
    let settings =
        Settings { samples: 9 * 16 + 3, fit_samples: 40, top_images: 2, rule: Rule::Iqr, ..Settings::default() };
    run(&at("whole"), &network, &colours(16), settings.clone(), Shard::WHOLE);
    for of in [1, 2, 7] {
        let folders: Vec<_> = (1..=of).map(|index| at(&format!("shard-{index}-{of}"))).collect();
        for (index, folder) in (1..).zip(&folders) {
            run(folder, &network, &colours(16), settings.clone(), Shard { index, of });
        }
        let out = at(&format!("merged-{of}"));
        let subject = |_: &Plan| Ok(Some(Subject::new(&network, &[], &Device::cpu())?));
        merge(&folders, &out, subject, &mut Unwatched).unwrap();
        let (whole, merged) = (contents(&at("whole")), contents(&out));
        assert_eq!(whole.iter().map(|f| &f.0).collect::<Vec<_>>(), merged.iter().map(|f| &f.0).collect::<Vec<_>>());
        for (a, b) in whole.iter().zip(&merged) {
            assert!(a.1 == b.1, "{} differs for {of} shards", a.0);
        }
        assert!(whole.iter().any(|f| f.0.ends_with("units/0/0.png")) && whole.len() > 15);
    }
}

/// Every file of a folder but the lock, with its name, in order.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with("run.lock") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_merge_that_was_killed_at_any_moment_can_be_repeated() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let network = drawn();
    let settings = Settings { samples: 40, fit_samples: 16, top_images: 1, ..Settings::default() };
    let folders = [1, 2].map(|index| {
        let folder = at(&format!("shard-{index}"));
        run(&folder, &network, &colours(16), settings.clone(), Shard { index, of: 2 });
        folder
    });
    let again = |out: &Path| {
        let subject = |_: &Plan| Ok(Some(Subject::new(&network, &[], &Device::cpu())?));
        merge(&folders, out, subject, &mut Unwatched)
    };
    again(&at("whole")).unwrap();
    let whole = contents(&at("whole"));
    // In the order in which they are written; the next one is there in part.
    let order = |name: &str| {
        let first = ["settings.json", "fit.npz", "tally.npz", "layers.svg", "classes.svg"];
        let last = ["units.csv", "classes.csv", "dissection.json"];
        match (first.iter().position(|f| *f == name), last.iter().position(|f| *f == name)) {
            (Some(place), _) => place,
            (_, Some(place)) => 8 + place,
            _ => 6 + usize::from(name.starts_with("units/")),
        }
    };
    let mut files = whole.clone();
    files.sort_by_key(|(name, _)| order(name));
    for written in (0..=files.len()).filter(|n| *n < 8 || n % 3 == 0 || n + 4 > files.len()) {
        let out = at(&format!("killed-{written}"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("run.lock"), "1\n").unwrap();
        for (name, bytes) in &files[..written] {
            std::fs::create_dir_all(out.join(name).parent().unwrap()).unwrap();
            std::fs::write(out.join(name), bytes).unwrap();
        }
        if let Some((name, bytes)) = files.get(written).filter(|(name, _)| !name.contains('/')) {
            std::fs::write(out.join(format!(".{name}.1.part")), &bytes[..bytes.len() / 2]).unwrap();
        }
        again(&out).unwrap();
        assert!(contents(&out) == whole, "killed after {written} files");
    }
    std::fs::create_dir(at("empty")).unwrap();
    again(&at("empty")).unwrap();
    let refused = |out: &str| again(&at(out)).err().unwrap().to_string();
    std::fs::create_dir(at("full")).unwrap();
    std::fs::write(at("full").join("thesis.tex"), "x").unwrap();
    assert!(refused("full").ends_with("is not empty, and what it holds is not a dissection"), "{}", refused("full"));
    assert!(
        refused("shard-1").ends_with("holds another dissection: its shard is 1/2, not 1/1"),
        "{}",
        refused("shard-1")
    );
}

#[test]
fn shards_that_do_not_belong_together_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let network = drawn();
    let settings = Settings { samples: 64, fit_samples: 16, top_images: 1, ..Settings::default() };
    let other = Settings { top: 0.02, ..settings.clone() };
    run(&at("a"), &network, &colours(16), settings.clone(), Shard { index: 1, of: 2 });
    run(&at("b"), &network, &colours(16), settings, Shard { index: 2, of: 2 });
    run(&at("c"), &network, &colours(16), other, Shard { index: 2, of: 2 });
    let refused = |names: &[&str]| {
        let folders: Vec<_> = names.iter().map(|name| at(name)).collect();
        merge(&folders, &at("out"), |_| Ok(None), &mut Unwatched).err().unwrap().to_string()
    };
    assert!(refused(&["a", "c"]).contains("settings.top is 0.02, not 0.01"), "{}", refused(&["a", "c"]));
    assert_eq!(refused(&["a"]), "merge: shard 2/2 is missing");
    assert!(refused(&["a", "b", "b"]).contains("is shard 2/2, and so is"));
    assert!(refused(&["a", "nowhere"]).contains("nowhere: cannot open"));
    let tally = std::fs::read(at("b").join("tally.npz")).unwrap();
    std::fs::write(at("b").join("tally.npz"), &tally[..tally.len() / 2]).unwrap();
    assert!(refused(&["a", "b"]).contains("corrupt"));
    assert!(!at("out").exists(), "nothing is written before everything is checked");
}

/// Stops at the n-th question.
struct Impatient(std::cell::Cell<u32>);

impl ganatomy_dissect::Watch for Impatient {
    fn stage(&mut self, _: &'static str, _: u64) {}
    fn step(&mut self, _: u64) {}
    fn stop(&self) -> bool {
        self.0.set(self.0.get().wrapping_sub(1));
        self.0.get() == 0
    }
}

#[test]
fn a_dissection_that_was_stopped_goes_on_to_the_same_end() {
    let place = tempfile::tempdir().unwrap();
    let network = drawn();
    let device = Device::cpu();
    let settings = Settings { samples: 100, fit_samples: 40, top_images: 1, ..Settings::default() };
    run(&place.path().join("whole"), &network, &colours(16), settings.clone(), Shard::WHOLE);
    let subject = Subject::new(&network, &[], &device).unwrap();
    let segmenter = colours(16);
    let origins =
        [Origin::of_network("model", &network).unwrap(), Origin { name: "oracle".into(), blake3: "0".into() }];
    let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, Shard::WHOLE);
    let means = Means { subject: &subject, segmenter: &segmenter, real: None, device: &device };
    let folder = place.path().join("stopped");
    // Once while it fits, then after the second group of images, then to the end.
    for (stop_at, finished) in [(2, false), (3 + 2, false), (0, true)] {
        let mut watch = Impatient(std::cell::Cell::new(stop_at));
        assert_eq!(dissect(&folder, &plan, &means, &mut watch).unwrap().is_some(), finished);
        assert_eq!(Dissection::read(&folder).is_ok(), finished);
    }
    assert!(contents(&place.path().join("whole")) == contents(&folder));
    let other = Plan { settings: Settings { samples: 99, ..plan.settings.clone() }, ..plan };
    let refused = dissect(&folder, &other, &means, &mut Unwatched).err().unwrap().to_string();
    assert!(refused.contains("holds another dissection: settings.samples is 100, not 99"), "{refused}");
}

#[test]
fn a_search_for_causes_that_was_stopped_goes_on_to_the_same_end() {
    let place = tempfile::tempdir().unwrap();
    let network = on_the_way(12, [7, 2, 5]);
    let segmenter = colour_network();
    let dissection = run(&place.path().join("d"), &network, &segmenter, Settings { top: 0.05, ..few() }, Shard::WHOLE);
    let subject = Subject::new(&network, &[], &Device::cpu()).unwrap();
    let layer = subject.layers().iter().position(|layer| layer.name == "units").unwrap();
    let concept = dissection.concepts.find("red").unwrap();
    let settings = CausalSettings {
        pool: 40,
        kept: 24,
        held_out: 4,
        batch: 4,
        epochs: 4,
        curve_images: 20,
        curve_units: vec![1],
        insertion_images: 0,
        ..CausalSettings::default()
    };
    let partial = place.path().join("red.partial");
    let task = CausalTask { dissection: &dissection, layer, concept, settings: &settings, partial: None };
    let whole = causal(&subject, &segmenter, &task, &mut Unwatched).unwrap();
    let task = CausalTask { partial: Some(&partial), ..task };
    let passes = || {
        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&partial).unwrap()).unwrap();
        document["state"]["epochs"].as_array().unwrap().len()
    };
    // 40 images of each pool are 2 batches, and a pass has 5: in the third pass, then in the fourth, then to the end.
    let mut watch = Impatient(std::cell::Cell::new(4 + 12));
    assert_eq!(causal(&subject, &segmenter, &task, &mut watch).unwrap(), Outcome::Stopped);
    assert_eq!(passes(), 2);
    let mut watch = Impatient(std::cell::Cell::new(4 + 8));
    assert_eq!(causal(&subject, &segmenter, &task, &mut watch).unwrap(), Outcome::Stopped);
    assert_eq!(passes(), 3);
    assert_eq!(causal(&subject, &segmenter, &task, &mut Unwatched).unwrap(), whole);

    // A search with other settings begins anew, and a broken file is named.
    let other = CausalSettings { seed: 1, ..settings.clone() };
    let anew = CausalTask { settings: &other, partial: None, ..task };
    let expected = causal(&subject, &segmenter, &anew, &mut Unwatched).unwrap();
    let anew = CausalTask { partial: Some(&partial), ..anew };
    assert_eq!(causal(&subject, &segmenter, &anew, &mut Unwatched).unwrap(), expected);
    std::fs::write(&partial, "{").unwrap();
    let error = causal(&subject, &segmenter, &task, &mut Unwatched).unwrap_err().to_string();
    assert!(error.contains("red.partial") && error.contains("corrupt"), "{error}");
}
