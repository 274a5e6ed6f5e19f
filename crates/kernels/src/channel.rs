//! What batch norm and biases do: one number per channel against maps `[n, c, cells]`.

use rayon::prelude::*;

/// `y = x * scale[c] + shift[c]`; a missing one is 1 or 0.
pub fn channel_affine(
    x: &[f32],
    channels: usize,
    cells: usize,
    scale: Option<&[f32]>,
    shift: Option<&[f32]>,
) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    let image = channels * cells;
    if image == 0 {
        return y;
    }
    assert!(x.len().is_multiple_of(image), "whole images");
    y.par_chunks_mut(image).zip(x.par_chunks(image)).with_min_len((1 << 14) / image + 1).for_each(|(y, x)| {
        for (c, (y, x)) in y.chunks_exact_mut(cells).zip(x.chunks_exact(cells)).enumerate() {
            let (a, b) = (scale.map_or(1.0, |s| s[c]), shift.map_or(0.0, |s| s[c]));
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * a + b);
        }
    });
    y
}

/// `b[c]` in every cell of `images` images.
pub fn channel_broadcast(b: &[f32], images: usize, cells: usize) -> Vec<f32> {
    let mut y = vec![0.0; images * b.len() * cells];
    let image = b.len() * cells;
    if image > 0 {
        y.par_chunks_mut(image).with_min_len((1 << 14) / image + 1).for_each(|y| {
            y.chunks_exact_mut(cells).zip(b).for_each(|(map, &b)| map.fill(b));
        });
    }
    y
}

/// `sum over images and cells of x`, per channel.
pub fn channel_sum(x: &[f32], channels: usize, cells: usize) -> Vec<f32> {
    reduce(x, x, channels, cells, |x, _| lanes_sum(x, x, |a, _| a))
}

/// `sum over images and cells of x * y`, per channel.
pub fn channel_dot(x: &[f32], y: &[f32], channels: usize, cells: usize) -> Vec<f32> {
    assert_eq!(x.len(), y.len(), "lengths of a product per channel");
    reduce(x, y, channels, cells, |x, y| lanes_sum(x, y, |a, b| a * b))
}

/// Sums `map` over the images of each channel. Maps are summed in f32 lanes, images in f64 in their order: the result
/// is the same for every number of threads.
fn reduce(x: &[f32], y: &[f32], channels: usize, cells: usize, map: impl Fn(&[f32], &[f32]) -> f32 + Sync) -> Vec<f32> {
    let image = channels * cells;
    if image == 0 {
        return vec![0.0; channels];
    }
    assert!(x.len().is_multiple_of(image), "whole images");
    let images = x.len() / image;
    (0..channels)
        .into_par_iter()
        .with_min_len((1 << 14) / (cells * images).max(1) + 1)
        .map(|c| {
            let at = |i: usize| i * image + c * cells..i * image + (c + 1) * cells;
            (0..images).map(|i| f64::from(map(&x[at(i)], &y[at(i)]))).sum::<f64>() as f32
        })
        .collect()
}

/// Sixteen partial sums, so that the loop is as wide as the machine and the error small.
pub(crate) fn lanes_sum(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (xs, x_rest) = x.as_chunks::<16>();
    let (ys, y_rest) = y.as_chunks::<16>();
    for (x, y) in xs.iter().zip(ys) {
        for (lane, (&x, &y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += f(x, y);
        }
    }
    lanes.iter().sum::<f32>() + x_rest.iter().zip(y_rest).map(|(&x, &y)| f(x, y)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_channel_is_repeated_over_images_and_cells() {
        assert_eq!(channel_broadcast(&[1.0, 2.0], 2, 3), [1., 1., 1., 2., 2., 2., 1., 1., 1., 2., 2., 2.]);
        assert!(channel_broadcast(&[1.0], 0, 3).is_empty());
    }

    proptest! {
        #[test]
        fn sums_equal_the_definition(n in 1usize..6, c in 1usize..9, cells in 1usize..70) {
            let x: Vec<f32> = (0..n * c * cells).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
            let y: Vec<f32> = (0..n * c * cells).map(|i| (i * 53 % 97) as f32 / 48.0 - 1.0).collect();
            let expected = |f: &dyn Fn(usize) -> f64| -> Vec<f64> {
                (0..c).map(|k| (0..x.len()).filter(|i| i / cells % c == k).map(f).sum()).collect()
            };
            for (got, want) in channel_sum(&x, c, cells).iter().zip(expected(&|i| f64::from(x[i]))) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-3);
            }
            for (got, want) in channel_dot(&x, &y, c, cells).iter().zip(expected(&|i| f64::from(x[i]) * f64::from(y[i]))) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-3);
            }
        }
    }
}
