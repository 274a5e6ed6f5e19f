//! Modulated convolutions.
//!
//! One scales its weights by the style of each image and brings the squares of their products to sum 1. The same is: to scale the maps that
//! it reads, to convolve all images with the same weights, and to divide what comes out.

use super::{EPSILON, filtered, per_map};
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Conv, Dim, NodeId, Op, Primitive, Unary};

/// A modulated convolution: where its tensors are, and what it does.
pub(super) struct Modulated<'n> {
    /// Its node, and the beginning of the names of its parts.
    pub(super) name: &'n str,
    /// Its weights, `[out, in, k, k]` or with a dimension of 1 before.
    pub(super) weight: &'n str,
    /// By what its weights are multiplied.
    pub(super) factor: f64,
    /// The scale of each map that it reads, one for each image.
    pub(super) style: NodeId,
    /// Whether squares are brought to sum 1.
    pub(super) divides: bool,
    pub(super) form: Form<'n>,
}

/// What is particular of a kind of modulated convolution.
pub(super) enum Form<'n> {
    /// Maps keep their size.
    Same,
    /// Maps are doubled: the filter that smoothes them then, and by what that is multiplied.
    Up(&'n str, f64),
    /// Of `StyleGAN3`: maps grow by what the kernel reaches over their edges. Where it divides, weights and styles have mean squares of 1
    /// before; what it reads is multiplied by a number of its own, which the division does not see.
    Wide(NodeId),
}

impl Modulated<'_> {
    pub(super) fn build(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let at = |part: &str| format!("{}.{part}", self.name);
        let (out, into, k) = match *a.shape(self.weight)? {
            [1, out, into, h, w] | [out, into, h, w] if h == w && h > 0 => (out, into, h),
            ref other => return Err(a.wrong(format!("has a kernel {:?} of the shape {other:?}", self.weight))),
        };
        let is_up = matches!(self.form, Form::Up(..));
        let values = a.values(self.weight)?;
        let (shape, values) =
            if is_up { ([into, out, k, k], turned(&values, [out, into, k * k])) } else { ([out, into, k, k], values) };
        let mut weight = a.tensor(self.weight, &shape, values, true)?;
        if self.factor != 1.0 {
            weight = a.unary(&at("weight.scaled"), Unary::Scale { factor: self.factor }, weight)?;
        }
        let mut style = self.style;
        let mut read_by = style;
        if let Form::Wide(gain) = self.form {
            if self.divides {
                weight = unit(a, &at("weight.unit"), weight, &[1, 2, 3], into * k * k)?;
                style = unit(a, &at("style.unit"), style, &[1], into)?;
            }
            read_by = a.push(&at("style.gained"), Binary::Mul, &[style, gain])?;
        }
        let read_by = per_map(a, &at("style"), read_by, into)?;
        let read = a.push(&at("styled"), Binary::Mul, &[x, read_by])?;
        let op = match self.form {
            Form::Same => Op::conv2d(Conv::new(1, k / 2)),
            Form::Up(..) => Op::ConvTranspose2d { conv: Conv::new(2, 0), output_padding: 0 },
            Form::Wide(_) => Op::conv2d(Conv::new(1, k - 1)),
        };
        let last = |part: &str, is_last: bool| if is_last { self.name.to_owned() } else { at(part) };
        let mut y = a.push(&last("product", !self.divides && !is_up), op, &[read, weight])?;
        if self.divides {
            let squares = a.push(&at("weight.squares"), Binary::Mul, &[weight, weight])?;
            let sums = a.push(&at("weight.sums"), Primitive::sum([2, 3]), &[squares])?;
            let matrix = [shape[0], shape[1]].map(Dim::Fixed).to_vec();
            let sums = a.push(&at("weight.energy"), Primitive::Reshape { shape: matrix }, &[sums])?;
            let styles = a.push(&at("style.squares"), Binary::Mul, &[style, style])?;
            let energy = a.push(&at("energy"), Primitive::mat_mul(false, !is_up), &[styles, sums])?;
            let safe = a.unary(&at("energy.safe"), Unary::AddScalar { term: EPSILON }, energy)?;
            let inverse = inverse_root(a, &at("energy"), safe)?;
            let divisor = per_map(a, &at("demodulation"), inverse, out)?;
            y = a.push(&last("demodulated", !is_up), Binary::Mul, &[y, divisor])?;
        }
        match self.form {
            Form::Up(filter, gain) => filtered(a, self.name, filter, gain, y, 1, [1, 1]),
            Form::Same | Form::Wide(_) => Ok(y),
        }
    }
}

/// `1 / sqrt(x)`.
pub(super) fn inverse_root(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let root = a.unary(&format!("{name}.root"), Unary::Sqrt, x)?;
    a.unary(&format!("{name}.inverse"), Unary::Recip, root)
}

/// Divided by the root of the mean square over some axes of `count` numbers together.
fn unit(a: &mut Assembly, name: &str, x: NodeId, axes: &[usize], count: usize) -> Result<NodeId> {
    let squares = a.push(&format!("{name}.squares"), Binary::Mul, &[x, x])?;
    let sum = a.push(&format!("{name}.sum"), Primitive::sum(axes.to_vec()), &[squares])?;
    let mean = a.unary(&format!("{name}.mean"), Unary::Scale { factor: 1.0 / count.max(1) as f64 }, sum)?;
    let inverse = inverse_root(a, &format!("{name}.mean"), mean)?;
    a.push(name, Binary::Mul, &[x, inverse])
}

/// Weights `[out, in, cells]` as `[in, out, cells]`: a transposed convolution has them by the channels that it reads.
fn turned(values: &[f32], [out, into, cells]: [usize; 3]) -> Vec<f32> {
    let place = |i: usize| {
        let (channel, rest) = (i / (out * cells), i % (out * cells));
        (rest / cells * into + channel) * cells + rest % cells
    };
    (0..values.len()).map(|i| values[place(i)]).collect()
}
