//! The one place that speaks to Burn: a float tensor of any rank on any device that was compiled in.
//!
//! Burn's `Dispatch` primitives carry no rank in their type, so neither does [`Tensor`]. Where the tensor lies on the
//! CPU in `f32`, the loops of `kernels` run on its slice; everything else (other devices, `f64` for tests of gradients)
//! goes to Burn. Both give the same numbers within rounding.
//!
//! Shapes are the caller's promise, checked by shape inference before anything runs: a wrong one is a bug, not input.

mod device;
#[cfg(test)]
mod foreign_tests;
mod products;

pub use device::{Device, DeviceChoice};
pub use products::Conv;

use burn::backend::ops::{ActivationOps, FloatTensorOps};
use burn::backend::{BackendTensor, DType, Dispatch, DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::{Shape, Slice, TensorData};
use std::borrow::Cow;

/// An immutable array of floats with a shape; cloning shares the numbers.
#[derive(Clone, Debug)]
pub struct Tensor(DispatchTensor);

impl Tensor {
    /// From numbers in row-major order.
    pub fn new(shape: &[usize], data: Vec<f32>, device: &Device) -> Self {
        Self::from_data(TensorData::new(data, Shape::from(shape.to_vec())), device)
    }

    /// The same in double precision, for tests of gradients.
    pub fn new_f64(shape: &[usize], data: Vec<f64>, device: &Device) -> Self {
        Self::from_data(TensorData::new(data, Shape::from(shape.to_vec())), device)
    }

    fn from_data(data: TensorData, device: &Device) -> Self {
        Self(Dispatch::float_from_data(data, &device.0))
    }

    /// All elements the same, on the same device and of the same precision as `self`.
    #[must_use]
    pub fn full_like(&self, shape: &[usize], value: f64) -> Self {
        let data = TensorData::full_dtype(Shape::from(shape.to_vec()), value, self.0.dtype());
        Self(Dispatch::float_from_data(data, &self.0.device()))
    }

    /// Length of each dimension, slowest first.
    pub fn shape(&self) -> Vec<usize> {
        self.0.shape().to_vec()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// No elements at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The device it lies on.
    pub fn device(&self) -> Device {
        Device(self.0.device())
    }

    /// The elements in row-major order, copied to the processor's memory.
    pub fn to_vec(&self) -> Vec<f32> {
        match self.slice() {
            Some(slice) => slice.to_vec(),
            None => self.data().iter::<f32>().collect(),
        }
    }

    /// The elements in double precision.
    pub fn to_vec_f64(&self) -> Vec<f64> {
        self.data().iter::<f64>().collect()
    }

    fn data(&self) -> TensorData {
        let read = Dispatch::float_into_data(self.0.clone());
        burn::tensor::read_sync(read).unwrap_or_else(|error| panic!("the device lost a tensor: {error:?}"))
    }

    /// The elements without a copy, where they are `f32`, contiguous and in the processor's memory.
    #[allow(clippy::match_wildcard_for_single_variants, reason = "other features bring other devices")]
    pub fn slice(&self) -> Option<&[f32]> {
        match &self.0.kind {
            DispatchTensorKind::Flex(BackendTensor::Float(tensor)) if self.0.dtype() == DType::F32 => {
                if tensor.is_contiguous() { tensor.as_slice::<f32>() } else { None }
            }
            _ => None,
        }
    }

    fn host(&self, shape: &[usize], data: Vec<f32>) -> Self {
        Self::new(shape, data, &self.device())
    }

    /// Applies a kernel to a processor tensor, or Burn's operation to any other.
    fn unary(&self, kernel: impl Fn(f32) -> f32 + Sync, burn: impl Fn(DispatchTensor) -> DispatchTensor) -> Self {
        match self.slice() {
            Some(x) => self.host(&self.shape(), kernels::map(x, kernel)),
            None => Self(burn(self.0.clone())),
        }
    }

    fn binary(
        &self,
        other: &Self,
        kernel: impl Fn(f32, f32) -> f32 + Sync,
        burn: impl Fn(DispatchTensor, DispatchTensor) -> DispatchTensor,
    ) -> Self {
        debug_assert_eq!(self.shape(), other.shape());
        match (self.slice(), other.slice()) {
            (Some(x), Some(y)) => self.host(&self.shape(), kernels::map2(x, y, kernel)),
            _ => Self(burn(self.0.clone(), other.0.clone())),
        }
    }
}

/// Element by element; both operands of one shape.
impl Tensor {
    /// `self + other`.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.binary(other, |a, b| a + b, Dispatch::float_add)
    }

    /// `self - other`.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.binary(other, |a, b| a - b, Dispatch::float_sub)
    }

    /// `self * other`.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        self.binary(other, |a, b| a * b, Dispatch::float_mul)
    }

    /// `factor * self`.
    #[must_use]
    pub fn scale(&self, factor: f64) -> Self {
        let f = factor as f32;
        self.unary(|x| x * f, |x| Dispatch::float_mul_scalar(x, factor.into()))
    }

    /// `self + term`.
    #[must_use]
    pub fn add_scalar(&self, term: f64) -> Self {
        let t = term as f32;
        self.unary(|x| x + t, |x| Dispatch::float_add_scalar(x, term.into()))
    }

    /// `x` where positive, `slope * x` elsewhere.
    #[must_use]
    pub fn leaky_relu(&self, slope: f64) -> Self {
        let s = slope as f32;
        self.unary(|x| kernels::leaky_relu(x, s), |x| Dispatch::leaky_relu(x, slope.into()))
    }

    /// `self` (a gradient) where `x` is positive, `slope * self` elsewhere.
    #[must_use]
    pub fn leaky_relu_gradient(&self, x: &Self, slope: f64) -> Self {
        let s = slope as f32;
        self.binary(
            x,
            |g, x| kernels::leaky_relu_gradient(g, x, s),
            |g, x| {
                let positive = Dispatch::float_clamp_min(Dispatch::float_sign(x), 0.0.into());
                let factor = Dispatch::float_add_scalar(
                    Dispatch::float_mul_scalar(positive, (1.0 - slope).into()),
                    slope.into(),
                );
                Dispatch::float_mul(g, factor)
            },
        )
    }

    /// Hyperbolic tangent.
    #[must_use]
    pub fn tanh(&self) -> Self {
        self.unary(kernels::tanh, Dispatch::float_tanh)
    }

    /// `self * (1 - y^2)`: the gradient of `y = tanh(x)`.
    #[must_use]
    pub fn tanh_gradient(&self, y: &Self) -> Self {
        self.binary(y, kernels::tanh_gradient, |g, y| {
            Dispatch::float_sub(g.clone(), Dispatch::float_mul(g, Dispatch::float_mul(y.clone(), y)))
        })
    }

    /// `1 / (1 + exp(-x))`.
    #[must_use]
    pub fn sigmoid(&self) -> Self {
        self.unary(|x| 1.0 / (1.0 + (-x).exp()), Dispatch::sigmoid)
    }

    /// Square root.
    #[must_use]
    pub fn sqrt(&self) -> Self {
        self.unary(f32::sqrt, Dispatch::float_sqrt)
    }

    /// `1 / x`.
    #[must_use]
    pub fn recip(&self) -> Self {
        self.unary(f32::recip, Dispatch::float_recip)
    }
}

