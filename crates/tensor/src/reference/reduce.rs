//! One number of many.

use super::float::rounded;
use super::{Array, Float, View, known};
use crate::Reduction;

/// Where each element of x goes, in a result that has length 1 on the axes that are reduced.
fn targets(x: &[usize], shape: &[usize]) -> View {
    View::of(shape).repeated(x)
}

/// Of no elements the sum is 0, the greatest is minus infinity and the least infinity.
pub(super) fn reduce<T: Float>(reduction: Reduction, x: Array<T>, shape: &[usize]) -> Vec<T> {
    let first = match reduction {
        Reduction::Sum => 0.0,
        Reduction::Max => f64::NEG_INFINITY,
        Reduction::Min => f64::INFINITY,
    };
    let mut results = vec![first; known(shape)];
    for (value, place) in x.values.iter().zip(targets(x.shape, shape).places()) {
        let (value, result) = (value.wide(), &mut results[place]);
        match reduction {
            Reduction::Sum => *result += value,
            Reduction::Max if value > *result || value.is_nan() => *result = value,
            Reduction::Min if value < *result || value.is_nan() => *result = value,
            Reduction::Max | Reduction::Min => {}
        }
    }
    rounded(results)
}

pub(super) fn centred_squares<T: Float>(x: Array<T>, centre: Array<T>, shape: &[usize]) -> Vec<T> {
    let mut sums = vec![0.0; known(shape)];
    for (value, place) in x.values.iter().zip(targets(x.shape, shape).places()) {
        let off = value.wide() - centre.values[place].wide();
        sums[place] += off * off;
    }
    rounded(sums)
}

pub(super) fn divided<T: Float>(x: Array<T>, divisor: usize) -> Vec<T> {
    x.values.iter().map(|x| T::of(x.wide() / divisor as f64)).collect()
}
