//! The toy networks of the Theano release: three hidden layers, for points in the plane.

use crate::{Builder, Graph, Init, Norm};

/// `latent - width - width - width - 2`, ReLU, linear output (527,874 parameters for latent 2 and width 512).
/// Weights as Lasagne draws them: Glorot's uniform law.
pub fn mlp_generator(latent: usize, width: usize) -> Graph {
    let mut b = Builder::new(Init::glorot);
    let mut x = b.input("z", &[latent]);
    let mut channels = latent;
    for layer in 0..3 {
        let linear = b.linear(&format!("{layer}"), x, channels, width, Norm::None);
        x = b.relu(&format!("{layer}.relu"), linear);
        channels = width;
    }
    b.linear("x", x, channels, 2, Norm::None);
    b.finish()
}

/// `2 - width - width (norm) - width - 1`, ReLU, one logit. The release has batch norm in the second layer.
pub fn mlp_discriminator(inputs: usize, width: usize, norm: Norm) -> Graph {
    let mut b = Builder::new(Init::glorot);
    let mut x = b.input("x", &[inputs]);
    let mut channels = inputs;
    for layer in 0..3 {
        let name = format!("{layer}");
        let norm = if norm == Norm::Spectral || layer == 1 { norm } else { Norm::None };
        let linear = b.linear(&name, x, channels, width, norm);
        let normed = b.norm(&name, linear, width, norm);
        x = b.relu(&format!("{layer}.relu"), normed);
        channels = width;
    }
    b.linear("logit", x, channels, 1, if norm == Norm::Spectral { norm } else { Norm::None });
    b.finish()
}
