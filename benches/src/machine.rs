//! What the machine can do at all: multiply-adds that touch no memory, and memory that is only read or copied.

use crate::{Case, Cost};
use rayon::prelude::*;
use std::hint::black_box;

/// Rounds of the register loop; some milliseconds.
const ROUNDS: usize = 1 << 20;
/// Chains of dependent multiply-adds: enough to hide their latency on two units of latency 4 to 5, few enough to stay in
/// 16 registers.
const CHAINS: usize = 12;
/// Numbers of the array that is read, 256 MiB: larger than the caches.
const LONG: usize = 1 << 25;
/// Numbers that one task reads or copies.
const PIECE: usize = 1 << 18;

/// A rate is a case like any other: its cost by its seconds.
pub(crate) fn cases() -> Vec<Case> {
    let (lanes, run) = register_loop();
    let macs = rayon::current_num_threads() * ROUNDS * CHAINS * lanes;
    let bytes = 8 * LONG as u64;
    vec![
        Case::new("machine/fma", Cost::new(macs, 0), move || {
            Ok(Box::new(move || {
                black_box(rayon::broadcast(|_| run(black_box(0.999))));
                Ok(())
            }))
        }),
        Case::new("machine/memory/read", Cost { macs: 0, bytes }, || {
            let array: Vec<u64> = (0..LONG as u64).collect();
            Ok(Box::new(move || {
                let sum = |piece: &[u64]| piece.iter().fold(0u64, |sum, &v| sum.wrapping_add(v));
                black_box(array.par_chunks(PIECE).map(sum).reduce(|| 0, u64::wrapping_add));
                Ok(())
            }))
        }),
        // Half of the array to the other half: what is read and what is written count.
        Case::new("machine/memory/copy", Cost { macs: 0, bytes }, || {
            let mut array: Vec<u64> = (0..LONG as u64).collect();
            Ok(Box::new(move || {
                let (target, source) = array.split_at_mut(LONG / 2);
                target.par_chunks_mut(PIECE).zip(source.par_chunks(PIECE)).for_each(|(t, s)| t.copy_from_slice(s));
                black_box(&array);
                Ok(())
            }))
        }),
    ]
}

/// The instructions that the register loop uses here.
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return "avx2";
        }
    }
    if cfg!(target_arch = "aarch64") { "neon" } else { "portable" }
}

/// The lanes of one multiply-add, and the loop.
fn register_loop() -> (usize, fn(f32) -> f32) {
    #[cfg(target_arch = "x86_64")]
    match instructions() {
        // SAFETY: the processor has just been asked for AVX-512.
        "avx512" => return (16, |factor| unsafe { x86::avx512(factor) }),
        // SAFETY: the processor has just been asked for AVX2 and FMA.
        "avx2" => return (8, |factor| unsafe { x86::avx2(factor) }),
        _ => {}
    }
    (4, portable)
}

/// Where multiply-adds are of the base instruction set (NEON), and where there are none: then two instructions.
fn portable(factor: f32) -> f32 {
    let mut sums = [[1.0f32; 4]; CHAINS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            for lane in sum {
                *lane = if cfg!(target_arch = "aarch64") { lane.mul_add(factor, 0.5) } else { *lane * factor + 0.5 };
            }
        }
    }
    sums.as_flattened().iter().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHAINS, ROUNDS};
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps, _mm512_add_ps, _mm512_cvtss_f32,
        _mm512_fmadd_ps, _mm512_set1_ps,
    };

    /// The loop in registers.
    ///
    /// # Safety
    /// The processor has these instructions.
    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(factor: f32) -> f32 {
        let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(0.5));
        let mut sums = [_mm512_set1_ps(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        _mm512_cvtss_f32(sums.into_iter().reduce(|a, b| _mm512_add_ps(a, b)).unwrap_or(term))
    }

    /// The loop in registers.
    ///
    /// # Safety
    /// The processor has these instructions.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(factor: f32) -> f32 {
        let (factor, term) = (_mm256_set1_ps(factor), _mm256_set1_ps(0.5));
        let mut sums = [_mm256_set1_ps(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, term);
            }
        }
        _mm256_cvtss_f32(sums.into_iter().reduce(|a, b| _mm256_add_ps(a, b)).unwrap_or(term))
    }
}
