//! `ganatomy repair`, with the generator that comes with the program after one of its units was spoiled.

use crate::support::{Place, bytes_of, check, with_models};
use net::{Device, Network, Tensor};
use serde_json::Value;
use std::path::Path;

const SMALL: &str = "-q repair spoiled.safetensors --layer 4 --real scenes --samples 100 --units 3 --random 2 --out r";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `scenes` with a unit of layer 4 that is on at 3 % of the pixels, most of them in few images, and paints magenta there; and that unit.
fn spoiled() -> (Network, usize) {
    let device = Device::cpu();
    let bytes = shipped::by_name("scenes", shipped::Kind::Generator).unwrap().bytes;
    let mut network = Network::from_bytes(bytes, Path::new("scenes"), &device).unwrap();
    let seeds: Vec<u64> = (0..60).collect();
    let maps = network.until("4.norm").unwrap().forward(&network.latents(&seeds, &device), &[]).unwrap().to_vec();
    // The share of a unit's pixels that lies in its five strongest images, the unit, and the level that 3 % exceed.
    let concentration = |unit: usize| {
        let maps: Vec<&[f32]> = maps.chunks_exact(64 * 64).skip(unit).step_by(48).collect();
        let mut values = maps.concat();
        values.sort_by(f32::total_cmp);
        let level = values[values.len() * 97 / 100];
        let mut on: Vec<usize> = maps.iter().map(|map| map.iter().filter(|&&v| v > level).count()).collect();
        on.sort_unstable();
        (on[55..].iter().sum::<usize>() * 1000 / on.iter().sum::<usize>(), unit, level)
    };
    let (_, spoiled, level) = (0..48).map(concentration).max_by_key(|found| found.0).unwrap();
    let graph = network.graph.clone();
    let mut change = |name: &str, change: &dyn Fn(&mut [f32])| {
        let place = graph.params().iter().position(|&id| graph.node(id).name == name).unwrap();
        let tensor = network.params.tensors()[place].clone();
        let mut values = tensor.to_vec();
        change(&mut values);
        network.params.set(place, Tensor::new(tensor.shape(), values, &device));
    };
    change("4.norm.bias", &|values| values[spoiled] -= level);
    // [colours][units][3][3]
    change("image.weight", &|values| {
        for (colour, weight) in [20.0, -20.0, 20.0].into_iter().enumerate() {
            values[(colour * 48 + spoiled) * 9..][..9].fill(weight);
        }
    });
    (network, spoiled)
}

