//! Model files of strangers: descriptions and headers made from valid ones by changing a few places. What `inspect` and `sample` do
//! with them ends in an error or in numbers, never in a panic, and takes no more memory than its values need.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]
#![expect(clippy::print_stdout, reason = "a test says how many of its files came how far")]

use ganatomy_net::zoo::{self, DcganGenerator, GeneratorStart, Norm};
use ganatomy_net::{
    AxisMap, Binary, Conv, Device, Dim, Edit, Graph, Init, METADATA_KEY, Mode, Network, NodeId, Op, Primitive, Program,
    Storage, Tensor, Unary, Window,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::path::Path;
use tensor::{Coordinates, Interpolation, PadMode, Reduction, Rounding};

/// A graph in which every operation that a description may name occurs.
fn everything() -> Graph {
    let mut graph = Graph::default();
    let mut number = 0;
    let mut push = |graph: &mut Graph, op: Op, inputs: &[NodeId]| {
        number += 1;
        graph.push(format!("{}.{number}", op.name()), op, inputs)
    };
    let param = |shape: &[usize]| Op::Param { shape: shape.to_vec(), init: Init::normal(0.5), trainable: true };
    let conv = |stride, padding, groups| Conv::new(stride, padding).grouped(groups);
    let axis_map = |axis, map| Op::from(Primitive::Along { axis, map });

    let z = push(&mut graph, Op::input(&[6]), &[]);
    let weights = push(&mut graph, param(&[64, 6]), &[]);
    let bias = push(&mut graph, param(&[64]), &[]);
    let linear = push(&mut graph, Op::Linear, &[z, weights, bias]);
    let mut x = push(&mut graph, Op::Reshape { shape: vec![4, 4, 4] }, &[linear]);
    let four: Vec<NodeId> = (0..4).map(|_| push(&mut graph, param(&[4]), &[])).collect();
    x = push(&mut graph, Op::BatchNorm { epsilon: 1e-5, momentum: 0.1 }, &[x, four[0], four[1], four[2], four[3]]);
    x = push(&mut graph, Op::AddChannel, &[x, four[0]]);
    x = push(&mut graph, Op::MulChannel, &[x, four[1]]);
    x = push(&mut graph, Op::PixelNorm { epsilon: 1e-8 }, &[x]);
    x = push(&mut graph, Op::UpsampleNearest { factor: 2 }, &[x]);
    let kernel = push(&mut graph, param(&[6, 2, 3, 3]), &[]);
    let (u, v) = (push(&mut graph, param(&[6, 1]), &[]), push(&mut graph, param(&[18, 1]), &[]));
    let normed = push(&mut graph, Op::SpectralNorm, &[kernel, u, v]);
    let six = push(&mut graph, param(&[6]), &[]);
    x = push(&mut graph, Op::conv2d(conv(1, 1, 2)), &[x, normed, six]);
    let wide = push(&mut graph, param(&[6, 2, 4, 4]), &[]);
    let up = push(&mut graph, Op::ConvTranspose2d { conv: conv(2, 1, 1), output_padding: 0 }, &[x, wide]);
    let down = push(&mut graph, Op::AvgPool { factor: 4 }, &[up]);
    let sized = Primitive::ConvTranspose2d { conv: conv(2, 1, 1), size: [16, 17] };
    let sized = push(&mut graph, sized.into(), &[x, wide]);
    let window = Window { size: [3, 2], stride: [2, 2], padding: [[1, 0], [0, 1]], dilation: [1, 1] };
    let most = push(&mut graph, Primitive::WindowMax { window }.into(), &[sized, sized]);
    let back = push(&mut graph, Primitive::WindowMaxAdjoint { window }.into(), &[most, sized]);
    let shapes = Primitive::ConvWeight { conv: conv(2, 1, 1), kernel: [4, 4] };
    let gradient = push(&mut graph, shapes.into(), &[back, x]);
    let std = push(&mut graph, Op::MinibatchStd, &[down]);
    let narrow = push(&mut graph, Op::Narrow { axis: 1, start: 1, len: 2 }, &[std]);
    let slice = push(&mut graph, Primitive::Slice { axis: 2, start: 3, step: -2, length: 2 }.into(), &[narrow]);
    let embed = Primitive::Embed { axis: 2, start: 0, step: 3, length: 5, value: 0.5 };
    let embed = push(&mut graph, embed.into(), &[slice]);
    let turned = push(&mut graph, Primitive::Permute { axes: vec![0, 2, 1, 3] }.into(), &[embed]);
    let flat = Primitive::Reshape { shape: vec![Dim::Batch(5), Dim::Fixed(8)] };
    let flat = push(&mut graph, flat.into(), &[turned]);
    let square = push(&mut graph, Primitive::mat_mul(true, false).into(), &[flat, flat]);
    let fill = push(&mut graph, Primitive::Fill { shape: vec![Dim::N, Dim::Fixed(8)], value: 2.0 }.into(), &[]);
    let product = push(&mut graph, Primitive::mat_mul(false, true).into(), &[fill, square]);
    let repeated = Primitive::Broadcast { shape: vec![Dim::Fixed(3), Dim::N, Dim::Fixed(8)] };
    let repeated = push(&mut graph, repeated.into(), &[product]);
    let axes = vec![0, 2];
    let mean =
        push(&mut graph, Primitive::Reduce { reduction: Reduction::Max, axes: axes.clone() }.into(), &[repeated]);
    let squares = push(&mut graph, Primitive::CentredSquares { axes }.into(), &[repeated, mean]);
    let divided = Primitive::DivideByCount { count: Dim::Batch(3), minus: 1 };
    let divided = push(&mut graph, divided.into(), &[squares]);
    let both = push(&mut graph, Primitive::Concat { axis: 0 }.into(), &[divided, mean]);
    let chosen = push(&mut graph, Primitive::Select.into(), &[both, divided, mean]);
    let stopped = push(&mut graph, Primitive::StopGradient.into(), &[chosen]);
    let mut maps = vec![
        AxisMap::Repeat { factor: 2 },
        AxisMap::Average { size: 3, stride: 2, padding: [1, 2], count_padding: true },
        AxisMap::Filter { taps: vec![0.25, 0.5, 0.25], up: 2, down: 3, padding: [2, -1] },
        AxisMap::Cumulative { exclusive: true, reverse: false },
    ];
    maps.extend([PadMode::Edge, PadMode::Reflect, PadMode::Wrap].map(|mode| AxisMap::Pad { padding: [1, 2], mode }));
    let resize = |coordinates, interpolation| AxisMap::Resize { length: 6, coordinates, interpolation };
    maps.extend([
        resize(Coordinates::HalfPixel { scale: None }, Interpolation::Nearest { rounding: Rounding::HalfUp }),
        resize(Coordinates::Asymmetric { scale: Some(1.5) }, Interpolation::Linear { antialias: true, edge: false }),
        resize(
            Coordinates::HalfPixelSymmetric { scale: 0.75 },
            Interpolation::Cubic { a: -0.75, antialias: true, exclude_outside: true, edge: false },
        ),
        resize(
            Coordinates::AlignCorners,
            Interpolation::Cubic { a: -0.5, antialias: false, exclude_outside: false, edge: false },
        ),
    ]);
    let mut line = narrow;
    for map in maps {
        line = push(&mut graph, axis_map(3, map), &[line]);
    }
    let adjoint = Primitive::AlongAdjoint { axis: 2, map: AxisMap::Repeat { factor: 2 }, length: 2 };
    let adjoint = push(&mut graph, adjoint.into(), &[line]);
    let one = push(&mut graph, Primitive::sum(vec![0, 1, 2, 3]).into(), &[adjoint]);
    let sum = push(&mut graph, Primitive::sum(vec![0, 1, 2, 3]).into(), &[gradient]);
    let total = push(&mut graph, Binary::Add.into(), &[one, sum]);
    let total = push(&mut graph, Op::Reshape { shape: vec![] }, &[total]);
    let first = push(&mut graph, Op::Narrow { axis: 0, start: 0, len: 1 }, &[stopped]);
    let like = Primitive::Reshape { shape: vec![Dim::N, Dim::Fixed(1), Dim::Fixed(1)] };
    let like = push(&mut graph, like.into(), &[first]);
    let scaled = push(&mut graph, Binary::Mul.into(), &[like, total]);
    let three = down_three(&mut graph, x);
    let mut pictures = graph.push_like("wide", Op::Broadcast { axes: vec![1, 2] }, &[scaled], Some(three));
    for function in Unary::EXAMPLES {
        pictures = push(&mut graph, (*function).into(), &[pictures]);
    }
    for function in Binary::EXAMPLES {
        pictures = push(&mut graph, (*function).into(), &[pictures, scaled]);
    }
    graph.name_output("also", stopped);
    graph
}

/// Something of three axes `[n, 4, 8]`.
fn down_three(graph: &mut Graph, x: NodeId) -> NodeId {
    let narrow = graph.push("four", Op::Narrow { axis: 1, start: 0, len: 4 }, &[x]);
    let column = graph.push("column", Op::Narrow { axis: 3, start: 0, len: 1 }, &[narrow]);
    graph.push("three", Op::Reshape { shape: vec![4, 8] }, &[column])
}

/// Valid models, one of each way to build them.
fn models() -> Vec<Network> {
    let dcgan = |norm, start| {
        zoo::dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels: 3,
            latent: 4,
            width: 2,
            norm,
            start,
            extra: true,
        })
    };
    let graphs = [
        everything(),
        dcgan(Norm::Batch, GeneratorStart::Linear),
        zoo::progan_generator([16; 2], 3, 4, 4),
        zoo::progan_discriminator([16; 2], 3, 4),
        zoo::residual_discriminator([16; 2], 3, 2, Norm::Spectral),
        zoo::mlp_generator(2, 4),
    ];
    graphs.into_iter().map(|graph| Network::initial(graph, 1, "weights", &Device::cpu())).collect()
}