/// Shapes, sums and parts.
impl Tensor {
    /// The same elements in another shape.
    #[must_use]
    pub fn reshape(&self, shape: &[usize]) -> Self {
        Self(Dispatch::float_reshape(self.0.clone(), Shape::from(shape.to_vec())))
    }

    /// Sums over `axes`, each kept with length 1.
    #[must_use]
    pub fn sum(&self, axes: &[usize]) -> Self {
        Self(axes.iter().fold(self.0.clone(), |x, &axis| Dispatch::float_sum_dim(x, axis)))
    }

    /// Repeats dimensions of length 1 up to `shape`, of the same rank.
    #[must_use]
    pub fn broadcast(&self, shape: &[usize]) -> Self {
        if let Some(x) = self.slice() {
            // From the last dimension on, so that what is repeated are whole blocks.
            let mut wide = Cow::Borrowed(x);
            let mut block = 1;
            for (&thin, &len) in self.shape().iter().zip(shape).rev() {
                if thin != len {
                    wide = Cow::Owned(kernels::repeat(&wide, block, len));
                }
                block *= len;
            }
            return self.host(shape, wide.into_owned());
        }
        let wide = Dispatch::float_expand(self.0.clone(), Shape::from(shape.to_vec()));
        // An expanded tensor has strides of zero: adding nothing makes it one of its own, which the kernels can read.
        Self(Dispatch::float_add_scalar(wide, 0.0.into()))
    }

    /// `len` entries of `axis` from `start` on.
    #[must_use]
    pub fn narrow(&self, axis: usize, start: usize, len: usize) -> Self {
        Self(contiguous(Dispatch::float_slice(self.0.clone(), &along(&self.shape(), axis, start, len))))
    }

    /// The adjoint of [`Tensor::narrow`]: `self` inside zeros of `shape`.
    #[must_use]
    pub fn embed(&self, axis: usize, start: usize, shape: &[usize]) -> Self {
        let len = self.shape()[axis];
        let zeros = self.full_like(shape, 0.0);
        Self(Dispatch::float_slice_assign(zeros.0, &along(shape, axis, start, len), self.0.clone()))
    }

    /// Several tensors one after the other along `axis`.
    #[must_use]
    pub fn concat(parts: &[&Self], axis: usize) -> Self {
        Self(Dispatch::float_cat(parts.iter().map(|t| t.0.clone()).collect(), axis))
    }

