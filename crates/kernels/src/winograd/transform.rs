//! Between maps and transformed tiles: the six transforms of a convolution and its gradients.
//!
//! A tile's numbers stand one *point* apart (`n * n` points), each with sixteen channels beside each other. Maps of
//! sixteen channels are first turned so that channels are beside each other, with one more cell: zero where tiles read
//! outside of a map, and a waste bin where they write there.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use super::plan::{Filter, Plan};
use super::scheme::{F22, F23, F42, F43, Scheme, apply2};
use crate::simd::{Simd, with_simd};

/// The most cells that a kernel has.
const MOST_TAPS: usize = 16;

/// `rows` (`len` numbers of each of `lanes` rows) as `[len][16]`; lanes that are not there are zero.
///
/// # Safety
/// The processor has the instruction set of `S`. `lanes` rows, sixteen at most and `row_stride` apart, have `len` numbers; there is
/// room for `16 len` at `to`.
#[inline(always)]
unsafe fn turn_in<S: Simd>(rows: *const f32, row_stride: usize, lanes: usize, len: usize, to: *mut f32) {
    // SAFETY: `i` (with the eight of a step) stays below `len`, and rows are read only below `lanes`.
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

/// The reverse: writes `[len][16]` to rows, or adds it to what stands there.
///
/// # Safety
/// As of [`turn_in`], with `16 len` numbers at `from` and room for the rows, which are read only where `accumulate` is set.
#[inline(always)]
unsafe fn turn_out<S: Simd>(
    from: *const f32,
    rows: *mut f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
    accumulate: bool,
) {
    // SAFETY: as in `turn_in`.
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
    ///
    /// # Safety
    /// The processor has the instruction set of `S`; the words of this row and phase lie inside of what `at` points to at all `N * N`
    /// points, and are nobody else's meanwhile.
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
        // SAFETY: a row is sixteen or eight words, or one half of sixteen, where the caller says that there is room.
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

/// # Safety
/// The processor has the instruction set of `S`; sixteen numbers can be read at all `N * N` points.
#[inline(always)]
unsafe fn load_points<S: Simd, const N: usize>(from: *const f32, point: usize) -> [[S::Lanes; N]; N] {
    // SAFETY: these are the points.
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

/// # Safety
/// The processor has the instruction set of `S`; `cells` are at least `N * N`, and sixteen numbers can be read at each of them.
#[inline(always)]
unsafe fn load_cells<S: Simd, const N: usize>(turned: *const f32, cells: &[u32]) -> [[S::Lanes; N]; N] {
    // SAFETY: as the caller says.
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

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// `lanes` maps of x lie at `maps`, at `turned` there is room for sixteen maps of one cell more, and behind `to` for the rows of all tiles
/// and phases at all points.
#[inline(always)]
unsafe fn input_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    // SAFETY: `turned` has a cell behind the last one. The plan was made for this filter: it has `N * N` places for each tile and phase,
    // none of them behind that cell. `to` is as the caller says.
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

/// # Safety
/// As of [`input_of`], with the plan's filter.
#[inline(always)]
unsafe fn input_any<S: Simd>(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, input_of::<S>(plan, maps, lanes, turned, to)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// `lanes` maps of y lie at `maps`, at `turned` there is room for sixteen maps of one cell more, and behind `to` for the rows of all tiles
/// at all points.
#[inline(always)]
unsafe fn output_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    // SAFETY: as in `input_of`, with `M * M` places of y for each tile.
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

/// # Safety
/// As of [`output_gradient_of`], with the plan's filter.
#[inline(always)]
unsafe fn output_gradient_any<S: Simd>(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, output_gradient_of::<S>(plan, maps, lanes, turned, to)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// The products of all tiles can be read at all points of `from`, at `turned` there is room for sixteen maps of y with one cell more, and at
/// `maps` for `lanes`.
#[inline(always)]
unsafe fn output_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: the plan was made for this filter: it has `M * M` places of y for each tile, none of them behind the cell after the last.
    // Products and maps are as the caller says.
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
        turn_out::<S>(turned, maps, cells, lanes, cells, false);
    }
}

/// # Safety
/// As of [`output_of`], with the plan's filter.
#[inline(always)]
unsafe fn output_any<S: Simd>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, output_of::<S>(plan, from, turned, bias, maps, lanes)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// The products of all tiles and phases can be read at all points of `from`, at `turned` there is room for sixteen maps of x with one cell
/// more, and at `maps` for `lanes`.
#[inline(always)]
unsafe fn input_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as in `output_of`, with `N * N` places of x for each tile and phase.
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
        turn_out::<S>(turned, maps, cells, lanes, cells, false);
    }
}

/// # Safety
/// As of [`input_gradient_of`], with the plan's filter.
#[inline(always)]
unsafe fn input_gradient_any<S: Simd>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    bias: &[f32; 16],
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, input_gradient_of::<S>(plan, from, turned, bias, maps, lanes)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// `lanes` kernels lie at `kernels`, and behind `to` there is room for a row of all phases at all points.
#[inline(always)]
unsafe fn weights_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    kernels: *const f32,
    lane_stride: usize,
    lanes: usize,
    to: Target,
) {
    // SAFETY: kernels have no more than `MOST_TAPS` taps, and `tap` is one of them. Kernels and `to` are as the caller says.
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

/// # Safety
/// As of [`weights_of`], with the plan's filter.
#[inline(always)]
unsafe fn weights_any<S: Simd>(plan: &Plan, kernels: *const f32, lane_stride: usize, lanes: usize, to: Target) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, weights_of::<S>(plan, kernels, lane_stride, lanes, to)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// The products of all phases can be read at all points of `from`; at `kernels` there is room for `lanes`, with numbers where
/// `accumulate` is set.
#[inline(always)]
unsafe fn weight_gradient_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    from: Place,
    kernels: *mut f32,
    lane_stride: usize,
    lanes: usize,
    accumulate: bool,
) {
    // SAFETY: kernels have no more than `MOST_TAPS` taps, and `tap` is one of them. Products and kernels are as the caller says.
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

/// # Safety
/// As of [`weight_gradient_of`], with the plan's filter.
#[inline(always)]
unsafe fn weight_gradient_any<S: Simd>(
    plan: &Plan,
    from: Place,
    kernels: *mut f32,
    lane_stride: usize,
    lanes: usize,
    accumulate: bool,
) {
    // SAFETY: as the caller says; the filter is the plan's.
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
    fn output(plan: &Plan, from: Place, turned: *mut f32, bias: &[f32; 16], maps: *mut f32, lanes: usize) = output_any
}
with_simd! {
    /// Sixteen of dx's channels from their products: `B Q BT`, added where tiles overlap, and the bias.
    fn input_gradient(plan: &Plan, from: Place, turned: *mut f32, bias: &[f32; 16], maps: *mut f32, lanes: usize) = input_gradient_any
}
with_simd! {
    /// Sixteen kernels, `lane_stride` apart: `G W GT` for every phase.
    fn weights(plan: &Plan, kernels: *const f32, lane_stride: usize, lanes: usize, to: Target) = weights_any
}
with_simd! {
    /// The gradients of sixteen kernels from their products: `GT D G` for every phase.
    fn weight_gradient(plan: &Plan, from: Place, kernels: *mut f32, lane_stride: usize, lanes: usize, accumulate: bool) = weight_gradient_any
}
