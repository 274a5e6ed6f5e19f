//! A compact U-Net (after Ronneberger et al., arXiv 1505.04597): from an image to logits of its size.
//!
//! With `w` the width: `down.0` is a 3x3 convolution to w maps; each further `down.k` halves the maps by a 4x4 convolution of
//! stride 2 and doubles their number; `middle` is a 3x3 convolution; each `up.k` doubles the size by a transposed 4x4
//! convolution, `join.k` puts `down.k` beside it, and `merge.k` mixes both by a 3x3 convolution; the logits are a 1x1
//! convolution of `merge.0`. Batch norm and ReLU throughout. Pooling is left out because kernels of 4x4 with stride 2
//! and of 3x3 are the fast ones here.

use crate::{Builder, Conv, Graph, Init, NodeId, Norm, Op};

/// What a U-Net looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unet {
    /// The image, `[channels, height, width]`; each side is at least `2^levels`.
    pub shape: [usize; 3],
    /// Maps that come out.
    pub classes: usize,
    /// Maps at full size.
    pub width: usize,
    /// How often the maps are halved.
    pub levels: usize,
}

/// Builds the network: input `x [channels, height, width]`, output `logits [classes, height, width]`. Sides need not be
/// multiples of anything: on the way up, maps take the size that they had on the way down.
///
/// # Panics
/// A side is shorter than `2^levels`.
pub fn unet(u: Unet) -> Graph {
    let [channels, height, width] = u.shape;
    assert!(height.min(width) >> u.levels > 0, "a U-Net of {} levels for {height}x{width} pixels", u.levels);
    let mut b = Builder::new(|fan_in, _| Init::he(fan_in));
    let maps = |level: usize| u.width << level;
    let x = b.input("x", &u.shape);
    let same = Conv::new(1, 1);
    let halve = Conv::new(2, 1);
    let mut skips = vec![block(&mut b, "down.0", x, [channels, maps(0)], 3, same)];
    for level in 1..=u.levels {
        let below = block(&mut b, &format!("down.{level}"), skips[level - 1], [maps(level - 1), maps(level)], 4, halve);
        skips.push(below);
    }
    let deepest = maps(u.levels);
    let mut x = block(&mut b, "middle", skips[u.levels], [deepest, deepest], 3, same);
    for level in (0..u.levels).rev() {
        let (up, skip, n) = (format!("up.{level}"), skips[level], maps(level));
        x = b.deconv_like(&format!("{up}.conv"), x, [maps(level + 1), n], [4; 2], halve, Norm::Batch, Some(skip));
        x = finished(&mut b, &up, x, n);
        x = b.push(&format!("join.{level}"), Op::concat(1), &[x, skip]);
        x = block(&mut b, &format!("merge.{level}"), x, [2 * n, n], 3, same);
    }
    b.conv("logits", x, [maps(0), u.classes], 1, Conv::new(1, 0), Norm::None);
    b.finish()
}

/// Convolution, norm and ReLU, which carries the bare name.
fn block(b: &mut Builder, name: &str, x: NodeId, maps: [usize; 2], kernel: usize, conv: Conv) -> NodeId {
    let x = b.conv(&format!("{name}.conv"), x, maps, kernel, conv, Norm::Batch);
    finished(b, name, x, maps[1])
}

fn finished(b: &mut Builder, name: &str, x: NodeId, maps: usize) -> NodeId {
    let x = b.norm(name, x, maps, Norm::Batch);
    b.relu(name, x)
}
