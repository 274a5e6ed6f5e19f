//! Half-pixel bilinear resampling of one map, and where the result lies above a level.

use super::bits::words;
use super::pack::{Chunk, LANES, Scratch, pack};
use crate::simd::{Level, Simd, with_simd};
use std::ops::Range;

/// Longest side: keeps every weight at or below `1 - 2^-21`, which the proof at [`Upsampler`] needs.
const LONGEST: usize = 1 << 20;

/// Bilinear resampling of maps of one size to another. The source coordinate of target `t` is `(t + 0.5) S / T - 0.5`,
/// clamped at the edge (`align_corners = false`). Targets may be larger than the source, smaller, or neither.
///
/// A number between `a` and `b` is `a + w (b - a)`, each operation rounded to `f32`: first along the rows of the source,
/// then down the columns. With weights of at most `1 - 2^-21` that never leaves the range of `a` and `b`, as long as
/// `b - a` does not overflow: the product is at most `(b - a)(1 + 2^-24)(1 - 2^-21)(1 + 2^-24) < b - a`. It is at most 7 roundings of
/// `2^-24 max(|a|, |b|)` off (3 of the product, which is at most twice as large, and one of the sum), 14 for both ways.
#[derive(Clone, Debug)]
pub struct Upsampler {
    source: [usize; 2],
    target: [usize; 2],
    /// Weights of the rows of the target.
    pub(super) weights: Vec<f32>,
    pub(super) bands: Vec<Band>,
    /// How each column of the target is made, sixteen together.
    pub(super) chunks: Vec<Chunk>,
}

/// How a target is made in one direction: of two neighbours of the source, and how much of the way to the second it has gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) weight: f32,
}

/// Rows of the target between the same two rows of the source.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) targets: Range<usize>,
}

fn taps(source: usize, target: usize) -> Vec<Tap> {
    assert!(source > 0 && target > 0, "a map has pixels");
    assert!(source <= LONGEST && target <= LONGEST, "sides of {source} and {target}: at most {LONGEST}");
    let step = 2 * target;
    let tap = |t: usize| {
        // The coordinate times 2 T, clamped: exact in whole numbers.
        let place = ((2 * t + 1) * source).saturating_sub(target).min((source - 1) * step);
        let first = place / step;
        Tap { first, second: (first + 1).min(source - 1), weight: (place % step) as f32 / step as f32 }
    };
    (0..target).map(tap).collect()
}

#[inline]
fn between(a: f32, b: f32, weight: f32) -> f32 {
    a + weight * (b - a)
}

impl Upsampler {
    /// From maps of `source` to maps of `target`, both `[height, width]`.
    ///
    /// # Panics
    /// A side of 0 or of more than 2^20.
    pub fn new(source: [usize; 2], target: [usize; 2]) -> Self {
        let (rows, columns) = (taps(source[0], target[0]), taps(source[1], target[1]));
        let mut end = 0;
        let bands = rows.chunk_by(|a, b| a.first == b.first).map(|rows| {
            let start = end;
            end += rows.len();
            Band { first: rows[0].first, second: rows[0].second, targets: start..end }
        });
        Self {
            bands: bands.collect(),
            chunks: columns.chunks(LANES).map(|taps| Chunk::new(taps, source[1])).collect(),
            weights: rows.iter().map(|tap| tap.weight).collect(),
            source,
            target,
        }
    }

    /// Height and width of the maps that are resampled.
    pub fn source(&self) -> [usize; 2] {
        self.source
    }

    /// Height and width of the result.
    pub fn target(&self) -> [usize; 2] {
        self.target
    }

    /// One map, `[h, w]` of the source to `[h, w]` of the target: exactly the numbers that [`Upsampler::pack_above`]
    /// compares with a level.
    pub fn upsample(&self, map: &[f32], out: &mut [f32]) {
        let ([h, w], [height, width]) = (self.source, self.target);
        assert_eq!(map.len(), h * w, "length of a map");
        assert_eq!(out.len(), height * width, "length of the resampled map");
        // SAFETY: the processor has the instruction set of `best`.
        unsafe { resample(Level::best(), self, map, out) };
    }

    /// One bit for each pixel of the resampled map, set where it is greater than `level`; never where it is NaN. Pixel `p`
    /// (row-major) is bit `p % 64` of word `p / 64`; bits behind the last pixel are 0. Returns how many are set.
    pub fn pack_above(&self, map: &[f32], level: f32, packed: &mut [u64]) -> u64 {
        self.pack_with(Level::best(), map, level, packed)
    }

    /// [`Upsampler::pack_above`] with a given instruction set, which the processor must have.
    pub(super) fn pack_with(&self, set: Level, map: &[f32], level: f32, packed: &mut [u64]) -> u64 {
        set.check();
        let ([h, w], [height, width]) = (self.source, self.target);
        assert_eq!(map.len(), h * w, "length of a map");
        assert_eq!(packed.len(), words(height * width), "words of a map");
        packed.fill(0);
        let mut touched = 0..0;
        // SAFETY: that the processor has the instruction set has just been checked.
        unsafe { pack(set, self, map, level, &mut Scratch::new(self), packed, &mut touched) };
        packed[touched].iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// [`Upsampler::upsample`].
///
/// # Safety
/// The processor has the instruction set of `S`.
#[allow(clippy::inline_always, reason = "it is inlined into its instruction set's function")]
#[inline(always)]
unsafe fn resample_any<S: Simd>(up: &Upsampler, map: &[f32], out: &mut [f32]) {
    let ([h, w], [_, width]) = (up.source, up.target);
    let stride = up.chunks.len() * LANES;
    let mut wide = vec![0.0; h * stride];
    for (row, wide) in map.chunks_exact(w).zip(wide.chunks_exact_mut(stride)) {
        for (chunk, lanes) in up.chunks.iter().zip(wide.as_chunks_mut::<LANES>().0) {
            // SAFETY: the processor has the instruction set, says the caller; `lanes` are sixteen numbers.
            unsafe { S::store(lanes.as_mut_ptr(), chunk.spread::<S>(row)) };
        }
    }
    for band in &up.bands {
        let (upper, lower) = (&wide[band.first * stride..][..width], &wide[band.second * stride..][..width]);
        for y in band.targets.clone() {
            for ((out, &a), &b) in out[y * width..][..width].iter_mut().zip(upper).zip(lower) {
                *out = between(a, b, up.weights[y]);
            }
        }
    }
}

with_simd! {
    /// One map resampled.
    fn resample(up: &Upsampler, map: &[f32], out: &mut [f32]) = resample_any
}
