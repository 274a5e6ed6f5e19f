//! The two precisions.

use kernels::{Binary, Unary};

/// `f32` or `f64`.
pub trait Float: Copy + PartialOrd + Send + Sync + 'static {
    /// The nearest number.
    fn of(value: f64) -> Self;

    /// The same number with more digits.
    fn wide(self) -> f64;

    /// A function of one number, in this precision.
    fn unary(function: Unary, x: Self) -> Self;

    /// A function of two numbers, in this precision.
    fn binary(function: Binary, a: Self, b: Self) -> Self;
}

impl Float for f32 {
    fn of(value: f64) -> Self {
        value as Self
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn unary(function: Unary, x: Self) -> Self {
        function.f32(x)
    }

    fn binary(function: Binary, a: Self, b: Self) -> Self {
        function.f32(a, b)
    }
}

impl Float for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }

    fn unary(function: Unary, x: Self) -> Self {
        function.f64(x)
    }

    fn binary(function: Binary, a: Self, b: Self) -> Self {
        function.f64(a, b)
    }
}

/// All in this precision.
pub(super) fn rounded<T: Float>(sums: Vec<f64>) -> Vec<T> {
    sums.into_iter().map(T::of).collect()
}
