//! ONNX models as networks, at run time: a [`net::Network`] whose nodes have the names of the model's tensors, so that every tensor
//! can be read, edited and differentiated.
//!
//! - [`import`] reads a file: protobuf without holding it, each weight once (`wire`, `model`, `data`);
//! - what follows from shapes and constants is computed then (`array`, `fold`);
//! - each operator is written in the primitives and layers of [`net`] by one function of a table (`ops`), from which
//!   `docs/onnx.md` has its list ([`operators`]).

mod array;
mod call;
mod data;
mod error;
mod fold;
mod import;
mod model;
mod names;
mod ops;
mod wire;
mod writer;

pub use error::{Error, Result};
pub use import::{Imported, Options, import, import_bytes};
pub use ops::{Operator, operators};
