//! Products and convolutions of tensors.

use super::Tensor;
use burn::backend::Dispatch;
use burn::backend::ops::{ConvOptions, ConvTransposeOptions, FloatTensorOps, ModuleOps};
use kernels::{ConvShape, Matrix, Precision};

/// Products and convolutions. A [`Precision`] is that of our own kernels: other devices take no notice of it.
impl Tensor {
    /// Matrix product of rank 2, either operand transposed first.
    #[must_use]
    pub fn matmul(&self, other: &Self, transpose_self: bool, transpose_other: bool) -> Self {
        let (a, b) = (self.shape(), other.shape());
        let (Some(x), Some(y)) = (self.slice(), other.slice()) else {
            let turn =
                |t: &Self, yes: bool| if yes { Dispatch::float_swap_dims(t.0.clone(), 0, 1) } else { t.0.clone() };
            return Self(Dispatch::float_matmul(turn(self, transpose_self), turn(other, transpose_other)));
        };
        // The length of the layer, not of the batch, decides: one image alone takes the same way.
        if !transpose_self && b.iter().product::<usize>() == a[1] && (b[0] == 1 || b[1] == 1) {
            return self.host(&[a[0], 1], kernels::rows_dot_vector(x, y));
        }
        let (mut left, mut right) = (Matrix::new(x, a[0], a[1]), Matrix::new(y, b[0], b[1]));
        if transpose_self {
            left = left.transposed();
        }
        if transpose_other {
            right = right.transposed();
        }
        let mut out = vec![0.0; left.rows() * right.columns()];
        kernels::product(left, right, &mut out, false, true);
        self.host(&[left.rows(), right.columns()], out)
    }

    /// Convolution of `self` with `w [o, c, kh, kw]`.
    #[must_use]
    pub fn conv2d(&self, w: &Self, bias: Option<&Self>, conv: Conv, output: [usize; 2], precision: Precision) -> Self {
        let [n, c, h, width] = self.dims4();
        let [o, _, kh, kw] = w.dims4();
        if let (Some(x), Some(k)) = (self.slice(), w.slice()) {
            let s = conv.shape([n, c, h, width], o, [kh, kw], output);
            let y = kernels::conv2d(&s, x, k, bias.and_then(Tensor::slice), precision);
            return self.host(&[n, o, output[0], output[1]], y);
        }
        let options = ConvOptions::new([conv.stride; 2], [conv.padding; 2], [conv.dilation; 2], 1);
        Self(Dispatch::conv2d(self.0.clone(), w.0.clone(), bias.map(|b| b.0.clone()), options))
    }

    /// Transposed convolution of `self` with `w [c, o, kh, kw]` to maps of `output` pixels: the input gradient of
    /// [`Tensor::conv2d`].
    #[must_use]
    pub fn conv2d_transpose(
        &self,
        w: &Self,
        bias: Option<&Self>,
        conv: Conv,
        output: [usize; 2],
        precision: Precision,
    ) -> Self {
        let [n, c, h, width] = self.dims4();
        let [_, o, kh, kw] = w.dims4();
        if let (Some(x), Some(k)) = (self.slice(), w.slice()) {
            let s = conv.shape([n, o, output[0], output[1]], c, [kh, kw], [h, width]);
            let y = kernels::conv2d_input_gradient(&s, x, k, bias.and_then(Tensor::slice), precision);
            return self.host(&[n, o, output[0], output[1]], y);
        }
        let missing = |size: usize, kernel: usize, input: usize| {
            size + 2 * conv.padding - (conv.dilation * (kernel - 1) + 1) - (input - 1) * conv.stride
        };
        let options = ConvTransposeOptions::new(
            [conv.stride; 2],
            [conv.padding; 2],
            [missing(output[0], kh, h), missing(output[1], kw, width)],
            [conv.dilation; 2],
            1,
        );
        Self(Dispatch::conv_transpose2d(self.0.clone(), w.0.clone(), bias.map(|b| b.0.clone()), options))
    }

    /// Gradient of [`Tensor::conv2d`] by its weights, for input `self` and output gradient `dy`: `[o, c, kh, kw]`.
    #[must_use]
    pub fn conv2d_weight_gradient(&self, dy: &Self, conv: Conv, kernel: [usize; 2], precision: Precision) -> Self {
        let [n, c, h, w] = self.dims4();
        let [_, o, oh, ow] = dy.dims4();
        if let (Some(x), Some(g)) = (self.slice(), dy.slice()) {
            let s = conv.shape([n, c, h, w], o, kernel, [oh, ow]);
            return self.host(&[o, c, kernel[0], kernel[1]], kernels::conv2d_weight_gradient(&s, x, g, precision));
        }
        let like = self.full_like(&[o, c, kernel[0], kernel[1]], 0.0);
        let options = ConvOptions::new([conv.stride; 2], [conv.padding; 2], [conv.dilation; 2], 1);
        Self(Dispatch::conv2d_weight_backward(self.0.clone(), like.0, dy.0.clone(), options))
    }
}

/// How a kernel moves over its input, the same way in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Conv {
    /// Step.
    pub stride: usize,
    /// Zeros around the input.
    pub padding: usize,
    /// Distance between taps; 1 is a dense kernel.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dilation: usize,
}

impl Conv {
    /// A dense kernel.
    pub fn new(stride: usize, padding: usize) -> Self {
        Self { stride, padding, dilation: 1 }
    }

    pub(crate) fn shape(self, x: [usize; 4], o: usize, kernel: [usize; 2], output: [usize; 2]) -> ConvShape {
        let [n, c, h, w] = x;
        let Self { stride, padding, dilation } = self;
        let (stride, padding, dilation) = ([stride; 2], [[padding; 2]; 2], [dilation; 2]);
        ConvShape { n, c, h, w, o, kernel, stride, padding, dilation, groups: 1, output }
    }

    /// Output length of a convolution along one axis; `None` where the kernel does not fit.
    pub(crate) fn output(self, input: usize, kernel: usize) -> Option<usize> {
        let span = self.dilation * kernel.checked_sub(1)? + 1;
        Some((input + 2 * self.padding).checked_sub(span)? / self.stride + 1)
    }

    /// Output length of the transposed convolution along one axis; `None` where nothing is left.
    pub(crate) fn transposed_output(self, input: usize, kernel: usize, extra: usize) -> Option<usize> {
        let span = self.dilation * kernel.checked_sub(1)? + 1;
        (input.checked_sub(1)? * self.stride + span + extra).checked_sub(2 * self.padding).filter(|&n| n > 0)
    }
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &usize) -> bool {
    *n == 1
}
