//! A sparse linear map along one axis: resizing in all its modes, filters, strided pads.

use super::{around, by_rows, check};

/// A sparse matrix from an axis of `inputs` numbers to one of as many as it has rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Along {
    inputs: usize,
    rows: Vec<Vec<(usize, f32)>>,
}

impl Along {
    /// Each output as inputs with their weights, which are added in this order.
    ///
    /// # Panics
    /// An input that is not there.
    pub fn new(inputs: usize, rows: Vec<Vec<(usize, f32)>>) -> Self {
        assert!(rows.iter().flatten().all(|&(input, _)| input < inputs), "an input beyond {inputs}");
        Self { inputs, rows }
    }

    /// Length of the axis that it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Length of the axis that it writes.
    pub fn outputs(&self) -> usize {
        self.rows.len()
    }

    /// The transposed map, which is the adjoint.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut rows = vec![Vec::new(); self.inputs];
        for (output, row) in self.rows.iter().enumerate() {
            row.iter().for_each(|&(input, weight)| rows[input].push((output, weight)));
        }
        Self { inputs: self.rows.len(), rows }
    }

    /// `y[.., i, ..] = sum_k weight[i, k] x[.., k, ..]`.
    ///
    /// # Panics
    /// An axis of another length.
    pub fn apply(&self, x: &[f32], shape: &[usize], axis: usize) -> Vec<f32> {
        check(x, shape);
        let [before, length, behind] = around(shape, axis);
        assert_eq!(length, self.inputs, "length of axis {axis} of {shape:?}");
        let outputs = self.outputs();
        if behind == 1 {
            return by_rows(before, outputs, |part, y| {
                let x = &x[part * length..(part + 1) * length];
                for (y, row) in y.iter_mut().zip(&self.rows) {
                    *y = row.iter().fold(0.0, |sum, &(input, weight)| sum + weight * x[input]);
                }
            });
        }
        by_rows(before * outputs, behind, |number, y| {
            for &(input, weight) in &self.rows[number % outputs] {
                let x = &x[(number / outputs * length + input) * behind..][..behind];
                y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
            }
        })
    }
}
