//! NVIDIA's network pickles of `StyleGAN2`-ADA: the state of each module is data, and with it how it was made. After its
//! `training/networks.py`.

use super::modulated::{Form, Modulated};
use super::{Noise, active, affine, check_activation, filtered, mapping, number};
use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, NodeId, Op, Unary};
use weights::{Setting, StateDict};

/// The gain of a filter that doubles maps: each pixel becomes four.
const DOUBLING: f64 = 4.0;

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["synthesis.b4.const", "synthesis.b4.conv1.affine.weight", "mapping.fc0.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The generator with these tensors.
///
/// # Errors
/// They do not fit, or the network is of a form that is not known here.
pub(crate) fn network(dict: &StateDict, noise: Noise) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let w = mapping::nvidia(&mut a)?;
    let sides = (2..).map(|power| 1usize << power).take(20);
    let sides: Vec<usize> = sides.take_while(|side| a.has(&format!("synthesis.b{side}.conv1.weight"))).collect();
    let mean = a.param("mapping.w_avg")?;
    let length = a.shape("mapping.w_avg")?.iter().product();
    let ws = mapping::styles(&mut a, w, mean, length, 2 * sides.len())?;
    let constant = a.values("synthesis.b4.const")?;
    let shape = [&[1], a.shape("synthesis.b4.const")?].concat();
    let mut x = a.tensor("synthesis.b4.const", &shape, constant, true)?;
    let mut image = None;
    for (place, side) in sides.into_iter().enumerate() {
        let block = format!("synthesis.b{side}");
        let architecture = dict.setting(&format!("{block}.architecture"));
        if architecture.is_some_and(|is| *is != Setting::Text("skip".into())) {
            return Err(a.wrong(format!("has a block {block} of another architecture than skip: {architecture:?}")));
        }
        // The first block has one layer, each other two; an image reads the style of the next block's first layer.
        let style = |number: usize| ws[2 * place + number - 1];
        if place > 0 {
            x = layer(&mut a, &format!("{block}.conv0"), x, style(0), noise, true)?;
        }
        x = layer(&mut a, &format!("{block}.conv1"), x, style(1), noise, false)?;
        image = Some(to_rgb(&mut a, &block, x, style(2), image)?);
        for unused in ["resample_filter", "conv1.resample_filter"] {
            a.leave(&format!("{block}.{unused}"));
        }
    }
    let Some(image) = image else { return Err(a.wrong("has no blocks")) };
    a.notice(noise.notice());
    a.finish(image, "stylegan2-ada")
}

/// What a layer is limited to.
fn limit(a: &Assembly, layer: &str) -> Option<f64> {
    number(a, &format!("{layer}.conv_clamp"))
}

fn layer(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, noise: Noise, up: bool) -> Result<NodeId> {
    let at = |part: &str| format!("{name}.{part}");
    check_activation(a, name)?;
    let style = affine(a, &at("affine"), &at("affine"), w, 1.0)?;
    let (weight, filter) = (at("weight"), at("resample_filter"));
    let form = if up { Form::Up(&filter, DOUBLING) } else { Form::Same };
    let conv = at("conv");
    let mut y = Modulated { name: &conv, weight: &weight, factor: 1.0, style, divides: true, form }.build(a, x)?;
    if a.has(&at("noise_const")) {
        y = noise.add(a, name, [&at("noise_const"), &at("noise_strength")], y)?;
    }
    let bias = a.param(&at("bias"))?;
    let biased = a.push(&at("biased"), Op::AddChannel, &[y, bias])?;
    let limit = limit(a, name);
    active(a, name, biased, limit)
}

/// What an image gets in a block, added to what it had before, enlarged.
fn to_rgb(a: &mut Assembly, block: &str, x: NodeId, w: NodeId, before: Option<NodeId>) -> Result<NodeId> {
    let name = format!("{block}.torgb");
    let at = |part: &str| format!("{name}.{part}");
    let weight = at("weight");
    let fan: usize = a.shape(&weight)?.iter().skip(1).product();
    let gain = number(a, &at("weight_gain")).unwrap_or(1.0 / (fan as f64).sqrt());
    let affine = affine(a, &at("affine"), &at("affine"), w, 1.0)?;
    let style = a.unary(&at("affine.scaled"), Unary::Scale { factor: gain }, affine)?;
    let conv = at("conv");
    let form = Form::Same;
    let y = Modulated { name: &conv, weight: &weight, factor: 1.0, style, divides: false, form }.build(a, x)?;
    let bias = a.param(&at("bias"))?;
    let limit = limit(a, &name);
    let biased = if limit.is_some() { at("biased") } else { name.clone() };
    let biased = a.push(&biased, Op::AddChannel, &[y, bias])?;
    let own = match limit {
        Some(most) => a.unary(&name, Unary::Clamp { min: -most, max: most }, biased)?,
        None => biased,
    };
    let Some(before) = before else { return Ok(own) };
    let filter = format!("{block}.resample_filter");
    let up = filtered(a, &format!("{block}.up"), &filter, DOUBLING, before, 2, [2, 1])?;
    a.push(block, Binary::Add, &[own, up])
}
