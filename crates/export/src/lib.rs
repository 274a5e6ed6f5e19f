//! Networks for other frameworks.
//!
//! - [`onnx()`] writes an ONNX model of opset 17;
//! - [`pytorch()`] writes a folder: a state dict in `.safetensors`, the description as JSON, and a Python module that makes a `torch.nn.Module` of
//!   both.
//!
//! Both write what a network does with its stored statistics. What depends on parameters alone is computed first ([`portable()`]): spectral
//! norms, equalised learning rates. Edits become part of a network by [`net::Network::edited`].
//!
//! ```
//! use net::zoo::{self, DcganGenerator, GeneratorStart};
//! use net::{Device, Network, Norm};
//!
//! # use ganatomy_export as export;
//! let graph = zoo::dcgan_generator(DcganGenerator {
//!     size: [16, 16],
//!     channels: 3,
//!     latent: 8,
//!     width: 4,
//!     norm: Norm::Batch,
//!     start: GeneratorStart::Linear,
//!     extra: false,
//! });
//! let network = Network::initial(graph, 1, "example", &Device::cpu());
//! let bytes = export::onnx(&network)?;
//! assert!(bytes.len() > 4 * network.params.elements());
//! # Ok::<(), net::Error>(())
//! ```

mod onnx;
mod portable;
mod pytorch;

pub use onnx::{OPSET, onnx};
pub use portable::portable;
pub use pytorch::{LOADER, PyTorch, pytorch};
