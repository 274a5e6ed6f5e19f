//! Products of matrices, and convolutions with their gradients.

use super::{Numbers, layout};
use burn::backend::ops::{ConvOptions, ConvTransposeOptions, FloatTensorOps, ModuleOps};
use burn::backend::{Dispatch, DispatchTensor};
use tensor::Conv;

pub(super) fn matmul(a: &Numbers, b: &Numbers, transpose: [bool; 2], shape: &[usize]) -> DispatchTensor {
    let before = &shape[..shape.len() - 2];
    let operand = |x: &Numbers, transpose: bool| {
        let (front, matrix) = x.shape.split_at(x.shape.len() - 2);
        let x = if front == before { x.tensor() } else { layout::owned(x.wide(&[before, matrix].concat())) };
        if transpose { Dispatch::float_swap_dims(x, before.len(), before.len() + 1) } else { x }
    };
    Dispatch::float_matmul(operand(a, transpose[0]), operand(b, transpose[1]))
}

/// `None` for padding that is not the same on both sides.
pub(super) fn conv2d(conv: &Conv, x: &Numbers, w: &Numbers, bias: Option<&Numbers>) -> Option<DispatchTensor> {
    Some(Dispatch::conv2d(x.tensor(), w.tensor(), bias.map(Numbers::tensor), options(conv)?))
}

pub(super) fn conv_transpose2d(
    conv: &Conv,
    size: [usize; 2],
    x: &Numbers,
    w: &Numbers,
    bias: Option<&Numbers>,
) -> Option<DispatchTensor> {
    let padding = padding(conv)?;
    // Rows and columns at the end that no step of the convolution reaches.
    let missing = |axis: usize| {
        let span = conv.dilation[axis] * (w.shape[2 + axis] - 1) + 1;
        size[axis] + 2 * padding[axis] - span - (x.shape[2 + axis] - 1) * conv.stride[axis]
    };
    let options = ConvTransposeOptions::new(conv.stride, padding, [missing(0), missing(1)], conv.dilation, conv.groups);
    Some(Dispatch::conv_transpose2d(x.tensor(), w.tensor(), bias.map(Numbers::tensor), options))
}

/// `like` is of the result's shape.
pub(super) fn conv_weight(conv: &Conv, x: &Numbers, g: &Numbers, like: DispatchTensor) -> Option<DispatchTensor> {
    Some(Dispatch::conv2d_weight_backward(x.tensor(), like, g.tensor(), options(conv)?))
}

fn options(conv: &Conv) -> Option<ConvOptions<2>> {
    Some(ConvOptions::new(conv.stride, padding(conv)?, conv.dilation, conv.groups))
}

fn padding(conv: &Conv) -> Option<[usize; 2]> {
    let [vertical, horizontal] = conv.padding;
    (vertical[0] == vertical[1] && horizontal[0] == horizontal[1]).then_some([vertical[0], horizontal[0]])
}
