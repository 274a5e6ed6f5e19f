//! The DCGANs of the E-GAN releases, for 32, 64 and 128 pixels (and 4 or more times a power of two).
//!
//! Layers per resolution, with `w` the width (the releases' ngf and ndf: 128, at 128 pixels 64):
//!
//! | G | start 4x4 | doublings | last |
//! |---|---|---|---|
//! | 32 | 4w | 2w, w | transposed 4x4 to the image, tanh |
//! | 64 | 8w | 8w, 4w, 4w, 2w | 3x3 to the image, tanh |
//! | 128 | 16w | 8w, 8w, 4w, 4w, 2w (`LeakyReLU`) | 3x3 to the image, tanh |
//!
//! D: strided 4x4 convolutions w, 2w, 4w, ... down to 4x4, `LeakyReLU` 0.2, then one linear layer to a logit.

use super::blocks::{Builder, Norm};
use crate::{Conv, Graph};
use serde::{Deserialize, Serialize};

/// The generator's first layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorStart {
    /// A linear layer to 4x4 maps (Theano release).
    #[default]
    Linear,
    /// A transposed 4x4 convolution of the 1x1 latent (`PyTorch` release). Other order of parameters, same function class.
    Deconvolution,
}

/// What a DCGAN generator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DcganGenerator {
    /// Pixels on a side: 4 times a power of two, 8 or more.
    pub size: usize,
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
    /// An additional 3x3 convolution after the maps have reached 8 and 16 pixels.
    pub extra: bool,
}

/// Builds the generator: input `z [latent]`, output `x [channels, size, size]` in [-1, 1].
///
/// # Panics
/// `size` is not 4 times a power of two, at least 8.
pub fn dcgan_generator(d: DcganGenerator) -> Graph {
    assert!(d.size >= 8 && (d.size / 4).is_power_of_two() && d.size.is_multiple_of(4), "size {} of a DCGAN", d.size);
    let mut b = Builder::dcgan();
    let leaky = d.size >= 128;
    let widths: Vec<usize> = match d.size {
        64 => vec![8, 8, 4, 4, 2],
        128 => vec![16, 8, 8, 4, 4, 2],
        _ => (0..(d.size / 8).ilog2()).rev().map(|k| 1 << k).fold(vec![d.size / 8], |mut v, k| {
            v.push(k);
            v
        }),
    };
    let activation = |b: &mut Builder, name: &str, x| if leaky { b.leaky(name, x) } else { b.relu(name, x) };
    let z = b.input("z", &[d.latent]);
    let mut channels = widths[0] * d.width;
    let mut x = match d.start {
        GeneratorStart::Linear => {
            let wide = b.linear("0.linear", z, d.latent, channels * 16, d.norm);
            b.reshape("0.maps", wide, &[channels, 4, 4])
        }
        GeneratorStart::Deconvolution => {
            let point = b.reshape("0.point", z, &[d.latent, 1, 1]);
            b.deconv("0.deconv", point, [d.latent, channels], 4, Conv::new(1, 0), d.norm)
        }
    };
    x = b.norm("0", x, channels, d.norm);
    x = activation(&mut b, "0", x);
    let mut side = 4;
    for (block, &next) in widths[1..].iter().enumerate() {
        let (name, next) = (format!("{}", block + 1), next * d.width);
        x = b.deconv(&format!("{name}.deconv"), x, [channels, next], 4, Conv::new(2, 1), d.norm);
        x = b.norm(&name, x, next, d.norm);
        x = activation(&mut b, &name, x);
        (channels, side) = (next, side * 2);
        if d.extra && side <= 16 {
            let name = format!("{name}b");
            x = b.conv(&format!("{name}.conv"), x, [channels, channels], 3, Conv::new(1, 1), d.norm);
            x = b.norm(&name, x, channels, d.norm);
            x = activation(&mut b, &name, x);
        }
    }
    let image = if side == d.size {
        b.conv("image", x, [channels, d.channels], 3, Conv::new(1, 1), Norm::None)
    } else {
        b.deconv("image", x, [channels, d.channels], 4, Conv::new(2, 1), Norm::None)
    };
    b.push("x", crate::Unary::Tanh, &[image]);
    b.graph
}

/// What a DCGAN discriminator looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DcganDiscriminator {
    /// Pixels on a side: 4 times a power of two, 8 or more.
    pub size: usize,
    /// 1 or 3.
    pub channels: usize,
    /// The width w of the table.
    pub width: usize,
    /// Batch norm leaves the first layer out, as published; spectral norm is in all.
    pub norm: Norm,
    /// Appends the minibatch standard deviation to the last maps.
    pub minibatch_std: bool,
}

/// Builds the discriminator: input `x [channels, size, size]`, output `logit [1]`.
///
/// # Panics
/// As [`dcgan_generator`].
pub fn dcgan_discriminator(d: DcganDiscriminator) -> Graph {
    assert!(d.size >= 8 && (d.size / 4).is_power_of_two() && d.size.is_multiple_of(4), "size {} of a DCGAN", d.size);
    let mut b = Builder::dcgan();
    let mut x = b.input("x", &[d.channels, d.size, d.size]);
    let (mut channels, mut side) = (d.channels, d.size);
    for block in 0.. {
        if side == 4 {
            break;
        }
        let (name, next) = (format!("{block}"), d.width << block);
        let norm = if block == 0 && d.norm != Norm::Spectral { Norm::None } else { d.norm };
        x = b.conv(&format!("{name}.conv"), x, [channels, next], 4, Conv::new(2, 1), norm);
        x = b.norm(&name, x, next, norm);
        x = b.leaky(&name, x);
        (channels, side) = (next, side / 2);
    }
    logit(&mut b, x, channels, d.norm, d.minibatch_std);
    b.graph
}

/// The end of an image discriminator: 4x4 maps to one logit.
pub(super) fn logit(b: &mut Builder, mut x: usize, mut channels: usize, norm: Norm, minibatch_std: bool) {
    if minibatch_std {
        x = b.push("minibatch_std", crate::Op::MinibatchStd, &[x]);
        channels += 1;
    }
    let flat = b.reshape("flat", x, &[channels * 16]);
    b.linear("logit", flat, channels * 16, 1, if norm == Norm::Spectral { norm } else { Norm::None });
}