/// The parts of a model file.
#[derive(Clone)]
struct Parts {
    description: Value,
    /// The header's entries of tensors.
    header: Map<String, Value>,
    data: Vec<u8>,
}

impl Parts {
    fn of(network: &Network) -> Self {
        let bytes = network.to_bytes(Storage::F32).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
        let mut header: Map<String, Value> = serde_json::from_slice(header).unwrap();
        let metadata = header.remove("__metadata__").unwrap();
        let description = serde_json::from_str(metadata[METADATA_KEY].as_str().unwrap()).unwrap();
        Self { description, header, data: data.to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut header = self.header.clone();
        header.insert("__metadata__".into(), json!({ METADATA_KEY: self.description.to_string() }));
        let header = Value::from(header).to_string();
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &self.data].concat()
    }

    /// With small tensors that are what the description says now: a lie there comes to nothing before anything is computed.
    fn with_fitting_tensors(&self) -> Vec<u8> {
        let nodes = self.description["graph"]["nodes"].as_array().cloned().unwrap_or_default();
        let mut tensors: HashMap<String, (Vec<usize>, Vec<u8>)> = HashMap::new();
        for node in nodes.iter().filter(|node| node["op"] == "param") {
            let shape: Option<Vec<usize>> = serde_json::from_value(node["shape"].clone()).ok();
            let (Some(name), Some(shape)) = (node["name"].as_str(), shape) else { continue };
            let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
            let Some(count) = count.filter(|&count| count <= 1 << 14) else { continue };
            let bytes = (0..count).flat_map(|i| ((i * 37 % 101) as f32 / 50.0 - 1.0).to_le_bytes()).collect();
            tensors.insert(name.to_owned(), (shape, bytes));
        }
        let views = tensors.iter().map(|(name, (shape, bytes))| {
            let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
            (name, view.unwrap())
        });
        let metadata = [(METADATA_KEY.to_owned(), self.description.to_string())].into_iter().collect();
        safetensors::serialize(views, Some(metadata)).unwrap()
    }
}

