//! What networks are built of: layers with their parameters.

use crate::{Conv, Graph, Init, NodeId, Op, Unary};
use serde::{Deserialize, Serialize};

/// What normalises a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Nothing.
    #[default]
    None,
    /// Batch statistics, then scale and shift.
    Batch,
    /// Each pixel's channels at mean square 1.
    Pixel,
    /// The weights at spectral norm 1.
    Spectral,
}

/// Builds a network layer by layer: each method appends a layer with its parameters and returns its node, which later layers read.
///
/// Names of nodes are free, but unique. In a layer `2` of the [`crate::zoo`] the convolution is `2.conv`, its parameter `2.conv.weight`,
/// and the activation has the bare name, because that is what people look at and edit. A layer that has no method is a
/// [`Builder::push`] of an [`Op`].
///
/// # Panics
/// All methods panic where a name is taken: a mistake of the code that builds. What does not fit together is an error of
/// [`Graph::shapes`] and of all that runs the network.
#[derive(Clone, Debug)]
pub struct Builder {
    graph: Graph,
    /// The law of weights of convolutions and linear layers, from fan-in and fan-out.
    weights: fn(usize, usize) -> Init,
    /// The law of batch norm's scale.
    gamma: Init,
    /// Weights are drawn from N(0, 1) and scaled at run time by He's constant.
    equalised: bool,
}

impl Builder {
    /// Weights of this law, a function of fan-in and fan-out; [`Init::glorot`] is one.
    pub fn new(weights: fn(usize, usize) -> Init) -> Self {
        Self { graph: Graph::default(), weights, gamma: Init::Constant(1.0), equalised: false }
    }

    /// The law of both E-GAN code bases: N(0, 0.02), scales of batch norm N(1, 0.02).
    pub fn dcgan() -> Self {
        Self { gamma: Init::Normal { mean: 1.0, std: 0.02 }, ..Self::new(|_, _| Init::normal(0.02)) }
    }

    /// Equalised learning rate (Karras et al., arXiv 1710.10196): weights of N(0, 1), scaled at run time by He's constant.
    pub fn equalised() -> Self {
        Self { equalised: true, ..Self::new(|_, _| Init::normal(1.0)) }
    }

    /// The network so far. Its output is the last node, unless [`Graph::set_output`] says otherwise.
    pub fn finish(self) -> Graph {
        self.graph
    }

