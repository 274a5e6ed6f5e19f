//! Shapes of all nodes before anything runs, with errors that a person can read.

use crate::{Error, Graph, Node, Op, Result};

/// Elements that a single value may have: 2^36 is 256 GiB of f32, above which a description is a mistake or an attack.
const MOST_ELEMENTS: usize = 1 << 36;

impl Graph {
    /// The shape of every node for a batch of `batch`, batch first (parameters have none).
    ///
    /// # Errors
    /// A node cannot work on what it gets: the message names it, what it expects and what it found.
    pub fn shapes(&self, batch: usize) -> Result<Vec<Vec<usize>>> {
        let mut shapes: Vec<Vec<usize>> = Vec::with_capacity(self.nodes().len());
        for node in self.nodes() {
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|&i| shapes[i].as_slice()).collect();
            let like = node.like.map(|i| shapes[i].as_slice());
            let shape = infer(node, &inputs, like, batch).map_err(|(expected, found)| Error::Shape {
                node: node.name.clone(),
                op: node.op.name(),
                expected,
                found,
            })?;
            let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_ELEMENTS);
            if elements.is_none() {
                return Err(Error::Graph(format!("node {} would have the impossible shape {shape:?}", node.name)));
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

type Mismatch = (String, String);

fn infer(node: &Node, inputs: &[&[usize]], like: Option<&[usize]>, batch: usize) -> Result<Vec<usize>, Mismatch> {
    let wrong = |expected: &str, found: &[usize]| (expected.to_owned(), format!("{found:?}"));
    let count = |wanted: std::ops::RangeInclusive<usize>| {
        if wanted.contains(&inputs.len()) {
            return Ok(());
        }
        Err((format!("{} to {} inputs", wanted.start(), wanted.end()), format!("{}", inputs.len())))
    };
    let reference = || like.ok_or_else(|| ("a node to take the shape from".to_owned(), "none".to_owned()));
    let maps = |shape: &[usize]| match *shape {
        [n, c, h, w] => Ok([n, c, h, w]),
        _ => Err(wrong("maps [n, c, h, w]", shape)),
    };
    let matrix = |shape: &[usize]| match *shape {
        [a, b] => Ok([a, b]),
        _ => Err(wrong("a matrix [rows, columns]", shape)),
    };
    let per_channel = |x: &[usize], v: &[usize]| match x.get(1) {
        Some(c) if v == [*c] => Ok(()),
        Some(c) => Err((format!("[{c}], one number per channel of {x:?}"), format!("{v:?}"))),
        None => Err(wrong("something with channels", x)),
    };
    let same = |x: &[usize], y: &[usize]| {
        if x == y { Ok(()) } else { Err((format!("two inputs of one shape, {x:?}"), format!("{y:?}"))) }
    };
    let axis_of =
        |x: &[usize], axis: usize| x.get(axis).copied().ok_or_else(|| (format!("an axis {axis}"), format!("{x:?}")));
    let kernel = |w: &[usize], rows: usize, what: &str| match *w {
        [a, b, kh, kw] if a == rows => Ok((b, [kh, kw])),
        _ => Err((format!("weights [{rows}, .., kh, kw] ({what})"), format!("{w:?}"))),
    };

    match &node.op {
        Op::Input { shape, .. } => {
            count(0..=0)?;
            Ok([&[batch], shape.as_slice()].concat())
        }
        Op::Param { shape, .. } => {
            count(0..=0)?;
            Ok(shape.clone())
        }
        Op::Cotangent => Ok(reference()?.to_vec()),
        Op::Linear => {
            count(2..=3)?;
            let ([n, i], [o, wi]) = (matrix(inputs[0])?, matrix(inputs[1])?);
            if i != wi {
                return Err((
                    format!("{wi} features, as the weights {:?} have", inputs[1]),
                    format!("{:?}", inputs[0]),
                ));
            }
            inputs.get(2).map_or(Ok(()), |b| per_channel(&[n, o], b))?;
            Ok(vec![n, o])
        }
        Op::BatchNorm { .. } => {
            count(5..=5)?;
            inputs[1..].iter().try_for_each(|v| per_channel(inputs[0], v))?;
            Ok(inputs[0].to_vec())
        }
        Op::SpectralNorm => {
            count(3..=3)?;
            let rows = axis_of(inputs[0], 0)?;
            let columns: usize = inputs[0][1..].iter().product();
            if inputs[1] != [rows, 1] || inputs[2] != [columns, 1] {
                let found = format!("{:?} and {:?}", inputs[1], inputs[2]);
                return Err((format!("singular vectors [{rows}, 1] and [{columns}, 1]"), found));
            }
            Ok(inputs[0].to_vec())
        }
        Op::MinibatchStd => {
            count(1..=1)?;
            let [n, c, h, w] = maps(inputs[0])?;
            Ok(vec![n, c + 1, h, w])
        }
        Op::PixelNorm { .. } => {
            count(1..=1)?;
            axis_of(inputs[0], 1)?;
            Ok(inputs[0].to_vec())
        }
        Op::Relu
        | Op::Scale { .. }
        | Op::AddScalar { .. }
        | Op::LeakyRelu { .. }
        | Op::Tanh
        | Op::Sigmoid
        | Op::Sqrt
        | Op::Recip
        | Op::StopGradient => {
            count(1..=1)?;
            Ok(inputs[0].to_vec())
        }
        Op::Add | Op::Sub | Op::Mul | Op::LeakyReluGradient { .. } | Op::TanhGradient => {
            count(2..=2)?;
            same(inputs[0], inputs[1])?;
            Ok(inputs[0].to_vec())
        }
        Op::Conv2d { conv } => {
            count(2..=3)?;
            let [n, c, h, w] = maps(inputs[0])?;
            let &[o, wc, kh, kw] = inputs[1] else { return Err(wrong("weights [o, c, kh, kw]", inputs[1])) };
            if wc != c || conv.stride == 0 || conv.dilation == 0 {
                return Err((
                    format!("{wc} channels, as the weights {:?} have", inputs[1]),
                    format!("{:?}", inputs[0]),
                ));
            }
            inputs.get(2).map_or(Ok(()), |b| per_channel(&[n, o], b))?;
            match (conv.output(h, kh), conv.output(w, kw)) {
                (Some(oh), Some(ow)) => Ok(vec![n, o, oh, ow]),
                _ => {
                    Err((format!("maps of at least {kh} x {kw} pixels with their padding"), format!("{:?}", inputs[0])))
                }
            }
        }
        Op::ConvTranspose2d { conv, output_padding } => {
            count(2..=3)?;
            let [n, c, h, w] = maps(inputs[0])?;
            let (o, [kh, kw]) = kernel(inputs[1], c, "first the channels that come in")?;
            if conv.stride == 0 || conv.dilation == 0 || *output_padding >= conv.stride.max(conv.dilation) {
                return Err(("a stride above the output padding".into(), format!("{conv:?}")));
            }
            inputs.get(2).map_or(Ok(()), |b| per_channel(&[n, o], b))?;
            if let Some(like) = like {
                let [_, _, oh, ow] = maps(like)?;
                return Ok(vec![n, o, oh, ow]);
            }
            let out = |size, k| conv.transposed_output(size, k, *output_padding);
            match (out(h, kh), out(w, kw)) {
                (Some(oh), Some(ow)) => Ok(vec![n, o, oh, ow]),
                _ => Err(("maps that are larger than the padding takes away".into(), format!("{:?}", inputs[0]))),
            }
        }
        Op::ConvWeight { .. } => {
            count(2..=2)?;
            maps(inputs[0])?;
            maps(inputs[1])?;
            Ok(maps(reference()?)?.to_vec())
        }
        Op::MatMul { transpose_a, transpose_b } => {
            count(2..=2)?;
            let ([mut m, mut k], [mut l, mut n]) = (matrix(inputs[0])?, matrix(inputs[1])?);
            if *transpose_a {
                (m, k) = (k, m);
            }
            if *transpose_b {
                (l, n) = (n, l);
            }
            if k != l {
                return Err((format!("inner lengths that agree, {k}"), format!("{l}")));
            }
            Ok(vec![m, n])
        }
        Op::AddChannel | Op::MulChannel => {
            count(2..=2)?;
            per_channel(inputs[0], inputs[1])?;
            Ok(inputs[0].to_vec())
        }
        Op::ChannelSum => {
            count(1..=1)?;
            Ok(vec![axis_of(inputs[0], 1)?])
        }
        Op::ChannelDot => {
            count(2..=2)?;
            same(inputs[0], inputs[1])?;
            Ok(vec![axis_of(inputs[0], 1)?])
        }
        Op::ChannelSquares => {
            count(2..=2)?;
            per_channel(inputs[0], inputs[1])?;
            Ok(inputs[1].to_vec())
        }
        Op::ChannelBroadcast => {
            count(1..=1)?;
            per_channel(reference()?, inputs[0])?;
            Ok(reference()?.to_vec())
        }
        Op::Sum { axes } => {
            count(1..=1)?;
            let mut shape = inputs[0].to_vec();
            for &axis in axes {
                *shape.get_mut(axis).ok_or_else(|| (format!("an axis {axis}"), format!("{:?}", inputs[0])))? = 1;
            }
            Ok(shape)
        }
        Op::Broadcast { axes } => {
            count(1..=1)?;
            let like = reference()?;
            let fits = |a: usize, d: usize| if axes.contains(&a) { inputs[0][a] == 1 } else { inputs[0][a] == d };
            if like.len() != inputs[0].len() || !like.iter().enumerate().all(|(a, &d)| fits(a, d)) {
                return Err((format!("{like:?} but for 1 at axes {axes:?}"), format!("{:?}", inputs[0])));
            }
            Ok(like.to_vec())
        }
        Op::DivCount { .. } => {
            count(1..=1)?;
            reference()?;
            Ok(inputs[0].to_vec())
        }
        Op::Reshape { shape } => {
            count(1..=1)?;
            let first = axis_of(inputs[0], 0)?;
            let new = [&[first], shape.as_slice()].concat();
            if new.iter().product::<usize>() != inputs[0].iter().product::<usize>() {
                return Err((format!("as many elements as {new:?} has"), format!("{:?}", inputs[0])));
            }
            Ok(new)
        }
        Op::ReshapeLike => {
            count(1..=1)?;
            let like = reference()?;
            if like.iter().product::<usize>() != inputs[0].iter().product::<usize>() {
                return Err((format!("as many elements as {like:?} has"), format!("{:?}", inputs[0])));
            }
            Ok(like.to_vec())
        }
        Op::Concat { axis } => {
            count(1..=64)?;
            let mut shape = inputs[0].to_vec();
            axis_of(&shape, *axis)?;
            shape[*axis] = 0;
            for input in inputs {
                let mut rest = input.to_vec();
                let len = axis_of(&rest, *axis)?;
                rest[*axis] = shape[*axis];
                same(&shape, &rest)?;
                shape[*axis] += len;
            }
            Ok(shape)
        }
        Op::Narrow { axis, start, len } => {
            count(1..=1)?;
            if start.checked_add(*len).is_none_or(|end| axis_of(inputs[0], *axis).map_or(true, |d| end > d)) {
                return Err((
                    format!("at least {} entries along axis {axis}", start.saturating_add(*len)),
                    format!("{:?}", inputs[0]),
                ));
            }
            let mut shape = inputs[0].to_vec();
            shape[*axis] = *len;
            Ok(shape)
        }
        Op::Embed { axis, start } => {
            count(1..=1)?;
            let like = reference()?;
            if start + axis_of(inputs[0], *axis)? > axis_of(like, *axis)? {
                return Err((format!("room in {like:?}"), format!("{:?} from {start} on", inputs[0])));
            }
            Ok(like.to_vec())
        }
        Op::UpsampleNearest { factor } => {
            count(1..=1)?;
            let [n, c, h, w] = maps(inputs[0])?;
            match (h.checked_mul(*factor), w.checked_mul(*factor)) {
                (Some(h), Some(w)) if *factor > 0 => Ok(vec![n, c, h, w]),
                _ => Err(wrong("a factor that fits", &[*factor])),
            }
        }
        Op::SumPool { factor } | Op::AvgPool { factor } => {
            count(1..=1)?;
            let [n, c, h, w] = maps(inputs[0])?;
            if *factor == 0 || h % factor != 0 || w % factor != 0 {
                return Err((format!("maps whose sides are multiples of {factor}"), format!("{:?}", inputs[0])));
            }
            Ok(vec![n, c, h / factor, w / factor])
        }
    }
}
