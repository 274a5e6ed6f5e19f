//! Segmenters that others trained: what goes in and comes out is brought to how it is here.
//!
//! Images here have three channels, red first, in [-1, 1], or one. Others are normalised by means and deviations, have blue first, another
//! size, or logits that are smaller than the image. What is needed to bridge that becomes part of the network.

use crate::Segmenter;
use base::{Error, Result};
use data::{Plane, classes_of};
use net::{
    AxisMap, Coordinates, Graph, Init, Interpolation, Network, NodeId, Op, Params, Primitive, Role, Tensor, Unary,
};
use std::sync::Arc;

/// How a network of others reads images.
#[derive(Clone, Debug, PartialEq)]
pub struct Reads {
    /// The values of black and of white, before means are taken off.
    pub range: [f64; 2],
    /// What is taken off each channel, in the order in which the network reads them: one number for each, one for all, or none.
    pub mean: Vec<f64>,
    /// What each is divided by then.
    pub deviation: Vec<f64>,
    /// Whether blue is the first channel.
    pub blue_first: bool,
}

/// Notes that hold the names of classes, as programs that export call them.
const CLASSES: [&str; 5] = ["classes", "class_names", "names", "labels", "id2label"];
const MEAN: [&str; 2] = ["mean", "image_mean"];
const DEVIATION: [&str; 3] = ["std", "image_std", "deviation"];
const RANGE: [&str; 2] = ["range", "input_range"];
const ORDER: [&str; 2] = ["input_space", "channel_order"];

impl Reads {
    /// Images as they are here.
    pub const HERE: Self = Self { range: [-1.0, 1.0], mean: Vec::new(), deviation: Vec::new(), blue_first: false };

    /// Values in [0, 1] with the means and deviations of ImageNet, as most networks that began with a trained encoder read them.
    pub fn image_net() -> Self {
        Self {
            range: [0.0, 1.0],
            mean: vec![0.485, 0.456, 0.406],
            deviation: vec![0.229, 0.224, 0.225],
            blue_first: false,
        }
    }

    /// With these means and deviations; their size says whether white is 1 or 255.
    pub fn normalised(mean: Vec<f64>, deviation: Vec<f64>) -> Self {
        let white = if mean.iter().chain(&deviation).any(|&number| number > 2.0) { 255.0 } else { 1.0 };
        Self { range: [0.0, white], mean, deviation, blue_first: false }
    }

    /// What the notes of a network say of it; nothing where they say nothing.
    ///
    /// # Errors
    /// A note is not understood.
    pub fn of_notes(notes: &[(String, String)]) -> Result<Option<Self>> {
        let numbers = |keys: &[&str]| -> Result<Option<Vec<f64>>> {
            let Some((key, text)) = find(notes, keys) else { return Ok(None) };
            numbers(text).map(Some).map_err(|reason| Error::setting(key.to_owned(), reason))
        };
        let (mean, deviation, range) = (numbers(&MEAN)?, numbers(&DEVIATION)?, numbers(&RANGE)?);
        let blue_first = find(notes, &ORDER).is_some_and(|(_, order)| order.trim().eq_ignore_ascii_case("bgr"));
        if mean.is_none() && deviation.is_none() && range.is_none() && !blue_first {
            return Ok(None);
        }
        let mut reads =
            Self { blue_first, ..Self::normalised(mean.unwrap_or_default(), deviation.unwrap_or_default()) };
        if let Some(range) = range {
            reads.range = range.try_into().map_err(|_| Error::setting("range", "is not two numbers"))?;
        }
        Ok(Some(reads))
    }
}

/// Numbers with commas between them, in brackets or not; `0..255` is a range of two.
///
/// # Errors
/// One is no number, or not finite; the reason follows the name of the setting.
pub fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let inside = text.trim().trim_start_matches(['[', '(']).trim_end_matches([']', ')']).replace("..", ",");
    let number = |word: &str| match word.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("{:?} is no number", word.trim())),
    };
    inside.split(',').map(number).collect()
}