/// What one place of a JSON document becomes.
#[derive(Clone, Debug)]
enum Change {
    Becomes(Value),
    /// What stands at another place.
    Copy(Index),
    Remove,
    /// Twice in its list.
    Twice,
}

fn strange_values() -> impl Strategy<Value = Value> {
    let lengths = [0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 64, 1 << 10, 1 << 18, 1 << 24, 1 << 31, 1 << 32, 1 << 36, 1 << 40];
    let huge = [1 << 62, 1 << 63, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    let texts = ["", "n", "2n", "0n", "4294967296n", "18446744073709551615n", "-1", "same", "valid", "relu", "nearest"];
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(-1),
        json!(-3),
        json!(i64::MIN),
        json!(0.5),
        json!(-0.0),
        json!(1e300),
        json!(1e-300),
        json!([]),
        json!({}),
        json!([0]),
        json!([1, 1]),
        json!([2, 3, 4, 4]),
        json!(["n"]),
        json!([["n", 2], 3]),
        json!([1_099_511_627_776_u64, 0, 1_099_511_627_776_u64]),
        json!({ "constant": 1e39 }),
        json!([[0, 0], [1, 9]]),
    ];
    prop_oneof![
        6 => select(lengths.to_vec()).prop_map(|n: u64| json!(n)),
        1 => select(huge.to_vec()).prop_map(|n: u64| json!(n)),
        1 => select(texts.to_vec()).prop_map(|text| json!(text)),
        2 => select(others.to_vec()),
    ]
}

