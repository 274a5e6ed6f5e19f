//! `ResNets` for CIFAR (He et al., arXiv 1512.03385, section 4.2): three stages of 16, 32 and 64 maps, shortcuts without tensors. Names as in
//! `pytorch_resnet_cifar10`: `layer1.0.conv1.weight`.

use crate::Imported;
use crate::assembly::{Assembly, Channels};
use base::Result;
use net::{Binary, Conv, Dim, NodeId, Op, Primitive, Unary};
use weights::StateDict;

const EPSILON: f64 = 1e-5;
/// Means and standard deviations of the colours with which these networks are trained, of values in [0, 1].
const COLOURS: Channels = Channels { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
/// Height and width of images.
const SIDE: usize = 32;

/// Whether the names and shapes are those of such a network.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    let shape = |key: &str| dict.find(key).map(weights::Tensor::shape);
    shape("conv1.weight") == Some(&[16, 3, 3, 3])
        && dict.find("layer3.0.conv2.weight").is_some()
        && dict.find("linear.weight").is_some()
}

/// The classifier with these tensors: images in [-1, 1] in, logits out.
///
/// # Errors
/// They do not fit.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let image = a.image("x", [3, SIDE, SIDE])?;
    let mut x = a.normalised("x.normalised", image, COLOURS, 1.0)?;
    x = a.conv("conv1", x, Conv::new(1, 1))?;
    x = a.batch_norm("bn1", x, EPSILON)?;
    x = a.unary("bn1.relu", Unary::Relu, x)?;
    let mut channels = 16;
    for stage in 1..=3 {
        let mut number = 0;
        while a.has(&format!("layer{stage}.{number}.conv1.weight")) {
            let name = format!("layer{stage}.{number}");
            let wide = a.shape(&format!("{name}.conv1.weight"))?.first().copied().unwrap_or_default();
            x = block(&mut a, &name, x, [channels, wide])?;
            channels = wide;
            number += 1;
        }
    }
    let &[_, features] = a.shape("linear.weight")? else { return Err(a.wrong("has a last layer that is no matrix")) };
    let sum = a.push("pool.sum", Primitive::sum([2, 3]), &[x])?;
    let count = Dim::Fixed((SIDE / 4) * (SIDE / 4));
    let mean = a.push("pool.mean", Primitive::DivideByCount { count, minus: 0 }, &[sum])?;
    let pooled = a.push("pool", Op::Reshape { shape: vec![features] }, &[mean])?;
    let logits = a.linear("linear", pooled)?;
    a.finish(logits, "resnet-cifar")
}

fn block(a: &mut Assembly, name: &str, x: NodeId, [channels, wide]: [usize; 2]) -> Result<NodeId> {
    let at = |part: &str| format!("{name}.{part}");
    let halves = channels != wide;
    let mut y = a.conv(&at("conv1"), x, Conv::new(if halves { 2 } else { 1 }, 1))?;
    y = a.batch_norm(&at("bn1"), y, EPSILON)?;
    y = a.unary(&at("bn1.relu"), Unary::Relu, y)?;
    y = a.conv(&at("conv2"), y, Conv::new(1, 1))?;
    y = a.batch_norm(&at("bn2"), y, EPSILON)?;
    let shortcut = if halves { option_a(a, &at("shortcut"), x, [channels, wide])? } else { x };
    let sum = a.push(&at("sum"), Binary::Add, &[y, shortcut])?;
    a.unary(name, Unary::Relu, sum)
}

/// Every second row and column, and maps of zeros on both sides of those that there are.
fn option_a(a: &mut Assembly, name: &str, x: NodeId, [channels, wide]: [usize; 2]) -> Result<NodeId> {
    // The first stage has 32 pixels on a side, and each stage half of them.
    let length = SIDE * 16 / wide;
    let half = |axis| Primitive::Slice { axis, start: 0, step: 2, length };
    let rows = a.push(&format!("{name}.rows"), half(2), &[x])?;
    let cells = a.push(&format!("{name}.cells"), half(3), &[rows])?;
    let start = wide.saturating_sub(channels) / 2;
    a.push(name, Primitive::Embed { axis: 1, start, step: 1, length: wide, value: 0.0 }, &[cells])
}
