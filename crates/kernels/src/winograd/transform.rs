//! Between maps and transformed tiles: the six transforms of a convolution and its gradients.
//!
//! A tile's numbers stand one *point* apart (`n * n` points), each with sixteen channels beside each other. Maps of
//! sixteen channels are first turned so that channels are beside each other, with one more cell: zero where tiles read
//! outside of a map, and a waste bin where they write there.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use super::plan::{Filter, Plan};
use super::scheme::{F22, F23, F42, F43, Scheme, apply2};
use crate::conv::After;
use crate::simd::{Simd, with_simd};

/// The most cells that a kernel has.
const MOST_TAPS: usize = 16;

/// `rows` (`len` numbers of each of `lanes` rows) as `[len][16]`; lanes that are not there are zero.
#[inline(always)]
unsafe fn turn_in<S: Simd>(rows: *const f32, row_stride: usize, lanes: usize, len: usize, to: *mut f32) {
    unsafe {
        let mut i = 0;
        if lanes == 16 {
            while i + 8 <= len {
                for (k, column) in S::columns(rows.add(i), row_stride).into_iter().enumerate() {
                    S::store(to.add((i + k) * 16), column);
                }
                i += 8;
            }
        }
        while i < len {
            for l in 0..16 {
                *to.add(i * 16 + l) = if l < lanes { *rows.add(l * row_stride + i) } else { 0.0 };
            }
            i += 1;
        }
    }
}

/// The reverse of [`turn_in`], after which `after` is done.
#[inline(always)]
unsafe fn turn_out_after<S: Simd>(
    from: *mut f32,
    rows: *mut f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
    after: After,
) {
    /// Cells that stay in the first cache between the two.
    const BLOCK: usize = 64;
    unsafe {
        for start in (0..len).step_by(BLOCK) {
            let (from, len) = (from.add(start * 16), BLOCK.min(len - start));
            match after {
                After::Nothing => {}
                After::Relu => {
                    for i in 0..len {
                        let at = from.add(i * 16);
                        S::store(at, S::relu(S::load(at)));
                    }
                }
                After::LeakyRelu(slope) => {
                    let slope = S::splat(slope);
                    for i in 0..len {
                        let at = from.add(i * 16);
                        S::store(at, S::leaky_relu(S::load(at), slope));
                    }
                }
            }
            turn_out::<S>(from, rows.add(start), row_stride, lanes, len, false);
        }
    }
}

/// The reverse of [`turn_in`]: writes `[len][16]` to rows, or adds it to what stands there.
#[inline(always)]
unsafe fn turn_out<S: Simd>(
    from: *const f32,
    rows: *mut f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
    accumulate: bool,
) {
    unsafe {
        let mut i = 0;
        if lanes == 16 && !accumulate {
            while i + 8 <= len {
                let mut columns = [S::splat(0.0); 8];
                for (k, column) in columns.iter_mut().enumerate() {
                    *column = S::load(from.add((i + k) * 16));
                }
                S::rows(columns, rows.add(i), row_stride);
                i += 8;
            }
        }
        while i < len {
            for l in 0..lanes {
                let at = rows.add(l * row_stride + i);
                *at = *from.add(i * 16 + l) + if accumulate { *at } else { 0.0 };
            }
            i += 1;
        }
    }
}

/// How transformed numbers stand in memory; distances are in words of 32 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `f32`: sixteen words a row.
    Single,
    /// `bf16`, channels beside each other: eight words a row.
    Channels,
    /// `bf16`, two rows beside each other: sixteen words for two rows, the first in the lower halves. Whoever writes a
    /// second row has written the first one.
    Rows,
}

impl Form {
    /// Words of `rows` rows.
    pub(super) fn words(self, rows: usize) -> usize {
        match self {
            Self::Single => rows * 16,
            Self::Channels => rows * 8,
            Self::Rows => rows.div_ceil(2) * 16,
        }
    }
}

/// Where transformed numbers are written: a row (a tile, or one number of the inner length) of sixteen lanes at every
/// point and phase.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// Row 0.
    pub(super) at: *mut f32,
    pub(super) form: Form,
    /// The first row.
    pub(super) row: usize,
    /// From one point of a tile to the next.
    pub(super) point: usize,
    /// From one phase of the kernel to the next.
    pub(super) phase: usize,
}

