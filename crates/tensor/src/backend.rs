//! What a device other than the processor implements.

use crate::Primitive;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A tensor in a device's memory. Only the device knows what it is.
pub type Handle = Arc<dyn Any + Send + Sync>;

/// An input of a primitive.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    /// Numbers in the device's memory.
    Numbers {
        /// The tensor.
        handle: &'a Handle,
        /// Its shape.
        shape: &'a [usize],
    },
    /// Indices in the processor's memory.
    Indices {
        /// The indices, row by row.
        values: &'a [i64],
        /// Their shape.
        shape: &'a [usize],
    },
}

/// A device that keeps `f32` tensors in its own memory and computes primitives with them.
pub trait Backend: Send + Sync + fmt::Debug {
    /// What people call it.
    fn name(&self) -> String;

    /// Copies numbers, row by row, into the device's memory.
    fn upload(&self, shape: &[usize], values: Vec<f32>) -> Handle;

    /// Copies the numbers of a tensor back.
    ///
    /// # Panics
    /// The handle is of another device, or the device has been lost.
    fn download(&self, handle: &Handle) -> Vec<f32>;

    /// The result of a primitive, of a shape that [`Primitive::shape`] has checked; `None` where the device leaves it to the
    /// processor.
    fn compute(&self, primitive: &Primitive, inputs: &[Operand<'_>], shape: &[usize]) -> Option<Handle>;
}
