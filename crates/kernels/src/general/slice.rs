//! Parts of tensors.

use super::{by_rows, check, strides};

/// What is taken along one axis: `start`, `start + step`, ..., `len` of them. A negative step goes backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first.
    pub start: usize,
    /// From one to the next.
    pub step: isize,
    /// How many.
    pub len: usize,
}

impl Slice {
    fn places(self, length: usize) -> Vec<usize> {
        let place = |i: usize| {
            let place = self.start.checked_add_signed(self.step * i as isize).filter(|&place| place < length);
            place.unwrap_or_else(|| panic!("{self:?} of {length}"))
        };
        (0..self.len).map(place).collect()
    }
}

/// Where the rows (along the last axis) of a slice start, and where in them its numbers are.
struct Places {
    outer: Vec<usize>,
    starts: Vec<Vec<usize>>,
    row: Vec<usize>,
}

impl Places {
    fn new(shape: &[usize], slices: &[Slice]) -> Option<Self> {
        assert_eq!(shape.len(), slices.len(), "a slice for each axis of {shape:?}");
        let mut starts: Vec<Vec<usize>> =
            slices.iter().zip(shape).map(|(slice, &length)| slice.places(length)).collect();
        for (places, stride) in starts.iter_mut().zip(strides(shape)) {
            places.iter_mut().for_each(|place| *place *= stride);
        }
        let row = starts.pop()?;
        Some(Self { outer: starts.iter().map(Vec::len).collect(), starts, row })
    }

    fn rows(&self) -> usize {
        self.outer.iter().product()
    }

    fn start(&self, row: usize) -> usize {
        let at = strides(&self.outer);
        let index = |axis: usize| row / at[axis] % self.outer[axis];
        self.starts.iter().enumerate().map(|(axis, starts)| starts[index(axis)]).sum()
    }
}

/// The part of `x` that `slices` take, one for each axis.
///
/// # Panics
/// A slice that leaves its axis.
pub fn slice(x: &[f32], shape: &[usize], slices: &[Slice]) -> Vec<f32> {
    check(x, shape);
    let Some(places) = Places::new(shape, slices) else { return x.to_vec() };
    by_rows(places.rows(), places.row.len(), |row, y| {
        let start = places.start(row);
        y.iter_mut().zip(&places.row).for_each(|(y, place)| *y = x[start + place]);
    })
}

/// The adjoint of [`slice`]: a tensor of `shape` with each number of `g` added where it was taken from, 0 elsewhere.
///
/// # Panics
/// A slice that leaves its axis, or `g` of another length.
pub fn slice_adjoint(g: &[f32], shape: &[usize], slices: &[Slice]) -> Vec<f32> {
    let lens: Vec<usize> = slices.iter().map(|slice| slice.len).collect();
    check(g, &lens);
    let Some(places) = Places::new(shape, slices) else { return g.to_vec() };
    let mut x = vec![0.0; shape.iter().product()];
    if !places.row.is_empty() {
        for (row, g) in g.chunks_exact(places.row.len()).enumerate() {
            let start = places.start(row);
            g.iter().zip(&places.row).for_each(|(g, place)| x[start + place] += g);
        }
    }
    x
}