    /// Any operation.
    pub fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        self.graph.push(name, op, inputs)
    }

    /// Something that is fed; `shape` leaves the batch out.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> NodeId {
        self.push(name, Op::input(shape), &[])
    }

    /// A tensor of the network; one that is not trainable is state.
    pub fn param(&mut self, name: impl Into<String>, shape: &[usize], init: Init, trainable: bool) -> NodeId {
        self.graph.push(name, Op::Param { shape: shape.to_vec(), init, trainable }, &[])
    }

    /// The weights of a layer as it uses them.
    fn weight(&mut self, layer: &str, shape: &[usize], fans: (usize, usize), norm: Norm) -> NodeId {
        let init = if self.equalised { Init::normal(1.0) } else { (self.weights)(fans.0, fans.1) };
        let w = self.param(format!("{layer}.weight"), shape, init, true);
        if self.equalised {
            let factor = (2.0 / fans.0 as f64).sqrt();
            return self.graph.push(format!("{layer}.scale"), Unary::Scale { factor }, &[w]);
        }
        if norm != Norm::Spectral {
            return w;
        }
        let columns = shape[1..].iter().product();
        let u = self.param(format!("{layer}.u"), &[shape[0], 1], Init::UnitVector, false);
        let v = self.param(format!("{layer}.v"), &[columns, 1], Init::UnitVector, false);
        self.graph.push(format!("{layer}.spectral"), Op::SpectralNorm, &[w, u, v])
    }

    fn with_bias(&mut self, layer: &str, mut inputs: Vec<NodeId>, channels: usize, bias: bool) -> Vec<NodeId> {
        if bias {
            inputs.push(self.param(format!("{layer}.bias"), &[channels], Init::Constant(0.0), true));
        }
        inputs
    }

    /// From `i` to `o` features, with a bias unless batch norm follows. `norm` acts on the weights where it is [`Norm::Spectral`]; the
    /// others are [`Builder::norm`]'s to append.
    pub fn linear(&mut self, name: &str, x: NodeId, i: usize, o: usize, norm: Norm) -> NodeId {
        let w = self.weight(name, &[o, i], (i, o), norm);
        let inputs = self.with_bias(name, vec![x, w], o, norm != Norm::Batch);
        self.push(name, Op::Linear, &inputs)
    }

    /// A convolution, `[channels in, channels out]`, with a square kernel; bias and `norm` as [`Builder::linear`] has them.
    pub fn conv(&mut self, name: &str, x: NodeId, [i, o]: [usize; 2], k: usize, conv: Conv, norm: Norm) -> NodeId {
        let w = self.weight(name, &[o, i, k, k], (i * k * k, o * k * k), norm);
        // Batch norm takes the mean away: a bias before it would do nothing.
        let inputs = self.with_bias(name, vec![x, w], o, norm != Norm::Batch);
        self.push(name, Op::conv2d(conv), &inputs)
    }

    /// A transposed convolution, `[channels in, channels out]`; bias as [`Builder::linear`] has it.
    pub fn deconv(
        &mut self,
        name: &str,
        x: NodeId,
        channels: [usize; 2],
        kernel: [usize; 2],
        conv: Conv,
        norm: Norm,
    ) -> NodeId {
        self.deconv_like(name, x, channels, kernel, conv, norm, None)
    }

    /// As [`Builder::deconv`], to the size of another node's maps.
    #[expect(clippy::too_many_arguments, reason = "what a convolution takes, and a node")]
    pub fn deconv_like(
        &mut self,
        name: &str,
        x: NodeId,
        [i, o]: [usize; 2],
        [h, w]: [usize; 2],
        conv: Conv,
        norm: Norm,
        like: Option<NodeId>,
    ) -> NodeId {
        let fans = (i * h * w / (conv.stride[0] * conv.stride[1]).max(1), o * h * w);
        let w = self.weight(name, &[i, o, h, w], fans, Norm::None);
        let inputs = self.with_bias(name, vec![x, w], o, norm != Norm::Batch);
        self.graph.push_like(name, Op::ConvTranspose2d { conv, output_padding: 0 }, &inputs, like)
    }

    /// Batch or pixel norm under `name.norm`; nothing for the others.
    pub fn norm(&mut self, name: &str, x: NodeId, channels: usize, norm: Norm) -> NodeId {
        let name = format!("{name}.norm");
        match norm {
            Norm::None | Norm::Spectral => x,
            Norm::Pixel => self.push(&name, Op::PixelNorm { epsilon: 1e-8 }, &[x]),
            Norm::Batch => {
                let one = Init::Constant(1.0);
                let zero = Init::Constant(0.0);
                let gamma = self.param(format!("{name}.weight"), &[channels], self.gamma, true);
                let beta = self.param(format!("{name}.bias"), &[channels], zero, true);
                let mean = self.param(format!("{name}.running_mean"), &[channels], zero, false);
                let variance = self.param(format!("{name}.running_var"), &[channels], one, false);
                self.push(&name, Op::BatchNorm { epsilon: 1e-5, momentum: 0.1 }, &[x, gamma, beta, mean, variance])
            }
        }
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Unary::Relu, &[x])
    }

    /// `LeakyReLU` of slope 0.2.
    pub fn leaky(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Unary::LeakyRelu { slope: 0.2 }, &[x])
    }

    /// Another shape for each sample.
    pub fn reshape(&mut self, name: &str, x: NodeId, shape: &[usize]) -> NodeId {
        self.push(name, Op::Reshape { shape: shape.to_vec() }, &[x])
    }

    /// Each pixel becomes 2 x 2.
    pub fn upsample(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::UpsampleNearest { factor: 2 }, &[x])
    }
}
