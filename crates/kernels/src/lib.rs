//! Convolutions, their gradients and the few loops beside them that training spends its time in, and the tally of a
//! dissection, on plain slices.
//!
//! Nothing here knows of tensors, networks or devices. Every function
//! - takes `f32` slices in row-major order (images as `[n, c, h, w]`) and returns a new `Vec` (the tally adds
//!   to the counts that it is given; products are there in `f64` as well),
//! - gives the same bits whatever the number of threads, and for one image whatever the batch it is in: work is split by
//!   shape, never by the number of cores, and partial sums are added in a fixed order,
//! - chooses AVX-512, AVX2 or portable code at run time ([`Level`]; the plain products through the `gemm-f32` crate).
//!
//! Lengths are checked with `assert!`: a wrong length is a bug of the caller, never the user's input.
//!
//! ```
//! use ganatomy_kernels::{ConvShape, Precision, conv2d};
//!
//! // Each pixel with its eight neighbours: a 3x3 kernel of ones over a 4x4 image.
//! let shape = ConvShape {
//!     n: 1, c: 1, h: 4, w: 4, o: 1,
//!     kernel: [3; 2], stride: [1; 2], padding: [[1; 2]; 2], dilation: [1; 2], groups: 1, output: [4; 2],
//! };
//! let sums = conv2d(&shape, &[1.0; 16], &[1.0; 9], None, Precision::F32);
//! let near = |sum: f32, neighbours: f32| (sum - neighbours).abs() < 1e-4;
//! assert!(near(sums[0], 4.0) && near(sums[1], 6.0) && near(sums[5], 9.0));
//! ```

mod adam;
mod awake;
mod channel;
mod conv;
pub mod elementwise;
mod pointwise;
mod product;
mod simd;
mod tally;
mod winograd;

/// How often tests try a property, or how large they make things: a little under Miri, which is thousands of times slower.
#[cfg(test)]
const fn usual<T: Copy>(usual: T, under_miri: T) -> T {
    if cfg!(miri) { under_miri } else { usual }
}

pub use adam::{AdamParameter, AdamStep, adam};
pub use awake::in_pool;
pub use channel::{channel_broadcast, channel_dot, channel_squares, channel_sum, channel_sum_and_dot};
pub use conv::{ConvShape, Precision, PreparedConv, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
pub use elementwise::{Binary, Function, Leaf, Source, Step, Unary, fused};
pub use pointwise::{joined, map, repeat};
pub use product::{Matrix, Number, product, product_within, rows_dot_vector};
pub use simd::Level;
pub use tally::{Bins, Histogram, Labels, Upsampler, count_and, pack_classes, tally, words};
