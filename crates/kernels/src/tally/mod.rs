//! The tally of a dissection: on how many pixels a unit is above its level, and on how many of these a label lies
//! (Bau et al., GAN Dissection, arXiv 1811.10597, section 3.1: the counts that intersection over union is made of).

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]

mod bits;
mod histogram;
mod pack;
#[cfg(test)]
mod tests;
mod upsample;

pub use bits::{count_and, pack_classes, words};
pub use histogram::Bins;
pub use upsample::Upsampler;

use crate::simd::{Level, Simd, with_simd};
use pack::{Scratch, pack_any};

/// Units of one task: some microseconds.
const UNITS: usize = 64;

/// Adds one image's counts for one layer. `maps` holds `[units, h, w]` of the source of `up`, `levels` one level for each
/// unit, `labels` sets of pixels of the target, `[rows, words]`. For each unit `u` and row `l`, `both[u * rows + l]` grows by
/// the pixels where the resampled unit is above its level and `l` is set, `on[u]` by the pixels where it is above.
pub fn tally(up: &Upsampler, maps: &[f32], levels: &[f32], labels: &[u64], both: &mut [u64], on: &mut [u64]) {
    tally_with(Level::best(), up, maps, levels, labels, both, on);
}

/// [`tally`] with a given instruction set, which the processor must have.
fn tally_with(
    set: Level,
    up: &Upsampler,
    maps: &[f32],
    levels: &[f32],
    labels: &[u64],
    both: &mut [u64],
    on: &mut [u64],
) {
    set.check();
    let ([h, w], [height, width]) = (up.source(), up.target());
    let (units, words) = (levels.len(), words(height * width));
    assert!(labels.len().is_multiple_of(words), "whole rows of labels");
    let rows = labels.len() / words;
    assert_eq!(Some(maps.len()), units.checked_mul(h * w), "one map for each level");
    assert_eq!(Some(both.len()), units.checked_mul(rows), "one count for each unit and label");
    assert_eq!(on.len(), units, "one count for each unit");
    halve(set, up, labels, rows, Part { maps, levels, both, on });
}

/// Some of the units.
pub(crate) struct Part<'a> {
    maps: &'a [f32],
    levels: &'a [f32],
    both: &'a mut [u64],
    on: &'a mut [u64],
}

fn halve(set: Level, up: &Upsampler, labels: &[u64], rows: usize, mut part: Part) {
    let units = part.levels.len();
    if units <= UNITS {
        // SAFETY: `tally_with`, who alone begins this, has checked that the processor has the instruction set.
        return unsafe { count(set, up, labels, rows, &mut part) };
    }
    let half = (units / 2).next_multiple_of(UNITS);
    let (maps, levels) = (part.maps.split_at(half * (part.maps.len() / units)), part.levels.split_at(half));
    let (both, on) = (part.both.split_at_mut(half * rows), part.on.split_at_mut(half));
    rayon::join(
        || halve(set, up, labels, rows, Part { maps: maps.0, levels: levels.0, both: both.0, on: on.0 }),
        || halve(set, up, labels, rows, Part { maps: maps.1, levels: levels.1, both: both.1, on: on.1 }),
    );
}

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn count_any<S: Simd>(up: &Upsampler, labels: &[u64], rows: usize, part: &mut Part) {
    let ([h, w], [height, width]) = (up.source(), up.target());
    let words = words(height * width);
    let (mut scratch, mut packed, mut touched) = (Scratch::new(up), vec![0; words], 0..0);
    // The words of a unit that have bits, and where.
    let mut full = vec![(0, 0); words];
    for (u, (map, &level)) in part.maps.chunks_exact(h * w).zip(part.levels).enumerate() {
        // SAFETY: the processor has the instruction set, says the caller.
        unsafe { pack_any::<S>(up, map, level, &mut scratch, &mut packed, &mut touched) };
        let (mut count, mut on) = (0, 0);
        for place in touched.clone() {
            let word = std::mem::take(&mut packed[place]);
            full[count] = (place, word);
            count += usize::from(word != 0);
            on += u64::from(word.count_ones());
        }
        part.on[u] += on;
        if count > 0 {
            for (both, label) in part.both[u * rows..][..rows].iter_mut().zip(labels.chunks_exact(words)) {
                *both +=
                    full[..count].iter().map(|(at, word)| u64::from((word & label[*at]).count_ones())).sum::<u64>();
            }
        }
    }
}

with_simd! {
    /// Counts of some units.
    fn count(up: &Upsampler, labels: &[u64], rows: usize, part: &mut Part<'_>) = count_any
}
