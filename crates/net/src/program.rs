//! A network made ready to run: a description written out in primitives once, checked once, planned once.
//!
//! A [`Program`] is a list of primitives, each after what it reads, with dimensions in which the batch is open. It grows
//! while it is being built ([`Program::push`], [`Program::differentiate`]) and is then shared: any number of threads may
//! [`Program::start`] runs of it at once, each with its own feeds and edits. What a run has to do for some nodes
//! (order, lifetimes, what is computed together) is planned when it is first asked for and kept.

mod fusion;
mod gradient;
mod lower;
mod plan;
mod ready;
mod run;
mod trainee;

pub use gradient::Derivative;
pub use ready::Ready;
pub use run::Run;
pub use trainee::Trainee;

use crate::dims::{at, of_node, possible};
use crate::{Error, Graph, NodeId, Op, Params, Result, Role};
use plan::Plans;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tensor::{Dim, Primitive, Tensor};

/// Which statistics the normalising layers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch; the running ones get updates.
    Training,
    /// The stored ones.
    Inference,
}

/// An input of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What is fed.
    pub node: NodeId,
    /// What it is.
    pub role: Role,
}

/// A network made ready to run: a list of primitives, each after what it reads, with dimensions in which the batch is open. Any
/// number of threads may run it at once.
#[derive(Clone, Debug)]
pub struct Program {
    nodes: Vec<Node>,
    dims: Vec<Vec<Dim>>,
    /// The nodes of the description, with the axis of their units.
    names: HashMap<String, (NodeId, usize)>,
    inputs: Vec<Input>,
    outputs: Vec<(String, NodeId)>,
    params: Vec<NodeId>,
    trainable: Vec<usize>,
    updates: Vec<(usize, NodeId)>,
    statistics: Vec<(usize, NodeId)>,
    plans: Plans,
    shapes: Shapes,
    /// By node: whether it follows from the parameters alone.
    constant: OnceLock<Vec<bool>>,
}

/// One primitive, or something that is fed.
#[derive(Clone, Debug)]
struct Node {
    /// For messages: that of the description's node, with `/part` or `d/` where it is not the node itself.
    label: String,
    op: Step,
    inputs: Vec<NodeId>,
}

#[derive(Clone, Debug)]
enum Step {
    /// An input, a parameter, or the gradient of a loss.
    Fed,
    Primitive(Primitive),
}

/// The shapes of all nodes, for each batch that has been asked for.
#[derive(Debug, Default)]
struct Shapes(Mutex<HashMap<usize, Arc<Vec<Vec<usize>>>>>);

/// A copy plans anew: it may grow otherwise.
impl Clone for Shapes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Batches whose shapes are kept at once.
const MOST_BATCHES: usize = 64;

impl Program {
    /// Writes a description out.
    ///
    /// # Errors
    /// A node cannot work on what it gets: the message names it.
    pub fn new(graph: &Graph, mode: Mode) -> Result<Self> {
        lower::lowered(graph, mode)
    }

