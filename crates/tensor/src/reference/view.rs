//! Where the elements of one shape lie in the memory of another.

use crate::{Mismatch, mismatch};

/// How many elements a shape has.
///
/// # Errors
/// More than any memory holds.
pub(crate) fn elements(shape: &[usize]) -> Result<usize, Mismatch> {
    if shape.contains(&0) {
        return Ok(0);
    }
    let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    let fits = |&count: &usize| count <= isize::MAX as usize / size_of::<f64>();
    count.filter(fits).ok_or_else(|| mismatch("a result that fits into memory", format!("{shape:?}")))
}

/// How many elements a shape has that has been looked at by [`elements`], or whose elements exist.
pub(crate) fn known(shape: &[usize]) -> usize {
    if shape.contains(&0) { 0 } else { shape.iter().product() }
}

/// Elements of some shape inside an array: the place of an element is `start` and, for each axis, its number times the axis's
/// stride. Sums and products wrap around, so that strides may be negative; places of elements that exist do not.
#[derive(Clone, Debug)]
pub(crate) struct View {
    shape: Vec<usize>,
    strides: Vec<usize>,
    start: usize,
}

impl View {
    /// All elements in row-major order.
    pub(crate) fn of(shape: &[usize]) -> Self {
        let mut strides = vec![1usize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis].wrapping_mul(shape[axis]);
        }
        Self { shape: shape.to_vec(), strides, start: 0 }
    }

    /// Aligned at the last axes; lengths of 1 are repeated.
    pub(crate) fn repeated(&self, shape: &[usize]) -> Self {
        let mut strides = vec![0; shape.len()];
        let front = shape.len().saturating_sub(self.shape.len());
        for (axis, (&length, &stride)) in self.shape.iter().zip(&self.strides).enumerate() {
            strides[front + axis] = if length == 1 { 0 } else { stride };
        }
        Self { shape: shape.to_vec(), strides, start: self.start }
    }

    /// Axis `i` of the result is axis `axes[i]`.
    pub(crate) fn permuted(&self, axes: &[usize]) -> Self {
        let picked = |of: &[usize]| axes.iter().map(|&axis| of[axis]).collect();
        Self { shape: picked(&self.shape), strides: picked(&self.strides), start: self.start }
    }

    /// Entries `start`, `start + step`, ... of an axis.
    pub(crate) fn sliced(mut self, axis: usize, start: usize, step: isize, length: usize) -> Self {
        self.start = self.start.wrapping_add(start.wrapping_mul(self.strides[axis]));
        self.strides[axis] = self.strides[axis].wrapping_mul(step as usize);
        self.shape[axis] = length;
        self
    }

    /// The distance in memory of an axis's entries.
    pub(crate) fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// The places of all elements, in row-major order.
    pub(crate) fn places(&self) -> Places<'_> {
        let left = known(&self.shape);
        Places { view: self, index: vec![0; self.shape.len()], at: self.start, left }
    }
}

/// The places of a view's elements.
pub(crate) struct Places<'a> {
    view: &'a View,
    index: Vec<usize>,
    at: usize,
    left: usize,
}

impl Iterator for Places<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        for (index, (&length, &stride)) in
            self.index.iter_mut().zip(self.view.shape.iter().zip(&self.view.strides)).rev()
        {
            *index += 1;
            self.at = self.at.wrapping_add(stride);
            if *index < length {
                break;
            }
            *index = 0;
            self.at = self.at.wrapping_sub(stride.wrapping_mul(length));
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_axes() {
        let all = |view: &View| view.places().collect::<Vec<_>>();
        let view = View::of(&[2, 3]);
        assert_eq!(all(&view), [0, 1, 2, 3, 4, 5]);
        assert_eq!(all(&view.permuted(&[1, 0])), [0, 3, 1, 4, 2, 5]);
        assert_eq!(all(&view.clone().sliced(1, 2, -2, 2)), [2, 0, 5, 3]);
        assert_eq!(all(&View::of(&[2, 1]).repeated(&[2, 2, 2])), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(all(&View::of(&[])), [0]);
        assert_eq!(all(&View::of(&[3]).sliced(0, 2, isize::MIN, 1)), [2]);
        assert!(all(&View::of(&[usize::MAX, 3, 0])).is_empty());
    }

    #[test]
    fn no_memory_holds_everything() {
        assert_eq!(elements(&[2, 3]), Ok(6));
        assert_eq!(elements(&[]), Ok(1));
        assert_eq!(elements(&[usize::MAX, usize::MAX, 0]), Ok(0));
        assert!(elements(&[usize::MAX, 2]).is_err() && elements(&[usize::MAX / 4]).is_err());
    }
}
