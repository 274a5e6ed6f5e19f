//! Other sizes: one linear map for each axis.

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind, Number};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Primitive};
use tensor::{Coordinates, Interpolation, Rounding};

pub(super) const TABLE: &[Operator] = &[
    operator("Resize", "sizes and scales are known at import; the batch stays", resize),
    operator("Upsample", "scales are known at import; the batch stays", |w, c| {
        let x = c.needed(w, 0)?;
        let scales = match c.floats("scales") {
            Some(scales) => scales.iter().map(|&scale| f64::from(scale)).collect(),
            None => {
                let scales = c.needed(w, 1)?;
                reals(w, &scales)?
            }
        };
        let interpolation = match c.text("mode", "nearest") {
            "linear" | "bilinear" => Interpolation::Linear { antialias: false, edge: true },
            _ => Interpolation::Nearest { rounding: Rounding::Floor },
        };
        old(w, &x, &scales, interpolation)
    }),
];

/// The longest axis that is made.
const MOST: usize = 1 << 16;

fn reals(w: &mut Writer, value: &Value) -> Result<Vec<f64>> {
    let values = w.array(value)?.values();
    values.ok_or_else(|| w.fault("a scale depends on the batch"))
}

/// Scales for all axes, as before opset 11.
fn old(w: &mut Writer, x: &Value, scales: &[f64], interpolation: Interpolation) -> Result<Vec<Value>> {
    let mut x = x.clone();
    if scales.len() != w.rank(&x) {
        return Err(w.fault("there is not one scale for each axis"));
    }
    for (axis, &scale) in scales.iter().enumerate().rev().filter(|(_, scale)| **scale != 1.0) {
        let entries = w.fixed(&w.dims(&x), axis)?;
        let length = scaled(w, entries, scale)?;
        let coordinates = Coordinates::Asymmetric { scale: exact(entries, length, scale) };
        x = resized(w, &x, axis, length, coordinates, interpolation)?;
    }
    Ok(vec![x])
}

/// The length of a scaled axis.
fn scaled(w: &Writer, entries: usize, scale: f64) -> Result<usize> {
    // As 32 bits give it.
    let length = (entries as f32 * scale as f32).floor();
    let possible = length >= 1.0 && length <= MOST as f32;
    possible.then_some(length as usize).ok_or_else(|| w.fault(format!("{entries} entries cannot be scaled by {scale}")))
}

/// The scale, where it is not that of the lengths.
fn exact(entries: usize, length: usize, scale: f64) -> Option<f64> {
    (scale as f32 != (length as f64 / entries as f64) as f32).then_some(scale)
}

fn resized(
    w: &mut Writer,
    x: &Value,
    axis: usize,
    length: usize,
    coordinates: Coordinates,
    interpolation: Interpolation,
) -> Result<Value> {
    let entries = w.fixed(&w.dims(x), axis)?;
    let mut map = AxisMap::Resize { length, coordinates, interpolation };
    if map.output(entries).is_none() {
        return Err(w.fault(format!("{entries} entries cannot be resized to {length}")));
    }
    // Whole factors of the nearest entry are a repetition, which is quicker.
    if matches!(interpolation, Interpolation::Nearest { .. }) && length.is_multiple_of(entries) && entries > 0 {
        let factor = length / entries;
        if map.rows(entries).rows.iter().enumerate().all(|(i, row)| *row == [(i / factor, 1.0)]) {
            map = AxisMap::Repeat { factor };
        }
    }
    w.apply(Primitive::Along { axis, map }, &[x])
}

fn resize(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let mut x = call.needed(w, 0)?;
    let mode = call.text("mode", "nearest").to_owned();
    if call.opset < 11 {
        let scales = call.needed(w, 1)?;
        let scales = reals(w, &scales)?;
        let interpolation = match mode.as_str() {
            "linear" => Interpolation::Linear { antialias: false, edge: true },
            _ => Interpolation::Nearest { rounding: Rounding::Floor },
        };
        return old(w, &x, &scales, interpolation);
    }
    let dims = w.dims(&x);
    let axes = match call.ints("axes") {
        Some(axes) => axes.iter().map(|&axis| w.axis(axis, dims.len())).collect::<Result<Vec<_>>>()?,
        None => (0..dims.len()).collect(),
    };
    let mut targets = targets(w, call, &dims, &axes)?;
    let roi = match (call.text("coordinate_transformation_mode", "half_pixel"), call.input(1)) {
        ("tf_crop_and_resize", Value::Absent) => return Err(w.fault("it cuts a part, and no part is given")),
        ("tf_crop_and_resize", roi) => reals(w, &roi)?,
        _ => Vec::new(),
    };
    targets.reverse();
    for (place, target) in targets.into_iter().enumerate() {
        let place = axes.len() - 1 - place;
        let Some((length, scale)) = target else { continue };
        let axis = axes[place];
        let entries = w.fixed(&w.dims(&x), axis)?;
        let part = match roi.as_slice() {
            [] => None,
            roi => match (roi.get(place), roi.get(place + axes.len())) {
                (Some(&start), Some(&end)) => Some([start, end]),
                _ => return Err(w.fault("the part that it cuts has too few numbers")),
            },
        };
        let (coordinates, half) = coordinates(w, call, exact(entries, length, scale), scale, [entries, length], part)?;
        let interpolation = interpolation(w, call, &mode, half)?;
        x = resized(w, &x, axis, length, coordinates, interpolation)?;
        if part.is_some() {
            let last = (entries - 1) as f64;
            let outside =
                |i| coordinates.place(i, entries, length) < 0.0 || coordinates.place(i, entries, length) > last;
            let outside: Vec<f64> = (0..length).map(|i| f64::from(u8::from(outside(i)))).collect();
            let mut shape = vec![1; dims.len() - axis];
            shape[0] = length;
            let outside: Value = Array::of(shape, Kind::Truth, outside).into();
            let value = Value::scalar(call.float("extrapolation_value", 0.0));
            x = w.select(&outside, &value, &x)?;
        }
    }
    Ok(vec![x])
}

