//! Files that are not what a command reads: the message says what they are, and what to do.

use crate::support::{Place, check, with_models};
use data::{Image, pictures};

#[test]
fn what_is_given_for_a_model_is_named() {
    let place = with_models();
    place.write("lfs.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    place.write("page.safetensors", b"<!DOCTYPE html>\n<html><body>404</body></html>");
    place.write("old.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.");
    let mut archive = base::archive::ArchiveWriter::new("new.pth");
    archive.add("net/data.pkl", b"x").unwrap();
    place.write("new.pth", &archive.finish().unwrap());
    place.write("net.onnx", b"\x08\x07\x12\x07pytorch\x1a\x052.1.0");
    place.write("a.png", &pictures::png(&Image::filled(8, 8, [1, 2, 3])).unwrap());
    place.write("recipe.json", b"{\"format\": 1}");
    place.write("run.toml", b"batch = 32\n");
    place.write("z.npy", &base::npy::Array::f32(vec![1, 4], vec![0.0; 4]).to_bytes());
    place.write("empty.safetensors", b"");
    place.write("cut.safetensors", &place.read("g.safetensors")[..1000]);
    for (folder, name) in [("repaired", "decisions.toml"), ("edited", "edit.json")] {
        place.write(&format!("{folder}/{name}"), b"{}");
    }
    let names = [
        "lfs.safetensors",
        "page.safetensors",
        "old.pth",
        "new.pth",
        "net.onnx",
        "a.png",
        "recipe.json",
        "run.toml",
        "z.npy",
        "empty.safetensors",
        "cut.safetensors",
        "repaired",
        "edited",
    ];
    check("model-is-something-else", &names.map(|name| place.run(&format!("inspect {name}")) + "\n").concat());
    let words = [
        "segmenter apply g.safetensors scenes",
        "segmenter apply lfs.safetensors scenes",
        "sample g.safetensors --latents a.png",
        "sample g.safetensors --latents lfs.safetensors",
        "data preview g.safetensors",
        "data preview lfs.safetensors",
        "data preview edited",
        "data preview page.safetensors",
    ];
    check("argument-is-something-else", &words.map(|words| place.run(words) + "\n").concat());
}

/// The files that people reported, where they are at hand.
#[test]
fn foreign_models_that_were_reported() {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/16-foreign-model");
    if !cases.is_dir() {
        return println!("SKIPPED: {} is not there", cases.display());
    }
    let place = Place::new();
    for (name, is) in [("net.pth", "is a PyTorch file"), ("lfs.safetensors", "is a Git LFS pointer")] {
        place.write(name, &std::fs::read(cases.join(name)).unwrap());
        let output = place.output(&format!("inspect {name}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(&format!("{name}: {is}")), "{said}");
    }
}
