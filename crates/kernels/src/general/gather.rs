//! Numbers by their index along an axis.

use super::{around, by_rows, check};

/// `y[.., i, ..] = x[.., indices[i], ..]` along an axis.
///
/// # Panics
/// An index or an axis that is not there.
pub fn gather(x: &[f32], shape: &[usize], axis: usize, indices: &[usize]) -> Vec<f32> {
    check(x, shape);
    let [before, length, behind] = around(shape, axis);
    assert!(indices.iter().all(|&index| index < length), "an index beyond axis {axis} of {shape:?}");
    by_rows(before * indices.len(), behind, |row, y| {
        let from = row / indices.len() * length + indices[row % indices.len()];
        y.copy_from_slice(&x[from * behind..(from + 1) * behind]);
    })
}

/// The adjoint of [`gather`]: a tensor of `shape` with `x[.., indices[i], ..] += g[.., i, ..]`, added in the order of `i`.
///
/// # Panics
/// An index or an axis that is not there, or `g` of another length.
pub fn scatter_add(g: &[f32], shape: &[usize], axis: usize, indices: &[usize]) -> Vec<f32> {
    let [before, length, behind] = around(shape, axis);
    assert_eq!(g.len(), before * indices.len() * behind, "numbers for {} indices of {shape:?}", indices.len());
    assert!(indices.iter().all(|&index| index < length), "an index beyond axis {axis} of {shape:?}");
    by_rows(before, length * behind, |part, x| {
        for (i, &index) in indices.iter().enumerate() {
            let g = &g[(part * indices.len() + i) * behind..][..behind];
            x[index * behind..(index + 1) * behind].iter_mut().zip(g).for_each(|(x, g)| *x += g);
        }
    })
}
