//! Dissections with names, documents and numbers that people do not expect, on a generator of 16x16 pixels.

use crate::support::{Place, bytes_of, image_generator};
use data::{Class, Image, Plane, pictures};
use net::{Conv, Device, Graph, Init, Network, Op, Params, Storage, Tensor};
use segment::Segmenter;
use serde_json::Value;
use std::time::{Duration, Instant};

const SMALL: &str = "-q dissect g.safetensors --segmenter s.safetensors --samples 48 --fit-samples 32 --top-images 1";
/// Of these the generator's pictures can be given more of the second, the fourth and the sixth.
const SIX: [&str; 6] = ["dark", "red", "green", "yellow", "blue", "violet"];
const SEARCH: &str = "--layer 0 --pool 40 --epochs 1 --curve-images 8 --insertion-images 0";

/// How an error begins, and the change of the settings that it is about.
type Wrong<'a> = (&'a str, &'a dyn Fn(&mut Value));

/// A segmenter whose classes are corners of the space of colours.
fn segmenter(names: &[&str]) -> Segmenter {
    let mut graph = Graph::default();
    let x = graph.push("image", Op::input(&[3, 16, 16]), &[]);
    let shape = vec![names.len(), 3, 1, 1];
    let op = Op::Param { shape: shape.clone(), init: Init::Constant(0.0), trainable: true };
    let w = graph.push("weight", op, &[]);
    graph.push("logits", Op::conv2d(Conv::new(1, 0)), &[x, w]);
    let weights =
        (0..names.len()).flat_map(|k| (0..3).map(move |c| if k >> c & 1 == 1 { 1.0 } else { -1.0 })).collect();
    let params = Params::new(vec![Tensor::new(&shape, weights, &Device::cpu())]);
    let class = |name: &&str| Class { name: (*name).into(), colour: [0; 3] };
    let plane = Plane { name: "corners".into(), classes: names.iter().map(class).collect(), ignore: None };
    Segmenter::new(Network { graph: graph.into(), params, notes: Vec::new() }, vec![plane]).unwrap()
}

/// The generator of the tests with other names for its layers 0 and 1.
fn renamed(layers: [&str; 2]) -> Network {
    let network = image_generator(3);
    let mut text = serde_json::to_string(&*network.graph).unwrap();
    for (old, new) in ["\"0\"", "\"1\""].iter().zip(layers) {
        text = text.replace(old, &serde_json::to_string(new).unwrap());
    }
    let graph: Graph = serde_json::from_str(&text).unwrap();
    Network { graph: graph.into(), ..network }
}

/// A folder with a generator and a segmenter.
fn place(classes: &[&str], layers: [&str; 2]) -> Place {
    let place = Place::new();
    place.write("g.safetensors", &bytes_of(&renamed(layers)));
    place.write("s.safetensors", &segmenter(classes).to_bytes(Storage::F32).unwrap());
    place
}

