//! What makes tensors of nothing, and what is known of tensors.

use super::{Operator, operator};
use crate::array::{Array, Kind, Number};
use crate::call::Call;
use crate::model::{Attribute, Stored};
use crate::writer::{Value, Writer};
use crate::{Error, Result};
use base::seed::Stream;
use net::{Dim, Primitive};

/// Numbers of an array that is made here at most.
const MOST: usize = 1 << 20;

pub(super) const TABLE: &[Operator] = &[
    operator("Constant", "no texts and sparse tensors", constant),
    operator("ConstantOfShape", "", constant_of_shape),
    operator("EyeLike", "", eye_like),
    operator("NonZero", "of what is known at import", non_zero),
    operator("OneHot", "", one_hot),
    operator("RandomNormal", RANDOM, |w, c| random(w, c, true)),
    operator("RandomNormalLike", RANDOM, |w, c| random(w, c, true)),
    operator("RandomUniform", RANDOM, |w, c| random(w, c, false)),
    operator("RandomUniformLike", RANDOM, |w, c| random(w, c, false)),
    operator("Range", "of what is known at import", range),
    operator("Shape", "", |w, c| {
        let x = c.needed(w, 0)?;
        let dims = w.dims(&x);
        let (start, end) = (c.int("start", 0), c.int("end", i64::MAX));
        let rank = dims.len() as i64;
        let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
        let dims = dims.get(place(start)..place(end)).unwrap_or_default();
        let numbers: Vec<Number> = dims.iter().map(|&dim| Number::of_dim(dim)).collect();
        Ok(vec![Array { shape: vec![numbers.len()], kind: Kind::Whole, numbers }.into()])
    }),
    operator("Size", "", |w, c| {
        let x = c.needed(w, 0)?;
        let count = Dim::product(&w.dims(&x)).ok_or_else(|| w.fault("it has too many elements"))?;
        Ok(vec![Array { shape: Vec::new(), kind: Kind::Whole, numbers: vec![Number::of_dim(count)] }.into()])
    }),
];

const RANDOM: &str = "drawn once, at import, and the same for all of a batch: a parameter that edits can change";

fn constant(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let Some((name, value)) = call.node.attributes.first() else { return Err(w.fault("it has no value")) };
    let reals = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    Ok(vec![match (name.as_str(), value) {
        ("value", Attribute::Tensor(tensor)) => {
            let name = call.node.outputs.first().cloned().unwrap_or_default();
            w.constant(Stored { name, ..tensor.clone() })?
        }
        ("value_float", Attribute::Float(value)) => Value::scalar(f64::from(*value)),
        ("value_floats", Attribute::Floats(values)) => Array::of(vec![values.len()], Kind::Real, reals(values)).into(),
        ("value_int", Attribute::Int(value)) => Array::scalar(Kind::Whole, *value as f64).into(),
        ("value_ints", Attribute::Ints(values)) => Array::list(values.iter().copied()).into(),
        _ => return Err(w.fault(format!("its value ({name}) is not read"))),
    }])
}

/// Lengths of axes.
pub(super) fn dims_of(w: &Writer, lengths: &[Number]) -> Result<Vec<Dim>> {
    let dims = lengths.iter().map(|length| length.dim()).collect::<Option<Vec<_>>>();
    dims.ok_or_else(|| w.fault("a length is below 0, or no multiple of the batch"))
}

fn constant_of_shape(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let shape = call.needed(w, 0)?;
    let lengths = w.lengths(&shape)?;
    let dims = dims_of(w, &lengths)?;
    let (mut value, mut kind) = (0.0, Kind::Real);
    if let Some(tensor) = call.tensor("value") {
        let stored = w.constant(tensor.clone())?;
        (value, kind) = (w.number(&stored)?, w.kind(&stored));
    }
    filled(w, &dims, kind, value)
}

/// The same number everywhere.
fn filled(w: &mut Writer, dims: &[Dim], kind: Kind, value: f64) -> Result<Vec<Value>> {
    let lengths = dims.iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>();
    let count = Dim::product(dims).and_then(Dim::fixed);
    Ok(vec![match (lengths, count) {
        (Some(shape), Some(count)) if count <= 1 << 16 => Array::of(shape, kind, vec![value; count]).into(),
        _ => {
            let fill = w.apply(Primitive::Fill { shape: dims.to_vec(), value }, &[])?;
            fill.of_kind(kind)
        }
    }])
}

