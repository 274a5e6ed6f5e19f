//! Repairs whose answer is known: a generator that one unit spoils, beside what it made before it was spoiled.

#![expect(clippy::unwrap_used, reason = "tests")]

use base::seed::Stream;
use data::{Content, Dataset, Image, Options, Source, pictures};
use ganatomy_dissect::{Answers, Decision, Defects, RepairMeans, RepairSettings, Subject, Unwatched, repair};
use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
use net::{Device, Network, Removal, Tensor};
use std::fs;
use std::path::Path;

/// The unit that spoils images.
const SPOILER: usize = 5;
const SETTINGS: RepairSettings = RepairSettings { samples: 200, real_samples: 200, candidates: 3, random: 4, seed: 0 };

/// A generator of 16x16 pixels with 8 units in layer 1, whose images differ.
fn generator() -> Network {
    let graph = dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels: 3,
        latent: 6,
        width: 8,
        norm: Norm::Batch,
        start: GeneratorStart::Linear,
        extra: false,
    });
    let device = Device::cpu();
    let mut network = Network::initial(graph, 1, "weights", &device);
    set(&mut network, "0.linear.weight", |values, draw| {
        values.iter_mut().for_each(|v| *v = draw.normal() as f32 / 2.4);
    });
    set(&mut network, "1.deconv.weight", |values, draw| {
        values.iter_mut().for_each(|v| *v = draw.normal() as f32 / 8.0);
    });
    set(&mut network, "image.weight", |values, draw| values.iter_mut().for_each(|v| *v = draw.normal() as f32 / 8.0));
    network
}

fn set(network: &mut Network, name: &str, change: impl Fn(&mut [f32], &mut Stream)) {
    let place = network.graph.params().iter().position(|&id| network.graph.node(id).name == name).unwrap();
    let tensor = &network.params.tensors()[place];
    let (shape, mut values) = (tensor.shape(), tensor.to_vec());
    change(&mut values, &mut Stream::new(4, "test", place as u64));
    network.params.set(place, Tensor::new(shape, values, &Device::cpu()));
}

/// In one image of eight, the unit is on somewhere and paints red there.
fn spoiled(clean: &Network) -> Network {
    let mut network = clean.clone();
    let seeds: Vec<u64> = (0..200).collect();
    let maps =
        network.until("1.norm").unwrap().forward(&network.latents(&seeds, &Device::cpu()), &[]).unwrap().to_vec();
    let mut peaks: Vec<f32> =
        maps.chunks(64).skip(SPOILER).step_by(8).map(|map| map.iter().copied().fold(f32::MIN, f32::max)).collect();
    peaks.sort_by(f32::total_cmp);
    set(&mut network, "1.norm.bias", |values, _| values[SPOILER] -= peaks[175]);
    // [units in][colours][4][4]
    set(&mut network, "image.weight", |values, _| {
        for (at, value) in values[SPOILER * 48..][..48].iter_mut().enumerate() {
            *value = if at < 16 { 40.0 } else { -40.0 };
        }
    });
    network
}

/// Images of a generator as a data set.
struct Made(Vec<Image>);

impl Source for Made {
    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn name(&self, index: u64) -> String {
        index.to_string()
    }

    fn load(&self, index: u64) -> base::Result<Image> {
        Ok(self.0[index as usize].clone())
    }
}

/// What the generator made before it was spoiled: without the unit.
fn real(clean: &Network) -> Dataset {
    let seeds: Vec<u64> = (10_000..10_400).collect();
    let clean = clean.without_units("1", &[SPOILER]).unwrap().network;
    let images = clean.forward(&clean.latents(&seeds, &Device::cpu()), &[]).unwrap();
    let images = pictures::from_batch(images.shape(), &images.to_vec()).unwrap();
    Dataset::new("clean", Content::Images(Box::new(Made(images))), Options::default()).unwrap()
}

struct Case {
    subject: Subject,
    spoiled: Network,
    real: Dataset,
}

impl Case {
    fn new() -> Self {
        let clean = generator();
        let spoiled = spoiled(&clean);
        let subject = Subject::new(&spoiled, &["1".into()], &Device::cpu()).unwrap();
        Self { subject, spoiled, real: real(&clean) }
    }

