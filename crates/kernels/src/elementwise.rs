//! The tables of element-wise functions: a row is a function's name, its fast form and its plain one.
//!
//! The `f64` form is the definition, the `f32` form what networks are computed with. A function of one row here can be used alone
//! ([`Unary::f32`]) and in a tree ([`fused`]): its loop is compiled for every instruction set and chosen once for each block.
//! NaN stays NaN, but for comparisons, which it fails.

#![allow(clippy::inline_always, reason = "loops are inlined into their instruction set's function")]
#![allow(clippy::redundant_closure_for_method_calls, reason = "rows of a table look alike")]

mod fused;
mod loops;
pub(crate) mod math;
#[cfg(test)]
mod tests;

pub(crate) use fused::in_place;
pub use fused::{Function, Leaf, Source, Step, fused};

use loops::{Pair, Single};
use serde::{Deserialize, Serialize};

/// An enum of functions from rows of `Name = "name", fast form, plain form;`. Parameters of a function stand in braces after its name,
/// with values for tests; they are `f64`, and rounded once for the fast form.
macro_rules! table {
    (
        $(#[$doc:meta])* $kind:ident, $self:ident, $typed:ident, f32 $inputs32:tt, f64 $inputs64:tt, $inputs:tt, $job:ident: $block:ty;
        $($(#[$row_doc:meta])* $variant:ident $({ $($(#[$field_doc:meta])* $field:ident = $example:expr),+ })?
            = $name:literal, $fast:expr, $plain:expr;)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "op", rename_all = "snake_case")]
        pub enum $kind {
            $($(#[$row_doc])* $variant $({ $($(#[$field_doc])* $field: f64),+ })?),+
        }

        impl $kind {
            /// Each function once, with some parameters.
            pub const EXAMPLES: &'static [Self] = &[$(Self::$variant $({ $($field: $example),+ })?),+];

            /// The name of the function in files.
            pub const fn name($self) -> &'static str {
                match $self {
                    $(Self::$variant $({ $($field: _),+ })? => $name),+
                }
            }

            /// The fast form.
            #[inline]
            pub fn f32 $inputs32 -> f32 {
                match $self {
                    $(Self::$variant $({ $($field),+ })? => {
                        $($(let $field = $field as f32;)+)?
                        ($typed::<f32>($fast)) $inputs
                    })+
                }
            }

            /// The definition.
            #[inline]
            pub fn f64 $inputs64 -> f64 {
                match $self {
                    $(Self::$variant $({ $($field),+ })? => ($typed::<f64>($plain)) $inputs),+
                }
            }

            /// The fast form over a block.
            #[inline(always)]
            fn run($self, $job: $block) {
                match $self {
                    $(Self::$variant $({ $($field),+ })? => {
                        $($(let $field = $field as f32;)+)?
                        $job.run($fast);
                    })+
                }
            }
        }
    };
}

/// Says the type of a function of one number.
#[inline(always)]
fn one<T>(f: impl Fn(T) -> T) -> impl Fn(T) -> T {
    f
}

/// Says the type of a function of two numbers.
#[inline(always)]
fn two<T>(f: impl Fn(T, T) -> T) -> impl Fn(T, T) -> T {
    f
}

table! {
    /// A function of one number.
    Unary, self, one, f32 (self, x: f32), f64 (self, x: f64), (x), job: Single<'_>;
    /// `|x|`.
    Abs = "abs", |x| x.abs(), |x| x.abs();
    /// -1, 0 or 1; zero keeps its sign.
    Sign = "sign", |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x },
        |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x };
    /// The next whole number below.
    Floor = "floor", |x| x.floor(), |x| x.floor();
    /// The next whole number above.
    Ceil = "ceil", |x| x.ceil(), |x| x.ceil();
    /// The nearest whole number, of two the even one.
    Round = "round", |x| x.round_ties_even(), |x| x.round_ties_even();
    /// `e^x`.
    Exp = "exp", math::exp, libm::exp;
    /// The natural logarithm.
    Log = "log", libm::logf, libm::log;
    /// The square root.
    Sqrt = "sqrt", |x| x.sqrt(), |x| x.sqrt();
    /// `1 / x`.
    Recip = "recip", |x| 1.0 / x, |x| 1.0 / x;
    /// The sine.
    Sin = "sin", libm::sinf, libm::sin;
    /// The cosine.
    Cos = "cos", libm::cosf, libm::cos;
    /// The hyperbolic tangent.
    Tanh = "tanh", math::tanh, libm::tanh;
    /// `1 / (1 + e^-x)`.
    Sigmoid = "sigmoid", |x| { let e = math::exp(-x.abs()); (if x < 0.0 { e } else { 1.0 }) / (1.0 + e) },
        |x| { let e = libm::exp(-x.abs()); (if x < 0.0 { e } else { 1.0 }) / (1.0 + e) };
    /// `ln(1 + e^x)`.
    Softplus = "softplus", |x| x.max(0.0) + libm::log1pf(math::exp(-x.abs())),
        |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
    /// The error function.
    Erf = "erf", libm::erff, libm::erf;
    /// `x` where positive, 0 elsewhere.
    Relu = "relu", |x| if x <= 0.0 { 0.0 } else { x }, |x| if x <= 0.0 { 0.0 } else { x };
    /// `x` where positive, `slope * x` elsewhere.
    LeakyRelu {
        /// Slope of the negative side.
        slope = 0.2
    } = "leaky_relu", |x| math::leaky_relu(x, slope), |x| if x > 0.0 { x } else { slope * x };
    /// `x` where positive, `alpha (e^x - 1)` elsewhere.
    Elu {
        /// Minus the limit on the negative side.
        alpha = 0.7
    } = "elu", |x| if x > 0.0 { x } else { alpha * math::exp_m1(x) }, |x| if x > 0.0 { x } else { alpha * libm::expm1(x) };
    /// `min` where below it, `max` where above it.
    Clamp {
        /// The least result.
        min = -0.5,
        /// The largest result.
        max = 0.75
    } = "clamp", |x| { let x = if x < min { min } else { x }; if x > max { max } else { x } },
        |x| { let x = if x < min { min } else { x }; if x > max { max } else { x } };
    /// `x * factor`.
    Scale {
        /// The factor.
        factor = 0.7
    } = "scale", |x| x * factor, |x| x * factor;
    /// `x + term`.
    AddScalar {
        /// The term.
        term = 0.3
    } = "add_scalar", |x| x + term, |x| x + term;
}

