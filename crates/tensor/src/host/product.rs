//! Products of matrices, as those of layers.

use crate::reference::{Array, View};
use kernels::Matrix;
use rayon::prelude::*;

/// The result has elements.
pub(super) fn matmul(a: Array<f32>, b: Array<f32>, transpose: [bool; 2], shape: &[usize]) -> Vec<f32> {
    let matrix = |values, shape: &[usize], transpose: bool| {
        let matrix = Matrix::new(values, shape[0], shape[1]);
        if transpose { matrix.transposed() } else { matrix }
    };
    let mut out = vec![0.0; shape.iter().product()];
    if a.values.is_empty() {
        return out;
    }
    if let (&[_, columns], &[rows, width]) = (a.shape, b.shape) {
        // The length of the layer, not of the batch, decides: one image alone takes the same way.
        if !transpose[0] && b.values.len() == columns && (rows == 1 || width == 1) {
            return kernels::rows_dot_vector(a.values, b.values);
        }
        kernels::product(
            matrix(a.values, a.shape, transpose[0]),
            matrix(b.values, b.shape, transpose[1]),
            &mut out,
            false,
            true,
        );
        return out;
    }
    let (before, result) = shape.split_at(shape.len() - 2);
    let (a_front, a_matrix) = a.shape.split_at(a.shape.len() - 2);
    let (b_front, b_matrix) = b.shape.split_at(b.shape.len() - 2);
    let b_length = b_matrix[0] * b_matrix[1];
    if !transpose[0] && b.values.len() == b_length {
        // One matrix for all: its partners are one tall matrix.
        let a = Matrix::new(a.values, a.values.len() / a_matrix[1], a_matrix[1]);
        kernels::product(a, matrix(b.values, b_matrix, transpose[1]), &mut out, false, true);
        return out;
    }
    let a_length = a_matrix[0] * a_matrix[1];
    let numbers = |front: &[usize]| View::of(front).repeated(before).places().collect::<Vec<_>>();
    let (a_numbers, b_numbers) = (numbers(a_front), numbers(b_front));
    let alone = a_numbers.len() == 1;
    out.par_chunks_mut(result[0] * result[1]).zip(a_numbers).zip(b_numbers).for_each(|((out, i), j)| {
        let a = matrix(&a.values[i * a_length..][..a_length], a_matrix, transpose[0]);
        let b = matrix(&b.values[j * b_length..][..b_length], b_matrix, transpose[1]);
        kernels::product(a, b, out, false, alone);
    });
    out
}
