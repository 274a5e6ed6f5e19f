//! Sixteen lanes of `f32` on what the processor has, chosen at run time.
//!
//! A kernel is written once, generic over [`Simd`] and `#[inline(always)]`; [`with_simd!`] compiles it for every
//! instruction set and calls the best one that the processor has. A default build, without target flags, is the fast
//! one.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use std::sync::LazyLock;

/// Instruction sets that kernels are compiled for. Each has what those above it in this list have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Whatever the target always has, by the compiler's own vectorisation.
    Portable,
    /// AVX2 with fused multiply-add and the count of bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 (F, BW, DQ and VL).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX-512 with products of `bf16` (AVX512-BF16).
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
}

impl Level {
    /// All that this processor can run, best first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "other targets have one")]
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            // Every processor with AVX2 has FMA and POPCNT, but a virtual one may hide them.
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt")
            {
                levels.insert(0, Self::Avx2);
                let wide = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl");
                if wide {
                    levels.insert(0, Self::Avx512);
                    if is_x86_feature_detected!("avx512bf16") {
                        levels.insert(0, Self::Avx512Bf16);
                    }
                }
            }
        }
        levels
    }

    /// The best that this processor can run.
    pub fn best() -> Self {
        static BEST: LazyLock<Level> = LazyLock::new(|| Level::available()[0]);
        *BEST
    }

    /// Panics where the processor cannot run it. Code compiled for a level must not be called without that.
    pub(crate) fn check(self) {
        assert!(self as u8 <= Self::best() as u8, "this processor has {}, not {}", Self::best().name(), self.name());
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => "AVX-512 with BF16",
        }
    }
}

