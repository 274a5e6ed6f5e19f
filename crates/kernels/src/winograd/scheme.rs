//! The matrices of a minimal filtering algorithm F(m, r): m outputs of a filter of r taps from n = m + r - 1 inputs
//! with n multiplications, instead of m r (Winograd; Lavin and Gray, arXiv 1509.09308).
//!
//! ```text
//! y = AT ((G g) * (BT d))
//! ```
//!
//! The matrices follow from n - 1 points and infinity by the Toom-Cook construction. They are computed at compile time,
//! so zeros and ones cost nothing.
//!
//! Which points are taken decides how much is lost to rounding: transforms take differences, and powers of points weigh what was
//! rounded (Barabasz et al., arXiv 1803.10986). Points are numbers of few binary digits, so that products of them are exact, and as many as
//! can be are 0, 1 or -1 or go in pairs of opposite sign. Among those the ones with the least error of both passes were taken, found by trial
//! with normal numbers: they lose half to a third of what 0, 1, -1, 2, -2 lose, with as many products and 30 additions more in one transform of F43.

#![allow(clippy::inline_always, reason = "a kernel is inlined into its instruction set's function, or is none")]
#![allow(clippy::needless_range_loop, reason = "matrices are indexed; lengths are constants")]

use crate::simd::Simd;
use std::mem::MaybeUninit;

/// One algorithm. `N = M + R - 1`.
pub(crate) trait Scheme<const M: usize, const R: usize, const N: usize>: 'static {
    /// Outputs from products.
    const AT: [[f32; N]; M];
    /// Transposed `AT`.
    const A: [[f32; M]; N];
    /// The input's transform.
    const BT: [[f32; N]; N];
    /// Transposed `BT`.
    const B: [[f32; N]; N];
    /// The filter's transform.
    const G: [[f32; R]; N];
    /// Transposed `G`.
    const GT: [[f32; N]; R];
}

macro_rules! scheme {
    ($(#[$doc:meta])* $name:ident: F($m:literal, $r:literal), $n:literal inputs, $points:expr) => {
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Scheme<$m, $r, $n> for $name {
            const AT: [[f32; $n]; $m] = outputs($points);
            const A: [[f32; $m]; $n] = transposed(Self::AT);
            const BT: [[f32; $n]; $n] = inputs($points);
            const B: [[f32; $n]; $n] = transposed(Self::BT);
            const G: [[f32; $r]; $n] = filter($points);
            const GT: [[f32; $n]; $r] = transposed(Self::G);
        }
    };
}

scheme! {
    /// For each phase of a 4x4 kernel of stride 2, on maps of 4 pixels and more.
    F42: F(4, 2), 5 inputs, [0.0, 1.0, -0.5, -2.0]
}
scheme! {
    /// The same on smaller maps.
    F22: F(2, 2), 3 inputs, [1.0, -1.0]
}
scheme! {
    /// For 3x3 kernels, on maps of 4 pixels and more.
    F43: F(4, 3), 6 inputs, [0.0, 0.625, -0.625, 1.5, -1.5]
}
scheme! {
    /// The same on smaller maps.
    F23: F(2, 3), 4 inputs, [0.0, 1.0, -1.0]
}

const fn transposed<const I: usize, const J: usize>(a: [[f32; J]; I]) -> [[f32; I]; J] {
    let mut out = [[0.0; I]; J];
    let mut i = 0;
    while i < I {
        let mut j = 0;
        while j < J {
            out[j][i] = a[i][j];
            j += 1;
        }
        i += 1;
    }
    out
}

/// Powers of the points; the last column takes the highest power, at infinity.
const fn outputs<const P: usize, const M: usize, const N: usize>(points: [f64; P]) -> [[f32; N]; M] {
    let mut at = [[0.0; N]; M];
    let mut j = 0;
    while j < P {
        let mut power = 1.0;
        let mut i = 0;
        while i < M {
            at[i][j] = power as f32;
            power *= points[j];
            i += 1;
        }
        j += 1;
    }
    at[M - 1][N - 1] = 1.0;
    at
}

/// Powers of the points over `prod_{l != j} (a_j - a_l)`.
const fn filter<const P: usize, const R: usize, const N: usize>(points: [f64; P]) -> [[f32; R]; N] {
    let mut g = [[0.0; R]; N];
    let mut j = 0;
    while j < P {
        let mut norm = 1.0;
        let mut l = 0;
        while l < P {
            if l != j {
                norm *= points[j] - points[l];
            }
            l += 1;
        }
        let mut power = 1.0;
        let mut k = 0;
        while k < R {
            g[j][k] = (power / norm) as f32;
            power *= points[j];
            k += 1;
        }
        j += 1;
    }
    g[N - 1][R - 1] = 1.0;
    g
}

/// Coefficients of `prod_{l != j} (x - a_l)`; the last row those of the product of all.
const fn inputs<const P: usize, const N: usize>(points: [f64; P]) -> [[f32; N]; N] {
    let mut bt = [[0.0; N]; N];
    let mut j = 0;
    while j < N {
        let mut polynomial = [0.0; N];
        polynomial[0] = 1.0;
        let mut degree = 0;
        let mut l = 0;
        while l < P {
            if l != j {
                // Times (x - a_l), from the top down.
                let mut i = degree + 1;
                while i > 0 {
                    polynomial[i] = polynomial[i - 1] - points[l] * polynomial[i];
                    i -= 1;
                }
                polynomial[0] *= -points[l];
                degree += 1;
            }
            l += 1;
        }
        let mut i = 0;
        while i < N {
            // Negative zeros are zeros.
            bt[j][i] = (polynomial[i] + 0.0) as f32;
            i += 1;
        }
        j += 1;
    }
    bt
}

/// A block for each index below a length that is no more than six, one after the other: with indices that are numbers, entries of a
/// constant matrix are numbers as well. (Loops with six steps are not unrolled.)
macro_rules! unrolled {
    ($index:ident in 0..$length:ident $block:block) => {
        unrolled!(@ $index $length $block 0 1 2 3 4 5)
    };
    (@ $index:ident $length:ident $block:block $($number:literal)+) => {
        $(
            if $number < $length {
                let $index: usize = $number;
                $block
            }
        )+
    };
}

/// `matrix x`.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn apply<S: Simd, const I: usize, const J: usize>(matrix: &[[f32; J]; I], x: [S::Lanes; J]) -> [S::Lanes; I] {
    // SAFETY: registers alone, with the caller's instructions.
    let mut out = [unsafe { S::splat(0.0) }; I];
    unrolled!(i in 0..I {
        let mut sum: Option<S::Lanes> = None;
        unrolled!(j in 0..J {
            let c = matrix[i][j];
            // The matrix is known when this is compiled, and so is every branch.
            if c != 0.0 {
                // SAFETY: the caller says that the instructions are there.
                sum = Some(unsafe {
                    match sum {
                        None if c == 1.0 => x[j],
                        None => S::mul(S::splat(c), x[j]),
                        Some(sum) if c == 1.0 => S::add(sum, x[j]),
                        Some(sum) if c == -1.0 => S::sub(sum, x[j]),
                        Some(sum) => S::mul_add(S::splat(c), x[j], sum),
                    }
                });
            }
        });
        if let Some(sum) = sum {
            out[i] = sum;
        }
    });
    out
}

