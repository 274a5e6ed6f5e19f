//! Sums of a kernel over pairs of images, for many subsets.

use super::Kernel;
use crate::features::{Features, Number};
use crate::linear::dot;
use kernels::{Matrix, product_within};
use rayon::prelude::*;

/// Images whose kernel with all others is computed at once.
const ROWS: usize = 128;
/// Of the others, those that are held as `f64` at once.
const COLUMNS: usize = 512;

/// Some images of a set, each once, in the set's order; subsets are places in it.
pub(super) struct Pool<'a, T> {
    features: Features<'a, T>,
    images: Vec<usize>,
    squares: Vec<f64>,
}

impl<'a, T: Number> Pool<'a, T> {
    pub(super) fn new(features: Features<'a, T>, images: Vec<usize>, kernel: Kernel) -> Self {
        let square = |&image: &usize| {
            let row = features.gather([image]);
            dot(&row, &row)
        };
        let squares = if kernel.wants_squares() { images.par_iter().map(square).collect() } else { Vec::new() };
        Self { features, images, squares }
    }

    pub(super) fn len(&self) -> usize {
        self.images.len()
    }

    /// Where images of the set, in its order, are in the pool.
    pub(super) fn places(&self, images: &[usize]) -> Vec<usize> {
        images.iter().map(|image| self.images.partition_point(|held| held < image)).collect()
    }

    fn gather(&self, places: std::ops::Range<usize>) -> Vec<f64> {
        self.features.gather(self.images[places].iter().copied())
    }
}

/// A subset: places of the one set in its pool, and of the other, both in order.
pub(super) type Subset = [Vec<usize>; 2];

/// For each subset the sum over its pairs `(i, j)`, and over those with `i = j`. With `half` the other pool is the same one, and the first
/// sum leaves `j >= i` out: half the work, because kernels are symmetric.
///
/// Each pair of the pools is computed once, however many subsets hold it. The bits of a sum depend on its subset alone, not on pools.
pub(super) fn sums<T: Number, U: Number>(
    a: &Pool<T>,
    b: &Pool<U>,
    kernel: Kernel,
    half: bool,
    subsets: &[Subset],
) -> Vec<[f64; 2]> {
    let width = a.features.width();
    let blocks = (0..a.len().div_ceil(ROWS)).into_par_iter().map(|block| {
        let rows = block * ROWS..((block + 1) * ROWS).min(a.len());
        let columns = if half { rows.end } else { b.len() };
        let (left, mut values) = (a.gather(rows.clone()), vec![0.0; rows.len() * columns]);
        let left = Matrix::new(&left, rows.len(), width);
        for first in (0..columns).step_by(COLUMNS) {
            let some = first..(first + COLUMNS).min(columns);
            let right = b.gather(some.clone());
            let right = Matrix::new(&right, some.len(), width).transposed();
            product_within(left, right, &mut values[first..], columns, false, false);
        }
        for (row, values) in rows.clone().zip(values.chunks_exact_mut(columns)) {
            kernel.apply(values, a.squares.get(row).copied().unwrap_or_default(), &b.squares, width);
        }
        // Of each subset, a pair of sums for each of its rows in this block.
        let mut picked = Vec::new();
        let of_subset = |[of_a, of_b]: &Subset| -> Vec<[f64; 2]> {
            let first = of_a.partition_point(|&place| place < rows.start);
            let own = of_a[first..].iter().take_while(|&&place| place < rows.end);
            own.zip(first..)
                .map(|(place, number)| {
                    let values = &values[(place - rows.start) * columns..][..columns];
                    let others = if half { &of_b[..number] } else { &of_b[..] };
                    picked.clear();
                    picked.extend(others.iter().map(|&other| values[other]));
                    [total(&picked), of_b.get(number).map_or(0.0, |&other| values[other])]
                })
                .collect()
        };
        subsets.iter().map(of_subset).collect::<Vec<_>>()
    });
    let blocks: Vec<Vec<Vec<[f64; 2]>>> = blocks.collect();
    let of_subset = |subset: usize| {
        let rows: Vec<&[f64; 2]> = blocks.iter().flat_map(|block| &block[subset]).collect();
        [0, 1].map(|which| total(&rows.iter().map(|row| row[which]).collect::<Vec<_>>()))
    };
    (0..subsets.len()).map(of_subset).collect()
}

/// The sum, in eight sums side by side.
fn total(values: &[f64]) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    eights.iter().for_each(|eight| sums.iter_mut().zip(eight).for_each(|(sum, v)| *sum += v));
    sums.iter().sum::<f64>() + rest.iter().sum::<f64>()
}
