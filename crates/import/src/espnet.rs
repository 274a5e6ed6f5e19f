//! `ESPNet` (Mehta et al., arXiv 1803.06815), a segmenter for roads: the network of its `train/Model.py`.

use crate::assembly::{Assembly, Channels};
use crate::{Classes, Imported};
use base::Result;
use net::{AxisMap, Binary, Conv, NodeId, Op, Primitive, Unary};
use weights::StateDict;

const EPSILON: f64 = 1e-3;
/// Height and width for which it is brought in: those of `CamVid`.
const SIZE: [usize; 2] = [360, 480];
/// Means and standard deviations of the colours of `CamVid` (blue, green, red), of values in [0, 1]: by the rule of its `train/loadData.py`.
const COLOURS: Channels = Channels {
    mean: [110.331_026_434_302_19 / 255.0, 108.408_863_154_707_83 / 255.0, 105.033_193_687_556_76 / 255.0],
    deviation: [72.125_710_154_162_49 / 255.0, 72.690_745_337_245_23 / 255.0, 69.904_348_161_609_45 / 255.0],
};

/// Its classes, with the colours of `CamVid`. The last, what is not labelled, is one that it finds.
const CLASSES: [(&str, [u8; 3]); 12] = [
    ("sky", [128, 128, 128]),
    ("building", [128, 0, 0]),
    ("pole", [192, 192, 128]),
    ("road", [128, 64, 128]),
    ("pavement", [60, 40, 222]),
    ("tree", [128, 128, 0]),
    ("sign", [192, 128, 128]),
    ("fence", [64, 64, 128]),
    ("car", [64, 0, 128]),
    ("pedestrian", [64, 64, 0]),
    ("bicyclist", [0, 128, 192]),
    ("unlabelled", [0, 0, 0]),
];

/// Whether the names are those of this network.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["encoder.level2_0.d16.conv.weight", "combine_l2_l3.1.d16.conv.weight", "classifier.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The network with these tensors: images in [-1, 1] in, logits of its classes out.
///
/// # Errors
/// They do not fit.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let image = a.image("x", [3, SIZE[0], SIZE[1]])?;
    let reversed = a.push("x.bgr", Primitive::Slice { axis: 1, start: 2, step: -1, length: 3 }, &[image])?;
    // Its program divides by 255 once more.
    let x = a.normalised("x.normalised", reversed, COLOURS, 1.0 / 255.0)?;
    let half = halved(&mut a, "x.half", x)?;
    let quarter = halved(&mut a, "x.quarter", half)?;

    let mut first = a.conv_in("encoder.level1", x, Conv::new(2, 1))?;
    first = a.batch_norm("encoder.level1.bn", first, EPSILON)?;
    first = prelu(&mut a, "encoder.level1.act", "encoder.level1", first)?;
    let b1 = together(&mut a, "encoder.b1", &[first, half])?;
    let b1 = norm_and_prelu(&mut a, "encoder.b1", b1)?;

    let second = down(&mut a, "encoder.level2_0", b1)?;
    let mut last = second;
    let mut number = 0;
    while a.has(&format!("encoder.level2.{number}.c1.conv.weight")) {
        last = esp(&mut a, &format!("encoder.level2.{number}"), last, true)?;
        number += 1;
    }
    let b2 = together(&mut a, "encoder.b2", &[last, second, quarter])?;
    let b2 = norm_and_prelu(&mut a, "encoder.b2", b2)?;

    let third = down(&mut a, "encoder.level3_0", b2)?;
    let mut last = third;
    let mut number = 0;
    while a.has(&format!("encoder.level3.{number}.c1.conv.weight")) {
        last = esp(&mut a, &format!("encoder.level3.{number}"), last, true)?;
        number += 1;
    }
    let b3 = together(&mut a, "encoder.b3", &[third, last])?;
    let b3 = norm_and_prelu(&mut a, "encoder.b3", b3)?;

    let deep = a.conv_in("encoder.classifier", b3, Conv::new(1, 0))?;
    let deep = a.batch_norm("br", deep, EPSILON)?;
    let deep = a.deconv("up_l3.0", deep, Conv::new(2, 0), 0)?;
    let middle = a.conv_in("level3_C", b2, Conv::new(1, 0))?;
    let both = together(&mut a, "combine_l2_l3.0", &[middle, deep])?;
    let both = norm_and_prelu(&mut a, "combine_l2_l3.0", both)?;
    let both = esp(&mut a, "combine_l2_l3.1", both, false)?;
    let up = a.deconv("up_l2.0", both, Conv::new(2, 0), 0)?;
    let up = norm_and_prelu(&mut a, "up_l2.1", up)?;
    let shallow = together(&mut a, "conv", &[up, b1])?;
    let fused = a.conv_in("conv", shallow, Conv::new(1, 1))?;
    let fused = a.batch_norm("conv.bn", fused, EPSILON)?;
    let fused = prelu(&mut a, "conv.act", "conv", fused)?;
    let logits = a.deconv("classifier", fused, Conv::new(2, 0), 0)?;
    let mut imported = a.finish(logits, "espnet")?;
    let names = CLASSES.iter().map(|&(name, colour)| (name.to_owned(), colour)).collect();
    imported.classes = Some(Classes { names, ignore: Some(11) });
    Ok(imported)
}

