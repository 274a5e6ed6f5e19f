//! Published weights, where they lie beside the checkout; without them these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use ganatomy_weights::{Container, Module, Stored};
use std::path::Path;

/// Opens a file of the shared folder, if it is there.
fn shared(name: &str) -> Option<Stored> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/weights")).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(Stored::open(path).unwrap())
}

/// Files, what they are, where their networks are, and how many tensors and floating-point numbers these have.
const FILES: [(&str, Container, &str, usize, usize); 11] = [
    ("face_fletcher/face_fletcher.pt", Container::TorchLegacy, "", 26, 871_811),
    ("mnist-dcgan/generator.pt", Container::TorchZip, "state_dict", 13, 760_064),
    ("mimicry-dcgan32/generator.pt", Container::TorchZip, "", 57, 126_467),
    ("mimicry-sngan32/generator.pt", Container::TorchZip, "model_state_dict", 57, 126_467),
    ("akanimax-progan64/generator.pt", Container::TorchZip, "shadow_generator", 24, 14_140),
    ("rosinality-32/generator.pt", Container::TorchZip, "g_ema", 73, 74_659),
    ("sg2ada-32/generator.pkl", Container::Pickle, "G_ema", 79, 94_435),
    ("sg3t-32/generator.pkl", Container::Pickle, "G_ema", 58, 34_787),
    ("espnet_camvid.pth", Container::TorchLegacy, "", 189, 358_193),
    ("resnet20-12fca82f.th", Container::TorchLegacy, "state_dict", 97, 271_098),
    ("resnet56-4bfd9763.th", Container::TorchLegacy, "state_dict", 277, 857_082),
];

#[test]
fn published_files_are_read_whole() {
    for (name, container, key, tensors, numbers) in FILES {
        let Some(stored) = shared(name) else { continue };
        assert_eq!(stored.container(), container, "{name}");
        let dict = stored.state_dict(Some(key).filter(|key| !key.is_empty())).unwrap();
        assert_eq!((dict.key(), dict.len(), dict.parameters()), (key, tensors, numbers), "{name}");
        for (tensor, _) in dict.entries() {
            assert!(dict.values(tensor).unwrap().iter().all(|value| value.is_finite()), "{name}: {tensor}");
        }
    }
}

#[test]
fn the_state_of_nvidias_classes_is_data() {
    let Some(stored) = shared("sg2ada-32/generator.pkl") else { return };
    let generator = Module::of(stored.root().get("G_ema").unwrap()).unwrap();
    assert_eq!(generator.class(), "Generator");
    assert_eq!(generator.attribute("img_resolution").unwrap().as_int(), Some(32));
    let named = generator.attribute("_init_kwargs").unwrap();
    assert_eq!(named.get("mapping_kwargs").unwrap().get("num_layers").unwrap().as_int(), Some(4));
    let classes: Vec<(&str, String)> =
        generator.children().iter().map(|(name, child)| (*name, child.class().to_owned())).collect();
    assert_eq!(classes, [("synthesis", "SynthesisNetwork".to_owned()), ("mapping", "MappingNetwork".to_owned())]);
}
