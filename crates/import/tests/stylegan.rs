//! `StyleGANs` with labels, truncated, with their own noise and with other noise: those of `fixtures/` give what `make_stylegan.py` computed.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::{Array, read_npz};
use ganatomy_import::{Imported, Noise, import, import_with};
use net::{Derivative, Device, Edit, Feed, Program, Tensor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use weights::{Setting, StateDict, Stored};

/// The largest difference, measured by the largest number of what is expected.
const MOST: f64 = 1e-5;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn dict(name: &str) -> StateDict {
    Stored::open(fixture(name)).unwrap().state_dict(None).unwrap()
}

/// The network of a fixture, and what it was given and gave.
fn network(name: &str, noise: Noise) -> (Imported, HashMap<String, Array>) {
    let arrays = read_npz(fixture(&format!("{name}.npz"))).unwrap().into_iter().collect();
    (import_with(&dict(&format!("{name}.pkl")), None, noise).unwrap(), arrays)
}

fn tensor(array: &Array) -> Tensor {
    Tensor::new(&array.shape, array.clone().into_f32(), &Device::cpu())
}

fn feed(arrays: &HashMap<String, Array>) -> Feed {
    let mut feed = Feed::from(tensor(&arrays["z"]));
    feed.set("c", tensor(&arrays["c"]));
    feed
}

fn fetch(imported: &Imported, feed: &Feed, edits: &[Edit], node: &str) -> Tensor {
    let ready = imported.network.inference().unwrap();
    let mut run = ready.begin(feed).unwrap();
    run.edit(edits).unwrap();
    run.fetch_one(if node.is_empty() { ready.output() } else { ready.find(node).unwrap() }).unwrap()
}

fn error(found: &Tensor, expected: &Array) -> f64 {
    assert_eq!(found.shape(), expected.shape);
    let (found, expected) = (found.to_vec(), expected.clone().into_f32());
    let most = expected.iter().fold(0f64, |most, &value| most.max(f64::from(value.abs())));
    let far = found.iter().zip(&expected).fold(0f64, |far, (&a, &b)| far.max((f64::from(a) - f64::from(b)).abs()));
    far / most
}

/// Every layer, the styles and the images, whole and truncated.
fn compare(name: &str) -> Imported {
    let (imported, arrays) = network(name, Noise::Constant);
    let (mut feed, mut worst) = (feed(&arrays), (0f64, ""));
    for (key, expected) in arrays.iter().filter(|(key, _)| !matches!(key.as_str(), "z" | "c" | "x-psi0.6-of-2")) {
        let node = match key.as_str() {
            "x" => String::new(),
            "ws" => "ws".to_owned(),
            layer => format!("synthesis.{layer}"),
        };
        let error = error(&fetch(&imported, &feed, &[], &node), expected);
        assert!(error <= MOST, "{name}, {key}: {error}");
        worst = if error >= worst.0 { (error, key) } else { worst };
    }
    let (input, layers) = imported.network.truncation().unwrap();
    let psi = (0..layers).map(|layer| if layer < 2 { 0.6 } else { 1.0 }).collect();
    feed.set(input, Tensor::new(&[layers], psi, &Device::cpu()));
    let truncated = error(&fetch(&imported, &feed, &[], ""), &arrays["x-psi0.6-of-2"]);
    assert!(truncated <= MOST, "{name}, truncated: {truncated}");
    eprintln!("{name}: {:.1e} at most, in {}; truncated {truncated:.1e}", worst.0, worst.1);
    imported
}

#[test]
fn a_stylegan2_ada_with_labels() {
    let imported = compare("conditional");
    assert_eq!((imported.architecture, imported.network.label()), ("stylegan2-ada", Some(("c", 3))));
    assert!(imported.network.graph.reads_seeds());
}

#[test]
fn a_stylegan3_of_the_kind_r() {
    let imported = compare("stylegan3-r");
    assert_eq!(imported.architecture, "stylegan3");
    assert!(imported.network.graph.reads_seeds());
}

#[test]
fn noise_is_that_of_the_file_or_of_seeds_or_none() {
    let (constant, arrays) = network("conditional", Noise::Constant);
    let images = |imported: &Imported, seeds: &[u64]| {
        let noise = imported.network.noise(seeds, &Device::cpu());
        fetch(imported, &Feed { beside: [feed(&arrays).beside, noise].concat(), ..feed(&arrays) }, &[], "").to_vec()
    };
    let (off, random) = (network("conditional", Noise::Off).0, network("conditional", Noise::Random).0);
    let known = images(&constant, &[1, 2]);
    assert_eq!(images(&random, &[3, 4]), images(&random, &[3, 4]));
    assert_ne!(images(&random, &[3, 4]), images(&random, &[3, 5]));
    assert_ne!(images(&random, &[3, 4]), known);
    assert_ne!(images(&off, &[3, 4]), known);
    // Where no noise is fed there is none.
    assert_eq!(fetch(&random, &feed(&arrays), &[], "").to_vec(), images(&off, &[3, 4]));
    // That of the file, fed.
    let mut fed = feed(&arrays);
    for layer in ["b4.conv1", "b8.conv0", "b8.conv1"] {
        let values = dict("conditional.pkl").values(&format!("synthesis.{layer}.noise_const")).unwrap();
        let side = if layer.starts_with("b4") { 4 } else { 8 };
        let both = Tensor::new(&[2, 1, side, side], values.repeat(2), &Device::cpu());
        fed.set(&format!("synthesis.{layer}.noise.map"), both);
    }
    assert!(error(&fetch(&random, &fed, &[], ""), &arrays["x"]) <= MOST);
    assert!(random.network.graph.reads_seeds());
    let refused = import_with(&dict("stylegan3-r.pkl"), None, Noise::Off).unwrap_err();
    assert_eq!(refused.to_string(), "noise: networks of the kind stylegan3 have none");
}

#[test]
fn styles_and_maps_can_be_looked_at_edited_and_differentiated() {
    for (name, style, layer) in [
        ("conditional", "synthesis.b8.conv0.affine", "synthesis.b8.conv0"),
        ("stylegan3-r", "synthesis.L1_12_4.affine", "synthesis.L1_12_4.canvas"),
    ] {
        let (imported, arrays) = network(name, Noise::Constant);
        let feed = feed(&arrays);
        let plain = fetch(&imported, &feed, &[], "").to_vec();
        for node in ["w", "ws", "ws.2", style, layer] {
            let edited = fetch(&imported, &feed, &[Edit::force(node, vec![1], 2.5)], "").to_vec();
            assert_ne!(plain, edited, "{name}: {node}");
        }
        // W+ is W for each layer, and editing one layer's style is editing what that layer reads.
        let (w, ws) = (fetch(&imported, &feed, &[], "w").to_vec(), fetch(&imported, &feed, &[], "ws"));
        let [n, layers, length] = *ws.shape() else { panic!("{:?}", ws.shape()) };
        for (row, numbers) in ws.to_vec().chunks_exact(length).enumerate() {
            let own = &w[row / layers * length..][..length];
            assert!(numbers.iter().zip(own).all(|(a, b)| (a - b).abs() < 1e-5), "{name}: {row} of {n}");
        }
        // The image by each of them: a small step makes the difference that the gradient says.
        let mut program = Program::inference(&imported.network.graph).unwrap();
        for node in ["w", "ws", style, layer] {
            let (output, at) = (program.output(), program.find(node).unwrap());
            let Derivative { cotangent, gradients } = program.differentiate(output, &[at]).unwrap();
            let inputs = [program.input().unwrap(), program.find("c").unwrap()];
            let start = || {
                let feeds = [(inputs[0], &feed.latents), (inputs[1], &feed.beside[0].1)];
                program.start(&imported.network.params, &feeds).unwrap()
            };
            let value = start().fetch_one(at).unwrap();
            let slope = |by: f64, place: usize| {
                let mut numbers = value.to_vec_f64();
                numbers[place] += by;
                let mut run = start();
                run.feed(at, &Tensor::new_f64(value.shape(), numbers)).unwrap();
                let later = [gradients[0].unwrap()];
                let image = run.fetch_before(&[output], &later).unwrap().remove(0);
                run.feed(cotangent, &image.full_like(image.shape(), 1.0)).unwrap();
                let gradient = run.fetch_one(later[0]).unwrap().to_vec_f64();
                (image.to_vec_f64().iter().sum::<f64>(), gradient[place])
            };
            let (step, place) = (1e-5, 3);
            let found = (slope(step, place).0 - slope(-step, place).0) / (2.0 * step);
            let wanted = slope(0.0, place).1;
            assert!((found - wanted).abs() <= 1e-5 * wanted.abs().max(1.0), "{name}, {node}: {found} and {wanted}");
        }
    }
}

#[test]
fn what_the_tensors_do_not_show_is_missed() {
    let whole = dict("stylegan3-r.pkl");
    assert_eq!(whole.setting("synthesis.L0_12_4.out_size"), Some(&Setting::Numbers(vec![12.0, 12.0])));
    assert_eq!(
        whole.setting("synthesis.L0_12_4.padding").map(|is| matches!(is, Setting::Numbers(four) if four.len() == 4)),
        Some(true)
    );
    // The tensors alone, as a state dict would have them.
    let tensors: Vec<(String, Tensor)> = (whole.entries())
        .map(|(name, of)| (name.into(), Tensor::new(of.shape(), whole.values(name).unwrap(), &Device::cpu())))
        .collect();
    let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    let alone = Stored::from_bytes(net::tensors_to_bytes(&named).unwrap(), "alone.safetensors").unwrap();
    let alone = alone.state_dict(None).unwrap();
    let refused = import(&alone, None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "alone.safetensors: does not say synthesis.input.size, which the tensors do not show"
    );
    assert!(refused.hint().unwrap().starts_with("Give the network pickle itself"));
}
