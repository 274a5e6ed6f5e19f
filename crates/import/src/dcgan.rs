//! The DCGAN family: a linear layer or a transposed convolution to the smallest maps, layers that enlarge them, batch norm or none between.
//!
//! A state dict shows weights by name and shape. From these follow the order of the layers, kernels, channels, norms and the start; strides
//! follow from the kernels as this family has them. Activations have no tensors: they are the family's, and the notices say so.

use crate::Imported;
use crate::assembly::Assembly;
use base::{Error, Result};
use net::{Conv, Law, NodeId, Op, Unary};
use weights::StateDict;

const EPSILON: f64 = 1e-5;

/// A layer with tensors, as far as these show it.
#[derive(Debug)]
struct Layer {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `[out, in]`.
    Linear([usize; 2]),
    /// Weights `[a, b, k, k]` of a convolution `[out, in]` or of a transposed one `[in, out]`.
    Kernel([usize; 2], usize),
    /// Over so many channels.
    BatchNorm(usize),
}

/// The network of this family that has these tensors.
///
/// # Errors
/// They are another network's, or leave open which network is meant.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let layers = layers(dict)?;
    let mut family = Family { assembly: Assembly::new(dict), layers: &layers, enlarged: false };
    let x = family.build()?;
    family.assembly.notice(
        "activations leave no trace in a file of weights: taken are ReLU after each layer and tanh at the end, as DCGANs have them",
    );
    family.assembly.finish(x, "dcgan")
}

/// Whether the names and shapes look like this family's: a chain of layers from a latent, all of one kind of name.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    let Ok(layers) = layers(dict) else { return false };
    let kernels = layers.iter().filter(|layer| matches!(layer.kind, Kind::Kernel(..))).count();
    let starts = match layers.first().map(|layer| layer.kind) {
        Some(Kind::Linear([out, latent])) => out >= latent && latent > 1,
        // The maps shrink to an image, from more channels than an image has.
        Some(Kind::Kernel([a, b], k)) => a > 4 && b > 1 && k > 1,
        _ => false,
    };
    let image = layers.iter().rev().find_map(|layer| match layer.kind {
        Kind::Kernel([a, b], _) => Some(a.min(b)),
        _ => None,
    });
    starts && kernels > 1 && image.is_some_and(|channels| channels <= 4)
}

/// The layers in the order of the file.
fn layers(dict: &StateDict) -> Result<Vec<Layer>> {
    let wrong = |reason: String| Error::file(dict.path(), reason);
    let mut layers: Vec<Layer> = Vec::new();
    for (key, tensor) in dict.entries() {
        let (name, part) = key.rsplit_once('.').unwrap_or(("", key));
        let kind = match (part, tensor.shape()) {
            ("weight", &[out, into]) => Kind::Linear([out, into]),
            ("weight", &[a, b, h, w]) if h == w => Kind::Kernel([a, b], h),
            ("weight" | "running_mean", &[channels]) if dict.find(&format!("{name}.running_mean")).is_some() => {
                Kind::BatchNorm(channels)
            }
            ("bias" | "running_mean" | "running_var" | "num_batches_tracked", _) => continue,
            (_, shape) => {
                return Err(wrong(format!("has a tensor {key:?} of the shape {shape:?}, which no DCGAN has"))
                    .with_hint("Describe its layers in a file and give that by `spec`."));
            }
        };
        if layers.iter().all(|layer| layer.name != name) {
            layers.push(Layer { name: name.to_owned(), kind });
        }
    }
    // Files that sort names put `net.10` before `net.2`.
    if layers.is_sorted_by(|a, b| a.name < b.name) {
        layers.sort_by_cached_key(|layer| in_order(&layer.name));
    }
    Ok(layers)
}

/// A name by its parts, of which numbers count as numbers.
fn in_order(name: &str) -> Vec<(Option<u64>, String)> {
    name.split('.').map(|part| (part.parse().ok(), part.to_owned())).collect()
}

struct Family<'d, 'l> {
    assembly: Assembly<'d>,
    layers: &'l [Layer],
    /// Whether some layer made maps larger.
    enlarged: bool,
}

impl Family<'_, '_> {
    fn wrong(&self, reason: impl Into<String>) -> Error {
        self.assembly.wrong(reason).with_hint("Describe its layers in a file and give that by `spec`.")
    }

    /// Two readings of the same tensors.
    fn ambiguous(&self, layer: &str, choices: &[&str]) -> Error {
        let reason = format!("leaves open what layer {layer} is: {}", choices.join(", or "));
        self.wrong(reason)
    }

    fn build(&mut self) -> Result<NodeId> {
        let layers = self.layers;
        let Some((first, rest)) = layers.split_first() else { return Err(self.wrong("has no layers")) };
        let (mut x, mut channels, mut before, mut rest) = match first.kind {
            Kind::Linear([out, latent]) => self.linear_start(first, rest, [out, latent])?,
            Kind::Kernel([latent, channels], kernel) => {
                let z = self.assembly.latent("z", &[latent], Law::Normal)?;
                let point = self.assembly.push("z.point", Op::Reshape { shape: vec![latent, 1, 1] }, &[z])?;
                self.enlarged = kernel > 1;
                (self.assembly.deconv(&first.name, point, Conv::new(1, 0), 0)?, channels, first, rest)
            }
            Kind::BatchNorm(_) => return Err(self.wrong("begins with a norm, not with a layer that reads a latent")),
        };
        while let Some((layer, later)) = rest.split_first() {
            match layer.kind {
                Kind::BatchNorm(_) => x = self.assembly.batch_norm(&layer.name, x, EPSILON)?,
                Kind::Kernel(weights, kernel) => {
                    x = self.activation(x, &before.name)?;
                    (x, channels) = self.kernel(layer, before, x, channels, (weights, kernel))?;
                }
                Kind::Linear(_) => return Err(self.wrong(format!("has a linear layer {} between maps", layer.name))),
            }
            (before, rest) = (layer, later);
        }
        if !self.enlarged {
            let choices = ["maps are doubled before some of the convolutions", "maps are doubled before all of them"];
            return Err(self.ambiguous("0", &choices));
        }
        if ![1, 3].contains(&channels) {
            self.assembly.notice(format!("its images have {channels} channels"));
        }
        self.assembly.unary("x", Unary::Tanh, x)
    }

