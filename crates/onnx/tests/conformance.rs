//! The cases of ONNX's own test suite: which pass is a committed table, compared both ways.
//!
//! `UPDATE_CONFORMANCE=1` writes the table anew. Without the shared data the test is skipped, and says so.

#![allow(clippy::unwrap_used, reason = "tests")]

use base::archive::Archive;
use base::npy;
use ganatomy_onnx::{Error, Options, import_bytes};
use net::{Device, Program, Tensor};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/onnx-conformance/cases.zip");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance.txt");
/// Bytes of a member at most.
const LIMIT: u64 = 64 << 20;

struct Cases {
    archive: Archive,
    places: HashMap<String, usize>,
}

impl Cases {
    fn open(path: &Path) -> Self {
        let archive = Archive::open(path, "is not an archive").unwrap();
        let places = archive.members().iter().enumerate().map(|(place, member)| (member.name.clone(), place)).collect();
        Self { archive, places }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.archive.read(self.places[name], LIMIT).unwrap()
    }

    fn array(&self, file: &str) -> npy::Array {
        npy::Array::from_bytes(&self.bytes(file), Path::new(file)).unwrap()
    }
}

/// Whether a case passes, and with which of its inputs known at import; or what is wrong.
fn run(cases: &Cases, case: &Value) -> Result<Vec<String>, String> {
    let name = case["name"].as_str().unwrap();
    let model = cases.bytes(&format!("{name}/model.onnx"));
    let inputs: BTreeMap<String, npy::Array> = ports(cases, &case["inputs"]).into_iter().collect();
    let mut options = Options::default();
    // What shapes follow from is given at import, as a user would when the message asks for it.
    let imported = loop {
        match import_bytes(&model, &options, &Device::cpu()) {
            Err(Error::NeedsValue { input, .. }) if !options.constants.contains_key(&input) => {
                let value = inputs[&input].clone();
                options.constants.insert(input, value);
            }
            other => break other.map_err(|error| error.to_string())?,
        }
    };
    let network = imported.network;
    let program = Program::inference(&network.graph).map_err(|error| error.to_string())?;
    let mut feeds = Vec::new();
    for input in program.inputs() {
        let array = inputs[&input.name].clone();
        // An array without axes comes as one with an axis of one entry.
        let shape = if program.dims(input.node).is_empty() { Vec::new() } else { array.shape.clone() };
        feeds.push((input.node, Tensor::new(&shape, array.into_f32(), &Device::cpu())));
    }
    let feeds: Vec<_> = feeds.iter().map(|(node, tensor)| (*node, tensor)).collect();
    let mut run = program.start(&network.params, &feeds).map_err(|error| error.to_string())?;
    let (relative, absolute) = (case["rtol"].as_f64().unwrap(), case["atol"].as_f64().unwrap());
    let wanted = ports(cases, &case["outputs"]);
    let nodes = wanted.iter().map(|(output, _)| program.find(output).map_err(|_| format!("{output} is no node")));
    let found = run.fetch(&nodes.collect::<Result<Vec<_>, _>>()?).map_err(|error| error.to_string())?;
    for ((output, wanted), found) in wanted.into_iter().zip(found) {
        if found.shape() != wanted.shape {
            return Err(format!("{output} has the shape {:?} instead of {:?}", found.shape(), wanted.shape));
        }
        for (place, (a, b)) in found.to_vec().into_iter().zip(wanted.into_f32()).enumerate() {
            let (a, b) = (f64::from(a), f64::from(b));
            let same = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= absolute + relative * b.abs();
            if !same {
                return Err(format!("{output} has {a} instead of {b} at {place}"));
            }
        }
    }
    Ok(options.constants.into_keys().collect())
}

fn ports(cases: &Cases, list: &Value) -> Vec<(String, npy::Array)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|port| (text(&port["name"]), cases.array(&text(&port["file"])))).collect()
}

#[test]
fn the_cases_of_onnx_pass_that_the_table_says() {
    let path = Path::new(CASES);
    if !path.exists() {
        return println!("SKIPPED: {} is not there, so no case of ONNX's suite was run", path.display());
    }
    let cases = Cases::open(path);
    let index: Value = serde_json::from_slice(&cases.bytes("index.json")).unwrap();
    let mut lines = Vec::new();
    let mut passed = 0;
    for case in index.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        lines.push(match run(&cases, case) {
            Ok(known) => {
                passed += 1;
                let known =
                    if known.is_empty() { String::new() } else { format!(", {} known at import", known.join(", ")) };
                format!("{name}: passes{known}")
            }
            Err(reason) => format!("{name}: FAILS, {reason}"),
        });
    }
    lines.sort();
    let found = format!("{passed} of {} pass\n{}\n", lines.len(), lines.join("\n"));
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        std::fs::write(TABLE, &found).unwrap();
    }
    let table = std::fs::read_to_string(TABLE).unwrap_or_default();
    let differ: Vec<(&str, &str)> = table.lines().zip(found.lines()).filter(|(a, b)| a != b).collect();
    assert!(
        differ.is_empty() && table.lines().count() == found.lines().count(),
        "table and result differ: {differ:#?}"
    );
}