fn eye_like(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let (rows, columns) = (w.fixed(&dims, 0)?, w.fixed(&dims, 1)?);
    if rows.saturating_mul(columns) > MOST {
        return Err(w.fault("its result is too large"));
    }
    let k = call.int("k", 0);
    let one =
        |place: usize| f64::from(u8::from((place % columns) as i64 == ((place / columns) as i64).saturating_add(k)));
    let kind = w.kind(&x);
    Ok(vec![Array::of(vec![rows, columns], kind, (0..rows * columns).map(one).collect()).into()])
}

fn non_zero(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let array = w.array(&x)?;
    let places: Vec<usize> =
        (0..array.numbers.len()).filter(|&place| array.numbers[place] != Number::of(0.0)).collect();
    let rank = array.shape.len();
    let mut values = Vec::with_capacity(rank * places.len());
    for axis in 0..rank {
        let behind: usize = array.shape[axis + 1..].iter().product();
        values.extend(places.iter().map(|place| (place / behind % array.shape[axis]) as f64));
    }
    Ok(vec![Array::of(vec![rank, places.len()], Kind::Whole, values).into()])
}

fn one_hot(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (indices, depth, values) = (call.needed(w, 0)?, call.needed(w, 1)?, call.needed(w, 2)?);
    let depth = w.number(&depth)? as i64;
    let rank = w.rank(&indices) + 1;
    let axis = call.axis(w, -1, rank)?;
    let length = usize::try_from(depth).ok().filter(|&length| length > 0 && length <= MOST);
    let length = length.ok_or_else(|| w.fault(format!("{depth} classes")))?;
    let last: Value = Array::list(0..depth).into();
    let mut shape = vec![Dim::Fixed(1); rank];
    shape[axis] = Dim::Fixed(length);
    let classes = w.reshape(&last, shape)?;
    let mut dims = w.dims(&indices);
    dims.insert(axis, Dim::Fixed(1));
    let indices = w.reshape(&indices, dims)?;
    // Numbers below 0 count from the end.
    let zero = Value::scalar(0.0);
    let below = w.binary(tensor::Binary::Less, &indices, &zero)?;
    let moved = w.shifted(&indices, depth as f64)?;
    let indices = w.select(&below, &moved, &indices)?;
    let here = w.binary(tensor::Binary::Equal, &indices, &classes)?;
    let [off, on] = [0, 1].map(|place| w.entry(&values, place));
    let (off, on) = (off?, on?);
    Ok(vec![w.select(&here, &on, &off)?])
}

fn range(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let [start, limit, delta] = [call.needed(w, 0)?, call.needed(w, 1)?, call.needed(w, 2)?];
    let kind = w.kind(&start);
    let [start, limit, delta] = [w.number(&start)?, w.number(&limit)?, w.number(&delta)?];
    let count = ((limit - start) / delta).ceil().max(0.0);
    if !count.is_finite() || count > MOST as f64 {
        return Err(w.fault(format!("from {start} to {limit} by {delta} is no range that can be held")));
    }
    let values: Vec<f64> = (0..count as usize).map(|i| start + i as f64 * delta).collect();
    Ok(vec![Array::of(vec![values.len()], kind, values).into()])
}

/// Random numbers of ONNX differ in every run. Here they are a parameter, as constant noise is in other frameworks.
fn random(w: &mut Writer, call: &Call, normal: bool) -> Result<Vec<Value>> {
    let shape = match call.inputs.first() {
        Some(x) => w.dims(x),
        None => {
            let lengths: Vec<Number> =
                call.ints("shape").unwrap_or_default().iter().map(|&length| Number::of(length as f64)).collect();
            dims_of(w, &lengths)?
        }
    };
    // The same for all of a batch.
    let mut of_one = shape.clone();
    if let Some(first @ Dim::Batch(_)) = of_one.first_mut() {
        *first = Dim::Fixed(1);
    }
    let lengths = of_one.iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>();
    let lengths = lengths.ok_or_else(|| w.fault("an axis other than the first depends on the batch"))?;
    let count = lengths.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&count| count <= 1 << 23);
    let count = count.ok_or_else(|| Error::model("random numbers of an impossible shape"))?;
    w.count_known(count)?;
    let name = call.node.outputs.first().cloned().unwrap_or_default();
    let mut stream = Stream::new(0, "onnx", w.len() as u64);
    let mut draw = || {
        if normal {
            call.float("mean", 0.0) + call.float("scale", 1.0) * stream.normal()
        } else {
            stream.uniform(call.float("low", 0.0), call.float("high", 1.0))
        }
    };
    let values = (0..count).map(|_| draw() as f32).collect();
    w.notices.push(format!("{name} is random in the model; here it is drawn once, and a parameter"));
    let value = w.new_param(&format!("{name}/noise"), &lengths, values)?;
    Ok(vec![if shape == of_one { value } else { w.apply(Primitive::Broadcast { shape }, &[&value])? }])
}
