//! A description with its tensors.

use crate::{Device, Edit, Graph, NodeId, Op, Program, Ready, Result, Tensor};
use base::seed::Stream;
use std::sync::Arc;

/// The tensors of a network, one for each parameter of its graph, in the graph's order. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Params(Vec<Tensor>);

impl Params {
    /// From tensors in the graph's order.
    pub fn new(tensors: Vec<Tensor>) -> Self {
        Self(tensors)
    }

    /// The tensors in the graph's order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.0
    }

    /// Replaces one tensor.
    pub fn set(&mut self, index: usize, tensor: Tensor) {
        self.0[index] = tensor;
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.0.iter().map(Tensor::len).sum()
    }
}

/// A graph, its parameters, and what people should know of it.
#[derive(Clone, Debug)]
pub struct Network {
    /// The description.
    pub graph: Arc<Graph>,
    /// The tensors.
    pub params: Params,
    /// Free descriptive pairs kept in the model file: what it is, how it was trained.
    pub notes: Vec<(String, String)>,
}

impl Network {
    /// A network with initial weights: parameter number i is drawn from the stream (seed, purpose, i), so the weights of
    /// one layer do not depend on the others.
    pub fn initial(graph: Graph, seed: u64, purpose: &str, device: &Device) -> Self {
        let draw = |(index, &id): (usize, &NodeId)| match &graph.node(id).op {
            Op::Param { shape, init, .. } => {
                let values = init.draw(shape.iter().product(), &mut Stream::new(seed, purpose, index as u64));
                Tensor::new(shape, values, device)
            }
            _ => unreachable!("a graph's parameters are param nodes"),
        };
        let params = Params(graph.params().iter().enumerate().map(draw).collect());
        Self { graph: Arc::new(graph), params, notes: Vec::new() }
    }

    /// The network ready to run with the stored statistics.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn inference(&self) -> Result<Ready> {
        Ready::new(Program::inference(&self.graph)?, &self.params)
    }

    /// One forward pass with the stored statistics: `[n, ...]` in, the output node out. Who passes often keeps
    /// [`Network::inference`].
    ///
    /// # Errors
    /// The input has the wrong shape, or an edit does not fit.
    pub fn forward(&self, x: &Tensor, edits: &[Edit]) -> Result<Tensor> {
        let ready = self.inference()?;
        let mut run = ready.start(&[(ready.input()?, x)])?;
        run.edit(edits)?;
        run.fetch_one(ready.output())
    }

    /// Shape of the first input without the batch.
    pub fn input_shape(&self) -> Vec<usize> {
        match self.graph.inputs().first().map(|&id| &self.graph.node(id).op) {
            Some(Op::Input { shape, .. }) => shape.clone(),
            _ => Vec::new(),
        }
    }

    /// The network up to a node.
    ///
    /// # Errors
    /// There is no such node.
    pub fn until(&self, node: &str) -> Result<Self> {
        let part = self.graph.until(self.graph.find(node)?);
        Ok(self.with_params_of(part))
    }

    /// The network after a node, which becomes its input.
    ///
    /// # Errors
    /// There is no such node.
    pub fn from(&self, node: &str) -> Result<Self> {
        let part = self.graph.from(self.graph.find(node)?)?;
        Ok(self.with_params_of(part))
    }

    fn with_params_of(&self, part: Graph) -> Self {
        let place = |name: &str| self.graph.params().binary_search(&self.graph.find(name).ok()?).ok();
        let tensors = part.params().iter().filter_map(|&id| place(&part.node(id).name));
        let params = Params(tensors.map(|i| self.params.0[i].clone()).collect());
        Self { graph: Arc::new(part), params, notes: self.notes.clone() }
    }
}
