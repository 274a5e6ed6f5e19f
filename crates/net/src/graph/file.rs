//! A graph in a file: nodes with their inputs by name.

use super::{Graph, Node, NodeId};
use crate::{Error, Op, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tensor::{Conv, Primitive};

/// Nodes that a description may hold; far above any real network, far below a memory's end.
const MOST_NODES: usize = 100_000;

#[derive(Serialize, Deserialize)]
pub(super) struct GraphFile {
    nodes: Vec<NodeFile>,
    output: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct NodeFile {
    name: String,
    #[serde(flatten)]
    op: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    like: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    units: Option<usize>,
}

/// The operations that programs of format 1 know.
const FIRST: &[&str] = &[
    "input",
    "param",
    "linear",
    "relu",
    "batch_norm",
    "spectral_norm",
    "pixel_norm",
    "minibatch_std",
    "avg_pool",
    "conv2d",
    "conv_transpose2d",
    "mat_mul",
    "add",
    "sub",
    "mul",
    "scale",
    "add_scalar",
    "leaky_relu",
    "tanh",
    "sigmoid",
    "sqrt",
    "recip",
    "add_channel",
    "mul_channel",
    "reshape",
    "concat",
    "narrow",
    "broadcast",
    "upsample_nearest",
    "stop_gradient",
];

impl Graph {
    /// The oldest format of model files that can hold the graph.
    pub(crate) fn format(&self) -> u32 {
        let plain =
            |conv: &Conv| *conv == Conv { dilation: conv.dilation, ..Conv::new(conv.stride[0], conv.padding[0][0]) };
        let first = |node: &Node| {
            let shape = match &node.op {
                Op::Input { batch, role, .. } => *batch && role.is_none(),
                Op::ConvTranspose2d { conv, .. } | Op::Primitive(Primitive::Conv2d { conv }) => plain(conv),
                _ => true,
            };
            shape && node.units.is_none() && FIRST.contains(&node.op.name())
        };
        if self.outputs.is_empty() && self.nodes.iter().all(first) { 1 } else { 2 }
    }
}

impl From<Graph> for GraphFile {
    fn from(graph: Graph) -> Self {
        let name = |id: NodeId| graph.nodes[id].name.clone();
        let nodes = graph
            .nodes
            .iter()
            .map(|node| NodeFile {
                name: node.name.clone(),
                // What is not a number (an infinite bound) cannot be written; reading the file says so.
                op: node.op.to_json().unwrap_or_default(),
                inputs: node.inputs.iter().map(|&i| name(i)).collect(),
                like: node.like.map(name),
                units: node.units,
            })
            .collect();
        let outputs = graph.outputs.iter().map(|(output, id)| (output.clone(), name(*id))).collect();
        Self { nodes, output: name(graph.output), outputs }
    }
}

impl TryFrom<GraphFile> for Graph {
    type Error = Error;

    fn try_from(file: GraphFile) -> Result<Self> {
        if file.nodes.len() > MOST_NODES {
            return Err(Error::Graph(format!("{} nodes; at most {MOST_NODES} are read", file.nodes.len())));
        }
        let mut graph = Self::default();
        for node in file.nodes {
            let id_of = |wanted: &String| {
                let missing =
                    || Error::Graph(format!("node {} reads {wanted:?}, which does not come before it", node.name));
                graph.by_name.get(wanted).copied().ok_or_else(missing)
            };
            let inputs = node.inputs.iter().map(id_of).collect::<Result<_>>()?;
            let like = node.like.as_ref().map(id_of).transpose()?;
            let op = Op::from_json(node.op).map_err(|e| Error::Graph(format!("node {}: {e}", node.name)))?;
            graph.try_push(Node { name: node.name, op, inputs, like, units: node.units })?;
        }
        graph.output = graph.find(&file.output)?;
        graph.outputs =
            file.outputs.into_iter().map(|(output, node)| Ok((output, graph.find(&node)?))).collect::<Result<_>>()?;
        Ok(graph)
    }
}
