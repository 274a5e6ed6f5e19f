//! Between maps and transformed tiles: the six transforms of a convolution and its gradients.
//!
//! A tile's numbers stand one *point* apart (`n * n` points), each with sixteen channels beside each other. Maps of
//! sixteen channels are first turned so that channels are beside each other, with one more cell: zero where tiles read
//! outside of a map, and a waste bin where they write there.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use super::plan::{Filter, Plan};
use super::scheme::{F22, F23, F42, F43, From2, Into2, Scheme, apply2};
use crate::conv::After;
use crate::simd::{Portable, Simd, with_simd};
use std::mem::MaybeUninit;
use std::ops::Range;

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

/// Where up to sixteen kernels lie.
#[derive(Clone, Copy)]
pub(super) enum Kernels {
    /// `lanes` kernels, `stride` from one to the next.
    Apart { at: *const f32, stride: usize, lanes: usize },
    /// `[taps][16]`.
    InLanes(*const f32),
}

impl Kernels {
    /// Writes them as `[taps][16]`, zero where there is none.
    ///
    /// # Safety
    /// They lie where they say, and at `to` there is room.
    pub(super) unsafe fn into_lanes(self, taps: usize, to: &mut [f32]) {
        assert_eq!(to.len(), taps * 16, "room for the kernels");
        match self {
            // SAFETY: as the caller says; of the lanes that are there, all taps can be read.
            Self::Apart { at, stride, lanes } => unsafe {
                turn_in::<Portable>(at, stride, lanes, taps, to.as_mut_ptr());
            },
            // SAFETY: as the caller says.
            Self::InLanes(at) => unsafe { to.copy_from_slice(std::slice::from_raw_parts(at, to.len())) },
        }
    }
}

/// What is done with sixteen maps before they are written.
pub(super) struct Finish {
    /// Added to each number of a map.
    pub(super) bias: [f32; 16],
    pub(super) after: After,
}

/// The reverse of [`turn_in`], with all that `finish` says.
///
/// # Safety
/// As of [`turn_out`], and the numbers at `from` may be changed.
#[inline(always)]
unsafe fn turn_out_finished<S: Simd>(
    from: *mut f32,
    rows: *mut f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
    finish: &Finish,
) {
    /// Cells that stay in the first cache between the two.
    const BLOCK: usize = 64;
    // SAFETY: blocks are parts of the `len` cells that the caller speaks of.
    unsafe {
        let bias = S::load(finish.bias.as_ptr());
        for start in (0..len).step_by(BLOCK) {
            let (from, len) = (from.add(start * 16), BLOCK.min(len - start));
            macro_rules! each {
                (|$x:ident| $y:expr) => {
                    for i in 0..len {
                        let at = from.add(i * 16);
                        let $x = S::add(S::load(at), bias);
                        S::store(at, $y);
                    }
                };
            }
            match finish.after {
                After::Nothing => each!(|x| x),
                After::Relu => each!(|x| S::relu(x)),
                After::LeakyRelu(slope) => {
                    let slope = S::splat(slope);
                    each!(|x| S::leaky_relu(x, slope));
                }
            }
            turn_out::<S>(from, rows.add(start), row_stride, lanes, len, false);
        }
    }
}

