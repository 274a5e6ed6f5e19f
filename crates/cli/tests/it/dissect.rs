//! `ganatomy dissect`, `merge`, `compare`, `causal` and `edit`, with the generator and the segmenter that come with the program.

use crate::support::{Place, check};
use serde_json::Value;

const SMALL: &str = "-q dissect scenes --segmenter scenes --layers 1b,2 --samples 48 --fit-samples 64 --top-images 1";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(place: &Place, name: &str) -> String {
    String::from_utf8(place.read(name)).unwrap()
}

#[test]
fn a_dissection_says_what_units_stand_for() {
    let place = Place::new();
    let table = place.succeed(&format!("{SMALL} --real scenes --real-samples 32 --out d"));
    assert!(table.starts_with("layer ") && table.contains("\n1b ") && table.ends_with("\nd\n"), "{table}");
    let mut names = place.names("d");
    names.retain(|name| name != "run.lock");
    let wanted = [
        "classes.csv",
        "classes.svg",
        "dissection.json",
        "fit.npz",
        "layers",
        "layers.svg",
        "samples.png",
        "settings.json",
        "tally.npz",
        "units",
        "units.csv",
    ];
    assert_eq!(names, wanted);
    let units = text(&place, "d/units.csv");
    assert!(units.starts_with("layer,unit,label,category,iou,iqr,threshold,interpretable,"), "{units}");
    assert_eq!(units.lines().count(), 1 + 192 + 96);
    // A good generator has many units that stand for something, and the chance level tells them from others.
    let found = json(&text(&place, "d/dissection.json"));
    let layer = &found["layers"][1];
    assert_eq!((&layer["layer"], &found["format"]), (&Value::from("2"), &Value::from(1)));
    assert!(layer["interpretable"].as_u64().unwrap() > 20, "{}", layer["interpretable"]);
    assert!(layer["chance_iou"].as_f64().unwrap() < 0.12, "{}", layer["chance_iou"]);
    let classes = found["classes"].as_array().unwrap();
    let share = |key: &str| classes.iter().take(11).map(|c| c[key].as_f64().unwrap()).sum::<f64>();
    assert!((share("generated") - 1.0).abs() < 1e-9 && (share("real") - 1.0).abs() < 1e-9, "objects fill the pictures");
    let picture = place.picture("d/units/2/0.png");
    assert_eq!((picture.width, picture.height), (128 + 8, 128 + 8));
    let both = place.npy_of("d/tally.npz", "layer1.both");
    assert_eq!(both.shape, [64, 96, 19]);

    // Once more: there is nothing left to do, and the result is the same.
    let before = place.read("d/dissection.json");
    place.succeed(&format!("{SMALL} --real scenes --real-samples 32 --out d"));
    assert_eq!(place.read("d/dissection.json"), before);
    let side_by_side = json(&place.succeed("compare d d --json"));
    assert_eq!(side_by_side["layers"][0]["found"][1]["units"], 192);
    assert!(place.succeed("compare d d").contains("2  d: "));
    let measured = json(&place.succeed("-q compare d d --real scenes --images 512 --json"));
    let [distance, other] = [0, 1].map(|i| measured["dissections"][i]["image_distance"].clone());
    assert_eq!(distance, other);
    let [generated, real] = ["generated", "real"].map(|key| distance[key].as_f64().unwrap());
    assert!(real > 0.0 && generated > real && generated < 1.0, "{distance}");
}

