//! What puts the same elements elsewhere.

use super::constant::dims_of;
use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind, Number};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Primitive};
use tensor::PadMode;

/// Inputs of one [`Primitive::Concat`] at most.
const TOGETHER: usize = 1000;

pub(super) const TABLE: &[Operator] = &[
    operator("Concat", "", |w, c| {
        let parts = (0..c.inputs.len()).map(|place| c.needed(w, place)).collect::<Result<Vec<_>>>()?;
        let rank = parts.first().map_or(0, |part| w.rank(part));
        let axis = c.axis(w, 1, rank)?;
        Ok(vec![w.concat(&parts, axis)?])
    }),
    operator("DepthToSpace", "", |w, c| depth_and_space(w, c, true)),
    operator("Expand", "", |w, c| {
        let (x, shape) = (c.needed(w, 0)?, c.needed(w, 1)?);
        let lengths = w.lengths(&shape)?;
        let target = dims_of(w, &lengths)?;
        Ok(vec![w.expand(&x, &target)?])
    }),
    operator("Flatten", "", |w, c| {
        let x = c.needed(w, 0)?;
        let dims = w.dims(&x);
        let axis = c.int("axis", 1);
        let axis = if axis == dims.len() as i64 { dims.len() } else { w.axis(axis, dims.len())? };
        let both = [Dim::product(&dims[..axis]), Dim::product(&dims[axis..])];
        let [Some(rows), Some(columns)] = both else { return Err(w.fault("it has too many elements")) };
        Ok(vec![w.reshape(&x, vec![rows, columns])?])
    }),
    operator("Pad", "", pad),
    operator("Reshape", "", reshape),
    operator("Slice", "the batch is not cut", slice),
    operator("SpaceToDepth", "", |w, c| depth_and_space(w, c, false)),
    operator("Split", "the batch is not cut", split),
    operator("Squeeze", "", |w, c| {
        let x = c.needed(w, 0)?;
        let dims = w.dims(&x);
        let axes = match c.list(w, "axes", 1)? {
            Some(axes) => w.axes(&axes, dims.len())?,
            // In the network for one image that axis goes, and all later axes have other numbers.
            None if w.batch_of_one && dims.first() == Some(&Dim::N) => {
                return Err(w.fault("it takes away all axes of length 1, and the batch is one"));
            }
            None => (0..dims.len()).filter(|&axis| dims[axis].is_one()).collect(),
        };
        if let Some(&axis) = axes.iter().find(|&&axis| !dims[axis].is_one()) {
            let batch = if dims[axis] == Dim::N { ", the batch" } else { "" };
            return Err(w.fault(format!("axis {axis}{batch} of {} has not the length 1", tensor::shown(&dims))));
        }
        let kept = (0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect();
        Ok(vec![w.reshape(&x, kept)?])
    }),
    operator("Tile", "", tile),
    operator("Transpose", "", |w, c| {
        let x = c.needed(w, 0)?;
        let rank = w.rank(&x);
        let axes = match c.ints("perm") {
            Some(axes) => axes.iter().map(|&axis| w.axis(axis, rank)).collect::<Result<Vec<_>>>()?,
            None => (0..rank).rev().collect(),
        };
        Ok(vec![w.permute(&x, axes)?])
    }),
    operator("Trilu", "", trilu),
    operator("Unsqueeze", "", |w, c| {
        let x = c.needed(w, 0)?;
        let mut dims = w.dims(&x);
        let axes = c.list(w, "axes", 1)?.ok_or_else(|| w.fault("it has no axes"))?;
        for axis in w.axes(&axes, dims.len() + axes.len())? {
            dims.insert(axis.min(dims.len()), Dim::Fixed(1));
        }
        Ok(vec![w.reshape(&x, dims)?])
    }),
];

impl Writer<'_> {
    pub(crate) fn reshape(&mut self, x: &Value, shape: Vec<Dim>) -> Result<Value> {
        if self.dims(x) == shape {
            return Ok(x.clone());
        }
        self.apply(Primitive::Reshape { shape }, &[x])
    }

    pub(crate) fn permute(&mut self, x: &Value, axes: Vec<usize>) -> Result<Value> {
        if axes.len() == self.rank(x) && axes.iter().enumerate().all(|(place, &axis)| place == axis) {
            return Ok(x.clone());
        }
        self.apply(Primitive::Permute { axes }, &[x])
    }

    /// `x` repeated to its common shape with `target`.
    pub(crate) fn expand(&mut self, x: &Value, target: &[Dim]) -> Result<Value> {
        let dims = self.dims(x);
        let shape = tensor::broadcast(&dims, target);
        let shape = shape.map_err(|wrong| self.fault(format!("expected {}, found {}", wrong.expected, wrong.found)))?;
        if shape == dims { Ok(x.clone()) } else { self.apply(Primitive::Broadcast { shape }, &[x]) }
    }

    /// Entries `start`, `start + step`, ... of an axis, as many as `length`.
    pub(crate) fn sliced(&mut self, x: &Value, axis: usize, start: usize, step: isize, length: usize) -> Result<Value> {
        let dims = self.dims(x);
        if (start, step) == (0, 1) && dims.get(axis) == Some(&Dim::Fixed(length)) {
            return Ok(x.clone());
        }
        if length == 0 {
            let mut shape = dims.iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>();
            let place = shape.as_mut().and_then(|shape| shape.get_mut(axis));
            *place.ok_or_else(|| self.fault("an axis has no entries"))? = 0;
            return Ok(Array::of(shape.unwrap_or_default(), self.kind(x), Vec::new()).into());
        }
        self.apply(Primitive::Slice { axis, start, step, length }, &[x])
    }

    pub(crate) fn concat(&mut self, parts: &[Value], axis: usize) -> Result<Value> {
        let filled: Vec<Value> =
            parts.iter().filter(|part| self.dims(part).get(axis) != Some(&Dim::Fixed(0))).cloned().collect();
        match filled.as_slice() {
            [] => parts.first().cloned().ok_or_else(|| self.fault("it has no inputs")),
            [one] => Ok(one.clone()),
            many if many.len() > TOGETHER => {
                let joined = many.chunks(TOGETHER).map(|part| self.concat(part, axis)).collect::<Result<Vec<_>>>()?;
                self.concat(&joined, axis)
            }
            many => {
                let inputs: Vec<&Value> = many.iter().collect();
                self.apply(Primitive::Concat { axis }, &inputs)
            }
        }
    }

    /// `before` entries of a value before the first of an axis, `after` behind the last.
    pub(crate) fn padded(&mut self, x: &Value, axis: usize, [before, after]: [usize; 2], value: f64) -> Result<Value> {
        let entries = self.fixed(&self.dims(x), axis)?;
        if before == 0 && after == 0 {
            return Ok(x.clone());
        }
        let length = before.checked_add(after).and_then(|more| more.checked_add(entries));
        let length = length.ok_or_else(|| self.fault("an axis would be too long"))?;
        self.apply(Primitive::Embed { axis, start: before, step: 1, length, value }, &[x])
    }
}

