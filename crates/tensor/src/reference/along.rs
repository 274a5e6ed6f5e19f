//! Linear maps along one axis.

use super::float::rounded;
use super::{Array, Float, known};
use crate::{AxisMap, Rows};

pub(super) fn forward<T: Float>(x: Array<T>, axis: usize, map: &AxisMap, shape: &[usize]) -> Vec<T> {
    applied(x, axis, map, false, shape)
}

pub(super) fn adjoint<T: Float>(x: Array<T>, axis: usize, map: &AxisMap, shape: &[usize]) -> Vec<T> {
    applied(x, axis, map, true, shape)
}

fn applied<T: Float>(x: Array<T>, axis: usize, map: &AxisMap, adjoint: bool, shape: &[usize]) -> Vec<T> {
    let count = known(shape);
    if x.values.is_empty() || count == 0 {
        return vec![T::of(0.0); count];
    }
    let inner: usize = shape[axis + 1..].iter().product();
    let (from, to) = (x.shape[axis], shape[axis]);
    let apply: Box<dyn Fn(Vec<f64>) -> Vec<f64>> = match *map {
        // Its matrix is half full: written out, it might not fit into memory where its result does.
        AxisMap::Cumulative { exclusive, reverse } => {
            Box::new(move |line| running(line, exclusive, reverse != adjoint))
        }
        _ => {
            let rows = if adjoint { map.rows(to).transposed() } else { map.rows(from) };
            Box::new(move |line| product(&rows, &line))
        }
    };
    let mut sums = vec![0.0; count];
    for (x, sums) in x.values.chunks(from * inner).zip(sums.chunks_mut(to * inner)) {
        for column in 0..inner {
            let line = apply(x[column..].iter().step_by(inner).map(|x| x.wide()).collect());
            sums[column..].iter_mut().step_by(inner).zip(line).for_each(|(sum, value)| *sum = value);
        }
    }
    rounded(sums)
}

fn product(rows: &Rows, x: &[f64]) -> Vec<f64> {
    let sum = |row: &Vec<(usize, f64)>| row.iter().fold(0.0, |sum, &(entry, weight)| sum + weight * x[entry]);
    rows.rows.iter().map(sum).collect()
}

fn running(mut line: Vec<f64>, exclusive: bool, reverse: bool) -> Vec<f64> {
    let mut sum = 0.0;
    let next = |x: &mut f64| {
        let before = sum;
        sum += *x;
        *x = if exclusive { before } else { sum };
    };
    if reverse {
        line.iter_mut().rev().for_each(next);
    } else {
        line.iter_mut().for_each(next);
    }
    line
}