impl Target {
    /// Writes row `row` from the first one on, at every point.
    #[inline(always)]
    unsafe fn store<S: Simd, const N: usize>(self, phase: usize, row: usize, x: &[[S::Lanes; N]; N]) {
        let row = self.row + row;
        let at = self.at.wrapping_add(phase * self.phase);
        macro_rules! each {
            ($store:ident, $offset:expr) => {
                for i in 0..N {
                    for j in 0..N {
                        let to = at.add($offset + (i * N + j) * self.point);
                        S::$store(to.cast(), x[i][j]);
                    }
                }
            };
        }
        unsafe {
            match self.form {
                Form::Single => each!(store, row * 16),
                Form::Channels => each!(store_bf16, row * 8),
                Form::Rows if row.is_multiple_of(2) => each!(store_low, row / 2 * 16),
                Form::Rows => each!(add_high, row / 2 * 16),
            }
        }
    }
}

/// Where products of one image and block of channels stand, and those of a pair of channels' kernels:
/// `at + point * point + phase * phase + tile * 16`.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) at: *const f32,
    /// From one point of a tile to the next.
    pub(super) point: usize,
    /// From one phase of the kernel to the next.
    pub(super) phase: usize,
}

#[inline(always)]
unsafe fn load_points<S: Simd, const N: usize>(from: *const f32, point: usize) -> [[S::Lanes; N]; N] {
    unsafe {
        let mut x = [[S::splat(0.0); N]; N];
        for i in 0..N {
            for j in 0..N {
                x[i][j] = S::load(from.add((i * N + j) * point));
            }
        }
        x
    }
}

#[inline(always)]
unsafe fn load_cells<S: Simd, const N: usize>(turned: *const f32, cells: &[u32]) -> [[S::Lanes; N]; N] {
    unsafe {
        let mut x = [[S::splat(0.0); N]; N];
        for i in 0..N {
            for j in 0..N {
                x[i][j] = S::load(turned.add(*cells.get_unchecked(i * N + j) as usize));
            }
        }
        x
    }
}

/// Calls `$function::<S, scheme, M, R, N>` for the plan's filter.
macro_rules! by_filter {
    ($plan:expr, $function:ident::<$s:ident>($($arg:expr),*)) => {
        match $plan.filter {
            Filter::F42 => $function::<$s, F42, 4, 2, 5>($($arg),*),
            Filter::F22 => $function::<$s, F22, 2, 2, 3>($($arg),*),
            Filter::F43 => $function::<$s, F43, 4, 3, 6>($($arg),*),
            Filter::F23 => $function::<$s, F23, 2, 3, 4>($($arg),*),
        }
    };
}

#[inline(always)]
unsafe fn input_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    unsafe {
        let cells = plan.s.h * plan.s.w;
        turn_in::<S>(maps, cells, lanes, cells, turned);
        S::store(turned.add(cells * 16), S::splat(0.0));
        for phase in 0..plan.phases {
            for tile in 0..plan.tiles {
                let x = load_cells::<S, N>(turned, plan.x_cells(tile, phase));
                let v = apply2::<S, N, N>(&F::BT, &x);
                to.store::<S, N>(phase, tile, &v);
            }
        }
    }
}

#[inline(always)]
unsafe fn input_any<S: Simd>(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) {
    unsafe { by_filter!(plan, input_of::<S>(plan, maps, lanes, turned, to)) }
}

#[inline(always)]
unsafe fn output_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    unsafe {
        let cells = plan.s.output[0] * plan.s.output[1];
        turn_in::<S>(maps, cells, lanes, cells, turned);
        S::store(turned.add(cells * 16), S::splat(0.0));
        for tile in 0..plan.tiles {
            let dy = load_cells::<S, M>(turned, plan.y_cells(tile));
            let p = apply2::<S, N, M>(&F::A, &dy);
            to.store::<S, N>(0, tile, &p);
        }
    }
}

#[inline(always)]
unsafe fn output_gradient_any<S: Simd>(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) {
    unsafe { by_filter!(plan, output_gradient_of::<S>(plan, maps, lanes, turned, to)) }
}

#[inline(always)]
unsafe fn output_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    after: After,
    maps: *mut f32,
    lanes: usize,
) {
    unsafe {
        let cells = plan.s.output[0] * plan.s.output[1];
        let bias = S::load(bias.as_ptr());
        for tile in 0..plan.tiles {
            let y = apply2::<S, M, N>(&F::AT, &load_points::<S, N>(from.at.add(tile * 16), from.point));
            let at = plan.y_cells(tile);
            for i in 0..M {
                for j in 0..M {
                    S::store(turned.add(*at.get_unchecked(i * M + j) as usize), S::add(y[i][j], bias));
                }
            }
        }
        turn_out_after::<S>(turned, maps, cells, lanes, cells, after);
    }
}

#[inline(always)]
unsafe fn output_any<S: Simd>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    after: After,
    maps: *mut f32,
    lanes: usize,
) {
    unsafe { by_filter!(plan, output_of::<S>(plan, from, turned, bias, after, maps, lanes)) }
}

