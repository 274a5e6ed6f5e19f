//! A network while it is put together from the tensors of a file.

use crate::Imported;
use base::{Error, Result};
use net::{Conv, Device, Graph, Init, Law, Network, NodeId, Op, Params, Role, Tensor, Unary};
use std::collections::HashSet;
use std::sync::Arc;
use weights::{Setting, StateDict};

/// What `PyTorch` counts in its batch norms, and nothing needs.
const COUNTERS: &str = "num_batches_tracked";

/// Means and standard deviations of the channels of images, of values in [0, 1].
#[derive(Clone, Copy)]
pub(crate) struct Channels {
    pub(crate) mean: [f64; 3],
    pub(crate) deviation: [f64; 3],
}

/// A network that grows layer by layer. Its nodes and parameters go by the names of the file, and in the end every tensor of the file
/// must have been used: one that is left over says that the network is another.
pub(crate) struct Assembly<'d> {
    dict: &'d StateDict,
    graph: Graph,
    tensors: Vec<Tensor>,
    names: HashSet<String>,
    used: HashSet<String>,
    notices: Vec<String>,
}

impl<'d> Assembly<'d> {
    pub(crate) fn new(dict: &'d StateDict) -> Self {
        Self {
            dict,
            graph: Graph::default(),
            tensors: Vec::new(),
            names: HashSet::new(),
            used: HashSet::new(),
            notices: Vec::new(),
        }
    }

