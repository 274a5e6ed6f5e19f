//! Shapes of all nodes of a description before anything runs, with errors that a person can read.

use crate::{Error, Graph, Op, Result};
use tensor::{Dim, Mismatch, broadcast, count, maps, mismatch, shown};

/// Elements that a single value may have for one sample: 2^36 is 256 GiB of f32, above which a description is a mistake or an
/// attack.
const MOST_ELEMENTS: usize = 1 << 36;

impl Graph {
    /// The dimensions of every node, before the batch is known.
    ///
    /// # Errors
    /// A node cannot work on what it gets: the message names it, what it expects and what it found.
    pub fn dims(&self) -> Result<Vec<Vec<Dim>>> {
        let mut all: Vec<Vec<Dim>> = Vec::with_capacity(self.nodes().len());
        for node in self.nodes() {
            let inputs: Vec<&[Dim]> = node.inputs.iter().map(|&i| all[i].as_slice()).collect();
            let like = node.like.map(|i| all[i].as_slice());
            let wrong = |wrong| of_node(&node.name, node.op.name(), wrong);
            let dims = node.op.dims(&inputs, like).map_err(wrong)?;
            possible(&node.name, &dims)?;
            if let Some(axis) = node.units.filter(|&axis| axis == 0 || axis >= dims.len()) {
                return Err(wrong(mismatch(
                    "units on an axis behind the batch",
                    format!("axis {axis} of {}", shown(&dims)),
                )));
            }
            all.push(dims);
        }
        Ok(all)
    }

    /// The shape of every node for a batch of `batch`.
    ///
    /// # Errors
    /// As [`Graph::dims`], or a value would be too large.
    pub fn shapes(&self, batch: usize) -> Result<Vec<Vec<usize>>> {
        let dims = self.dims()?;
        self.nodes().iter().zip(&dims).map(|(node, dims)| at(&node.name, dims, batch)).collect()
    }

    /// What each node gives for one sample; `None` where its first axis is not the batch, or another one depends on it.
    ///
    /// # Errors
    /// As [`Graph::dims`].
    pub fn sample_shapes(&self) -> Result<Vec<Option<Vec<usize>>>> {
        let of_sample = |dims: Vec<Dim>| match dims[..] {
            [Dim::N, ref rest @ ..] => rest.iter().map(|dim| dim.fixed()).collect(),
            _ => None,
        };
        Ok(self.dims()?.into_iter().map(of_sample).collect())
    }
}

pub(crate) fn of_node(name: &str, op: &'static str, wrong: Mismatch) -> Error {
    Error::Shape { node: name.into(), op, expected: wrong.expected, found: wrong.found }
}

/// A shape for a batch.
pub(crate) fn at(name: &str, dims: &[Dim], batch: usize) -> Result<Vec<usize>> {
    let shape: Option<Vec<usize>> = dims.iter().map(|dim| dim.at(batch)).collect();
    // An axis of nothing does not make the others possible: products over some of the axes must be numbers, too.
    let elements = |shape: &Vec<usize>| shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
    let fits = |shape: &Vec<usize>| elements(shape).is_some_and(|n| n <= MOST_ELEMENTS);
    let impossible =
        || Error::Graph(format!("node {name} would have the impossible shape {} for {batch}", shown(dims)));
    shape.filter(fits).ok_or_else(impossible)
}

/// Whether a value of one sample can be, and is something: nobody means an axis without entries, and the latents, maps and kernels
/// that have one are the end of much that divides by their length.
pub(crate) fn possible(name: &str, dims: &[Dim]) -> Result<()> {
    at(name, dims, 1)
        .map_err(|_| Error::Graph(format!("node {name} would have the impossible shape {}", shown(dims))))?;
    if dims.iter().any(|dim| matches!(dim, Dim::Fixed(0) | Dim::Batch(0))) {
        return Err(Error::Graph(format!("node {name} has the shape {}, of which an axis has length 0", shown(dims))));
    }
    Ok(())
}

fn axis_of(dims: &[Dim], axis: usize) -> Result<Dim, Mismatch> {
    dims.get(axis).copied().ok_or_else(|| mismatch(format!("an axis {axis}"), shown(dims)))
}

fn matrix(dims: &[Dim]) -> Result<[Dim; 2], Mismatch> {
    match *dims {
        [rows, columns] => Ok([rows, columns]),
        _ => Err(mismatch("a matrix [rows, columns]", shown(dims))),
    }
}

fn per_channel(x: &[Dim], numbers: &[Dim]) -> Result<(), Mismatch> {
    match x.get(1) {
        Some(channels) if numbers == [*channels] => Ok(()),
        Some(channels) => {
            Err(mismatch(format!("[{channels}], one number per channel of {}", shown(x)), shown(numbers)))
        }
        None => Err(mismatch("something with channels", shown(x))),
    }
}

fn fixed(lengths: &[usize]) -> Vec<Dim> {
    lengths.iter().map(|&length| Dim::Fixed(length)).collect()
}

impl Op {
    /// The dimensions of the result, for those of the inputs and of the node whose shape it takes.
    ///
    /// # Errors
    /// It cannot work on them.
    pub fn dims(&self, inputs: &[&[Dim]], like: Option<&[Dim]>) -> Result<Vec<Dim>, Mismatch> {
        infer(self, inputs, like)
    }
}

