//! Functions of each element.

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::data::Type;
use crate::writer::{Value, Writer};
use net::Unary;
use std::f64::consts::{FRAC_1_SQRT_2, PI};
use tensor::Binary;

pub(super) const TABLE: &[Operator] = &[
    operator("Abs", "", |w, c| one(w, c, Unary::Abs)),
    operator("Cast", "numbers of 16 bits are computed in 32", |w, c| {
        let x = c.needed(w, 0)?;
        let kind = Type::of(c.int("to", 0)).map(Type::kind);
        let kind = kind.ok_or_else(|| w.fault(format!("the type number {} is not known here", c.int("to", 0))))?;
        Ok(vec![cast(w, &x, kind)?])
    }),
    operator("CastLike", "numbers of 16 bits are computed in 32", |w, c| {
        let (x, like) = (c.needed(w, 0)?, c.needed(w, 1)?);
        let kind = w.kind(&like);
        Ok(vec![cast(w, &x, kind)?])
    }),
    operator("Ceil", "", |w, c| one(w, c, Unary::Ceil)),
    operator("Celu", "", |w, c| {
        let alpha = c.float("alpha", 1.0);
        let x = c.needed(w, 0)?;
        let scaled = w.scaled(&x, 1.0 / alpha)?;
        let elu = w.unary(Unary::Elu { alpha: 1.0 }, &scaled)?;
        Ok(vec![w.scaled(&elu, alpha)?])
    }),
    operator("Clip", "", clip),
    operator("Cos", "", |w, c| one(w, c, Unary::Cos)),
    operator("Cosh", "", |w, c| {
        let (up, down) = powers_of_e(w, c)?;
        let sum = w.add(&up, &down)?;
        Ok(vec![w.scaled(&sum, 0.5)?])
    }),
    operator("Dropout", "passes its input on", |w, c| {
        let x = c.needed(w, 0)?;
        let mask = match w.dims(&x).iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>() {
            Some(shape) if c.node.outputs.len() > 1 && shape.iter().product::<usize>() <= 1 << 16 => {
                let count = shape.iter().product();
                Array::of(shape, Kind::Truth, vec![1.0; count]).into()
            }
            _ => Value::Absent,
        };
        Ok(vec![x, mask])
    }),
    operator("Elu", "", |w, c| one(w, c, Unary::Elu { alpha: c.float("alpha", 1.0) })),
    operator("Erf", "", |w, c| one(w, c, Unary::Erf)),
    operator("Exp", "", |w, c| one(w, c, Unary::Exp)),
    operator("Floor", "", |w, c| one(w, c, Unary::Floor)),
    operator("Gelu", "", gelu),
    operator("HardSigmoid", "", |w, c| {
        let x = c.needed(w, 0)?;
        Ok(vec![hard_sigmoid(w, &x, c.float("alpha", 0.2), c.float("beta", 0.5))?])
    }),
    operator("HardSwish", "", |w, c| {
        let x = c.needed(w, 0)?;
        let gate = hard_sigmoid(w, &x, 1.0 / 6.0, 0.5)?;
        Ok(vec![w.mul(&x, &gate)?])
    }),
    operator("Identity", "", |w, c| Ok(vec![c.needed(w, 0)?])),
    operator("IsNaN", "", |w, c| {
        let x = c.needed(w, 0)?;
        let is_number = w.binary(Binary::Equal, &x, &x)?;
        Ok(vec![not(w, &is_number)?])
    }),
    operator("LeakyRelu", "", |w, c| one(w, c, Unary::LeakyRelu { slope: c.float("alpha", 0.01) })),
    operator("Log", "", |w, c| one(w, c, Unary::Log)),
    operator("Mish", "", |w, c| {
        let x = c.needed(w, 0)?;
        let gate = w.unary(Unary::Softplus, &x)?;
        let gate = w.unary(Unary::Tanh, &gate)?;
        Ok(vec![w.mul(&x, &gate)?])
    }),
    operator("Neg", "", |w, c| one(w, c, Unary::Scale { factor: -1.0 })),
    operator("Not", "", |w, c| {
        let x = c.needed(w, 0)?;
        Ok(vec![not(w, &x)?])
    }),
    operator("Reciprocal", "", |w, c| one(w, c, Unary::Recip)),
    operator("Relu", "", |w, c| one(w, c, Unary::Relu)),
    operator("Round", "", |w, c| one(w, c, Unary::Round)),
    operator("Selu", "", selu),
    operator("Shrink", "", shrink),
    operator("Sigmoid", "", |w, c| one(w, c, Unary::Sigmoid)),
    operator("Sign", "", |w, c| one(w, c, Unary::Sign)),
    operator("Sin", "", |w, c| one(w, c, Unary::Sin)),
    operator("Sinh", "", |w, c| {
        let (up, down) = powers_of_e(w, c)?;
        let difference = w.sub(&up, &down)?;
        Ok(vec![w.scaled(&difference, 0.5)?])
    }),
    operator("Softplus", "", |w, c| one(w, c, Unary::Softplus)),
    operator("Softsign", "", |w, c| {
        let x = c.needed(w, 0)?;
        let size = w.unary(Unary::Abs, &x)?;
        let divisor = w.shifted(&size, 1.0)?;
        Ok(vec![w.div(&x, &divisor)?])
    }),
    operator("Sqrt", "", |w, c| one(w, c, Unary::Sqrt)),
    operator("Swish", "", |w, c| {
        let x = c.needed(w, 0)?;
        let scaled = w.scaled(&x, c.float("alpha", 1.0))?;
        let gate = w.unary(Unary::Sigmoid, &scaled)?;
        Ok(vec![w.mul(&x, &gate)?])
    }),
    operator("Tan", "", |w, c| {
        let x = c.needed(w, 0)?;
        let (sine, cosine) = (w.unary(Unary::Sin, &x)?, w.unary(Unary::Cos, &x)?);
        Ok(vec![w.div(&sine, &cosine)?])
    }),
    operator("Tanh", "", |w, c| one(w, c, Unary::Tanh)),
    operator("ThresholdedRelu", "", |w, c| {
        let (x, level, zero) = (c.needed(w, 0)?, Value::scalar(c.float("alpha", 1.0)), Value::scalar(0.0));
        let above = w.binary(Binary::Less, &level, &x)?;
        Ok(vec![w.select(&above, &x, &zero)?])
    }),
];

