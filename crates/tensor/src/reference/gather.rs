//! Entries of an axis by their numbers.

use super::float::rounded;
use super::{Array, Float, known};
use crate::{Mismatch, mismatch};

/// The numbers of entries of an axis of `length`, negative ones counted from the end.
///
/// # Errors
/// One lies outside.
pub(crate) fn entries(indices: &[i64], length: usize) -> Result<Vec<usize>, Mismatch> {
    let entry = |&index: &i64| {
        let from_start = i128::from(index) + if index < 0 { length as i128 } else { 0 };
        let inside = usize::try_from(from_start).ok().filter(|&entry| entry < length);
        inside.ok_or_else(|| mismatch(format!("numbers of {length} entries"), index.to_string()))
    };
    indices.iter().map(entry).collect()
}

pub(super) fn gather<T: Float>(x: Array<T>, indices: &[i64], axis: usize) -> Result<Vec<T>, Mismatch> {
    let entries = entries(indices, x.shape[axis])?;
    if x.values.is_empty() {
        return Ok(Vec::new());
    }
    let inner: usize = x.shape[axis + 1..].iter().product();
    let mut result = Vec::new();
    for block in x.values.chunks(x.shape[axis] * inner) {
        entries.iter().for_each(|entry| result.extend_from_slice(&block[entry * inner..(entry + 1) * inner]));
    }
    Ok(result)
}

pub(super) fn adjoint<T: Float>(
    g: Array<T>,
    indices: &[i64],
    axis: usize,
    shape: &[usize],
) -> Result<Vec<T>, Mismatch> {
    let entries = entries(indices, shape[axis])?;
    let mut result = vec![0.0; known(shape)];
    if g.values.is_empty() {
        return Ok(rounded(result));
    }
    let inner: usize = shape[axis + 1..].iter().product();
    for (block, g) in result.chunks_mut(shape[axis] * inner).zip(g.values.chunks(entries.len() * inner)) {
        for (entry, g) in entries.iter().zip(g.chunks(inner)) {
            block[entry * inner..].iter_mut().zip(g).for_each(|(sum, g)| *sum += g.wide());
        }
    }
    Ok(rounded(result))
}