    fn repair(&self, folder: &Path, defects: Option<&Defects>, answers: &Answers) -> ganatomy_dissect::Repair {
        let means = RepairMeans { subject: &self.subject, name: "spoiled".into(), real: &self.real, defects };
        repair(folder, &means, answers, &SETTINGS, &mut Unwatched).unwrap().unwrap()
    }
}

#[test]
fn the_unit_that_spoils_images_is_found_and_its_removal_repairs_them() {
    let (case, folder) = (Case::new(), tempfile::tempdir().unwrap());
    let out = folder.path();
    let found = case.repair(out, None, &Answers::default());
    let first = &found.ranking.candidates[0];
    assert_eq!(first.unit, SPOILER, "{:?}", found.ranking);
    assert!(first.z.unwrap() > 5.0 && first.without < 0.7 * first.distance, "{first:?}");
    // Other units have unusual images as well, those of strong contrast; but it is not they that make them so.
    let others = &found.ranking.candidates[1..];
    assert!(others.len() == 2 && others.iter().all(|other| other.distance < first.distance), "{others:?}");
    assert!(others.iter().all(|other| other.without > 0.85 * other.distance), "{others:?}");
    assert_eq!((found.decisions.of(SPOILER), &found.repaired), (Decision::Undecided, &None), "nobody was asked");
    assert!(!out.join("model.safetensors").exists() && out.join(format!("candidates/{SPOILER}.png")).exists());

    // A person accepts it in the file.
    let path = out.join("decisions.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&format!("{SPOILER} = \"undecided\""), &format!("{SPOILER} = \"accept\""))).unwrap();
    let repaired = case.repair(out, None, &Answers::default()).repaired.unwrap();
    assert_eq!((&*repaired.units, repaired.removal), (&[SPOILER][..], Removal::Removed));
    let real = repaired.other_real.unwrap();
    for distances in [&repaired.alike, &repaired.strongest, &repaired.all] {
        let [random, deviation] = distances.random_summary();
        assert!(distances.after < 0.8 * distances.before, "{distances:?}");
        assert!(random > 0.9 * distances.before && deviation > 0.0, "{distances:?}");
    }
    // All that is left is chance: the generator was the real one.
    assert!(repaired.all.after < 1.25 * real && repaired.all.before > 1.5 * real, "{repaired:?}");

    let model = Network::load(out.join("model.safetensors"), &Device::cpu()).unwrap();
    let z = model.latents(&[1, 2, 3], &Device::cpu());
    let (gone, edits) = (model.forward(&z, &[]).unwrap(), [net::Edit::ablate("1", vec![SPOILER])]);
    let ablated = case.spoiled.forward(&z, &edits).unwrap();
    assert!(gone.to_vec().iter().zip(ablated.to_vec()).all(|(a, b)| (a - b).abs() < 1e-4));
    assert!(model.params.elements() < case.spoiled.params.elements());
    assert_eq!(model.notes.last().unwrap().1, format!("layer 1, units {SPOILER}: removed"));

    let document = fs::read_to_string(out.join("repair.json")).unwrap();
    for key in ["layer", "real", "units", "alike", "all"] {
        assert_eq!(document.matches(&format!("\n  \"{key}\": ")).count(), 1, "{key} in {document}");
    }

    // What a file or an earlier call accepted is still accepted, and said to be.
    let other = found.ranking.candidates[1].unit;
    let both = case.repair(out, None, &Answers { accept: vec![other], ..Answers::default() });
    let mut units = vec![SPOILER, other];
    units.sort_unstable();
    assert_eq!((both.repaired.unwrap().units, both.earlier), (units, vec![SPOILER]));
    // A unit that nobody was shown is a mistyped number.
    let never = (0..8).find(|&unit| found.ranking.candidates.iter().all(|candidate| candidate.unit != unit)).unwrap();
    let means = RepairMeans { subject: &case.subject, name: "spoiled".into(), real: &case.real, defects: None };
    let answers = Answers { accept: vec![never], ..Answers::default() };
    let refused = repair(out, &means, &answers, &SETTINGS, &mut Unwatched).unwrap_err();
    let candidates: Vec<String> = found.ranking.candidates.iter().map(|c| c.unit.to_string()).collect();
    assert_eq!(
        refused.to_string(),
        format!("accept: unit {never} is no candidate; they are {}", candidates.join(", "))
    );
    assert!(!fs::read_to_string(&path).unwrap().contains(&format!("\n{never} = ")));

    // Who changes their mind loses the repaired model, and nothing else.
    let undone = case.repair(out, None, &Answers { reject: vec![SPOILER, other], ..Answers::default() });
    assert_eq!(undone.repaired, None);
    assert!(!out.join("model.safetensors").exists() && !out.join("repair.json").exists());
    assert!(fs::read_to_string(&path).unwrap().contains(&format!("{SPOILER} = \"reject\"")));
}

