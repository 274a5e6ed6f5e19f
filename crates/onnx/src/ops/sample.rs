//! Reading maps at places that are computed.

use super::{Operator, operator};
use crate::Result;
use crate::array::Array;
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{Dim, Primitive, Unary};
use tensor::Binary;

/// Weights for one image at most: one for each place and cell.
const MOST: usize = 1 << 28;

pub(super) const TABLE: &[Operator] = &[operator(
    "GridSample",
    "as a product with the weights of all cells, so that places times cells are at most 2^28",
    grid_sample,
)];

/// What stands outside.
#[derive(Clone, Copy, PartialEq)]
enum Outside {
    Zeros,
    Border,
    /// Mirrored at both ends of the axis.
    Reflection {
        first: f64,
        last: f64,
    },
}

fn grid_sample(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, grid) = (call.needed(w, 0)?, call.needed(w, 1)?);
    let (of_x, of_grid) = (w.dims(&x), w.dims(&grid));
    let axes = of_x.len().saturating_sub(2);
    if axes == 0 || of_grid.len() != of_x.len() || of_grid[axes + 1] != Dim::Fixed(axes) {
        return Err(w.fault(format!("places {} for {}", tensor::shown(&of_grid), tensor::shown(&of_x))));
    }
    let lengths = (2..of_x.len()).map(|axis| w.fixed(&of_x, axis)).collect::<Result<Vec<_>>>()?;
    let places = (1..=axes).map(|axis| w.fixed(&of_grid, axis)).collect::<Result<Vec<_>>>()?;
    let (cells, count): (usize, usize) = (lengths.iter().product(), places.iter().product());
    if cells.checked_mul(count).is_none_or(|weights| weights > MOST) {
        return Err(w.fault(format!("{count} places in {cells} cells are too many")));
    }
    let n = of_grid[0];
    let rows = w.reshape(&grid, vec![n, Dim::Fixed(count), Dim::Fixed(axes)])?;
    let aligned = call.flag("align_corners");
    let mut weights: Option<Value> = None;
    for (axis, &length) in lengths.iter().enumerate() {
        // The last number of a place is along the first axis.
        let place = w.sliced(&rows, 2, axes - 1 - axis, 1, 1)?;
        let of_axis = along(w, call, &place, length, aligned)?;
        weights = Some(match weights {
            None => of_axis,
            Some(before) => {
                let so_far = w.fixed(&w.dims(&before), 2)?;
                let one = Dim::Fixed(1);
                let left = w.reshape(&before, vec![n, Dim::Fixed(count), Dim::Fixed(so_far), one])?;
                let right = w.reshape(&of_axis, vec![n, Dim::Fixed(count), one, Dim::Fixed(length)])?;
                let both = w.mul(&left, &right)?;
                w.reshape(&both, vec![n, Dim::Fixed(count), Dim::Fixed(so_far * length)])?
            }
        });
    }
    let weights = weights.ok_or_else(|| w.fault("there are no axes"))?;
    let flat = w.reshape(&x, vec![of_x[0], of_x[1], Dim::Fixed(cells)])?;
    let y = w.apply(Primitive::mat_mul(false, true), &[&flat, &weights])?;
    let dims = w.dims(&y);
    let behind = places.into_iter().map(Dim::Fixed);
    Ok(vec![w.reshape(&y, [dims[0], dims[1]].into_iter().chain(behind).collect())?])
}

