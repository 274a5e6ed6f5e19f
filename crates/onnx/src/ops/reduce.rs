//! One number of many along axes.

#![allow(clippy::redundant_closure_for_method_calls, reason = "rows of a table look alike, and have one lifetime")]

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Primitive, Unary};
use tensor::{Binary, Reduction};

pub(super) const TABLE: &[Operator] = &[
    operator("ArgMax", "", |w, c| arg(w, c, Reduction::Max)),
    operator("ArgMin", "", |w, c| arg(w, c, Reduction::Min)),
    operator("CumSum", "", |w, c| {
        let (x, axis) = (c.needed(w, 0)?, c.needed(w, 1)?);
        let axis = w.number(&axis)? as i64;
        let axis = w.axis(axis, w.rank(&x))?;
        let map = AxisMap::Cumulative { exclusive: c.flag("exclusive"), reverse: c.flag("reverse") };
        Ok(vec![w.apply(Primitive::Along { axis, map }, &[&x])?])
    }),
    operator("ReduceL1", "", |w, c| {
        reduce(w, c, |w, x, axes| {
            let sizes = w.unary(Unary::Abs, x)?;
            w.sum(&sizes, axes)
        })
    }),
    operator("ReduceL2", "", |w, c| {
        reduce(w, c, |w, x, axes| {
            let sum = sum_of_squares(w, x, axes)?;
            w.unary(Unary::Sqrt, &sum)
        })
    }),
    operator("ReduceLogSum", "", |w, c| {
        reduce(w, c, |w, x, axes| {
            let sum = w.sum(x, axes)?;
            w.unary(Unary::Log, &sum)
        })
    }),
    operator("ReduceLogSumExp", "", |w, c| {
        reduce(w, c, |w, x, axes| {
            let most = w.reduced(Reduction::Max, x, axes)?;
            let most = w.apply(Primitive::StopGradient, &[&most])?;
            let less = w.sub(x, &most)?;
            let powers = w.unary(Unary::Exp, &less)?;
            let sum = w.sum(&powers, axes)?;
            let logarithm = w.unary(Unary::Log, &sum)?;
            w.add(&logarithm, &most)
        })
    }),
    operator("ReduceMax", "", |w, c| reduce(w, c, |w, x, axes| w.reduced(Reduction::Max, x, axes))),
    operator("ReduceMean", "", |w, c| reduce(w, c, |w, x, axes| w.mean(x, axes))),
    operator("ReduceMin", "", |w, c| reduce(w, c, |w, x, axes| w.reduced(Reduction::Min, x, axes))),
    operator("ReduceProd", "", |w, c| reduce(w, c, product)),
    operator("ReduceSum", "", |w, c| reduce(w, c, |w, x, axes| w.sum(x, axes))),
    operator("ReduceSumSquare", "", |w, c| reduce(w, c, sum_of_squares)),
];

impl Writer<'_> {
    /// Over axes, each kept with length 1.
    pub(crate) fn reduced(&mut self, reduction: Reduction, x: &Value, axes: &[usize]) -> Result<Value> {
        if axes.is_empty() {
            return Ok(x.clone());
        }
        self.apply(Primitive::Reduce { reduction, axes: axes.to_vec() }, &[x])
    }

    pub(crate) fn sum(&mut self, x: &Value, axes: &[usize]) -> Result<Value> {
        self.reduced(Reduction::Sum, x, axes)
    }

    /// How many elements there are along axes.
    pub(crate) fn count(&self, x: &Value, axes: &[usize]) -> Result<Dim> {
        let dims = self.dims(x);
        let along: Vec<Dim> = axes.iter().map(|&axis| dims[axis]).collect();
        Dim::product(&along).ok_or_else(|| self.fault("it has too many elements"))
    }

    pub(crate) fn mean(&mut self, x: &Value, axes: &[usize]) -> Result<Value> {
        let count = self.count(x, axes)?;
        let sum = self.sum(x, axes)?;
        self.apply(Primitive::DivideByCount { count, minus: 0 }, &[&sum])
    }

    /// The mean over axes, and the mean of the squared distances from it.
    pub(crate) fn moments(&mut self, x: &Value, axes: &[usize]) -> Result<(Value, Value)> {
        let mean = self.mean(x, axes)?;
        let count = self.count(x, axes)?;
        let squares = self.apply(Primitive::CentredSquares { axes: axes.to_vec() }, &[x, &mean])?;
        let variance = self.apply(Primitive::DivideByCount { count, minus: 0 }, &[&squares])?;
        Ok((mean, variance))
    }
}

type Reduce = fn(&mut Writer, &Value, &[usize]) -> Result<Value>;

/// Axes are an attribute before opset 13 or 18, an input since.
fn reduce(w: &mut Writer, call: &Call, function: Reduce) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let rank = w.rank(&x);
    let axes = call.list(w, "axes", 1)?.unwrap_or_default();
    let axes =
        if axes.is_empty() && !call.flag("noop_with_empty_axes") { (0..rank).collect() } else { w.axes(&axes, rank)? };
    let result = function(w, &x, &axes)?;
    Ok(vec![without(w, &result, &axes, call.int("keepdims", 1) != 0)?])
}

/// The same without axes of length 1, unless they are kept.
fn without(w: &mut Writer, x: &Value, axes: &[usize], keep: bool) -> Result<Value> {
    if keep {
        return Ok(x.clone());
    }
    let dims = w.dims(x);
    let kept = (0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect();
    w.reshape(x, kept)
}

fn sum_of_squares(w: &mut Writer, x: &Value, axes: &[usize]) -> Result<Value> {
    let squares = w.mul(x, x)?;
    w.sum(&squares, axes)
}

/// Both halves of an axis times each other, until one entry is left.
fn product(w: &mut Writer, x: &Value, axes: &[usize]) -> Result<Value> {
    let mut x = x.clone();
    for &axis in axes {
        loop {
            let length = w.fixed(&w.dims(&x), axis)?;
            if length <= 1 {
                break;
            }
            let half = length / 2;
            let (first, second) = (w.sliced(&x, axis, 0, 1, half)?, w.sliced(&x, axis, half, 1, half)?);
            let both = w.mul(&first, &second)?;
            x = if length % 2 == 0 {
                both
            } else {
                let last = w.sliced(&x, axis, length - 1, 1, 1)?;
                w.concat(&[both, last], axis)?
            };
        }
    }
    Ok(x)
}

/// The number of the first greatest or least entry, or of the last one.
fn arg(w: &mut Writer, call: &Call, reduction: Reduction) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let axis = call.axis(w, 0, dims.len())?;
    let length = w.fixed(&dims, axis)?;
    if length > 1 << 20 {
        return Err(w.fault(format!("{length} entries are too many to choose from")));
    }
    let best = w.reduced(reduction, &x, &[axis])?;
    let is_best = w.binary(Binary::Equal, &x, &best)?;
    let mut shape = vec![Dim::Fixed(1); dims.len()];
    shape[axis] = Dim::Fixed(length);
    let numbers: Value = Array::list(0..length as i64).into();
    let numbers = w.reshape(&numbers, shape)?;
    let last = call.flag("select_last_index");
    let (elsewhere, which) = if last { (-1.0, Reduction::Max) } else { (length as f64, Reduction::Min) };
    let elsewhere: Value = Array::scalar(Kind::Whole, elsewhere).into();
    let numbers = w.select(&is_best, &numbers, &elsewhere)?;
    let found = w.reduced(which, &numbers, &[axis])?;
    Ok(vec![without(w, &found, &[axis], call.int("keepdims", 1) != 0)?])
}
