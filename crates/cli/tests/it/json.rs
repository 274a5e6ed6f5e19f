//! What `--json` prints is what `docs/json.schema.json` says: for every command, and for errors.

use crate::support::{Place, with_models};
use serde_json::{Map, Value};
use std::path::Path;

/// The schema, where this is a checkout of the workspace.
fn schema() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.schema.json");
    Some(serde_json::from_slice(&std::fs::read(path).ok()?).unwrap())
}

/// What in a value is not as a schema says. Known are the words that `docs/json.schema.json` uses; others are refused.
fn wrong(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let Value::Object(words) = schema else { panic!("{at}: no schema: {schema}") };
    for (word, content) in words {
        match (word.as_str(), value) {
            ("$schema" | "$id" | "$defs" | "title" | "description", _) => {}
            ("$ref", _) => {
                let target = content.as_str().unwrap().strip_prefix('#').unwrap();
                wrong(value, root.pointer(target).unwrap_or_else(|| panic!("{target}")), root, at, found);
            }
            ("type", _) => {
                let is = |kind: &Value| match kind.as_str().unwrap() {
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("{at}: no type: {other}"),
                };
                let fits = content.as_array().map_or_else(|| is(content), |kinds| kinds.iter().any(is));
                if !fits {
                    found.push(format!("{at}: {value} is no {content}"));
                }
            }
            ("required", Value::Object(fields)) => {
                let missing =
                    content.as_array().unwrap().iter().filter(|key| !fields.contains_key(key.as_str().unwrap()));
                found.extend(missing.map(|key| format!("{at}: {key} is missing")));
            }
            ("properties", Value::Object(fields)) => {
                for (key, field) in fields {
                    match content.get(key) {
                        Some(schema) => wrong(field, schema, root, &format!("{at}.{key}"), found),
                        None if words.get("additionalProperties") == Some(&Value::Bool(false)) => {
                            found.push(format!("{at}: {key} is not in the schema"));
                        }
                        None => {}
                    }
                }
            }
            ("items", Value::Array(items)) => {
                items.iter().enumerate().for_each(|(i, item)| wrong(item, content, root, &format!("{at}[{i}]"), found));
            }
            ("enum", _) if !content.as_array().unwrap().contains(value) => {
                found.push(format!("{at}: {value} is none of {content}"));
            }
            ("required" | "properties" | "items" | "enum" | "additionalProperties", _) => {}
            (other, _) => panic!("{at}: the test does not know {other}"),
        }
    }
}

/// The answer to a command, which is as the schema of its command says; lines before it are records.
fn answer(place: &Place, words: &str, code: i32) -> Map<String, Value> {
    let output = place.output(&format!("{words} --json"));
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words}: {stderr}");
    let last = text.lines().last().unwrap_or_default();
    // A line where records came before; else the whole text.
    let value: Value = serde_json::from_str(&text)
        .or_else(|_| serde_json::from_str(last))
        .unwrap_or_else(|e| panic!("{words}: {e}: {text}"));
    assert_eq!(value["envelope"]["exit_code"], code, "{words}");
    if let Some(schema) = schema() {
        let mut found = Vec::new();
        wrong(&value["envelope"], &schema["$defs"]["envelope"], &schema, "envelope", &mut found);
        let command = value["envelope"]["command"].as_str().unwrap();
        if code == 0 {
            let own = schema["$defs"].get(command).unwrap_or_else(|| panic!("{command:?} is not in the schema"));
            wrong(&value, own, &schema, command, &mut found);
        }
        assert!(found.is_empty(), "{words}: {}", found.join("\n"));
    }
    let Value::Object(fields) = value else { unreachable!("has an envelope") };
    fields
}