fn find<'a>(notes: &'a [(String, String)], keys: &[&str]) -> Option<(&'a str, &'a str)> {
    let of_key = |wanted: &&str| notes.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted));
    keys.iter().find_map(of_key).map(|(key, value)| (key.as_str(), value.as_str()))
}

/// The classes that the notes of a network name, as exporting programs write them.
///
/// # Errors
/// They are not understood.
pub fn classes_of_notes(notes: &[(String, String)]) -> Result<Option<Plane>> {
    let Some((key, text)) = find(notes, &CLASSES) else { return Ok(None) };
    classes_of(text).map(Some).map_err(|reason| Error::setting(key.to_owned(), reason))
}

impl Segmenter {
    /// A network of others as a segmenter of images of the shape `images`, `[channels, height, width]`; without it, of the one that the
    /// network reads. Images of another size are brought to the network's, and logits to that of the image, linearly; one channel goes to
    /// all three. A network with one logit and two classes gives the second one's.
    ///
    /// The input keeps its name; what is made of it for the network is called `INPUT.normalised`.
    ///
    /// # Errors
    /// The network is not from an image to maps of logits for these classes, or means and deviations are not one for each channel.
    pub fn of_others(network: &Network, plane: Plane, reads: &Reads, images: Option<[usize; 3]>) -> Result<Self> {
        let wrong = |reason: String| Error::setting("segmenter", reason);
        let graph = &network.graph;
        let [input] = *graph.inputs() else {
            return Err(wrong(format!("reads {} inputs instead of one image", graph.inputs().len())));
        };
        let shape = network.input_shape();
        let &[channels, height, width] = shape.as_slice() else {
            return Err(wrong(format!("reads {shape:?} instead of an image")));
        };
        let read = [channels, height, width];
        let images = images.unwrap_or(read);
        let output = graph.sample_shapes()?[graph.output()].take().unwrap_or_default();
        if *reads == Reads::HERE && images == read && output == [plane.classes.len(), height, width] {
            return Self::new(network.clone(), vec![plane]);
        }
        let mut bridge = Bridge { old: network, graph: Graph::default(), tensors: Vec::new() };
        let mut weights = network.params.tensors().iter();
        let mut moved: Vec<NodeId> = Vec::with_capacity(graph.nodes().len());
        for (id, node) in graph.nodes().iter().enumerate() {
            if id == input {
                moved.push(bridge.image(images, read, reads, &node.name)?);
                continue;
            }
            let inputs: Vec<NodeId> = node.inputs.iter().map(|&input| moved[input]).collect();
            let value = bridge.graph.push_like(&node.name, node.op.clone(), &inputs, node.like.map(|like| moved[like]));
            node.units.into_iter().for_each(|axis| bridge.graph.set_unit_axis(value, axis));
            if matches!(node.op, Op::Param { .. }) {
                bridge.tensors.extend(weights.next().cloned());
            }
            moved.push(value);
        }
        let logits = bridge.logits(moved[graph.output()], &output, plane.classes.len(), [images[1], images[2]]);
        bridge.graph.set_output(logits);
        let notes = network.notes.clone();
        let network = Network { graph: Arc::new(bridge.graph), params: Params::new(bridge.tensors), notes };
        Self::new(network, vec![plane])
    }
}

/// A network that gets something before it and behind it.
struct Bridge<'a> {
    old: &'a Network,
    graph: Graph,
    tensors: Vec<Tensor>,
}

