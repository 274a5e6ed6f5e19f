//! With the names of rosinality's stylegan2-pytorch. After its `model.py`.

use super::{EPSILON, Modulated, active, filtered, linear};
use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Law, NodeId, Op};
use weights::StateDict;

/// How much more slowly the mapping learns: its weights are stored as much larger.
const MAPPING_RATE: f64 = 0.01;

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["style.1.weight", "input.input", "conv1.conv.modulation.weight", "to_rgb1.conv.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The generator with these tensors, with its stored noise.
///
/// # Errors
/// They do not fit.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let latent = features(&a, "style.1")?;
    let z = a.latent("z", &[latent], Law::Normal)?;
    let mut w = a.push("style.0", Op::PixelNorm { epsilon: EPSILON }, &[z])?;
    let mut number = 1;
    while a.has(&format!("style.{number}.weight")) {
        let name = format!("style.{number}");
        let gain = MAPPING_RATE / (features(&a, &name)? as f64).sqrt();
        let wide = linear(&mut a, &format!("{name}.linear"), &name, w, [gain, MAPPING_RATE])?;
        w = active(&mut a, &name, wide)?;
        number += 1;
    }
    let start = a.param("input.input")?;
    let mut x = styled(&mut a, "conv1", start, w, 0, false)?;
    let mut image = to_rgb(&mut a, "to_rgb1", x, w, None)?;
    let mut number = 0;
    while a.has(&format!("convs.{number}.conv.weight")) {
        x = styled(&mut a, &format!("convs.{number}"), x, w, number + 1, true)?;
        x = styled(&mut a, &format!("convs.{}", number + 1), x, w, number + 2, false)?;
        image = to_rgb(&mut a, &format!("to_rgbs.{}", number / 2), x, w, Some(image))?;
        number += 2;
    }
    a.notice("noise is the one that is stored in the file, the same for every image");
    a.finish(image, "stylegan2")
}

/// How many numbers a linear layer reads.
fn features(a: &Assembly, layer: &str) -> Result<usize> {
    match *a.shape(&format!("{layer}.weight"))? {
        [_, features] => Ok(features),
        _ => Err(a.wrong(format!("has a linear layer {layer} whose weights are no matrix"))),
    }
}

/// A modulated convolution with noise and an activation; `number` is that of its noise.
fn styled(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, number: usize, up: bool) -> Result<NodeId> {
    let conv = format!("{name}.conv");
    let filter = format!("{conv}.blur.kernel");
    let y = modulated(a, &conv, x, w, up.then_some((filter.as_str(), 1.0)), true)?;
    let noise = a.param(&format!("noises.noise_{number}"))?;
    let strength = a.param(&format!("{name}.noise.weight"))?;
    let noise = a.push(&format!("{name}.noise"), Binary::Mul, &[noise, strength])?;
    let noisy = a.push(&format!("{name}.noisy"), Binary::Add, &[y, noise])?;
    let bias = a.param(&format!("{name}.activate.bias"))?;
    let biased = a.push(&format!("{name}.biased"), Op::AddChannel, &[noisy, bias])?;
    active(a, name, biased)
}

/// What an image gets at this size, added to what it had before, enlarged.
fn to_rgb(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, before: Option<NodeId>) -> Result<NodeId> {
    let y = modulated(a, &format!("{name}.conv"), x, w, None, false)?;
    let bias = a.param(&format!("{name}.bias"))?;
    let Some(before) = before else { return a.push(name, Binary::Add, &[y, bias]) };
    let biased = a.push(&format!("{name}.biased"), Binary::Add, &[y, bias])?;
    let filter = format!("{name}.upsample.kernel");
    let up = filtered(a, &format!("{name}.upsample"), &filter, 1.0, before, 2, [2, 1])?;
    a.push(name, Binary::Add, &[biased, up])
}

fn modulated(
    a: &mut Assembly,
    name: &str,
    x: NodeId,
    w: NodeId,
    up: Option<(&str, f64)>,
    divides: bool,
) -> Result<NodeId> {
    let modulation = format!("{name}.modulation");
    let gain = 1.0 / (features(a, &modulation)? as f64).sqrt();
    let style = linear(a, &modulation, &modulation, w, [gain, 1.0])?;
    let weight = format!("{name}.weight");
    let fan: usize = a.shape(&weight)?.iter().skip(2).product();
    Modulated { name, weight: &weight, factor: 1.0 / (fan as f64).sqrt(), style, divides, up }.build(a, x)
}
