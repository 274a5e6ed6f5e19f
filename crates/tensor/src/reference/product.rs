//! Products of matrices.

use super::{Array, Float, View};

/// A matrix of a stack: element (i, j) lies at `i * strides[0] + j * strides[1]`.
struct Stack<'a, T> {
    values: &'a [T],
    strides: [usize; 2],
    /// Elements of one matrix.
    size: usize,
    /// Which matrix each result reads.
    numbers: Vec<usize>,
}

impl<'a, T: Float> Stack<'a, T> {
    fn new(x: Array<'a, T>, transpose: bool, before: &[usize]) -> Self {
        let (front, matrix) = x.shape.split_at(x.shape.len() - 2);
        let strides = if transpose { [1, matrix[1]] } else { [matrix[1], 1] };
        let numbers = View::of(front).repeated(before).places().collect();
        Self { values: x.values, strides, size: matrix[0] * matrix[1], numbers }
    }

    fn at(&self, result: usize, i: usize, j: usize) -> f64 {
        self.values[self.numbers[result] * self.size + i * self.strides[0] + j * self.strides[1]].wide()
    }
}

pub(super) fn matmul<T: Float>(a: Array<T>, b: Array<T>, transpose: [bool; 2], shape: &[usize]) -> Vec<T> {
    let (before, matrix) = shape.split_at(shape.len() - 2);
    if shape.contains(&0) {
        return Vec::new();
    }
    let inner = a.shape[a.shape.len() - if transpose[0] { 2 } else { 1 }];
    let (a, b) = (Stack::new(a, transpose[0], before), Stack::new(b, transpose[1], before));
    let mut result = Vec::new();
    for number in 0..before.iter().product() {
        for i in 0..matrix[0] {
            for j in 0..matrix[1] {
                let sum = (0..inner).fold(0.0, |sum, k| sum + a.at(number, i, k) * b.at(number, k, j));
                result.push(T::of(sum));
            }
        }
    }
    result
}
