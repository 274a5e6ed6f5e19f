//! The Inception network of 2015 (Szegedy et al., arXiv 1512.00567) by which FID is measured, with the names of pytorch-fid: the graph
//! that TensorFlow's releases used, which differs from torchvision's in three places. Means of 3 x 3 cells leave out what lies outside of
//! the map; the pool of `Mixed_7c` takes maxima; there are 1,008 classes. Widths and kernels are those of the file.

use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{AxisMap, Conv, Dim, NodeId, Op, Primitive, Unary, Window};
use weights::StateDict;

const EPSILON: f64 = 1e-3;
/// Height and width of images.
const SIDE: usize = 299;
/// Classes of the graph of 2015; torchvision's networks have 1,000.
const CLASSES: usize = 1008;
/// Cells of the last maps, along a side.
const LAST: usize = 8;

/// Whether the names are those of an Inception network.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["Conv2d_1a_3x3.conv.weight", "Mixed_6e.branch7x7dbl_5.conv.weight", "Mixed_7c.branch3x3dbl_3b.conv.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The network with these tensors: images in [-1, 1] in, logits out. `pool` are the features of FID, `logits` those of the Inception
/// score, which leave the bias out.
///
/// # Errors
/// They do not fit, or are torchvision's.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let &[classes, features] = a.shape("fc.weight")? else { return Err(a.wrong("has a last layer that is no matrix")) };
    if classes != CLASSES {
        let reason = format!("tells {classes} classes: it is not the Inception network of 2015, which tells {CLASSES}");
        return Err(a.wrong(reason).with_hint(
            "FID is measured by the weights of pytorch-fid, pt_inception-2015-12-05-6726825d.pth; torchvision's give other numbers.",
        ));
    }
    let image = a.image("x", [3, SIDE, SIDE])?;
    // Bytes less 128, by 128: not quite from -1 to 1.
    let scaled = a.unary("x.scaled", Unary::Scale { factor: 127.5 / 128.0 }, image)?;
    let mut x = a.unary("x.normalised", Unary::AddScalar { term: -0.5 / 128.0 }, scaled)?;
    x = conv(&mut a, "Conv2d_1a_3x3", x, Reach::Inside(2))?;
    x = conv(&mut a, "Conv2d_2a_3x3", x, Reach::Inside(1))?;
    x = conv(&mut a, "Conv2d_2b_3x3", x, Reach::Same)?;
    x = maxima(&mut a, "pool1", x, 2, 0)?;
    x = conv(&mut a, "Conv2d_3b_1x1", x, Reach::Same)?;
    x = conv(&mut a, "Conv2d_4a_3x3", x, Reach::Inside(1))?;
    x = maxima(&mut a, "pool2", x, 2, 0)?;
    for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"] {
        let branches = [&["branch1x1"][..], &["branch5x5_1", "branch5x5_2"], &THREE];
        x = mixed(&mut a, name, x, &branches, Reach::Same, Pool::Means)?;
    }
    x = mixed(&mut a, "Mixed_6a", x, &[&["branch3x3"], &THREE], Reach::Inside(2), Pool::Halved)?;
    for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"] {
        let branches = [
            &["branch1x1"][..],
            &["branch7x7_1", "branch7x7_2", "branch7x7_3"],
            &["branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"],
        ];
        x = mixed(&mut a, name, x, &branches, Reach::Same, Pool::Means)?;
    }
    let branches =
        [&["branch3x3_1", "branch3x3_2"][..], &["branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"]];
    x = mixed(&mut a, "Mixed_7a", x, &branches, Reach::Inside(2), Pool::Halved)?;
    for (name, pool) in [("Mixed_7b", Pool::Means), ("Mixed_7c", Pool::Maxima)] {
        x = widest(&mut a, name, x, pool)?;
    }
    let sum = a.push("pool.sum", Primitive::sum([2, 3]), &[x])?;
    let count = Dim::Fixed(LAST * LAST);
    let mean = a.push("pool.mean", Primitive::DivideByCount { count, minus: 0 }, &[sum])?;
    let pooled = a.push("pool", Op::Reshape { shape: vec![features] }, &[mean])?;
    let weight = a.param("fc.weight")?;
    let logits = a.push("logits", Op::Linear, &[pooled, weight])?;
    let bias = a.param("fc.bias")?;
    let output = a.push("fc", Op::AddChannel, &[logits, bias])?;
    a.finish(output, "inception-2015-12-05")
}

