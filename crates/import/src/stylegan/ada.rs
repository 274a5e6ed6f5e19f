//! NVIDIA's network pickles of `StyleGAN2`-ADA: the state of each module is data, and with it how it was made. After its
//! `training/networks.py`.

use super::{EPSILON, GAIN, Modulated, active, filtered, linear};
use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Law, NodeId, Op, Unary};
use weights::{Setting, StateDict};

/// The gain of a filter that doubles maps: each pixel becomes four.
const DOUBLING: f64 = 4.0;

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["synthesis.b4.const", "synthesis.b4.conv1.affine.weight", "mapping.fc0.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The generator with these tensors, with its constant noise and without truncation.
///
/// # Errors
/// They do not fit, or the network reads labels, or is of a form that is not known here.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    if a.has("mapping.embed.weight") {
        return Err(a.wrong("is a generator that reads labels, which is not brought in"));
    }
    let latent = a.shape("mapping.fc0.weight")?.get(1).copied().unwrap_or_default();
    let z = a.latent("z", &[latent], Law::Normal)?;
    let mut w = a.push("mapping.norm", Op::PixelNorm { epsilon: EPSILON }, &[z])?;
    let mut number = 0;
    while a.has(&format!("mapping.fc{number}.weight")) {
        let name = format!("mapping.fc{number}");
        activation(&a, &name)?;
        let wide = affine(&mut a, &format!("{name}.linear"), &name, w)?;
        w = active(&mut a, &name, wide)?;
        number += 1;
    }
    a.leave("mapping.w_avg");
    let constant = a.values("synthesis.b4.const")?;
    let shape = [&[1], a.shape("synthesis.b4.const")?].concat();
    let mut x = a.tensor("synthesis.b4.const", &shape, constant, true)?;
    let mut image = None;
    let mut side = 4;
    while a.has(&format!("synthesis.b{side}.conv1.weight")) {
        let block = format!("synthesis.b{side}");
        let architecture = dict.setting(&format!("{block}.architecture"));
        if architecture.is_some_and(|is| *is != Setting::Text("skip".into())) {
            return Err(a.wrong(format!("has a block {block} of another architecture than skip: {architecture:?}")));
        }
        if side > 4 {
            x = layer(&mut a, &format!("{block}.conv0"), x, w, true)?;
        }
        x = layer(&mut a, &format!("{block}.conv1"), x, w, false)?;
        image = Some(to_rgb(&mut a, &block, x, w, image)?);
        for unused in ["resample_filter", "conv1.resample_filter"] {
            a.leave(&format!("{block}.{unused}"));
        }
        side *= 2;
    }
    let Some(image) = image else { return Err(a.wrong("has no blocks")) };
    a.notice("noise is the constant one of the file; styles are not truncated");
    a.finish(image, "stylegan2-ada")
}

/// Activations must be those that are built here.
fn activation(a: &Assembly, layer: &str) -> Result<()> {
    match a.setting(&format!("{layer}.activation")) {
        None => Ok(()),
        Some(Setting::Text(text)) if text == "lrelu" => Ok(()),
        Some(other) => Err(a.wrong(format!("has a layer {layer} with another activation than lrelu: {other:?}"))),
    }
}

/// A number that a module says of itself.
fn number(a: &Assembly, name: &str, otherwise: f64) -> f64 {
    match a.setting(name) {
        Some(Setting::Number(number)) => *number,
        _ => otherwise,
    }
}

/// A linear layer with the gains that it says; of a mapping it learns more slowly where it says nothing.
fn affine(a: &mut Assembly, name: &str, tensors: &str, x: NodeId) -> Result<NodeId> {
    let features = a.shape(&format!("{tensors}.weight"))?.get(1).copied().unwrap_or(1);
    let rate = if tensors.starts_with("mapping.") { 0.01 } else { 1.0 };
    let gains = [
        number(a, &format!("{tensors}.weight_gain"), rate / (features as f64).sqrt()),
        number(a, &format!("{tensors}.bias_gain"), rate),
    ];
    linear(a, name, tensors, x, gains)
}

/// What a layer is limited to, as layers in 16 bits are.
fn clamped(a: &mut Assembly, layer: &str, name: &str, x: NodeId) -> Result<NodeId> {
    match a.setting(&format!("{layer}.conv_clamp")) {
        Some(&Setting::Number(most)) => a.unary(name, Unary::Clamp { min: -most, max: most }, x),
        _ => Ok(x),
    }
}

fn layer(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, up: bool) -> Result<NodeId> {
    let at = |part: &str| format!("{name}.{part}");
    activation(a, name)?;
    let style = affine(a, &at("affine"), &at("affine"), w)?;
    let (weight, filter) = (at("weight"), at("resample_filter"));
    let up = up.then_some((filter.as_str(), DOUBLING));
    let conv = at("conv");
    let mut y = Modulated { name: &conv, weight: &weight, factor: 1.0, style, divides: true, up }.build(a, x)?;
    if a.has(&at("noise_const")) {
        let noise = a.param(&at("noise_const"))?;
        let strength = a.param(&at("noise_strength"))?;
        let noise = a.push(&at("noise"), Binary::Mul, &[noise, strength])?;
        y = a.push(&at("noisy"), Binary::Add, &[y, noise])?;
    }
    let bias = a.param(&at("bias"))?;
    let biased = a.push(&at("biased"), Op::AddChannel, &[y, bias])?;
    if !matches!(a.setting(&at("conv_clamp")), Some(Setting::Number(_))) {
        return active(a, name, biased);
    }
    let leaky = a.unary(&at("leaky"), Unary::LeakyRelu { slope: super::SLOPE }, biased)?;
    let gained = a.unary(&at("gained"), Unary::Scale { factor: GAIN }, leaky)?;
    clamped(a, name, name, gained)
}

/// What an image gets in a block, added to what it had before, enlarged.
fn to_rgb(a: &mut Assembly, block: &str, x: NodeId, w: NodeId, before: Option<NodeId>) -> Result<NodeId> {
    let name = format!("{block}.torgb");
    let at = |part: &str| format!("{name}.{part}");
    let weight = at("weight");
    let fan: usize = a.shape(&weight)?.iter().skip(1).product();
    let gain = number(a, &at("weight_gain"), 1.0 / (fan as f64).sqrt());
    let affine = affine(a, &at("affine"), &at("affine"), w)?;
    let style = a.unary(&at("affine.scaled"), Unary::Scale { factor: gain }, affine)?;
    let conv = at("conv");
    let y = Modulated { name: &conv, weight: &weight, factor: 1.0, style, divides: false, up: None }.build(a, x)?;
    let bias = a.param(&at("bias"))?;
    let biased = a.push(&at("biased"), Op::AddChannel, &[y, bias])?;
    let own = clamped(a, &name, &name, biased)?;
    let Some(before) = before else { return Ok(own) };
    let filter = format!("{block}.resample_filter");
    let up = filtered(a, &format!("{block}.up"), &filter, DOUBLING, before, 2, [2, 1])?;
    a.push(block, Binary::Add, &[own, up])
}
