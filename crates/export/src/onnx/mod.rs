//! ONNX models.

mod model;
mod nodes;
mod wire;

use crate::portable;
use model::Writer;
use net::{Error, Network, Op, Result};
use nodes::Nodes;
use wire::Message;

/// The version of the operators that models are written in.
pub const OPSET: i64 = 17;
/// The version of the file format that came with it.
const IR_VERSION: i64 = 8;
/// What a file of protocol buffers can hold.
const MOST_BYTES: usize = (2 << 30) - (1 << 20);

/// The bytes of an ONNX model of a network with its stored statistics. Inputs and results have the names of their nodes, as all values
/// between have; the batch is free and called N. The notes of the network are the model's properties.
///
/// # Errors
/// The network has something that ONNX has no form for (the adjoints of gather and of windows; the node is named), or is larger than 2 GiB.
pub fn onnx(network: &Network) -> Result<Vec<u8>> {
    let network = portable(network)?;
    let graph = &network.graph;
    let dims = graph.dims()?;
    let mut writer = Writer::default();
    graph.nodes().iter().for_each(|node| writer.take(&node.name));
    let mut weights = network.params.tensors().iter();
    let mut inputs = Vec::new();
    let mut nodes = Nodes { writer: &mut writer, graph, dims: &dims, input: None };
    for (id, node) in graph.nodes().iter().enumerate() {
        match &node.op {
            Op::Param { .. } => {
                if let Some(weight) = weights.next() {
                    nodes.writer.tensor(&node.name, weight);
                }
            }
            Op::Input { batch, .. } => {
                inputs.push(model::value(&node.name, &dims[id]));
                if *batch && nodes.input.is_none() {
                    nodes.input = Some(id);
                }
            }
            op => nodes.write(id, op)?,
        }
    }
    // Results under further names are copies: ONNX gives each value one name.
    let mut outputs = Vec::new();
    for (name, id) in graph.outputs() {
        if *name != graph.node(id).name {
            writer.node("Identity", &[&graph.node(id).name], name, &[]);
        }
        outputs.push(model::value(name, &dims[id]));
    }
    if writer.len() > MOST_BYTES {
        return Err(Error::Graph("the network is larger than 2 GiB, which one ONNX file cannot hold".into()));
    }
    let property = |(key, value): &(String, String)| Message::default().bytes(1, key).bytes(2, value);
    let properties: Vec<Message> = network.notes.iter().map(property).collect();
    let model = Message::default()
        .int(1, IR_VERSION)
        .bytes(2, "ganatomy")
        .bytes(3, env!("CARGO_PKG_VERSION"))
        .message(7, &writer.finish("network", &inputs, &outputs))
        .message(8, &Message::default().bytes(1, "").int(2, OPSET))
        .messages(14, &properties);
    Ok(model.into_bytes())
}