fn text(place: &Place, name: &str) -> String {
    String::from_utf8(place.read(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What the program says to words that it refuses, which must be soon: 2 where they are wrong by themselves, else 1.
fn refused(place: &Place, words: &str) -> String {
    let start = Instant::now();
    let output = place.output(words);
    let said = String::from_utf8(output.stderr).unwrap();
    let is_typed = ["error: --", "error: edit of ", "error: layers: "].iter().any(|start| said.starts_with(start));
    assert_eq!(output.status.code(), Some(if is_typed { 2 } else { 1 }), "{words}: {said}");
    assert!(start.elapsed() < Duration::from_secs(20), "{words}");
    said
}

#[test]
fn classes_whose_names_look_alike_get_results_of_their_own() {
    let long = "C".repeat(260);
    let names = [&long, "a/b", "a/b", "a b", "wall", "a-b"];
    let place = place(&names, ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d"));
    place.succeed(&format!("-q causal d {SEARCH} --class all --out c"));
    let table = text(&place, "c/classes.csv");
    let found: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let called: Vec<&str> = found.iter().map(|row| row[0]).collect();
    assert_eq!(
        called,
        [&long, "a/b", "a/b (2)", "a b", "wall", "a-b"],
        "the second class of a name has one of its own"
    );
    let there = found.iter().filter(|row| !row[2].is_empty()).count();
    assert!([1, 3, 5].iter().all(|&row| !found[row][2].is_empty()), "{table}");
    assert_eq!(place.names("c").iter().filter(|name| name.contains(".json")).count(), there, "{:?}", place.names("c"));
    // Each is what it is alone.
    for (number, row) in found.iter().enumerate().filter(|(_, row)| !row[2].is_empty()) {
        let mut command = place.command(&format!("-q causal d {SEARCH} --json --out {number}.json"));
        let alone = command.args(["--class", row[0]]).output().unwrap();
        let alone = json(&String::from_utf8(alone.stdout).unwrap())["causes"][0].clone();
        assert_eq!(alone["class"], row[0]);
        let (effect, listed) = (alone["effect"].as_f64().unwrap(), row[6].parse::<f64>().unwrap());
        assert!((effect - listed).abs() < 1e-9, "{}: {effect}, {listed}", row[0]);
    }
    let before = std::fs::metadata(place.path("c/corners-a-b.json")).unwrap().modified().unwrap();
    place.succeed(&format!("-q causal d {SEARCH} --class all --out c"));
    assert_eq!(text(&place, "c/classes.csv"), table);
    let after = std::fs::metadata(place.path("c/corners-a-b.json")).unwrap().modified().unwrap();
    assert_eq!(after, before, "what is there is not searched again");
}

#[test]
fn layers_whose_names_look_alike_get_pictures_of_their_own() {
    let long = "L".repeat(300);
    for (layers, of) in [(["a/b", "a_b"], 6), ([&*long, "1"], 6)] {
        let place = place(&["dark", "red"], layers);
        place.succeed(&format!("{SMALL} --out d"));
        let pictures: usize =
            place.names("d/units").iter().map(|layer| place.names(&format!("d/units/{layer}")).len()).sum();
        assert_eq!((place.names("d/units").len(), place.names("d/layers").len(), pictures), (2, 2, of), "{layers:?}");
        assert_eq!(place.succeed("-q report d"), "d/report.html\n");
    }
}

#[test]
fn documents_of_a_dissection_are_checked_when_they_are_read() {
    let place = place(&["dark", "red"], ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d"));
    let whole = text(&place, "d/settings.json");
    let causal = format!("causal d {SEARCH} --class red --out x.json");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut settings = json(&whole);
        change(&mut settings);
        place.write("d/settings.json", settings.to_string().as_bytes());
    };
    let wrong: [Wrong; 5] = [
        ("shard: there is no shard 0 of 0", &|s| s["shard"] = serde_json::json!({"index": 0, "of": 0})),
        ("samples: is 1125899906842624; at most", &|s| s["settings"]["samples"] = (1u64 << 50).into()),
        ("seed: ", &|s| s["settings"]["seed"] = u64::MAX.into()),
        ("layers: 0: ", &|s| s["layers"][0]["size"][0] = (1u64 << 40).into()),
        ("layers: their units", &|s| s["layers"][0]["units"] = (1u64 << 60).into()),
    ];
    for (said, change) in wrong {
        with(change);
        for words in [
            "report d",
            "compare d d",
            "merge d --out m",
            &causal,
            &SMALL.replace("-q", "").replace("48", "48 --out d"),
        ] {
            let error = refused(&place, words);
            assert!(error.starts_with(&format!("error: d/settings.json: corrupt: {said}")), "{words}: {error}");
        }
    }
    assert!(!place.path("m").exists());

    // Only files are opened, whatever a plan calls its networks.
    let zero = if cfg!(unix) { "/dev/zero" } else { "d" };
    with(&|s| s["model"]["name"] = zero.into());
    assert!(refused(&place, &causal).contains(zero));
    with(&|s| s["segmenter"]["name"] = zero.into());
    assert!(refused(&place, &causal).contains(zero));
    #[cfg(unix)]
    {
        assert!(std::process::Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
        with(&|s| s["model"]["name"] = "pipe".into());
        assert!(refused(&place, &causal).contains("pipe: is not a regular file"));
    }
    place.write("d/settings.json", whole.as_bytes());
    // What is printed is what the counts say, not what lies in a file.
    place.write("d/dissection.json", b"\x1b]0;owned\x07");
    assert!(json(&place.succeed(&format!("{SMALL} --out d --json")))["layers"].is_array());
}

#[test]
fn more_images_than_can_be_counted_are_refused_before_anything_is_made() {
    let place = place(&["dark", "red"], ["0", "1"]);
    let many = "1000000000000";
    place.write("photos/a.png", &pictures::png(&Image::filled(16, 16, [9; 3])).unwrap());
    for (words, flag) in [
        (format!("--samples {many}"), "--samples"),
        (format!("--samples 16 --fit-samples {many}"), "--fit-samples"),
        (format!("--samples 16 --real photos --real-samples {many}"), "--real-samples"),
    ] {
        let error = refused(&place, &format!("dissect g.safetensors --segmenter s.safetensors --out n {words}"));
        assert!(
            error.starts_with(&format!("error: {flag}: is {many}; at most 4294967296 images are looked at")),
            "{error}"
        );
    }
    assert!(!place.path("n").exists());
}

#[test]
fn without_a_chance_level_nothing_is_called_interpretable() {
    let place = place(&["dark", "red", "green", "x"], ["0", "1"]);
    let few = "-q dissect g.safetensors --segmenter s.safetensors --fit-samples 16 --top-images 1 --min-iou 0";
    let table = place.succeed(&format!("{few} --samples 15 --out few"));
    let said =
        "no unit is called interpretable: that needs a chance level, and so at least 16 images counted together\n";
    assert!(table.contains(said) && !table.contains("NaN"), "{table}");
    let found = json(&place.succeed(&format!("{few} --samples 15 --out few --json")));
    assert_eq!(found["chance_level"], false);
    assert!(found["layers"].as_array().unwrap().iter().all(|layer| layer["interpretable"] == 0));
    assert!(!text(&place, "few/units.csv").contains("true"));
    place.succeed("-q report few");
    assert!(text(&place, "few/report.html").contains("<b>No unit is called interpretable:</b>"));
    let compared = place.run("compare few few");
    assert!(
        compared.contains("none of 6 units is called interpretable: too few images for a chance level"),
        "{compared}"
    );

    let table = place.succeed(&format!("{few} --samples 16 --max-fdr 1 --out enough"));
    assert!(!table.contains(said), "{table}");
    assert!(text(&place, "enough/units.csv").contains(",true,"));
    assert_eq!(json(&text(&place, "enough/dissection.json"))["chance_level"], true);

    // One image: nothing varies, and no interval is made up.
    place.succeed(&format!("{few} --samples 1 --out one"));
    assert_eq!(
        json(&text(&place, "one/dissection.json"))["classes"][0]["generated_interval"],
        serde_json::json!([null, null])
    );
    place.succeed("-q report one");
    assert!(text(&place, "one/report.html").contains("no interval"));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let place = place(&["dark", "red"], ["0", "1"]);
    place.write("other.safetensors", &segmenter(&["dark", "blue", "green"]).to_bytes(Storage::F32).unwrap());
    place.succeed(&format!("{SMALL} --out a"));
    place.succeed(&format!("{SMALL} --top 0.02 --out b").replace("48", "16"));
    place.succeed(&format!("{SMALL} --out c").replace("s.safetensors", "other.safetensors"));
    let said = place.run("compare a b c");
    for line in [
        "warning: b counted 16 images, a 48: shares of classes can be compared, but among more images more units stand out from chance",
        "warning: units of b are on and interpretable by other rules than those of a (top is 0.02, not 0.01): ",
        "warning: c was looked through with another segmenter (other.safetensors) than a (s.safetensors): ",
        "warning: c has other classes than a: only the 1 that both have can be compared",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let output = place.output("compare a b c --json");
    let found = json(&String::from_utf8(output.stdout).unwrap());
    let whats: Vec<_> =
        found["differences"].as_array().unwrap().iter().map(|d| (d["dissection"].clone(), d["what"].clone())).collect();
    let expected = [(2, "samples"), (2, "rules"), (3, "segmenter"), (3, "classes")];
    assert_eq!(whats, expected.map(|(place, what)| (Value::from(place), Value::from(what))));
    place.succeed("compare a a");
    // The same on a page.
    assert!(place.output("compare a b c --report page.html").status.success());
    let page = text(&place, "page.html");
    for line in
        ["3 dissections side by side", "c has other classes than a", "cannot be compared", "ganatomy compare a b c"]
    {
        assert!(page.contains(line), "{line}");
    }
    let refused = place.run("compare a b --report page.png");
    assert!(refused.contains("error: --report: page.png is not a kind of file that is written here"), "{refused}");
}

#[test]
fn edits_that_would_do_something_else_or_nothing_are_refused() {
    let place = place(&["dark", "red"], ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d"));
    place.write("black.png", &pictures::png(&Image::filled(8, 8, [0; 3])).unwrap());
    place.write("white.png", &pictures::png(&Image::filled(8, 8, [255; 3])).unwrap());
    let edit = |words: &str| format!("edit g.safetensors --dissection d --seeds 0..2 --out x {words}");
    for (words, said) in [
        ("--ablate 0:red/2000", "edit of 0: red/2000: it has 4 units"),
        ("--ablate 0:red/0", "edit of 0: names no unit"),
        ("--ablate 0:1,1", "edit of 0: names unit 1 twice"),
        ("--ablate 0:1 --mask black.png", "black.png: marks nothing: all of it is black or transparent"),
        ("--ablate 9:1", "layers: 9: there is no such layer"),
        ("--scale 0:1@1e300", "edit of 0: alpha is -"),
    ] {
        let error = refused(&place, &edit(words));
        assert!(error.starts_with(&format!("error: {said}")), "{words}: {error}");
    }
    for (words, said) in [
        ("--insert 0:1", "names no value: write 0:1@VALUE, such as 0:1@q0.99, or switch units off with --ablate"),
        ("--ablate 0:1@0.5", "a value has no meaning here: write 0:1, or force units with --insert"),
        ("--insert 0:1@nan", "is not a value"),
    ] {
        let output = place.output(&edit(words));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(said), "{words}: {error}");
    }
    assert!(!place.path("x").exists());
    place.succeed(&format!("-q {}", edit("--insert 0:1@zero --mask white.png")));

    // Painted masks are where they are, whatever a picture shows.
    place.write("painted/left.png", &pictures::png(&Image::filled(16, 16, [255; 3])).unwrap());
    place.succeed("segmenter masks painted --size 16 --out m.safetensors");
    let output = place.output(&format!("-q {}", edit("--ablate 0:1 --segmenter m.safetensors")));
    let (table, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(table, "x\n");
    assert!(said.starts_with("warning: --segmenter: says the same of every picture, as painted masks do;"), "{said}");
    place.succeed(&format!("{SMALL} --out painted-d").replace("s.safetensors", "m.safetensors"));
    let error = refused(&place, &format!("causal painted-d {SEARCH} --class left --out left.json"));
    assert!(error.contains("says the same of every picture") && error.contains("hint: "), "{error}");
}

#[test]
fn one_search_at_a_time_writes_to_a_place() {
    let place = place(&SIX, ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d"));
    std::fs::create_dir(place.path("c")).unwrap();
    let locks =
        (train::RunLock::acquire(place.path("c")).unwrap(), train::FileLock::acquire(place.path("red.json")).unwrap());
    let here = std::process::id();
    let error = refused(&place, &format!("causal d {SEARCH} --class all --out c"));
    assert!(error.starts_with(&format!("error: c: process {here} is at work in this folder\n")), "{error}");
    let error = refused(&place, &format!("causal d {SEARCH} --class red --out red.json"));
    assert!(error.starts_with(&format!("error: red.json: process {here} is at work on this file\n")), "{error}");
    drop(locks);
    place.succeed(&format!("-q causal d {SEARCH} --class red --out red.json"));
    assert_eq!(place.names("."), ["c", "d", "g.safetensors", "red.json", "red.svg", "s.safetensors"]);
}

#[test]
fn a_class_whose_name_ends_in_all_is_one_class() {
    let place = place(&SIX.map(|name| if name == "red" { "wall" } else { name }), ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d"));
    place.succeed(&format!("-q causal d {SEARCH} --class wall --out wall.json"));
    assert_eq!(json(&text(&place, "wall.json"))["class"], "wall");
}

#[test]
fn a_merge_that_is_killed_is_repeated() {
    let place = place(&["dark", "red"], ["0", "1"]);
    for shard in [1, 2] {
        place.succeed(&format!("{SMALL} --shard {shard}/2 --out s{shard}"));
    }
    place.succeed("-q merge s1 s2 --out whole");
    for wait in (0..14).map(|moment| Duration::from_millis(4 * moment)) {
        let mut merge = place.command("-q merge s1 s2 --out m").spawn().unwrap();
        std::thread::sleep(wait);
        merge.kill().unwrap();
        merge.wait().unwrap();
        place.succeed("-q merge s1 s2 --out m");
        for file in ["dissection.json", "tally.npz", "fit.npz", "units/1/1.png", "layers/0.svg"] {
            assert!(place.read(&format!("m/{file}")) == place.read(&format!("whole/{file}")), "{file} after {wait:?}");
        }
        if wait.as_millis().is_multiple_of(8) {
            std::fs::remove_dir_all(place.path("m")).unwrap();
        }
    }
}

#[test]
fn what_people_mistake_is_answered_with_a_cure_that_works() {
    let place = place(&SIX, ["0", "1"]);
    place.succeed(&format!("{SMALL} --out d").replace("--samples", "--layers all --samples"));
    let said = |words: &str, error: &str, hint: &str| {
        let found = refused(&place, words);
        assert!(
            found.starts_with(&format!("error: {error}")) && found.contains(&format!("\nhint: {hint}")),
            "{words}: {found}"
        );
    };
    said(
        "report scenes",
        "scenes: comes with the program without pictures",
        "Dissect it yourself: `ganatomy dissect scenes --segmenter scenes`.",
    );
    let swapped = "dissect s.safetensors --segmenter g.safetensors --out x";
    said(
        swapped,
        "g.safetensors: is a network, but not a segmenter",
        "Give a model that `ganatomy segmenter train` made",
    );
    said(
        &swapped.replace("g.", "s."),
        "s.safetensors: is a segmenter; dissected are generators",
        "Give a generator, and this with --segmenter.",
    );
    std::fs::rename(place.path("g.safetensors"), place.path("moved.safetensors")).unwrap();
    let words = format!("causal d {SEARCH} --class red --out red.json");
    said(&words, "g.safetensors: is not there: the generator", "Say with --model where it is now");
    place.succeed(&format!("-q {words} --model moved.safetensors"));
    std::fs::rename(place.path("moved.safetensors"), place.path("g.safetensors")).unwrap();
    // Nothing is left of what could not begin, in the numbered folder either.
    place.write("wide.safetensors", &bytes_of(&image_generator(1)));
    refused(&place, "dissect wide.safetensors --segmenter s.safetensors");
    refused(
        &place,
        &format!("dissect g.safetensors --segmenter s.safetensors --shard {0}/{0} --samples {0}", 1u64 << 40),
    );
    assert!(!place.path("runs").exists());
    // Spaces after commas are no part of a name.
    let mut command =
        place.command("-q dissect g.safetensors --segmenter s.safetensors --samples 16 --fit-samples 16 --out e");
    assert!(command.args(["--layers", "0, 1"]).output().unwrap().status.success());
    // What an edit before this one counted is not left beside it.
    for segmenter in ["--segmenter s.safetensors", ""] {
        place.succeed(&format!("-q edit g.safetensors --ablate 0:1 --seeds 0..2 --out x {segmenter}"));
    }
    assert_eq!(place.names("x"), ["edit.json", "recipe.json", "sheet.png"]);
    said(
        "report x",
        "x: is an edit; a page is made of a dissection",
        "Give it with the dissection: `ganatomy report FOUND --edit x`.",
    );
    said(
        "report d/units.csv",
        "d/units.csv: is a file; a dissection is a folder",
        "Give the folder that `ganatomy dissect` or",
    );
}
