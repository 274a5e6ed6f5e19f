//! Tensors, the primitives that networks are computed with, and the devices that compute them.
//!
//! - A [`Tensor`] is an immutable array with a shape: numbers in the processor's memory, shared by its clones, or whatever a
//!   [`Device`] keeps.
//! - A [`Primitive`] is one of few, wide operations, with a shape rule over [`Dim`]s, in which the batch is not known yet.
//! - [`mod@reference`] computes each primitive plainly, in both precisions: that is what a primitive means. [`mod@host`] does the
//!   same fast where it matters, with the loops of `kernels`.
//! - A [`Backend`] is another device: it keeps tensors in its memory and computes the primitives that it knows.

mod axis_map;
mod backend;
#[cfg(test)]
mod cases;
mod conv;
mod device;
mod dim;
pub mod host;
mod primitive;
pub mod reference;
mod shape;
#[cfg(any(test, feature = "test-device"))]
mod stand_in;
mod tensor;

pub use axis_map::{AxisMap, Coordinates, Interpolation, PadMode, Rounding, Rows};
pub use backend::{Backend, Handle, Operand};
pub use conv::{Conv, Window};
pub use device::{Candidate, Device, DeviceChoice, Driver};
pub use dim::{Dim, shown};
pub use kernels::{Binary, Precision, Unary};
pub use primitive::{Primitive, Reduction};
pub use shape::{Mismatch, broadcast, count, maps, mismatch};
pub use tensor::Tensor;