/// Sixteen lanes and what kernels do with them.
///
/// # Safety
/// Every function needs the instruction set of its type, which is all that those on lanes ask for. Those with pointers say what has to
/// lie behind them; no alignment is asked for but that of one number.
pub(crate) trait Simd: Copy {
    /// Sixteen numbers.
    type Lanes: Copy;
    /// Rows of a product that are computed at once.
    const ROWS: usize;
    /// Blocks of sixteen columns that are computed at once.
    const BLOCKS: usize;
    /// # Safety
    /// See [`Simd`].
    unsafe fn splat(x: f32) -> Self::Lanes;
    /// # Safety
    /// Sixteen numbers can be read at `p`.
    unsafe fn load(p: *const f32) -> Self::Lanes;
    /// # Safety
    /// Sixteen numbers can be written at `p`.
    unsafe fn store(p: *mut f32, x: Self::Lanes);
    /// # Safety
    /// See [`Simd`].
    unsafe fn add(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// # Safety
    /// See [`Simd`].
    unsafe fn sub(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// # Safety
    /// See [`Simd`].
    unsafe fn mul(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a * b + c`.
    ///
    /// # Safety
    /// See [`Simd`].
    unsafe fn mul_add(a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// `x` where it is above 0, NaN where it is that, 0 elsewhere.
    ///
    /// # Safety
    /// See [`Simd`].
    unsafe fn relu(x: Self::Lanes) -> Self::Lanes;
    /// `x` where it is above 0, `slope x` elsewhere.
    ///
    /// # Safety
    /// See [`Simd`].
    unsafe fn leaky_relu(x: Self::Lanes, slope: Self::Lanes) -> Self::Lanes;
    /// Says that what lies there will soon be read; it need not be there at all.
    ///
    /// # Safety
    /// See [`Simd`].
    unsafe fn soon(p: *const f32);
    /// Bit `i` is set where lane `i` of `a` is greater than that of `b`; neither is NaN there.
    ///
    /// # Safety
    /// See [`Simd`].
    unsafe fn above(a: Self::Lanes, b: Self::Lanes) -> u64;
    /// Lane `i` is `low[places[i]]`, from lane 8 on `high[places[i]]`.
    ///
    /// # Safety
    /// Eight numbers can be read at `low` and at `high`, and every place is one of 0 to 7.
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> Self::Lanes;
    /// Eight entries of each of sixteen rows, `row_stride` apart, as eight columns of sixteen lanes.
    ///
    /// # Safety
    /// Eight numbers can be read at the start of every row.
    unsafe fn columns(rows: *const f32, row_stride: usize) -> [Self::Lanes; 8];
    /// The reverse of [`Simd::columns`].
    ///
    /// # Safety
    /// Eight numbers can be written at the start of every row.
    unsafe fn rows(columns: [Self::Lanes; 8], rows: *mut f32, row_stride: usize);
    /// Sixteen `bf16` beside each other, each the nearest to its lane (ties to even; NaN stays NaN).
    ///
    /// # Safety
    /// Sixteen halves of a word can be written at `p`.
    unsafe fn store_bf16(p: *mut u16, x: Self::Lanes);
    /// The same as the lower halves of sixteen words; the upper halves become zero.
    ///
    /// # Safety
    /// Sixteen words can be written at `p`.
    unsafe fn store_low(p: *mut u32, x: Self::Lanes);
    /// The same into the upper halves of sixteen words, whose upper halves are zero.
    ///
    /// # Safety
    /// Sixteen words can be read and written at `p`.
    unsafe fn add_high(p: *mut u32, x: Self::Lanes);
    /// The lower and the upper halves of sixteen words, as numbers.
    ///
    /// # Safety
    /// Sixteen words can be read at `p`.
    unsafe fn halves(p: *const u32) -> [Self::Lanes; 2];
}

/// The nearest `bf16`, ties to even, as the upper half of an `f32`; NaN stays NaN.
#[inline(always)]
pub(crate) fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    // A carry out of a NaN's digits would make another number of it.
    if x.is_nan() { (bits | 0x0040_0000) & 0xffff_0000 } else { (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000 }
}

/// Without intrinsics.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Portable {
    #[inline(always)]
    fn each(f: impl Fn(usize) -> f32) -> [f32; 16] {
        std::array::from_fn(f)
    }
}

impl Simd for Portable {
    type Lanes = [f32; 16];
    const ROWS: usize = 4;
    const BLOCKS: usize = 1;
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 16] {
        [x; 16]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> [f32; 16] {
        // SAFETY: the caller's sixteen numbers, read as an array of them.
        unsafe { p.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: [f32; 16]) {
        // SAFETY: there is room for sixteen numbers, says the caller.
        unsafe { p.cast::<[f32; 16]>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        Self::each(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        Self::each(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        Self::each(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; 16], b: [f32; 16], c: [f32; 16]) -> [f32; 16] {
        // A fused one is a call into the C library where the target has no instruction for it.
        if cfg!(target_feature = "fma") || cfg!(target_arch = "aarch64") {
            Self::each(|i| a[i].mul_add(b[i], c[i]))
        } else {
            Self::each(|i| a[i] * b[i] + c[i])
        }
    }
    #[inline(always)]
    unsafe fn soon(_: *const f32) {}
    #[inline(always)]
    unsafe fn relu(x: [f32; 16]) -> [f32; 16] {
        Self::each(|i| if x[i] <= 0.0 { 0.0 } else { x[i] })
    }
    #[inline(always)]
    unsafe fn leaky_relu(x: [f32; 16], slope: [f32; 16]) -> [f32; 16] {
        Self::each(|i| if x[i] > 0.0 { x[i] } else { slope[i] * x[i] })
    }
    #[inline(always)]
    unsafe fn above(a: [f32; 16], b: [f32; 16]) -> u64 {
        (0..16).fold(0, |bits, i| bits | u64::from(a[i] > b[i]) << i)
    }
    #[inline(always)]
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> [f32; 16] {
        // SAFETY: the caller has eight numbers on both sides, and no place is 8 or more.
        Self::each(|i| unsafe { *(if i < 8 { low } else { high }).add(places[i] as usize) })
    }
    #[inline(always)]
    unsafe fn columns(rows: *const f32, row_stride: usize) -> [[f32; 16]; 8] {
        // SAFETY: the caller's rows are sixteen, with eight numbers each.
        std::array::from_fn(|i| Self::each(|l| unsafe { *rows.add(l * row_stride + i) }))
    }
    #[inline(always)]
    unsafe fn rows(columns: [[f32; 16]; 8], rows: *mut f32, row_stride: usize) {
        for (i, column) in columns.iter().enumerate() {
            for (l, &value) in column.iter().enumerate() {
                // SAFETY: the caller's rows are sixteen, with room for eight numbers each.
                unsafe { *rows.add(l * row_stride + i) = value };
            }
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(p: *mut u16, x: [f32; 16]) {
        for (i, &value) in x.iter().enumerate() {
            // SAFETY: `i` is one of the sixteen for which the caller has room.
            unsafe { *p.add(i) = (rounded(value) >> 16) as u16 };
        }
    }
    #[inline(always)]
    unsafe fn store_low(p: *mut u32, x: [f32; 16]) {
        for (i, &value) in x.iter().enumerate() {
            // SAFETY: `i` is one of the sixteen for which the caller has room.
            unsafe { *p.add(i) = rounded(value) >> 16 };
        }
    }
    #[inline(always)]
    unsafe fn add_high(p: *mut u32, x: [f32; 16]) {
        for (i, &value) in x.iter().enumerate() {
            // SAFETY: `i` is one of the caller's sixteen words.
            unsafe { *p.add(i) |= rounded(value) };
        }
    }
    #[inline(always)]
    unsafe fn halves(p: *const u32) -> [[f32; 16]; 2] {
        // SAFETY: lanes are sixteen, and so are the caller's words.
        let word = |i: usize| unsafe { *p.add(i) };
        [Self::each(|i| f32::from_bits(word(i) << 16)), Self::each(|i| f32::from_bits(word(i) & 0xffff_0000))]
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86;

/// Defines `fn name(level, ...)` that runs `generic::<S>(...)` compiled for the level's instruction set.
///
/// Nothing here knows whether the processor has it: who passes on a level that somebody else chose calls [`Level::check`] first.
macro_rules! with_simd {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident : $ty:ty),* $(,)?) = $generic:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has the instruction set of `level`, and what the generic function asks for holds.
        #[allow(clippy::too_many_arguments, reason = "it passes on what the kernel takes")]
        pub(super) unsafe fn $name(level: $crate::simd::Level, $($arg: $ty),*) {
            /// # Safety
            /// The processor has these instructions, and what the generic function asks for holds.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,popcnt")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: this function is called where the processor has these instructions, which are all of `Avx2`.
                unsafe { $generic::<$crate::simd::Avx2>($($arg),*) }
            }
            /// # Safety
            /// As above.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,popcnt")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: this function is called where the processor has these instructions, which are all of `Avx512`.
                unsafe { $generic::<$crate::simd::Avx512>($($arg),*) }
            }
            match level {
                // SAFETY: it needs no instructions that the target may lack; the rest is the caller's.
                $crate::simd::Level::Portable => unsafe { $generic::<$crate::simd::Portable>($($arg),*) },
                // SAFETY: the processor has this level, says the caller; the rest is the caller's as well.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above; both levels have what `Avx512` needs.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 | $crate::simd::Level::Avx512Bf16 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use with_simd;

#[cfg(test)]
mod tests {
    use super::rounded;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::usual(256, 4)))]

        #[test]
        fn rounding_takes_the_nearest_and_of_two_the_even_one(x: f32) {
            let rounded_down_is_even = x.to_bits() >> 16 & 1 == 0;
            let below = f32::from_bits(x.to_bits() & 0xffff_0000);
            let above = f32::from_bits((x.to_bits() & 0xffff_0000).wrapping_add(0x1_0000));
            let got = f32::from_bits(rounded(x));
            let [x, below, above] = [x, below, above].map(f64::from);
            prop_assume!(above.is_finite());
            let even = if rounded_down_is_even { below } else { above };
            let nearest = match (x - below).abs().total_cmp(&(above - x).abs()) {
                std::cmp::Ordering::Less => below,
                std::cmp::Ordering::Equal => even,
                std::cmp::Ordering::Greater => above,
            };
            prop_assert_eq!(f64::from(got), nearest);
        }
    }

    #[test]
    fn ties_and_numbers_that_are_none() {
        for (x, expected) in [(0x3f80_8000, 0x3f80_0000), (0x3f81_8000, 0x3f82_0000), (0x7f7f_ffff, 0x7f80_0000)] {
            assert_eq!(rounded(f32::from_bits(x)), expected, "{x:x}");
        }
        for x in [0x7fff_ffff, 0xffff_ffff, 0x7f80_0001] {
            assert!(f32::from_bits(rounded(f32::from_bits(x))).is_nan(), "{x:x}");
        }
    }
}
