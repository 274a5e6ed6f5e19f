//! The networks of the papers, as graphs with the published initial laws.
//!
//! Names of nodes are short and say where they are: `g.2` is the third block of a generator, `g.2.conv` its convolution,
//! `g.2.conv.weight` the parameter. The node after the activation carries the block's bare name: that is the one to
//! dissect.

mod by_class;
mod dcgan;
mod doublings;
mod mlp;
mod progan;
mod residual;
mod unet;

pub use crate::Norm;
pub use by_class::{discriminator_by_class, generator_by_class};
pub use dcgan::{DcganDiscriminator, DcganGenerator, GeneratorStart, dcgan_discriminator, dcgan_generator};
pub use doublings::Doublings;
pub use mlp::{mlp_discriminator, mlp_generator};
pub use progan::{progan_discriminator, progan_generator};
pub use residual::{residual_discriminator, residual_generator};
pub use unet::{Unet, unet};

#[cfg(test)]
mod tests;