/// For each axis its new length and scale; none where it stays.
fn targets(w: &mut Writer, call: &Call, dims: &[Dim], axes: &[usize]) -> Result<Vec<Option<(usize, f64)>>> {
    let empty = |w: &Writer, value: &Value| matches!(w.dims(value)[..], [Dim::Fixed(0)]);
    let (scales, sizes) = (call.input(2), call.input(3));
    if call.has(2) && !empty(w, &scales) {
        let scales = reals(w, &scales)?;
        if scales.len() != axes.len() {
            return Err(w.fault("there is not one scale for each axis"));
        }
        let cut = call.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
        return axes
            .iter()
            .zip(scales)
            .map(|(&axis, scale)| {
                if scale == 1.0 && (!cut || dims[axis].fixed().is_none()) {
                    return Ok(None);
                }
                Ok(Some((scaled(w, w.fixed(dims, axis)?, scale)?, scale)))
            })
            .collect();
    }
    if !call.has(3) {
        return Err(w.fault("neither scales nor sizes are given"));
    }
    let sizes = w.lengths(&sizes)?;
    if sizes.len() != axes.len() {
        return Err(w.fault("there is not one size for each axis"));
    }
    let mut targets = Vec::new();
    for (&axis, size) in axes.iter().zip(&sizes) {
        if *size == Number::of_dim(dims[axis]) && dims[axis].fixed().is_none() {
            targets.push(None);
            continue;
        }
        let entries = w.fixed(dims, axis)?;
        let size = size.known().filter(|&size| size >= 1.0 && size <= MOST as f64);
        let size = size.ok_or_else(|| w.fault("a size cannot be"))?;
        targets.push(Some((size as usize, size / entries as f64)));
    }
    let all = targets.iter().flatten().map(|&(_, scale)| scale);
    let common = match call.text("keep_aspect_ratio_policy", "stretch") {
        "not_larger" => all.reduce(f64::min),
        "not_smaller" => all.reduce(f64::max),
        _ => None,
    };
    if let Some(scale) = common {
        for (target, &axis) in targets.iter_mut().zip(axes) {
            if target.is_some() {
                let length = (scale * w.fixed(dims, axis)? as f64 + 0.5).floor().clamp(1.0, MOST as f64);
                *target = Some((length as usize, scale));
            }
        }
    }
    Ok(targets)
}

/// Where an entry lies, and whether by half an entry further.
fn coordinates(
    w: &Writer,
    call: &Call,
    given: Option<f64>,
    scale: f64,
    [entries, length]: [usize; 2],
    part: Option<[f64; 2]>,
) -> Result<(Coordinates, bool)> {
    Ok(match (call.text("coordinate_transformation_mode", "half_pixel"), part) {
        ("half_pixel", _) => (Coordinates::HalfPixel { scale: given }, false),
        ("pytorch_half_pixel", _) => (Coordinates::PytorchHalfPixel { scale: given }, false),
        ("half_pixel_symmetric", _) => (Coordinates::HalfPixelSymmetric { scale }, false),
        ("tf_half_pixel_for_nn", _) => (Coordinates::HalfPixel { scale: given }, true),
        ("asymmetric", _) => (Coordinates::Asymmetric { scale: given }, false),
        // The last entry of the length that the scale gives, which need not be a whole one.
        ("align_corners", _) if given.is_some() && length > 1 => {
            let last = scale * entries as f64 - 1.0;
            (Coordinates::Crop { start: 0.0, end: (length - 1) as f64 / last }, false)
        }
        ("align_corners", _) => (Coordinates::AlignCorners, false),
        ("tf_crop_and_resize", Some([start, end])) => (Coordinates::Crop { start, end }, false),
        (other, _) => return Err(w.fault(format!("the coordinates {other:?} are not known"))),
    })
}

fn interpolation(w: &Writer, call: &Call, mode: &str, half: bool) -> Result<Interpolation> {
    let antialias = call.flag("antialias");
    Ok(match mode {
        "nearest" => Interpolation::Nearest {
            rounding: match call.text("nearest_mode", "round_prefer_floor") {
                "floor" if half => Rounding::HalfUp,
                "floor" => Rounding::Floor,
                "ceil" => Rounding::Ceil,
                "round_prefer_floor" => Rounding::HalfDown,
                "round_prefer_ceil" => Rounding::HalfUp,
                other => return Err(w.fault(format!("the rounding {other:?} is not known"))),
            },
        },
        "linear" => Interpolation::Linear { antialias, edge: !call.flag("exclude_outside") },
        "cubic" => Interpolation::Cubic {
            a: call.float("cubic_coeff_a", -0.75),
            antialias,
            exclude_outside: call.flag("exclude_outside"),
            edge: !call.flag("exclude_outside"),
        },
        other => return Err(w.fault(format!("the mode {other:?} is not known"))),
    })
}
