//! The DCGANs of the E-GAN releases, for 32, 64 and 128 pixels, and for all sizes that doublings make ([`Doublings`]).
//!
//! Layers by the number of doublings, with `w` the width (the releases' ngf and ndf: 128, at 128 pixels 64):
//!
//! | G | pixels | start 4x4 | doublings | last |
//! |---|---|---|---|---|
//! | 3 | 32, 40x24 | 4w | 2w, w | transposed 4x4 to the image, tanh |
//! | 4 | 64, 80x48 | 8w | 8w, 4w, 4w, 2w | 3x3 to the image, tanh |
//! | 5 | 128, 160x96 | 16w | 8w, 8w, 4w, 4w, 2w (`LeakyReLU`) | 3x3 to the image, tanh |
//!
//! Sizes that are not 4 times a power of two start from maps of another size: 80x48 from 5x3.
//!
//! D: strided 4x4 convolutions w, 2w, 4w, ... down to the maps that G starts from, `LeakyReLU` 0.2, then one linear layer to a logit.

use super::doublings::Doublings;
use crate::{Builder, Conv, Graph, NodeId, Norm};
use serde::{Deserialize, Serialize};

/// The generator's first layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorStart {
    /// A linear layer to the smallest maps (Theano release).
    #[default]
    Linear,
    /// A transposed convolution of the 1x1 latent, its kernel as large as the smallest maps (`PyTorch` release). Other order of
    /// parameters, same function class.
    Deconvolution,
}

/// What a DCGAN generator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DcganGenerator {
    /// Height and width in pixels: a size of [`Doublings`].
    pub size: [usize; 2],
    /// 1 or 3.
    pub channels: usize,
    /// Length of z.
    pub latent: usize,
    /// The width w of the table.
    pub width: usize,
    /// Between convolution and activation.
    pub norm: Norm,
    /// The first layer.
    pub start: GeneratorStart,
    /// An additional 3x3 convolution after each of the first two doublings, where square maps have 8 and 16 pixels.
    pub extra: bool,
}

/// Builds the generator: input `z [latent]`, output `x [channels, height, width]` in [-1, 1].
///
/// # Panics
/// `size` is none of [`Doublings`].
pub fn dcgan_generator(d: DcganGenerator) -> Graph {
    let doublings = Doublings::checked(d.size);
    let [start_height, start_width] = doublings.start;
    let mut b = Builder::dcgan();
    let leaky = doublings.times >= 5;
    let widths: Vec<usize> = match doublings.times {
        4 => vec![8, 8, 4, 4, 2],
        5 => vec![16, 8, 8, 4, 4, 2],
        // The image itself is the last doubling.
        times => (0..times).rev().map(|k| 1 << k).collect(),
    };
    let activation = |b: &mut Builder, name: &str, x| if leaky { b.leaky(name, x) } else { b.relu(name, x) };
    let z = b.input("z", &[d.latent]);
    let mut channels = widths[0] * d.width;
    let mut x = match d.start {
        GeneratorStart::Linear => {
            let wide = b.linear("0.linear", z, d.latent, channels * doublings.cells(), d.norm);
            b.reshape("0.maps", wide, &[channels, start_height, start_width])
        }
        GeneratorStart::Deconvolution => {
            let point = b.reshape("0.point", z, &[d.latent, 1, 1]);
            b.deconv("0.deconv", point, [d.latent, channels], doublings.start, Conv::new(1, 0), d.norm)
        }
    };
    x = b.norm("0", x, channels, d.norm);
    x = activation(&mut b, "0", x);
    for (block, &next) in widths[1..].iter().enumerate() {
        let (name, next) = (format!("{}", block + 1), next * d.width);
        x = b.deconv(&format!("{name}.deconv"), x, [channels, next], [4; 2], Conv::new(2, 1), d.norm);
        x = b.norm(&name, x, next, d.norm);
        x = activation(&mut b, &name, x);
        channels = next;
        if d.extra && block < 2 {
            let name = format!("{name}b");
            x = b.conv(&format!("{name}.conv"), x, [channels, channels], 3, Conv::new(1, 1), d.norm);
            x = b.norm(&name, x, channels, d.norm);
            x = activation(&mut b, &name, x);
        }
    }
    let image = if widths.len() > doublings.times as usize {
        b.conv("image", x, [channels, d.channels], 3, Conv::new(1, 1), Norm::None)
    } else {
        b.deconv("image", x, [channels, d.channels], [4; 2], Conv::new(2, 1), Norm::None)
    };
    b.push("x", crate::Unary::Tanh, &[image]);
    b.finish()
}

/// What a DCGAN discriminator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DcganDiscriminator {
    /// Height and width in pixels: a size of [`Doublings`].
    pub size: [usize; 2],
    /// 1 or 3.
    pub channels: usize,
    /// The width w of the table.
    pub width: usize,
    /// Batch norm leaves the first layer out, as published; spectral norm is in all.
    pub norm: Norm,
    /// Appends the minibatch standard deviation to the last maps.
    pub minibatch_std: bool,
}

/// Builds the discriminator: input `x [channels, height, width]`, output `logit [1]`.
///
/// # Panics
/// As [`dcgan_generator`].
pub fn dcgan_discriminator(d: DcganDiscriminator) -> Graph {
    let doublings = Doublings::checked(d.size);
    let mut b = Builder::dcgan();
    let mut x = b.input("x", &[d.channels, d.size[0], d.size[1]]);
    let mut channels = d.channels;
    for block in 0..doublings.times {
        let (name, next) = (format!("{block}"), d.width << block);
        let norm = if block == 0 && d.norm != Norm::Spectral { Norm::None } else { d.norm };
        x = b.conv(&format!("{name}.conv"), x, [channels, next], 4, Conv::new(2, 1), norm);
        x = b.norm(&name, x, next, norm);
        x = b.leaky(&name, x);
        channels = next;
    }
    logit(&mut b, x, [channels, doublings.cells()], d.norm, d.minibatch_std);
    b.finish()
}

/// The end of an image discriminator: `channels` of the smallest maps, of `cells` pixels, to one logit.
pub(super) fn logit(
    b: &mut Builder,
    mut x: NodeId,
    [mut channels, cells]: [usize; 2],
    norm: Norm,
    minibatch_std: bool,
) {
    if minibatch_std {
        x = b.push("minibatch_std", crate::Op::MinibatchStd, &[x]);
        channels += 1;
    }
    let flat = b.reshape("flat", x, &[channels * cells]);
    b.linear("logit", flat, channels * cells, 1, if norm == Norm::Spectral { norm } else { Norm::None });
}
