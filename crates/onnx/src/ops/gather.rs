//! Elements by their numbers. Numbers that are known at import become slices and maps along an axis.

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Primitive};
use tensor::Binary;

const KNOWN: &str = "with indices that are known at import, in tensors of a fixed shape";

pub(super) const TABLE: &[Operator] = &[
    operator("Gather", "", gather),
    operator("GatherElements", KNOWN, gather_elements),
    operator("GatherND", KNOWN, gather_nd),
    operator(
        "ScatterElements",
        "with indices that are known at import, in tensors of a fixed shape; `none` and `add`",
        |w, c| {
            let data = c.needed(w, 0)?;
            let shape = fixed_shape(w, &data)?;
            let indices = c.needed(w, 1)?;
            let axis = c.axis(w, 0, shape.len())?;
            let places = elements(w, &indices, &shape, axis)?;
            scatter(w, c, &data, places)
        },
    ),
    operator(
        "ScatterND",
        "with indices that are known at import, in tensors of a fixed shape; `none` and `add`",
        |w, c| {
            let data = c.needed(w, 0)?;
            let shape = fixed_shape(w, &data)?;
            let indices = c.needed(w, 1)?;
            let places = slices(w, &indices, &shape, 0)?;
            scatter(w, c, &data, places)
        },
    ),
];

/// Elements that are taken one by one at most.
const MOST: usize = 1 << 22;

/// The place of an entry that may be counted from the end.
fn place(w: &Writer, index: i64, length: usize) -> Result<usize> {
    let counted = if index < 0 { index.saturating_add(length as i64) } else { index };
    let found = usize::try_from(counted).ok().filter(|&place| place < length);
    found.ok_or_else(|| w.fault(format!("there is no entry {index} among {length}")))
}

fn fixed_shape(w: &Writer, value: &Value) -> Result<Vec<usize>> {
    let dims = w.dims(value);
    let shape = dims.iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>();
    shape.ok_or_else(|| w.fault(format!("a fixed shape is expected, found {}", tensor::shown(&dims))))
}

/// Some entries of an axis: a slice where they follow each other.
fn take(w: &mut Writer, x: &Value, axis: usize, entries: &[usize]) -> Result<Value> {
    let (first, step) = match *entries {
        [] => return w.sliced(x, axis, 0, 1, 0),
        [one] => (one, 1),
        [a, b, ..] => (a, b as isize - a as isize),
    };
    let even = entries.windows(2).all(|pair| pair[1] as isize - pair[0] as isize == step);
    if even && step != 0 {
        return w.sliced(x, axis, first, step, entries.len());
    }
    if matches!(x, Value::Known(_)) && entries.len() <= 1 << 12 {
        let parts = entries.iter().map(|&entry| w.sliced(x, axis, entry, 1, 1)).collect::<Result<Vec<_>>>()?;
        return w.concat(&parts, axis);
    }
    w.apply(Primitive::Along { axis, map: AxisMap::Take { entries: entries.to_vec() } }, &[x])
}

impl Writer<'_> {
    /// Entry number `place` of the only axis of a value, without axes.
    pub(crate) fn entry(&mut self, x: &Value, place: usize) -> Result<Value> {
        let one = self.sliced(x, 0, place, 1, 1)?;
        self.reshape(&one, Vec::new())
    }
}

fn gather(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, indices) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let dims = w.dims(&x);
    let axis = call.axis(w, 0, dims.len())?;
    let length = w.fixed(&dims, axis)?;
    let of_indices = w.dims(&indices);
    if matches!(indices, Value::Node(..)) {
        return by_products(w, &x, &indices, axis, length);
    }
    let entries = w.wholes(&indices)?.into_iter().map(|index| place(w, index, length)).collect::<Result<Vec<_>>>()?;
    let taken = take(w, &x, axis, &entries)?;
    let shape = [&dims[..axis], &of_indices, &dims[axis + 1..]].concat();
    Ok(vec![w.reshape(&taken, shape)?])
}

/// Numbers that are computed choose by a product with rows of one 1 each.
fn by_products(w: &mut Writer, x: &Value, indices: &Value, axis: usize, length: usize) -> Result<Vec<Value>> {
    let (dims, of_indices) = (w.dims(x), w.dims(indices));
    let rest: Vec<Dim> = dims.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, &dim)| dim).collect();
    if length > 1 << 20 {
        return Err(w.fault(format!("{length} entries are too many to choose from")));
    }
    let (Some(count), Some(width)) = (Dim::product(&of_indices), Dim::product(&rest)) else {
        return Err(w.fault("it has too many elements"));
    };
    let column = w.reshape(indices, vec![count, Dim::Fixed(1)])?;
    let zero = Value::scalar(0.0);
    let below = w.binary(Binary::Less, &column, &zero)?;
    let moved = w.shifted(&column, length as f64)?;
    let column = w.select(&below, &moved, &column)?;
    let numbers: Value = Array::list(0..length as i64).into();
    let chosen = w.binary(Binary::Equal, &column, &numbers)?;
    let mut order: Vec<usize> = (0..dims.len()).filter(|&i| i != axis).collect();
    order.insert(0, axis);
    let table = w.permute(x, order)?;
    let table = w.reshape(&table, vec![Dim::Fixed(length), width])?;
    let chosen = chosen.of_kind(w.kind(x));
    let taken = w.apply(Primitive::mat_mul(false, false), &[&chosen, &table])?;
    // The indices' axes come first, and belong where the axis was.
    let taken = w.reshape(&taken, [of_indices.as_slice(), &rest].concat())?;
    let first = of_indices.len();
    let order = (first..first + axis).chain(0..first).chain(first + axis..first + rest.len()).collect();
    Ok(vec![w.permute(&taken, order)?])
}

