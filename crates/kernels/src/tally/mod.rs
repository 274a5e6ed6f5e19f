//! The tally of a dissection: on how many pixels a unit is above its level, and on how many of these a label lies
//! (Bau et al., GAN Dissection, arXiv 1811.10597, section 3.1: the counts that intersection over union is made of).

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

mod bits;
mod histogram;
mod pack;
#[cfg(test)]
mod tests;
mod upsample;

pub use bits::{Labels, count_and, pack_classes, words};
pub use histogram::{Bins, Histogram};
pub use upsample::Upsampler;

use crate::simd::{Level, Simd, with_simd};
use pack::{Scratch, pack_any};

/// Counts one image's units of one layer. `maps` holds `[units, h, w]` of the source of `up`, `levels` one level for each unit. `on[u]`
/// becomes the number of pixels where the resampled unit `u` is above its level, and `both[u * labels.sets() + l]` that of the pixels where
/// it is and set `l` of `labels` is as well. Where a unit is on nowhere its part of `both` is left as it was.
///
/// # Panics
/// Lengths do not fit each other.
pub fn tally(up: &Upsampler, maps: &[f32], levels: &[f32], labels: &Labels, both: &mut [u32], on: &mut [u32]) {
    tally_with(Level::best(), up, maps, levels, labels, both, on);
}

/// [`tally`] with a given instruction set, which the processor must have.
fn tally_with(
    set: Level,
    up: &Upsampler,
    maps: &[f32],
    levels: &[f32],
    labels: &Labels,
    both: &mut [u32],
    on: &mut [u32],
) {
    set.check();
    let ([h, w], [height, width]) = (up.source(), up.target());
    let units = levels.len();
    assert_eq!(labels.words(), words(height * width), "labels of as many pixels");
    assert_eq!(Some(maps.len()), units.checked_mul(h * w), "one map for each level");
    assert_eq!(Some(both.len()), units.checked_mul(labels.sets()), "one count for each unit and label");
    assert_eq!(on.len(), units, "one count for each unit");
    // SAFETY: that the processor has the instruction set has just been checked.
    unsafe { count(set, up, maps, levels, labels, both, on) };
}

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn count_any<S: Simd>(
    up: &Upsampler,
    maps: &[f32],
    levels: &[f32],
    labels: &Labels,
    both: &mut [u32],
    on: &mut [u32],
) {
    let ([h, w], words, sets) = (up.source(), labels.words(), labels.sets());
    let (mut scratch, mut packed, mut touched) = (Scratch::new(up), vec![0; words], 0..0);
    // The words of a unit that have bits, and where.
    let mut full = vec![(0, 0); words];
    for (u, (map, &level)) in maps.chunks_exact(h * w).zip(levels).enumerate() {
        // SAFETY: the processor has the instruction set, says the caller.
        unsafe { pack_any::<S>(up, map, level, &mut scratch, &mut packed, &mut touched) };
        let (mut count, mut pixels) = (0, 0);
        for place in touched.clone() {
            let word = std::mem::take(&mut packed[place]);
            full[count] = (place, word);
            count += usize::from(word != 0);
            pixels += word.count_ones();
        }
        on[u] = pixels;
        if count > 0 {
            labels.count_and(&full[..count], &mut both[u * sets..][..sets]);
        }
    }
}

with_simd! {
    /// Counts of some units.
    fn count(up: &Upsampler, maps: &[f32], levels: &[f32], labels: &Labels, both: &mut [u32], on: &mut [u32]) = count_any
}
