//! The description of a network: named nodes in an order in which they can be computed.

mod file;

use crate::{Error, Law, Op, Result, Role};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tensor::Dim;

/// A node's place in its graph. Inputs always have smaller ones.
pub type NodeId = usize;

/// One operation with its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique in the graph.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// The nodes whose values it needs.
    pub inputs: Vec<NodeId>,
    /// The node whose shape (not value) it needs.
    pub like: Option<NodeId>,
    /// The axis that holds its units; 1 where nothing is said. Where a graph has nodes that say 1, these are the layers that people look at;
    /// elsewhere such are its activations.
    pub units: Option<usize>,
}

impl Node {
    /// The axis that holds its units: channels of maps, features of tokens.
    pub fn unit_axis(&self) -> usize {
        self.units.unwrap_or(1)
    }
}

/// A graph of named nodes, plain data; serialised with inputs by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::GraphFile", into = "file::GraphFile")]
pub struct Graph {
    nodes: Vec<Node>,
    by_name: HashMap<String, NodeId>,
    params: Vec<NodeId>,
    output: NodeId,
    /// Further results by name.
    outputs: Vec<(String, NodeId)>,
}

impl Graph {
    /// Appends a node and makes it the output.
    ///
    /// # Panics
    /// The name is taken, or an input does not exist yet: mistakes of the code that builds the graph.
    pub fn push(&mut self, name: impl Into<String>, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        self.push_like(name, op, inputs, None)
    }

    /// As [`Graph::push`], with a node whose shape is needed.
    ///
    /// # Panics
    /// As [`Graph::push`].
    pub fn push_like(
        &mut self,
        name: impl Into<String>,
        op: impl Into<Op>,
        inputs: &[NodeId],
        like: Option<NodeId>,
    ) -> NodeId {
        self.push_node(Node { name: name.into(), op: op.into(), inputs: inputs.to_vec(), like, units: None })
    }

    fn push_node(&mut self, node: Node) -> NodeId {
        match self.try_push(node) {
            Ok(id) => id,
            Err(error) => panic!("{error}"),
        }
    }

    /// Says which axis of a node holds its units, where it is not 1.
    pub fn set_unit_axis(&mut self, id: NodeId, axis: usize) {
        self.nodes[id].units = Some(axis);
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
            let known: Vec<&str> =
                self.nodes.iter().filter(|n| !matches!(n.op, Op::Param { .. })).map(|n| n.name.as_str()).collect();
            Error::NoSuchNode { name: name.into(), known: known.join(", ") }
        })
    }

    /// The parameters in the order of the network's tensors.
    pub fn params(&self) -> &[NodeId] {
        &self.params
    }

    /// Bytes that all parameters take together.
    pub fn parameter_bytes(&self) -> u64 {
        let bytes = |shape: &[usize]| shape.iter().fold(4u64, |bytes, &length| bytes.saturating_mul(length as u64));
        let of_node = |&id: &NodeId| match &self.nodes[id].op {
            Op::Param { shape, .. } => bytes(shape),
            _ => 0,
        };
        self.params.iter().map(of_node).fold(0, u64::saturating_add)
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

    /// Names a further result beside the output. Of two results of one name the first counts.
    pub fn name_output(&mut self, name: impl Into<String>, id: NodeId) {
        assert!(id < self.nodes.len(), "no node {id}");
        self.outputs.push((name.into(), id));
    }

    /// All results by name: the output under the name of its node, then those named by [`Graph::name_output`].
    pub fn outputs(&self) -> impl Iterator<Item = (&str, NodeId)> {
        let main = self.nodes.get(self.output).map(|node| (node.name.as_str(), self.output));
        main.into_iter().chain(self.named_outputs())
    }

    /// The results beside the output, by name.
    pub(crate) fn named_outputs(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.outputs.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// What an input is: what its node says, or what its shape and place tell.
    pub fn role(&self, input: NodeId) -> Role {
        match &self.nodes[input].op {
            Op::Input { role: Some(role), .. } => *role,
            Op::Input { law: Some(_), .. } => Role::Latent,
            Op::Input { shape, .. } if matches!(shape[..], [1 | 3 | 4, _, _]) => Role::Image,
            Op::Input { shape, .. } if shape.len() == 1 && self.inputs().first() == Some(&input) => Role::Latent,
            _ => Role::Other,
        }
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
    /// The shape of `start` cannot be inferred, or is not the batch and numbers.
    pub fn from(&self, start: NodeId) -> Result<Self> {
        let dims = &self.dims()?[start];
        let fixed = |dims: &[Dim]| dims.iter().map(|dim| dim.fixed()).collect::<Option<Vec<usize>>>();
        let (shape, batch) = match dims[..] {
            [Dim::N, ref rest @ ..] => (fixed(rest), true),
            ref all => (fixed(all), false),
        };
        let name = &self.node(start).name;
        let shape = shape.ok_or_else(|| Error::Graph(format!("node {name} gives {}", tensor::shown(dims))))?;
        Ok(self.part(self.output, Some(&(start, Op::Input { shape, batch, role: None, law: None }))))
    }

    fn part(&self, end: NodeId, cut: Option<&(NodeId, Op)>) -> Self {
        let mut needed = vec![false; self.nodes.len()];
        needed[end] = true;
        for id in (0..=end).rev() {
            if needed[id] && cut.is_none_or(|(start, _)| *start != id) {
                self.nodes[id].inputs.iter().chain(&self.nodes[id].like).for_each(|&input| needed[input] = true);
            }
        }
        let mut part = Self::default();
        let mut moved = vec![0; self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
            moved[id] = match cut {
                Some((start, input)) if *start == id => {
                    part.push_node(Node { op: input.clone(), inputs: Vec::new(), like: None, ..node.clone() })
                }
                _ => {
                    let inputs = node.inputs.iter().map(|&i| moved[i]).collect();
                    part.push_node(Node { inputs, like: node.like.map(|i| moved[i]), ..node.clone() })
                }
            };
        }
        part.output = moved[end];
        let kept = self.outputs.iter().filter(|(_, id)| needed[*id]);
        part.outputs = kept.map(|(name, id)| (name.clone(), moved[*id])).collect();
        part
    }
}
