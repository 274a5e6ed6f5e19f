//! What networks are computed with: few operations, each wide.
//!
//! A [`Primitive`] has a shape rule ([`Primitive::shape`]), a plain implementation in both precisions
//! (`reference`), a fast one on the processor where it matters (`host`), and a gradient in primitives (in the crate `net`).

use crate::{AxisMap, Conv, Dim, Window};
use kernels::{Binary, Unary};
use serde::{Deserialize, Serialize};

/// One operation on tensors. Shapes follow from those of the inputs and the fields alone. In files the functions of the tables
/// [`Unary`] and [`Binary`] go by their own names, which these write and read themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Primitive {
    /// `[condition, a, b]`: a where the condition is not 0, b elsewhere, with broadcasting.
    Select,
    /// `[]`: every element the same.
    Fill {
        /// The shape.
        shape: Vec<Dim>,
        /// The value.
        value: f64,
    },
    /// `[x]`: over some axes, each kept with length 1. A maximum or minimum of NaN is NaN.
    Reduce {
        /// How.
        reduction: Reduction,
        /// Which axes, ascending.
        axes: Vec<usize>,
    },
    /// `[x, m]`, m of x's shape with length 1 on `axes` and the mean of x over them: the sum over the axes of `(x - m)^2`. It
    /// is least at the mean, so no gradient passes through m. Batch norm reads x once for it.
    CentredSquares {
        /// Which axes, ascending.
        axes: Vec<usize>,
    },
    /// `[x]`: divided by a number of elements: `x / max(count - minus, 1)`. A mean is a sum divided so.
    DivideByCount {
        /// The number; it may depend on the batch.
        count: Dim,
        /// 1 for the unbiased variance.
        #[serde(default, skip_serializing_if = "is_zero")]
        minus: usize,
    },
    /// `[x]` repeated to a shape, as a [`Primitive::Binary`] does it with its inputs.
    #[serde(rename = "broadcast_to")]
    Broadcast {
        /// The shape.
        shape: Vec<Dim>,
    },
    /// `[x]`: axis `i` of the result is axis `axes[i]` of x.
    Permute {
        /// The order.
        axes: Vec<usize>,
    },
    /// `[x]` in another shape.
    #[serde(rename = "reshape_to")]
    Reshape {
        /// The shape.
        shape: Vec<Dim>,
    },
    /// `[x]`: entries `start`, `start + step`, ... of an axis whose length does not depend on the batch.
    Slice {
        /// The axis.
        axis: usize,
        /// The first entry.
        start: usize,
        /// The distance between entries; negative: backwards.
        step: isize,
        /// How many.
        length: usize,
    },
    /// `[x]`: the adjoint of [`Primitive::Slice`]: x's entries at `start`, `start + step`, ... of an axis of `length`
    /// entries, `value` elsewhere. With a step of 1 it pads.
    Embed {
        /// The axis.
        axis: usize,
        /// Where x's first entry goes.
        start: usize,
        /// The distance between entries; negative: backwards.
        step: isize,
        /// Entries of the result.
        length: usize,
        /// What stands elsewhere.
        #[serde(default, skip_serializing_if = "is_nought")]
        value: f64,
    },
    /// `[x, ...]`: one after the other.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// `[x, indices]`: entries of an axis by their numbers: the axis is replaced by the indices' shape. Negative numbers count
    /// from the end.
    Gather {
        /// The axis.
        axis: usize,
    },
    /// `[g, indices]`: the adjoint of [`Primitive::Gather`]: each entry added to where it was taken from.
    GatherAdjoint {
        /// The axis.
        axis: usize,
        /// Entries of the axis.
        length: Dim,
        /// Axes of the indices.
        rank: usize,
    },
    /// `[a, b]`: products of the matrices of the last two axes, either transposed first; axes before are broadcast.
    MatMul {
        /// Whether a is transposed.
        transpose_a: bool,
        /// Whether b is transposed.
        transpose_b: bool,
    },
    /// `[x (n, c, h, w), weights (o, c / groups, kh, kw), bias (o)?]`: cross-correlation.
    Conv2d {
        /// How the kernel moves.
        conv: Conv,
    },
    /// `[x (n, c, h, w), weights (c, o / groups, kh, kw), bias (o)?]`: the adjoint of [`Primitive::Conv2d`] by its input, to
    /// maps of a size that the convolution would take to x's.
    #[serde(rename = "conv_transpose2d_to")]
    ConvTranspose2d {
        /// How the kernel moves.
        conv: Conv,
        /// Height and width of the result.
        size: [usize; 2],
    },
    /// `[x, g]`: the gradient of [`Primitive::Conv2d`] by its weights, for the gradient g of its result.
    ConvWeight {
        /// How the kernel moves.
        conv: Conv,
        /// Height and width of the kernel.
        kernel: [usize; 2],
    },
    /// `[v, x]`, both (n, c, h, w): v where x is greatest in each window (the first such place, row by row; NaN is greatest).
    /// Max pooling is `[x, x]`.
    WindowMax {
        /// The windows.
        window: Window,
    },
    /// `[g, x]`: the adjoint of [`Primitive::WindowMax`] in v: g added to where x is greatest in each window.
    WindowMaxAdjoint {
        /// The windows.
        window: Window,
    },
    /// `[x]`: a linear map along an axis whose length does not depend on the batch.
    Along {
        /// The axis.
        axis: usize,
        /// The map.
        map: AxisMap,
    },
    /// `[x]`: the adjoint of [`Primitive::Along`].
    AlongAdjoint {
        /// The axis.
        axis: usize,
        /// The map.
        map: AxisMap,
        /// Entries of the map's input, which are those of the result.
        length: usize,
    },
    /// `[x]`, which gradients do not pass.
    StopGradient,
    /// `[x]`: a function of each element.
    #[serde(skip)]
    Unary(Unary),
    /// `[a, b]`: a function of two elements, with `NumPy`'s broadcasting: shapes are aligned at their last axes, lengths
    /// of 1 are repeated.
    #[serde(skip)]
    Binary(Binary),
}

