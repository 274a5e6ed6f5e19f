//! Runs an ONNX model on arrays: `run_onnx MODEL IN.npz OUT.npz [TIMES] [of-one]`. The arrays go by the names of the inputs; results do, too. With
//! TIMES it is run so often, and the median of the times is printed; `of-one` takes a first axis of length 1 for the batch.

#![allow(clippy::print_stdout, reason = "an example")]

use base::npy::{Array, read_npz, write_npz};
use ganatomy_onnx::{Options, import};
use net::{Device, Tensor};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, input, output, more @ ..] = arguments.as_slice() else {
        return Err("usage: run_onnx MODEL IN.npz OUT.npz [TIMES] [of-one]".into());
    };
    let times: usize = more.first().map_or(Ok(1), |times| times.parse())?;
    let options = Options { batch_of_one: more.iter().any(|word| word == "of-one"), ..Options::default() };
    let start = Instant::now();
    let imported = import(model, &options, &Device::cpu())?;
    println!(
        "imported in {:.1} ms, {} nodes",
        start.elapsed().as_secs_f64() * 1e3,
        imported.network.graph.nodes().len()
    );
    imported.notices.iter().for_each(|notice| println!("{notice}"));
    let ready = imported.network.inference()?;
    let arrays = read_npz(input)?;
    let mut feeds = Vec::new();
    for input in ready.inputs() {
        let found = arrays.iter().find(|(name, _)| *name == input.name);
        let (_, array) = found.ok_or_else(|| format!("{:?} is not in the arrays", input.name))?;
        feeds.push((input.node, Tensor::new(&array.shape, array.clone().into_f32(), &Device::cpu())));
    }
    let feeds: Vec<_> = feeds.iter().map(|(node, tensor)| (*node, tensor)).collect();
    let nodes: Vec<_> = ready.outputs().iter().map(|(_, node)| *node).collect();
    let mut results = Vec::new();
    let mut seconds = Vec::new();
    for _ in 0..times.max(1) {
        let start = Instant::now();
        results = ready.start(&feeds)?.fetch(&nodes)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("median {:.2} ms of {}", seconds[seconds.len() / 2] * 1e3, seconds.len());
    let arrays: Vec<Array> =
        results.iter().map(|tensor| Array::f32(tensor.shape().to_vec(), tensor.to_vec())).collect();
    let named: Vec<(&str, &Array)> = ready.outputs().iter().map(|(name, _)| name.as_str()).zip(&arrays).collect();
    Ok(write_npz(output, &named)?)
}
