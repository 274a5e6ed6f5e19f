//! `ganatomy export`

use crate::support::{Place, bytes_of, check, image_generator, with_models};
use net::{Device, Network};
use std::path::Path;

#[test]
fn a_model_comes_out_as_it_was() {
    let place = with_models();
    assert_eq!(place.succeed("export g.safetensors --out new/copy.safetensors"), "new/copy.safetensors\n");
    assert_eq!(place.read("new/copy.safetensors"), place.read("g.safetensors"));
}

#[test]
fn half_the_size_gives_nearly_the_same_pictures() {
    let place = with_models();
    place.succeed("export g.safetensors --half --out half.safetensors");
    let numbers = image_generator(3).params.elements();
    let (whole, half) = (place.read("g.safetensors").len(), place.read("half.safetensors").len());
    assert!(whole - half >= 2 * numbers, "{half} of {whole} bytes for {numbers} numbers");
    let raw = |model: &str| {
        place.succeed(&format!("sample {model}.safetensors --raw {model}.npy"));
        place.npy(&format!("{model}.npy")).into_f32()
    };
    let differences = raw("g").into_iter().zip(raw("half")).map(|(a, b)| (a - b).abs());
    assert!(differences.fold(0.0, f32::max) < 0.01);
}

#[test]
fn for_other_frameworks() {
    let place = with_models();
    assert_eq!(place.succeed("export g.safetensors --out g.onnx"), "g.onnx\n");
    assert!(place.read("g.onnx").windows(8).any(|bytes| bytes == b"ganatomy"));
    assert_eq!(place.succeed("export g.safetensors --to pytorch --out torch"), "torch\n");
    assert_eq!(place.names("torch"), ["config.json", "ganatomy_torch.py", "model.safetensors"]);
    place.succeed("sample g.safetensors --seeds 0..3 --raw wanted.npy");
    place.succeed("sample torch/model.safetensors --seeds 0..3 --raw given.npy");
    assert!(place.read("given.npy") == place.read("wanted.npy"), "the state dict is a model file");
}

#[test]
fn edits_of_a_recipe_become_part_of_the_model() {
    let place = with_models();
    place.succeed("edit g.safetensors --insert 1:0,1@1.5 --cells 1,2 3,3 --seeds 0..3 --raw wanted.npy --out edited");
    place.succeed("export g.safetensors --recipe edited/recipe.json --out edited.safetensors");
    place.succeed("sample edited.safetensors --seeds 0..3 --raw given.npy");
    let (wanted, given) = (place.npy("wanted.npy").into_f32(), place.npy("given.npy").into_f32());
    assert!(wanted.iter().zip(&given).all(|(a, b)| (a - b).abs() < 1e-5));
    place.succeed("sample g.safetensors --seeds 0..3 --raw plain.npy");
    assert!(place.npy("plain.npy").into_f32().iter().zip(&given).any(|(a, b)| (a - b).abs() > 1e-3));
    place.succeed("export g.safetensors --recipe edited/recipe.json --out edited.onnx");
}

#[test]
fn what_cannot_be_exported() {
    let place = Place::new();
    let mut network = image_generator(3);
    let tensor = &network.params.tensors()[0];
    let huge = tensor.full_like(tensor.shape(), 1e6);
    network.params.set(0, huge);
    place.write("huge.safetensors", &bytes_of(&network));
    let runs = [
        "huge.safetensors --half --out a.safetensors",
        "huge.safetensors --out a.pth",
        "huge.safetensors --out folder",
        "huge.safetensors --to onnx --out a.safetensors",
        "huge.safetensors --to pytorch --out a.safetensors",
        "huge.safetensors --half --out a.onnx",
        "none --out a.safetensors",
    ];
    check("export-none", &runs.map(|words| place.run(&format!("export {words}")) + "\n").concat());
    place.succeed("export huge.safetensors --out a.safetensors");
    let back = Network::from_bytes(&place.read("a.safetensors"), Path::new("a"), &Device::cpu()).unwrap();
    assert_eq!(back.params.tensors()[0].to_vec()[0], 1e6);
}