/// Means of 3 x 3 pixels, every second one; zeros around count.
fn halved(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let map = AxisMap::Average { size: 3, stride: 2, padding: [1, 1], count_padding: true };
    let wide = a.push(&format!("{name}.wide"), Primitive::Along { axis: 3, map: map.clone() }, &[x])?;
    a.push(name, Primitive::Along { axis: 2, map }, &[wide])
}

fn together(a: &mut Assembly, name: &str, inputs: &[NodeId]) -> Result<NodeId> {
    a.push(&format!("{name}.cat"), Op::concat(1), inputs)
}

/// `x` where positive, elsewhere `x` times a number of its channel.
fn prelu(a: &mut Assembly, tensors: &str, name: &str, x: NodeId) -> Result<NodeId> {
    let at = |part: &str| format!("{tensors}.{part}");
    let slope = a.param(&at("weight"))?;
    let above = a.unary(&at("above"), Unary::Relu, x)?;
    let below = a.push(&at("below"), Binary::Sub, &[x, above])?;
    let sloped = a.push(&at("sloped"), Op::MulChannel, &[below, slope])?;
    a.push(name, Binary::Add, &[above, sloped])
}

fn norm_and_prelu(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let normed = a.batch_norm(&format!("{name}.bn"), x, EPSILON)?;
    prelu(a, &format!("{name}.act"), name, normed)
}

/// Five dilations at once, summed up from the second on, one after the other along the channels.
fn pyramid(a: &mut Assembly, name: &str, r: NodeId) -> Result<NodeId> {
    let mut parts = Vec::with_capacity(5);
    for dilation in [1, 2, 4, 8, 16] {
        let conv = Conv { dilation: [dilation; 2], ..Conv::new(1, dilation) };
        let part = a.conv_in(&format!("{name}.d{dilation}"), r, conv)?;
        parts.push(match parts.last() {
            Some(&before) if dilation > 2 => a.push(&format!("{name}.sum{dilation}"), Binary::Add, &[before, part])?,
            _ => part,
        });
    }
    together(a, &format!("{name}.pyramid"), &parts)
}

/// The block that halves.
fn down(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    let reduced = a.conv_in(&format!("{name}.c1"), x, Conv::new(2, 1))?;
    let y = pyramid(a, name, reduced)?;
    let normed = a.batch_norm(&format!("{name}.bn"), y, EPSILON)?;
    prelu(a, &format!("{name}.act"), name, normed)
}

/// The block that keeps the size, and passes by what it gets.
fn esp(a: &mut Assembly, name: &str, x: NodeId, passes: bool) -> Result<NodeId> {
    let reduced = a.conv_in(&format!("{name}.c1"), x, Conv::new(1, 0))?;
    let mut y = pyramid(a, name, reduced)?;
    if passes {
        y = a.push(&format!("{name}.sum"), Binary::Add, &[y, x])?;
    }
    let normed = a.batch_norm(&format!("{name}.bn.bn"), y, EPSILON)?;
    prelu(a, &format!("{name}.bn.act"), name, normed)
}
