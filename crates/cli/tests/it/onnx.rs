//! ONNX models, as every command takes them.

use crate::support::{bytes_of, check, image_generator, latents_npy, with_models};
use net::{Conv, Device, Graph, Init, Network, Op, Params, Tensor};
use std::path::Path;
use std::sync::Arc;

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

/// A network from images of 16 x 16 pixels to as many logits of 8 x 8: how bright a pixel is, and how dark.
fn brightness(notes: &[(&str, &str)]) -> Network {
    let mut graph = Graph::default();
    let pixels = graph.push("pixels", Op::input(&[3, 16, 16]), &[]);
    let weight = Op::Param { shape: vec![2, 3, 2, 2], init: Init::Constant(0.0), trainable: true };
    let weight = graph.push("head.weight", weight, &[]);
    graph.push("head", Op::conv2d(Conv { stride: [2; 2], ..Conv::new(1, 0) }), &[pixels, weight]);
    let values = (0..24).map(|i| if i < 12 { -1.0 } else { 1.0 }).collect();
    let params = Params::new(vec![Tensor::new(&[2, 3, 2, 2], values, &Device::cpu())]);
    let notes = notes.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    Network { graph: Arc::new(graph), params, notes }
}

#[test]
fn a_segmenter_by_onnx_says_what_is_where() {
    let place = with_models();
    let dark_left = |p: usize| if p % 16 < 8 { 60 } else { 200 };
    let picture = data::Image::new(16, 16, 3, (0..256).flat_map(|p| [dark_left(p); 3]).collect()).unwrap();
    place.write("half.png", &data::pictures::png(&picture).unwrap());
    let shares = |segmenter: &str| {
        let told = place.output(&format!("segmenter apply {segmenter} half.png --out seen.png --json"));
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        let class = |place: usize| {
            let class = &told["planes"][0]["classes"][place];
            (class["name"].as_str().unwrap().to_owned(), class["share"].as_f64().unwrap())
        };
        [class(0), class(1)]
    };
    let halves = [("dark".to_owned(), 0.5), ("bright".to_owned(), 0.5)];

    // By its metadata alone, as others write them. Logits are of half the size.
    let said = [("names", "{0: 'dark', 1: 'bright'}"), ("mean", "[0.5]"), ("std", "[0.5, 0.5, 0.5]")];
    place.write("said.safetensors", &bytes_of(&brightness(&said)));
    place.succeed("export said.safetensors --out said.onnx");
    assert_eq!(shares("said.onnx"), halves);

    // By what is said at import, for a generator's images.
    place.write("bare.safetensors", &bytes_of(&brightness(&[])));
    place.succeed("export bare.safetensors --out bare.onnx");
    place.write("classes.txt", b"dark\nbright\n");
    let words = "bare.onnx --classes classes.txt --range -1..1 --for g.safetensors --out seg.safetensors";
    place.succeed(&format!("import {words}"));
    assert_eq!(shares("seg.safetensors"), halves);
    place.succeed("-q edit g.safetensors --ablate 1:0 --segmenter seg.safetensors --out edited");
    assert!(String::from_utf8(place.read("edited/effects.csv")).unwrap().contains("bright"));

    // One of ours comes back as the segmenter that it was.
    place.succeed("export seg.safetensors --out ours.onnx");
    assert_eq!(shares("ours.onnx"), halves);
    place.succeed("import ours.onnx --out again.safetensors");
    assert_eq!(shares("again.safetensors"), halves);
}

#[test]
fn what_makes_no_segmenter_of_an_onnx_model() {
    let place = with_models();
    place.write("bare.safetensors", &bytes_of(&brightness(&[])));
    for model in ["bare", "g"] {
        place.succeed(&format!("export {model}.safetensors --out {model}.onnx"));
    }
    place.write("three.txt", b"a\nb\nc\n");
    place.write("two.txt", b"a\nb\n");
    place.write("none.txt", b"\n");
    let runs = [
        "segmenter apply bare.onnx g.safetensors",
        "import bare.onnx --classes three.txt --out s.safetensors",
        "import bare.onnx --classes none.txt --out s.safetensors",
        "import bare.onnx --classes two.txt --mean 1,2 --out s.safetensors",
        "import bare.onnx --classes two.txt --range 1 --out s.safetensors",
        "import bare.onnx --mean 1 --out s.safetensors",
        "import g.onnx --classes two.txt --out s.safetensors",
        "import bare.onnx --arch dcgan --out s.safetensors",
        "import bare.onnx --lengths height --out s.safetensors",
        "import bare.onnx --classes two.txt --out s.safetensors",
    ];
    check("onnx-segmenters", &runs.map(|words| place.run(words) + "\n").concat());
}
