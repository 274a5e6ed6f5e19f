//! AVX2 and AVX-512.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "see below")]

use super::Simd;
use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _CMP_GT_OQ, _CMP_NLE_UQ, _CMP_UNORD_Q, _MM_HINT_T0, _mm_prefetch,
    _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256, _mm256_blendv_epi8, _mm256_blendv_ps,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_movemask_ps, _mm256_mul_ps, _mm256_or_si256, _mm256_packus_epi32, _mm256_permute2f128_ps,
    _mm256_permute4x64_epi64, _mm256_permutevar8x32_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_ps, _mm256_storeu_si256, _mm256_sub_ps,
    _mm256_unpackhi_ps, _mm256_unpacklo_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512, _mm512_castps_si512,
    _mm512_castps256_ps512, _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_epi16,
    _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_mov_ps, _mm512_mask_or_epi32, _mm512_maskz_mov_ps, _mm512_mul_ps, _mm512_or_si512, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32, _mm512_srli_epi32, _mm512_storeu_ps, _mm512_storeu_si512,
    _mm512_sub_ps,
};

// Closures that call intrinsics are functions without the instruction set: where one is not inlined, its registers go by
// way of memory. So here are loops only.

/// Rows of a matrix of 8 x 8 become columns.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn transpose8(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: registers alone; the processor has the instructions, says the caller.
    unsafe {
        let mut pairs = r;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        // pairs: rows (0,1) low, high, (2,3) low, high, ...
        let mut quads = pairs;
        for i in 0..2 {
            for half in 0..2 {
                let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
                quads[4 * i + 2 * half] = _mm256_shuffle_ps::<0x44>(a, b);
                quads[4 * i + 2 * half + 1] = _mm256_shuffle_ps::<0xee>(a, b);
            }
        }
        let mut columns = quads;
        for i in 0..4 {
            columns[i] = _mm256_permute2f128_ps::<0x20>(quads[i], quads[i + 4]);
            columns[i + 4] = _mm256_permute2f128_ps::<0x31>(quads[i], quads[i + 4]);
        }
        columns
    }
}

/// # Safety
/// The processor has AVX2, and eight numbers can be read at the start of each of eight rows.
#[inline(always)]
unsafe fn load8(rows: *const f32, row_stride: usize) -> [__m256; 8] {
    // SAFETY: the caller has eight rows of eight numbers, and the instructions.
    unsafe {
        let mut r = [_mm256_setzero_ps(); 8];
        for i in 0..8 {
            r[i] = _mm256_loadu_ps(rows.add(i * row_stride));
        }
        r
    }
}

/// # Safety
/// The processor has AVX2, and eight numbers can be written at the start of each of eight rows.
#[inline(always)]
unsafe fn store8(r: [__m256; 8], rows: *mut f32, row_stride: usize) {
    // SAFETY: the caller has eight rows with room for eight numbers, and the instructions.
    unsafe {
        for i in 0..8 {
            _mm256_storeu_ps(rows.add(i * row_stride), r[i]);
        }
    }
}

/// [`super::rounded`] of eight lanes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn rounded8(x: __m256) -> __m256i {
    // SAFETY: registers alone; the processor has the instructions, says the caller.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let near = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
        let nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040_0000));
        let is_nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        let either = _mm256_blendv_epi8(near, nan, is_nan);
        _mm256_and_si256(either, _mm256_set1_epi32(0xffff_0000_u32.cast_signed()))
    }
}

