//! What there is no memory for ends in one line and code 1, before work begins.

use crate::hostile::{Z, limited, model};
use crate::support::{Place, with_models};
use std::process::Output;

fn refused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    // 2 where what was typed is too much by itself.
    assert_eq!(output.status.code(), Some(if said.starts_with("error: --") { 2 } else { 1 }), "{said}");
    assert!(said.starts_with("error: ") && said.lines().count() <= 2, "{said}");
    said
}

/// A generator whose layer and image are of so many pixels on a side.
fn wide(layer: usize, image: usize) -> Vec<u8> {
    wide_of(1, layer, image)
}

fn wide_of(channels: usize, layer: usize, image: usize) -> Vec<u8> {
    model(&[
        &format!(r#"{{"name":"z","op":"input","shape":[{channels},1,1]}}"#),
        &format!(r#"{{"name":"up","op":"upsample_nearest","inputs":["z"],"factor":{layer}}}"#),
        r#"{"name":"r","op":"relu","inputs":["up"]}"#,
        &format!(r#"{{"name":"down","op":"avg_pool","inputs":["r"],"factor":{}}}"#, layer / image),
        r#"{"name":"x","op":"tanh","inputs":["down"]}"#,
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn models_that_need_more_than_there_is() {
    let place = Place::new();
    place.write("m.safetensors", &wide(32_768, 64));
    for words in [
        "sample m.safetensors --seeds 0..3 --raw x.npy",
        "interpolate m.safetensors --seeds 0..2 --out x.gif",
        "edit m.safetensors --ablate down:0 --out e",
        "segmenter apply scenes m.safetensors --out s.png",
    ] {
        let said = refused(&limited(&place, words));
        let known = said.contains("m.safetensors: ") && said.contains(" GB of memory; ");
        assert!(known || said.contains("the segmenter reads"), "{words}: {said}");
    }
    assert_eq!(place.names("."), ["m.safetensors"], "nothing is left behind");
    // With a smaller batch it goes.
    place.write("n.safetensors", &wide(8192, 64));
    let said = refused(&limited(&place, "sample n.safetensors --seeds 0..16 --batch 16 --raw x.npy"));
    assert!(said.contains("n.safetensors: a batch of 16 needs about ") && said.contains("lower --batch"), "{said}");
    assert!(limited(&place, "sample n.safetensors --seeds 0..2 --batch 1 --raw x.npy").status.success());
    // Commands that choose for themselves choose a smaller one.
    assert!(limited(&place, "interpolate n.safetensors --seeds 0..2 --steps 2 --out x.gif").status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn trainings_that_need_more_than_there_is() {
    let place = Place::new();
    for words in [
        "evolve --data scenes --preset modern --generations 1 --set width=4096 --set width_d=4 --set batch=4 --set eval=12 --out o",
        "segmenter train --data scenes --size 32 --steps 1 --set width=1024 --set batch=2 --out o",
    ] {
        let said = refused(&limited(&place, words));
        assert!(said.starts_with("error: this training needs about ") && said.contains("hint: Lower batch"), "{said}");
    }
    assert!(!place.path("o").exists());
}

/// A dissection by a segmenter of the generator's size, whose layers have too many cells, and a repair and a comparison of more images
/// than can be kept.
#[cfg(target_os = "linux")]
#[test]
fn dissections_and_repairs_that_need_more_than_there_is() {
    let place = Place::new();
    let said = refused(&limited(&place, "repair scenes --layer 2 --real scenes --samples 4000000000 --out r"));
    assert!(
        said.starts_with("error: scenes: this repair needs about ") && said.contains("hint: Take fewer images."),
        "{said}"
    );
    assert!(!place.path("r").exists());
    place.write("m.safetensors", &wide_of(3, 8192, 64));
    let said = refused(&limited(&place, "dissect m.safetensors --segmenter scenes --layers r --samples 32 --out d"));
    assert!(said.starts_with("error: m.safetensors: a dissection needs about "), "{said}");
    assert!(said.contains("hint: Name fewer --layers.") && !place.path("d").exists(), "{said}");
}

#[test]
fn numbers_of_images_have_an_end() {
    let place = with_models();
    let many = "1000000000000";
    for (words, named) in [
        (format!("sample g.safetensors --seeds 0..{many} --raw x.npy"), "--raw: "),
        (format!("dissect scenes --segmenter scenes --samples {many} --out d"), "--samples: "),
        (format!("dissect scenes --segmenter scenes --real scenes --real-samples {many} --out d"), "--real-samples: "),
        (format!("repair scenes --layer 2 --real scenes --real-samples {many} --out r"), "--real-samples: "),
        (format!("causal scenes --layer 1b --class tree --pool {many} --out c.json"), "--pool: "),
    ] {
        let said = refused(&place.output(&words));
        assert!(said.contains(named), "{words}: {said}");
    }
    assert_eq!(place.names("."), ["g.safetensors", "p.safetensors"]);
}

/// What nobody estimates beforehand ends in one line, too: here a file that is longer than the memory.
#[cfg(target_os = "linux")]
#[test]
fn an_allocation_that_fails_is_an_error() {
    let place = Place::new();
    place.write("m.safetensors", &model(&[Z]));
    std::fs::File::options().write(true).open(place.path("m.safetensors")).unwrap().set_len(8 << 30).unwrap();
    let said = refused(&limited(&place, "inspect m.safetensors"));
    assert!(said.starts_with("error: there is not enough memory: 8589.9 MB") || said.contains("8.6 GB"), "{said}");
}
