//! `ganatomy segmenter ...`

use crate::support::{Place, bytes_of, check, image_generator, with_models};
use data::{Image, LabelMap, pictures};
use serde_json::Value;
use std::process::Command;

const CLASSES: &str = r#"{"classes": [{"name": "dark"}, {"name": "bright"}], "ignore_index": 9}"#;

/// A folder with a labelled set of 16x16 pictures, dark on the left and bright on the right, and generators.
fn with_set(n: usize) -> Place {
    let place = with_models();
    for i in 0..n {
        let edge = 3 + i * 5 % 11;
        let pixels = (0..256).flat_map(|p| [if p % 16 < edge { 30 } else { 220 }; 3]).collect();
        let classes = (0..256).map(|p| u16::from(p % 16 >= edge)).collect();
        place
            .write(&format!("set/images/{i:02}.png"), &pictures::png(&Image::new(16, 16, 3, pixels).unwrap()).unwrap());
        let map = LabelMap { width: 16, height: 16, classes };
        place.write(&format!("set/labels/{i:02}.png"), &pictures::labels_png(&map).unwrap());
    }
    place.write("set/classes.json", CLASSES.as_bytes());
    place
}

const TINY: &str = "--set width=4 --set levels=2 --set batch=4 --set lr=0.01";

/// A set, and `run`: a segmenter that has learnt it.
fn with_run() -> Place {
    let place = with_set(20);
    place.succeed(&format!("-q segmenter train --data set --out run --steps 60 {TINY}"));
    place
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_trained_segmenter_is_judged_exported_and_applied() {
    let place = with_run();
    let mut names = place.names("run");
    names.retain(|name| name != "run.lock");
    assert_eq!(names, ["checkpoints", "config.toml", "iou.svg", "loss.svg", "preview.png", "stats.jsonl"]);

    let judged = |seg: &str| json(&place.succeed(&format!("-q segmenter eval {seg} --data set --json")));
    let whole = judged("run");
    assert_eq!(whole["images"], 20);
    let plane = &whole["planes"][0];
    assert!(plane["mean_iou"].as_f64().unwrap() > 0.9, "{plane}");
    assert_eq!(plane["classes"][1]["name"], "bright");
    let pixels = plane["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(pixels.map(|n| n.as_u64().unwrap()).sum::<u64>(), 20 * 256);

    let text = place.succeed("-q segmenter eval run --data set");
    for words in ["pixel accuracy 0.9", "most taken for\n", "% said", "\n  bright "] {
        assert!(text.contains(words), "{words}: {text}");
    }

    place.succeed("-q export run --half --out half.safetensors");
    let half = judged("half.safetensors");
    let difference = half["planes"][0]["mean_iou"].as_f64().unwrap() - plane["mean_iou"].as_f64().unwrap();
    assert!(difference.abs() < 0.01, "{difference}");
    let report = json(&place.succeed("inspect half.safetensors --json"));
    assert_eq!(report["notes"]["trained on"], "set");

    assert!(place.succeed("inspect half.safetensors").ends_with("classes of classes: dark, bright\n"));

    // A dark image, a bright one, and what a generator makes.
    place.write("dark.png", &pictures::png(&Image::filled(40, 16, [30; 3])).unwrap());
    let seen = json(&place.succeed("-q segmenter apply run dark.png --out seen --labels --json"));
    assert!(seen["planes"][0]["classes"][0]["share"].as_f64().unwrap() > 0.9, "{seen}");
    assert_eq!(place.names("seen"), ["classes", "dark.png"]);
    let map = data::decode_labels(&place.read("seen/classes/dark.png"), std::path::Path::new("m")).unwrap();
    assert_eq!((map.width, map.height), (40, 16), "the size of the image, not of the segmenter");
    assert_eq!(json(&String::from_utf8(place.read("seen/classes/classes.json")).unwrap())["ignore_index"], 9);
    let printed = place.succeed("-q segmenter apply run g.safetensors --seeds 0..6 --out g.png --columns 3");
    assert!(printed.starts_with("classes: ") && printed.ends_with("g.png\n"), "{printed}");
    // Four times magnified: an image with its map below, two rows, and the legend.
    let sheet = place.picture("g.png");
    assert!(sheet.height > 4 * 64 && sheet.width == 320, "{}x{}", sheet.width, sheet.height);
    assert!(place.succeed("-q segmenter apply run set/images --out set.png").contains("bright"));
    assert_eq!(place.names("run/checkpoints"), ["000060", "best.json"]);
}

#[test]
fn a_stopped_training_is_resumed_by_the_command_for_all_runs() {
    let place = with_set(10);
    place.succeed(&format!("-q segmenter train --data set --out whole --steps 6 --set log.checkpoint=3 {TINY}"));
    place.succeed(&format!("-q segmenter train --data set --out part --steps 6 --set log.checkpoint=3 {TINY}"));
    // As if it had been killed after its first checkpoint.
    std::fs::remove_dir_all(place.path("part/checkpoints/000006")).unwrap();
    std::fs::remove_file(place.path("part/checkpoints/best.json")).unwrap();
    place.succeed("-q resume part");
    let bytes = |run: &str| place.read(&format!("{run}/checkpoints/000006/segmenter.safetensors"));
    assert_eq!(bytes("part"), bytes("whole"));
    let steps = String::from_utf8(place.read("part/stats.jsonl")).unwrap();
    assert_eq!(steps.lines().count(), 6);
    check("segmenter-resume-wrong", &place.run("resume part --generations 9"));
    check("segmenter-resume-other", &place.run("resume part --set batch=8"));
}

#[test]
fn settings_of_a_training() {
    let place = Place::new();
    check(
        "segmenter-train-dry",
        &place.run("segmenter train --data scenes --val other --steps 9 --set lr=1 --dry-run"),
    );
}

#[test]
fn clusters_need_no_labels() {
    let place = with_set(4);
    let printed = place.succeed("segmenter cluster --data set --clusters 2 --out c.safetensors");
    assert_eq!(printed, "c.safetensors\n");
    let printed = place.succeed("-q segmenter apply c.safetensors set --out seen.png");
    assert!(printed.starts_with("clusters: cluster 1 "), "{printed}");
    check("segmenter-other-classes", &place.run("segmenter eval c.safetensors --data set"));
}

#[test]
fn painted_masks_are_concepts() {
    let place = Place::new();
    let half = |inside: fn(usize) -> bool| {
        let pixels = (0..64 * 64).flat_map(|p| [if inside(p) { 255 } else { 0 }; 3]).collect();
        pictures::png(&Image::new(64, 64, 3, pixels).unwrap()).unwrap()
    };
    place.write("painted/upper half.png", &half(|p| p < 32 * 64));
    place.write("painted/left.png", &half(|p| p % 64 < 32));
    let printed = place.succeed("segmenter masks painted --size 64 --out m.safetensors");
    assert_eq!(printed, "left: 50.0 % of the picture\nupper half: 50.0 % of the picture\nm.safetensors\n");
    // A segmenter like any other: units are compared with the regions.
    place.succeed(
        "-q dissect scenes --segmenter m.safetensors --layers 3 --samples 16 --fit-samples 16 --top-images 1 --out d",
    );
    let classes = String::from_utf8(place.read("d/classes.csv")).unwrap();
    assert!(classes.contains("upper half") && classes.contains("left") && !classes.contains("none"), "{classes}");
}

#[test]
fn classes_take_names_of_ones_own() {
    let place = Place::new();
    place.succeed("-q segmenter cluster --data scenes --images 2 --clusters 3 --out c.safetensors");
    let name = |words: &[&str]| {
        let fixed = ["-q", "segmenter", "name", "c.safetensors", "--out", "n.safetensors"];
        let output =
            Command::new(env!("CARGO_BIN_EXE_ganatomy")).current_dir(place.path("")).args(fixed).args(words).output();
        let output = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let told = name(&["cluster 1=grass", " cluster 3 = a = b"]);
    assert_eq!(
        told,
        (Some(2), "error: CLASS=NAME: cluster 3 = a: there is no such class\nhint: The classes are: grass, cluster 2, cluster 3.\n".into())
    );
    assert_eq!(
        name(&["cluster 1=grass", " cluster 3 = sky "]),
        (Some(0), "grass, cluster 2, sky\nn.safetensors\n".into())
    );
    let dissect = "-q dissect scenes --layers 3 --samples 16 --fit-samples 16 --top-images 1";
    place.succeed(&format!("{dissect} --segmenter n.safetensors --out d"));
    assert!(String::from_utf8(place.read("d/classes.csv")).unwrap().contains("grass"));
    for (words, said) in [
        ("cluster 1=cluster 2", "two classes of clusters would be called cluster 2"),
        ("grass", "\"grass\" is not a class, =, and its new name"),
        ("cluster 1=", "\"cluster 1=\" is not a class, =, and its new name"),
    ] {
        let (code, told) = name(&[words]);
        assert!(code == Some(2) && told.contains(said), "{told}");
    }
}

#[test]
fn what_cannot_be() {
    let place = with_run();
    place.write("grey.safetensors", &bytes_of(&image_generator(1)));
    place.write("other/a.png", &pictures::png(&Image::filled(32, 32, [9; 3])).unwrap());
    let wrong = [
        "train --data nowhere",
        "train --data other",
        "train --data ring8",
        "train --data set --out run",
        "train --data set --set widht=3",
        "train --data set --set levels=5",
        "eval g.safetensors --data set",
        "eval none --data set",
        "eval none/x --data set",
        "eval run --data other",
        "eval run --data scenes",
        "eval run --data set --size 32",
        "apply run grey.safetensors",
        "apply run p.safetensors",
        "apply run set --labels",
        "apply run set --out a.jpg",
        "apply run nowhere",
        "cluster --data set --out c.pth",
        "cluster --data other --out c.safetensors",
        "masks other --out m.png",
        "masks nowhere --out m.safetensors",
        "masks run/checkpoints --out m.safetensors",
        "masks set/images --channels 2 --out m.safetensors",
    ];
    let text: String = wrong.iter().map(|words| place.run(&format!("segmenter {words}")) + "\n").collect();
    assert!(!place.path("runs").exists());
    check("segmenter-wrong", &text);
    check("segmenter-sampled", &place.run("sample run"));
}

#[test]
fn the_shipped_segmenter_and_the_shipped_generator_share_a_name() {
    let place = Place::new();
    let judged = json(&place.succeed("segmenter eval scenes --data scenes --count 8 --json"));
    let planes = judged["planes"].as_array().unwrap();
    assert_eq!(planes.iter().map(|p| p["name"].as_str().unwrap()).collect::<Vec<_>>(), ["objects", "parts"]);
    assert!(planes.iter().all(|p| p["accuracy"].as_f64().unwrap() > 0.95), "{judged}");
    let printed = place.succeed("-q segmenter apply scenes scenes --seeds 0..2 --out seen.png");
    assert!(printed.contains("objects: sky ") && printed.contains("parts: none "), "{printed}");
    let inspected = json(&place.succeed("inspect scenes --json"));
    assert_eq!(inspected["output"]["shape"], serde_json::json!([3, 64, 64]), "that is the generator");
}