fn infer(op: &Op, inputs: &[&[Dim]], like: Option<&[Dim]>) -> Result<Vec<Dim>, Mismatch> {
    let exactly = |wanted: usize| count(inputs, wanted..=wanted);
    let reference = || like.ok_or_else(|| mismatch("a node to take the shape from", "none"));
    match op {
        Op::Input { shape, batch, .. } => {
            exactly(0)?;
            Ok(if *batch { [&[Dim::N], fixed(shape).as_slice()].concat() } else { fixed(shape) })
        }
        Op::Param { shape, .. } => {
            exactly(0)?;
            Ok(fixed(shape))
        }
        Op::Linear => {
            count(inputs, 2..=3)?;
            let ([n, i], [o, wi]) = (matrix(inputs[0])?, matrix(inputs[1])?);
            if i != wi {
                let expected = format!("{wi} features, as the weights {} have", shown(inputs[1]));
                return Err(mismatch(expected, shown(inputs[0])));
            }
            inputs.get(2).map_or(Ok(()), |b| per_channel(&[n, o], b))?;
            Ok(vec![n, o])
        }
        Op::BatchNorm { .. } => {
            exactly(5)?;
            inputs[1..].iter().try_for_each(|v| per_channel(inputs[0], v))?;
            Ok(inputs[0].to_vec())
        }
        Op::SpectralNorm => {
            exactly(3)?;
            let rows = axis_of(inputs[0], 0)?;
            let columns = Dim::product(&inputs[0][1..]).ok_or_else(|| mismatch("weights", shown(inputs[0])))?;
            if *inputs[1] != [rows, Dim::Fixed(1)] || *inputs[2] != [columns, Dim::Fixed(1)] {
                let found = format!("{} and {}", shown(inputs[1]), shown(inputs[2]));
                return Err(mismatch(format!("singular vectors [{rows}, 1] and [{columns}, 1]"), found));
            }
            Ok(inputs[0].to_vec())
        }
        Op::MinibatchStd => {
            exactly(1)?;
            let (n, [c, h, w]) = maps(inputs[0])?;
            let more = c.checked_add(1).ok_or_else(|| mismatch("fewer channels", shown(inputs[0])))?;
            Ok([&[n], fixed(&[more, h, w]).as_slice()].concat())
        }
        Op::PixelNorm { .. } => {
            exactly(1)?;
            axis_of(inputs[0], 1)?;
            Ok(inputs[0].to_vec())
        }
        Op::AddChannel | Op::MulChannel => {
            exactly(2)?;
            per_channel(inputs[0], inputs[1])?;
            Ok(inputs[0].to_vec())
        }
        Op::ConvTranspose2d { conv, output_padding } => {
            count(inputs, 2..=3)?;
            let (n, [_, h, w]) = maps(inputs[0])?;
            let &[_, _, Dim::Fixed(kh), Dim::Fixed(kw)] = inputs[1] else {
                return Err(mismatch("weights [c, o, kh, kw]", shown(inputs[1])));
            };
            let most = (0..2).map(|axis| conv.stride[axis].max(conv.dilation[axis])).min().unwrap_or_default();
            if conv.stride.contains(&0) || conv.dilation.contains(&0) || *output_padding >= most {
                return Err(mismatch("a stride above the output padding", format!("{conv:?}")));
            }
            let size = match like {
                Some(like) => {
                    let (_, [_, oh, ow]) = maps(like)?;
                    Some([oh, ow])
                }
                None => conv.transposed_output([h, w], [kh, kw], [*output_padding; 2]),
            };
            let size = size.ok_or_else(|| mismatch("maps of which something is left", shown(inputs[0])))?;
            let dims = tensor::Primitive::ConvTranspose2d { conv: *conv, size }.shape(inputs)?;
            Ok([&[n], &dims[1..]].concat())
        }
        Op::Reshape { shape } => {
            exactly(1)?;
            let new = [&[axis_of(inputs[0], 0)?], fixed(shape).as_slice()].concat();
            tensor::Primitive::Reshape { shape: new }.shape(inputs)
        }
        Op::Narrow { axis, start, len } => {
            tensor::Primitive::Slice { axis: *axis, start: *start, step: 1, length: *len }.shape(inputs)
        }
        Op::Broadcast { .. } => {
            exactly(1)?;
            let like = reference()?;
            match broadcast(inputs[0], like) {
                Ok(wide) if wide == *like => Ok(wide),
                _ => Err(mismatch(format!("something that repeats to {}", shown(like)), shown(inputs[0]))),
            }
        }
        Op::UpsampleNearest { factor } => {
            exactly(1)?;
            let (n, [c, h, w]) = maps(inputs[0])?;
            match (h.checked_mul(*factor), w.checked_mul(*factor)) {
                (Some(h), Some(w)) if *factor > 0 => Ok([&[n], fixed(&[c, h, w]).as_slice()].concat()),
                _ => Err(mismatch("a factor that fits", factor.to_string())),
            }
        }
        Op::AvgPool { factor } => {
            exactly(1)?;
            let (n, [c, h, w]) = maps(inputs[0])?;
            if *factor == 0 || h % factor != 0 || w % factor != 0 {
                return Err(mismatch(format!("maps whose sides are multiples of {factor}"), shown(inputs[0])));
            }
            Ok([&[n], fixed(&[c, h / factor, w / factor]).as_slice()].concat())
        }
        Op::Primitive(primitive) => primitive.shape(inputs),
    }
}