    /// A linear layer to the smallest maps; with it the norm over its features, where there is one.
    fn linear_start<'a>(
        &mut self,
        first: &'a Layer,
        rest: &'a [Layer],
        [out, latent]: [usize; 2],
    ) -> Result<(NodeId, usize, &'a Layer, &'a [Layer])> {
        let z = self.assembly.latent("z", &[latent], Law::Normal)?;
        let mut x = self.assembly.linear(&first.name, z)?;
        let mut rest = rest;
        let mut last = first;
        if let Some((norm, later)) = rest.split_first()
            && matches!(norm.kind, Kind::BatchNorm(features) if features == out)
        {
            x = self.assembly.batch_norm(&norm.name, x, EPSILON)?;
            (rest, last) = (later, norm);
        }
        // The maps are square, and as many as the next layer reads.
        let side = |channels: usize| {
            let cells = out.checked_div(channels).filter(|cells| cells * channels == out)?;
            Some(cells.isqrt()).filter(|side| side * side == cells)
        };
        let wanted: Vec<usize> = match rest.first().map(|layer| layer.kind) {
            Some(Kind::BatchNorm(channels)) => vec![channels],
            Some(Kind::Kernel([a, b], k)) if k % 2 == 0 => vec![a, b],
            Some(Kind::Kernel([a, b], _)) => vec![b, a],
            _ => Vec::new(),
        };
        let found = wanted.into_iter().find_map(|channels| Some((channels, side(channels)?)));
        let Some((channels, side)) = found else {
            return Err(self.wrong(format!("has a first layer {} whose {out} numbers are no square maps", first.name)));
        };
        // What follows acts on each number alone, or on maps.
        let x = self.assembly.push("maps", Op::Reshape { shape: vec![channels, side, side] }, &[x])?;
        Ok((x, channels, last, rest))
    }

    /// The activation after a layer, once.
    fn activation(&mut self, x: NodeId, after: &str) -> Result<NodeId> {
        let name = format!("{after}.relu");
        self.assembly.unary(&name, Unary::Relu, x)
    }

    /// A convolution or a transposed one, whichever reads the channels that there are.
    fn kernel(
        &mut self,
        layer: &Layer,
        before: &Layer,
        x: NodeId,
        channels: usize,
        ([a, b], kernel): ([usize; 2], usize),
    ) -> Result<(NodeId, usize)> {
        let name = &layer.name;
        let transposed = match (a == channels, b == channels) {
            (true, false) => true,
            (false, true) => false,
            // Even kernels are those of transposed convolutions, which double; 1 and 3 those that keep the size.
            (true, true) if kernel % 2 == 0 => true,
            (true, true) if kernel <= 3 => false,
            (true, true) => {
                let choices = ["a convolution that keeps the size", "a transposed convolution that doubles it"];
                return Err(self.ambiguous(name, &choices));
            }
            (false, false) => {
                let reason =
                    format!("has a layer {name} with weights [{a}, {b}, {kernel}, {kernel}] for {channels} maps");
                return Err(self.wrong(reason));
            }
        };
        if transposed {
            if kernel % 2 == 1 {
                let choices = ["a transposed convolution of stride 1", "one of stride 2 with output padding 1"];
                return Err(self.ambiguous(name, &choices));
            }
            self.enlarged = true;
            let conv = Conv::new(2, kernel / 2 - 1);
            return Ok((self.assembly.deconv(name, x, conv, 0)?, b));
        }
        if kernel % 2 == 0 {
            let choices = ["a convolution that makes maps smaller", "one with padding on one side"];
            return Err(self.ambiguous(name, &choices));
        }
        // Two layers without tensors between those of a sequence: an activation, and one that enlarges.
        let x = match missing(&before.name, name) {
            Some(2) => {
                self.assembly.notice(format!(
                    "before {name} two layers without weights stand: taken are an activation and a doubling of the maps"
                ));
                self.enlarged = true;
                self.assembly.push(&format!("{name}.up"), Op::UpsampleNearest { factor: 2 }, &[x])?
            }
            Some(more) if more > 2 => {
                return Err(self.wrong(format!("has {more} layers without weights before {name}, which nothing shows")));
            }
            _ => x,
        };
        Ok((self.assembly.conv(name, x, Conv::new(1, kernel / 2))?, a))
    }
}

/// How many layers of a sequence lie between two of them: 1 between `net.1` and `net.3`.
fn missing(before: &str, after: &str) -> Option<usize> {
    let parts = |name: &str| {
        let (sequence, number) = name.rsplit_once('.').unwrap_or(("", name));
        Some((sequence.to_owned(), number.parse::<usize>().ok()?))
    };
    let ((first, from), (second, to)) = (parts(before)?, parts(after)?);
    (first == second).then(|| to.checked_sub(from + 1)).flatten()
}
