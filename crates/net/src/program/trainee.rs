//! A network as an optimiser sees it.

use super::{Derivative, Mode, Program};
use crate::{Graph, NodeId, Params, Result, Role, Run};
use std::sync::Arc;
use tensor::Tensor;

/// A training program with its gradient by the trainable parameters.
#[derive(Clone, Debug)]
pub struct Trainee {
    /// The description.
    pub graph: Arc<Graph>,
    /// The program, backward nodes included.
    pub program: Program,
    /// What is fed: the latent, or the image.
    pub input: NodeId,
    /// The classes that are fed beside it, `[n, classes]`, where the network reads some.
    pub label: Option<NodeId>,
    /// What comes out.
    pub output: NodeId,
    /// Gradient of the output by the trainable parameters.
    pub by_params: Derivative,
}

impl Trainee {
    /// Makes a network of one input, and perhaps a label, ready for training.
    ///
    /// # Errors
    /// The shapes of the network do not fit: the message names the node.
    pub fn new(graph: &Graph) -> Result<Self> {
        let mut program = Program::new(graph, Mode::Training)?;
        let (input, output) = (program.input()?, program.output());
        let trainable: Vec<NodeId> = program.trainable().iter().map(|&place| program.params()[place]).collect();
        let by_params = program.differentiate(output, &trainable)?;
        let label = program.inputs().iter().find(|input| input.role == Role::Label).map(|input| input.node);
        Ok(Self { graph: Arc::new(graph.clone()), program, input, label, output, by_params })
    }

    /// Starts a run.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn start(&self, params: &Params, input: &Tensor) -> Result<Run<'_>> {
        self.program.start(params, &[(self.input, input)])
    }

    /// Bytes that a pass forward and back over a batch takes at most ([`Program::memory`]).
    ///
    /// # Errors
    /// As there.
    pub fn memory(&self, batch: usize) -> Result<u64> {
        let forward: Vec<NodeId> =
            std::iter::once(self.output).chain(self.updates().iter().map(|(_, node)| *node)).collect();
        let back = self.by_params.nodes();
        self.program.memory(batch, &[&*self.fed(), &[self.by_params.cotangent]].concat(), &[&forward, &back])
    }

    /// The nodes that a run is started with: the input, and the label where there is one.
    pub fn fed(&self) -> Vec<NodeId> {
        std::iter::once(self.input).chain(self.label).collect()
    }

    /// State that a training pass moves: (place among the parameters, node of its next value).
    pub fn updates(&self) -> &[(usize, NodeId)] {
        self.program.updates()
    }
}
