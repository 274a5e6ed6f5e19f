//! From latents and labels to styles: the mapping, and the truncation of what it gives.

use super::{EPSILON, active, affine, check_activation, features};
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Device, Dim, Law, NodeId, Op, Primitive};

/// How much more slowly a mapping learns: its weights are stored as much larger.
pub(super) const RATE: f64 = 0.01;

/// Numbers of a latent of which a mean is taken, at most: far above any real one.
const MOST_OF_LATENT: usize = 1 << 14;

/// Latents of which the mean of styles is taken where the file has none.
const LATENTS_OF_MEAN: usize = 4096;

/// NVIDIA's mapping: `z`, and where it reads labels `c`, to `w`.
pub(super) fn nvidia(a: &mut Assembly) -> Result<NodeId> {
    let embeds = a.has("mapping.embed.weight");
    let labelled = if embeds { a.shape("mapping.embed.weight")?.first().copied().unwrap_or_default() } else { 0 };
    let Some(latent) = features(a, "mapping.fc0")?.checked_sub(labelled).filter(|&latent| latent > 0) else {
        return Err(a.wrong("has a mapping that reads no latent"));
    };
    let z = a.latent("z", &[latent], Law::Normal)?;
    let mut w = a.push("mapping.norm", Op::PixelNorm { epsilon: EPSILON }, &[z])?;
    if embeds {
        let classes = features(a, "mapping.embed")?;
        let c = a.label("c", classes)?;
        let embedded = affine(a, "mapping.embed", "mapping.embed", c, 1.0)?;
        let embedded = a.push("mapping.embed.norm", Op::PixelNorm { epsilon: EPSILON }, &[embedded])?;
        w = a.push("mapping.both", Op::concat(1), &[w, embedded])?;
    }
    let mut layers = 0;
    while a.has(&format!("mapping.fc{layers}.weight")) {
        layers += 1;
    }
    for number in 0..layers {
        let name = format!("mapping.fc{number}");
        check_activation(a, &name)?;
        let wide = affine(a, &format!("{name}.linear"), &name, w, RATE)?;
        w = active(a, if number + 1 == layers { "w" } else { &name }, wide, None)?;
    }
    Ok(w)
}

/// The mean of styles that a mapping without labels gives, `[1, w]` as numbers: for files that have none. The last layer is `w`.
pub(super) fn mean(a: &Assembly, z: usize) -> Result<Vec<f32>> {
    if z > MOST_OF_LATENT {
        return Err(a.wrong(format!("has a mapping that reads {z} numbers; {MOST_OF_LATENT} are the most")));
    }
    let latents = Law::Normal.batch(LATENTS_OF_MEAN, &[z], 0, "mean style", 0, &Device::cpu());
    let styles = a.value("w", &latents)?.to_vec();
    let length = styles.len() / LATENTS_OF_MEAN;
    let mut sums = vec![0f64; length];
    for style in styles.chunks_exact(length.max(1)) {
        sums.iter_mut().zip(style).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    Ok(sums.into_iter().map(|sum| (sum / LATENTS_OF_MEAN as f64) as f32).collect())
}

/// The style of each layer: `ws = mean + truncation (w - mean)`, as `ws.0` and so on. `mean` is a parameter `[w]`.
pub(super) fn styles(a: &mut Assembly, w: NodeId, mean: NodeId, length: usize, layers: usize) -> Result<Vec<NodeId>> {
    let truncation = a.truncation("truncation", layers)?;
    let column = Primitive::Reshape { shape: vec![Dim::Fixed(layers), Dim::Fixed(1)] };
    let truncation = a.push("truncation.column", column, &[truncation])?;
    let centred = a.push("w.centred", Binary::Sub, &[w, mean])?;
    let row = a.push("w.row", Op::Reshape { shape: vec![1, length] }, &[centred])?;
    let truncated = a.push("w.truncated", Binary::Mul, &[row, truncation])?;
    let ws = a.push("ws", Binary::Add, &[truncated, mean])?;
    a.units_on(ws, 2);
    let layer = |number| {
        let row = a.push(&format!("ws.{number}.row"), Op::Narrow { axis: 1, start: number, len: 1 }, &[ws])?;
        a.push(&format!("ws.{number}"), Op::Reshape { shape: vec![length] }, &[row])
    };
    (0..layers).map(layer).collect()
}
