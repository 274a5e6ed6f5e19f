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
fn what_cannot_be_exported() {
    let place = Place::new();
    let mut network = image_generator(3);
    let tensor = &network.params.tensors()[0];
    let huge = tensor.full_like(tensor.shape(), 1e6);
    network.params.set(0, huge);
    place.write("huge.safetensors", &bytes_of(&network));
    let runs =
        ["huge.safetensors --half --out a.safetensors", "huge.safetensors --out a.pth", "none --out a.safetensors"];
    check("export-none", &runs.map(|words| place.run(&format!("export {words}")) + "\n").concat());
    place.succeed("export huge.safetensors --out a.safetensors");
    let back = Network::from_bytes(&place.read("a.safetensors"), Path::new("a"), &Device::cpu()).unwrap();
    assert_eq!(back.params.tensors()[0].to_vec()[0], 1e6);
}