/// The shape asks for lengths, 0 for that of the input, -1 for what is left.
fn reshape(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let wanted = match call.ints("shape") {
        Some(lengths) => lengths.iter().map(|&length| Number::of(length as f64)).collect(),
        None => {
            let shape = call.needed(w, 1)?;
            w.lengths(&shape)?
        }
    };
    let dims = w.dims(&x);
    let all = Dim::product(&dims).ok_or_else(|| w.fault("it has too many elements"))?;
    let mut shape = Vec::new();
    let mut open = None;
    for (place, length) in wanted.iter().enumerate() {
        match length.known() {
            Some(-1.0) if open.is_none() => {
                open = Some(place);
                shape.push(Dim::Fixed(1));
            }
            Some(0.0) if !call.flag("allowzero") => {
                let same = dims.get(place).copied();
                shape.push(same.ok_or_else(|| w.fault(format!("length number {} is not there", place + 1)))?);
            }
            _ => shape.extend(dims_of(w, &[*length])?),
        }
    }
    let known = Dim::product(&shape).ok_or_else(|| w.fault("the shape has too many elements"))?;
    if let Some(place) = open {
        // A network for one image has its 1 where others have the batch.
        if w.batch_of_one && matches!((all, known), (Dim::Batch(_), Dim::Fixed(_))) && place > 0 && shape[0].is_one() {
            shape[0] = Dim::N;
        }
        let known = Dim::product(&shape).unwrap_or(known);
        let rest = match (all, known) {
            (Dim::Fixed(all), Dim::Fixed(known)) if known > 0 && all % known == 0 => Some(Dim::Fixed(all / known)),
            (Dim::Batch(all), Dim::Fixed(known)) if known > 0 && all % known == 0 => Some(Dim::Batch(all / known)),
            (Dim::Batch(all), Dim::Batch(known)) if known > 0 && all % known == 0 => Some(Dim::Fixed(all / known)),
            _ => None,
        };
        shape[place] =
            rest.ok_or_else(|| w.fault(format!("{} has no place in {}", tensor::shown(&dims), tensor::shown(&shape))))?;
    } else if w.batch_of_one
        && let (Dim::Batch(all), Dim::Fixed(known)) = (all, known)
        && all == known
        && let Some(Dim::Fixed(first)) = shape.first().copied()
    {
        shape[0] = Dim::Batch(first);
    }
    Ok(vec![w.reshape(&x, shape)?])
}

