//! What is brought to mean 0, variance 1 or sum 1.

use super::{Operator, operator};
use crate::Result;
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Op, Primitive, Unary};
use tensor::{Binary, Reduction};

pub(super) const TABLE: &[Operator] = &[
    operator("BatchNormalization", "", batch),
    operator("GroupNormalization", "", group),
    operator("InstanceNormalization", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes: Vec<usize> = (2..w.rank(&x)).collect();
        let (mean, variance) = w.moments(&x, &axes)?;
        let normal = normalised(w, &x, &mean, &variance, c.float("epsilon", 1e-5))?.0;
        Ok(vec![scaled_and_shifted(w, c, &normal)?])
    }),
    operator("LRN", "", lrn),
    operator("LayerNormalization", "", layer),
    operator("LogSoftmax", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes = softmax_axes(w, c, &x)?;
        let (less, sum) = exponents(w, &x, &axes)?;
        let logarithm = w.unary(Unary::Log, &sum)?;
        Ok(vec![w.sub(&less, &logarithm)?])
    }),
    operator("LpNormalization", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axis = c.axis(w, -1, w.rank(&x))?;
        let norm = if c.int("p", 2) == 1 {
            let sizes = w.unary(Unary::Abs, &x)?;
            w.sum(&sizes, &[axis])?
        } else {
            let squares = w.mul(&x, &x)?;
            let sum = w.sum(&squares, &[axis])?;
            w.unary(Unary::Sqrt, &sum)?
        };
        // Nothing stays nothing.
        let (zero, one) = (Value::scalar(0.0), Value::scalar(1.0));
        let is_zero = w.binary(Binary::Equal, &norm, &zero)?;
        let divisor = w.select(&is_zero, &one, &norm)?;
        Ok(vec![w.div(&x, &divisor)?])
    }),
    operator("MeanVarianceNormalization", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes = w.axes(c.ints("axes").unwrap_or(&[0, 2, 3]), w.rank(&x))?;
        let (mean, variance) = w.moments(&x, &axes)?;
        let centred = w.sub(&x, &mean)?;
        let deviation = w.unary(Unary::Sqrt, &variance)?;
        let deviation = w.shifted(&deviation, 1e-9)?;
        Ok(vec![w.div(&centred, &deviation)?])
    }),
    operator("RMSNormalization", "", |w, c| {
        let (x, scale) = (c.needed(w, 0)?, c.needed(w, 1)?);
        let rank = w.rank(&x);
        let axes: Vec<usize> = (c.axis(w, -1, rank)?..rank).collect();
        let squares = w.mul(&x, &x)?;
        let mean = w.mean(&squares, &axes)?;
        let inverse = inverse_root(w, &mean, c.float("epsilon", 1e-5))?;
        let normal = w.mul(&x, &inverse)?;
        let y = w.mul(&normal, &scale)?;
        w.units(&y, rank.saturating_sub(1));
        Ok(vec![y])
    }),
    operator("Softmax", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes = softmax_axes(w, c, &x)?;
        Ok(vec![w.softmax(&x, &axes)?])
    }),
];

impl Writer<'_> {
    /// `e^x` over its sum along axes.
    pub(crate) fn softmax(&mut self, x: &Value, axes: &[usize]) -> Result<Value> {
        let (less, sum) = exponents(self, x, axes)?;
        let powers = self.unary(Unary::Exp, &less)?;
        self.div(&powers, &sum)
    }
}

/// All axes from one on before opset 13, one axis since.
fn softmax_axes(w: &Writer, call: &Call, x: &Value) -> Result<Vec<usize>> {
    let rank = w.rank(x);
    if call.opset >= 13 {
        return Ok(vec![call.axis(w, -1, rank)?]);
    }
    let axis = call.int("axis", 1);
    Ok((if axis == rank as i64 { rank } else { w.axis(axis, rank)? }..rank).collect())
}

/// The numbers below the greatest of them, and the sum of their powers of e.
fn exponents(w: &mut Writer, x: &Value, axes: &[usize]) -> Result<(Value, Value)> {
    let most = w.reduced(Reduction::Max, x, axes)?;
    let most = w.apply(Primitive::StopGradient, &[&most])?;
    let less = w.sub(x, &most)?;
    let powers = w.unary(Unary::Exp, &less)?;
    let sum = w.sum(&powers, axes)?;
    Ok((less, sum))
}

/// `1 / sqrt(x + epsilon)`.
fn inverse_root(w: &mut Writer, x: &Value, epsilon: f64) -> Result<Value> {
    let safe = w.shifted(x, epsilon)?;
    let root = w.unary(Unary::Sqrt, &safe)?;
    w.unary(Unary::Recip, &root)
}

/// `(x - mean) / sqrt(variance + epsilon)`, and the factor.
fn normalised(w: &mut Writer, x: &Value, mean: &Value, variance: &Value, epsilon: f64) -> Result<(Value, Value)> {
    let inverse = inverse_root(w, variance, epsilon)?;
    let centred = w.sub(x, mean)?;
    Ok((w.mul(&centred, &inverse)?, inverse))
}

