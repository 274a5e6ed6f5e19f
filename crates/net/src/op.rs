//! The operations of a node.

use crate::{Conv, Init, Law};
use serde::{Deserialize, Serialize};

/// What a node computes. `n` is the batch, `c` channels, `h` and `w` the map; shapes in a description leave `n` out.
///
/// *Layers* are what people build networks of; [`crate::Graph::lower`] writes them out in *primitives*, which are closed
/// under differentiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields say what their names say")]
pub enum Op {
    // Sources.
    /// Fed from outside; `shape` without the batch. The latent of a generator says from which law it is drawn.
    Input {
        shape: Vec<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        law: Option<Law>,
    },
    /// A tensor of the network. One that is not trainable is state (running statistics, singular vectors).
    Param { shape: Vec<usize>, init: Init, trainable: bool },
    /// The gradient of a loss with respect to a node (its `like`), fed from outside.
    Cotangent,

    // Layers.
    /// `[x, w (o, i), b?]`: `x w^T + b`.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `[x, gamma, beta, running mean, running variance]` over channels; momentum as `PyTorch` defines it.
    BatchNorm { epsilon: f64, momentum: f64 },
    /// `[w, u, v]`: the weights divided by their largest singular value `u^T W v`, where W has `w`'s first dimension as
    /// rows; one power iteration per training pass (Miyato et al., arXiv 1802.05957).
    SpectralNorm,
    /// `x / sqrt(mean over channels of x^2 + epsilon)` (Karras et al., arXiv 1710.10196).
    PixelNorm { epsilon: f64 },
    /// Appends one map: the standard deviation over the batch, averaged over channels and pixels (same paper; the group
    /// is the whole batch).
    MinibatchStd,
    /// Means of `factor x factor` pixels.
    AvgPool { factor: usize },

    // Primitives.
    /// `[x, w (o, c, kh, kw), b?]`.
    Conv2d { conv: Conv },
    /// `[x, w (c, o, kh, kw), b?]`; the size of the result is `like`'s where there is one.
    ConvTranspose2d {
        conv: Conv,
        #[serde(default, skip_serializing_if = "is_zero")]
        output_padding: usize,
    },
    /// `[x, dy]`: gradient of a convolution by its weights, of `like`'s shape.
    ConvWeight { conv: Conv },
    /// `[a, b]` of rank 2, transposed first where asked.
    MatMul { transpose_a: bool, transpose_b: bool },
    /// `[x, y]`, same shape.
    Add,
    /// `[x, y]`, same shape.
    Sub,
    /// `[x, y]`, same shape.
    Mul,
    /// `factor * x`.
    Scale { factor: f64 },
    /// `x + term`.
    AddScalar { term: f64 },
    /// `x` where positive, `slope * x` elsewhere.
    LeakyRelu { slope: f64 },
    /// `[g, x]`: `g` where x is positive, `slope * g` elsewhere.
    LeakyReluGradient { slope: f64 },
    /// Hyperbolic tangent.
    Tanh,
    /// `[g, y]`: `g (1 - y^2)`.
    TanhGradient,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Square root.
    Sqrt,
    /// `1 / x`.
    Recip,
    /// `[x, b (c)]`: adds b to every cell of its channel.
    AddChannel,
    /// `[x, s (c)]`: multiplies every cell of its channel by s.
    MulChannel,
    /// Sum over batch and cells: `(c)`.
    ChannelSum,
    /// `[x, y]`: sum of `x y` over batch and cells: `(c)`.
    ChannelDot,
    /// `[x, m (c)]`, m the means of x itself: sum of `(x - m)^2` over batch and cells: `(c)`. It is least at the mean, so no gradient
    /// passes through m.
    ChannelSquares,
    /// `(c)` repeated to the shape of `like`.
    ChannelBroadcast,
    /// Sum over axes (0 is the batch), each kept with length 1.
    Sum { axes: Vec<usize> },
    /// The axes, of length 1, repeated to the lengths of `like`.
    Broadcast { axes: Vec<usize> },
    /// `x / (k - minus)`, where k is how many elements of `like` there are for each of x.
    DivCount {
        #[serde(default, skip_serializing_if = "is_zero")]
        minus: usize,
    },
    /// Another shape; the first dimension stays.
    Reshape { shape: Vec<usize> },
    /// The shape of `like`.
    ReshapeLike,
    /// Several inputs one after the other.
    Concat { axis: usize },
    /// `len` entries from `start` on; never of the batch.
    Narrow { axis: usize, start: usize, len: usize },
    /// x inside zeros of the shape of `like`.
    Embed { axis: usize, start: usize },
    /// Each pixel becomes `factor x factor`.
    UpsampleNearest { factor: usize },
    /// Sums of `factor x factor` pixels.
    SumPool { factor: usize },
    /// x, which gradients do not pass.
    StopGradient,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Op {
    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Param { .. } => "param",
            Self::Cotangent => "cotangent",
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::BatchNorm { .. } => "batch_norm",
            Self::SpectralNorm => "spectral_norm",
            Self::PixelNorm { .. } => "pixel_norm",
            Self::MinibatchStd => "minibatch_std",
            Self::AvgPool { .. } => "avg_pool",
            Self::Conv2d { .. } => "conv2d",
            Self::ConvTranspose2d { .. } => "conv_transpose2d",
            Self::ConvWeight { .. } => "conv_weight",
            Self::MatMul { .. } => "mat_mul",
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Scale { .. } => "scale",
            Self::AddScalar { .. } => "add_scalar",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::LeakyReluGradient { .. } => "leaky_relu_gradient",
            Self::Tanh => "tanh",
            Self::TanhGradient => "tanh_gradient",
            Self::Sigmoid => "sigmoid",
            Self::Sqrt => "sqrt",
            Self::Recip => "recip",
            Self::AddChannel => "add_channel",
            Self::MulChannel => "mul_channel",
            Self::ChannelSum => "channel_sum",
            Self::ChannelDot => "channel_dot",
            Self::ChannelSquares => "channel_squares",
            Self::ChannelBroadcast => "channel_broadcast",
            Self::Sum { .. } => "sum",
            Self::Broadcast { .. } => "broadcast",
            Self::DivCount { .. } => "div_count",
            Self::Reshape { .. } => "reshape",
            Self::ReshapeLike => "reshape_like",
            Self::Concat { .. } => "concat",
            Self::Narrow { .. } => "narrow",
            Self::Embed { .. } => "embed",
            Self::UpsampleNearest { .. } => "upsample_nearest",
            Self::SumPool { .. } => "sum_pool",
            Self::StopGradient => "stop_gradient",
        }
    }

    /// Layers have to be lowered before they run.
    pub fn is_layer(&self) -> bool {
        matches!(
            self,
            Self::Linear
                | Self::Relu
                | Self::BatchNorm { .. }
                | Self::SpectralNorm
                | Self::PixelNorm { .. }
                | Self::MinibatchStd
                | Self::AvgPool { .. }
        )
    }

    /// Activations: the nodes after which a layer is best looked at.
    pub fn is_activation(&self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu { .. } | Self::Tanh | Self::Sigmoid)
    }
}
