//! A pair in the manner of ProGAN (Karras et al., arXiv 1710.10196), trained at full size from the start: nearest
//! upsampling, 3x3 convolutions, pixel norm in G, equalised learning rate, minibatch standard deviation in D.

use super::blocks::{Builder, Norm};
use super::dcgan::logit;
use crate::{Conv, Graph, Init, Op};

fn width_at(side: usize, width: usize, size: usize) -> usize {
    (width * size / (4 * side).max(1)).clamp(width, 8 * width)
}

fn equalised() -> Builder {
    Builder { equalised: true, ..Builder::new(|_, _| Init::normal(1.0)) }
}

/// Input `z [latent]`, output `x [channels, size, size]`; `width` is that of the last maps. As published, the image is
/// linear: nothing squashes it into [-1, 1].
pub fn progan_generator(size: usize, channels: usize, latent: usize, width: usize) -> Graph {
    let mut b = equalised();
    let z = b.input("z", &[latent]);
    let unit = b.norm("z", z, latent, Norm::Pixel);
    let mut now = width_at(4, width, size);
    let wide = b.linear("0.linear", unit, latent, now * 16, Norm::None);
    let mut x = b.reshape("0.maps", wide, &[now, 4, 4]);
    let mut side = 4;
    for block in 0.. {
        for half in ["a", "b"] {
            let name = format!("{block}{half}");
            if !(block == 0 && half == "a") {
                let next = width_at(side, width, size);
                x = b.conv(&format!("{name}.conv"), x, [now, next], 3, Conv::new(1, 1), Norm::None);
                now = next;
            }
            x = b.leaky(&format!("{name}.leaky"), x);
            x = b.push(&name, Op::PixelNorm { epsilon: 1e-8 }, &[x]);
        }
        if side == size {
            break;
        }
        x = b.upsample(&format!("{block}.up"), x);
        side *= 2;
    }
    b.conv("x", x, [now, channels], 1, Conv::new(1, 0), Norm::None);
    b.graph
}

/// Input `x [channels, size, size]`, output `logit [1]`: the mirror image of [`progan_generator`].
pub fn progan_discriminator(size: usize, channels: usize, width: usize) -> Graph {
    let mut b = equalised();
    let mut x = b.input("x", &[channels, size, size]);
    let mut now = width_at(size, width, size);
    x = b.conv("rgb.conv", x, [channels, now], 1, Conv::new(1, 0), Norm::None);
    x = b.leaky("rgb", x);
    let mut side = size;
    for block in 0.. {
        if side == 4 {
            break;
        }
        x = b.conv(&format!("{block}a.conv"), x, [now, now], 3, Conv::new(1, 1), Norm::None);
        x = b.leaky(&format!("{block}a"), x);
        let next = width_at(side / 2, width, size);
        x = b.conv(&format!("{block}b.conv"), x, [now, next], 3, Conv::new(1, 1), Norm::None);
        x = b.leaky(&format!("{block}b"), x);
        x = b.push(&format!("{block}.pool"), Op::AvgPool { factor: 2 }, &[x]);
        (now, side) = (next, side / 2);
    }
    logit(&mut b, x, now, Norm::None, true);
    b.graph
}