    /// [`Program::new`] with the stored statistics.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub fn inference(graph: &Graph) -> Result<Self> {
        Self::new(graph, Mode::Inference)
    }

    fn empty() -> Self {
        Self {
            nodes: Vec::new(),
            dims: Vec::new(),
            names: HashMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            params: Vec::new(),
            trainable: Vec::new(),
            updates: Vec::new(),
            statistics: Vec::new(),
            plans: Plans::default(),
            shapes: Shapes::default(),
            constant: OnceLock::new(),
        }
    }

    /// Appends a primitive.
    ///
    /// # Errors
    /// It cannot work on its inputs.
    ///
    /// # Panics
    /// An input does not exist.
    pub fn push(
        &mut self,
        label: impl Into<String>,
        primitive: impl Into<Primitive>,
        inputs: &[NodeId],
    ) -> Result<NodeId> {
        let (label, primitive) = (label.into(), primitive.into());
        let dims: Vec<&[Dim]> = inputs.iter().map(|&input| self.dims[input].as_slice()).collect();
        let dims = primitive.shape(&dims).map_err(|wrong| of_node(&label, primitive.name(), wrong))?;
        possible(&label, &dims)?;
        Ok(self.append(Node { label, op: Step::Primitive(primitive), inputs: inputs.to_vec() }, dims))
    }

    /// Appends something that is fed.
    fn fed(&mut self, label: impl Into<String>, dims: Vec<Dim>) -> NodeId {
        self.append(Node { label: label.into(), op: Step::Fed, inputs: Vec::new() }, dims)
    }

    fn append(&mut self, node: Node, dims: Vec<Dim>) -> NodeId {
        self.nodes.push(node);
        self.dims.push(dims);
        self.shapes = Shapes::default();
        self.plans = Plans::default();
        self.constant = OnceLock::new();
        self.nodes.len() - 1
    }

    /// Starts a run with the parameters and some fed nodes. The batch is what they say; 1 where they say nothing.
    ///
    /// # Errors
    /// Shapes that do not fit, each other or the nodes.
    pub fn start(&self, params: &Params, feeds: &[(NodeId, &Tensor)]) -> Result<Run<'_>> {
        Run::new(self, params, feeds)
    }

    /// The node that carries the result of a node of the description.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn find(&self, name: &str) -> Result<NodeId> {
        self.named(name).map(|(node, _)| node)
    }

    fn named(&self, name: &str) -> Result<(NodeId, usize)> {
        self.names.get(name).copied().ok_or_else(|| {
            let mut known: Vec<(NodeId, &str)> =
                self.names.iter().map(|(name, (id, _))| (*id, name.as_str())).collect();
            known.retain(|(id, _)| !self.params.contains(id));
            known.sort_unstable();
            let known: Vec<&str> = known.into_iter().map(|(_, name)| name).collect();
            Error::NoSuchNode { name: name.into(), known: known.join(", ") }
        })
    }

    /// The inputs, in the description's order.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The first input.
    ///
    /// # Errors
    /// The network has none.
    pub fn input(&self) -> Result<NodeId> {
        self.inputs.first().map(|input| input.node).ok_or_else(|| Error::Graph("the network has no input".into()))
    }

    /// The results by name, the network's output first.
    pub fn outputs(&self) -> &[(String, NodeId)] {
        &self.outputs
    }

    /// The network's output.
    pub fn output(&self) -> NodeId {
        self.outputs[0].1
    }

    /// The parameters, in the order of the network's tensors.
    pub fn params(&self) -> &[NodeId] {
        &self.params
    }

    /// The parameters that an optimiser may change, as places among all.
    pub fn trainable(&self) -> &[usize] {
        &self.trainable
    }

    /// State that a training pass moves: (place among the parameters, node of its next value).
    pub fn updates(&self) -> &[(usize, NodeId)] {
        &self.updates
    }

    /// What batch norm measures in a training pass: (place of the running statistic among the parameters, node of the batch's: mean
    /// or unbiased variance).
    pub fn statistics(&self) -> &[(usize, NodeId)] {
        &self.statistics
    }

    /// The inputs that have to be fed for `wanted` where `given` are fed already: what passes by a cut. An input that has a value of itself
    /// has not.
    pub fn needs(&self, wanted: &[NodeId], given: &[NodeId]) -> Vec<NodeId> {
        let mut known = vec![false; self.nodes.len()];
        given.iter().chain(&self.params).for_each(|&id| known[id] = true);
        let computed = self.ancestors(&known, wanted);
        let read = |input: NodeId| {
            wanted.contains(&input) || computed.iter().any(|&id| self.nodes[id].inputs.contains(&input))
        };
        let inputs = self.inputs.iter().map(|input| input.node).filter(|&input| self.primitive(input).is_none());
        inputs.filter(|&input| !known[input] && read(input)).collect()
    }

    /// The axis that holds the units of a node of the description.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn unit_axis(&self, name: &str) -> Result<usize> {
        self.named(name).map(|(_, axis)| axis)
    }

    /// The dimensions of a node.
    pub fn dims(&self, id: NodeId) -> &[Dim] {
        &self.dims[id]
    }

    /// How many primitives it has.
    pub fn len(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node.op, Step::Primitive(_))).count()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The primitives in order.
    pub fn primitives(&self) -> impl Iterator<Item = &Primitive> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Step::Primitive(primitive) => Some(primitive),
            Step::Fed => None,
        })
    }

    fn primitive(&self, id: NodeId) -> Option<&Primitive> {
        match &self.nodes[id].op {
            Step::Primitive(primitive) => Some(primitive),
            Step::Fed => None,
        }
    }

    /// The shapes of all nodes for a batch.
    fn shapes(&self, batch: usize) -> Result<Arc<Vec<Vec<usize>>>> {
        let mut kept = self.shapes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shapes) = kept.get(&batch) {
            return Ok(shapes.clone());
        }
        let shapes = self.nodes.iter().zip(&self.dims).map(|(node, dims)| at(&node.label, dims, batch));
        let shapes = Arc::new(shapes.collect::<Result<Vec<_>>>()?);
        if kept.len() >= MOST_BATCHES {
            kept.clear();
        }
        kept.insert(batch, shapes.clone());
        Ok(shapes)
    }
}

/// Whether a node of a description is a parameter.
fn is_param(op: &Op) -> bool {
    matches!(op, Op::Param { .. })
}