impl Bridge<'_> {
    /// A name that neither the network nor what was added has.
    fn fresh(&self, wish: &str) -> String {
        let free = |name: &String| self.old.graph.find(name).is_err() && self.graph.find(name).is_err();
        let numbered = (2..).map(|number: u64| format!("{wish}.{number}"));
        std::iter::once(wish.to_owned()).chain(numbered).find(free).unwrap_or_default()
    }

    fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let name = self.fresh(name);
        self.graph.push(name, op, inputs)
    }

    fn numbers(&mut self, name: &str, values: Vec<f32>) -> NodeId {
        let shape = vec![values.len()];
        let id = self.push(name, Op::Param { shape: shape.clone(), init: Init::Constant(0.0), trainable: false }, &[]);
        self.tensors.push(Tensor::new(&shape, values, &net::Device::cpu()));
        id
    }

    /// The image, an input of the name `name`, and all that makes of it what the network reads.
    fn image(&mut self, own: [usize; 3], wanted: [usize; 3], reads: &Reads, name: &str) -> Result<NodeId> {
        let input = Op::Input { shape: own.to_vec(), batch: true, role: Some(Role::Image), law: None };
        // No node before it can have its name: it is the network's own.
        let mut x = self.graph.push(name, input, &[]);
        match (own[0], wanted[0]) {
            (own, wanted) if own == wanted => {}
            (1, wanted) => x = self.push(&format!("{name}.channels"), Op::concat(1), &vec![x; wanted]),
            (own, wanted) => {
                let reason = format!("reads images of {wanted} channels; these have {own}");
                return Err(Error::setting("segmenter", reason));
            }
        }
        x = self.resized(&format!("{name}.resized"), x, [own[1], own[2]], [wanted[1], wanted[2]], true);
        if reads.blue_first && wanted[0] == 3 {
            x = self.push(&format!("{name}.bgr"), Primitive::Slice { axis: 1, start: 2, step: -1, length: 3 }, &[x]);
        }
        let of_channel = |numbers: &[f64], channel: usize, none: f64| match *numbers {
            [] => Ok(none),
            [one] => Ok(one),
            ref each if each.len() == wanted[0] => Ok(each[channel]),
            ref other => {
                let reason = format!("{} numbers for {} channels", other.len(), wanted[0]);
                Err(Error::setting("mean", reason).with_hint("Give one for each channel, or one for all."))
            }
        };
        let [black, white] = reads.range;
        let (mut scale, mut shift) = (Vec::new(), Vec::new());
        for channel in 0..wanted[0] {
            let mean = of_channel(&reads.mean, channel, 0.0)?;
            let deviation = of_channel(&reads.deviation, channel, 1.0)?;
            if deviation == 0.0 || white == black {
                return Err(Error::setting("std", "has a 0, by which nothing can be divided"));
            }
            scale.push((0.5 * (white - black) / deviation) as f32);
            shift.push(((0.5 * (white + black) - mean) / deviation) as f32);
        }
        let (scale, shift) =
            (self.numbers(&format!("{name}.scale"), scale), self.numbers(&format!("{name}.shift"), shift));
        let scaled = self.push(&format!("{name}.scaled"), Op::MulChannel, &[x, scale]);
        Ok(self.push(&format!("{name}.normalised"), Op::AddChannel, &[scaled, shift]))
    }

    /// The logits of `classes`, in the size of the image.
    fn logits(&mut self, logits: NodeId, found: &[usize], classes: usize, size: [usize; 2]) -> NodeId {
        let &[given, height, width] = found else { return logits };
        let mut x = logits;
        if given == 1 && classes == 2 {
            let nothing = self.push("logits.other", Unary::Scale { factor: 0.0 }, &[x]);
            x = self.push("logits.both", Op::concat(1), &[nothing, x]);
        }
        self.resized("logits", x, [height, width], size, false)
    }

    fn resized(&mut self, name: &str, mut x: NodeId, from: [usize; 2], to: [usize; 2], antialias: bool) -> NodeId {
        for (axis, part) in [(3, "wide"), (2, "high")] {
            if from[axis - 2] != to[axis - 2] {
                let map = AxisMap::Resize {
                    length: to[axis - 2],
                    coordinates: Coordinates::HalfPixel { scale: None },
                    interpolation: Interpolation::Linear { antialias, edge: false },
                };
                x = self.push(&format!("{name}.{part}"), Primitive::Along { axis, map }, &[x]);
            }
        }
        x
    }
}

#[cfg(test)]
mod tests;
