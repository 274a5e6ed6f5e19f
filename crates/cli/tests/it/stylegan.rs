//! `StyleGANs` from their pickles to pictures, edits and dissections.

use crate::support::{Place, check};
use base::npy::{Array, read_npz};
use std::collections::HashMap;
use std::path::Path;

/// A place with a generator of the fixtures of the room `import`, as `g.safetensors`, its latents as `z.npy`, and what it gave.
fn place(name: &str, flags: &str) -> (Place, HashMap<String, Array>) {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../import/tests/fixtures"));
    let (place, file) = (Place::new(), format!("{name}.pkl"));
    place.write(&file, &std::fs::read(fixtures.join(&file)).unwrap());
    place.write("names.txt", b"cat\ndog\n\nwild\n");
    place.write("two.txt", b"cat\ndog\n");
    place.succeed(&format!("-q import {file} {flags} --classes names.txt --out g.safetensors"));
    let arrays: HashMap<String, Array> = read_npz(fixtures.join(format!("{name}.npz"))).unwrap().into_iter().collect();
    place.write("z.npy", &arrays["z"].to_bytes());
    (place, arrays)
}

/// Whether the first picture of an array is the first of another one.
fn is_first(found: &Array, expected: &Array) -> bool {
    let (found, expected) = (found.clone().into_f32(), expected.clone().into_f32());
    let n = expected.len() / 2;
    found[..n].iter().zip(&expected[..n]).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn class_and_truncation_hold_in_every_command() {
    let (place, arrays) = place("conditional", "");
    // The first latent of the fixture had class 1, the second class 2.
    place.succeed("sample g.safetensors --latents z.npy --class dog --raw whole.npy");
    assert!(is_first(&place.npy("whole.npy"), &arrays["x"]));
    let like = "--class 1 --truncation 0.6 --truncation-layers 2";
    place.succeed(&format!("sample g.safetensors --latents z.npy {like} --raw cut.npy"));
    assert!(is_first(&place.npy("cut.npy"), &arrays["x-psi0.6-of-2"]));
    // An edit that does nothing; its recipe keeps what was said.
    let nothing = "edit g.safetensors --scale synthesis.b8.conv0:0@1 --seeds 3..5 --out edited --raw edited.npy";
    place.succeed(&format!("{nothing} {like}"));
    place.succeed(&format!("sample g.safetensors --seeds 3..5 {like} --raw same.npy"));
    assert!(place.read("edited.npy") == place.read("same.npy"));
    place.succeed("edit g.safetensors --recipe edited/recipe.json --seeds 3..5 --out again --raw again.npy");
    assert!(place.read("again.npy") == place.read("same.npy"));
    place.succeed(&format!("interpolate g.safetensors --seeds 3,4 --steps 2 {like} --out way.png"));
    place.succeed(&format!("sample g.safetensors --seeds 3..5 {like} --columns 2 --out grid.png"));
    assert!(place.picture("way.png") == place.picture("grid.png"));
    // Where nothing is said, each seed has a class of its own, and a way between seeds begins and ends at their pictures.
    place.succeed("interpolate g.safetensors --seeds 3,4 --steps 2 --out way.png");
    place.succeed("sample g.safetensors --seeds 3..5 --columns 2 --out grid.png");
    assert!(place.picture("way.png") == place.picture("grid.png"));
    let runs = [
        "sample g.safetensors --latents z.npy",
        "sample g.safetensors --class cow",
        "sample g.safetensors --class 3",
        "sample g.safetensors --truncation 0.5 --truncation-layers 5",
        "sample scenes --class dog",
        "sample scenes --truncation 0.5 --truncation-layers 2",
        "edit g.safetensors --ablate synthesis.b8.conv0:0 --class cow",
        "import conditional.pkl --classes two.txt --out h.safetensors",
    ];
    check("stylegan-refused", &runs.map(|words| place.run(words) + "\n").concat());
}

#[test]
fn noise_is_chosen_at_import() {
    let raw = |flags: &str, seeds: &str| {
        let (place, _) = place("conditional", flags);
        place.succeed(&format!("sample g.safetensors --seeds {seeds} --class 0 --raw x.npy"));
        place.npy("x.npy").into_f32()
    };
    let of = |flags| raw(flags, "3");
    assert!(of("") == of("--noise constant") && of("") != of("--noise off") && of("") != of("--noise random"));
    assert!(of("--noise random") == raw("--noise random", "3..5")[..of("").len()]);
}

#[test]
fn styles_and_maps_are_layers() {
    for (name, style, maps) in [
        ("conditional", "synthesis.b8.conv0.affine", "synthesis.b8.conv0"),
        ("stylegan3-r", "synthesis.L1_12_4.affine", "synthesis.L1_12_4.canvas"),
    ] {
        let (place, _) = place(name, "");
        place.succeed("sample g.safetensors --seeds 0..32 --out pictures --raw plain.npy");
        for layer in ["w", "ws", "ws.2", style, maps] {
            place.succeed(&format!(
                "edit g.safetensors --insert {layer}:1@2.5 --seeds 0..32 --out edited --raw edited.npy"
            ));
            assert!(place.read("edited.npy") != place.read("plain.npy"), "{name}: {layer}");
        }
        place.succeed("segmenter cluster --data pictures --clusters 3 --out seg.safetensors");
        let settings = "--samples 32 --fit-samples 16 --out found";
        let layers = format!("--layers {maps},{style},ws");
        place.succeed(&format!("dissect g.safetensors --segmenter seg.safetensors {layers} {settings}"));
        let units = String::from_utf8(place.read("found/units.csv")).unwrap();
        assert!([maps, style, "ws"].iter().all(|layer| units.contains(&format!("\n{layer},"))), "{units}");
        // All layers are the maps that lie over the picture.
        place.succeed(&format!("dissect g.safetensors --segmenter seg.safetensors {settings}-all"));
        let units = String::from_utf8(place.read("found-all/units.csv")).unwrap();
        assert!(units.contains(&format!("\n{maps},")) && !units.contains("affine") && !units.contains(".active"));
        place.write("c.npy", &Array::f32(vec![2, 3], vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0]).to_bytes());
        let output = if name == "conditional" { "synthesis.b8" } else { "synthesis" };
        let wanted =
            format!("--fetch ws --fetch {style} --grad {output}:ws --grad {output}:{style} --grad {output}:{maps}");
        place.succeed(&format!("run g.safetensors --feed z=z.npy --feed c=c.npy {wanted} --out nodes.npz"));
        let slopes = place.npy_of("nodes.npz", &format!("grad-{output}-ws")).into_f32();
        assert!(slopes.iter().any(|&slope| slope != 0.0) && slopes.iter().all(|slope| slope.is_finite()));
    }
}
