//! What each primitive means, as plainly as it can be said, in both precisions.
//!
//! Slow is fine here: [`mod@crate::host`] and other devices are fast, and are tested against this. Element-wise functions are those
//! of `kernels`, in the precision of the numbers. Whatever adds (sums, products, convolutions, maps along an axis) adds in
//! `f64`, in the order of the inputs' elements, and rounds once.
//!
//! Shapes are the caller's promise: they come from [`Primitive::shape`]. What remains to be wrong are the numbers of
//! entries in [`Primitive::Gather`], and shapes larger than a memory.

mod along;
mod convolution;
mod elementwise;
mod float;
mod gather;
mod layout;
mod product;
mod reduce;
#[cfg(test)]
mod tests;
mod view;
mod window;

pub use float::Float;
pub(crate) use gather::entries;
pub(crate) use view::{View, elements, known};
pub(crate) use window::taps;

use crate::{Dim, Mismatch, Primitive, mismatch};

/// An input: numbers, or numbers of entries.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a, T> {
    /// Numbers in row-major order.
    Numbers {
        /// As many as the shape has elements.
        values: &'a [T],
        /// The length of each axis.
        shape: &'a [usize],
    },
    /// Numbers of entries in row-major order.
    Indices {
        /// As many as the shape has elements.
        values: &'a [i64],
        /// The length of each axis.
        shape: &'a [usize],
    },
}

impl<'a, T> Value<'a, T> {
    /// Numbers.
    pub fn numbers(values: &'a [T], shape: &'a [usize]) -> Self {
        Self::Numbers { values, shape }
    }

    /// Numbers of entries.
    pub fn indices(values: &'a [i64], shape: &'a [usize]) -> Self {
        Self::Indices { values, shape }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &'a [usize] {
        match self {
            Self::Numbers { shape, .. } | Self::Indices { shape, .. } => shape,
        }
    }
}

/// Numbers with their shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) shape: &'a [usize],
}

/// Input number `place`, which must be numbers.
pub(crate) fn array<'a, T>(inputs: &[Value<'a, T>], place: usize) -> Result<Array<'a, T>, Mismatch> {
    match inputs.get(place) {
        Some(&Value::Numbers { values, shape }) => Ok(Array { values, shape }),
        Some(Value::Indices { .. }) => Err(mismatch(format!("numbers as input {place}"), "numbers of entries")),
        None => Err(mismatch(format!("an input {place}"), format!("{} inputs", inputs.len()))),
    }
}

/// Input number `place`, which must be numbers of entries.
pub(crate) fn indices<'a, T>(inputs: &[Value<'a, T>], place: usize) -> Result<&'a [i64], Mismatch> {
    match inputs.get(place) {
        Some(&Value::Indices { values, .. }) => Ok(values),
        Some(Value::Numbers { .. }) => Err(mismatch(format!("numbers of entries as input {place}"), "numbers")),
        None => Err(mismatch(format!("an input {place}"), format!("{} inputs", inputs.len()))),
    }
}

/// The result of a primitive, whose shape is `shape`: that of [`Primitive::shape`] for the batch at hand. The count of a
/// [`Primitive::DivideByCount`] must not depend on the batch any more.
///
/// # Errors
/// An entry's number lies outside of its axis, an input is of the wrong kind, or the result would not fit into any memory.
pub fn compute<T: Float>(primitive: &Primitive, inputs: &[Value<T>], shape: &[usize]) -> Result<Vec<T>, Mismatch> {
    let length = elements(shape)?;
    let x = |place| array(inputs, place);
    Ok(match primitive {
        Primitive::Unary(function) => elementwise::unary(*function, x(0)?),
        Primitive::Binary(function) => elementwise::binary(*function, x(0)?, x(1)?, shape),
        Primitive::Select => elementwise::select(x(0)?, x(1)?, x(2)?, shape),
        Primitive::Fill { value, .. } => vec![T::of(*value); length],
        Primitive::Reduce { reduction, .. } => reduce::reduce(*reduction, x(0)?, shape),
        Primitive::CentredSquares { .. } => reduce::centred_squares(x(0)?, x(1)?, shape),
        Primitive::DivideByCount { count, minus } => reduce::divided(x(0)?, divisor(*count, *minus)?),
        Primitive::Broadcast { .. } => layout::broadcast(x(0)?, shape),
        Primitive::Permute { axes } => layout::permute(x(0)?, axes),
        Primitive::Reshape { .. } | Primitive::StopGradient => x(0)?.values.to_vec(),
        Primitive::Slice { axis, start, step, .. } => layout::slice(x(0)?, *axis, *start, *step, shape),
        Primitive::Embed { axis, start, step, value, .. } => {
            layout::embed(x(0)?, *axis, *start, *step, T::of(*value), shape)
        }
        Primitive::Concat { axis } => {
            let parts: Result<Vec<_>, _> = (0..inputs.len()).map(x).collect();
            layout::concat(&parts?, *axis, shape)
        }
        Primitive::Gather { axis } => gather::gather(x(0)?, indices(inputs, 1)?, *axis)?,
        Primitive::GatherAdjoint { axis, .. } => gather::adjoint(x(0)?, indices(inputs, 1)?, *axis, shape)?,
        Primitive::MatMul { transpose_a, transpose_b } => {
            product::matmul(x(0)?, x(1)?, [*transpose_a, *transpose_b], shape)
        }
        Primitive::Conv2d { conv } => {
            let bias = if inputs.len() > 2 { Some(x(2)?.values) } else { None };
            convolution::forward(conv, x(0)?, x(1)?, bias, shape)
        }
        Primitive::ConvTranspose2d { conv, .. } => {
            let bias = if inputs.len() > 2 { Some(x(2)?.values) } else { None };
            convolution::transpose(conv, x(0)?, x(1)?, bias, shape)
        }
        Primitive::ConvWeight { conv, .. } => convolution::weight(conv, x(0)?, x(1)?, shape),
        Primitive::WindowMax { window } => window::max(window, x(0)?, x(1)?, shape),
        Primitive::WindowMaxAdjoint { window } => window::adjoint(window, x(0)?, x(1)?),
        Primitive::Along { axis, map } => along::forward(x(0)?, *axis, map, shape),
        Primitive::AlongAdjoint { axis, map, .. } => along::adjoint(x(0)?, *axis, map, shape),
    })
}

/// What [`Primitive::DivideByCount`] divides by.
pub(crate) fn divisor(count: Dim, minus: usize) -> Result<usize, Mismatch> {
    match count {
        Dim::Fixed(count) => Ok(count.saturating_sub(minus).max(1)),
        Dim::Batch(_) => Err(mismatch("a count for the batch at hand", count.to_string())),
    }
}
