//! Functions of each element, with broadcasting.

use super::{Array, Float, View};
use kernels::{Binary, Unary};

pub(super) fn unary<T: Float>(function: Unary, x: Array<T>) -> Vec<T> {
    x.values.iter().map(|&x| T::unary(function, x)).collect()
}

pub(super) fn binary<T: Float>(function: Binary, a: Array<T>, b: Array<T>, shape: &[usize]) -> Vec<T> {
    let [a_view, b_view] = [a, b].map(|x| View::of(x.shape).repeated(shape));
    let pairs = a_view.places().zip(b_view.places());
    pairs.map(|(i, j)| T::binary(function, a.values[i], b.values[j])).collect()
}

pub(super) fn select<T: Float>(condition: Array<T>, a: Array<T>, b: Array<T>, shape: &[usize]) -> Vec<T> {
    let [condition_view, a_view, b_view] = [condition, a, b].map(|x| View::of(x.shape).repeated(shape));
    let places = condition_view.places().zip(a_view.places()).zip(b_view.places());
    places.map(|((c, i), j)| if condition.values[c].wide() == 0.0 { b.values[j] } else { a.values[i] }).collect()
}