fn change() -> impl Strategy<Value = (Index, bool, Change)> {
    let change = prop_oneof![
        6 => strange_values().prop_map(Change::Becomes),
        4 => any::<Index>().prop_map(Change::Copy),
        1 => Just(Change::Remove),
        1 => Just(Change::Twice),
    ];
    (any::<Index>(), prop::bool::weighted(0.75), change)
}

/// The places of a document, as JSON pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Value| {
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(value, &place, all);
        all.push(place);
    };
    match value {
        Value::Array(entries) => entries.iter().enumerate().for_each(|(i, value)| inner(&i.to_string(), value)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| inner(key, value)),
        _ => {}
    }
}

fn is_leaf(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_array() && !value.is_object())
}

/// Makes the changes, and says where.
fn changed(document: &mut Value, changes: &[(Index, bool, Change)]) -> Vec<String> {
    let mut made = Vec::new();
    for (index, leaf, change) in changes {
        let mut all = Vec::new();
        places(document, "", &mut all);
        if all.iter().all(|place| !is_leaf(document.pointer(place))) {
            break;
        }
        // Numbers and names rather than what holds them: of a broken shape little can be learned.
        let leaves: Vec<&String> = all.iter().filter(|place| is_leaf(document.pointer(place))).collect();
        let place = if *leaf { (*index.get(&leaves)).clone() } else { index.get(&all).clone() };
        made.push(place.clone());
        let (parent, key) = place.rsplit_once('/').unwrap();
        match change {
            Change::Becomes(value) => *document.pointer_mut(&place).unwrap() = value.clone(),
            Change::Copy(other) => {
                // Of its own kind, if there is one: of places that end alike.
                let alike: Vec<&String> = all.iter().filter(|other| other.rsplit_once('/').unwrap().1 == key).collect();
                let value = document.pointer(other.get(&alike).as_str()).unwrap().clone();
                *document.pointer_mut(&place).unwrap() = value;
            }
            Change::Remove | Change::Twice => match document.pointer_mut(parent).unwrap() {
                Value::Array(entries) => {
                    let at = key.parse::<usize>().unwrap();
                    match change {
                        Change::Remove => drop(entries.remove(at)),
                        _ => entries.insert(at, entries[at].clone()),
                    }
                }
                Value::Object(entries) => drop(entries.remove(key)),
                _ => unreachable!("a place has a parent"),
            },
        }
    }
    made
}