/// Starts and ends are attributes before opset 10, inputs since.
fn slice(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let mut x = call.needed(w, 0)?;
    let bounds = |w: &mut Writer, name: &str, place: usize| match call.ints(name) {
        Some(values) => Ok(values.iter().map(|&value| Number::of(value as f64)).collect()),
        None => {
            let value = call.needed(w, place)?;
            w.lengths(&value)
        }
    };
    let (starts, ends) = (bounds(w, "starts", 1)?, bounds(w, "ends", 2)?);
    let axes = call.list(w, "axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.list(w, "steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(w.fault("starts, ends, axes and steps are not equally many"));
    }
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let dims = w.dims(&x);
        let axis = w.axis(axis, dims.len())?;
        let Dim::Fixed(entries) = dims[axis] else {
            let whole = end == Number::of_dim(dims[axis]) || end.known().is_some_and(|end| end >= f64::from(i32::MAX));
            if step == 1 && start.known() == Some(0.0) && whole {
                continue;
            }
            return Err(w.fault(format!("it cuts axis {axis}, the batch")));
        };
        let (Some(start), Some(end)) = (start.known(), end.known()) else {
            return Err(w.fault("a bound depends on the batch"));
        };
        let (start, length) = span(start as i64, end as i64, step, entries as i64);
        let step = isize::try_from(step).ok().filter(|&step| step != 0);
        let step = step.ok_or_else(|| w.fault("a step is 0 or too long"))?;
        x = w.sliced(&x, axis, start, step, length)?;
    }
    Ok(vec![x])
}

/// The first entry of a slice, and how many there are.
fn span(start: i64, end: i64, step: i64, entries: i64) -> (usize, usize) {
    let from_end = |at: i64| if at < 0 { at.saturating_add(entries) } else { at };
    let (start, end) = (from_end(start), from_end(end));
    let (start, reach) = if step > 0 {
        let start = start.clamp(0, entries);
        (start, end.clamp(0, entries) - start)
    } else {
        let start = start.clamp(0, (entries - 1).max(0));
        (start, start - end.clamp(-1, entries - 1))
    };
    let length = if reach > 0 && entries > 0 { (reach as u64).div_ceil(step.unsigned_abs().max(1)) } else { 0 };
    (start as usize, length as usize)
}