/// The reverse of [`turn_in`]: writes `[len][16]` to rows, or adds it to what stands there.
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
    /// Transforms `from` and writes it as row `row` from the first one on, at every point.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`; `from` gives places that can be read. The words of this row and phase lie inside of
    /// what `at` points to at all `I * I` points, and are nobody else's meanwhile.
    #[inline(always)]
    unsafe fn take<S: Simd, const I: usize, const J: usize>(
        self,
        phase: usize,
        row: usize,
        matrix: &[[f32; J]; I],
        from: &impl From2,
    ) {
        let row = self.row + row;
        let at = self.at.wrapping_add(phase * self.phase);
        // SAFETY: a row is sixteen or eight words, or one half of sixteen, where the caller says that there is room.
        unsafe {
            if self.form == Form::Single {
                let at = at.add(row * 16);
                return apply2::<S, I, J>(matrix, from, &mut Rows::<I> { at, point: self.point });
            }
            let mut x = [[MaybeUninit::<S::Lanes>::uninit(); I]; I];
            apply2::<S, I, J>(matrix, from, &mut Kept::<S, I>(&mut x));
            macro_rules! each {
                ($store:ident, $offset:expr) => {
                    for i in 0..I {
                        for j in 0..I {
                            let to = at.add($offset + (i * I + j) * self.point);
                            // SAFETY: a transform puts all of its results.
                            S::$store(to.cast(), x[i][j].assume_init());
                        }
                    }
                };
            }
            match self.form {
                Form::Single | Form::Channels => each!(store_bf16, row * 8),
                Form::Rows if row.is_multiple_of(2) => each!(store_low, row / 2 * 16),
                Form::Rows => each!(add_high, row / 2 * 16),
            }
        }
    }
}

/// A row of `f32` at every point of a tile of `N x N`.
struct Rows<const N: usize> {
    at: *mut f32,
    point: usize,
}

impl<S: Simd, const N: usize> Into2<S> for Rows<N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        // SAFETY: as the caller says.
        unsafe { S::store(self.at.add((i * N + j) * self.point), x) }
    }
}

/// All results, in registers or nearby.
struct Kept<'a, S: Simd, const N: usize>(&'a mut [[MaybeUninit<S::Lanes>; N]; N]);

impl<S: Simd, const N: usize> Into2<S> for Kept<'_, S, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        self.0[i][j].write(x);
    }
}

/// One tile's numbers of one channel, and what is added to with them.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    /// The channel's number at the first point.
    pub(super) left: &'a [f32],
    /// From one point to the next.
    pub(super) left_point: usize,
    /// Sixteen sums at the first point.
    pub(super) sums: *mut f32,
    /// From one point to the next.
    pub(super) point: usize,
}

/// Sums at every point of a tile of `N x N`, to which each number of the tile times what comes is added.
struct Multiplied<'a, const N: usize>(Tile<'a>);

impl<S: Simd, const N: usize> Into2<S> for Multiplied<'_, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        let (Tile { left, left_point, sums, point }, place) = (self.0, i * N + j);
        // SAFETY: as the caller says; sums are there at every point, and so are the tile's numbers, as `weights_times_of` has looked.
        unsafe {
            let (left, to) = (S::splat(*left.get_unchecked(place * left_point)), sums.add(place * point));
            S::store(to, S::mul_add(left, x, S::load(to)));
        }
    }
}

/// The cells of a tile of `N x N` in turned maps.
struct Cells<'a, const N: usize> {
    turned: *mut f32,
    cells: &'a [u32],
}

impl<'a, const N: usize> Cells<'a, N> {
    /// Looked at once, so that the cells need not be one by one.
    #[inline(always)]
    fn new(turned: *mut f32, cells: &'a [u32]) -> Self {
        Self { turned, cells: &cells[..N * N] }
    }

    #[inline(always)]
    fn place(&self, i: usize, j: usize) -> *mut f32 {
        self.turned.wrapping_add(self.cells[i * N + j] as usize)
    }
}

impl<const N: usize> From2 for Cells<'_, N> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> *const f32 {
        self.place(i, j)
    }
}

impl<S: Simd, const N: usize> Into2<S> for Cells<'_, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        // SAFETY: as the caller says.
        unsafe { S::store(self.place(i, j), x) }
    }
}

/// The cells of a tile of dx, which overlap those of its neighbours in their last row and column: numbers of the last column are carried
/// to the next tile of the row, those of the last row wait in the maps.
struct Overlapping<'a, S: Simd, const N: usize> {
    cells: Cells<'a, N>,
    /// What the tile to the left has in the first column.
    carried: &'a mut [S::Lanes; N],
    /// Whether tiles above have numbers in the first row.
    below: bool,
}

