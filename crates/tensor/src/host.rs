//! The primitives on the processor, fast where it matters: `f32`, with the loops of `kernels`.
//!
//! The results are those of [`mod@crate::reference`] within rounding, which is tested. They are the same bits for every number of
//! threads, and where the batch is an axis of its own for an image alone and in any batch: work and sums are split by shape. What
//! has no fast way here goes to the reference.

mod along;
mod convolution;
mod elementwise;
mod layout;
mod product;
mod reduce;
#[cfg(test)]
mod tests;
mod window;

use crate::reference::{self, Value, array, divisor, elements, entries, indices};
use crate::{Mismatch, Primitive};
use kernels::Precision;
use rayon::prelude::*;

/// Elements below which threads cost more than they bring.
const PARALLEL: usize = 1 << 14;

/// The result of a primitive, whose shape is `shape`: that of [`Primitive::shape`] for the batch at hand. The count of a
/// [`Primitive::DivideByCount`] must not depend on the batch any more.
///
/// # Errors
/// As those of [`reference::compute`].
pub fn compute(
    primitive: &Primitive,
    inputs: &[Value<f32>],
    shape: &[usize],
    precision: Precision,
) -> Result<Vec<f32>, Mismatch> {
    let length = elements(shape)?;
    let x = |place| array(inputs, place);
    let bias = || if inputs.len() > 2 { x(2).map(|bias| Some(bias.values)) } else { Ok(None) };
    if length == 0 && !matches!(primitive, Primitive::Gather { .. } | Primitive::GatherAdjoint { .. }) {
        return Ok(Vec::new());
    }
    Ok(match primitive {
        Primitive::Unary(function) => elementwise::unary(*function, x(0)?, shape),
        Primitive::Binary(function) => elementwise::binary(*function, x(0)?, x(1)?, shape),
        Primitive::Select => elementwise::select([x(0)?, x(1)?, x(2)?], shape),
        Primitive::Reduce { reduction, axes } => reduce::reduce(*reduction, x(0)?, axes, shape),
        Primitive::CentredSquares { axes } => match reduce::centred_squares(x(0)?, x(1)?, axes) {
            Some(squares) => squares,
            None => reference::compute(primitive, inputs, shape)?,
        },
        Primitive::DivideByCount { count, minus } => {
            let factor = (1.0 / divisor(*count, *minus)? as f64) as f32;
            kernels::map(x(0)?.values, |x| x * factor)
        }
        Primitive::Broadcast { .. } => layout::broadcast(x(0)?, shape),
        Primitive::Permute { axes } => layout::permute(x(0)?, axes),
        Primitive::Slice { axis, start, step, .. } => layout::slice(x(0)?, *axis, *start, *step, shape),
        Primitive::Embed { axis, start, step, value, .. } => {
            layout::embed(x(0)?, *axis, *start, *step, *value as f32, shape)
        }
        Primitive::Concat { axis } => {
            let parts: Result<Vec<_>, _> = (0..inputs.len()).map(x).collect();
            layout::concat(&parts?, *axis, shape)
        }
        Primitive::Gather { axis } => {
            let x = x(0)?;
            layout::gather(x, *axis, &entries(indices(inputs, 1)?, x.shape[*axis])?, length)
        }
        Primitive::MatMul { transpose_a, transpose_b } => {
            product::matmul(x(0)?, x(1)?, [*transpose_a, *transpose_b], shape)
        }
        Primitive::Conv2d { conv } if convolution::usual(conv, inputs) => {
            convolution::forward(conv, x(0)?, x(1)?, bias()?, shape, precision)
        }
        Primitive::ConvTranspose2d { conv, .. } if convolution::usual(conv, inputs) => {
            convolution::transpose(conv, x(0)?, x(1)?, bias()?, shape, precision)
        }
        Primitive::ConvWeight { conv, .. } if convolution::usual(conv, inputs) => {
            convolution::weight(conv, x(0)?, x(1)?, shape, precision)
        }
        Primitive::WindowMax { window } => window::max(window, x(0)?, x(1)?, shape),
        Primitive::WindowMaxAdjoint { window } => window::adjoint(window, x(0)?, x(1)?),
        Primitive::Along { axis, map } => along::forward(x(0)?, *axis, map, shape),
        Primitive::AlongAdjoint { axis, map, .. } => along::adjoint(x(0)?, *axis, map, shape),
        _ => reference::compute(primitive, inputs, shape)?,
    })
}

/// Calls `write(number, block)` for all blocks of a length, in threads where there is enough to write.
fn blocks(out: &mut [f32], length: usize, write: impl Fn(usize, &mut [f32]) + Sync) {
    blocks_of_many(out, length, 1, write);
}

/// As [`blocks`], where each number of a block is made of `many`.
fn blocks_of_many(out: &mut [f32], length: usize, many: usize, write: impl Fn(usize, &mut [f32]) + Sync) {
    if out.len().saturating_mul(many) <= PARALLEL {
        return out.chunks_mut(length.max(1)).enumerate().for_each(|(number, block)| write(number, block));
    }
    let together = (PARALLEL / length.saturating_mul(many)).max(1);
    let blocks = out.par_chunks_mut(length).enumerate().with_min_len(together);
    blocks.for_each(|(number, block)| write(number, block));
}

/// Elements before an axis, and behind it.
fn around(shape: &[usize], axis: usize) -> (usize, usize) {
    (shape[..axis].iter().product(), shape[axis + 1..].iter().product())
}
