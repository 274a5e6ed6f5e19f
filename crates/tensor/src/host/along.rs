//! Linear maps along one axis. Results have elements.

use super::{around, blocks, blocks_of_many};
use crate::reference::Array;
use crate::{AxisMap, Rows};

pub(super) fn forward(x: Array<f32>, axis: usize, map: &AxisMap, shape: &[usize]) -> Vec<f32> {
    let (outer, inner) = around(shape, axis);
    let lines = Lines { x: x.values, outer, from: x.shape[axis], to: shape[axis], inner };
    if x.values.is_empty() {
        return vec![0.0; outer * lines.to * inner];
    }
    match *map {
        AxisMap::Repeat { factor } => kernels::repeat(x.values, inner, factor),
        AxisMap::Average { size, stride, padding: [0, 0], .. } if stride == size => {
            lines.sums(size, (1.0 / size as f64) as f32)
        }
        AxisMap::Cumulative { exclusive, reverse } => lines.running(exclusive, reverse),
        _ => lines.product(&map.rows(lines.from)),
    }
}

pub(super) fn adjoint(x: Array<f32>, axis: usize, map: &AxisMap, shape: &[usize]) -> Vec<f32> {
    let (outer, inner) = around(shape, axis);
    let lines = Lines { x: x.values, outer, from: x.shape[axis], to: shape[axis], inner };
    if x.values.is_empty() {
        return vec![0.0; outer * lines.to * inner];
    }
    match *map {
        AxisMap::Repeat { factor } => lines.sums(factor, 1.0),
        AxisMap::Average { size, stride, padding: [0, 0], .. } if stride == size && lines.to == lines.from * size => {
            let factor = (1.0 / size as f64) as f32;
            kernels::repeat(&kernels::map(x.values, |x| x * factor), inner, size)
        }
        AxisMap::Cumulative { exclusive, reverse } => lines.running(exclusive, !reverse),
        _ => lines.product(&map.rows(lines.to).transposed()),
    }
}

/// Sums that one thread makes at a time.
const PIECE: usize = 1 << 12;

/// `outer` times `from` entries of `inner` numbers each; of the result `to` entries.
#[derive(Clone, Copy)]
struct Lines<'a> {
    x: &'a [f32],
    outer: usize,
    from: usize,
    to: usize,
    inner: usize,
}

impl Lines<'_> {
    /// Calls `write(lines of x, lines of the result)` for each of `outer`.
    fn each(self, write: impl Fn(&[f32], &mut [f32]) + Sync) -> Vec<f32> {
        let mut out = vec![0.0; self.outer * self.to * self.inner];
        let length = self.from * self.inner;
        blocks(&mut out, self.to * self.inner, |number, out| write(&self.x[number * length..][..length], out));
        out
    }

    /// Calls `write(lines of x, number of the entry, entry)` for each entry of the result.
    fn each_entry(self, write: impl Fn(&[f32], usize, &mut [f32]) + Sync) -> Vec<f32> {
        self.each(|x, out| blocks(out, self.inner, |entry, out| write(x, entry, out)))
    }

    /// Sums of `count` entries, times a factor.
    fn sums(self, count: usize, factor: f32) -> Vec<f32> {
        if self.from > self.to * count {
            let Self { outer, to, inner, .. } = self;
            let kept = self.first_entries(to * count);
            return Lines { x: &kept, outer, from: to * count, to, inner }.sums(count, factor);
        }
        let mut out = vec![0.0; self.outer * self.to * self.inner];
        let (x, inner) = (self.x, self.inner);
        if inner == 1 {
            blocks_of_many(&mut out, PIECE, count, |piece, out| {
                let x = &x[piece * PIECE * count..][..out.len() * count];
                if count == 2 {
                    out.iter_mut().zip(x.as_chunks::<2>().0).for_each(|(out, x)| *out = (x[0] + x[1]) * factor);
                } else {
                    let sum = |x: &[f32]| x[1..].iter().fold(x[0], |sum, x| sum + x);
                    out.iter_mut().zip(x.chunks_exact(count)).for_each(|(out, x)| *out = sum(x) * factor);
                }
            });
            return out;
        }
        blocks_of_many(&mut out, inner, count, |entry, out| {
            let x = &x[count * entry * inner..][..count * inner];
            if count == 2 {
                let (a, b) = x.split_at(inner);
                out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (a, b))| *out = (a + b) * factor);
                return;
            }
            let mut rows = x.chunks_exact(inner);
            rows.next().into_iter().for_each(|row| out.copy_from_slice(row));
            rows.for_each(|row| out.iter_mut().zip(row).for_each(|(out, x)| *out += x));
            if factor != 1.0 {
                out.iter_mut().for_each(|out| *out *= factor);
            }
        });
        out
    }

    /// The first entries alone.
    fn first_entries(self, entries: usize) -> Vec<f32> {
        let lines = self.x.chunks_exact(self.from * self.inner);
        lines.flat_map(|line| &line[..entries * self.inner]).copied().collect()
    }

    /// Running sums.
    fn running(self, exclusive: bool, reverse: bool) -> Vec<f32> {
        let entries = self.to;
        self.each(|x, out| {
            let mut sums = vec![0.0f64; self.inner];
            for step in 0..entries {
                let entry = if reverse { entries - 1 - step } else { step } * self.inner;
                let x = &x[entry..entry + self.inner];
                for ((sum, &x), out) in sums.iter_mut().zip(x).zip(&mut out[entry..entry + self.inner]) {
                    let before = *sum;
                    *sum += f64::from(x);
                    *out = if exclusive { before } else { *sum } as f32;
                }
            }
        })
    }

    /// The product with a matrix that is mostly empty.
    fn product(self, rows: &Rows) -> Vec<f32> {
        let terms: Vec<(usize, f32)> =
            rows.rows.iter().flatten().map(|&(entry, weight)| (entry, weight as f32)).collect();
        let mut ends = Vec::with_capacity(rows.rows.len() + 1);
        ends.push(0);
        for row in &rows.rows {
            ends.push(ends[ends.len() - 1] + row.len());
        }
        let row = |entry: usize| &terms[ends[entry]..ends[entry + 1]];
        if self.inner == 1 {
            return self.each(|x, out| {
                for (entry, out) in out.iter_mut().enumerate() {
                    *out = row(entry).iter().fold(0.0, |sum, &(from, weight)| sum + weight * x[from]);
                }
            });
        }
        self.each_entry(|x, entry, out| {
            for &(from, weight) in row(entry) {
                let x = &x[from * self.inner..][..self.inner];
                out.iter_mut().zip(x).for_each(|(out, x)| *out += weight * x);
            }
        })
    }
}