/// Places of elements that differ from their own along one axis.
fn elements(w: &mut Writer, indices: &Value, shape: &[usize], axis: usize) -> Result<Vec<usize>> {
    let array = w.array(indices)?;
    let fits = array.shape.len() == shape.len()
        && array.shape.iter().zip(shape).enumerate().all(|(i, (a, b))| i == axis || a <= b);
    if !fits || array.numbers.len() > MOST {
        return Err(w.fault(format!("indices of shape {:?} for {shape:?}", array.shape)));
    }
    let values = w.wholes(indices)?;
    let mut index = vec![0; shape.len()];
    let mut places = Vec::with_capacity(values.len());
    for value in values {
        let mut at = 0;
        for (i, &length) in shape.iter().enumerate() {
            at = at * length + if i == axis { place(w, value, length)? } else { index[i] };
        }
        places.push(at);
        for (i, digit) in index.iter_mut().enumerate().rev() {
            *digit += 1;
            if *digit < array.shape[i] {
                break;
            }
            *digit = 0;
        }
    }
    Ok(places)
}

/// Places of all elements of slices, each named by the numbers in the last axis of the indices.
fn slices(w: &mut Writer, indices: &Value, shape: &[usize], batch_axes: usize) -> Result<Vec<usize>> {
    let array = w.array(indices)?;
    let named = array.shape.last().copied().unwrap_or(0);
    let fits = batch_axes < array.shape.len()
        && named > 0
        && batch_axes + named <= shape.len()
        && array.shape[..batch_axes] == shape[..batch_axes];
    if !fits {
        return Err(w.fault(format!("indices of shape {:?} for {shape:?}", array.shape)));
    }
    let values = w.wholes(indices)?;
    let behind: usize = shape[batch_axes + named..].iter().product();
    let in_batch: usize = array.shape[batch_axes..array.shape.len() - 1].iter().product();
    if (values.len() / named).saturating_mul(behind) > MOST {
        return Err(w.fault("it takes too many elements"));
    }
    let mut places = Vec::new();
    for (number, row) in values.chunks_exact(named).enumerate() {
        let mut at = number / in_batch.max(1);
        for (&value, &length) in row.iter().zip(&shape[batch_axes..]) {
            at = at * length + place(w, value, length)?;
        }
        places.extend(at * behind..(at + 1) * behind);
    }
    Ok(places)
}

fn flat(w: &mut Writer, x: &Value, count: usize) -> Result<Value> {
    w.reshape(x, vec![Dim::Fixed(count)])
}

fn gather_elements(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, indices) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let shape = fixed_shape(w, &x)?;
    let axis = call.axis(w, 0, shape.len())?;
    let places = elements(w, &indices, &shape, axis)?;
    let all = flat(w, &x, shape.iter().product())?;
    let taken = take(w, &all, 0, &places)?;
    let dims = w.dims(&indices);
    Ok(vec![w.reshape(&taken, dims)?])
}

fn gather_nd(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, indices) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let shape = fixed_shape(w, &x)?;
    let batch_axes = usize::try_from(call.int("batch_dims", 0)).map_err(|_| w.fault("batch axes below 0"))?;
    let places = slices(w, &indices, &shape, batch_axes)?;
    let all = flat(w, &x, shape.iter().product())?;
    let taken = take(w, &all, 0, &places)?;
    let of_indices = w.dims(&indices);
    let named = w.fixed(&of_indices, of_indices.len() - 1)?;
    let rest = shape[batch_axes + named..].iter().map(|&length| Dim::Fixed(length));
    let dims = of_indices[..of_indices.len() - 1].iter().copied().chain(rest).collect();
    Ok(vec![w.reshape(&taken, dims)?])
}

/// The data with updates at some places. Of several updates of one place the last counts, or all are added.
fn scatter(w: &mut Writer, call: &Call, data: &Value, places: Vec<usize>) -> Result<Vec<Value>> {
    let shape = fixed_shape(w, data)?;
    let count: usize = shape.iter().product();
    if count > MOST {
        return Err(w.fault("its data are too large"));
    }
    let updates = call.needed(w, 2)?;
    let updates = flat(w, &updates, places.len())?;
    let all = flat(w, data, count)?;
    let mut last = vec![None; count];
    places.iter().enumerate().for_each(|(number, &place)| last[place] = Some(number));
    let spread = |w: &mut Writer, updates: &Value, places: Vec<usize>| {
        let map = AxisMap::Take { entries: places };
        w.apply(Primitive::AlongAdjoint { axis: 0, map, length: count }, &[updates])
    };
    let result = match call.text("reduction", "none") {
        "none" => {
            let (places, numbers): (Vec<usize>, Vec<usize>) =
                last.iter().enumerate().filter_map(|(place, number)| Some((place, (*number)?))).unzip();
            let updates = take(w, &updates, 0, &numbers)?;
            let spread = spread(w, &updates, places)?;
            let here = last.iter().map(|number| f64::from(u8::from(number.is_some()))).collect();
            let here: Value = Array::of(vec![count], Kind::Truth, here).into();
            w.select(&here, &spread, &all)?
        }
        "add" => {
            let spread = spread(w, &updates, places)?;
            w.add(&all, &spread)?
        }
        other => return Err(w.fault(format!("the reduction {other:?} is not supported"))),
    };
    let dims = w.dims(data);
    Ok(vec![w.reshape(&result, dims)?])
}