impl<S: Simd, const N: usize> Overlapping<'_, S, N> {
    /// Adds to the first row, writes to the others.
    ///
    /// # Safety
    /// As of [`Into2::put`].
    #[inline(always)]
    unsafe fn set(&self, i: usize, j: usize, x: S::Lanes) {
        // SAFETY: as the caller says; where there are tiles above, they have written the first row.
        unsafe {
            let cell = self.cells.place(i, j);
            S::store(cell, if i == 0 && self.below { S::add(S::load(cell), x) } else { x });
        }
    }
}

impl<S: Simd, const N: usize> Into2<S> for Overlapping<'_, S, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        // Columns come from the first to the last.
        // SAFETY: as the caller says.
        unsafe {
            if j == 0 {
                self.set(i, j, S::add(self.carried[i], x));
            } else if j + 1 == N {
                self.carried[i] = x;
            } else {
                self.set(i, j, x);
            }
        }
    }
}

/// Cells that are added to.
struct Added<'a, const N: usize>(Cells<'a, N>);

impl<S: Simd, const N: usize> Into2<S> for Added<'_, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        // SAFETY: as the caller says; the cells hold numbers.
        unsafe {
            let cell = self.0.place(i, j);
            S::store(cell, S::add(S::load(cell), x));
        }
    }
}

/// The taps of one phase of sixteen kernels.
struct Taps<'a, const N: usize> {
    plan: &'a Plan,
    phase: usize,
    at: *mut f32,
}

impl<const N: usize> Taps<'_, N> {
    #[inline(always)]
    fn place(&self, i: usize, j: usize) -> *mut f32 {
        self.at.wrapping_add(self.plan.tap(self.phase, i, j) * 16)
    }
}

impl<const N: usize> From2 for Taps<'_, N> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> *const f32 {
        self.place(i, j)
    }
}

impl<S: Simd, const N: usize> Into2<S> for Taps<'_, N> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes) {
        // SAFETY: as the caller says.
        unsafe { S::store(self.place(i, j), x) }
    }
}

/// The points of a tile of `N x N`.
struct Points<const N: usize> {
    at: *const f32,
    point: usize,
}

impl<const N: usize> From2 for Points<N> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> *const f32 {
        self.at.wrapping_add((i * N + j) * self.point)
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
    rows: Range<usize>,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    // SAFETY: `turned` has a cell behind the last one. The plan was made for this filter: it has `N * N` places for each tile and phase,
    // none of them behind that cell. `to` is as the caller says.
    unsafe {
        let cells = plan.s.h * plan.s.w;
        let of_x = plan.rows_of_x(&rows);
        let first = of_x.start * plan.s.w;
        turn_in::<S>(maps.add(first), cells, lanes, of_x.len() * plan.s.w, turned.add(first * 16));
        S::store(turned.add(cells * 16), S::splat(0.0));
        let first = rows.start * plan.across;
        for phase in 0..plan.phases {
            for tile in first..rows.end * plan.across {
                let from = Cells::<N>::new(turned, plan.x_cells(tile, phase));
                to.take::<S, N, N>(phase, tile - first, &F::BT, &from);
            }
        }
    }
}

