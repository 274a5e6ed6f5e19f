//! A network as an optimiser sees it.

use net::{Derivative, Graph, Mode, NodeId, Result, Run, Tensor};

/// A lowered training graph with its gradient by the parameters.
#[derive(Clone, Debug)]
pub struct Side {
    /// The graph, backward nodes included.
    pub graph: Graph,
    /// What is fed: the latent, or the image.
    pub input: NodeId,
    /// What comes out.
    pub output: NodeId,
    /// State that a training pass moves: (place among the parameters, node of the next value).
    pub updates: Vec<(usize, NodeId)>,
    /// Gradient of the output by the trainable parameters.
    pub by_params: Derivative,
}

impl Side {
    /// Lowers a network of one input for training and differentiates it.
    ///
    /// # Errors
    /// The shapes of the network do not fit: the message names the node.
    pub fn new(description: &Graph) -> Result<Self> {
        let lowered = description.lower(Mode::Training);
        let mut graph = lowered.graph;
        let place = |param: NodeId| graph.params().iter().position(|&id| id == param).unwrap_or_default();
        let updates = lowered.updates.iter().map(|&(param, next)| (place(param), next)).collect();
        let (input, output) = (graph.inputs()[0], graph.output());
        let trainable = graph.trainable();
        let by_params = graph.differentiate(output, &trainable)?;
        Ok(Self { graph, input, output, updates, by_params })
    }

    /// The nodes that hold the gradients by the trainable parameters, as far as there are any.
    pub fn gradient_nodes(&self) -> Vec<NodeId> {
        self.by_params.gradients.iter().flatten().copied().collect()
    }
}

/// The values of the nodes that there are.
///
/// # Errors
/// As [`Run::fetch`].
pub fn fetch_some(run: &mut Run, wanted: &[Option<NodeId>]) -> Result<Vec<Option<Tensor>>> {
    let nodes: Vec<NodeId> = wanted.iter().flatten().copied().collect();
    let mut values = run.fetch(&nodes)?.into_iter();
    Ok(wanted.iter().map(|node| node.and_then(|_| values.next())).collect())
}

/// Length of a gradient over all parameters; each tensor is summed in f64 in its own order.
pub fn gradient_norm(gradients: &[Option<Tensor>]) -> f64 {
    let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
    gradients.iter().flatten().map(|t| t.slice().map_or_else(|| squares(&t.to_vec()), squares)).sum::<f64>().sqrt()
}