/// How a [`Primitive::Reduce`] makes one number of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The sum.
    Sum,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

impl From<Unary> for Primitive {
    fn from(function: Unary) -> Self {
        Self::Unary(function)
    }
}

impl From<Binary> for Primitive {
    fn from(function: Binary) -> Self {
        Self::Binary(function)
    }
}

impl Primitive {
    /// The names of all primitives but the tables [`Unary`] and [`Binary`], which have names of their own.
    pub const NAMES: &[&str] = &[
        "select",
        "fill",
        "reduce",
        "centred_squares",
        "divide_by_count",
        "broadcast_to",
        "permute",
        "reshape_to",
        "slice",
        "embed",
        "concat",
        "gather",
        "gather_adjoint",
        "mat_mul",
        "conv2d",
        "conv_transpose2d_to",
        "conv_weight",
        "window_max",
        "window_max_adjoint",
        "along",
        "along_adjoint",
        "stop_gradient",
    ];

    /// A sum over axes.
    pub fn sum(axes: impl Into<Vec<usize>>) -> Self {
        Self::Reduce { reduction: Reduction::Sum, axes: axes.into() }
    }

    /// A matrix product.
    pub fn mat_mul(transpose_a: bool, transpose_b: bool) -> Self {
        Self::MatMul { transpose_a, transpose_b }
    }

    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unary(function) => function.name(),
            Self::Binary(function) => function.name(),
            Self::Select => "select",
            Self::Fill { .. } => "fill",
            Self::Reduce { .. } => "reduce",
            Self::CentredSquares { .. } => "centred_squares",
            Self::DivideByCount { .. } => "divide_by_count",
            Self::Broadcast { .. } => "broadcast_to",
            Self::Permute { .. } => "permute",
            Self::Reshape { .. } => "reshape_to",
            Self::Slice { .. } => "slice",
            Self::Embed { .. } => "embed",
            Self::Concat { .. } => "concat",
            Self::Gather { .. } => "gather",
            Self::GatherAdjoint { .. } => "gather_adjoint",
            Self::MatMul { .. } => "mat_mul",
            Self::Conv2d { .. } => "conv2d",
            Self::ConvTranspose2d { .. } => "conv_transpose2d_to",
            Self::ConvWeight { .. } => "conv_weight",
            Self::WindowMax { .. } => "window_max",
            Self::WindowMaxAdjoint { .. } => "window_max_adjoint",
            Self::Along { .. } => "along",
            Self::AlongAdjoint { .. } => "along_adjoint",
            Self::StopGradient => "stop_gradient",
        }
    }

    /// Whether each element of the result is a function of one element of each input.
    pub fn is_elementwise(&self) -> bool {
        matches!(self, Self::Unary(_) | Self::Binary(_) | Self::Select)
    }

    /// Multiplications with addition for given shapes; only products and convolutions count.
    pub fn macs(&self, inputs: &[&[usize]], output: &[usize]) -> u64 {
        let elements =
            |shape: &[usize]| shape.iter().fold(1, |count: u64, &length| count.saturating_mul(length as u64));
        match self {
            // Every element of the result takes one product for each tap.
            Self::Conv2d { .. } => elements(output).saturating_mul(elements(&inputs[1][1..])),
            // Every element of the input is spread over the taps.
            Self::ConvTranspose2d { .. } => elements(inputs[0]).saturating_mul(elements(&inputs[1][1..])),
            // Every element of g meets every tap.
            Self::ConvWeight { .. } => elements(inputs[1]).saturating_mul(elements(&output[1..])),
            Self::MatMul { transpose_a, .. } => {
                let [.., rows, columns] = *inputs[0] else { return 0 };
                elements(output).saturating_mul(if *transpose_a { rows } else { columns } as u64)
            }
            _ => 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_nought(value: &f64) -> bool {
    *value == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_are_written_by_name_and_read_again() {
        let all = [
            (Primitive::sum([1, 2]), r#"{"op":"reduce","reduction":"sum","axes":[1,2]}"#),
            (Primitive::Reshape { shape: vec![Dim::N, Dim::Fixed(3)] }, r#"{"op":"reshape_to","shape":["n",3]}"#),
            (Primitive::Conv2d { conv: Conv::new(2, 1) }, r#"{"op":"conv2d","conv":{"stride":2,"padding":1}}"#),
            (
                Primitive::Along { axis: 2, map: AxisMap::Repeat { factor: 2 } },
                r#"{"op":"along","axis":2,"map":{"map":"repeat","factor":2}}"#,
            ),
        ];
        for (primitive, json) in all {
            assert_eq!(serde_json::to_string(&primitive).unwrap(), json);
            assert_eq!(serde_json::from_str::<Primitive>(json).unwrap(), primitive);
        }
        assert!(serde_json::from_str::<Primitive>(r#"{"op":"explode"}"#).is_err());
    }
}