fn split(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let axis = call.axis(w, 0, dims.len())?;
    let entries = w.fixed(&dims, axis)?;
    let lengths = match call.list(w, "split", 1)? {
        Some(lengths) => lengths,
        None => {
            let parts = (call.node.outputs.len() as i64).max(1);
            let each = (entries as i64).saturating_add(parts - 1) / parts;
            let whole = (entries as i64) / each.max(1);
            (0..parts).map(|part| if part < whole { each } else { entries as i64 - whole * each }).collect()
        }
    };
    let mut parts = Vec::new();
    let mut start = 0usize;
    for length in lengths {
        let length = usize::try_from(length).ok().filter(|length| start.checked_add(*length) <= Some(entries));
        let length = length.ok_or_else(|| w.fault(format!("parts of {entries} entries do not fit")))?;
        parts.push(w.sliced(&x, axis, start, 1, length)?);
        start += length;
    }
    if start != entries {
        return Err(w.fault(format!("its parts have {start} of {entries} entries")));
    }
    Ok(parts)
}

/// Attributes before opset 11, inputs since; numbers below 0 cut.
fn pad(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let mut x = call.needed(w, 0)?;
    let rank = w.rank(&x);
    let pads = call.list(w, "pads", 1)?.ok_or_else(|| w.fault("it has no pads"))?;
    let value = match call.input(2) {
        Value::Absent => call.float("value", 0.0),
        value => w.number(&value)?,
    };
    let axes = match call.input(3) {
        Value::Absent => (0..rank).collect(),
        axes => {
            let axes = w.wholes(&axes)?;
            axes.iter().map(|&axis| w.axis(axis, rank)).collect::<Result<Vec<_>>>()?
        }
    };
    if pads.len() != 2 * axes.len() {
        return Err(w.fault(format!("{} pads for {} axes", pads.len(), axes.len())));
    }
    let mode = match call.text("mode", "constant") {
        "constant" => None,
        "edge" => Some(PadMode::Edge),
        "reflect" => Some(PadMode::Reflect),
        "wrap" => Some(PadMode::Wrap),
        other => return Err(w.fault(format!("the mode {other:?} is not known"))),
    };
    for (place, &axis) in axes.iter().enumerate() {
        let both = [pads[place], pads[place + axes.len()]];
        if both == [0, 0] {
            continue;
        }
        let entries = w.fixed(&w.dims(&x), axis)?;
        let cut = both.map(|pad| usize::try_from(pad.min(0).unsigned_abs()).unwrap_or(usize::MAX));
        let kept = entries.checked_sub(cut[0]).and_then(|left| left.checked_sub(cut[1]));
        let kept = kept.ok_or_else(|| w.fault(format!("{cut:?} of {entries} entries cannot be cut")))?;
        x = w.sliced(&x, axis, cut[0], 1, kept)?;
        let padding = both.map(|pad| usize::try_from(pad.max(0)).unwrap_or(usize::MAX));
        x = match mode {
            _ if padding == [0, 0] => x,
            None => w.padded(&x, axis, padding, value)?,
            Some(mode) => w.apply(Primitive::Along { axis, map: AxisMap::Pad { padding, mode } }, &[&x])?,
        };
    }
    Ok(vec![x])
}

fn tile(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (mut x, repeats) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let repeats = w.lengths(&repeats)?;
    for (axis, repeat) in repeats.into_iter().enumerate() {
        let dims = w.dims(&x);
        let Some(&length) = dims.get(axis) else { return Err(w.fault("there are more repeats than axes")) };
        if repeat == Number::of(1.0) {
            continue;
        }
        let times = dims_of(w, &[repeat])?[0];
        if length.is_one() {
            let mut wide = dims.clone();
            wide[axis] = times;
            x = w.expand(&x, &wide)?;
            continue;
        }
        let times = times.fixed().filter(|&times| times <= 1 << 16);
        let times = times.ok_or_else(|| w.fault("it repeats as often as the batch is large, or too often"))?;
        x = if times == 0 { w.sliced(&x, axis, 0, 1, 0)? } else { w.concat(&vec![x; times], axis)? };
    }
    Ok(vec![x])
}