fn one(w: &mut Writer, call: &Call, function: Unary) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    Ok(vec![w.unary(function, &x)?])
}

/// `e^x` and `e^-x`.
fn powers_of_e(w: &mut Writer, call: &Call) -> Result<(Value, Value)> {
    let x = call.needed(w, 0)?;
    let minus = w.scaled(&x, -1.0)?;
    Ok((w.unary(Unary::Exp, &x)?, w.unary(Unary::Exp, &minus)?))
}

fn not(w: &mut Writer, x: &Value) -> Result<Value> {
    let zero = Value::scalar(0.0);
    w.binary(Binary::Equal, x, &zero)
}

fn cast(w: &mut Writer, x: &Value, kind: Kind) -> Result<Value> {
    if matches!(x, Value::Node(..)) || w.kind(x) == kind {
        return match (w.kind(x), kind) {
            (Kind::Real, Kind::Whole) => {
                let whole = w.truncated(x)?;
                Ok(whole.of_kind(Kind::Whole))
            }
            (Kind::Real | Kind::Whole, Kind::Truth) => {
                let zero = not(w, x)?;
                not(w, &zero)
            }
            _ => Ok(x.clone().of_kind(kind)),
        };
    }
    let array = w.array(x)?;
    Ok(Array::clone(&array).cast(kind).into())
}

/// Limits are attributes before opset 11, inputs since.
fn clip(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let mut x = call.needed(w, 0)?;
    let limit = |w: &mut Writer, name: &str, place: usize, open: f32| -> Result<Result<f64, Value>> {
        Ok(match call.input(place) {
            Value::Absent => Ok(call.float(name, f64::from(open))),
            value @ Value::Node(..) => Err(value),
            value => Ok(w.number(&value)?.clamp(f64::from(f32::MIN), f64::from(f32::MAX))),
        })
    };
    let (least, most) = (limit(w, "min", 1, f32::MIN)?, limit(w, "max", 2, f32::MAX)?);
    if let (Ok(min), Ok(max)) = (&least, &most) {
        let open = *min == f64::from(f32::MIN) && *max == f64::from(f32::MAX);
        return Ok(vec![if open { x } else { w.unary(Unary::Clamp { min: *min, max: *max }, &x)? }]);
    }
    for (limit, function) in [(least, Binary::Max), (most, Binary::Min)] {
        let limit = limit.map_or_else(|value| value, Value::scalar);
        x = w.binary(function, &x, &limit)?;
    }
    Ok(vec![x])
}

fn gelu(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let gate = match call.text("approximate", "none") {
        "tanh" => {
            let square = w.mul(&x, &x)?;
            let inner = w.scaled(&square, 0.044_715)?;
            let inner = w.shifted(&inner, 1.0)?;
            let inner = w.mul(&inner, &x)?;
            let inner = w.scaled(&inner, (2.0 / PI).sqrt())?;
            w.unary(Unary::Tanh, &inner)?
        }
        _ => {
            let inner = w.scaled(&x, FRAC_1_SQRT_2)?;
            w.unary(Unary::Erf, &inner)?
        }
    };
    let gate = w.shifted(&gate, 1.0)?;
    let gate = w.scaled(&gate, 0.5)?;
    Ok(vec![w.mul(&x, &gate)?])
}

fn hard_sigmoid(w: &mut Writer, x: &Value, alpha: f64, beta: f64) -> Result<Value> {
    let scaled = w.scaled(x, alpha)?;
    let moved = w.shifted(&scaled, beta)?;
    w.unary(Unary::Clamp { min: 0.0, max: 1.0 }, &moved)
}

fn selu(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let elu = Unary::Elu { alpha: call.float("alpha", 1.673_263_192_176_819) };
    let elu = w.unary(elu, &x)?;
    Ok(vec![w.scaled(&elu, call.float("gamma", 1.050_700_992_345_81))?])
}

fn shrink(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, level, bias) = (call.needed(w, 0)?, call.float("lambd", 0.5), call.float("bias", 0.0));
    let (above, below, zero) = (Value::scalar(level), Value::scalar(-level), Value::scalar(0.0));
    let (above, below) = (w.binary(Binary::Less, &above, &x)?, w.binary(Binary::Less, &x, &below)?);
    let (less, more) = (w.shifted(&x, -bias)?, w.shifted(&x, bias)?);
    let inner = w.select(&below, &more, &zero)?;
    Ok(vec![w.select(&above, &less, &inner)?])
}