/// Leaves out what comes later than a few nodes after the last change: what is changed there would not fit any more.
fn cut(graph: &mut Value, made: &[String], more: usize) {
    let node = |place: &String| place.strip_prefix("/nodes/")?.split('/').next()?.parse::<usize>().ok();
    let Some(last) = made.iter().filter_map(node).max() else { return };
    let Some(nodes) = graph["nodes"].as_array_mut() else { return };
    nodes.truncate(last + 1 + more);
    let Some(output) = nodes.last().map(|node| node["name"].clone()) else { return };
    graph["output"] = output;
    graph["outputs"] = json!([]);
}

/// What a description may ask for here: more would take longer than a test may.
const MOST_NUMBERS: usize = 1 << 18;
const MOST_MACS: u64 = 1 << 25;

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Refused,
    Opened,
    Ran,
}

/// What `inspect` and `sample` do with a file.
fn used(bytes: &[u8]) -> Reached {
    match Network::from_bytes(bytes, Path::new("m"), &Device::cpu()) {
        Err(_) => Reached::Refused,
        Ok(network) => run(&network).map_or(Reached::Opened, |()| Reached::Ran),
    }
}

/// Lists a network, and runs it with its gradient and in two parts where that is little work; what it says where it does not run.
fn run(network: &Network) -> Result<(), String> {
    let said = |error: ganatomy_net::Error| error.to_string();
    let graph = &network.graph;
    let report = network.report().unwrap();
    serde_json::to_string(&report).unwrap();
    let _ = graph.sample_shapes().unwrap();
    // What is trained is no stranger's: it is enough that this comes to an end.
    let _ = Program::new(graph, Mode::Training);
    let mut program = Program::inference(graph).map_err(said)?;
    let (output, inputs) = (program.output(), program.inputs().iter().map(|input| input.node).collect::<Vec<_>>());
    let derivative = program.differentiate(output, &inputs).map_err(said)?;
    for batch in [1, 2] {
        let shapes = graph.shapes(batch).map_err(said)?;
        let numbers = |shape: &Vec<usize>| shape.iter().product::<usize>();
        // What a layer needs on its way is about as large as its result and what it reads.
        if shapes.iter().map(numbers).sum::<usize>() > MOST_NUMBERS || report.macs > MOST_MACS {
            return Err("too large for a test".into());
        }
        let fed: Vec<Tensor> = (graph.inputs().iter())
            .map(|&id| Tensor::new(&shapes[id], vec![0.5; numbers(&shapes[id])], &Device::cpu()))
            .collect();
        let feeds: Vec<(NodeId, &Tensor)> = inputs.iter().copied().zip(&fed).collect();
        let mut run = program.start(&network.params, &feeds).map_err(said)?;
        // A network without an input that tells the batch takes it to be 1.
        let tells = graph.inputs().iter().any(|&id| matches!(graph.node(id).op, Op::Input { batch: true, .. }));
        let wanted: Vec<NodeId> = program.outputs().iter().map(|(_, output)| *output).collect();
        let ready = network.inference().map_err(said)?;
        ready.start(&feeds).and_then(|mut run| run.fetch(&wanted)).map_err(said)?;
        for ((_, node), value) in graph.outputs().zip(run.fork().fetch(&wanted).map_err(said)?) {
            assert_eq!(value.to_vec().len(), value.len());
            assert!(!tells || value.shape() == shapes[node], "{:?} instead of {:?}", value.shape(), shapes[node]);
        }
        let shape = run.shape(output).to_vec();
        run.feed(derivative.cotangent, &Tensor::new(&shape, vec![1.0; numbers(&shape)], &Device::cpu()))
            .map_err(said)?;
        let _ = run.fork().fetch(&derivative.nodes());
        let edit = |node: &str| Edit::force(node, vec![0], 0.5);
        let half = graph.node(graph.nodes().len() / 2).name.as_str();
        run.edit(&[edit(half), edit(&graph.node(graph.output()).name)]).map_err(said)?;
        let _ = run.fetch_one(output);
        for part in [network.until(half), network.from(half)] {
            let _ = part.map(|part| part.report());
        }
    }
    Ok(())
}

