//! A pair in the manner of ProGAN (Karras et al., arXiv 1710.10196), trained at full size from the start: nearest
//! upsampling, 3x3 convolutions, pixel norm in G, equalised learning rate, minibatch standard deviation in D.

use super::dcgan::logit;
use super::doublings::Doublings;
use crate::{Builder, Conv, Graph, Norm, Op};

/// The number of maps that are `doublings` from the full size, where there are `width`.
fn width_at(doublings: u32, width: usize) -> usize {
    ((width << doublings) / 4).clamp(width, 8 * width)
}

/// Input `z [latent]`, output `x [channels, height, width]` of the `size` (height and width); `width` is the number of the last maps. As
/// published, the image is linear: nothing squashes it into [-1, 1].
///
/// # Panics
/// `size` is none of [`Doublings`].
pub fn progan_generator(size: [usize; 2], channels: usize, latent: usize, width: usize) -> Graph {
    let doublings = Doublings::checked(size);
    let [start_height, start_width] = doublings.start;
    let mut b = Builder::equalised();
    let z = b.input("z", &[latent]);
    let unit = b.norm("z", z, latent, Norm::Pixel);
    let mut now = width_at(doublings.times, width);
    let wide = b.linear("0.linear", unit, latent, now * doublings.cells(), Norm::None);
    let mut x = b.reshape("0.maps", wide, &[now, start_height, start_width]);
    for block in 0..=doublings.times {
        for half in ["a", "b"] {
            let name = format!("{block}{half}");
            if !(block == 0 && half == "a") {
                let next = width_at(doublings.times - block, width);
                x = b.conv(&format!("{name}.conv"), x, [now, next], 3, Conv::new(1, 1), Norm::None);
                now = next;
            }
            x = b.leaky(&format!("{name}.leaky"), x);
            x = b.push(&name, Op::PixelNorm { epsilon: 1e-8 }, &[x]);
        }
        if block < doublings.times {
            x = b.upsample(&format!("{block}.up"), x);
        }
    }
    b.conv("x", x, [now, channels], 1, Conv::new(1, 0), Norm::None);
    b.finish()
}

/// Input `x [channels, height, width]`, output `logit [1]`: the mirror image of [`progan_generator`].
///
/// # Panics
/// As [`progan_generator`].
pub fn progan_discriminator(size: [usize; 2], channels: usize, width: usize) -> Graph {
    let doublings = Doublings::checked(size);
    let mut b = Builder::equalised();
    let mut x = b.input("x", &[channels, size[0], size[1]]);
    let mut now = width_at(0, width);
    x = b.conv("rgb.conv", x, [channels, now], 1, Conv::new(1, 0), Norm::None);
    x = b.leaky("rgb", x);
    for block in 0..doublings.times {
        x = b.conv(&format!("{block}a.conv"), x, [now, now], 3, Conv::new(1, 1), Norm::None);
        x = b.leaky(&format!("{block}a"), x);
        let next = width_at(block + 1, width);
        x = b.conv(&format!("{block}b.conv"), x, [now, next], 3, Conv::new(1, 1), Norm::None);
        x = b.leaky(&format!("{block}b"), x);
        x = b.push(&format!("{block}.pool"), Op::AvgPool { factor: 2 }, &[x]);
        now = next;
    }
    logit(&mut b, x, [now, doublings.cells()], Norm::None, true);
    b.finish()
}