/// # Safety
/// As of [`input_of`], with the plan's filter.
#[inline(always)]
unsafe fn input_any<S: Simd>(
    plan: &Plan,
    rows: Range<usize>,
    maps: *const f32,
    lanes: usize,
    turned: *mut f32,
    to: Target,
) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, input_of::<S>(plan, rows, maps, lanes, turned, to)) }
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
            let from = Cells::<M>::new(turned, plan.y_cells(tile));
            to.take::<S, N, M>(0, tile, &F::A, &from);
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
    rows: Range<usize>,
    from: Place,
    turned: *mut f32,
    finish: &Finish,
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: the plan was made for this filter: it has `M * M` places of y for each tile, none of them behind the cell after the last.
    // Products and maps are as the caller says.
    unsafe {
        let [height, width] = plan.s.output;
        let first = rows.start * plan.across;
        for tile in first..rows.end * plan.across {
            let from = Points::<N> { at: from.at.add((tile - first) * 16), point: from.point };
            let mut to = Cells::<M>::new(turned, plan.y_cells(tile));
            apply2::<S, M, N>(&F::AT, &from, &mut to);
        }
        let of_y = plan.rows_of_y(&rows);
        let (first, len) = (of_y.start * width, of_y.len() * width);
        let turned = turned.add(first * 16);
        turn_out_finished::<S>(turned, maps.add(first), height * width, lanes, len, finish);
    }
}

/// # Safety
/// As of [`output_of`], with the plan's filter.
#[inline(always)]
unsafe fn output_any<S: Simd>(
    plan: &Plan,
    rows: Range<usize>,
    from: Place,
    turned: *mut f32,
    finish: &Finish,
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, output_of::<S>(plan, rows, from, turned, finish, maps, lanes)) }
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
    finish: &Finish,
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as in `output_of`, with `N * N` places of x for each tile and phase.
    unsafe {
        let cells = plan.s.h * plan.s.w;
        // Where patches overlap by one row and column only (kernels of two taps), the first to reach a cell sets it.
        let sets = N == M + 1;
        if !sets || !plan.reaches_all_of_x {
            for cell in 0..cells {
                S::store(turned.add(cell * 16), S::splat(0.0));
            }
        }
        for phase in 0..plan.phases {
            let mut carried = [S::splat(0.0); N];
            for tile in 0..plan.tiles {
                let place = Points::<N> { at: from.at.add(phase * from.phase + tile * 16), point: from.point };
                let cells = Cells::<N>::new(turned, plan.x_cells(tile, phase));
                let below = tile >= plan.across;
                if sets {
                    let mut to = Overlapping::<S, N> { cells, carried: &mut carried, below };
                    apply2::<S, N, N>(&F::B, &place, &mut to);
                    if (tile + 1).is_multiple_of(plan.across) {
                        for i in 0..N {
                            to.set(i, N - 1, to.carried[i]);
                        }
                        carried = [S::splat(0.0); N];
                    }
                } else {
                    apply2::<S, N, N>(&F::B, &place, &mut Added::<N>(cells));
                }
            }
        }
        turn_out_finished::<S>(turned, maps, cells, lanes, cells, finish);
    }
}

/// # Safety
/// As of [`input_gradient_of`], with the plan's filter.
#[inline(always)]
unsafe fn input_gradient_any<S: Simd>(
    plan: &Plan,
    from: Place,
    turned: *mut f32,
    finish: &Finish,
    maps: *mut f32,
    lanes: usize,
) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, input_gradient_of::<S>(plan, from, turned, finish, maps, lanes)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// `kernels` lie where they say, and behind `to` there is room for a row of all phases at all points.
#[inline(always)]
unsafe fn weights_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    kernels: Kernels,
    to: Target,
) {
    // SAFETY: kernels have no more than `MOST_TAPS` taps, and `tap` is one of them. Kernels and `to` are as the caller says.
    unsafe {
        let mut turned = [0.0f32; MOST_TAPS * 16];
        let taps = match kernels {
            Kernels::Apart { at, stride, lanes } => {
                turn_in::<S>(at, stride, lanes, plan.taps, turned.as_mut_ptr());
                turned.as_mut_ptr()
            }
            Kernels::InLanes(at) => {
                // The taps of the next kernels but one follow: they come from far away.
                for line in 0..plan.taps {
                    S::soon(at.wrapping_add((2 * plan.taps + line) * 16));
                }
                // They are only read.
                at.cast_mut()
            }
        };
        for phase in 0..plan.phases {
            to.take::<S, N, R>(phase, 0, &F::G, &Taps::<R> { plan, phase, at: taps });
        }
    }
}