/// The weights of all entries of an axis, for places `[n, p, 1]` from -1 to 1: `[n, p, length]`.
fn along(w: &mut Writer, call: &Call, place: &Value, length: usize, aligned: bool) -> Result<Value> {
    if length > 1 << 16 {
        return Err(w.fault(format!("an axis of {length} entries is too long")));
    }
    let entries = length as f64;
    let (first, last) = if aligned { (0.0, entries - 1.0) } else { (-0.5, entries - 0.5) };
    let outside = match call.text("padding_mode", "zeros") {
        "zeros" => Outside::Zeros,
        "border" => Outside::Border,
        "reflection" => Outside::Reflection { first, last },
        other => return Err(w.fault(format!("the padding {other:?} is not known"))),
    };
    // From -1 and 1 to the ends.
    let moved = w.shifted(place, 1.0)?;
    let scaled = w.scaled(&moved, (last - first) / 2.0)?;
    let mut at = w.shifted(&scaled, first)?;
    let numbers: Value = Array::list(0..length as i64).into();
    let mode = call.text("mode", "linear");
    if mode == "nearest" {
        at = w.unary(Unary::Round, &at)?;
        at = inside(w, &at, outside, entries)?;
        return w.binary(Binary::Equal, &at, &numbers);
    }
    if !matches!(mode, "cubic" | "bicubic") && outside != Outside::Zeros {
        at = inside(w, &at, outside, entries)?;
    } else if let Outside::Reflection { .. } = outside {
        at = inside(w, &at, outside, entries)?;
    }
    let floor = w.unary(Unary::Floor, &at)?;
    let share = w.sub(&at, &floor)?;
    let rest = w.scaled(&share, -1.0)?;
    let rest = w.shifted(&rest, 1.0)?;
    let taps: Vec<(f64, Value)> = match mode {
        "linear" | "bilinear" => vec![(0.0, rest), (1.0, share)],
        "cubic" | "bicubic" => {
            let further = [w.shifted(&share, 1.0)?, w.shifted(&rest, 1.0)?];
            let near = [keys(w, &share, false)?, keys(w, &rest, false)?];
            let far = [keys(w, &further[0], true)?, keys(w, &further[1], true)?];
            let ([before, behind], [here, next]) = (far, near);
            vec![(-1.0, before), (0.0, here), (1.0, next), (2.0, behind)]
        }
        other => return Err(w.fault(format!("the mode {other:?} is not known"))),
    };
    let mut weights: Option<Value> = None;
    for (offset, weight) in taps {
        let entry = w.shifted(&floor, offset)?;
        let entry = inside(w, &entry, outside, entries)?;
        let here = w.binary(Binary::Equal, &entry, &numbers)?;
        let part = w.mul(&weight, &here)?;
        weights = Some(match weights {
            None => part,
            Some(sum) => w.add(&sum, &part)?,
        });
    }
    weights.ok_or_else(|| w.fault("there are no taps"))
}

/// Keys' kernel with -0.75, for distances up to 1 and from 1 to 2.
fn keys(w: &mut Writer, distance: &Value, far: bool) -> Result<Value> {
    let a = -0.75;
    let powers = if far { [-4.0 * a, 8.0 * a, -5.0 * a, a] } else { [1.0, 0.0, -(a + 3.0), a + 2.0] };
    let mut sum = w.scaled(distance, powers[3])?;
    for power in [powers[2], powers[1]] {
        sum = w.shifted(&sum, power)?;
        sum = w.mul(&sum, distance)?;
    }
    w.shifted(&sum, powers[0])
}

/// A place or an entry inside the axis; zeros stay outside.
fn inside(w: &mut Writer, at: &Value, outside: Outside, entries: f64) -> Result<Value> {
    let ends = Unary::Clamp { min: 0.0, max: entries - 1.0 };
    match outside {
        Outside::Zeros => Ok(at.clone()),
        Outside::Border => w.unary(ends, at),
        Outside::Reflection { first, last } if last <= first => w.unary(ends, at),
        Outside::Reflection { first, last } => {
            let range = last - first;
            let from_first = w.shifted(at, -first)?;
            let from_first = w.unary(Unary::Abs, &from_first)?;
            // What is left of it after whole ways there and back.
            let ways = w.scaled(&from_first, 0.5 / range)?;
            let ways = w.unary(Unary::Floor, &ways)?;
            let ways = w.scaled(&ways, 2.0 * range)?;
            let left = w.sub(&from_first, &ways)?;
            let from_last = w.shifted(&left, -range)?;
            let from_last = w.unary(Unary::Abs, &from_last)?;
            let back = w.scaled(&from_last, -1.0)?;
            w.shifted(&back, last)
        }
    }
}
