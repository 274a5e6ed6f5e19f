//! Laplacian pyramids (Burt and Adelson 1983): an image as details of every size and a small rest.

/// The binomial kernel that smooths rows and columns.
const KERNEL: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// Height and width of the levels for images of a size: each half of the one before, rounded up, as long as both sides are at least
/// `smallest`; the first level is there in any case.
pub(super) fn sizes([height, width]: [usize; 2], smallest: usize) -> Vec<[usize; 2]> {
    let mut sizes = vec![[height, width]];
    let (mut h, mut w) = (height.div_ceil(2), width.div_ceil(2));
    while h >= smallest && w >= smallest && [h, w] != sizes[sizes.len() - 1] {
        sizes.push([h, w]);
        (h, w) = (h.div_ceil(2), w.div_ceil(2));
    }
    sizes
}

/// The levels of one plane, the finest first: `level - enlarged(next level)`, and the last one itself.
pub(super) fn levels(plane: &[f64], sizes: &[[usize; 2]]) -> Vec<Vec<f64>> {
    let mut found = Vec::with_capacity(sizes.len());
    let mut now = plane.to_vec();
    for pair in sizes.windows(2) {
        let next = smaller(&now, pair[0]);
        let coarse = larger(&next, pair[1], pair[0]);
        found.push(now.iter().zip(&coarse).map(|(a, b)| a - b).collect());
        now = next;
    }
    found.push(now);
    found
}

/// Smoothed, then every second row and column.
fn smaller(plane: &[f64], [h, w]: [usize; 2]) -> Vec<f64> {
    let rows = along_rows(plane, w, w.div_ceil(2), |row, x| smoothed(w as i64, 2 * x as i64, |i| row[i]));
    let half = w.div_ceil(2);
    along_columns(&rows, half, h.div_ceil(2), |column, y| smoothed(h as i64, 2 * y as i64, column))
}

/// Zeros between rows and columns, then smoothed, at twice the weight each way.
fn larger(plane: &[f64], [h, w]: [usize; 2], [height, width]: [usize; 2]) -> Vec<f64> {
    let spread = |i: usize| i.is_multiple_of(2).then_some(i / 2);
    // A line of one has no zeros between.
    let weight = |n: usize| if n == 1 { 1.0 } else { 2.0 };
    let rows = along_rows(plane, w, width, |row, x| {
        weight(width) * smoothed(width as i64, x as i64, |i| spread(i).map_or(0.0, |i| row[i]))
    });
    debug_assert_eq!(rows.len(), h * width);
    along_columns(&rows, width, height, |column, y| {
        weight(height) * smoothed(height as i64, y as i64, |i| spread(i).map_or(0.0, column))
    })
}

/// The smoothed value at `at` of a line of `n`, mirrored at its ends without repeating them.
fn smoothed(n: i64, at: i64, value: impl Fn(usize) -> f64) -> f64 {
    let mirrored = |mut i: i64| {
        let period = (2 * (n - 1)).max(1);
        i = i.rem_euclid(period);
        (if i < n { i } else { period - i }) as usize
    };
    KERNEL.iter().zip(-2..).map(|(k, step)| k * value(mirrored(at + step))).sum()
}

fn along_rows(plane: &[f64], w: usize, out: usize, each: impl Fn(&[f64], usize) -> f64) -> Vec<f64> {
    plane.chunks_exact(w).flat_map(|row| (0..out).map(|x| each(row, x)).collect::<Vec<_>>()).collect()
}

fn along_columns(plane: &[f64], w: usize, out: usize, each: impl Fn(&dyn Fn(usize) -> f64, usize) -> f64) -> Vec<f64> {
    (0..out * w).map(|at| each(&|y| plane[y * w + at % w], at / w)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_halve_down_to_the_smallest_side() {
        assert_eq!(sizes([64, 64], 16), [[64, 64], [32, 32], [16, 16]]);
        assert_eq!(sizes([9, 40], 4), [[9, 40], [5, 20]]);
        assert_eq!(sizes([3, 3], 16), [[3, 3]]);
        assert_eq!(sizes([1, 1], 1), [[1, 1]]);
    }

    /// `SciPy`'s rule by hand: `convolve1d(x, [1, 4, 6, 4, 1] / 16, mode="mirror")`, then `[::2]`.
    #[test]
    fn a_line_by_hand() {
        let line = [1.0, 2.0, 4.0, 8.0];
        // At 0: (4 + 4*2 + 6*1 + 4*2 + 4) / 16; at 2: (1 + 4*2 + 6*4 + 4*8 + 4) / 16, where 4 is mirrored.
        assert_eq!(smaller(&line, [1, 4]), [30.0 / 16.0, 69.0 / 16.0]);
        // Zeros between: 1 0 3 0. At 0: 2 (3 + 6 + 3) / 16; at 1: 2 (4 + 12) / 16; at 2: 2 (1 + 18 + 3) / 16; at 3: 2 * 24 / 16.
        assert_eq!(larger(&[1.0, 3.0], [1, 2], [1, 4]), [1.5, 2.0, 2.75, 3.0]);
    }

    #[test]
    fn a_constant_is_all_in_the_rest_and_levels_add_up_to_the_image() {
        let sizes = sizes([12, 9], 3);
        let flat = levels(&[0.25; 108], &sizes);
        assert!(flat[..sizes.len() - 1].iter().flatten().all(|v| v.abs() < 1e-15));
        assert!(flat[sizes.len() - 1].iter().all(|v| (v - 0.25).abs() < 1e-15));
        let mut draw = base::seed::Stream::new(1, "test", 0);
        let plane: Vec<f64> = (0..108).map(|_| draw.normal()).collect();
        let found = levels(&plane, &sizes);
        let mut sum = found[sizes.len() - 1].clone();
        for k in (0..sizes.len() - 1).rev() {
            sum = larger(&sum, sizes[k + 1], sizes[k]).iter().zip(&found[k]).map(|(a, b)| a + b).collect();
        }
        assert!(sum.iter().zip(&plane).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