fn depth_and_space(w: &mut Writer, call: &Call, to_space: bool) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let [n, Dim::Fixed(c), Dim::Fixed(h), Dim::Fixed(width)] = dims[..] else {
        return Err(w.fault(format!("maps [n, c, h, w] are expected, found {}", tensor::shown(&dims))));
    };
    let b = usize::try_from(call.int("blocksize", 0)).ok().filter(|&b| b > 0 && b <= 1 << 10);
    let b = b.ok_or_else(|| w.fault("its block size cannot be"))?;
    let fixed =
        |lengths: &[usize]| [&[n], lengths.iter().map(|&l| Dim::Fixed(l)).collect::<Vec<_>>().as_slice()].concat();
    let crd = call.text("mode", "DCR") == "CRD";
    let (inner, axes, outer) = if to_space {
        if c % (b * b) != 0 {
            return Err(w.fault(format!("{c} channels are no multiple of {}", b * b)));
        }
        let few = c / (b * b);
        let (inner, axes) = if crd {
            ([few, b, b, h, width], vec![0, 1, 4, 2, 5, 3])
        } else {
            ([b, b, few, h, width], vec![0, 3, 4, 1, 5, 2])
        };
        (inner, axes, [few, h * b, width * b])
    } else {
        if h % b != 0 || width % b != 0 {
            return Err(w.fault(format!("{h} x {width} is no multiple of {b}")));
        }
        let inner = [c, h / b, b, width / b, b];
        let axes = if crd { vec![0, 1, 3, 5, 2, 4] } else { vec![0, 3, 5, 1, 2, 4] };
        (inner, axes, [c * b * b, h / b, width / b])
    };
    let x = w.reshape(&x, fixed(&inner))?;
    let x = w.permute(&x, axes)?;
    Ok(vec![w.reshape(&x, fixed(&outer))?])
}

fn trilu(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let dims = w.dims(&x);
    let rank = dims.len();
    if rank < 2 {
        return Err(w.fault("matrices are expected"));
    }
    let (rows, columns) = (w.fixed(&dims, rank - 2)?, w.fixed(&dims, rank - 1)?);
    if rows.saturating_mul(columns) > 1 << 22 {
        return Err(w.fault("its matrices are too large"));
    }
    let k = match call.input(1) {
        Value::Absent => 0,
        k => w.number(&k)? as i64,
    };
    let upper = call.int("upper", 1) != 0;
    let kept = |place: usize| {
        let (row, column) = ((place / columns) as i64, (place % columns) as i64);
        let above = column.saturating_sub(row) >= k;
        f64::from(u8::from(if upper { above } else { column.saturating_sub(row) <= k }))
    };
    let mask: Value = Array::of(vec![rows, columns], Kind::Truth, (0..rows * columns).map(kept).collect()).into();
    let zero: Value = Array::scalar(w.kind(&x), 0.0).into();
    Ok(vec![w.select(&mask, &x, &zero)?])
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn slices_are_those_of_numpy() {
        for (start, end, step, entries, expected) in [
            (0, 3, 1, 5, (0, 3)),
            (1, i64::MAX, 2, 5, (1, 2)),
            (-3, -1, 1, 5, (2, 2)),
            (4, i64::MIN, -1, 5, (4, 5)),
            (-1, -10, -2, 5, (4, 3)),
            (9, 12, 1, 5, (5, 0)),
            (20, 0, -4, 10, (9, 3)),
            (3, 3, 1, 5, (3, 0)),
        ] {
            assert_eq!(span(start, end, step, entries), expected, "{start}:{end}:{step} of {entries}");
        }
    }
}