#[test]
fn a_painted_defect_ranks_units_by_where_they_are_on() {
    let (case, folder) = (Case::new(), tempfile::tempdir().unwrap());
    let masks = folder.path().join("masks");
    fs::create_dir(&masks).unwrap();
    let seeds: Vec<u64> = (0..40).collect();
    let images = case.spoiled.forward(&case.spoiled.latents(&seeds, &Device::cpu()), &[]).unwrap();
    for (seed, image) in seeds.iter().zip(images.to_vec().chunks(768)) {
        let red = |pixel: usize| image[pixel] > 0.9 && image[256 + pixel] < -0.9 && image[512 + pixel] < -0.9;
        let pixels = (0..256).map(|pixel| if red(pixel) { 255 } else { 0 }).collect();
        let mask = pictures::png(&Image::new(16, 16, 1, pixels).unwrap()).unwrap();
        fs::write(masks.join(format!("seed{seed:06}.png")), mask).unwrap();
    }
    let defects = Defects::open(&masks, case.subject.image_shape()).unwrap();
    let found = case.repair(&folder.path().join("out"), Some(&defects), &Answers::default()).ranking;
    let iou = |place: usize| found.units[place].iou.unwrap();
    assert_eq!(found.units[0].unit, SPOILER, "{found:?}");
    assert!(iou(0) > 0.3 && iou(1) < 0.5 * iou(0), "{found:?}");
}

#[test]
fn repairs_do_not_depend_on_the_number_of_threads() {
    let case = Case::new();
    let files = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.repair(folder.path(), None, &Answers { accept: vec![SPOILER], ..Answers::default() }));
        ["candidates.json", "candidates.csv", "decisions.toml", "repair.json", "model.safetensors", "sheet.png"]
            .map(|name| fs::read(folder.path().join(name)).unwrap())
    };
    assert!(files(1) == files(3));
}

#[test]
fn what_cannot_be_repaired() {
    let (case, folder) = (Case::new(), tempfile::tempdir().unwrap());
    let means = RepairMeans { subject: &case.subject, name: "spoiled".into(), real: &case.real, defects: None };
    let refused = |out: &Path, answers: &Answers, settings: &RepairSettings| {
        repair(out, &means, answers, settings, &mut Unwatched).unwrap_err().to_string()
    };
    let (out, none) = (folder.path().join("out"), Answers::default());
    let too_many = RepairSettings { real_samples: 401, ..SETTINGS };
    assert_eq!(refused(&out, &none, &too_many), "real_samples: is 401, but clean has 400 images");
    let nothing = RepairSettings { samples: 0, ..SETTINGS };
    assert_eq!(refused(&out, &none, &nothing), "samples: is 0; it is at least 1 and at most 2^32");
    let beyond = Answers { accept: vec![8], ..Answers::default() };
    assert_eq!(refused(&out, &beyond, &SETTINGS), "accept: layer 1 has no unit 8; it has units 0 to 7");
    assert!(!out.exists(), "nothing is made for what is refused");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.tex"), "x").unwrap();
    assert!(refused(&out, &none, &SETTINGS).ends_with("is not empty, and what it holds is not a repair"));
    // The real images of another size.
    let small = Image::new(8, 8, 3, vec![0; 192]).unwrap();
    let small = Dataset::new("small", Content::Images(Box::new(Made(vec![small]))), Options::default()).unwrap();
    let means = RepairMeans { subject: &case.subject, name: "spoiled".into(), real: &small, defects: None };
    let error = repair(&folder.path().join("x"), &means, &none, &SETTINGS, &mut Unwatched).unwrap_err();
    assert_eq!(error.to_string(), "real: small has items of shape [3, 8, 8]; the generator makes [3, 16, 16]");
}
