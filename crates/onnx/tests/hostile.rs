//! Files that are damaged, or made to do harm: each ends in a network or an error, soon and in little memory.

#![allow(clippy::unwrap_used, reason = "tests")]

mod made;

use ganatomy_onnx::{Options, import_bytes};
use made::{bytes, int, ints, model, node, number, port, reals, small, tensor, text, varint, wholes};
use net::{Device, Program};
use proptest::prelude::*;
use std::time::Instant;

fn error(bytes: &[u8]) -> String {
    let start = Instant::now();
    let said = import_bytes(bytes, &Options::default(), &Device::cpu()).unwrap_err().to_string();
    let took = start.elapsed().as_secs_f64();
    // A second on a machine that is at rest.
    assert!(took < 10.0, "{took} s: {said}");
    said
}

#[test]
fn graphs_in_graphs_in_graphs_cost_no_stack() {
    let mut graph = Vec::new();
    for _ in 0..30_000 {
        let attribute = [text(1, "then_branch"), bytes(6, &graph), number(20, 5)].concat();
        graph = bytes(1, &[text(4, "If"), bytes(5, &attribute)].concat());
    }
    let nested = [bytes(7, &graph), bytes(8, &number(2, 17))].concat();
    assert!(error(&nested).contains("If (opset 17) is not supported"));
}

#[test]
fn lengths_are_checked_before_memory_is_taken() {
    let huge = [varint(7 << 3 | 2), varint(u64::MAX), b"x".to_vec()].concat();
    assert!(error(&huge).contains("not a whole ONNX model"));
    let short = [varint(7 << 3 | 2), varint(1 << 40)].concat();
    assert!(error(&short).contains("not a whole ONNX model"));
    let add = |weights: Vec<u8>| {
        let nodes = [node("Add", &["x", "w"], &["y"], &[])];
        model(17, &nodes, &[weights], &[port("x", &[1])], &[port("y", &[])])
    };
    for shape in [&[1 << 32, 1 << 32][..], &[i64::MAX], &[-1], &[1 << 40], &[1 << 20]] {
        for data in [bytes(9, &[0; 4]), bytes(4, &[0; 4]), Vec::new()] {
            let said = error(&add(tensor("w", 1, shape, &data)));
            assert!(said.contains("\"w\""), "{said}");
        }
    }
    assert!(error(&add(tensor("w", 1, &[1; 100], &[]))).contains("axes"));
    assert!(error(&add(tensor("w", 8, &[1], &[]))).contains("type number 8"));
}

#[test]
fn small_files_make_no_large_values() {
    let length = |value: i64| wholes("s", &[value]);
    let one = |operator: &str, inputs: &[&str], attributes: &[Vec<u8>], more: &[Vec<u8>]| {
        let nodes = [node(operator, inputs, &["y"], attributes)];
        model(17, &nodes, more, &[port("x", &[1, 1, 4, 4])], &[port("y", &[])])
    };
    for large in [1 << 36, 1 << 40, i64::MAX] {
        error(&one("ConstantOfShape", &["s"], &[], &[wholes("s", &[large, large])]));
        error(&one(
            "Range",
            &["a", "b", "c"],
            &[],
            &[
                tensor("a", 7, &[], &number(7, 0)),
                tensor("b", 7, &[], &number(7, large)),
                tensor("c", 7, &[], &number(7, 1)),
            ],
        ));
        error(&one("Tile", &["x", "s"], &[], &[wholes("s", &[1, 1, large, large])]));
        error(&one("Resize", &["x", "", "", "s"], &[], &[wholes("s", &[1, 1, large, 4])]));
        error(&one("Pad", &["x", "s"], &[], &[wholes("s", &[0, 0, large, 0, 0, 0, large, 0])]));
        error(&one("MaxPool", &["x"], &[ints("kernel_shape", &[large, 2])], &[length(1)]));
        error(&one(
            "AveragePool",
            &["x"],
            &[ints("kernel_shape", &[2, 2]), ints("dilations", &[large, 1])],
            &[length(1)],
        ));
        error(&one("DepthToSpace", &["x"], &[int("blocksize", large)], &[length(1)]));
        error(&one(
            "Split",
            &["x"],
            &[int("axis", 2), int("num_outputs", large), ints("split", &[large])],
            &[length(1)],
        ));
        error(&one("Gather", &["x", "s"], &[], &[length(large)]));
        error(&one("LRN", &["x"], &[int("size", large)], &[length(1)]));
        error(&one("Transpose", &["x"], &[ints("perm", &[large, 0, 1, 2])], &[length(1)]));
        error(&one("Unsqueeze", &["x", "s"], &[], &[wholes("s", &(0..2000).collect::<Vec<_>>())]));
    }
    // Many that are not large alone.
    let fill = |i: usize| node("ConstantOfShape", &["s"], &[&format!("y{i}")], &[]);
    let nodes: Vec<Vec<u8>> = (0..2000).map(fill).collect();
    let many = model(17, &nodes, &[wholes("s", &[65_536])], &[], &[port("y0", &[])]);
    assert!(error(&many).contains("too many numbers"));
}

