//! `ganatomy score`: figures with all that they depend on, what is kept, and what is refused.

use crate::support::{Place, check, with_models};
use serde_json::Value;

fn json(place: &Place, words: &str) -> Value {
    let output = place.output(&format!("{words} --json"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{words}: {stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_figure_is_printed_without_what_it_was_measured_by() {
    let place = with_models();
    place.succeed("-q sample g.safetensors --seeds 1000..1160 --out made");
    let words =
        "score g.safetensors --samples 150 --reference made --metrics fid,kid,prdc --kid-size 50 --kid-subsets 4 -q";
    let output = place.output(words);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let lines: Vec<&str> = text.lines().collect();
    let hash = &lines[0].split('@').nth(1).unwrap()[..12];
    assert!(hash.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
    for (line, name) in lines.iter().zip(["fid_150_full", "kid_150_full", "prdc_150_full"]) {
        assert!(line.starts_with(&format!("{name} scenes:middle@{hash}")), "{text}");
    }
    assert_eq!(
        lines[3..],
        [
            "generated: 150 images of g.safetensors, seeds 0..150, the first ones, 16x16",
            "reference: 160 images of made, 16x16",
            "resize: clean; covariances divided by N-1",
        ],
        "{text}"
    );
}

#[test]
fn what_is_known_of_the_reference_is_kept_and_statistics_are_exchanged() {
    let place = with_models();
    place.succeed("-q sample g.safetensors --seeds 1000..1040 --out made");
    let words = "score g.safetensors --samples 40 --reference made";
    let (first, again) = (json(&place, words), json(&place, words));
    assert_eq!((&first["cached"], &again["cached"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(first["metrics"], again["metrics"]);
    assert_eq!(json(&place, &format!("{words} --no-cache"))["metrics"], first["metrics"]);
    assert_eq!(place.names(".kept/ganatomy").len(), 1);
    // Too few for 128 features, on both sides.
    let warnings = first["envelope"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.iter().filter(|w| w.as_str().unwrap().contains("are too few for 128 features")).count(), 2);
    // The same by files.
    json(&place, "score g.safetensors --samples 40 --out g.npz");
    json(&place, "score scenes --samples 5 --out five.npy");
    assert_eq!(place.npy("five.npy").shape, [5, 128]);
    let by_files = json(&place, "score g.npz --reference made --size 16");
    assert_eq!(by_files["metrics"]["fid"]["value"], first["metrics"]["fid"]["value"]);
    assert_eq!(by_files["cached"], true);
    json(&place, &format!("{words} --record found"));
    json(&place, &format!("{words} --record found"));
    let lines = String::from_utf8(place.read("found/metric-fid.jsonl")).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((records.len(), &records[0]), (2, &records[1]));
    assert_eq!((&records[0]["name"], &records[0]["extraction"]["resize"]), (&"fid_40_full".into(), &"clean".into()));
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let place = with_models();
    place.succeed("-q sample g.safetensors --seeds 1000..1004 --out made");
    place.write("x.npy", &base::npy::Array::f32(vec![3, 2], vec![0.0, 1.0, 2.0, 0.5, 1.5, 1.0]).to_bytes());
    let text: String = [
        "score g.safetensors",
        "score g.safetensors --reference scenes --metrics fdi",
        "score g.safetensors --reference scenes --features scene",
        "score g.safetensors --reference scenes --features scenes:mddle --samples 4",
        "score g.safetensors --reference scenes --features g.safetensors",
        "score g.safetensors --reference made --metrics is --samples 20",
        "score g.safetensors --reference made --metrics kid --samples 20",
        "score g.safetensors --reference made --samples 1",
        "score g.safetensors --reference scenes --samples 4",
        "score g.safetensors --reference scenes --out g.txt",
        "score p.safetensors --reference scenes",
        "score x.npy --reference scenes --reference-samples 3",
        "score x.npy --reference x.npy --features none --metrics is",
        "score x.npy --reference scenes --features none",
        "score scenes --reference ring8 --samples 4",
        "score made --metrics ppl",
        "score g.safetensors --metrics ppl --ppl-space w --samples 4",
        "score g.safetensors --metrics ppl --ppl-step 1",
        "score g.safetensors --reference scenes --features made",
    ]
    .iter()
    .map(|words| place.run(words) + "\n")
    .collect();
    check("score-refused", &text);
}

#[test]
fn a_path_length_is_named_by_its_space_and_its_steps() {
    let place = with_models();
    let words = "score g.safetensors --samples 30 --metrics ppl";
    let found = json(&place, words);
    let ppl = &found["metrics"]["ppl"];
    assert_eq!((&ppl["protocol"], &ppl["pairs"], &ppl["kept"]), (&"ppl_30_zfull".into(), &30.into(), &30.into()));
    assert_eq!((&ppl["options"]["space"], &ppl["options"]["step"]), (&"z".into(), &1e-4.into()));
    assert!(found["features"]["name"] == "scenes:middle" && found["generated"]["rounding"].is_null());
    let value = |ppl: &Value| ppl["value"].as_f64().unwrap();
    // A path has the same length in steps of another size, unless steps drown in rounding.
    let wider = json(&place, &format!("{words} --ppl-step 1e-3"));
    let ratio = value(&wider["metrics"]["ppl"]) / value(ppl);
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    let end = json(&place, &format!("{words} --ppl-places end"));
    assert_eq!(end["metrics"]["ppl"]["protocol"], "ppl_30_zend");
    assert_ne!(value(&end["metrics"]["ppl"]), value(ppl));
    let text = place.succeed(&format!("{words} -q"));
    assert!(
        text.starts_with("ppl_30_zfull scenes:middle@") && text.contains("steps of 1e-4, 30 of 30 of them"),
        "{text}"
    );
}

#[test]
fn a_run_is_scored_by_the_segmenter_of_another_run_from_any_folder() {
    let place = Place::new();
    place.succeed("-q segmenter train --data scenes --steps 2 --set size=32 --set width=4 --set batch=2 --out seg");
    let small = "--set image.size=32 --set width=4 --set width_d=4 --set batch=4 --set eval=8 --set score.samples=140";
    place.succeed(&format!(
        "-q evolve --data scenes --generations 1 --score-every 1 --set score.features=seg:middle {small} --out run"
    ));
    let first = String::from_utf8(place.read("run/stats.jsonl")).unwrap();
    assert!(first.contains("fid_140 seg:middle@"), "{first}");
    let config = String::from_utf8(place.read("run/config.toml")).unwrap();
    assert!(config.contains(&format!("features = \"{}:middle\"", place.path("seg").display())), "{config}");
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    let resume = |words: &str| {
        let mut command = place.command(words);
        command.current_dir(place.path("elsewhere")).output().unwrap()
    };
    let output = resume("-q resume ../run --generations 2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The same place, another network.
    std::fs::remove_dir_all(place.path("seg")).unwrap();
    place.succeed("-q segmenter train --data scenes --steps 3 --set size=32 --set width=4 --set batch=2 --out seg");
    let output = resume("-q resume ../run --generations 3");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("score.features: middle of "), "{told}");
    let output = resume("-q resume ../run --generations 3 --allow-change");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let direct = json(&place, "score run --samples 140 --reference scenes --features seg");
    assert_eq!(direct["features"]["name"], "seg:middle");
}

#[test]
fn a_run_is_scored_and_its_best_checkpoint_is_that_of_the_least_score() {
    let place = Place::new();
    let words = "evolve --data scenes --generations 4 --score-every 2 --set score.samples=140 --set image.size=32 --set width=4 \
        --set width_d=4 --set batch=4 --set eval=12 --set log.checkpoint=3 --set log.keep=9 --out run --json -q";
    let output = place.output(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(place.read("run/stats.jsonl")).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let scored: Vec<(u64, f64)> = records
        .iter()
        .filter_map(|record| Some((record["generation"].as_u64()?, record["score"]["value"].as_f64()?)))
        .collect();
    assert_eq!(scored.iter().map(|(generation, _)| *generation).collect::<Vec<_>>(), [2, 4]);
    assert!(records.iter().all(|record| record["distance"].is_null()));
    let name = records[1]["score"]["name"].as_str().unwrap();
    assert!(name.starts_with("fid_140 scenes:middle@"), "{name}");
    assert_eq!(place.names("run/checkpoints"), ["000002", "000003", "000004", "best.json"]);
    let best: Value = serde_json::from_slice(&place.read("run/checkpoints/best.json")).unwrap();
    let least = scored.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!((best["generation"].as_u64().unwrap(), best["score"].as_f64().unwrap()), *least);
    assert!(String::from_utf8(place.read("run/curves.svg")).unwrap().contains(name));
    // Judged otherwise from here on, what was best is no longer known.
    let resumed = place.output("resume run --generations 5 --set score.samples=150 --allow-change");
    let told = String::from_utf8(resumed.stderr).unwrap();
    assert!(resumed.status.success() && told.contains("checkpoints are judged otherwise from here on"), "{told}");
    let best: Value = serde_json::from_slice(&place.read("run/checkpoints/best.json")).unwrap();
    assert_eq!(best["generation"], 5);
    let refused = place.run("evolve --data ring8 --score-every 5 --dry-run");
    assert!(refused.contains("score.every: is 5, but points have no features"), "{refused}");
}
