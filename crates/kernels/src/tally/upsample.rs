//! Half-pixel bilinear resampling of one map, and where the result lies above a level.

use super::bits::words;
use super::pack::{LANES, Scratch, pack};
use crate::simd::Level;
use std::ops::Range;

/// Longest side of a target: keeps every weight at or below `1 - 2^-21`, which [`Upsampler`] needs.
const LONGEST: usize = 1 << 20;

/// Bilinear resampling of maps of one size to another. The source coordinate of target `t` is `(t + 0.5) S / T - 0.5`,
/// clamped at the edge (`align_corners = false`). Targets may be larger than the source, smaller, or neither.
///
/// A number between `a` and `b` is `a + w (b - a)`, each operation rounded to `f32`: first down the columns, then along the
/// rows. With weights of at most `1 - 2^-21` that never leaves the range of `a` and `b`, as long as `b - a` does not
/// overflow: the product is at most `(b - a)(1 + 2^-24)(1 - 2^-21)(1 + 2^-24) < b - a`.
#[derive(Clone, Debug)]
pub struct Upsampler {
    pub(super) rows: Axis,
    pub(super) columns: Axis,
}

/// One direction. Targets between two neighbours of the source lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Targets `starts[i]..starts[i + 1]` lie at or behind source `i` and before source `i + 1`.
    starts: Vec<usize>,
    /// For each target, how much of the way to the next source it has gone; then [`LANES`] zeros, so that lanes can be
    /// loaded from every target on.
    weights: Vec<f32>,
}

/// Neighbours of the source, the last one with itself, and the targets from the first to before the second.
pub(super) struct Pair {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) targets: Range<usize>,
}

impl Axis {
    fn new(source: usize, target: usize) -> Self {
        assert!(source > 0 && target > 0, "a map has pixels");
        assert!(source <= LONGEST && target <= LONGEST, "sides of {source} and {target}: at most {LONGEST}");
        let (mut starts, mut weights) = (vec![0; source + 1], Vec::with_capacity(target + LANES));
        for t in 0..target {
            // The coordinate times 2 T, clamped: exact in whole numbers.
            let place = ((2 * t + 1) * source).saturating_sub(target).min((source - 1) * 2 * target);
            starts[place / (2 * target) + 1] = t + 1;
            weights.push((place % (2 * target)) as f32 / (2 * target) as f32);
        }
        for i in 1..=source {
            starts[i] = starts[i].max(starts[i - 1]);
        }
        weights.resize(target + LANES, 0.0);
        Self { starts, weights }
    }

    fn source(&self) -> usize {
        self.starts.len() - 1
    }

    fn target(&self) -> usize {
        self.starts[self.source()]
    }

    #[inline(always)]
    pub(super) fn pair(&self, first: usize) -> Pair {
        let second = (first + 1).min(self.source() - 1);
        Pair { first, second, targets: self.starts[first]..self.starts[first + 1] }
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> {
        (0..self.source()).map(|first| self.pair(first))
    }

    /// The weights of `target` and of those behind it.
    #[inline(always)]
    pub(super) fn weights(&self, target: usize) -> &[f32; LANES] {
        &self.weights[target..].as_chunks().0[0]
    }
}

fn between(a: f32, b: f32, weight: f32) -> f32 {
    a + weight * (b - a)
}

impl Upsampler {
    /// From maps of `source` to maps of `target`, both `[height, width]`.
    ///
    /// # Panics
    /// A side of 0 or of more than 2^20.
    pub fn new(source: [usize; 2], target: [usize; 2]) -> Self {
        Self { rows: Axis::new(source[0], target[0]), columns: Axis::new(source[1], target[1]) }
    }

    /// Height and width of the maps that are resampled.
    pub fn source(&self) -> [usize; 2] {
        [self.rows.source(), self.columns.source()]
    }

    /// Height and width of the result.
    pub fn target(&self) -> [usize; 2] {
        [self.rows.target(), self.columns.target()]
    }

    /// One map, `[h, w]` of the source to `[h, w]` of the target: exactly the numbers that [`Upsampler::pack_above`]
    /// compares with a level.
    pub fn upsample(&self, map: &[f32], out: &mut [f32]) {
        let ([h, w], [_, width]) = (self.source(), self.target());
        assert_eq!(map.len(), h * w, "length of a map");
        assert_eq!(out.len(), self.rows.target() * width, "length of the resampled map");
        let mut row = vec![0.0; w];
        for Pair { first: upper, second: lower, targets } in self.rows.pairs() {
            for y in targets {
                let weight = self.rows.weights[y];
                for (x, v) in row.iter_mut().enumerate() {
                    *v = between(map[upper * w + x], map[lower * w + x], weight);
                }
                let out = &mut out[y * width..][..width];
                for Pair { first: left, second: right, targets } in self.columns.pairs() {
                    for x in targets {
                        out[x] = between(row[left], row[right], self.columns.weights[x]);
                    }
                }
            }
        }
    }

    /// One bit for each pixel of the resampled map, set where it is greater than `level`; never where it is NaN. Pixel `p`
    /// (row-major) is bit `p % 64` of word `p / 64`; bits behind the last pixel are 0. Returns how many are set.
    pub fn pack_above(&self, map: &[f32], level: f32, packed: &mut [u64]) -> u64 {
        self.pack_with(Level::best(), map, level, packed)
    }

    /// [`Upsampler::pack_above`] with a given instruction set, which the processor must have.
    pub(super) fn pack_with(&self, set: Level, map: &[f32], level: f32, packed: &mut [u64]) -> u64 {
        assert_eq!(map.len(), self.rows.source() * self.columns.source(), "length of a map");
        assert_eq!(packed.len(), words(self.rows.target() * self.columns.target()), "words of a map");
        packed.fill(0);
        let mut touched = 0..0;
        // SAFETY: the processor has the instruction set.
        unsafe { pack(set, self, map, level, &mut Scratch::new(self), packed, &mut touched) };
        packed[touched].iter().map(|word| u64::from(word.count_ones())).sum()
    }
}
