//! One number of many.
//!
//! Axes that lie side by side and are reduced (or kept) together are one. What is left is reduced from the last axis on: rows by
//! the sums of channels, which have sixteen lanes, other axes entry by entry in `f64`.

use super::blocks_of_many;
use crate::Reduction;
use crate::reference::Array;

/// Numbers of a row that are summed in `f32`; the sums of longer ones are added in `f64`.
const ROW: usize = 1 << 12;
/// Columns that are summed at a time.
const COLUMNS: usize = 256;

/// Whether the axes are all but the one of channels.
fn per_channel(rank: usize, axes: &[usize]) -> bool {
    (2..=4).contains(&rank) && axes.iter().copied().eq((0..rank).filter(|&axis| axis != 1))
}

/// Lengths above 1 and whether they are reduced, neighbours of one kind together.
fn groups(shape: &[usize], axes: &[usize]) -> Vec<(usize, bool)> {
    let mut groups: Vec<(usize, bool)> = Vec::new();
    for (axis, &length) in shape.iter().enumerate().filter(|&(_, &length)| length != 1) {
        let reduced = axes.contains(&axis);
        match groups.last_mut() {
            Some((together, kind)) if *kind == reduced => *together *= length,
            _ => groups.push((length, reduced)),
        }
    }
    groups
}

/// `shape` is that of the result, which has elements.
pub(super) fn reduce(reduction: Reduction, x: Array<f32>, axes: &[usize], shape: &[usize]) -> Vec<f32> {
    if x.values.is_empty() {
        let of_nothing = match reduction {
            Reduction::Sum => 0.0,
            Reduction::Max => f32::NEG_INFINITY,
            Reduction::Min => f32::INFINITY,
        };
        return vec![of_nothing; shape.iter().product()];
    }
    if reduction == Reduction::Sum && per_channel(x.shape.len(), axes) {
        return kernels::channel_sum(x.values, x.shape[1], x.shape[2..].iter().product());
    }
    let mut groups = groups(x.shape, axes);
    let mut left: Option<Vec<f32>> = None;
    while let Some(place) = groups.iter().rposition(|&(_, reduced)| reduced) {
        let product = |groups: &[(usize, bool)]| groups.iter().map(|(length, _)| length).product();
        let (length, inner): (usize, usize) = (groups[place].0, product(&groups[place + 1..]));
        let values = left.as_deref().unwrap_or(x.values);
        left = Some(match reduction {
            Reduction::Sum if inner == 1 => row_sums(values, length),
            Reduction::Sum => column_sums(values, length, inner),
            Reduction::Max => picked(values, length, inner, |a, b| a > b || a.is_nan()),
            Reduction::Min => picked(values, length, inner, |a, b| a < b || a.is_nan()),
        });
        groups[place].0 = 1;
        groups[place].1 = false;
    }
    left.unwrap_or_else(|| x.values.to_vec())
}

/// The sum of each row.
fn row_sums(x: &[f32], length: usize) -> Vec<f32> {
    if length <= ROW {
        return kernels::channel_sum(x, x.len() / length, length);
    }
    let whole = length / ROW;
    let row = |row: &[f32]| {
        let (pieces, rest) = row.split_at(whole * ROW);
        let sums = kernels::channel_sum(pieces, whole, ROW);
        let rest = if rest.is_empty() { Vec::new() } else { kernels::channel_sum(rest, 1, rest.len()) };
        sums.iter().chain(&rest).map(|&sum| f64::from(sum)).sum::<f64>() as f32
    };
    x.chunks_exact(length).map(row).collect()
}

/// The sums of each `length` rows of `inner` columns.
fn column_sums(x: &[f32], length: usize, inner: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len() / length];
    blocks_of_many(&mut out, inner, length, |number, out| {
        let x = &x[number * length * inner..][..length * inner];
        blocks_of_many(out, COLUMNS, length, |piece, out| {
            let mut sums = [0.0f64; COLUMNS];
            for row in x.chunks_exact(inner) {
                let row = &row[piece * COLUMNS..][..out.len()];
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
            }
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum as f32);
        });
    });
    out
}

/// Of each `length` rows of `inner` columns the numbers that no other replaces.
fn picked(x: &[f32], length: usize, inner: usize, replaces: impl Fn(f32, f32) -> bool + Sync) -> Vec<f32> {
    let mut out = vec![0.0; x.len() / length];
    if inner == 1 {
        blocks_of_many(&mut out, 1, length, |number, out| {
            let row = &x[number * length..][..length];
            out[0] = row[1..].iter().fold(row[0], |kept, &x| if replaces(x, kept) { x } else { kept });
        });
        return out;
    }
    blocks_of_many(&mut out, inner, length, |number, out| {
        let x = &x[number * length * inner..][..length * inner];
        out.copy_from_slice(&x[..inner]);
        for row in x[inner..].chunks_exact(inner) {
            for (out, &x) in out.iter_mut().zip(row) {
                if replaces(x, *out) {
                    *out = x;
                }
            }
        }
    });
    out
}

/// `None`: there is no fast way.
pub(super) fn centred_squares(x: Array<f32>, centre: Array<f32>, axes: &[usize]) -> Option<Vec<f32>> {
    if x.values.is_empty() {
        return None;
    }
    if per_channel(x.shape.len(), axes) {
        return Some(kernels::channel_squares(x.values, centre.values, x.shape[2..].iter().product()));
    }
    match groups(x.shape, axes)[..] {
        [(_, false), (length, true)] | [(length, true)] => {
            Some(kernels::channel_squares(x.values, centre.values, length))
        }
        _ => None,
    }
}
