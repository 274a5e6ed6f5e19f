//! The tally of a dissection: on how many pixels a unit is above its level, and on how many of these a label lies
//! (Bau et al., GAN Dissection, arXiv 1811.10597, section 3.1: the counts that intersection over union is made of).

mod bits;
mod upsample;

pub use bits::{count_and, pack_classes, words};
pub use upsample::Upsampler;

/// Adds one image's counts for one layer. `maps` holds `[units, h, w]` of the source of `up`, `levels` one level for each
/// unit, `labels` sets of pixels of the target, `[rows, words]`. For each unit `u` and row `l`, `both[u * rows + l]` grows by
/// the pixels where the resampled unit is above its level and `l` is set, `on[u]` by the pixels where it is above.
pub fn tally(up: &Upsampler, maps: &[f32], levels: &[f32], labels: &[u64], both: &mut [u64], on: &mut [u64]) {
    let ([h, w], [height, width]) = (up.source(), up.target());
    let (units, words) = (levels.len(), words(height * width));
    assert!(labels.len().is_multiple_of(words), "whole rows of labels");
    let rows = labels.len() / words;
    assert_eq!(maps.len(), units * h * w, "one map for each level");
    assert_eq!(both.len(), units * rows, "one count for each unit and label");
    assert_eq!(on.len(), units, "one count for each unit");
    let mut above = vec![0; words];
    for (u, (map, &level)) in maps.chunks_exact(h * w).zip(levels).enumerate() {
        on[u] += up.pack_above(map, level, &mut above);
        for (l, label) in labels.chunks_exact(words).enumerate() {
            both[u * rows + l] += count_and(&above, label);
        }
    }
}