/// Runs a test again in a process of its own, whose memory is limited: an allocation out of all proportion ends it.
fn with_little_memory(name: &str, test: impl FnOnce()) {
    const INSIDE: &str = "GANATOMY_TEST_WITH_LITTLE_MEMORY";
    if std::env::var_os(INSIDE).is_some() || !cfg!(target_os = "linux") {
        return test();
    }
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 4000000 && exec \"$0\" --exact \"$1\" --nocapture"]).env(INSIDE, "1");
    let output = command.arg(std::env::current_exe().unwrap()).arg(name).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    told.lines().filter(|line| line.starts_with("refused")).for_each(|line| println!("{line}"));
    assert!(output.status.success() && told.contains("1 passed"), "{}: {told}", output.status);
}

fn tried(cases: u32, test: impl Fn(&Parts, Vec<(Index, bool, Change)>, Index) -> Reached) {
    let parts: Vec<Parts> = models().iter().map(Parts::of).collect();
    let mut reached = [0; 3];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases));
    let changes = prop_oneof![
        2 => prop::collection::vec(change(), 1),
        1 => prop::collection::vec(change(), 2..4),
    ];
    let strategy = (any::<Index>(), changes, any::<Index>());
    let counts = std::cell::RefCell::new(&mut reached);
    let result = runner.run(&strategy, |(which, changes, place)| {
        counts.borrow_mut()[test(which.get(&parts), changes, place) as usize] += 1;
        Ok(())
    });
    println!("refused, opened, ran: {reached:?}");
    result.unwrap();
    assert!(reached[0] > 0 && reached[2] > 0, "files of both kinds");
}

#[test]
fn valid_models_run() {
    for network in models() {
        let parts = Parts::of(&network);
        for bytes in [parts.bytes(), parts.with_fitting_tensors()] {
            run(&Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap()).unwrap();
        }
    }
}

