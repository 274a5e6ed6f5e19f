//! What MODEL may be, and what happens to one that is broken.

use crate::support::{Place, bytes_of, check, image_generator, point_generator, with_models};
use train::RunLock;
use train::checkpoint::Store;

/// A run whose generation 1 makes images, and 2 and 3 (with a moving average) points.
fn with_run() -> Place {
    let place = Place::new();
    place.write("run/config.toml", b"");
    let lock = RunLock::acquire(place.path("run")).unwrap();
    let store = Store::create(&lock).unwrap();
    let (images, points) = (bytes_of(&image_generator(3)), bytes_of(&point_generator()));
    store.save(1, &[("generator.safetensors", &images)], "", 9).unwrap();
    store.save(2, &[("generator.safetensors", &points)], "", 9).unwrap();
    store.save(3, &[("generator.safetensors", &images), ("ema.safetensors", &points)], "", 9).unwrap();
    drop(lock);
    place
}

#[test]
fn a_run_is_its_best_checkpoint_else_its_newest() {
    let place = with_run();
    let newest = place.run("sample run --seeds 0..2");
    Store::open(place.path("run")).mark_best(1, 0.5).unwrap();
    let best = place.run("sample run --seeds 0..2");
    let quiet = place.run("sample run --seeds 0..2 --quiet");
    let itself = place.run("sample run/checkpoints/000002 --seeds 0..2");
    check("model-run", &[newest, best, quiet, itself].join("\n"));
}

#[test]
fn corrupt_checkpoints_are_passed_over_aloud() {
    let place = with_run();
    place.write("run/checkpoints/000003/ema.safetensors", b"short");
    let newest = place.run("sample run --seeds 0..2");
    Store::open(place.path("run")).mark_best(3, 0.5).unwrap();
    let best = place.run("sample run --seeds 0..2 --quiet");
    std::fs::remove_file(place.path("run/checkpoints/000002/manifest.json")).unwrap();
    std::fs::remove_dir_all(place.path("run/checkpoints/000001")).unwrap();
    let none = place.run("sample run --seeds 0..2");
    check("model-corrupt-checkpoints", &[newest, best, none].join("\n"));
}

#[test]
fn models_that_are_none() {
    let place = with_models();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("begun/config.toml", b"");
    place.write("zero.safetensors", b"");
    place.write("text.safetensors", b"this is not a model");
    let runs = ["scens", "no/model.safetensors", "empty", "begun", "zero.safetensors", "text.safetensors"]
        .map(|model| place.run(&format!("inspect {model}")) + "\n");
    check("model-none", &runs.concat());
}

#[test]
fn shipped_models_need_no_file() {
    let place = Place::new();
    assert_eq!(place.succeed("sample scenes --seeds 0..4 --out a.png"), "a.png\n");
    place.succeed("interpolate scenes --seeds 0,1 --steps 3 --out strip.png");
    let json: serde_json::Value = serde_json::from_str(&place.succeed("inspect scenes --json")).unwrap();
    assert_eq!(json["output"]["shape"], serde_json::json!([3, 64, 64]));
    // A file of that name has to be meant.
    place.write("scenes", &bytes_of(&image_generator(3)));
    let output = place.output("sample scenes --seeds 0..4 --out b.png");
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("warning: scenes is the model that comes with the program"), "{said}");
    place.succeed("sample ./scenes --seeds 0..4 --out c.png");
    assert_eq!(place.picture("a.png"), place.picture("b.png"));
    assert_ne!(place.picture("a.png").width, place.picture("c.png").width);
}

#[test]
fn a_model_without_one_of_its_tensors() {
    let place = Place::new();
    let mut bytes = bytes_of(&image_generator(3));
    // The key in the file's own header, not the name in the description, which has backslashes.
    let key = b"\"image.weight\":{";
    let at = bytes.windows(key.len()).position(|w| w == key).unwrap();
    bytes[at + 1] = b'X';
    place.write("g.safetensors", &bytes);
    check("model-missing-tensor", &place.run("sample g.safetensors"));
}

#[test]
fn a_truncated_model() {
    let place = Place::new();
    let bytes = bytes_of(&image_generator(3));
    place.write("g.safetensors", &bytes[..bytes.len() / 2]);
    check("model-truncated", &place.run("sample g.safetensors"));
}

#[test]
fn a_flipped_byte_in_the_header_is_an_error_or_harmless_but_never_a_crash() {
    let place = Place::new();
    let bytes = bytes_of(&image_generator(3));
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for at in (0..8).chain((8..header).step_by(header / 60)) {
        let mut bent = bytes.clone();
        bent[at] ^= 0x11;
        place.write("g.safetensors", &bent);
        let output = place.output("sample g.safetensors --seeds 0 --raw x.npy");
        assert!(matches!(output.status.code(), Some(0 | 1)), "byte {at}: {output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), stderr.is_empty(), "byte {at}: {stderr}");
        let form = stderr.is_empty() || stderr.starts_with("error: g.safetensors: ") && stderr.lines().count() <= 2;
        assert!(form, "byte {at}: {stderr}");
    }
}
