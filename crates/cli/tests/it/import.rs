//! `ganatomy import`

use crate::support::{Place, check};
use net::{Device, Tensor, tensors_to_bytes};
use std::path::Path;

/// The weights of a DCGAN of 16 x 16 pixels, named as `PyTorch` names those of a sequence.
pub(crate) fn dcgan(place: &Place) {
    let numbers = |shape: &[usize]| {
        let values = (0..shape.iter().product()).map(|i: usize| (i * 37 % 101) as f32 / 101.0 - 0.5).collect();
        Tensor::new(shape, values, &Device::cpu())
    };
    let mut tensors = vec![("net.0.weight".to_owned(), numbers(&[8, 6, 4, 4]))];
    for part in ["weight", "bias", "running_mean", "running_var"] {
        tensors.push((format!("net.1.{part}"), numbers(&[6]).unary(net::Unary::Abs)));
    }
    tensors.push(("net.3.weight".to_owned(), numbers(&[6, 4, 4, 4])));
    tensors.push(("net.5.weight".to_owned(), numbers(&[4, 3, 4, 4])));
    let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    place.write("dcgan.safetensors", &tensors_to_bytes(&named).unwrap());
}

#[test]
fn an_imported_generator_is_a_model_like_others() {
    let place = Place::new();
    dcgan(&place);
    check("import-dcgan", &place.run("import dcgan.safetensors --out g.safetensors"));
    place.succeed("-q sample g.safetensors --seeds 0..2 --out images --raw x.npy");
    assert_eq!(place.npy("x.npy").shape, [2, 3, 16, 16]);
    let table = place.succeed("inspect g.safetensors");
    for node in ["net.3", "net.3.relu", "imported as: dcgan"] {
        assert!(table.contains(node), "{table}");
    }
    // The same by a description, with another activation.
    let layers = [
        r#"{"name": "point", "op": "reshape", "out_shape": [8, 1, 1]}"#,
        r#"{"name": "net.0", "op": "conv_transpose2d", "out_shape": [6, 4, 4]}"#,
        r#"{"name": "net.1", "op": "batch_norm2d"}"#,
        r#"{"name": "net.2", "op": "leaky_relu", "negative_slope": 0.1}"#,
        r#"{"name": "net.3", "op": "conv_transpose2d", "stride": 2, "padding": 1}"#,
        r#"{"name": "net.4", "op": "relu"}"#,
        r#"{"name": "net.5", "op": "conv_transpose2d", "stride": 2, "padding": 1}"#,
        r#"{"name": "net.6", "op": "tanh", "out_shape": [3, 16, 16]}"#,
    ];
    let spec = format!(r#"{{"latent": {{"distribution": "uniform on [-1, 1]"}}, "layers": [{}]}}"#, layers.join(", "));
    place.write("spec.json", spec.as_bytes());
    place.succeed("import dcgan.safetensors --spec spec.json --out s.safetensors");
    assert!(place.succeed("inspect s.safetensors").contains("imported as: spec"));
}

#[test]
fn what_is_not_imported() {
    let place = Place::new();
    dcgan(&place);
    place.write("pickle.pth", b"\x80\x02cos\nsystem\nX\x0b\x00\x00\x00touch proof\x85R.");
    place.write("page.pth", b"<!DOCTYPE html><p>Not found");
    place.write("spec.json", br#"{"layers": [{"name": "net.0", "op": "explode"}]}"#);
    let runs = [
        "pickle.pth --out g.safetensors",
        "page.pth --out g.safetensors",
        "none.pth --out g.safetensors",
        "dcgan.safetensors --out g.pth",
        "dcgan.safetensors --arch dcgam --out g.safetensors",
        "dcgan.safetensors --arch progan --out g.safetensors",
        "dcgan.safetensors --spec spec.json --out g.safetensors",
        "dcgan.safetensors --key net --out g.safetensors",
    ];
    check("import-none", &runs.map(|words| place.run(&format!("import {words}")) + "\n").concat());
    assert!(!place.path("proof").exists() && !std::path::Path::new("proof").exists());
}

/// The authors of a published generator show what it made of seed 1 with PyTorch.
#[test]
fn a_published_grid_is_made_again_from_its_seed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/weights/mnist-dcgan");
    if !folder.exists() {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    }
    let place = Place::new();
    let folder = folder.display();
    place.succeed(&format!("import {folder}/generator.pt --spec {folder}/spec.json --out digits.safetensors"));
    place.succeed("-q sample digits.safetensors --latents torch:1x64 --out digits");
    let grid = data::decode(&std::fs::read(format!("{folder}/grid_1.png")).unwrap(), Path::new("grid")).unwrap();
    // Eight in a row, a pixel between them, each pixel four times.
    for tile in 0..64 {
        let digit = place.picture(&format!("digits/latent{tile:06}.png"));
        assert_eq!((digit.width, digit.height, digit.channels), (28, 28, 1));
        for (i, &found) in digit.pixels.iter().enumerate() {
            let (row, column) = (tile / 8 * 29 + i / 28, tile % 8 * 29 + i % 28);
            let wanted = grid.pixels[(row * 4 * grid.width + column * 4) * grid.channels];
            // They cut off what is rounded here.
            assert!(found.abs_diff(wanted) <= 1, "tile {tile}, pixel {i}: {found} for {wanted}");
        }
    }
}