/// A run goes on after it was dissected, and another checkpoint stands for it: the dissection is of the one that it is of.
#[test]
fn a_dissection_of_a_run_knows_its_checkpoint() {
    let place = Place::new();
    let run =
        "--set image.size=64 --set log.keep=9 --set log.checkpoint=1 --set log.samples=0 --generations 3 --out run";
    place.succeed(&format!("-q evolve --data scenes --preset modern {} {run}", crate::runs::TINY));
    place.write("run/checkpoints/best.json", br#"{"generation":2,"score":0.1}"#);
    let dissect = "-q dissect run --segmenter scenes --samples 16 --fit-samples 8 --top-images 1 --out d";
    place.succeed(dissect);
    let plan = json(&text(&place, "d/settings.json"));
    let taken = "run/checkpoints/000002/ema.safetensors";
    assert_eq!((&plan["model"]["name"], &plan["segmenter"]["name"]), (&taken.into(), &"scenes".into()));
    let layer = plan["layers"][0]["name"].as_str().unwrap();

    place.write("run/checkpoints/best.json", br#"{"generation":3,"score":0.05}"#);
    place.succeed(dissect);
    let edit = format!("-q edit run --ablate {layer}:0 --seeds 0..2 --dissection d");
    place.succeed(&format!("{edit} --out e"));
    assert_eq!(json(&text(&place, "e/edit.json"))["model"]["name"], taken);
    // Dissections of older programs know the run alone.
    let older = text(&place, "d/settings.json").replace(taken, "run");
    place.write("d/settings.json", older.as_bytes());
    let causal = format!("causal d --layer {layer} --class tree --pool 8 --out c.json");
    assert!(place.run(&causal).contains(&format!("taking {taken}")), "{}", place.run(&causal));
    place.write("d/settings.json", older.replace("\"run\"", &format!("\"{taken}\"")).as_bytes());

    std::fs::remove_dir_all(place.path("run/checkpoints/000002")).unwrap();
    let gone = [&*causal, &edit, &format!("{causal} --model run")].map(|words| place.run(words) + "\n");
    check("dissect-of-a-run-gone", &gone.concat());
}

#[test]
fn shards_merged_are_the_whole() {
    let place = Place::new();
    place.succeed(&format!("{SMALL} --out whole"));
    for shard in [1, 2] {
        place.succeed(&format!("{SMALL} --shard {shard}/2 --out shard-{shard}"));
    }
    place.succeed("-q merge shard-2 shard-1 --out merged");
    for file in
        ["units.csv", "dissection.json", "tally.npz", "fit.npz", "settings.json", "classes.csv", "units/1b/7.png"]
    {
        assert_eq!(place.read(&format!("whole/{file}")), place.read(&format!("merged/{file}")), "{file}");
    }
}

#[test]
fn units_are_edited_and_their_causes_found() {
    let place = Place::new();
    place.succeed(&format!("{SMALL} --out d"));
    place.succeed("-q sample scenes --seeds 0..3 --raw plain.npy");
    let edit = |words: &str| json(&place.succeed(&format!("-q edit scenes --seeds 0..3 --raw x.npy --json {words}")));
    edit("--scale 2:0,1@1 --out same");
    assert_eq!(place.npy("x.npy"), place.npy("plain.npy"), "a factor of 1 changes nothing");
    let found = edit("--ablate 1b:tree/30 --dissection d --segmenter scenes --out no-trees");
    let trees = &found["classes"].as_array().unwrap()[5];
    assert!(trees["name"] == "tree" && trees["removed"].as_f64().unwrap() > 0.2, "{trees}");
    assert_ne!(place.npy("x.npy"), place.npy("plain.npy"));
    assert_eq!(place.names("no-trees"), ["edit.json", "effects.csv", "recipe.json", "sheet.png"]);
    let edited = place.npy("x.npy");
    edit("--recipe no-trees/recipe.json --dissection d --out again");
    assert_eq!(place.npy("x.npy"), edited, "a recipe does the same again");
    edit("--insert 2:0@mean:door --insert 2:1@q0.99 --insert 2:2@-1.5 --cells 3,4 5,6 --dissection d --out more");

    // What comes with the program is used where nothing is given, and can be named.
    for (out, words) in [("own", "--ablate 1b:tree/20"), ("named", "--ablate 1b:tree/20 --dissection scenes")] {
        place.succeed(&format!("-q edit scenes {words} --seeds 0..2 --out {out}"));
    }
    assert_eq!(text(&place, "own/recipe.json"), text(&place, "named/recipe.json"));

    let words = "-q causal d --layer 2 --class tree --pool 24 --epochs 1 --curve-images 8 --insertion-images 2 --out tree.json --json";
    let found = json(&place.succeed(words))["causes"][0].clone();
    assert_eq!((&found["class"], &found["layer"]), (&Value::from("tree"), &Value::from("2")));
    let mut units: Vec<u64> = found["units"].as_array().unwrap().iter().map(|u| u.as_u64().unwrap()).collect();
    units.sort_unstable();
    assert_eq!(units, (0..96).collect::<Vec<u64>>());
    let last = found["curve"].as_array().unwrap().last().unwrap();
    assert_eq!(last["units"], 30);
    assert!(last["causal"].as_f64().unwrap() > last["random"].as_f64().unwrap(), "{last}");
    assert_eq!(json(&text(&place, "tree.json")), found);
    assert!(text(&place, "tree.svg").contains("Switching off units of layer 2 for tree"));
    let inserted = &found["insertions"];
    let cells: u64 = inserted["contexts"].as_array().unwrap().iter().map(|c| c["cells"].as_u64().unwrap()).sum();
    assert!((128..=3 * 128).contains(&cells), "64 cells of two images, each in some of the objects: {cells}");
    assert_eq!(inserted["trace"].as_array().unwrap().last().unwrap()["layer"], "image");

    let words = "-q causal d --layer 2 --class tree sky --pool 24 --epochs 1 --curve-images 8 --insertion-images 0 --out causes";
    place.succeed(words);
    let names = ["objects-sky.json", "objects-sky.svg", "objects-tree.json", "objects-tree.svg", "run.lock"];
    assert_eq!(place.names("causes"), [&["classes.csv", "classes.svg"], &names[..]].concat());
    let table = text(&place, "causes/classes.csv");
    assert_eq!(table.lines().count(), 3, "{table}");
    // Only what is missing is searched again.
    std::fs::remove_file(place.path("causes/objects-sky.json")).unwrap();
    place.write("causes/objects-tree.svg", b"old");
    place.succeed(words);
    assert_eq!(text(&place, "causes/classes.csv"), table);
    assert_eq!(text(&place, "causes/objects-tree.svg"), "old");
    place.write("causes/objects-sky.json", b"{");
    let broken = place.run(words);
    assert!(broken.contains("objects-sky.json") && broken.contains("Remove it"), "{broken}");
}

#[test]
fn what_cannot_be_dissected_or_edited() {
    let place = Place::new();
    let start = "dissect scenes --segmenter scenes --fit-samples 1 --top-images 1";
    place.succeed(&format!("-q {start} --layers 2 --samples 16 --out d"));
    place.succeed(&format!("-q {start} --layers 2 --samples 32 --shard 1/2 --out a"));
    place.succeed(&format!("-q {start} --layers 2 --samples 32 --top 0.02 --shard 2/2 --out b"));
    place.succeed(&format!("-q {start} --layers 2 --samples 32 --shard 2/2 --out broken"));
    let tally = place.read("broken/tally.npz");
    place.write("broken/tally.npz", &tally[..tally.len() / 2]);
    place.succeed("-q export scenes --out g.safetensors");
    place.write("full/thesis.tex", b"x");
    place.write("r.json", br#"{"format": 1, "edits": [{"layer": "2", "units": [1], "strength": 2}]}"#);
    let words = [
        "dissect scenes --segmenter scenes --layers 9 --out x",
        "dissect scenes --segmenter scenes --layers z --out x",
        "dissect scenes --segmenter scenes --samples 0 --out x",
        "dissect scenes --segmenter scenes --shard 3/2 --out x",
        "dissect scenes --segmenter scenes --top 1.5 --out x",
        "dissect scenes --segmenter nowhere.safetensors --out x",
        "dissect scenes --segmenter scenes --out full",
        "dissect scenes --segmenter scenes --layers 2 --samples 17 --fit-samples 1 --top-images 1 --out d",
        "merge a b --out x",
        "merge a --out x",
        "merge a broken --out x",
        "merge a full --out x",
        "compare d full",
        "compare d d --real scenes --images 0",
        "edit scenes --out x",
        "edit scenes --ablate 2:96 --out x",
        "edit g.safetensors --ablate 2:tree/5 --out x",
        "edit scenes --ablate 2:tee/5 --dissection d --out x",
        "edit scenes --insert 2:1@1 --cells 16,0 --out x",
        "edit scenes --insert 2:1 --out x",
        "edit scenes --scale 2:1@mean --out x",
        "edit scenes --recipe r.json --out x",
        "causal d --layer 3 --class tree --out x.json",
        "causal d --layer 2 --class tee --out x.json",
        "causal d --layer 2 --class tree --out x.txt",
        "causal d --layer 2 --class chimney --pool 1 --out x.json",
    ];
    check("dissect-refused", &words.iter().map(|words| place.run(words) + "\n").collect::<String>());
    assert!(!place.path("x").exists(), "nothing is left of what was refused");
}
