//! The residual generators of torch-mimicry (SNGAN, DCGAN, WGAN-GP, SSGAN, InfoMax-GAN): a linear layer to maps of 4 x 4, blocks that double,
//! batch norm, ReLU, a convolution to the image. After its `modules/resblocks.py` and `nets/*/`.

use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{AxisMap, Binary, Conv, Law, NodeId, Op, Primitive, Unary};
use tensor::{Coordinates, Interpolation};
use weights::StateDict;

const EPSILON: f64 = 1e-5;
/// Height and width of the smallest maps.
const SIDE: usize = 4;

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["l1.weight", "block2.c1.weight", "block2.c_sc.weight"].iter().all(|key| dict.find(key).is_some())
}

/// The generator with these tensors.
///
/// # Errors
/// They do not fit.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let &[features, latent] = a.shape("l1.weight")? else { return Err(a.wrong("has an l1.weight that is no matrix")) };
    let z = a.latent("z", &[latent], Law::Normal)?;
    let wide = a.linear("l1", z)?;
    let mut x = a.push("maps", Op::Reshape { shape: vec![features / (SIDE * SIDE), SIDE, SIDE] }, &[wide])?;
    let (mut number, mut side) = (2, SIDE);
    while a.has(&format!("block{number}.c1.weight")) {
        x = block(&mut a, &format!("block{number}"), x, side)?;
        (number, side) = (number + 1, 2 * side);
    }
    x = a.batch_norm(&format!("b{number}"), x, EPSILON)?;
    x = a.unary(&format!("b{number}.relu"), Unary::Relu, x)?;
    x = same(&mut a, &format!("c{number}"), x)?;
    let x = a.unary("x", Unary::Tanh, x)?;
    a.finish(x, "mimicry")
}

fn block(a: &mut Assembly, name: &str, x: NodeId, side: usize) -> Result<NodeId> {
    let at = |part: &str| format!("{name}.{part}");
    let mut y = x;
    y = a.batch_norm(&at("b1"), y, EPSILON)?;
    y = a.unary(&at("b1.relu"), Unary::Relu, y)?;
    y = doubled(a, &at("up"), y, side)?;
    y = same(a, &at("c1"), y)?;
    y = a.batch_norm(&at("b2"), y, EPSILON)?;
    y = a.unary(&at("b2.relu"), Unary::Relu, y)?;
    y = same(a, &at("c2"), y)?;
    let up = doubled(a, &at("sc.up"), x, side)?;
    let shortcut = same(a, &at("c_sc"), up)?;
    a.push(name, Binary::Add, &[y, shortcut])
}

/// A convolution that keeps the size.
fn same(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let kernel = a.shape(&format!("{name}.weight"))?.last().copied().unwrap_or(1);
    a.conv(name, x, Conv::new(1, kernel / 2))
}

/// `F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)` of maps with so many pixels on a side.
fn doubled(a: &mut Assembly, name: &str, x: NodeId, side: usize) -> Result<NodeId> {
    let map = AxisMap::Resize {
        length: 2 * side,
        coordinates: Coordinates::HalfPixel { scale: None },
        interpolation: Interpolation::Linear { antialias: false, edge: false },
    };
    let wide = a.push(&format!("{name}.wide"), Primitive::Along { axis: 3, map: map.clone() }, &[x])?;
    a.push(name, Primitive::Along { axis: 2, map }, &[wide])
}
