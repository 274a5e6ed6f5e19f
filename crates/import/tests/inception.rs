//! The Inception network of 2015 gives what `PyTorch` gives from the same numbers (`make_inception.py`), and torchvision's is refused.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::read_npz;
use ganatomy_import::{Architecture, import};
use net::{Device, Network, Tensor, tensors_to_bytes};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use weights::{StateDict, Stored};

/// From -1 to 1: `SplitMix64` from the FNV-1a hash of the name.
fn numbers(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325, fnv);
    (1..=count as u64).map(move |i| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

fn tensor(name: &str, shape: &[usize], middle: f64, reach: f64) -> (String, Tensor) {
    let values = numbers(name, shape.iter().product()).map(|v| (middle + reach * v) as f32).collect();
    (name.to_owned(), Tensor::new(shape, values, &Device::cpu()))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The tensors of a network with narrow layers, and of so many classes.
fn narrow(classes: usize) -> StateDict {
    let mut tensors = Vec::new();
    for line in std::fs::read_to_string(fixture("inception.txt")).unwrap().lines() {
        let (name, shape) = line.split_once(' ').unwrap();
        let shape: Vec<usize> = shape.split(' ').map(|n| n.parse().unwrap()).collect();
        let layer = name.strip_suffix(".conv.weight").unwrap();
        tensors.push(tensor(name, &shape, 0.0, (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt()));
        let parts = [("weight", 1.0, 0.25), ("bias", 0.0, 0.1), ("running_mean", 0.0, 0.2), ("running_var", 1.0, 0.5)];
        tensors.extend(
            parts.map(|(part, middle, reach)| tensor(&format!("{layer}.bn.{part}"), &shape[..1], middle, reach)),
        );
    }
    tensors.push(tensor("fc.weight", &[classes, 128], 0.0, (3.0 / 128f64).sqrt()));
    tensors.push(tensor("fc.bias", &[classes], 0.0, 0.5));
    let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    Stored::from_bytes(tensors_to_bytes(&named).unwrap(), "f.safetensors").unwrap().state_dict(None).unwrap()
}

/// Compares a network's features and logits with those of an archive.
fn compare(network: &Network, archive: &Path, images: usize) {
    let ready = network.inference().unwrap();
    let x = tensor("x", &[images, 3, 299, 299], 0.0, 1.0).1;
    let known: HashMap<String, _> = read_npz(archive).unwrap().into_iter().collect();
    let mut run = ready.start(&[(ready.input().unwrap(), &x)]).unwrap();
    let nodes = ["pool", "logits"].map(|name| ready.program().find(name).unwrap());
    for (name, found) in ["pool", "logits"].iter().zip(run.fetch(&nodes).unwrap()) {
        let expected = known[*name].clone();
        assert_eq!(found.shape(), expected.shape, "{name}");
        let expected = expected.into_f32();
        let most = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        let far = found.to_vec().iter().zip(&expected).fold(0f32, |far, (a, b)| far.max((a - b).abs()));
        eprintln!("inception, {name}: {:.1e}", far / most);
        assert!(far / most <= 1e-5, "{name}: {}", far / most);
    }
}

#[test]
fn features_and_logits_are_those_of_pytorch() {
    let weights = narrow(1008);
    assert_eq!(Architecture::of(&weights), Some(Architecture::Inception));
    compare(&import(&weights, None).unwrap().network, &fixture("inception.npz"), 1);
}

/// With a file of full width that `make_inception.py` has written: its path in this variable.
#[test]
fn a_file_of_full_width_that_is_named() {
    let Some(path) = std::env::var_os("GANATOMY_INCEPTION").map(PathBuf::from) else {
        eprintln!("SKIPPED: GANATOMY_INCEPTION names no file");
        return;
    };
    let weights = Stored::open(&path).unwrap().state_dict(None).unwrap();
    compare(&import(&weights, None).unwrap().network, &path.with_extension("npz"), 2);
}

#[test]
fn the_network_of_other_classes_is_refused() {
    let error = import(&narrow(1000), None).unwrap_err();
    let message = error.to_string();
    assert!(
        message.ends_with("tells 1000 classes: it is not the Inception network of 2015, which tells 1008"),
        "{message}"
    );
    assert!(error.hint().unwrap().contains("torchvision's"));
}
