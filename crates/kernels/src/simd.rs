//! Sixteen lanes of `f32` on what the processor has, chosen at run time.
//!
//! A kernel is written once, generic over [`Simd`] and `#[inline(always)]`; [`with_simd!`] compiles it for every
//! instruction set and calls the best one that the processor has. A default build, without target flags, is the fast
//! one.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use std::sync::LazyLock;

/// Instruction sets that kernels are compiled for.
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
}

/// Sixteen lanes and what kernels do with them.
///
/// # Safety
/// Every function needs the instruction set of its type; pointers must be valid for sixteen floats (of any alignment).
pub(crate) trait Simd: Copy {
    /// Sixteen numbers.
    type Lanes: Copy;
    /// Rows of a product that are computed at once.
    const ROWS: usize;
    /// Blocks of sixteen columns that are computed at once.
    const BLOCKS: usize;
    unsafe fn splat(x: f32) -> Self::Lanes;
    unsafe fn load(p: *const f32) -> Self::Lanes;
    unsafe fn store(p: *mut f32, x: Self::Lanes);
    unsafe fn add(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    unsafe fn sub(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    unsafe fn mul(a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a * b + c`.
    unsafe fn mul_add(a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// Bit `i` is set where lane `i` of `a` is greater than that of `b`; neither is NaN there.
    unsafe fn above(a: Self::Lanes, b: Self::Lanes) -> u64;
    /// Lane `i` is `low[places[i]]`, from lane 8 on `high[places[i]]`. Both hold eight numbers, and no place is 8 or more.
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> Self::Lanes;
    /// Eight entries of each of sixteen rows, `row_stride` apart, as eight columns of sixteen lanes.
    unsafe fn columns(rows: *const f32, row_stride: usize) -> [Self::Lanes; 8];
    /// The reverse of [`Simd::columns`].
    unsafe fn rows(columns: [Self::Lanes; 8], rows: *mut f32, row_stride: usize);
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
        unsafe { p.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: [f32; 16]) {
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
    unsafe fn above(a: [f32; 16], b: [f32; 16]) -> u64 {
        (0..16).fold(0, |bits, i| bits | u64::from(a[i] > b[i]) << i)
    }
    #[inline(always)]
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> [f32; 16] {
        Self::each(|i| unsafe { *(if i < 8 { low } else { high }).add(places[i] as usize) })
    }
    #[inline(always)]
    unsafe fn columns(rows: *const f32, row_stride: usize) -> [[f32; 16]; 8] {
        std::array::from_fn(|i| Self::each(|l| unsafe { *rows.add(l * row_stride + i) }))
    }
    #[inline(always)]
    unsafe fn rows(columns: [[f32; 16]; 8], rows: *mut f32, row_stride: usize) {
        for (i, column) in columns.iter().enumerate() {
            for (l, &value) in column.iter().enumerate() {
                unsafe { *rows.add(l * row_stride + i) = value };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Simd;
    use std::arch::x86_64::{
        __m256, __m256i, __m512, _CMP_GT_OQ, _mm256_add_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_loadu_si256, _mm256_movemask_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permutevar8x32_ps,
        _mm256_set1_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
        _mm512_add_ps, _mm512_castps256_ps512, _mm512_castps512_ps256, _mm512_cmp_ps_mask, _mm512_extractf32x8_ps,
        _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps,
        _mm512_sub_ps,
    };

    /// Rows of a matrix of 8 x 8 become columns.
    #[inline(always)]
    unsafe fn transpose8(r: [__m256; 8]) -> [__m256; 8] {
        unsafe {
            let pairs: [__m256; 8] = std::array::from_fn(|i| {
                let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
                if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
            });
            // pairs: rows (0,1) low, high, (2,3) low, high, ...
            let quads = [
                _mm256_shuffle_ps::<0x44>(pairs[0], pairs[2]),
                _mm256_shuffle_ps::<0xee>(pairs[0], pairs[2]),
                _mm256_shuffle_ps::<0x44>(pairs[1], pairs[3]),
                _mm256_shuffle_ps::<0xee>(pairs[1], pairs[3]),
                _mm256_shuffle_ps::<0x44>(pairs[4], pairs[6]),
                _mm256_shuffle_ps::<0xee>(pairs[4], pairs[6]),
                _mm256_shuffle_ps::<0x44>(pairs[5], pairs[7]),
                _mm256_shuffle_ps::<0xee>(pairs[5], pairs[7]),
            ];
            std::array::from_fn(|i| {
                let (low, high) = (quads[i % 4], quads[i % 4 + 4]);
                if i < 4 {
                    _mm256_permute2f128_ps::<0x20>(low, high)
                } else {
                    _mm256_permute2f128_ps::<0x31>(low, high)
                }
            })
        }
    }

    #[inline(always)]
    unsafe fn columns_by_halves(rows: *const f32, row_stride: usize) -> [[__m256; 2]; 8] {
        unsafe {
            let half =
                |h: usize| transpose8(std::array::from_fn(|i| _mm256_loadu_ps(rows.add((h * 8 + i) * row_stride))));
            let (low, high) = (half(0), half(1));
            std::array::from_fn(|i| [low[i], high[i]])
        }
    }

    #[inline(always)]
    unsafe fn rows_by_halves(columns: [[__m256; 2]; 8], rows: *mut f32, row_stride: usize) {
        unsafe {
            for h in 0..2 {
                let turned = transpose8(std::array::from_fn(|i| columns[i][h]));
                for (i, row) in turned.into_iter().enumerate() {
                    _mm256_storeu_ps(rows.add((h * 8 + i) * row_stride), row);
                }
            }
        }
    }

    /// Two registers of eight.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2;

    impl Simd for Avx2 {
        type Lanes = [__m256; 2];
        const ROWS: usize = 6;
        const BLOCKS: usize = 1;
        #[inline(always)]
        unsafe fn splat(x: f32) -> [__m256; 2] {
            unsafe { [_mm256_set1_ps(x); 2] }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> [__m256; 2] {
            unsafe { [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))] }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, x: [__m256; 2]) {
            unsafe {
                _mm256_storeu_ps(p, x[0]);
                _mm256_storeu_ps(p.add(8), x[1]);
            }
        }
        #[inline(always)]
        unsafe fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }
        #[inline(always)]
        unsafe fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
        }
        #[inline(always)]
        unsafe fn mul(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
        }
        #[inline(always)]
        unsafe fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }
        #[inline(always)]
        unsafe fn above(a: [__m256; 2], b: [__m256; 2]) -> u64 {
            unsafe {
                let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a[0], b[0]));
                let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a[1], b[1]));
                u64::from((low | high << 8).cast_unsigned())
            }
        }
        #[inline(always)]
        unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> [__m256; 2] {
            unsafe {
                #[allow(clippy::cast_ptr_alignment, reason = "these loads ask for none")]
                let places = places.as_ptr().cast::<__m256i>();
                [
                    _mm256_permutevar8x32_ps(_mm256_loadu_ps(low), _mm256_loadu_si256(places)),
                    _mm256_permutevar8x32_ps(_mm256_loadu_ps(high), _mm256_loadu_si256(places.add(1))),
                ]
            }
        }
        #[inline(always)]
        unsafe fn columns(rows: *const f32, row_stride: usize) -> [[__m256; 2]; 8] {
            unsafe { columns_by_halves(rows, row_stride) }
        }
        #[inline(always)]
        unsafe fn rows(columns: [[__m256; 2]; 8], rows: *mut f32, row_stride: usize) {
            unsafe { rows_by_halves(columns, rows, row_stride) }
        }
    }

    /// One register of sixteen.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512;

    impl Simd for Avx512 {
        type Lanes = __m512;
        const ROWS: usize = 12;
        const BLOCKS: usize = 2;
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, x: __m512) {
            unsafe { _mm512_storeu_ps(p, x) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn above(a: __m512, b: __m512) -> u64 {
            unsafe { u64::from(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b)) }
        }
        #[inline(always)]
        unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> __m512 {
            unsafe {
                let [low, high] = Avx2::spread(low, high, places);
                _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high)
            }
        }
        #[inline(always)]
        unsafe fn columns(rows: *const f32, row_stride: usize) -> [__m512; 8] {
            unsafe {
                columns_by_halves(rows, row_stride)
                    .map(|[low, high]| _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high))
            }
        }
        #[inline(always)]
        unsafe fn rows(columns: [__m512; 8], rows: *mut f32, row_stride: usize) {
            unsafe {
                let halves = columns.map(|c| [_mm512_castps512_ps256(c), _mm512_extractf32x8_ps::<1>(c)]);
                rows_by_halves(halves, rows, row_stride);
            }
        }
    }
}

/// Defines `fn name(level, ...)` that runs `generic::<S>(...)` compiled for the level's instruction set.
macro_rules! with_simd {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident : $ty:ty),* $(,)?) = $generic:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "it passes on what the kernel takes")]
        pub(super) unsafe fn $name(level: $crate::simd::Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,popcnt")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx2($($arg: $ty),*) {
                unsafe { $generic::<$crate::simd::Avx2>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,popcnt")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx512($($arg: $ty),*) {
                unsafe { $generic::<$crate::simd::Avx512>($($arg),*) }
            }
            match level {
                $crate::simd::Level::Portable => unsafe { $generic::<$crate::simd::Portable>($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use with_simd;
