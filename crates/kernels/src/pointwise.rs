//! Loops over elements.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements below which threads cost more than they bring.
const PARALLEL: usize = 1 << 16;
const CHUNK: usize = 1 << 14;
/// Numbers of a piece from which on threads share the copying.
const PIECE: usize = 1 << 8;

/// A vector of `len` numbers whose memory is not cleared first.
///
/// # Safety
/// `write` writes all of them.
pub(crate) unsafe fn written(len: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut out = Vec::with_capacity(len);
    write(&mut out.spare_capacity_mut()[..len]);
    // SAFETY: the caller promises that they have been written.
    unsafe { out.set_len(len) };
    out
}

/// `f` of every element.
pub fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    if x.len() < PARALLEL {
        return x.iter().map(|&v| f(v)).collect();
    }
    let write = |out: &mut [MaybeUninit<f32>]| {
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| {
            out.iter_mut().zip(x).for_each(|(o, &v)| _ = o.write(f(v)));
        });
    };
    // SAFETY: chunks of the same length on all sides cover everything.
    unsafe { written(x.len(), write) }
}

/// Each block of `block` elements `times` times in a row: what lies along one dimension, repeated along the one before it.
///
/// # Panics
/// `x` is not whole blocks.
pub fn repeat(x: &[f32], block: usize, times: usize) -> Vec<f32> {
    if x.is_empty() || times == 0 {
        return Vec::new();
    }
    assert!(x.len().is_multiple_of(block), "whole blocks are repeated");
    let len = x.len().checked_mul(times);
    let len = len.unwrap_or_else(|| panic!("{} numbers can be repeated {times} times", x.len()));
    let write = |out: &mut [MaybeUninit<f32>]| {
        let parts = out.par_chunks_mut(block * times).zip(x.par_chunks(block));
        parts.with_min_len((PARALLEL / (block * times)).max(1)).for_each(|(out, x)| {
            if let &[x] = x {
                out.iter_mut().for_each(|o| _ = o.write(x));
                return;
            }
            for out in out.chunks_mut(block) {
                out.iter_mut().zip(x).for_each(|(o, &v)| _ = o.write(v));
            }
        });
    };
    // SAFETY: a block's copies are as many as its part of the output has room for, and all parts have a block.
    unsafe { written(len, write) }
}

/// Pieces one behind the other.
pub fn joined(pieces: &[&[f32]]) -> Vec<f32> {
    let len = pieces.iter().map(|piece| piece.len()).sum();
    // Pieces of a few numbers are not worth a task each.
    if len < PARALLEL || len / pieces.len() < PIECE {
        return pieces.concat();
    }
    let write = |out: &mut [MaybeUninit<f32>]| {
        let (mut rest, mut copies) = (out, Vec::with_capacity(pieces.len() + len / CHUNK));
        for from in pieces.iter().flat_map(|piece| piece.chunks(CHUNK)) {
            let to;
            (to, rest) = rest.split_at_mut(from.len());
            copies.push((from, to));
        }
        copies.into_par_iter().for_each(|(from, to)| _ = to.write_copy_of_slice(from));
    };
    // SAFETY: the pieces are as many numbers as there is room for, and all are copied.
    unsafe { written(len, write) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "can be repeated")]
    fn more_copies_than_there_are_numbers_are_refused() {
        repeat(&[1.0, 2.0], 1, usize::MAX / 2 + 2);
    }

    #[test]
    fn pieces_of_any_length_are_joined() {
        for lengths in [vec![], vec![0], vec![3, 0, 2], vec![PARALLEL, 0, CHUNK + 1, 5], vec![1; PARALLEL]] {
            let mut number = 0.0;
            let piece = |length: &usize| {
                let numbers = (0..*length).map(|_| {
                    number += 1.0;
                    number
                });
                numbers.collect::<Vec<f32>>()
            };
            let pieces: Vec<Vec<f32>> = lengths.iter().map(piece).collect();
            assert_eq!(joined(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>()), pieces.concat());
        }
    }

    #[test]
    fn a_block_is_repeated_in_place() {
        assert_eq!(repeat(&[1.0, 2.0, 3.0, 4.0], 2, 2), [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!(repeat(&[1.0, 2.0], 1, 3), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(repeat(&[], 0, 3), [0.0; 0]);
        assert_eq!(repeat(&[1.0], 1, 0), [0.0; 0]);
        // So large that threads share it.
        let x: Vec<f32> = (0..crate::usual(3000, 30)).map(|i| i as f32).collect();
        let expected: Vec<f32> = x.chunks(3).flat_map(|block| block.repeat(50)).collect();
        assert_eq!(repeat(&x, 3, 50), expected);
    }
}
