//! ONNX models, as every command takes them.

use crate::support::{check, image_generator, latents_npy, with_models};
use net::{Device, Network};
use std::path::Path;

#[test]
fn a_generator_by_onnx_is_a_model_like_any_other() {
    let place = with_models();
    place.succeed("export g.safetensors --out g.onnx");
    place.write("z.npy", &latents_npy(&image_generator(3), &[2, 3], &[2, 4]));
    place.succeed("sample g.safetensors --latents z.npy --raw wanted.npy");
    place.succeed("sample g.onnx --latents z.npy --raw given.npy");
    let (wanted, given) = (place.npy("wanted.npy"), place.npy("given.npy"));
    assert_eq!(wanted.shape, given.shape);
    assert!(wanted.into_f32().iter().zip(&given.into_f32()).all(|(a, b)| (a - b).abs() < 1e-5));
    // Layers have their names: units are edited, and what comes back from a model file is the same network.
    place.succeed("edit g.safetensors --ablate 1:0 --latents z.npy --raw wanted.npy --out a");
    place.succeed("edit g.onnx --ablate 1:0 --latents z.npy --raw given.npy --out b");
    let (wanted, given) = (place.npy("wanted.npy").into_f32(), place.npy("given.npy").into_f32());
    assert!(wanted.iter().zip(&given).all(|(a, b)| (a - b).abs() < 1e-5));
    place.succeed("export g.onnx --out back.safetensors");
    Network::from_bytes(&place.read("back.safetensors"), Path::new("back"), &Device::cpu()).unwrap();
    place.succeed("sample back.safetensors --latents z.npy --raw again.npy");
    place.succeed("sample g.onnx --latents z.npy --raw given.npy");
    assert!(place.read("again.npy") == place.read("given.npy"));
}

#[test]
fn what_is_no_onnx_model() {
    let place = with_models();
    place.write("none.onnx", b"nothing of the kind");
    place.write("empty.onnx", b"");
    place.succeed("export g.safetensors --out g.onnx");
    let whole = place.read("g.onnx");
    place.write("half.onnx", &whole[..whole.len() / 2]);
    let runs = ["none.onnx", "empty.onnx", "half.onnx", "missing.onnx"];
    check("onnx-none", &runs.map(|name| place.run(&format!("inspect {name}")) + "\n").concat());
}