#[test]
fn every_command_answers_as_the_schema_says() {
    let place = with_models();
    let written = |fields: &Map<String, Value>| fields["envelope"]["written"].clone();
    let sampled = answer(&place, "sample g.safetensors --seeds 0..4 --out a.png --raw a.npy", 0);
    assert_eq!(written(&sampled), serde_json::json!(["a.png", "a.npy"]));
    answer(&place, "sample scenes --seeds 0..4 --nearest scenes", 0);
    answer(&place, "interpolate g.safetensors --seeds 0..2 --steps 2 --out a.gif", 0);
    answer(&place, "inspect g.safetensors", 0);
    answer(&place, "export g.safetensors --out b.safetensors", 0);
    place.write("z.npy", &base::npy::Array::f32(vec![1, 4], vec![0.0; 4]).to_bytes());
    answer(&place, "run g.safetensors --feed z.npy --fetch x --grad x:z --out r.npz", 0);
    crate::import::dcgan(&place);
    answer(&place, "import dcgan.safetensors --out imported.safetensors", 0);
    answer(&place, "data preview scenes --count 4", 0);
    answer(&place, "data preview ring8 --count 4", 0);
    answer(&place, "segmenter eval scenes --data scenes --count 2", 0);
    answer(&place, "sample g.safetensors --seeds 100..130 --out made", 0);
    let scored = "score g.safetensors --samples 60 --reference made --cache kept --kid-size 9 --kid-subsets 2 --out g.npz --record found";
    let scored = answer(&place, &format!("{scored} --metrics fid,fid-infinity,kid,prdc,mind"), 0);
    assert_eq!(scored["n"], 60);
    assert!(scored["metrics"]["fid"]["value"].as_f64().unwrap() > 0.0);
    answer(&place, "score g.safetensors --samples 9 --metrics ppl", 0);
    answer(&place, "score g.npz --reference g.npz --features none", 0);
    answer(&place, "segmenter apply scenes scenes --seeds 0..2 --out seen", 0);
    answer(&place, "segmenter cluster --data scenes --images 2 --clusters 2 --out c.safetensors", 0);
    place.write("masks/a.png", &data::pictures::png(&data::Image::filled(64, 64, [255; 3])).unwrap());
    answer(&place, "segmenter masks masks --out m.safetensors", 0);
    answer(&place, "segmenter name m.safetensors a=b --out n.safetensors", 0);
    answer(&place, "completions bash", 0);
    answer(&place, "man pages", 0);
    answer(&place, "settings", 0);
    answer(&place, "runs .", 0);
    answer(&place, "runs prune .", 0);
    answer(&place, "presets --points", 0);

    let dissect = "dissect scenes --segmenter scenes --layers 2 --samples 32 --fit-samples 16 --top-images 1";
    answer(&place, &format!("{dissect} --out d"), 0);
    for shard in 1..=2 {
        answer(&place, &format!("{dissect} --shard {shard}/2 --out s{shard}"), 0);
    }
    answer(&place, "merge s1 s2 --out merged", 0);
    answer(&place, "compare d merged", 0);
    let causal = "causal d --layer 2 --pool 24 --epochs 1 --curve-images 8 --insertion-images 0";
    answer(&place, &format!("{causal} --class tree --out tree.json"), 0);
    answer(&place, &format!("{causal} --class tree --class sky --out causes"), 0);
    place.write("photo.png", &data::pictures::png(&data::Image::filled(16, 16, [90; 3])).unwrap());
    answer(&place, "invert g.safetensors photo.png --starts 8 --steps 4 --shift-steps 4 --out i", 0);
    answer(&place, "edit scenes --ablate 2:3 --seeds 0..2 --segmenter scenes --out e", 0);
    let repair = "repair scenes --layer 2 --real scenes --real-samples 32 --samples 32 --units 2 --out r";
    answer(&place, repair, 0);
    answer(&place, &format!("{repair} --accept all"), 0);
    answer(&place, "report d --edit e --causal tree.json", 0);
}

const SMALL: &str = "--set width=4 --set width_d=4 --set batch=4 --set eval=4";

#[test]
fn trainings_answer_after_their_records() {
    let place = Place::new();
    let run = answer(&place, &format!("evolve --data ring8 --generations 2 {SMALL} --out run"), 0);
    assert_eq!((&run["run"], &run["steps"]), (&"run".into(), &2.into()));
    let output = place.output("resume run --generations 4 --json");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "two generations and the answer: {text}");
    assert_eq!((&lines[0]["generation"], &lines[2]["is_finished"]), (&3.into(), &true.into()));
    answer(&place, &format!("evolve --data ring8 --dry-run {SMALL}"), 0);
    let demo = answer(&place, "demo --generations 2 --samples 16 --out demo", 0);
    assert_eq!(demo["steps"].as_array().unwrap().len(), 4);
    answer(&place, "segmenter train --data scenes --size 32 --steps 1 --set width=2 --set batch=2 --out seg", 0);
    answer(
        &place,
        "trial ring8 --seeds 2 --generations 2 --arms minimax --set width=4 --set width_d=4 --set batch=4 --set eval=4 --out t",
        0,
    );
    place.write("plan.toml", crate::study::PLAN.as_bytes());
    let study = answer(&place, "study plan.toml", 0);
    assert_eq!(study["study"]["arms"].as_array().unwrap().len(), 2);
    assert_eq!(answer(&place, "study plan.toml --dry-run", 0)["plan"][0]["runs"], 2);
}

#[test]
fn errors_are_answers_too() {
    let place = with_models();
    let error = |words: &str, code: i32| {
        let fields = answer(&place, words, code);
        assert_eq!(fields.len(), 1, "{words}: {fields:?}");
        let error = fields["envelope"]["error"].clone();
        (error["message"].as_str().unwrap().to_owned(), error["hint"].as_str().map(str::to_owned))
    };
    let (message, hint) = error("sample scene", 1);
    assert_eq!(message, "scene: there is no such model file, run folder or checkpoint");
    assert_eq!(hint.unwrap(), "Did you mean scenes?");
    let (message, hint) = error("sampel scenes", 2);
    assert_eq!(message, "unrecognized subcommand 'sampel'");
    assert_eq!(hint.unwrap(), "a similar subcommand exists: 'sample'");
    let (message, _) = error("sample g.safetensors --out x.jpg", 2);
    assert!(message.starts_with("--out: x.jpg is not a kind of file"), "{message}");
    let (message, hint) = error("evolve --data ring8 --set bacth=3", 2);
    assert_eq!((message.as_str(), hint.as_deref()), ("bacth: there is no such setting", Some("Did you mean batch?")));
    let warned = answer(&place, "resume nothing", 1);
    assert_eq!(warned["envelope"]["command"], "resume");
}