#[test]
fn many_things_are_too_many() {
    let node = bytes(1, &[]);
    let graph = bytes(7, &node.repeat(500_000));
    assert!(error(&graph).contains("more than"));
}

#[test]
fn names_are_not_believed() {
    let nodes = [node("Relu", &["x"], &["y\u{202e}"], &[]), node("Neg", &["y\u{202e}"], &["y_"], &[])];
    let bytes = model(17, &nodes, &[], &[port("x", &[-1, 2])], &[port("y_", &[]), port("y\u{202e}", &[])]);
    let network = import_bytes(&bytes, &Options::default(), &Device::cpu()).unwrap().network;
    let names: Vec<&str> = network.graph.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["x", "y_", "y_.2"]);
    let twice = model(17, &[], &[reals("w", &[1], &[0.0]), reals("w", &[1], &[1.0])], &[], &[port("w", &[])]);
    assert!(error(&twice).contains("two initializers are called"));
}

#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Put(usize, u8),
    Cut(usize),
    Fill(usize, u8),
    Repeat(usize, usize),
    Remove(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = 0usize..4000;
    let value = prop_oneof![Just(0u8), Just(1), Just(2), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    let one = prop_oneof![
        (at.clone(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (at.clone(), value.clone()).prop_map(|(at, value)| Change::Put(at, value)),
        at.clone().prop_map(Change::Cut),
        (at.clone(), value).prop_map(|(at, value)| Change::Fill(at, value)),
        (at.clone(), 1usize..64).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at, 1usize..64).prop_map(|(at, length)| Change::Remove(at, length)),
    ];
    prop::collection::vec(one, 1..4)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        let part = |at: usize, more: usize| at % length..(at % length + more).min(bytes.len());
        match *change {
            _ if bytes.is_empty() => {}
            Change::Flip(at, bit) => bytes[at % length] ^= 1 << bit,
            Change::Put(at, value) => bytes[at % length] = value,
            // Rather near the end, where something is left.
            Change::Cut(at) => bytes.truncate(length - at % length / 8),
            Change::Fill(at, value) => {
                let part = part(at, 8);
                bytes[part].fill(value);
            }
            Change::Repeat(at, more) => {
                let part = part(at, more);
                let piece = bytes[part.clone()].to_vec();
                bytes.splice(part.start..part.start, piece);
            }
            Change::Remove(at, more) => drop(bytes.drain(part(at, more))),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_models_end_in_networks_or_errors(changes in changes()) {
        let bytes = changed(small(), &changes);
        if let Ok(imported) = import_bytes(&bytes, &Options::default(), &Device::cpu()) {
            let network = imported.network;
            let elements = |shapes: Vec<Vec<usize>>| shapes.iter().map(|shape| shape.iter().product::<usize>()).sum::<usize>();
            // What it says of itself holds.
            let shapes = network.graph.shapes(1).unwrap();
            prop_assert!(Program::inference(&network.graph).is_ok());
            if elements(shapes) < 1 << 16 && network.graph.inputs().len() == 1 {
                drop(network.forward(&network.latents(&[0], &Device::cpu()), &[]));
            }
        }
    }
}