/// Where a transform reads sixteen lanes of number (i, j).
pub(crate) trait From2 {
    fn at(&self, i: usize, j: usize) -> *const f32;
}

/// What becomes of sixteen lanes of number (i, j) of a transform's result.
pub(crate) trait Into2<S: Simd> {
    /// # Safety
    /// As [`Simd`], and what is written to must belong to the caller.
    unsafe fn put(&mut self, i: usize, j: usize, x: S::Lanes);
}

/// `matrix x matrix^T`: the transform in two dimensions. Numbers go from where they lie to where they belong; only what is between
/// the two dimensions is kept.
///
/// # Safety
/// As [`Simd`]; `from` gives places that can be read, and `to` may be given all results.
#[inline(always)]
pub(crate) unsafe fn apply2<S: Simd, const I: usize, const J: usize>(
    matrix: &[[f32; J]; I],
    from: &impl From2,
    to: &mut impl Into2<S>,
) {
    // SAFETY: as the caller says.
    unsafe {
        // Rows first: half[j] = matrix x[j].
        let mut half = [[MaybeUninit::<S::Lanes>::uninit(); I]; J];
        for j in 0..J {
            let mut x = [S::load(from.at(j, 0)); J];
            for k in 1..J {
                x[k] = S::load(from.at(j, k));
            }
            let y = apply::<S, I, J>(matrix, x);
            for i in 0..I {
                half[j][i].write(y[i]);
            }
        }
        for i in 0..I {
            // SAFETY: every number of every row has been written.
            let mut column = [half[0][i].assume_init(); J];
            for j in 1..J {
                column[j] = half[j][i].assume_init();
            }
            let column = apply::<S, I, J>(matrix, column);
            for k in 0..I {
                to.put(k, i, column[k]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_exact<F: Scheme<M, R, N>, const M: usize, const R: usize, const N: usize>() {
        // Both sides are bilinear: unit vectors decide.
        for tap in 0..R {
            for place in 0..N {
                for i in 0..M {
                    let sum: f64 = (0..N)
                        .map(|j| f64::from(F::AT[i][j]) * f64::from(F::G[j][tap]) * f64::from(F::BT[j][place]))
                        .sum();
                    let expected = if place == i + tap { 1.0 } else { 0.0 };
                    assert!((sum - expected).abs() < 1e-6, "F({M}, {R}) at {i} {tap} {place}: {sum}");
                }
            }
        }
    }

    #[test]
    fn minimal_filtering_equals_filtering() {
        is_exact::<F42, 4, 2, 5>();
        is_exact::<F22, 2, 2, 3>();
        is_exact::<F43, 4, 3, 6>();
        is_exact::<F23, 2, 3, 4>();
    }
}