#[test]
fn every_operation_occurs() {
    let graph = everything();
    let missing: Vec<&&str> = Primitive::NAMES
        .iter()
        // Their second input are numbers of entries, which no file can hold.
        .filter(|name| !["gather", "gather_adjoint"].contains(name))
        .filter(|name| graph.nodes().iter().all(|node| node.op.name() != **name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Of each of these, something was too large for a number or a memory, or is so nearly.
#[test]
fn what_is_nearly_too_large_is_refused_or_listed() {
    let fill = |shape: &[usize]| {
        let shape = shape.iter().map(|&length| Dim::Fixed(length)).collect();
        Primitive::Fill { shape, value: 1.0 }
    };
    let listed = |graph: Graph| {
        let network = Network::initial(graph, 1, "weights", &Device::cpu());
        let bytes = network.to_bytes(Storage::F32).unwrap();
        let network = Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).map_err(|error| error.to_string())?;
        Program::new(&network.graph, Mode::Inference).map_err(|error| error.to_string())?;
        Ok::<u64, String>(network.report().unwrap().macs)
    };
    // A kernel as large as a map.
    let mut graph = Graph::default();
    let side = 1 << 18;
    let x = graph.push("x", Op::input(&[1, 1, 1]), &[]);
    let w = graph.push("w", fill(&[1, 1, side, side]), &[]);
    graph.push("y", Op::conv2d(Conv::new(1, side - 1)), &[x, w]);
    assert_eq!(listed(graph), Ok(u64::MAX));
    // Many large products.
    let mut graph = Graph::default();
    let x = graph.push("x", Op::Input { shape: vec![side, side], batch: false, role: None, law: None }, &[]);
    for i in 0..1025 {
        graph.push(format!("y{i}"), Primitive::mat_mul(false, false), &[x, x]);
    }
    assert_eq!(listed(graph), Ok(u64::MAX));
    // Nothing, of a size that is no number.
    let mut graph = Graph::default();
    let x = graph.push("x", fill(&[0, 1 << 40, 1 << 40]), &[]);
    graph.push("y", Unary::Relu, &[x]);
    assert!(listed(graph).unwrap_err().contains("node x would have the impossible shape"));
    // Means of so many pixels that their number is none; of nothing.
    let mut graph = Graph::default();
    let factor = 1 << 32;
    let x = graph.push("x", Op::input(&[1, factor, 0]), &[]);
    graph.push("y", Op::AvgPool { factor }, &[x]);
    assert!(
        listed(graph)
            .unwrap_err()
            .ends_with("node x has the shape [n, 1, 4294967296, 0], of which an axis has length 0")
    );
    // Small maps from each of whose entries to each there is a weight: a matrix that no memory holds.
    let average = AxisMap::Average { size: side, stride: 1, padding: [side - 1; 2], count_padding: true };
    let interpolation = Interpolation::Linear { antialias: true, edge: false };
    let resize =
        AxisMap::Resize { length: side, coordinates: Coordinates::HalfPixel { scale: Some(1e-12) }, interpolation };
    for map in [average, resize] {
        let mut graph = Graph::default();
        let x = graph.push("x", fill(&[1, side]), &[]);
        graph.push("y", Primitive::Along { axis: 1, map }, &[x]);
        assert!(listed(graph).unwrap_err().contains("can read"));
    }
}

/// As many nodes as a description may have, most of them with a tensor: what looks through all for each would take minutes.
#[test]
fn many_nodes_take_little_time() {
    let mut graph = Graph::default();
    let mut x = graph.push("x", Op::input(&[]), &[]);
    for i in 0..80_000 {
        let init = Init::Constant(0.5);
        let w = graph.push(format!("w{i}"), Op::Param { shape: vec![], init, trainable: true }, &[]);
        if i % 5 == 0 {
            x = graph.push(format!("y{i}"), Binary::Mul, &[x, w]);
        }
    }
    let network = Network::initial(graph, 1, "weights", &Device::cpu());
    let bytes = network.to_bytes(Storage::F32).unwrap();
    let start = std::time::Instant::now();
    run(&Network::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap()).unwrap();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_changed_description_gives_an_error_or_numbers() {
    with_little_memory("a_changed_description_gives_an_error_or_numbers", || {
        tried(3000, |parts, changes, place| {
            let mut parts = parts.clone();
            let made = changed(&mut parts.description["graph"], &changes);
            if place.index(4) > 0 {
                cut(&mut parts.description["graph"], &made, place.index(4) - 1);
            }
            used(&parts.with_fitting_tensors()).max(used(&parts.bytes()))
        });
    });
}

#[test]
fn a_changed_header_gives_an_error_or_numbers() {
    with_little_memory("a_changed_header_gives_an_error_or_numbers", || {
        tried(600, |parts, changes, _| {
            let mut parts = parts.clone();
            let mut header = Value::from(parts.header);
            changed(&mut header, &changes);
            let Value::Object(header) = header else { unreachable!("only what is inside is changed") };
            parts.header = header;
            used(&parts.bytes())
        });
    });
}

#[test]
fn a_changed_or_missing_byte_gives_an_error_or_numbers() {
    with_little_memory("a_changed_or_missing_byte_gives_an_error_or_numbers", || {
        tried(600, |parts, changes, place| {
            let mut bytes = parts.bytes();
            if changes.len() == 1 {
                bytes.truncate(place.index(bytes.len()));
            } else {
                // Of the first ones, where the lengths and the description are, more often than by their number.
                let front = bytes.len().min(if changes.len() == 2 { 16 } else { 8192 });
                bytes[place.index(front)] ^= 1 << (changes.len() * 3 % 8);
            }
            used(&bytes)
        });
    });
}
