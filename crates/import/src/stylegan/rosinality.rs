//! With the names of rosinality's stylegan2-pytorch. After its `model.py`.

use super::modulated::{Form, Modulated};
use super::{EPSILON, Noise, active, features, filtered, linear, mapping};
use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Law, NodeId, Op};
use weights::StateDict;

/// What rosinality's checkpoints call the mean of styles, beside the network.
const MEAN: &str = "latent_avg";

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["style.1.weight", "input.input", "conv1.conv.modulation.weight", "to_rgb1.conv.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The generator with these tensors.
///
/// # Errors
/// They do not fit.
pub(crate) fn network(dict: &StateDict, noise: Noise) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let latent = features(&a, "style.1")?;
    let z = a.latent("z", &[latent], Law::Normal)?;
    let mut w = a.push("style.0", Op::PixelNorm { epsilon: EPSILON }, &[z])?;
    let mut depth = 0;
    while a.has(&format!("style.{}.weight", depth + 1)) {
        depth += 1;
    }
    for number in 1..=depth {
        let name = format!("style.{number}");
        let gain = mapping::RATE / (features(&a, &name)? as f64).sqrt();
        let wide = linear(&mut a, &format!("{name}.linear"), &name, w, [gain, mapping::RATE])?;
        w = active(&mut a, if number == depth { "w" } else { &name }, wide, None)?;
    }
    let mut doublings = 0;
    while a.has(&format!("convs.{}.conv.weight", 2 * doublings)) {
        doublings += 1;
    }
    let mean = match dict.beside(MEAN) {
        Some(mean) => mean.to_f32()?,
        None => {
            a.notice("the file has no mean of styles (latent_avg): truncation goes by that of 4096 latents");
            mapping::mean(&a, latent)?
        }
    };
    let length = mean.len();
    let mean = a.tensor("w.mean", &[length], mean, false)?;
    let ws = mapping::styles(&mut a, w, mean, length, 2 * doublings + 2)?;
    let start = a.param("input.input")?;
    let mut x = styled(&mut a, "conv1", start, ws[0], noise, 0, false)?;
    let mut image = to_rgb(&mut a, "to_rgb1", x, ws[1], None)?;
    for doubling in 0..doublings {
        let layer = 2 * doubling;
        x = styled(&mut a, &format!("convs.{layer}"), x, ws[layer + 1], noise, layer + 1, true)?;
        x = styled(&mut a, &format!("convs.{}", layer + 1), x, ws[layer + 2], noise, layer + 2, false)?;
        image = to_rgb(&mut a, &format!("to_rgbs.{doubling}"), x, ws[layer + 3], Some(image))?;
    }
    a.notice(noise.notice());
    a.finish(image, "stylegan2")
}

/// A modulated convolution with noise and an activation; `number` is that of its noise.
fn styled(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, noise: Noise, number: usize, up: bool) -> Result<NodeId> {
    let conv = format!("{name}.conv");
    let filter = format!("{conv}.blur.kernel");
    let y = modulated(a, &conv, x, w, if up { Form::Up(&filter, 1.0) } else { Form::Same }, true)?;
    let tensors = [format!("noises.noise_{number}"), format!("{name}.noise.weight")];
    let noisy = noise.add(a, name, tensors.each_ref().map(String::as_str), y)?;
    let bias = a.param(&format!("{name}.activate.bias"))?;
    let biased = a.push(&format!("{name}.biased"), Op::AddChannel, &[noisy, bias])?;
    active(a, name, biased, None)
}

/// What an image gets at this size, added to what it had before, enlarged.
fn to_rgb(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, before: Option<NodeId>) -> Result<NodeId> {
    let y = modulated(a, &format!("{name}.conv"), x, w, Form::Same, false)?;
    let bias = a.param(&format!("{name}.bias"))?;
    let Some(before) = before else { return a.push(name, Binary::Add, &[y, bias]) };
    let biased = a.push(&format!("{name}.biased"), Binary::Add, &[y, bias])?;
    let filter = format!("{name}.upsample.kernel");
    let up = filtered(a, &format!("{name}.upsample"), &filter, 1.0, before, 2, [2, 1])?;
    a.push(name, Binary::Add, &[biased, up])
}

fn modulated(a: &mut Assembly, name: &str, x: NodeId, w: NodeId, form: Form<'_>, divides: bool) -> Result<NodeId> {
    let modulation = format!("{name}.modulation");
    let gain = 1.0 / (features(a, &modulation)? as f64).sqrt();
    let style = linear(a, &modulation, &modulation, w, [gain, 1.0])?;
    let weight = format!("{name}.weight");
    let fan: usize = a.shape(&weight)?.iter().skip(2).product();
    Modulated { name, weight: &weight, factor: 1.0 / (fan as f64).sqrt(), style, divides, form }.build(a, x)
}
