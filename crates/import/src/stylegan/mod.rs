//! `StyleGAN2` (Karras et al., arXiv 1912.04958): a mapping from latents to styles, modulated convolutions, noise, images that are summed up
//! from size to size. Its files go by two sets of names: rosinality's and NVIDIA's.
//!
//! A modulated convolution scales the weights by the style of each image and brings the squares of their products to sum 1. The same is:
//! to scale the maps that it reads, to convolve all images with the same weights, and to divide what comes out.

mod official;
mod rosinality;

pub(crate) use official::{is_like as is_official, network as official};
pub(crate) use rosinality::{is_like as is_rosinality, network as rosinality};

use crate::assembly::Assembly;
use base::Result;
use net::{AxisMap, Binary, Conv, Dim, NodeId, Op, Primitive, Unary};

const EPSILON: f64 = 1e-8;
const SLOPE: f64 = 0.2;
/// After each activation, so that variance stays.
const GAIN: f64 = std::f64::consts::SQRT_2;

/// A linear layer whose weights and bias are scaled at run time (equalised learning rate).
fn linear(
    a: &mut Assembly,
    name: &str,
    tensors: &str,
    x: NodeId,
    [weight_gain, bias_gain]: [f64; 2],
) -> Result<NodeId> {
    let scaled = |a: &mut Assembly, part: &str, factor: f64| {
        let key = format!("{tensors}.{part}");
        let tensor = a.param(&key)?;
        if factor == 1.0 { Ok(tensor) } else { a.unary(&format!("{key}.scaled"), Unary::Scale { factor }, tensor) }
    };
    let weight = scaled(a, "weight", weight_gain)?;
    let bias = scaled(a, "bias", bias_gain)?;
    a.push(name, Op::Linear, &[x, weight, bias])
}

/// `LeakyReLU` and a gain.
fn active(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let leaky = a.unary(&format!("{name}.leaky"), Unary::LeakyRelu { slope: SLOPE }, x)?;
    a.unary(name, Unary::Scale { factor: GAIN }, leaky)
}

/// A modulated convolution: where its tensors are, and what it does.
struct Modulated<'n> {
    /// Its node, and the beginning of the names of its parts.
    name: &'n str,
    /// Its weights, `[out, in, k, k]` or with a dimension of 1 before.
    weight: &'n str,
    /// By what its weights are multiplied.
    factor: f64,
    /// The scale of each map that it reads, one for each image.
    style: NodeId,
    /// Whether squares are brought to sum 1.
    divides: bool,
    /// Whether maps are doubled; the filter that smoothes them then, and by what that is multiplied.
    up: Option<(&'n str, f64)>,
}

impl Modulated<'_> {
    fn build(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let at = |part: &str| format!("{}.{part}", self.name);
        let (out, into, k) = match *a.shape(self.weight)? {
            [1, out, into, h, w] | [out, into, h, w] if h == w => (out, into, h),
            ref other => return Err(a.wrong(format!("has a kernel {:?} of the shape {other:?}", self.weight))),
        };
        let is_up = self.up.is_some();
        let values = a.values(self.weight)?;
        let (shape, values) =
            if is_up { ([into, out, k, k], turned(&values, [out, into, k * k])) } else { ([out, into, k, k], values) };
        let mut weight = a.tensor(self.weight, &shape, values, true)?;
        if self.factor != 1.0 {
            weight = a.unary(&at("weight.scaled"), Unary::Scale { factor: self.factor }, weight)?;
        }
        let per_map = a.push(&at("style"), Op::Reshape { shape: vec![into, 1, 1] }, &[self.style])?;
        let read = a.push(&at("styled"), Binary::Mul, &[x, per_map])?;
        let op = if is_up {
            Op::ConvTranspose2d { conv: Conv::new(2, 0), output_padding: 0 }
        } else {
            Op::conv2d(Conv::new(1, k / 2))
        };
        let last = |part: &str, is_last: bool| if is_last { self.name.to_owned() } else { at(part) };
        let mut y = a.push(&last("product", !self.divides && !is_up), op, &[read, weight])?;
        if self.divides {
            let squares = a.push(&at("weight.squares"), Binary::Mul, &[weight, weight])?;
            let sums = a.push(&at("weight.sums"), Primitive::sum([2, 3]), &[squares])?;
            let matrix = [shape[0], shape[1]].map(Dim::Fixed).to_vec();
            let sums = a.push(&at("weight.energy"), Primitive::Reshape { shape: matrix }, &[sums])?;
            let styles = a.push(&at("style.squares"), Binary::Mul, &[self.style, self.style])?;
            let energy = a.push(&at("energy"), Primitive::mat_mul(false, !is_up), &[styles, sums])?;
            let safe = a.unary(&at("energy.safe"), Unary::AddScalar { term: EPSILON }, energy)?;
            let root = a.unary(&at("energy.root"), Unary::Sqrt, safe)?;
            let inverse = a.unary(&at("energy.inverse"), Unary::Recip, root)?;
            let per_map = a.push(&at("demodulation"), Op::Reshape { shape: vec![out, 1, 1] }, &[inverse])?;
            y = a.push(&last("demodulated", !is_up), Binary::Mul, &[y, per_map])?;
        }
        match self.up {
            Some((filter, gain)) => filtered(a, self.name, filter, gain, y, 1, [1, 1]),
            None => Ok(y),
        }
    }
}

/// Weights `[out, in, cells]` as `[in, out, cells]`: a transposed convolution has them by the channels that it reads.
fn turned(values: &[f32], [out, into, cells]: [usize; 3]) -> Vec<f32> {
    let place = |i: usize| {
        let (channel, rest) = (i / (out * cells), i % (out * cells));
        (rest / cells * into + channel) * cells + rest % cells
    };
    (0..values.len()).map(|i| values[place(i)]).collect()
}

/// Maps enlarged and smoothed by a filter, which must be one of rows times one of columns.
fn filtered(
    a: &mut Assembly,
    name: &str,
    key: &str,
    gain: f64,
    x: NodeId,
    up: usize,
    padding: [isize; 2],
) -> Result<NodeId> {
    let &[rows, columns] = a.shape(key)? else {
        return Err(a.wrong(format!("has a filter {key:?} that is no matrix")));
    };
    let kernel: Vec<f64> = a.values(key)?.into_iter().map(|value| gain * f64::from(value)).collect();
    let total: f64 = kernel.iter().sum();
    let root = total.abs().sqrt();
    let row = |r: usize| (0..columns).map(|c| kernel[r * columns + c]).sum::<f64>() / root;
    let column = |c: usize| (0..rows).map(|r| kernel[r * columns + c]).sum::<f64>() / root;
    let [of_rows, of_columns]: [Vec<f64>; 2] = [(0..rows).map(row).collect(), (0..columns).map(column).collect()];
    let far = |i: usize| (kernel[i] - of_rows[i / columns] * of_columns[i % columns]).abs();
    if total <= 0.0 || !total.is_finite() || (0..kernel.len()).any(|i| far(i) > 1e-6 * total) {
        return Err(a.wrong(format!("has a filter {key:?} that is not one of rows times one of columns")));
    }
    // What is convolved meets the entries in the other order.
    let map = |taps: Vec<f64>| AxisMap::Filter { taps: taps.into_iter().rev().collect(), up, down: 1, padding };
    let wide = a.push(&format!("{name}.smooth"), Primitive::Along { axis: 3, map: map(of_columns) }, &[x])?;
    a.push(name, Primitive::Along { axis: 2, map: map(of_rows) }, &[wide])
}
