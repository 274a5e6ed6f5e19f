//! Convolutions and their gradients, by their definition:
//!
//! ```text
//! y[n,o,i,j] = sum_{c,a,b} w[o,c,a,b] x[n, c, i s - p + a d, j s - p + b d]
//! ```
//!
//! Each of x, w and y is a sum over these products of the other two.

use super::float::rounded;
use super::{Array, Float, known, taps};
use crate::Conv;

/// Shapes of x, w and y.
struct Shapes<'a> {
    x: &'a [usize],
    w: &'a [usize],
    y: &'a [usize],
}

impl Shapes<'_> {
    /// Calls `product(w, x, y)` with the places of the three for every product.
    fn for_each(&self, conv: &Conv, mut product: impl FnMut(usize, usize, usize)) {
        let (&[n, c, h, w], &[o, per_group, kh, kw], &[_, _, oh, ow]) = (self.x, self.w, self.y) else { return };
        if [self.x, self.w, self.y].iter().any(|shape| shape.contains(&0)) {
            return;
        }
        let o_per_group = o / conv.groups;
        for image in 0..n {
            for to in 0..o {
                for from in 0..per_group {
                    let channel = to / o_per_group * per_group + from;
                    for i in 0..oh {
                        for j in 0..ow {
                            for a in taps(conv, 0, i, kh, h) {
                                for b in taps(conv, 1, j, kw, w) {
                                    let row = i * conv.stride[0] + a * conv.dilation[0] - conv.padding[0][0];
                                    let column = j * conv.stride[1] + b * conv.dilation[1] - conv.padding[1][0];
                                    product(
                                        ((to * per_group + from) * kh + a) * kw + b,
                                        ((image * c + channel) * h + row) * w + column,
                                        ((image * o + to) * oh + i) * ow + j,
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

/// Each channel's number in all its places, or zeros.
fn biased<T: Float>(bias: Option<&[T]>, shape: &[usize]) -> Vec<f64> {
    let count = known(shape);
    let (Some(bias), true) = (bias, count > 0) else { return vec![0.0; count] };
    let cells: usize = shape[2..].iter().product();
    (0..count).map(|place| bias[place / cells % bias.len()].wide()).collect()
}

pub(super) fn forward<T: Float>(conv: &Conv, x: Array<T>, w: Array<T>, bias: Option<&[T]>, shape: &[usize]) -> Vec<T> {
    let mut sums = biased(bias, shape);
    Shapes { x: x.shape, w: w.shape, y: shape }
        .for_each(conv, |k, i, o| sums[o] += w.values[k].wide() * x.values[i].wide());
    rounded(sums)
}

/// `x` stands where the convolution has its result, and the result where it has its input.
pub(super) fn transpose<T: Float>(
    conv: &Conv,
    x: Array<T>,
    w: Array<T>,
    bias: Option<&[T]>,
    shape: &[usize],
) -> Vec<T> {
    let mut sums = biased(bias, shape);
    Shapes { x: shape, w: w.shape, y: x.shape }
        .for_each(conv, |k, i, o| sums[i] += w.values[k].wide() * x.values[o].wide());
    rounded(sums)
}

pub(super) fn weight<T: Float>(conv: &Conv, x: Array<T>, g: Array<T>, shape: &[usize]) -> Vec<T> {
    let mut sums = vec![0.0; known(shape)];
    Shapes { x: x.shape, w: shape, y: g.shape }
        .for_each(conv, |k, i, o| sums[k] += x.values[i].wide() * g.values[o].wide());
    rounded(sums)
}
