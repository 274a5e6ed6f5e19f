//! Sets of pixels as bits.

use crate::simd::{Level, Simd, with_simd};

/// Words that hold one bit for each of so many pixels.
pub fn words(pixels: usize) -> usize {
    pixels.div_ceil(64)
}

/// One set of pixels for each class that occurs in `classes`, a map in row-major order. Returns the classes, ascending, and
/// their bits one after the other, each [`words`] long: pixel `p` is bit `p % 64` of word `p / 64`.
pub fn pack_classes(classes: &[u16]) -> (Vec<u16>, Vec<u64>) {
    let Some(&most) = classes.iter().max() else { return (Vec::new(), Vec::new()) };
    let per_class = words(classes.len());
    // Classes lie in patches: each word has few, and each of them is found once.
    let mut found = Vec::with_capacity(4 * per_class);
    let mut rows = vec![None; usize::from(most) + 1];
    for (place, pixels) in classes.chunks(64).enumerate() {
        let mut rest = u64::MAX >> (64 - pixels.len());
        // The class behind the last pixel is of no account.
        let mut word = [0; 64];
        word[..pixels.len()].copy_from_slice(pixels);
        while rest != 0 {
            let class = word[rest.trailing_zeros() as usize];
            let bits = equal(&word, class) & rest;
            rest &= !bits;
            rows[usize::from(class)] = Some(0);
            found.push((class, place, bits));
        }
    }
    let occurring: Vec<u16> = (0..=most).filter(|&class| rows[usize::from(class)].is_some()).collect();
    for (row, &class) in occurring.iter().enumerate() {
        rows[usize::from(class)] = Some(row * per_class);
    }
    let mut sets = vec![0; occurring.len() * per_class];
    for (class, place, bits) in found {
        sets[rows[usize::from(class)].unwrap_or(0) + place] = bits;
    }
    (occurring, sets)
}

/// Where a word's pixels have this class. Written so that the compiler can make lanes of it.
fn equal(pixels: &[u16; 64], class: u16) -> u64 {
    let bytes = pixels.map(|pixel| u8::from(pixel == class));
    bytes.as_chunks().0.iter().enumerate().fold(0, |bits, (place, &eight)| {
        // The product brings bit 0 of byte i to bit 56 + i, and nothing else to the eight highest.
        bits | (u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * place)
    })
}

/// Sets that are counted together: as many lanes as hide how long one count takes.
const TOGETHER: usize = 16;

/// Sets of pixels as [`crate::tally`] wants them: the same word of all sets side by side.
#[derive(Clone, Debug)]
pub struct Labels {
    sets: usize,
    words: usize,
    /// Places of sets, a multiple of [`TOGETHER`].
    places: usize,
    /// `[words][places]`.
    bits: Vec<u64>,
}

impl Labels {
    /// Sets of pixels of one image, each [`words`] long.
    ///
    /// # Panics
    /// A set is longer or shorter than `words`.
    pub fn new(words: usize, sets: &[&[u64]]) -> Self {
        let places = sets.len().next_multiple_of(TOGETHER);
        let mut bits = vec![0; words * places];
        for (place, set) in sets.iter().enumerate() {
            assert_eq!(set.len(), words, "words of a set");
            set.iter().zip(bits[place..].iter_mut().step_by(places)).for_each(|(from, to)| *to = *from);
        }
        Self { sets: sets.len(), words, places, bits }
    }

    /// How many sets there are.
    pub fn sets(&self) -> usize {
        self.sets
    }

    /// Words of each of them.
    pub fn words(&self) -> usize {
        self.words
    }

    /// For each set, how many pixels it shares with another one, of which `full` holds the words that have bits, and where.
    #[allow(clippy::inline_always, reason = "it is inlined into its instruction set's function")]
    #[inline(always)]
    pub(super) fn count_and(&self, full: &[(usize, u64)], both: &mut [u32]) {
        for (first, both) in (0..).step_by(TOGETHER).zip(both.chunks_mut(TOGETHER)) {
            let mut sums = [0u64; TOGETHER];
            for &(at, word) in full {
                let sets = &self.bits[at * self.places + first..][..TOGETHER];
                for lane in 0..TOGETHER {
                    sums[lane] += u64::from((sets[lane] & word).count_ones());
                }
            }
            both.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum as u32);
        }
    }
}

/// Number of pixels in both sets.
pub fn count_and(a: &[u64], b: &[u64]) -> u64 {
    assert_eq!(a.len(), b.len(), "sets over the same pixels");
    let mut count = 0;
    // SAFETY: the processor has the instruction set of `best`.
    unsafe { count_both(Level::best(), a, b, &mut count) };
    count
}

/// `S` only says for which instruction set the loop is compiled.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[allow(clippy::inline_always, reason = "it is inlined into its instruction set's function")]
#[inline(always)]
unsafe fn count_both_any<S: Simd>(a: &[u64], b: &[u64], count: &mut u64) {
    *count = a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum();
}

with_simd! {
    /// Number of bits in both.
    fn count_both(a: &[u64], b: &[u64], count: &mut u64) = count_both_any
}