    /// Each pixel of `[n, c, h, w]` becomes `factor x factor` pixels.
    #[must_use]
    pub fn upsample_nearest(&self, factor: usize) -> Self {
        let [n, c, h, w] = self.dims4();
        let wide = self.reshape(&[n * c, h, 1, w, 1]).broadcast(&[n * c, h, factor, w, factor]);
        wide.reshape(&[n, c, h * factor, w * factor])
    }

    /// Sums of `factor x factor` pixels of `[n, c, h, w]`: the adjoint of [`Tensor::upsample_nearest`].
    #[must_use]
    pub fn sum_pool(&self, factor: usize) -> Self {
        let [n, c, h, w] = self.dims4();
        let (h, w) = (h / factor, w / factor);
        let sums = self.reshape(&[n * c, h, factor, w, factor]).sum(&[2, 4]);
        Self(contiguous(sums.reshape(&[n, c, h, w]).0))
    }

    fn dims4(&self) -> [usize; 4] {
        match self.shape()[..] {
            [n, c, h, w] => [n, c, h, w],
            ref other => panic!("maps of rank 4 expected, found {other:?}"),
        }
    }

    /// `[n, channels, cells]`: images, channels and cells per channel of `[n, c, ...]`.
    fn channels(&self) -> (usize, usize, usize) {
        let shape = self.shape();
        (shape[0], shape[1], shape[2..].iter().product())
    }

    /// `[c]` in the rank of `self`, so that Burn broadcasts it along channels.
    fn along_channels(&self, per_channel: &Self) -> DispatchTensor {
        let mut shape = vec![1; self.shape().len()];
        shape[1] = per_channel.len();
        per_channel.reshape(&shape).0
    }
}

/// One number per channel against `[n, c, ...]`.
impl Tensor {
    /// `self + b[c]`.
    #[must_use]
    pub fn add_channel(&self, b: &Self) -> Self {
        let (_, channels, cells) = self.channels();
        match (self.slice(), b.slice()) {
            (Some(x), Some(b)) => self.host(&self.shape(), kernels::channel_affine(x, channels, cells, None, Some(b))),
            _ => Self(Dispatch::float_add(self.0.clone(), self.along_channels(b))),
        }
    }

    /// `self * s[c]`.
    #[must_use]
    pub fn mul_channel(&self, s: &Self) -> Self {
        let (_, channels, cells) = self.channels();
        match (self.slice(), s.slice()) {
            (Some(x), Some(s)) => self.host(&self.shape(), kernels::channel_affine(x, channels, cells, Some(s), None)),
            _ => Self(Dispatch::float_mul(self.0.clone(), self.along_channels(s))),
        }
    }

    /// Sums over everything but channels: `[c]`.
    #[must_use]
    pub fn channel_sum(&self) -> Self {
        let (_, channels, cells) = self.channels();
        match self.slice() {
            Some(x) => self.host(&[channels], kernels::channel_sum(x, channels, cells)),
            None => {
                let axes: Vec<usize> = (0..self.shape().len()).filter(|&a| a != 1).collect();
                self.sum(&axes).reshape(&[channels])
            }
        }
    }

    /// Sums of `self * other` over everything but channels: `[c]`.
    #[must_use]
    pub fn channel_dot(&self, other: &Self) -> Self {
        let (_, channels, cells) = self.channels();
        match (self.slice(), other.slice()) {
            (Some(x), Some(y)) => self.host(&[channels], kernels::channel_dot(x, y, channels, cells)),
            _ => self.mul(other).channel_sum(),
        }
    }

    /// Sums of `(self - centre[c])^2` over everything but channels: `[c]`.
    #[must_use]
    pub fn channel_squares(&self, centre: &Self) -> Self {
        let (_, channels, cells) = self.channels();
        match (self.slice(), centre.slice()) {
            (Some(x), Some(centre)) => self.host(&[channels], kernels::channel_squares(x, centre, cells)),
            _ => {
                let centred = self.add_channel(&centre.scale(-1.0));
                centred.channel_dot(&centred)
            }
        }
    }

    /// `[c]` repeated to `shape`.
    #[must_use]
    pub fn channel_broadcast(&self, shape: &[usize]) -> Self {
        if let Some(b) = self.slice() {
            let cells = shape[2..].iter().product();
            return self.host(shape, kernels::channel_broadcast(b, shape[0], cells));
        }
        let mut thin = vec![1; shape.len()];
        thin[1] = self.len();
        self.reshape(&thin).broadcast(shape)
    }
}

fn along(shape: &[usize], axis: usize, start: usize, len: usize) -> Vec<Slice> {
    let range = |a: usize, n: usize| if a == axis { (start, start + len) } else { (0, n) };
    shape
        .iter()
        .enumerate()
        .map(|(a, &n)| range(a, n))
        .map(|(s, e)| Slice::new(s as isize, Some(e as isize), 1))
        .collect()
}

fn contiguous(x: DispatchTensor) -> DispatchTensor {
    Dispatch::float_add_scalar(x, 0.0.into())
}
