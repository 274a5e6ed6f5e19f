//! What a shape needs to know before it is computed by tiles.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]

use super::transform::Form;
use crate::conv::{ConvShape, Precision};
use crate::simd::Level;
use std::ops::Range;

/// Fewer channels than this on either side leave too many of the sixteen lanes empty.
const LEAST_CHANNELS: usize = 12;

/// Cells of the largest map whose places fit into 32 bits.
const MOST_CELLS: usize = u32::MAX as usize / 16;

/// The algorithm for one phase of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    F42,
    F22,
    F43,
    F23,
}

/// A shape cut into tiles. Depends on the shape of one image alone, never on the batch.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) s: ConvShape,
    pub(super) precision: Precision,
    pub(super) filter: Filter,
    /// Points of a tile: `n * n`.
    pub(super) points: usize,
    /// Phases of the kernel: a kernel of stride 2 is four kernels of stride 1 on every second pixel.
    pub(super) phases: usize,
    /// Taps of the whole kernel.
    pub(super) taps: usize,
    /// Tiles of an image, row by row.
    pub(super) tiles: usize,
    /// Rows of tiles, and tiles of a row.
    pub(super) down: usize,
    pub(super) across: usize,
    /// Whether every cell of x is read by some tile.
    pub(super) reaches_all_of_x: bool,
    /// Blocks of sixteen channels of x and of y.
    pub(super) c_blocks: usize,
    pub(super) o_blocks: usize,
    stride: usize,
    outputs: usize,
    x_cells: Vec<u32>,
    y_cells: Vec<u32>,
}

impl Plan {
    /// `None` where tiles save nothing.
    pub(crate) fn new(s: &ConvShape, precision: Precision) -> Option<Self> {
        let [oh, ow] = s.output;
        let [stride, padding, dilation] = s.even()?;
        if s.c < LEAST_CHANNELS || s.o < LEAST_CHANNELS || dilation != 1 || oh == 0 || ow == 0 {
            return None;
        }
        // Places in a map are kept as numbers of 32 bits, sixteen lanes to a cell.
        let small = |h: usize, w: usize| h.checked_mul(w).is_some_and(|cells| cells <= MOST_CELLS);
        if !small(s.h, s.w) || !small(oh, ow) {
            return None;
        }
        let work = |m: usize, n: usize| n * n * oh.div_ceil(m) * ow.div_ceil(m);
        let (large, small, r) = match (s.kernel, stride) {
            ([4, 4], 2) => (Filter::F42, Filter::F22, 2),
            ([3, 3], 1) => (Filter::F43, Filter::F23, 3),
            _ => return None,
        };
        // Large tiles take differences of large numbers: eight digits are too few for that (docs/performance.md).
        let exact = precision == Precision::F32;
        let (filter, m) = if exact && work(4, r + 3) <= work(2, r + 1) { (large, 4) } else { (small, 2) };
        let n = m + r - 1;
        if work(m, n) >= oh * ow * r * r {
            return None;
        }
        let (down, across) = (oh.div_ceil(m), ow.div_ceil(m));
        let mut plan = Self {
            s: ConvShape { n: 0, ..*s },
            precision,
            filter,
            points: n * n,
            phases: stride * stride,
            taps: s.kernel[0] * s.kernel[1],
            tiles: down * across,
            down,
            across,
            reaches_all_of_x: false,
            c_blocks: s.c.div_ceil(16),
            o_blocks: s.o.div_ceil(16),
            stride,
            outputs: m,
            x_cells: Vec::new(),
            y_cells: Vec::new(),
        };
        // Cells outside of a map are one more cell at its end.
        let cell = |y: Option<usize>, x: Option<usize>, h: usize, w: usize| match (y, x) {
            (Some(y), Some(x)) if y < h && x < w => (y * w + x) * 16,
            _ => h * w * 16,
        } as u32;
        for tile in 0..plan.tiles {
            let (top, left) = (tile / across * m, tile % across * m);
            for phase in 0..plan.phases {
                let at = |start: usize, phase: usize| (start * stride + phase).checked_sub(padding);
                for i in 0..n {
                    for j in 0..n {
                        let (y, x) = (at(top + i, phase / stride), at(left + j, phase % stride));
                        plan.x_cells.push(cell(y, x, s.h, s.w));
                    }
                }
            }
            for i in 0..m {
                for j in 0..m {
                    plan.y_cells.push(cell(Some(top + i), Some(left + j), oh, ow));
                }
            }
        }
        let mut reached = vec![false; s.h * s.w + 1];
        plan.x_cells.iter().for_each(|&cell| reached[cell as usize / 16] = true);
        plan.reaches_all_of_x = reached[..s.h * s.w].iter().all(|&reached| reached);
        Some(plan)
    }

    /// All rows of tiles.
    pub(super) fn rows(&self) -> Range<usize> {
        0..self.down
    }

    /// The rows of x that some rows of tiles read.
    pub(super) fn rows_of_x(&self, rows: &Range<usize>) -> Range<usize> {
        let (padding, inputs) = (self.s.padding[0][0], self.outputs + self.s.kernel[0].div_ceil(self.stride) - 1);
        let first = (rows.start * self.outputs * self.stride).saturating_sub(padding).min(self.s.h);
        let end = (((rows.end - 1) * self.outputs + inputs) * self.stride).saturating_sub(padding);
        first..end.clamp(first, self.s.h)
    }

    /// The rows of y that they write.
    pub(super) fn rows_of_y(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.outputs..(rows.end * self.outputs).min(self.s.output[0])
    }

    /// Panics unless this is the plan of such images, their numbers are as many as `s` says (of x, the weights and y), and the processor
    /// has `level`. Where everything lies follows from that.
    pub(super) fn check(&self, level: Level, s: &ConvShape, [x, w, y]: [usize; 3]) {
        level.check();
        assert_eq!(self.s, ConvShape { n: 0, ..*s }, "the plan of another shape");
        s.check(x, w, y);
    }

    /// How transformed tiles stand in memory where the inner length is channels, and how weights do; where the inner length
    /// is tiles, both stand as weights do.
    pub(super) fn forms(&self) -> (Form, Form) {
        match self.precision {
            Precision::F32 => (Form::Single, Form::Single),
            Precision::Bf16 => (Form::Channels, Form::Rows),
        }
    }

    /// Offsets of the cells that a tile reads of a phase of x, turned.
    #[inline(always)]
    pub(super) fn x_cells(&self, tile: usize, phase: usize) -> &[u32] {
        &self.x_cells[(tile * self.phases + phase) * self.points..][..self.points]
    }

    /// Offsets of the cells that a tile writes of y, turned.
    #[inline(always)]
    pub(super) fn y_cells(&self, tile: usize) -> &[u32] {
        &self.y_cells[tile * self.outputs * self.outputs..][..self.outputs * self.outputs]
    }

    /// The tap of the whole kernel that is tap (i, j) of a phase.
    #[inline(always)]
    pub(super) fn tap(&self, phase: usize, i: usize, j: usize) -> usize {
        let (down, across) = (phase / self.stride, phase % self.stride);
        (i * self.stride + down) * self.s.kernel[1] + j * self.stride + across
    }
}