/// Numbers of channels in the rank of `x`.
fn per_channel(w: &mut Writer, numbers: &Value, x: &Value) -> Result<Value> {
    let mut shape = vec![Dim::Fixed(1); w.rank(x).saturating_sub(1)];
    let channels = w.dims(numbers);
    match (shape.first_mut(), channels.as_slice()) {
        (Some(first), [length]) => *first = *length,
        _ => return Err(w.fault("one number for each channel is expected")),
    }
    w.reshape(numbers, shape)
}

/// The inputs 1 and 2 are scales and shifts of channels.
fn scaled_and_shifted(w: &mut Writer, call: &Call, x: &Value) -> Result<Value> {
    let (scale, shift) = (call.needed(w, 1)?, call.needed(w, 2)?);
    let (scale, shift) = (per_channel(w, &scale, x)?, per_channel(w, &shift, x)?);
    let scaled = w.mul(x, &scale)?;
    w.add(&scaled, &shift)
}

fn batch(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let inputs = (0..5).map(|place| call.needed(w, place)).collect::<Result<Vec<_>>>()?;
    let epsilon = call.float("epsilon", 1e-5);
    let more = call.node.outputs.iter().skip(1).any(|name| !name.is_empty());
    let training = match call.opset {
        14.. => call.flag("training_mode"),
        7.. => more,
        _ => more && !call.flag("is_test"),
    };
    let momentum = call.float("momentum", 0.9);
    if !training {
        // ONNX says which share of the old statistics stays, PyTorch which share is new.
        let op = Op::BatchNorm { epsilon, momentum: 1.0 - momentum };
        let inputs: Vec<&Value> = inputs.iter().collect();
        return Ok(vec![w.apply(op, &inputs)?]);
    }
    let x = &inputs[0];
    let axes: Vec<usize> = (0..w.rank(x)).filter(|&axis| axis != 1).collect();
    let (mean, variance) = w.moments(x, &axes)?;
    let normal = normalised(w, x, &mean, &variance, epsilon)?.0;
    let mut results = vec![scaled_and_shifted(w, call, &normal)?];
    for (now, old) in [(&mean, &inputs[3]), (&variance, &inputs[4])] {
        let dims = w.dims(old);
        let now = w.reshape(now, dims)?;
        let (now, old) = (w.scaled(&now, 1.0 - momentum)?, w.scaled(old, momentum)?);
        results.push(w.add(&now, &old)?);
    }
    Ok(results)
}

fn group(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let channels = w.fixed(&dims, 1)?;
    let groups = usize::try_from(call.int("num_groups", 0)).ok().filter(|&groups| groups > 0 && channels % groups == 0);
    let groups = groups.ok_or_else(|| w.fault(format!("{channels} channels cannot be grouped so")))?;
    let cells = Dim::product(&dims[2..]).and_then(|cells| cells.times(Dim::Fixed(channels / groups)));
    let cells = cells.ok_or_else(|| w.fault("it has too many elements"))?;
    let grouped = w.reshape(&x, vec![dims[0], Dim::Fixed(groups), cells])?;
    let (mean, variance) = w.moments(&grouped, &[2])?;
    let normal = normalised(w, &grouped, &mean, &variance, call.float("epsilon", 1e-5))?.0;
    // Opset 18 has a number for each group, 21 one for each channel.
    let of_groups = w.dims(&call.needed(w, 1)?) == [Dim::Fixed(groups)] && groups != channels;
    if of_groups {
        let y = scaled_and_shifted(w, call, &normal)?;
        return Ok(vec![w.reshape(&y, dims)?]);
    }
    let normal = w.reshape(&normal, dims)?;
    Ok(vec![scaled_and_shifted(w, call, &normal)?])
}

fn layer(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, scale) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let rank = w.rank(&x);
    let axes: Vec<usize> = (call.axis(w, -1, rank)?..rank).collect();
    let (mean, variance) = w.moments(&x, &axes)?;
    let (normal, inverse) = normalised(w, &x, &mean, &variance, call.float("epsilon", 1e-5))?;
    let mut y = w.mul(&normal, &scale)?;
    if call.has(2) {
        y = w.add(&y, &call.input(2))?;
    }
    w.units(&y, rank.saturating_sub(1));
    Ok(vec![y, mean, inverse])
}

/// Each channel over the sum of squares of its neighbours.
fn lrn(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let size = usize::try_from(call.int("size", 1)).ok().filter(|&size| size > 0 && size < 1 << 16);
    let size = size.ok_or_else(|| w.fault("its size cannot be"))?;
    let squares = w.mul(&x, &x)?;
    let (before, after) = ((size - 1) / 2, size / 2);
    let padding = [before as isize, after as isize];
    let map = AxisMap::Filter { taps: vec![1.0; size], up: 1, down: 1, padding };
    let sums = w.apply(Primitive::Along { axis: 1, map }, &[&squares])?;
    let scaled = w.scaled(&sums, call.float("alpha", 1e-4) / size as f64)?;
    let base = w.shifted(&scaled, call.float("bias", 1.0))?;
    let exponent = Value::scalar(call.float("beta", 0.75));
    let divisor = w.power(&base, &exponent)?;
    Ok(vec![w.div(&x, &divisor)?])
}
