//! The residual pair of SNGAN (Miyato et al., arXiv 1802.05957, appendix B), one width throughout, for 32 and 64 pixels.

use super::blocks::{Builder, Norm};
use crate::{Binary, Conv, Graph, Init, NodeId, Op, Primitive, Unary};

/// Input `z [latent]`, output `x [channels, size, size]`: linear to 4x4, blocks that double, norm, ReLU, 3x3, tanh.
pub fn residual_generator(size: usize, channels: usize, latent: usize, width: usize, norm: Norm) -> Graph {
    let mut b = Builder::new(Init::glorot);
    let z = b.input("z", &[latent]);
    let wide = b.linear("0.linear", z, latent, width * 16, Norm::None);
    let mut x = b.reshape("0", wide, &[width, 4, 4]);
    for block in 1..=(size / 4).ilog2() {
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
    b.graph
}

/// Input `x [channels, size, size]`, output `logit [1]`: blocks that halve down to 8x8, two that keep it, ReLU, sum over
/// pixels, linear.
pub fn residual_discriminator(size: usize, channels: usize, width: usize, norm: Norm) -> Graph {
    let mut b = Builder::new(Init::glorot);
    let mut x = b.input("x", &[channels, size, size]);
    let halvings = (size / 8).ilog2() as usize;
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
    b.graph
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
