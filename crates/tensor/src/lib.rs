//! Tensors, the primitives that networks are computed with, and the devices that compute them.
//!
//! - A [`Tensor`] is an immutable array with a shape: numbers in the processor's memory, shared by its clones, or whatever a
//!   [`Device`] keeps.
//! - A [`Primitive`] is one of few, wide operations, with a shape rule over [`Dim`]s, in which the batch is not known yet.
//! - [`mod@reference`] computes each primitive plainly, in both precisions: that is what a primitive means. [`mod@host`] does the
//!   same fast where it matters, with the loops of `kernels`.
//! - A [`Backend`] is another device: it keeps tensors in its memory and computes the primitives that it knows.
//!
//! ```
//! use ganatomy_tensor::{Device, Dim, Precision, Primitive, Tensor};
//!
//! // The shape of a product is known before the batch is: rows of 3 numbers by a 3x2 matrix.
//! let product = Primitive::mat_mul(false, false);
//! let rule = product.shape(&[&[Dim::N, Dim::Fixed(3)], &[Dim::Fixed(3), Dim::Fixed(2)]]).unwrap();
//! assert_eq!(rule, [Dim::N, Dim::Fixed(2)]);
//!
//! let rows = Tensor::new(&[2, 3], vec![1., 0., 0., 0., 1., 1.], &Device::cpu());
//! let matrix = Tensor::new(&[3, 2], vec![1., 2., 3., 4., 5., 6.], &Device::cpu());
//! let result = Tensor::compute(&product, &[&rows, &matrix], &[2, 2], Precision::F32).unwrap();
//! assert_eq!(result.to_vec(), [1., 2., 8., 10.]);
//! ```

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