#[test]
fn a_spoiled_unit_is_found_accepted_and_taken_out() {
    let place = Place::new();
    let (network, unit) = spoiled();
    place.write("spoiled.safetensors", &bytes_of(&network));
    let table = place.succeed(SMALL);
    let first = table.lines().nth(2).unwrap().split_whitespace().next();
    assert_eq!(first, Some(&*unit.to_string()), "{table}");
    assert!(table.ends_with("\nr\n"), "{table}");
    let searched = ["candidates", "candidates.csv", "candidates.json", "decisions.toml", "run.lock"];
    assert_eq!(place.names("r"), searched);
    let rows = String::from_utf8(place.read("r/candidates.csv")).unwrap();
    assert!(rows.starts_with("rank,unit,distance,z,without,iou,decision,seeds\n1,"), "{rows}");
    let picture = place.picture(&format!("r/candidates/{unit}.png"));
    // One image of 20 is five; four rows of them.
    assert_eq!((picture.width, picture.height), (5 * 132 + 4, 4 * 132 + 4));

    // Accepted in the file.
    let decisions = String::from_utf8(place.read("r/decisions.toml")).unwrap();
    let accepted = decisions.replace(&format!("{unit} = \"undecided\""), &format!("{unit} = \"accept\""));
    place.write("r/decisions.toml", accepted.as_bytes());
    let found = json(&place.succeed(&format!("{SMALL} --json")));
    assert_eq!((&found["accepted"], &found["removal"]), (&Value::from(vec![unit]), &Value::from("removed")));
    let distance = |which: &str, when: &str| found[which][when].as_f64().unwrap();
    for which in ["alike", "strongest"] {
        let random = found[which]["random"].as_array().unwrap();
        assert!(distance(which, "after") < 0.8 * distance(which, "before"), "{found}");
        assert!(random.iter().all(|r| r.as_f64().unwrap() > distance(which, "after")), "{found}");
    }
    assert_eq!(json(&String::from_utf8(place.read("r/repair.json")).unwrap())["alike"], found["alike"]);
    assert_eq!(place.names("r").len(), searched.len() + 3);

    // Every other command takes the repaired model, which gives what the old one gives with the unit off.
    assert!(place.succeed("inspect r/model.safetensors").contains("47x64x64"));
    place.succeed("-q sample r/model.safetensors --seeds 0..3 --raw gone.npy");
    place.succeed(&format!("-q edit spoiled.safetensors --ablate 4:{unit} --seeds 0..3 --raw off.npy --out off"));
    let (gone, off) = (place.npy("gone.npy").into_f32(), place.npy("off.npy").into_f32());
    assert!(gone.iter().zip(&off).all(|(a, b)| (a - b).abs() < 1e-4));
    let words = "-q dissect r/model.safetensors --segmenter scenes --layers 4 --samples 16 --fit-samples 16 --top-images 1 --out d";
    place.succeed(words);
    assert_eq!(String::from_utf8(place.read("d/units.csv")).unwrap().lines().count(), 1 + 47);

    let figures = place.succeed(&format!("{SMALL} --accept all --reject {unit}"));
    assert!(figures.starts_with("units ") && figures.contains(" of 4: removed\n"), "{figures}");
    let taken = figures.strip_prefix("units ").unwrap().split_once(" of").unwrap().0;
    assert!(taken.split(", ").count() == 2 && taken.split(", ").all(|other| other != unit.to_string()), "{figures}");
    // Other settings of the folder's decisions.
    let refused = place.run("repair scenes --layer 4 --real scenes --out r");
    assert!(refused.contains("holds decisions about another generator"), "{refused}");
    let refused = place.run("repair spoiled.safetensors --layer 3 --real scenes --out r");
    assert!(refused.contains("holds decisions about layer 4, not 3"), "{refused}");
}

#[test]
fn what_cannot_be_repaired() {
    let place = with_models();
    place.write("full/thesis.tex", b"x");
    place.write("a-file", b"x");
    place.write("d.toml", b"layer = \"2\"\nmodel = \"0\"\n[units]\n3 = \"yes\"\n");
    let words = [
        "repair scenes --layer 9 --real scenes --out x",
        "repair scenes --layer z --real scenes --out x",
        "repair p.safetensors --layer 0 --real scenes --out x",
        "repair nowhere.safetensors --layer 2 --real scenes --out x",
        "repair scenes --layer 2 --out x",
        "repair scenes --layer 2 --real nowhere --out x",
        "repair scenes --layer 2 --real ring8 --out x",
        "repair scenes --layer 2 --real scenes --samples 0 --out x",
        "repair scenes --layer 2 --real scenes --units 0 --out x",
        "repair scenes --layer 2 --real scenes --accept 96 --out x",
        "repair scenes --layer 2 --real scenes --accept three --out x",
        "repair scenes --layer 2 --real scenes --accept 3 --reject 3 --out x",
        "repair scenes --layer 2 --real scenes --defect-mask nowhere.png --out x",
        "repair scenes --layer 2 --real scenes --decisions d.toml --out y",
        "repair scenes --layer 2 --real scenes --out full",
        "repair scenes --layer 2 --real scenes --out a-file",
    ];
    check("repair-refused", &words.iter().map(|words| place.run(words) + "\n").collect::<String>());
    assert!(!place.path("x").exists(), "nothing is left of what was refused");
}
