//! The description of a network: named nodes in an order in which they can be computed.

use crate::{Error, Law, Op, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A node's place in its graph. Inputs always have smaller ones.
pub type NodeId = usize;

/// One operation with its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique in the graph. Inner nodes of a lowered layer are called `layer/part`.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The nodes whose values it needs.
    pub inputs: Vec<NodeId>,
    /// The node whose shape (not value) it needs.
    pub like: Option<NodeId>,
}

/// A graph of named nodes, plain data; serialised with inputs by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GraphFile", into = "GraphFile")]
pub struct Graph {
    nodes: Vec<Node>,
    by_name: HashMap<String, NodeId>,
    params: Vec<NodeId>,
    output: NodeId,
}

#[derive(Serialize, Deserialize)]
struct GraphFile {
    nodes: Vec<NodeFile>,
    output: String,
}

#[derive(Serialize, Deserialize)]
struct NodeFile {
    name: String,
    #[serde(flatten)]
    op: Op,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    like: Option<String>,
}

/// Nodes that a description may hold; far above any real network, far below a memory's end.
const MOST_NODES: usize = 100_000;

impl Graph {
    /// Appends a node and makes it the output.
    ///
    /// # Panics
    /// The name is taken, or an input does not exist yet: mistakes of the code that builds the graph.
    pub fn push(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> NodeId {
        self.push_like(name, op, inputs, None)
    }

    /// As [`Graph::push`], with a node whose shape is needed.
    ///
    /// # Panics
    /// As [`Graph::push`].
    pub fn push_like(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId], like: Option<NodeId>) -> NodeId {
        match self.try_push(Node { name: name.into(), op, inputs: inputs.to_vec(), like }) {
            Ok(id) => id,
            Err(error) => panic!("{error}"),
        }
    }

    fn try_push(&mut self, node: Node) -> Result<NodeId> {
        let id = self.nodes.len();
        if node.name.is_empty() || self.by_name.contains_key(&node.name) {
            return Err(Error::Graph(format!("two nodes are called {:?}, or one has no name", node.name)));
        }
        if node.inputs.iter().chain(&node.like).any(|&input| input >= id) {
            return Err(Error::Graph(format!("node {} reads a node that comes after it", node.name)));
        }
        if let Op::Param { .. } = node.op {
            self.params.push(id);
        }
        self.by_name.insert(node.name.clone(), id);
        self.nodes.push(node);
        self.output = id;
        Ok(id)
    }

    /// All nodes, each after its inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The node with this name.
    ///
    /// # Errors
    /// There is none; the message lists the names of the description's own nodes.
    pub fn find(&self, name: &str) -> Result<NodeId> {
        self.by_name.get(name).copied().ok_or_else(|| {
            let known: Vec<&str> = self
                .nodes
                .iter()
                .filter(|n| !matches!(n.op, Op::Param { .. }) && !n.name.contains('/'))
                .map(|n| n.name.as_str())
                .collect();
            Error::NoSuchNode { name: name.into(), known: known.join(", ") }
        })
    }

    /// The parameters in the order of the network's tensors.
    pub fn params(&self) -> &[NodeId] {
        &self.params
    }

    /// The parameters that an optimiser may change.
    pub fn trainable(&self) -> Vec<NodeId> {
        self.params
            .iter()
            .copied()
            .filter(|&id| matches!(self.nodes[id].op, Op::Param { trainable: true, .. }))
            .collect()
    }

    /// The nodes fed from outside.
    pub fn inputs(&self) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|&id| matches!(self.nodes[id].op, Op::Input { .. })).collect()
    }

    /// The result.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Chooses the result.
    pub fn set_output(&mut self, id: NodeId) {
        assert!(id < self.nodes.len(), "no node {id}");
        self.output = id;
    }

    /// The same graph, whose first input is a latent of this law.
    #[must_use]
    pub fn with_latent(mut self, latent: Law) -> Self {
        if let Some(Node { op: Op::Input { law, .. }, .. }) =
            self.nodes.iter_mut().find(|n| matches!(n.op, Op::Input { .. }))
        {
            *law = Some(latent);
        }
        self
    }

    /// A name that is not taken yet, for nodes made by the program.
    pub(crate) fn fresh(&self, wish: &str) -> String {
        if !self.by_name.contains_key(wish) {
            return wish.to_owned();
        }
        let mut number = 2;
        loop {
            let name = format!("{wish}.{number}");
            if !self.by_name.contains_key(&name) {
                return name;
            }
            number += 1;
        }
    }

    /// The part of the graph from its inputs to `end`, with only the nodes that it needs: `h` of `x = f(h(z))`.
    #[must_use]
    pub fn until(&self, end: NodeId) -> Self {
        self.part(end, None)
    }

    /// The part of the graph after `start`, which becomes an input: `f` of `x = f(h(z))`.
    ///
    /// # Errors
    /// The shape of `start` cannot be inferred.
    pub fn from(&self, start: NodeId) -> Result<Self> {
        let shape = self.shapes(1)?[start].get(1..).unwrap_or_default().to_vec();
        Ok(self.part(self.output, Some((start, &shape))))
    }

    fn part(&self, end: NodeId, cut: Option<(NodeId, &[usize])>) -> Self {
        let mut needed = vec![false; self.nodes.len()];
        needed[end] = true;
        for id in (0..=end).rev() {
            if needed[id] && cut.is_none_or(|(start, _)| start != id) {
                self.nodes[id].inputs.iter().chain(&self.nodes[id].like).for_each(|&input| needed[input] = true);
            }
        }
        let mut part = Self::default();
        let mut moved = vec![0; self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            moved[id] = match cut {
                Some((start, shape)) if start == id => {
                    part.push(&node.name, Op::Input { shape: shape.to_vec(), law: None }, &[])
                }
                _ => {
                    let inputs: Vec<NodeId> = node.inputs.iter().map(|&i| moved[i]).collect();
                    part.push_like(&node.name, node.op.clone(), &inputs, node.like.map(|i| moved[i]))
                }
            };
        }
        part.output = moved[end];
        part
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
                op: node.op.clone(),
                inputs: node.inputs.iter().map(|&i| name(i)).collect(),
                like: node.like.map(name),
            })
            .collect();
        Self { nodes, output: name(graph.output) }
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
            graph.try_push(Node { name: node.name, op: node.op, inputs, like })?;
        }
        graph.output = graph.find(&file.output)?;
        Ok(graph)
    }
}
