//! The derivatives of the elementwise functions: one row each.

use crate::{NodeId, Program, Result};
use std::f64::consts::FRAC_2_SQRT_PI;
use tensor::{Binary, Primitive, Unary};

/// The gradient of `y = f(x)` by x, for the gradient `g` by y; `None` where it is 0 almost everywhere.
pub(super) fn unary(program: &mut Program, function: Unary, x: NodeId, y: NodeId, g: NodeId) -> Result<Option<NodeId>> {
    let mut one = |function: Unary, of: NodeId| program.derived(x, function, &[of]);
    Ok(Some(match function {
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round => return Ok(None),
        Unary::Scale { factor } => one(Unary::Scale { factor }, g)?,
        Unary::AddScalar { .. } => g,
        Unary::Abs => {
            let sign = one(Unary::Sign, x)?;
            program.derived(x, Binary::Mul, &[g, sign])?
        }
        Unary::Exp => program.derived(x, Binary::Mul, &[g, y])?,
        Unary::Log => program.derived(x, Binary::Div, &[g, x])?,
        // y' = 1 / (2 y)
        Unary::Sqrt => {
            let inverse = one(Unary::Recip, y)?;
            let half = one(Unary::Scale { factor: 0.5 }, inverse)?;
            program.derived(x, Binary::Mul, &[g, half])?
        }
        // y' = -y^2
        Unary::Recip => {
            let square = program.derived(x, Binary::Mul, &[y, y])?;
            let slope = program.derived(x, Unary::Scale { factor: -1.0 }, &[square])?;
            program.derived(x, Binary::Mul, &[g, slope])?
        }
        Unary::Sin => {
            let cosine = one(Unary::Cos, x)?;
            program.derived(x, Binary::Mul, &[g, cosine])?
        }
        Unary::Cos => {
            let sine = one(Unary::Sin, x)?;
            let slope = one(Unary::Scale { factor: -1.0 }, sine)?;
            program.derived(x, Binary::Mul, &[g, slope])?
        }
        Unary::Tanh => program.derived(x, Binary::TanhGradient, &[g, y])?,
        // y' = y - y^2
        Unary::Sigmoid => {
            let square = program.derived(x, Binary::Mul, &[y, y])?;
            let slope = program.derived(x, Binary::Sub, &[y, square])?;
            program.derived(x, Binary::Mul, &[g, slope])?
        }
        Unary::Softplus => {
            let slope = one(Unary::Sigmoid, x)?;
            program.derived(x, Binary::Mul, &[g, slope])?
        }
        // y' = 2 / sqrt(pi) exp(-x^2)
        Unary::Erf => {
            let square = program.derived(x, Binary::Mul, &[x, x])?;
            let minus = program.derived(x, Unary::Scale { factor: -1.0 }, &[square])?;
            let bell = program.derived(x, Unary::Exp, &[minus])?;
            let slope = program.derived(x, Unary::Scale { factor: FRAC_2_SQRT_PI }, &[bell])?;
            program.derived(x, Binary::Mul, &[g, slope])?
        }
        Unary::Relu => program.derived(x, Binary::LeakyReluGradient { slope: 0.0 }, &[g, y])?,
        // Under a slope that is not negative the result is positive where x is, so that x need not be kept.
        Unary::LeakyRelu { slope } => {
            let sign = if slope >= 0.0 { y } else { x };
            program.derived(x, Binary::LeakyReluGradient { slope }, &[g, sign])?
        }
        // y' = 1 where x is positive, y + alpha elsewhere.
        Unary::Elu { alpha } => {
            let nothing = program.derived(x, Primitive::Fill { shape: Vec::new(), value: 0.0 }, &[])?;
            let positive = program.derived(x, Binary::Less, &[nothing, x])?;
            let slope = program.derived(x, Unary::AddScalar { term: alpha }, &[y])?;
            let below = program.derived(x, Binary::Mul, &[g, slope])?;
            program.derived(x, Primitive::Select, &[positive, g, below])?
        }
        // 1 where nothing was clamped.
        Unary::Clamp { .. } => {
            let inside = program.derived(x, Binary::Equal, &[x, y])?;
            program.derived(x, Binary::Mul, &[g, inside])?
        }
    }))
}

/// The gradient of `y = f(a, b)` by input number `place`, in the shape of y; `None` where it is 0 almost everywhere.
pub(super) fn binary(
    program: &mut Program,
    function: Binary,
    place: usize,
    [a, b]: [NodeId; 2],
    y: NodeId,
    g: NodeId,
) -> Result<Option<NodeId>> {
    let first = place == 0;
    let (of, other) = if first { (a, b) } else { (b, a) };
    let mut two = |function: Binary, a: NodeId, b: NodeId| program.derived(of, function, &[a, b]);
    Ok(Some(match function {
        Binary::Equal | Binary::Less | Binary::LessEqual => return Ok(None),
        Binary::Add => g,
        Binary::Sub if first => g,
        Binary::Sub => program.derived(of, Unary::Scale { factor: -1.0 }, &[g])?,
        Binary::Mul => two(Binary::Mul, g, other)?,
        Binary::Div if first => two(Binary::Div, g, b)?,
        // y' = -y / b
        Binary::Div => {
            let slope = two(Binary::Div, y, b)?;
            let product = two(Binary::Mul, g, slope)?;
            program.derived(of, Unary::Scale { factor: -1.0 }, &[product])?
        }
        // y' = b a^(b - 1)
        Binary::Pow if first => {
            let less = program.derived(of, Unary::AddScalar { term: -1.0 }, &[b])?;
            let power = program.derived(of, Binary::Pow, &[a, less])?;
            let slope = program.derived(of, Binary::Mul, &[b, power])?;
            program.derived(of, Binary::Mul, &[g, slope])?
        }
        // y' = y ln a
        Binary::Pow => {
            let logarithm = program.derived(of, Unary::Log, &[a])?;
            let slope = program.derived(of, Binary::Mul, &[y, logarithm])?;
            program.derived(of, Binary::Mul, &[g, slope])?
        }
        // Of equal numbers the first is chosen.
        Binary::Max | Binary::Min => {
            let [less, more] = if function == Binary::Max { [b, a] } else { [a, b] };
            let chosen = if first { two(Binary::LessEqual, less, more)? } else { two(Binary::Less, more, less)? };
            two(Binary::Mul, g, chosen)?
        }
        // Linear in g; in the other it is a step, whose derivative is 0 almost everywhere.
        Binary::LeakyReluGradient { slope } if first => two(Binary::LeakyReluGradient { slope }, g, b)?,
        Binary::LeakyReluGradient { .. } => return Ok(None),
        Binary::TanhGradient if first => two(Binary::TanhGradient, g, b)?,
        Binary::TanhGradient => {
            let products = two(Binary::Mul, g, a)?;
            let with_y = two(Binary::Mul, products, b)?;
            program.derived(of, Unary::Scale { factor: -2.0 }, &[with_y])?
        }
    }))
}