/// # Safety
/// As of [`weights_of`], with the plan's filter.
#[inline(always)]
unsafe fn weights_any<S: Simd>(plan: &Plan, kernels: Kernels, to: Target) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, weights_of::<S>(plan, kernels, to)) }
}

/// # Safety
/// The processor has the instruction set of `S`, and `F` is the filter of `plan`.
/// `kernels` lie beside each other where they say, and the sums of `tile` can be read and written at all points.
#[inline(always)]
unsafe fn weights_times_of<S: Simd, F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>(
    plan: &Plan,
    kernels: *const f32,
    phase: usize,
    tile: Tile<'_>,
) {
    assert!((N * N - 1) * tile.left_point < tile.left.len(), "a tile's number at every point");
    // SAFETY: what is soon read need not be there. Taps are only read, and `tap` is one of the plan's; the rest is as the caller says.
    unsafe {
        // The taps of the next kernels but one follow: they come from far away.
        for line in (phase..plan.taps).step_by(plan.phases) {
            S::soon(kernels.wrapping_add((2 * plan.taps + line) * 16));
        }
        apply2::<S, N, R>(&F::G, &Taps::<R> { plan, phase, at: kernels.cast_mut() }, &mut Multiplied::<N>(tile));
    }
}

/// # Safety
/// As of [`weights_times_of`], with the plan's filter.
#[inline(always)]
unsafe fn weights_times_any<S: Simd>(plan: &Plan, kernels: *const f32, phase: usize, tile: Tile<'_>) {
    // SAFETY: as the caller says; the filter is the plan's.
    unsafe { by_filter!(plan, weights_times_of::<S>(plan, kernels, phase, tile)) }
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
        let taps = taps.as_mut_ptr();
        for phase in 0..plan.phases {
            let from = Points::<N> { at: from.at.add(phase * from.phase), point: from.point };
            apply2::<S, R, N>(&F::GT, &from, &mut Taps::<R> { plan, phase, at: taps });
        }
        turn_out::<S>(taps, kernels, lane_stride, lanes, plan.taps, accumulate);
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
    /// Some rows of tiles of sixteen of x's channels: `BT X B` for every phase.
    fn input(plan: &Plan, rows: Range<usize>, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) = input_any
}
with_simd! {
    /// Tiles of sixteen of dy's channels: `A dY AT`.
    fn output_gradient(plan: &Plan, maps: *const f32, lanes: usize, turned: *mut f32, to: Target) = output_gradient_any
}
with_simd! {
    /// Some rows of tiles of sixteen of y's channels from their products: `AT M A`, and what finishes them.
    fn output(plan: &Plan, rows: Range<usize>, from: Place, turned: *mut f32, finish: &Finish, maps: *mut f32, lanes: usize) = output_any
}
with_simd! {
    /// Sixteen of dx's channels from their products: `B Q BT`, added where tiles overlap, and the bias.
    fn input_gradient(plan: &Plan, from: Place, turned: *mut f32, finish: &Finish, maps: *mut f32, lanes: usize) = input_gradient_any
}
with_simd! {
    /// Sixteen kernels: `G W GT` for every phase.
    fn weights(plan: &Plan, kernels: Kernels, to: Target) = weights_any
}
with_simd! {
    /// Adds sixteen kernels of one phase, as `G W GT`, times a number of a tile to sums, at every point.
    fn weights_times(plan: &Plan, kernels: *const f32, phase: usize, tile: Tile<'_>) = weights_times_any
}
with_simd! {
    /// The gradients of sixteen kernels from their products: `GT D G` for every phase.
    fn weight_gradient(plan: &Plan, from: Place, kernels: *mut f32, lane_stride: usize, lanes: usize, accumulate: bool) = weight_gradient_any
}
