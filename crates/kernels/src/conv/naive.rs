//! The definition of a convolution, in `f64`: what the fast forms are compared with.

use super::ConvShape;

/// The definition, in f64: calls `term(weight index, x index, y index)` for every product of the convolution.
fn for_each_product(s: &ConvShape, mut term: impl FnMut(usize, usize, usize)) {
    for n in 0..s.n {
        for o in 0..s.o {
            for i in 0..s.output[0] {
                for j in 0..s.output[1] {
                    for c in 0..s.c / s.groups {
                        for a in 0..s.kernel[0] {
                            for b in 0..s.kernel[1] {
                                let y = (i * s.stride[0] + a * s.dilation[0]).wrapping_sub(s.padding[0][0]);
                                let x = (j * s.stride[1] + b * s.dilation[1]).wrapping_sub(s.padding[1][0]);
                                if y < s.h && x < s.w {
                                    term(
                                        ((o * (s.c / s.groups) + c) * s.kernel[0] + a) * s.kernel[1] + b,
                                        ((n * s.c + o / (s.o / s.groups) * (s.c / s.groups) + c) * s.h + y) * s.w + x,
                                        ((n * s.o + o) * s.output[0] + i) * s.output[1] + j,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn numbers(n: usize, salt: usize) -> Vec<f32> {
    (0..n).map(|i| (((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.5) - 1.0).collect()
}

/// `(y, dx, dW)` by the definition; `y` and `dx` with biases.
pub(crate) fn all_three(
    s: &ConvShape,
    x: &[f32],
    w: &[f32],
    dy: &[f32],
    y_bias: &[f32],
    x_bias: &[f32],
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut y: Vec<f64> = (0..s.n * s.y_len()).map(|i| f64::from(y_bias[i / s.cells() % s.o])).collect();
    let mut dx: Vec<f64> = (0..x.len()).map(|i| f64::from(x_bias[i / (s.h * s.w) % s.c])).collect();
    let mut dw = vec![0.0; w.len()];
    for_each_product(s, |k, i, j| {
        y[j] += f64::from(w[k]) * f64::from(x[i]);
        dx[i] += f64::from(w[k]) * f64::from(dy[j]);
        dw[k] += f64::from(x[i]) * f64::from(dy[j]);
    });
    (y, dx, dw)
}
