//! Functions of two and more tensors, with broadcasting.

#![allow(clippy::redundant_closure_for_method_calls, reason = "rows of a table look alike, and have one lifetime")]

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{Primitive, Unary};
use tensor::Binary;

pub(super) const TABLE: &[Operator] = &[
    operator("Add", "", |w, c| pair(w, c, |w, a, b| w.add(a, b))),
    operator("And", "", |w, c| pair(w, c, |w, a, b| w.mul(a, b))),
    operator("Div", "", |w, c| pair(w, c, |w, a, b| w.div(a, b))),
    operator("Equal", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::Equal, a, b))),
    operator("Greater", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::Less, b, a))),
    operator("GreaterOrEqual", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::LessEqual, b, a))),
    operator("Less", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::Less, a, b))),
    operator("LessOrEqual", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::LessEqual, a, b))),
    operator("Max", "", |w, c| many(w, c, |w, a, b| w.binary(Binary::Max, a, b))),
    operator("Mean", "", |w, c| {
        let sum = many(w, c, |w, a, b| w.add(a, b))?.remove(0);
        let count = Value::scalar(c.inputs.len() as f64);
        Ok(vec![w.div(&sum, &count)?])
    }),
    operator("Min", "", |w, c| many(w, c, |w, a, b| w.binary(Binary::Min, a, b))),
    operator("Mod", "", modulo),
    operator("Mul", "", |w, c| pair(w, c, |w, a, b| w.mul(a, b))),
    operator("Or", "", |w, c| pair(w, c, |w, a, b| w.binary(Binary::Max, a, b))),
    operator("PRelu", "", prelu),
    operator("Pow", "", |w, c| pair(w, c, |w, a, b| w.power(a, b))),
    operator("Sub", "", |w, c| pair(w, c, |w, a, b| w.sub(a, b))),
    operator("Sum", "", |w, c| many(w, c, |w, a, b| w.add(a, b))),
    operator("Where", "", |w, c| {
        let (condition, a, b) = (c.needed(w, 0)?, c.needed(w, 1)?, c.needed(w, 2)?);
        Ok(vec![w.select(&condition, &a, &b)?])
    }),
    operator("Xor", "", |w, c| {
        pair(w, c, |w, a, b| {
            let difference = w.sub(a, b)?;
            w.unary(Unary::Abs, &difference)
        })
    }),
];

type Function = fn(&mut Writer, &Value, &Value) -> Result<Value>;

/// Opsets before 7 align the second input at an axis.
fn aligned(w: &mut Writer, call: &Call, a: &Value, b: Value) -> Result<Value> {
    if call.opset >= 7 || !call.flag("broadcast") || !call.has_attribute("axis") {
        return Ok(b);
    }
    let axis = call.axis(w, 0, w.rank(a))?;
    let behind = w.rank(a).saturating_sub(axis + w.rank(&b));
    let mut dims = w.dims(&b);
    dims.extend(std::iter::repeat_n(net::Dim::Fixed(1), behind));
    w.reshape(&b, dims)
}

fn pair(w: &mut Writer, call: &Call, function: Function) -> Result<Vec<Value>> {
    let (a, b) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let b = aligned(w, call, &a, b)?;
    Ok(vec![function(w, &a, &b)?])
}

fn many(w: &mut Writer, call: &Call, function: Function) -> Result<Vec<Value>> {
    let mut result = call.needed(w, 0)?;
    for place in 1..call.inputs.len() {
        let next = call.needed(w, place)?;
        result = function(w, &result, &next)?;
    }
    Ok(vec![result])
}

fn modulo(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (a, b) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let quotient = w.binary(Binary::Div, &a, &b)?;
    let whole = if call.flag("fmod") { w.truncated(&quotient)? } else { w.unary(Unary::Floor, &quotient)? };
    let whole = w.mul(&whole, &b)?;
    Ok(vec![w.sub(&a, &whole)?])
}

/// The slope of opset 6 is one for each channel.
fn prelu(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, mut slope) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let (dims, of_slope) = (w.dims(&x), w.dims(&slope));
    if call.opset < 7 && dims.len() > 2 && of_slope.len() == 1 && of_slope[0] == dims[1] {
        let mut wide = vec![net::Dim::Fixed(1); dims.len() - 1];
        wide[0] = of_slope[0];
        slope = w.reshape(&slope, wide)?;
    }
    let below = w.mul(&x, &slope)?;
    let zero = Value::scalar(0.0);
    let positive = w.binary(Binary::Less, &zero, &x)?;
    Ok(vec![w.select(&positive, &x, &below)?])
}

