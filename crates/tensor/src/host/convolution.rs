//! Convolutions and their gradients.

use crate::reference::{Array, Value};
use crate::{Conv, Primitive};
use kernels::{ConvShape, Precision};

/// Steps and borders up to which the kernels' sums of places cannot wrap around.
const MOST: usize = 1 << 24;

/// Whether the kernels can compute a convolution: there are elements, and nothing is too far away.
pub(super) fn usual(conv: &Conv, inputs: &[Value<f32>]) -> bool {
    near(conv) && inputs.iter().all(|input| !input.shape().contains(&0))
}

fn near(conv: &Conv) -> bool {
    conv.stride.iter().chain(&conv.dilation).chain(conv.padding.as_flattened()).all(|&length| length < MOST)
}

impl Primitive {
    /// What the kernels need to know of a convolution, and whether it is a transposed one; `None` of anything else, and of a
    /// convolution that they cannot compute.
    pub fn conv_shape(&self, inputs: &[&[usize]], output: &[usize]) -> Option<(ConvShape, bool)> {
        let [x, w, ..] = *inputs else { return None };
        let (conv, transposed) = match self {
            Self::Conv2d { conv } => (conv, false),
            Self::ConvTranspose2d { conv, .. } => (conv, true),
            _ => return None,
        };
        let whole = near(conv) && ![x, w, output].iter().any(|shape| shape.len() != 4 || shape.contains(&0));
        whole.then(|| {
            let (from, to, o) = if transposed { (output, x, x[1]) } else { (x, output, output[1]) };
            (shape_of(conv, from, o, &w[2..], &to[2..]), transposed)
        })
    }
}

impl Primitive {
    /// Numbers that are needed beside inputs and result while it is computed on the processor, at most; kernels keep them from call to
    /// call.
    pub fn scratch(&self, inputs: &[&[usize]], output: &[usize]) -> u64 {
        if let Self::ConvWeight { conv, .. } = self {
            let [x, g] = *inputs else { return 0 };
            let whole = near(conv) && ![x, g, output].iter().any(|shape| shape.len() != 4 || shape.contains(&0));
            return if whole { shape_of(conv, x, g[1], &output[2..], &g[2..]).scratch(true) } else { 0 };
        }
        self.conv_shape(inputs, output).map_or(0, |(shape, _)| shape.scratch(false))
    }
}

/// `x` to maps of `o` channels.
fn shape_of(conv: &Conv, x: &[usize], o: usize, kernel: &[usize], output: &[usize]) -> ConvShape {
    let Conv { stride, padding, dilation, groups } = *conv;
    let two = |lengths: &[usize]| [lengths[0], lengths[1]];
    let (kernel, output) = (two(kernel), two(output));
    ConvShape { n: x[0], c: x[1], h: x[2], w: x[3], o, kernel, stride, padding, dilation, groups, output }
}

pub(super) fn forward(
    conv: &Conv,
    x: Array<f32>,
    w: Array<f32>,
    bias: Option<&[f32]>,
    shape: &[usize],
    precision: Precision,
) -> Vec<f32> {
    let s = shape_of(conv, x.shape, shape[1], &w.shape[2..], &shape[2..]);
    kernels::conv2d(&s, x.values, w.values, bias, precision)
}

pub(super) fn transpose(
    conv: &Conv,
    x: Array<f32>,
    w: Array<f32>,
    bias: Option<&[f32]>,
    shape: &[usize],
    precision: Precision,
) -> Vec<f32> {
    let s = shape_of(conv, shape, x.shape[1], &w.shape[2..], &x.shape[2..]);
    kernels::conv2d_input_gradient(&s, x.values, w.values, bias, precision)
}

pub(super) fn weight(conv: &Conv, x: Array<f32>, g: Array<f32>, shape: &[usize], precision: Precision) -> Vec<f32> {
    let s = shape_of(conv, x.shape, g.shape[1], &shape[2..], &g.shape[2..]);
    kernels::conv2d_weight_gradient(&s, x.values, g.values, precision)
}