/// [`super::rounded`] of sixteen lanes.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn rounded16(x: __m512) -> __m512i {
    // SAFETY: registers alone; the processor has the instructions, says the caller.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let near = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
        let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        let either = _mm512_mask_or_epi32(near, is_nan, bits, _mm512_set1_epi32(0x0040_0000));
        _mm512_and_si512(either, _mm512_set1_epi32(0xffff_0000_u32.cast_signed()))
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
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> [__m256; 2] {
        // SAFETY: the caller has sixteen numbers at `p`, and the instructions.
        unsafe { [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))] }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: [__m256; 2]) {
        // SAFETY: the caller has room for sixteen numbers at `p`, and the instructions.
        unsafe {
            _mm256_storeu_ps(p, x[0]);
            _mm256_storeu_ps(p.add(8), x[1]);
        }
    }
    #[inline(always)]
    unsafe fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn mul(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }
    #[inline(always)]
    unsafe fn soon(p: *const f32) {
        // SAFETY: the instruction is there, and reads nothing that could be missing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn relu(x: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: the caller says that the instructions are there.
        unsafe {
            let (zero, mut y) = (_mm256_setzero_ps(), x);
            for i in 0..2 {
                y[i] = _mm256_and_ps(x[i], _mm256_cmp_ps::<_CMP_NLE_UQ>(x[i], zero));
            }
            y
        }
    }
    #[inline(always)]
    unsafe fn leaky_relu(x: [__m256; 2], slope: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: as above.
        unsafe {
            let (zero, mut y) = (_mm256_setzero_ps(), x);
            for i in 0..2 {
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(x[i], zero);
                y[i] = _mm256_blendv_ps(_mm256_mul_ps(slope[i], x[i]), x[i], above);
            }
            y
        }
    }
    #[inline(always)]
    unsafe fn above(a: [__m256; 2], b: [__m256; 2]) -> u64 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe {
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a[0], b[0]));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a[1], b[1]));
            u64::from((low | high << 8).cast_unsigned())
        }
    }
    #[inline(always)]
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> [__m256; 2] {
        // SAFETY: sixteen places are two registers, and the caller has eight numbers on both sides, and the instructions.
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
        // SAFETY: the caller has sixteen rows of eight numbers, eight for each load, and the instructions.
        unsafe {
            let low = transpose8(load8(rows, row_stride));
            let high = transpose8(load8(rows.add(8 * row_stride), row_stride));
            let mut columns = [[_mm256_setzero_ps(); 2]; 8];
            for i in 0..8 {
                columns[i] = [low[i], high[i]];
            }
            columns
        }
    }
    #[inline(always)]
    unsafe fn rows(columns: [[__m256; 2]; 8], rows: *mut f32, row_stride: usize) {
        // SAFETY: the caller has sixteen rows with room for eight numbers, eight for each store, and the instructions.
        unsafe {
            let (mut low, mut high) = ([_mm256_setzero_ps(); 8], [_mm256_setzero_ps(); 8]);
            for i in 0..8 {
                [low[i], high[i]] = columns[i];
            }
            store8(transpose8(low), rows, row_stride);
            store8(transpose8(high), rows.add(8 * row_stride), row_stride);
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(p: *mut u16, x: [__m256; 2]) {
        // SAFETY: the caller has room for sixteen halves, which fill one register, and the instructions.
        unsafe {
            let (low, high) = (_mm256_srli_epi32::<16>(rounded8(x[0])), _mm256_srli_epi32::<16>(rounded8(x[1])));
            // Packing works on halves of registers; the quarters are put in order after it.
            let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            _mm256_storeu_si256(p.cast(), packed);
        }
    }
    #[inline(always)]
    unsafe fn store_low(p: *mut u32, x: [__m256; 2]) {
        // SAFETY: the caller has room for sixteen words, and the instructions.
        unsafe {
            for i in 0..2 {
                _mm256_storeu_si256(p.add(i * 8).cast(), _mm256_srli_epi32::<16>(rounded8(x[i])));
            }
        }
    }
    #[inline(always)]
    unsafe fn add_high(p: *mut u32, x: [__m256; 2]) {
        // SAFETY: the caller has sixteen words, and the instructions.
        unsafe {
            for i in 0..2 {
                let p = p.add(i * 8).cast();
                _mm256_storeu_si256(p, _mm256_or_si256(_mm256_loadu_si256(p), rounded8(x[i])));
            }
        }
    }
    #[inline(always)]
    unsafe fn halves(p: *const u32) -> [[__m256; 2]; 2] {
        // SAFETY: the caller has sixteen words, and the instructions.
        unsafe {
            let words = [_mm256_loadu_si256(p.cast()), _mm256_loadu_si256(p.add(8).cast())];
            let upper = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
            let low = [_mm256_slli_epi32::<16>(words[0]), _mm256_slli_epi32::<16>(words[1])];
            let high = [_mm256_and_si256(words[0], upper), _mm256_and_si256(words[1], upper)];
            [
                [_mm256_castsi256_ps(low[0]), _mm256_castsi256_ps(low[1])],
                [_mm256_castsi256_ps(high[0]), _mm256_castsi256_ps(high[1])],
            ]
        }
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
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        // SAFETY: the caller has sixteen numbers at `p`, and the instructions.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: __m512) {
        // SAFETY: the caller has room for sixteen numbers at `p`, and the instructions.
        unsafe { _mm512_storeu_ps(p, x) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn soon(p: *const f32) {
        // SAFETY: the instruction is there, and reads nothing that could be missing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn relu(x: __m512) -> __m512 {
        // SAFETY: the caller says that the instructions are there.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NLE_UQ>(x, _mm512_setzero_ps()), x) }
    }
    #[inline(always)]
    unsafe fn leaky_relu(x: __m512, slope: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps());
            _mm512_mask_mov_ps(_mm512_mul_ps(slope, x), above, x)
        }
    }
    #[inline(always)]
    unsafe fn above(a: __m512, b: __m512) -> u64 {
        // SAFETY: registers alone; the processor has the instructions, says the caller.
        unsafe { u64::from(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b)) }
    }
    #[inline(always)]
    unsafe fn spread(low: *const f32, high: *const f32, places: &[i32; 16]) -> __m512 {
        // SAFETY: what the caller promises is what `Avx2` asks for, whose instructions are among ours.
        unsafe {
            let [low, high] = Avx2::spread(low, high, places);
            _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high)
        }
    }
    #[inline(always)]
    unsafe fn columns(rows: *const f32, row_stride: usize) -> [__m512; 8] {
        // SAFETY: the caller has sixteen rows of eight numbers, eight for each load, and the instructions.
        unsafe {
            let low = transpose8(load8(rows, row_stride));
            let high = transpose8(load8(rows.add(8 * row_stride), row_stride));
            let mut columns = [_mm512_setzero_ps(); 8];
            for i in 0..8 {
                columns[i] = _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low[i]), high[i]);
            }
            columns
        }
    }
    #[inline(always)]
    unsafe fn rows(columns: [__m512; 8], rows: *mut f32, row_stride: usize) {
        // SAFETY: the caller has sixteen rows with room for eight numbers, eight for each store, and the instructions.
        unsafe {
            let (mut low, mut high) = ([_mm256_setzero_ps(); 8], [_mm256_setzero_ps(); 8]);
            for i in 0..8 {
                low[i] = _mm512_castps512_ps256(columns[i]);
                high[i] = _mm512_extractf32x8_ps::<1>(columns[i]);
            }
            store8(transpose8(low), rows, row_stride);
            store8(transpose8(high), rows.add(8 * row_stride), row_stride);
        }
    }
    #[inline(always)]
    unsafe fn store_bf16(p: *mut u16, x: __m512) {
        // SAFETY: the caller has room for sixteen halves, which fill one register, and the instructions.
        unsafe { _mm256_storeu_si256(p.cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded16(x)))) }
    }
    #[inline(always)]
    unsafe fn store_low(p: *mut u32, x: __m512) {
        // SAFETY: the caller has room for sixteen words, and the instructions.
        unsafe { _mm512_storeu_si512(p.cast(), _mm512_srli_epi32::<16>(rounded16(x))) }
    }
    #[inline(always)]
    unsafe fn add_high(p: *mut u32, x: __m512) {
        // SAFETY: the caller has sixteen words, and the instructions.
        unsafe { _mm512_storeu_si512(p.cast(), _mm512_or_si512(_mm512_loadu_si512(p.cast()), rounded16(x))) }
    }
    #[inline(always)]
    unsafe fn halves(p: *const u32) -> [__m512; 2] {
        // SAFETY: the caller has sixteen words, and the instructions.
        unsafe {
            let words = _mm512_loadu_si512(p.cast());
            let upper = _mm512_and_si512(words, _mm512_set1_epi32(0xffff_0000_u32.cast_signed()));
            [_mm512_castsi512_ps(_mm512_slli_epi32::<16>(words)), _mm512_castsi512_ps(upper)]
        }
    }
}
