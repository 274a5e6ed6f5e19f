//! The same elements in other places.

use super::{Array, Float, View, known};

fn picked<T: Float>(values: &[T], view: &View) -> Vec<T> {
    view.places().map(|place| values[place]).collect()
}

pub(super) fn broadcast<T: Float>(x: Array<T>, shape: &[usize]) -> Vec<T> {
    picked(x.values, &View::of(x.shape).repeated(shape))
}

pub(super) fn permute<T: Float>(x: Array<T>, axes: &[usize]) -> Vec<T> {
    picked(x.values, &View::of(x.shape).permuted(axes))
}

pub(super) fn slice<T: Float>(x: Array<T>, axis: usize, start: usize, step: isize, shape: &[usize]) -> Vec<T> {
    picked(x.values, &View::of(x.shape).sliced(axis, start, step, shape[axis]))
}

pub(super) fn embed<T: Float>(
    x: Array<T>,
    axis: usize,
    start: usize,
    step: isize,
    value: T,
    shape: &[usize],
) -> Vec<T> {
    let mut result = vec![value; known(shape)];
    let places = View::of(shape).sliced(axis, start, step, x.shape[axis]);
    places.places().zip(x.values).for_each(|(place, &x)| result[place] = x);
    result
}

pub(super) fn concat<T: Float>(parts: &[Array<T>], axis: usize, shape: &[usize]) -> Vec<T> {
    let mut result = vec![T::of(0.0); known(shape)];
    let mut start = 0;
    for part in parts {
        let places = View::of(shape).sliced(axis, start, 1, part.shape[axis]);
        places.places().zip(part.values).for_each(|(place, &x)| result[place] = x);
        start += part.shape[axis];
    }
    result
}
