//! ProGAN generators: those of GAN Dissection (`layerN.conv.weight`, and older ones `features.N.conv.weight`), and those of pro-gan-pth
//! (`layers.N.conv_1.weight`). Equalised learning rate: weights are scaled at run time. Karras et al., arXiv 1710.10196.

use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Conv, Law, NodeId, Op, Unary};
use weights::StateDict;

const EPSILON: f64 = 1e-8;

/// Whether the names are those of GAN Dissection.
pub(crate) fn is_dissection(dict: &StateDict) -> bool {
    dict.find("layer1.conv.weight").or_else(|| dict.find("features.0.conv.weight")).is_some()
}

/// Whether the names are those of pro-gan-pth.
pub(crate) fn is_pth(dict: &StateDict) -> bool {
    dict.find("layers.0.conv_1.weight").is_some() && dict.find("rgb_converters.0.weight").is_some()
}

fn pixel_norm(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    a.push(name, Op::PixelNorm { epsilon: EPSILON }, &[x])
}

fn leaky(a: &mut Assembly, name: &str, x: NodeId) -> Result<NodeId> {
    a.unary(name, Unary::LeakyRelu { slope: 0.2 }, x)
}

/// Weights that are scaled at run time.
fn scaled(a: &mut Assembly, key: &str, factor: f64) -> Result<NodeId> {
    let weight = a.param(key)?;
    a.unary(&format!("{key}.scaled"), Unary::Scale { factor }, weight)
}

/// The shape of a kernel: two numbers of channels and its side.
fn kernel(a: &Assembly, key: &str) -> Result<[usize; 3]> {
    match *a.shape(key)? {
        [o, i, h, w] if h == w => Ok([o, i, h]),
        ref other => Err(a.wrong(format!("has a tensor {key:?} of the shape {other:?}, which is no square kernel"))),
    }
}

/// The generator of GAN Dissection. `layerN` is what its program calls so: the maps after `LeakyReLU` and before the next pixel norm.
///
/// # Errors
/// The tensors do not fit.
pub(crate) fn dissection(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let is_old = a.has("features.0.conv.weight");
    let layer = |number: usize| if is_old { format!("features.{}", number - 1) } else { format!("layer{number}") };
    let key = |number: usize| format!("{}.conv.weight", layer(number));
    let [_, latent, _] = kernel(&a, &key(1))?;
    let z = a.latent("z", &[latent], Law::Normal)?;
    let mut x = a.push("z.point", Op::Reshape { shape: vec![latent, 1, 1] }, &[z])?;
    let (mut number, mut side) = (1, 4);
    while a.has(&key(number)) {
        let name = layer(number);
        let [_, channels, k] = kernel(&a, &key(number))?;
        x = pixel_norm(&mut a, &format!("{name}.norm"), x)?;
        if number % 2 == 1 && number > 1 {
            x = a.push(&format!("{name}.up"), Op::UpsampleNearest { factor: 2 }, &[x])?;
            side *= 2;
        }
        let factor = (2.0 / channels as f64).sqrt() / k as f64;
        let weight = scaled(&mut a, &key(number), factor)?;
        let bias = a.param(&format!("{name}.wscale.b"))?;
        // The first one spreads the latent over its kernel.
        let padding = if number == 1 { k - 1 } else { k / 2 };
        x = a.push(&format!("{name}.conv"), Op::conv2d(Conv::new(1, padding)), &[x, weight, bias])?;
        x = leaky(&mut a, &name, x)?;
        number += 1;
    }
    let output = if is_old { "output".to_owned() } else { format!("output_{side}x{side}") };
    let key = format!("{output}.conv.weight");
    let [_, channels, _] = kernel(&a, &key)?;
    x = pixel_norm(&mut a, &format!("{output}.norm"), x)?;
    let weight = scaled(&mut a, &key, 1.0 / (channels as f64).sqrt())?;
    let bias = a.param(&format!("{output}.wscale.b"))?;
    x = a.push(&output, Op::conv2d(Conv::new(1, 0)), &[x, weight, bias])?;
    a.finish(x, "progan")
}

/// The generator of pro-gan-pth at its full size, with the last layers faded in wholly.
///
/// # Errors
/// The tensors do not fit.
pub(crate) fn pth(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let [latent, _, _] = kernel(&a, "layers.0.conv_1.weight")?;
    let z = a.latent("z", &[latent], Law::Normal)?;
    let point = a.push("z.point", Op::Reshape { shape: vec![latent, 1, 1] }, &[z])?;
    let mut x = pixel_norm(&mut a, "z.norm", point)?;
    let mut number = 0;
    while a.has(&format!("layers.{number}.conv_1.weight")) {
        let at = |part: &str| format!("layers.{number}.{part}");
        if number > 0 {
            x = a.push(&at("up"), Op::UpsampleNearest { factor: 2 }, &[x])?;
        }
        for part in ["conv_1", "conv_2"] {
            let name = at(part);
            let key = format!("{name}.weight");
            let [o, i, k] = kernel(&a, &key)?;
            let is_first = number == 0 && part == "conv_1";
            // A transposed convolution of one point: its weights are [in, out].
            let fan = if is_first { o } else { i * k * k };
            let weight = scaled(&mut a, &key, (2.0 / fan as f64).sqrt())?;
            let bias = a.param(&format!("{name}.bias"))?;
            let op = if is_first {
                Op::ConvTranspose2d { conv: Conv::new(1, 0), output_padding: 0 }
            } else {
                Op::conv2d(Conv::new(1, k / 2))
            };
            x = a.push(&name, op, &[x, weight, bias])?;
            x = leaky(&mut a, &format!("{name}.lrelu"), x)?;
            // In the first block only the end is normalised.
            if !is_first {
                x = pixel_norm(&mut a, &format!("{name}.norm"), x)?;
            }
        }
        number += 1;
    }
    let last = format!("rgb_converters.{}", number - 1);
    let [_, i, k] = kernel(&a, &format!("{last}.weight"))?;
    let weight = scaled(&mut a, &format!("{last}.weight"), (2.0 / (i * k * k) as f64).sqrt())?;
    let bias = a.param(&format!("{last}.bias"))?;
    let x = a.push(&last, Op::conv2d(Conv::new(1, 0)), &[x, weight, bias])?;
    for earlier in 0..number - 1 {
        a.leave(&format!("rgb_converters.{earlier}"));
    }
    a.finish(x, "pro-gan-pth")
}