table! {
    /// A function of two numbers.
    Binary, self, two, f32 (self, a: f32, b: f32), f64 (self, a: f64, b: f64), (a, b), job: Pair<'_>;
    /// `a + b`.
    Add = "add", |a, b| a + b, |a, b| a + b;
    /// `a - b`.
    Sub = "sub", |a, b| a - b, |a, b| a - b;
    /// `a * b`.
    Mul = "mul", |a, b| a * b, |a, b| a * b;
    /// `a / b`.
    Div = "div", |a, b| a / b, |a, b| a / b;
    /// `a` to the power of `b`.
    Pow = "pow", libm::powf, libm::pow;
    /// The smaller one.
    Min = "min", |a, b| if a < b || a.is_nan() { a } else { b }, |a, b| if a < b || a.is_nan() { a } else { b };
    /// The larger one.
    Max = "max", |a, b| if a > b || a.is_nan() { a } else { b }, |a, b| if a > b || a.is_nan() { a } else { b };
    /// 1 where `a = b`, 0 elsewhere.
    Equal = "equal", |a, b| if a == b { 1.0 } else { 0.0 }, |a, b| if a == b { 1.0 } else { 0.0 };
    /// 1 where `a < b`, 0 elsewhere.
    Less = "less", |a, b| if a < b { 1.0 } else { 0.0 }, |a, b| if a < b { 1.0 } else { 0.0 };
    /// 1 where `a <= b`, 0 elsewhere.
    LessEqual = "less_equal", |a, b| if a <= b { 1.0 } else { 0.0 }, |a, b| if a <= b { 1.0 } else { 0.0 };
    /// The gradient `a` where `b` is positive, `slope * a` elsewhere.
    LeakyReluGradient {
        /// Slope of the negative side.
        slope = 0.2
    } = "leaky_relu_gradient", |g, x| math::leaky_relu_gradient(g, x, slope), |g, x| if x > 0.0 { g } else { slope * g };
    /// `a (1 - b^2)`: the gradient `a`, where `b` is the hyperbolic tangent.
    TanhGradient = "tanh_gradient", math::tanh_gradient, |g, y| g * (1.0 - y * y);
}
