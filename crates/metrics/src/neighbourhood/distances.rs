//! Squared distances of all pairs of two sets, block by block.

use crate::features::{Features, Number};
use kernels::{Matrix, product};
use rayon::prelude::*;

/// Images of the one set that are held as `f64` at once, and shared out among threads.
const ROWS: usize = 128;
/// Images of the other.
const COLUMNS: usize = 1024;

/// `|x|^2` of every image, with the bits that [`kernels::product`] gives them: the distance of equal vectors is exactly 0.
fn squares<T: Number>(features: &Features<T>) -> Vec<f64> {
    const FEW: usize = 16;
    let blocks = (0..features.len().div_ceil(FEW)).into_par_iter().flat_map_iter(|block| {
        let images = block * FEW..((block + 1) * FEW).min(features.len());
        let n = images.len();
        let rows = features.gather(images);
        let mut products = vec![0.0; n * n];
        let matrix = Matrix::new(&rows, n, features.width());
        product(matrix, matrix.transposed(), &mut products, false, false);
        (0..n).map(move |i| products[i * n + i])
    });
    blocks.collect()
}

/// Calls `see` with every block of squared distances: its first row and column, its number of columns, the distances row by row, and
/// `per_row` elements of `state` for each of its rows. Gives back the first column of each block with what `see` returned; blocks of rows
/// are seen by any thread, those of one row in order.
pub(super) fn for_blocks<T: Number, U: Number, S: Send, R: Send>(
    a: &Features<T>,
    b: &Features<U>,
    state: &mut [S],
    per_row: usize,
    see: impl Fn(usize, usize, usize, &[f64], &mut [S]) -> R + Sync,
) -> Vec<(usize, R)> {
    let width = a.width();
    let (of_a, of_b) = (squares(a), squares(b));
    let mut seen = Vec::new();
    for first_column in (0..b.len()).step_by(COLUMNS) {
        let columns = first_column..(first_column + COLUMNS).min(b.len());
        let held = b.gather(columns.clone());
        let right = Matrix::new(&held, columns.len(), width).transposed();
        let blocks = state.par_chunks_mut(ROWS * per_row).enumerate().map(|(block, state)| {
            let first_row = block * ROWS;
            let rows = first_row..first_row + state.len() / per_row;
            let left = a.gather(rows.clone());
            let mut distances = vec![0.0; rows.len() * columns.len()];
            product(Matrix::new(&left, rows.len(), width), right, &mut distances, false, false);
            for (row, distances) in rows.zip(distances.chunks_exact_mut(columns.len())) {
                for (v, other) in distances.iter_mut().zip(&of_b[columns.clone()]) {
                    *v = (of_a[row] + other - 2.0 * *v).max(0.0);
                }
            }
            (first_column, see(first_row, first_column, columns.len(), &distances, state))
        });
        seen.extend(blocks.collect::<Vec<_>>());
    }
    seen
}