impl Writer<'_> {
    pub(crate) fn unary(&mut self, function: Unary, x: &Value) -> Result<Value> {
        self.apply(function, &[x])
    }

    pub(crate) fn binary(&mut self, function: Binary, a: &Value, b: &Value) -> Result<Value> {
        self.apply(function, &[a, b])
    }

    pub(crate) fn select(&mut self, condition: &Value, a: &Value, b: &Value) -> Result<Value> {
        self.apply(Primitive::Select, &[condition, a, b])
    }

    /// `x * factor`.
    pub(crate) fn scaled(&mut self, x: &Value, factor: f64) -> Result<Value> {
        if factor == 1.0 { Ok(x.clone()) } else { self.unary(Unary::Scale { factor }, x) }
    }

    /// `x + term`.
    pub(crate) fn shifted(&mut self, x: &Value, term: f64) -> Result<Value> {
        if term == 0.0 { Ok(x.clone()) } else { self.unary(Unary::AddScalar { term }, x) }
    }

    /// One number that meets every element of `x`.
    fn one_for_all(&self, value: &Value, x: &Value) -> Option<f64> {
        match (value, x) {
            (Value::Known(array), Value::Node(..)) if array.shape.len() <= self.rank(x) => match array.numbers[..] {
                [number] => number.known().filter(|value| value.is_finite()),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn add(&mut self, a: &Value, b: &Value) -> Result<Value> {
        match (self.one_for_all(a, b), self.one_for_all(b, a)) {
            (_, Some(term)) => self.unary(Unary::AddScalar { term }, a),
            (Some(term), _) => self.unary(Unary::AddScalar { term }, b),
            _ => self.binary(Binary::Add, a, b),
        }
    }

    pub(crate) fn sub(&mut self, a: &Value, b: &Value) -> Result<Value> {
        match (self.one_for_all(a, b), self.one_for_all(b, a)) {
            (_, Some(term)) => self.unary(Unary::AddScalar { term: -term }, a),
            (Some(term), _) => {
                let minus = self.unary(Unary::Scale { factor: -1.0 }, b)?;
                self.unary(Unary::AddScalar { term }, &minus)
            }
            _ => self.binary(Binary::Sub, a, b),
        }
    }

    pub(crate) fn mul(&mut self, a: &Value, b: &Value) -> Result<Value> {
        match (self.one_for_all(a, b), self.one_for_all(b, a)) {
            (_, Some(factor)) => self.unary(Unary::Scale { factor }, a),
            (Some(factor), _) => self.unary(Unary::Scale { factor }, b),
            _ => self.binary(Binary::Mul, a, b),
        }
    }

    /// Of whole numbers the whole part.
    pub(crate) fn div(&mut self, a: &Value, b: &Value) -> Result<Value> {
        if self.kind(a) == Kind::Whole {
            let quotient = self.binary(Binary::Div, a, b)?;
            return self.truncated(&quotient);
        }
        match self.one_for_all(b, a) {
            // A quotient by a power of two is exact either way.
            Some(divisor) if divisor != 0.0 && (1.0 / divisor).is_finite() => {
                self.unary(Unary::Scale { factor: 1.0 / divisor }, a)
            }
            _ => self.binary(Binary::Div, a, b),
        }
    }

    /// The numbers without what stands behind the point.
    pub(crate) fn truncated(&mut self, x: &Value) -> Result<Value> {
        if let Value::Known(array) = x {
            let mut array = Array::clone(array);
            array.numbers.iter_mut().filter(|n| n.batch == 0.0).for_each(|n| n.fixed = n.fixed.trunc());
            return Ok(array.into());
        }
        let sign = self.unary(Unary::Sign, x)?;
        let size = self.unary(Unary::Abs, x)?;
        let size = self.unary(Unary::Floor, &size)?;
        self.mul(&sign, &size)
    }

    /// `a` to the power of `b`; of usual exponents without logarithms, so that negative bases have one.
    pub(crate) fn power(&mut self, a: &Value, b: &Value) -> Result<Value> {
        let exponent = match b {
            Value::Known(_) | Value::Stored(_) if matches!(a, Value::Node(..)) => {
                let array = self.array(b)?;
                self.one_for_all(&Value::Known(array), a)
            }
            _ => None,
        };
        if exponent == Some(1.0) {
            return Ok(a.clone());
        }
        if exponent == Some(2.0) || exponent == Some(3.0) {
            let square = self.binary(Binary::Mul, a, a)?;
            return if exponent == Some(2.0) { Ok(square) } else { self.binary(Binary::Mul, &square, a) };
        }
        if exponent == Some(0.5) {
            return self.unary(Unary::Sqrt, a);
        }
        if exponent == Some(-1.0) {
            return self.unary(Unary::Recip, a);
        }
        let power = self.binary(Binary::Pow, a, b)?;
        Ok(power)
    }
}