/// The double 3 x 3.
const THREE: [&str; 3] = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"];

/// How far a kernel reaches.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// Beyond the map, so that it keeps its size.
    Same,
    /// Inside of the map alone, with this step.
    Inside(usize),
}

/// The branch without a kernel of its own.
#[derive(Clone, Copy, PartialEq)]
enum Pool {
    /// Means of 3 x 3 cells, then a convolution.
    Means,
    /// Maxima of 3 x 3 cells, then a convolution.
    Maxima,
    /// Maxima of 3 x 3 cells, every second one.
    Halved,
}

/// Convolution, norm, ReLU; the last has the layer's name.
fn conv(a: &mut Assembly, layer: &str, x: NodeId, reach: Reach) -> Result<NodeId> {
    let &[_, _, height, width] = a.shape(&format!("{layer}.conv.weight"))? else {
        return Err(a.wrong(format!("has a {layer} that is no convolution")));
    };
    let conv = match reach {
        Reach::Same => Conv { padding: [[height / 2; 2], [width / 2; 2]], ..Conv::new(1, 0) },
        Reach::Inside(stride) => Conv::new(stride, 0),
    };
    let maps = a.conv_in(layer, x, conv)?;
    let normed = a.batch_norm(&format!("{layer}.bn"), maps, EPSILON)?;
    a.unary(layer, Unary::Relu, normed)
}

fn maxima(a: &mut Assembly, name: &str, x: NodeId, stride: usize, padding: usize) -> Result<NodeId> {
    let window = Window { size: [3; 2], stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [1; 2] };
    a.push(name, Primitive::WindowMax { window }, &[x, x])
}

/// Means of the cells that are there, of 3 x 3.
fn means(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let map = AxisMap::Average { size: 3, stride: 1, padding: [1, 1], count_padding: false };
    let wide = a.push(&format!("{name}.wide"), Primitive::Along { axis: 3, map: map.clone() }, &[x])?;
    a.push(name, Primitive::Along { axis: 2, map }, &[wide])
}

fn pooled(a: &mut Assembly, name: &str, x: NodeId, pool: Pool) -> Result<NodeId> {
    let place = format!("{name}.pool");
    let pooled = match pool {
        Pool::Means => means(a, &place, x)?,
        Pool::Maxima => maxima(a, &place, x, 1, 1)?,
        Pool::Halved => return maxima(a, &place, x, 2, 0),
    };
    conv(a, &format!("{name}.branch_pool"), pooled, Reach::Same)
}

/// Branches of convolutions one after the other, and a pool, side by side. The last convolution of each branch reaches as said.
fn mixed(a: &mut Assembly, name: &str, x: NodeId, branches: &[&[&str]], last: Reach, pool: Pool) -> Result<NodeId> {
    let mut ends = Vec::with_capacity(branches.len() + 1);
    for branch in branches {
        let mut y = x;
        for (number, layer) in branch.iter().enumerate() {
            let reach = if number + 1 == branch.len() { last } else { Reach::Same };
            y = conv(a, &format!("{name}.{layer}"), y, reach)?;
        }
        ends.push(y);
    }
    ends.push(pooled(a, name, x, pool)?);
    a.push(name, Op::concat(1), &ends)
}

/// The last two blocks, in which 3 x 3 ends as 1 x 3 beside 3 x 1.
fn widest(a: &mut Assembly, name: &str, x: NodeId, pool: Pool) -> Result<NodeId> {
    let at = |layer: &str| format!("{name}.{layer}");
    let mut ends = vec![conv(a, &at("branch1x1"), x, Reach::Same)?];
    for (before, fork) in
        [(&["branch3x3_1"][..], "branch3x3_2"), (&["branch3x3dbl_1", "branch3x3dbl_2"], "branch3x3dbl_3")]
    {
        let mut y = x;
        for layer in before {
            y = conv(a, &at(layer), y, Reach::Same)?;
        }
        for half in ["a", "b"] {
            ends.push(conv(a, &at(&format!("{fork}{half}")), y, Reach::Same)?);
        }
    }
    ends.push(pooled(a, name, x, pool)?);
    a.push(name, Op::concat(1), &ends)
}
