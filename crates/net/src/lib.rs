//! Every network is a [`Network`]: a graph of named nodes (plain data) and the tensors of its parameters.
//!
//! Generator, discriminator and every other network share one description, one executor and one file form:
//! - [`Graph`] is the description: nodes with an [`Op`], named inputs and results, shapes that can be inferred before anything
//!   runs; a [`Builder`] makes one layer by layer;
//! - [`Program`] is a description made ready to run: its layers (batch norm, spectral norm, ...) written out in
//!   [`tensor::Primitive`]s, for training (batch statistics, with the updates of the running ones) or for inference; checked
//!   once, planned once, run from any number of threads;
//! - [`Program::differentiate`] appends the gradient of a node. The primitives are closed under it, so it can be applied to
//!   its own result: gradient penalties are exact;
//! - [`Run`] executes any part of a program: feed some nodes, fetch others. What has been computed is reused, what is not
//!   needed any more is freed. Feeding an inner node cuts the network there; an [`Edit`] changes a node on its way;
//! - [`zoo`] builds the papers' networks, [`Network::save`] and [`Network::load`] keep them in one `.safetensors` file.
//!
//! ```
//! use ganatomy_net::{Builder, Conv, Device, Edit, Init, Network, Norm, Unary};
//!
//! // A generator of grey pictures of 8x8 pixels from latents of 6 numbers.
//! let mut b = Builder::new(Init::glorot);
//! let z = b.input("z", &[6]);
//! let wide = b.linear("1.linear", z, 6, 4 * 4 * 4, Norm::None);
//! let maps = b.reshape("1.maps", wide, &[4, 4, 4]);
//! let maps = b.relu("1", maps);
//! let large = b.upsample("2.up", maps);
//! let image = b.conv("image", large, [4, 1], 3, Conv::new(1, 1), Norm::None);
//! b.push("x", Unary::Tanh, &[image]);
//! let network = Network::initial(b.finish(), 7, "weights", &Device::cpu());
//!
//! // Its images of two seeds, and the same images without unit 2 of layer 1.
//! let z = network.latents(&[0, 1], &Device::cpu());
//! let images = network.forward(&z, &[])?;
//! let without = network.forward(&z, &[Edit::ablate("1", vec![2])])?;
//! assert_eq!(images.shape(), [2, 1, 8, 8]);
//! assert_ne!(images.to_vec(), without.to_vec());
//!
//! // Cut at that layer, it is two networks that make the same images.
//! let inner = network.until("1")?.forward(&z, &[])?;
//! assert_eq!(network.from("1")?.forward(&inner, &[])?.to_vec(), images.to_vec());
//! # Ok::<(), ganatomy_net::Error>(())
//! ```

mod beside;
mod builder;
mod dims;
mod edit;
mod edited;
mod error;
mod feed;
mod file;
mod finite;
mod graph;
mod init;
mod inspect;
mod latent;
mod network;
mod op;
mod program;
mod prune;
pub mod zoo;

pub use beside::{class_notes, one_hot};
pub use builder::{Builder, Norm};
pub use edit::Edit;
pub use error::{Error, Result};
pub use feed::{Feed, Shift};
pub use file::{METADATA_KEY, Storage, tensors_from_bytes, tensors_to_bytes};
pub use finite::check_finite;
pub use graph::{Graph, Node, NodeId};
pub use init::Init;
pub use inspect::{NodeReport, Report};
pub use latent::Law;
pub use network::{Network, Params};
pub use op::{Op, Role};
pub use program::{Derivative, Input, Mode, Program, Ready, Run, Trainee};
pub use prune::{Pruned, Removal};
pub use tensor::{
    AxisMap, Binary, Conv, Coordinates, Device, DeviceChoice, Dim, Driver, Interpolation, Precision, Primitive, Tensor,
    Unary, Window,
};
