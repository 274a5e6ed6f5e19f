//! Images side by side, before they become sums.

use super::node::{Node, packed};
use crate::linear::add_lower;
use kernels::Matrix;

/// Images of a leaf. It is part of what bytes mean.
pub(super) const LEAF: usize = 512;

/// A leaf that is being filled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Whether the image of each place was seen.
    seen: Vec<bool>,
    /// `[LEAF, width]`
    rows: Vec<f64>,
}

impl Leaf {
    pub(super) fn new(width: usize) -> Self {
        Self { seen: vec![false; LEAF], rows: vec![0.0; LEAF * width] }
    }

    pub(super) fn count(&self) -> usize {
        self.seen.iter().filter(|&&seen| seen).count()
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.seen[place(number)]
    }

    pub(super) fn take(&mut self, number: u64, row: impl Iterator<Item = f64>) {
        let (place, width) = (place(number), self.rows.len() / LEAF);
        self.seen[place] = true;
        self.rows[place * width..][..width].iter_mut().zip(row).for_each(|(to, v)| *to = v);
    }

    /// Images that were seen, with their numbers; `first` is the leaf's.
    pub(super) fn rows(&self, first: u64, width: usize) -> impl Iterator<Item = (u64, &[f64])> {
        let numbers = first * LEAF as u64..;
        let all = numbers.zip(&self.seen).zip(self.rows.chunks_exact(width.max(1)));
        all.filter(|((_, seen), _)| **seen).map(|((number, _), row)| (number, row))
    }

    /// Its sums, of the images that were seen, in the order of their numbers.
    pub(super) fn node(&self, width: usize) -> Node {
        let count = self.count();
        let mut mean = vec![0.0; width];
        let rows = || self.rows(0, width).map(|(_, row)| row);
        rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v));
        mean.iter_mut().for_each(|sum| *sum /= count as f64);
        let centred: Vec<f64> = rows().flat_map(|row| row.iter().zip(&mean).map(|(v, mean)| v - mean)).collect();
        let columns = Matrix::new(&centred, count, width).transposed();
        let mut square = vec![0.0; width * width];
        add_lower(columns, columns, &mut square, width);
        Node { leaves: 1, count: count as u64, mean, scatter: packed(&square, width) }
    }
}

fn place(number: u64) -> usize {
    (number % LEAF as u64) as usize
}
