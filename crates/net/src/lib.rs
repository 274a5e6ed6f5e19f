//! Every network is a [`Network`]: a graph of named nodes (plain data) and the tensors of its parameters.
//!
//! Generator, discriminator and every other network share one description, one executor and one file form:
//! - [`Graph`] is the description: nodes with an [`Op`], named inputs and results, shapes that can be inferred before anything
//!   runs;
//! - [`Program`] is a description made ready to run: its layers (batch norm, spectral norm, ...) written out in
//!   [`tensor::Primitive`]s, for training (batch statistics, with the updates of the running ones) or for inference; checked
//!   once, planned once, run from any number of threads;
//! - [`Program::differentiate`] appends the gradient of a node. The primitives are closed under it, so it can be applied to
//!   its own result: gradient penalties are exact;
//! - [`Run`] executes any part of a program: feed some nodes, fetch others. What has been computed is reused, what is not
//!   needed any more is freed. Feeding an inner node cuts the network there; an [`Edit`] changes a node on its way;
//! - [`zoo`] builds the papers' networks, [`Network::save`] and [`Network::load`] keep them in one `.safetensors` file.

mod dims;
mod edit;
mod error;
mod file;
mod graph;
mod init;
mod inspect;
mod latent;
mod network;
mod op;
mod program;
mod prune;
pub mod zoo;

pub use edit::Edit;
pub use error::{Error, Result};
pub use file::{METADATA_KEY, Storage, tensors_from_bytes, tensors_to_bytes};
pub use graph::{Graph, Node, NodeId};
pub use init::Init;
pub use inspect::{NodeReport, Report};
pub use latent::Law;
pub use network::{Network, Params};
pub use op::{Op, Role};
pub use program::{Derivative, Input, Mode, Program, Ready, Run, Trainee};
pub use prune::{Pruned, Removal};
pub use tensor::{
    AxisMap, Binary, Conv, Device, DeviceChoice, Dim, Driver, Precision, Primitive, Tensor, Unary, Window,
};
