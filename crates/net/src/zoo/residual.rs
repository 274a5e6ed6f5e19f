//! The residual pair of SNGAN (Miyato et al., arXiv 1802.05957, appendix B), one width throughout, for 32 and 64 pixels,
//! and for all sizes that doublings make ([`Doublings`]).

use super::doublings::Doublings;
use crate::{Binary, Builder, Conv, Graph, Init, NodeId, Norm, Op, Primitive, Unary};

/// Input `z [latent]`, output `x [channels, height, width]` of the `size` (height and width): linear to the smallest maps, blocks that
/// double, norm, ReLU, 3x3, tanh.
///
/// # Panics
/// `size` is none of [`Doublings`].
pub fn residual_generator(size: [usize; 2], channels: usize, latent: usize, width: usize, norm: Norm) -> Graph {
    let doublings = Doublings::checked(size);
    let [start_height, start_width] = doublings.start;
    let mut b = Builder::new(Init::glorot);
    let z = b.input("z", &[latent]);
    let wide = b.linear("0.linear", z, latent, width * doublings.cells(), Norm::None);
    let mut x = b.reshape("0", wide, &[width, start_height, start_width]);
    for block in 1..=doublings.times {
        let name = format!("{block}");
        let mut y = b.norm(&format!("{name}.a"), x, width, norm);
        y = b.relu(&format!("{name}.a"), y);
        y = b.upsample(&format!("{name}.a.up"), y);
        y = b.conv(&format!("{name}.a.conv"), y, [width, width], 3, Conv::new(1, 1), norm);
        y = b.norm(&format!("{name}.b"), y, width, norm);
        y = b.relu(&format!("{name}.b"), y);
        y = b.conv(&format!("{name}.b.conv"), y, [width, width], 3, Conv::new(1, 1), Norm::None);
        let up = b.upsample(&format!("{name}.skip.up"), x);
        let skip = b.conv(&format!("{name}.skip"), up, [width, width], 1, Conv::new(1, 0), Norm::None);
        x = b.push(&name, Binary::Add, &[y, skip]);
    }
    x = b.norm("last", x, width, norm);
    x = b.relu("last", x);
    let image = b.conv("image", x, [width, channels], 3, Conv::new(1, 1), Norm::None);
    b.push("x", Unary::Tanh, &[image]);
    b.finish()
}

/// Input `x [channels, height, width]`, output `logit [1]`: blocks that halve down to twice the smallest maps (8x8), two that keep
/// them, ReLU, sum over pixels, linear.
///
/// # Panics
/// As [`residual_generator`].
pub fn residual_discriminator(size: [usize; 2], channels: usize, width: usize, norm: Norm) -> Graph {
    let mut b = Builder::new(Init::glorot);
    let mut x = b.input("x", &[channels, size[0], size[1]]);
    let halvings = Doublings::checked(size).times as usize - 1;
    for block in 0..halvings + 2 {
        x = block_down(
            &mut b,
            &format!("{block}"),
            x,
            if block == 0 { channels } else { width },
            width,
            norm,
            block,
            halvings,
        );
    }
    x = b.relu("last", x);
    let sum = b.push("sum", Primitive::sum([2, 3]), &[x]);
    let flat = b.reshape("flat", sum, &[width]);
    b.linear("logit", flat, width, 1, if norm == Norm::Spectral { norm } else { Norm::None });
    b.finish()
}

#[expect(clippy::too_many_arguments, reason = "a block of one network, used above alone")]
fn block_down(
    b: &mut Builder,
    name: &str,
    x: NodeId,
    channels: usize,
    width: usize,
    norm: Norm,
    block: usize,
    halvings: usize,
) -> NodeId {
    let halve = block < halvings;
    let mut y = x;
    if block > 0 {
        y = b.relu(&format!("{name}.a"), y);
    }
    y = b.conv(&format!("{name}.a.conv"), y, [channels, width], 3, Conv::new(1, 1), norm);
    y = b.norm(&format!("{name}.b"), y, width, norm);
    y = b.relu(&format!("{name}.b"), y);
    y = b.conv(
        &format!("{name}.b.conv"),
        y,
        [width, width],
        3,
        Conv::new(1, 1),
        if norm == Norm::Batch { Norm::None } else { norm },
    );
    if halve {
        y = b.push(&format!("{name}.pool"), Op::AvgPool { factor: 2 }, &[y]);
    }
    let mut skip = x;
    if halve {
        skip = b.push(&format!("{name}.skip.pool"), Op::AvgPool { factor: 2 }, &[skip]);
    }
    if halve || channels != width {
        skip = b.conv(
            &format!("{name}.skip"),
            skip,
            [channels, width],
            1,
            Conv::new(1, 0),
            if norm == Norm::Batch { Norm::None } else { norm },
        );
    }
    b.push(name, Binary::Add, &[y, skip])
}
