//! Sets of pixels as bits.

/// Words that hold one bit for each of so many pixels.
pub fn words(pixels: usize) -> usize {
    pixels.div_ceil(64)
}

/// One set of pixels for each class that occurs in `classes`, a map in row-major order. Returns the classes, ascending, and
/// their bits one after the other, each [`words`] long: pixel `p` is bit `p % 64` of word `p / 64`.
pub fn pack_classes(classes: &[u16]) -> (Vec<u16>, Vec<u64>) {
    let mut found = classes.to_vec();
    found.sort_unstable();
    found.dedup();
    let per_class = words(classes.len());
    let mut bits = vec![0; found.len() * per_class];
    for (p, class) in classes.iter().enumerate() {
        let row = found.partition_point(|c| c < class);
        bits[row * per_class + p / 64] |= 1 << (p % 64);
    }
    (found, bits)
}

/// Number of pixels in both sets.
pub fn count_and(a: &[u64], b: &[u64]) -> u64 {
    assert_eq!(a.len(), b.len(), "sets over the same pixels");
    a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum()
}
