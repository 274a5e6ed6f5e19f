//! A part of the tree of sums.

use crate::statistics::{Divisor, Statistics};

/// Count, mean, and squares about the mean of some leaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Leaves, a power of two; of a part that is not whole, that number says nothing.
    pub(crate) leaves: u64,
    pub(crate) count: u64,
    pub(crate) mean: Vec<f64>,
    /// Sum of `(x - mean)(x - mean)^T`: the rows of its lower triangle, one after the other.
    pub(crate) scatter: Vec<f64>,
}

impl Node {
    /// Adds what comes after it.
    pub(crate) fn append(&mut self, after: &Self) {
        let (n, m) = (self.count as f64, after.count as f64);
        let apart: Vec<f64> = after.mean.iter().zip(&self.mean).map(|(b, a)| b - a).collect();
        let (share, weight) = (m / (n + m), n * m / (n + m));
        let mut start = 0;
        for (i, at_row) in apart.iter().enumerate() {
            let (to, from) = (&mut self.scatter[start..=start + i], &after.scatter[start..=start + i]);
            for ((to, from), at_column) in to.iter_mut().zip(from).zip(&apart) {
                *to += from + weight * at_row * at_column;
            }
            start += i + 1;
        }
        self.mean.iter_mut().zip(&apart).for_each(|(mean, apart)| *mean += share * apart);
        self.leaves += after.leaves;
        self.count += after.count;
    }

    pub(crate) fn statistics(&self, divisor: Divisor) -> Statistics {
        let (n, by) = (self.mean.len(), (self.count - divisor.less()) as f64);
        let mut covariance = vec![0.0; n * n];
        let mut values = self.scatter.iter();
        for i in 0..n {
            for (j, value) in (0..=i).zip(&mut values) {
                covariance[i * n + j] = value / by;
                covariance[j * n + i] = value / by;
            }
        }
        Statistics { mean: self.mean.clone(), covariance, samples: Some(self.count), divisor: Some(divisor) }
    }
}

/// The rows of a lower triangle, one after the other.
pub(super) fn packed(square: &[f64], n: usize) -> Vec<f64> {
    (0..n).flat_map(|i| &square[i * n..=i * n + i]).copied().collect()
}
