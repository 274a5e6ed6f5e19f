//! Every network is a [`Network`]: a graph of named nodes (plain data) and the tensors of its parameters.
//!
//! Generator, discriminator and every other network share one description, one executor and one file form:
//! - [`Graph`] is the description: nodes with an [`Op`], named inputs, shapes that can be inferred before anything runs;
//! - [`Graph::lower`] writes the layers of the description (batch norm, spectral norm, ...) out in primitives, for
//!   training (batch statistics, with the updates of the running ones) or for inference;
//! - [`Graph::differentiate`] appends the gradient of a node to the graph. The primitives are closed under it, so it can be
//!   applied to its own result: gradient penalties are exact;
//! - [`Run`] executes any part of a graph: feed some nodes, fetch others. What has been computed is reused, what is not
//!   needed any more is freed. Feeding an inner node cuts the network there; an [`Edit`] changes a node on its way;
//! - [`zoo`] builds the papers' networks, [`Network::save`] and [`Network::load`] keep them in one `.safetensors` file.
//!
//! Burn appears only in the module behind [`Tensor`].

mod edit;
mod error;
mod file;
mod gradient;
mod graph;
mod init;
mod inspect;
mod latent;
mod lower;
mod network;
mod op;
mod prune;
mod run;
mod shape;
mod tensor;
pub mod zoo;

pub use edit::Edit;
pub use error::{Error, Result};
pub use file::{METADATA_KEY, Storage, tensors_from_bytes, tensors_to_bytes};
pub use gradient::Derivative;
pub use graph::{Graph, Node, NodeId};
pub use init::Init;
pub use inspect::{NodeReport, Report};
pub use kernels::Precision;
pub use latent::Law;
pub use lower::{Lowered, Mode};
pub use network::{Network, Params};
pub use op::Op;
pub use prune::{Pruned, Removal};
pub use run::Run;
pub use tensor::{Conv, Device, DeviceChoice, Tensor};