    /// An error about the file.
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::file(self.dict.path(), reason)
    }

    /// Something that people should know of what was assumed.
    pub(crate) fn notice(&mut self, notice: impl Into<String>) {
        self.notices.push(notice.into());
    }

    /// Whether the file has a tensor.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.dict.find(key).is_some()
    }

    /// The shape of a tensor of the file.
    pub(crate) fn shape(&self, key: &str) -> Result<&'d [usize]> {
        Ok(self.dict.tensor(key)?.shape())
    }

    /// What a module of the file says of itself.
    pub(crate) fn setting(&self, name: &str) -> Option<&'d Setting> {
        self.dict.setting(name)
    }

    /// The values of a tensor, which counts as used.
    pub(crate) fn values(&mut self, key: &str) -> Result<Vec<f32>> {
        let values = self.dict.values(key)?;
        self.used.insert(key.to_owned());
        Ok(values)
    }

    /// Leaves out the tensors whose names begin so.
    pub(crate) fn leave(&mut self, prefix: &str) {
        let begins = |key: &&str| key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.used.extend(self.dict.entries().map(|(key, _)| key).filter(begins).map(str::to_owned));
    }

    /// A latent.
    pub(crate) fn latent(&mut self, name: &str, shape: &[usize], law: Law) -> Result<NodeId> {
        let input = Op::Input { shape: shape.to_vec(), batch: true, role: Some(Role::Latent), law: Some(law) };
        self.push(name, input, &[])
    }

    /// A label of some classes: 1 for the one that is meant, 0 for the others.
    pub(crate) fn label(&mut self, name: &str, classes: usize) -> Result<NodeId> {
        self.push(name, Op::Input { shape: vec![classes], batch: true, role: Some(Role::Label), law: None }, &[])
    }

    /// Noise of each image.
    pub(crate) fn noise(&mut self, name: &str, shape: [usize; 3]) -> Result<NodeId> {
        self.push(name, Op::Input { shape: shape.to_vec(), batch: true, role: Some(Role::Noise), law: None }, &[])
    }

    /// How far the styles of each layer go from their mean.
    pub(crate) fn truncation(&mut self, name: &str, layers: usize) -> Result<NodeId> {
        self.push(name, Op::Input { shape: vec![layers], batch: false, role: Some(Role::Truncation), law: None }, &[])
    }

    /// Says which axis of a node holds its units; where nodes say 1, these are the layers that people look at.
    pub(crate) fn units_on(&mut self, node: NodeId, axis: usize) {
        self.graph.set_unit_axis(node, axis);
    }

    /// The value of a node for values of the only input, by what is there so far.
    pub(crate) fn value(&self, node: &str, fed: &Tensor) -> Result<Tensor> {
        let (graph, params) = (Arc::new(self.graph.clone()), Params::new(self.tensors.clone()));
        let network = Network { graph, params, notes: Vec::new() };
        let value = network.until(node).and_then(|part| part.forward(fed, &[]));
        value.map_err(|error| Error::from(error.in_file(self.dict.path())))
    }

    /// An image `[channels, height, width]` in [-1, 1].
    pub(crate) fn image(&mut self, name: &str, shape: [usize; 3]) -> Result<NodeId> {
        let input = Op::Input { shape: shape.to_vec(), batch: true, role: Some(Role::Image), law: None };
        self.push(name, input, &[])
    }

    /// An image in [-1, 1] as networks want it that were trained on images in [0, 1] with these means and deviations; then everything
    /// times a factor.
    pub(crate) fn normalised(&mut self, name: &str, x: NodeId, channels: Channels, factor: f64) -> Result<NodeId> {
        let Channels { mean, deviation } = channels;
        let scale = deviation.map(|deviation| (factor * 0.5 / deviation) as f32);
        let shift = [0, 1, 2].map(|c| (factor * (0.5 - mean[c]) / deviation[c]) as f32);
        let scale = self.tensor(&format!("{name}.scale"), &[3], scale.to_vec(), false)?;
        let shift = self.tensor(&format!("{name}.shift"), &[3], shift.to_vec(), false)?;
        let scaled = self.push(&format!("{name}.scaled"), Op::MulChannel, &[x, scale])?;
        self.push(name, Op::AddChannel, &[scaled, shift])
    }

    /// Any operation.
    ///
    /// # Errors
    /// The name is taken or empty, which names of a file can bring about.
    pub(crate) fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        if name.is_empty() || !self.names.insert(name.to_owned()) {
            return Err(self.wrong(format!("would make two nodes of the name {name:?}")));
        }
        Ok(self.graph.push(name, op, inputs))
    }

    /// A tensor of the file as a parameter.
    pub(crate) fn param(&mut self, key: &str) -> Result<NodeId> {
        let shape = self.shape(key)?;
        let values = self.values(key)?;
        let is_state = key.ends_with("running_mean") || key.ends_with("running_var");
        self.tensor(key, shape, values, !is_state)
    }

    /// Numbers that were made of tensors of the file, as a parameter.
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], values: Vec<f32>, trainable: bool) -> Result<NodeId> {
        if shape.iter().product::<usize>() != values.len() {
            return Err(
                self.wrong(format!("tensor {name:?} would have the shape {shape:?}, of {} numbers", values.len()))
            );
        }
        let param = Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable };
        let id = self.push(name, param, &[])?;
        self.tensors.push(Tensor::new(shape, values, &Device::cpu()));
        Ok(id)
    }

    /// Weights and, where the file has one, the bias of a layer.
    fn weights(&mut self, layer: &str, x: NodeId) -> Result<Vec<NodeId>> {
        let mut inputs = vec![x, self.param(&format!("{layer}.weight"))?];
        let bias = format!("{layer}.bias");
        if self.has(&bias) {
            inputs.push(self.param(&bias)?);
        }
        Ok(inputs)
    }

    /// A linear layer.
    pub(crate) fn linear(&mut self, layer: &str, x: NodeId) -> Result<NodeId> {
        let inputs = self.weights(layer, x)?;
        self.push(layer, Op::Linear, &inputs)
    }

    /// A convolution.
    pub(crate) fn conv(&mut self, layer: &str, x: NodeId, conv: Conv) -> Result<NodeId> {
        let inputs = self.weights(layer, x)?;
        self.push(layer, Op::conv2d(conv), &inputs)
    }

    /// A convolution whose weights lie in a module of its own: `layer.conv.weight`.
    pub(crate) fn conv_in(&mut self, layer: &str, x: NodeId, conv: Conv) -> Result<NodeId> {
        self.conv(&format!("{layer}.conv"), x, conv)
    }

    /// A transposed convolution.
    pub(crate) fn deconv(&mut self, layer: &str, x: NodeId, conv: Conv, output_padding: usize) -> Result<NodeId> {
        let inputs = self.weights(layer, x)?;
        self.push(layer, Op::ConvTranspose2d { conv, output_padding }, &inputs)
    }

    /// Batch norm with stored statistics. Without a scale and a shift they are 1 and 0.
    pub(crate) fn batch_norm(&mut self, layer: &str, x: NodeId, epsilon: f64) -> Result<NodeId> {
        let [weight, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|part| format!("{layer}.{part}"));
        let mean_shape = self.shape(&mean)?;
        let mut given = |key: &str, value: f32| {
            if self.has(key) {
                self.param(key)
            } else {
                self.tensor(key, mean_shape, vec![value; mean_shape.iter().product()], true)
            }
        };
        let (weight, bias) = (given(&weight, 1.0)?, given(&bias, 0.0)?);
        let inputs = [x, weight, bias, self.param(&mean)?, self.param(&variance)?];
        self.push(layer, Op::BatchNorm { epsilon, momentum: 0.1 }, &inputs)
    }

    /// A function of one number.
    pub(crate) fn unary(&mut self, name: &str, function: Unary, x: NodeId) -> Result<NodeId> {
        self.push(name, function, &[x])
    }

    /// The network, with every tensor of the file in it.
    ///
    /// # Errors
    /// Shapes do not fit, or a tensor of the file was not used.
    pub(crate) fn finish(mut self, output: NodeId, architecture: &'static str) -> Result<Imported> {
        let left = |key: &str| !self.used.contains(key) && key.rsplit('.').next() != Some(COUNTERS);
        let left: Vec<&str> = self.dict.entries().map(|(key, _)| key).filter(|key| left(key)).collect();
        if let Some(first) = left.first() {
            let more = if left.len() > 1 { format!(" and {} more", left.len() - 1) } else { String::new() };
            return Err(self
                .wrong(format!("has tensors that a network of the kind {architecture} has not: {first:?}{more}"))
                .with_hint("Describe its layers in a file and give that by `spec`."));
        }
        self.graph.set_output(output);
        self.graph.shapes(1).map_err(|error| Error::from(error.in_file(self.dict.path())))?;
        let notes = vec![("imported as".to_owned(), architecture.to_owned())];
        let network = Network { graph: Arc::new(self.graph), params: Params::new(self.tensors), notes };
        Ok(Imported { network, architecture, classes: None, notices: self.notices })
    }
}