#[inline(always)]
unsafe fn input_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    after: After,
    maps: *mut f32,
    lanes: usize,
) {
    unsafe {
        let cells = plan.s.h * plan.s.w;
        let bias = S::load(bias.as_ptr());
        for cell in 0..=cells {
            S::store(turned.add(cell * 16), bias);
        }
        for tile in 0..plan.tiles {
            for phase in 0..plan.phases {
                let q = load_points::<S, N>(from.at.add(phase * from.phase + tile * 16), from.point);
                let x = apply2::<S, N, N>(&F::B, &q);
                let at = plan.x_cells(tile, phase);
                for i in 0..N {
                    for j in 0..N {
                        let cell = turned.add(*at.get_unchecked(i * N + j) as usize);
                        S::store(cell, S::add(S::load(cell), x[i][j]));
                    }
                }
            }
        }
        turn_out_after::<S>(turned, maps, cells, lanes, cells, after);
    }
}

#[inline(always)]
unsafe fn input_gradient_any<S: Simd>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    after: After,
    maps: *mut f32,
    lanes: usize,
) {
    unsafe { by_filter!(plan, input_gradient_of::<S>(plan, from, turned, bias, after, maps, lanes)) }
}

#[inline(always)]
unsafe fn weights_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    kernels: *const f32,
    lane_stride: usize,
    lanes: usize,
    to: Target,
) {
    unsafe {
        let mut taps = [0.0f32; MOST_TAPS * 16];
        turn_in::<S>(kernels, lane_stride, lanes, plan.taps, taps.as_mut_ptr());
        for phase in 0..plan.phases {
            let mut g = [[S::splat(0.0); R]; R];
            for i in 0..R {
                for j in 0..R {
                    g[i][j] = S::load(taps.as_ptr().add(plan.tap(phase, i, j) * 16));
                }
            }
            let u = apply2::<S, N, R>(&F::G, &g);
            to.store::<S, N>(phase, 0, &u);
        }
    }
}

#[inline(always)]
unsafe fn weights_any<S: Simd>(plan: &Plan, kernels: *const f32, lane_stride: usize, lanes: usize, to: Target) {
    unsafe { by_filter!(plan, weights_of::<S>(plan, kernels, lane_stride, lanes, to)) }
}

#[inline(always)]
unsafe fn weight_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    kernels: *mut f32,
    lane_stride: usize,
    lanes: usize,
    accumulate: bool,
) {
    unsafe {
        let mut taps = [0.0f32; MOST_TAPS * 16];
        for phase in 0..plan.phases {
            let g = apply2::<S, R, N>(&F::GT, &load_points::<S, N>(from.at.add(phase * from.phase), from.point));
            for i in 0..R {
                for j in 0..R {
                    S::store(taps.as_mut_ptr().add(plan.tap(phase, i, j) * 16), g[i][j]);
                }
            }
        }
        turn_out::<S>(taps.as_ptr(), kernels, lane_stride, lanes, plan.taps, accumulate);
    }
}

#[inline(always)]
unsafe fn weight_gradient_any<S: Simd>(
    plan: &Plan,
    from: Place,
    kernels: *mut f32,
    lane_stride: usize,
    lanes: usize,
    accumulate: bool,
) {
    unsafe { by_filter!(plan, weight_gradient_of::<S>(plan, from, kernels, lane_stride, lanes, accumulate)) }
}

with_simd! {
    /// Tiles of sixteen of x's channels: `BT X B` for every phase.
    fn input(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) = input_any
}
with_simd! {
    /// Tiles of sixteen of dy's channels: `A dY AT`.
    fn output_gradient(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) = output_gradient_any
}
with_simd! {
    /// Sixteen of y's channels from their products: `AT M A`, and the bias.
    fn output(plan: &Plan, from: Place, turned: *mut f32, bias: &[f32; 16], after: After, maps: *mut f32, lanes: usize) = output_any
}
with_simd! {
    /// Sixteen of dx's channels from their products: `B Q BT`, added where tiles overlap, and the bias.
    fn input_gradient(plan: &Plan, from: Place, turned: *mut f32, bias: &[f32; 16], after: After, maps: *mut f32, lanes: usize) = input_gradient_any
}
with_simd! {
    /// Sixteen kernels, `lane_stride` apart: `G W GT` for every phase.
    fn weights(plan: &Plan, kernels: *const f32, lane_stride: usize, lanes: usize, to: Target) = weights_any
}
with_simd! {
    /// The gradients of sixteen kernels from their products: `GT D G` for every phase.
    fn weight_gradient(plan: &Plan, from: Place, kernels: *mut f32, lane_stride: usize, lanes: usize, accumulate: bool) = weight_gradient_any
}
