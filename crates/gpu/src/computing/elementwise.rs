//! Functions of each element, and of many elements at once. NaN stays NaN, which comparisons of a device alone do not promise.

use super::Computing;
use burn::backend::ops::{ActivationOps, BoolTensorOps, FloatTensorOps};
use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::FloatDType;
use kernels::{Binary, Unary};
use tensor::Reduction;

/// A tensor of yes and no, which is of the same kind for this crate.
type Mask = DispatchTensor;

impl Computing {
    pub(super) fn unary(&self, function: Unary, x: DispatchTensor) -> DispatchTensor {
        match function {
            Unary::Abs => Dispatch::float_abs(x),
            Unary::Sign => {
                let (above, below) = (self.above(&x), self.below(&x, 0.0));
                Dispatch::float_mask_fill(Dispatch::float_mask_fill(x, above, 1.0.into()), below, (-1.0).into())
            }
            Unary::Floor => Dispatch::float_floor(x),
            Unary::Ceil => Dispatch::float_ceil(x),
            Unary::Round => Dispatch::float_round(x),
            Unary::Exp => Dispatch::float_exp(x),
            Unary::Log => Dispatch::float_log(x),
            Unary::Sqrt => Dispatch::float_sqrt(x),
            Unary::Recip => Dispatch::float_recip(x),
            Unary::Sin => Dispatch::float_sin(x),
            Unary::Cos => Dispatch::float_cos(x),
            Unary::Tanh => Dispatch::float_tanh(x),
            Unary::Sigmoid => Dispatch::sigmoid(x),
            Unary::Softplus => {
                let small = Dispatch::float_exp(Dispatch::float_neg(Dispatch::float_abs(x.clone())));
                Dispatch::float_add(self.rectified(x), Dispatch::float_log1p(small))
            }
            Unary::Erf => Dispatch::float_erf(x),
            Unary::Relu => self.rectified(x),
            Unary::LeakyRelu { slope } => Dispatch::leaky_relu(x, slope.into()),
            Unary::Elu { alpha } => {
                let above = self.above(&x);
                let curve = Dispatch::float_add_scalar(Dispatch::float_exp(x.clone()), (-1.0).into());
                Dispatch::float_mask_where(Dispatch::float_mul_scalar(curve, alpha.into()), above, x)
            }
            Unary::Clamp { min, max } => {
                let below = self.below(&x, min);
                let x = Dispatch::float_mask_fill(x, below, min.into());
                let above = Dispatch::float_greater_elem(x.clone(), max.into(), self.bools);
                Dispatch::float_mask_fill(x, above, max.into())
            }
            Unary::Scale { factor } => Dispatch::float_mul_scalar(x, factor.into()),
            Unary::AddScalar { term } => Dispatch::float_add_scalar(x, term.into()),
        }
    }

    /// Both of one shape.
    pub(super) fn binary(&self, function: Binary, a: DispatchTensor, b: DispatchTensor) -> Option<DispatchTensor> {
        Some(match function {
            Binary::Add => Dispatch::float_add(a, b),
            Binary::Sub => Dispatch::float_sub(a, b),
            Binary::Mul => Dispatch::float_mul(a, b),
            Binary::Div => Dispatch::float_div(a, b),
            // What a shader makes of the power of a number that is not positive is left to its driver.
            Binary::Pow => return None,
            Binary::Min => {
                let first = Dispatch::float_lower(a.clone(), b.clone(), self.bools);
                self.first_or_nan(a, b, first)
            }
            Binary::Max => {
                let first = Dispatch::float_greater(a.clone(), b.clone(), self.bools);
                self.first_or_nan(a, b, first)
            }
            Binary::Equal => numbers(Dispatch::float_equal(a, b, self.bools)),
            Binary::Less => numbers(Dispatch::float_lower(a, b, self.bools)),
            Binary::LessEqual => numbers(Dispatch::float_lower_equal(a, b, self.bools)),
            Binary::LeakyReluGradient { slope } => {
                let above = self.above(&b);
                Dispatch::float_mask_where(Dispatch::float_mul_scalar(a.clone(), slope.into()), above, a)
            }
            Binary::TanhGradient => {
                let squares = Dispatch::float_mul_scalar(Dispatch::float_mul(b.clone(), b), (-1.0).into());
                Dispatch::float_mul(a, Dispatch::float_add_scalar(squares, 1.0.into()))
            }
        })
    }

    /// All of one shape.
    pub(super) fn select(&self, condition: DispatchTensor, a: DispatchTensor, b: DispatchTensor) -> DispatchTensor {
        let no = Dispatch::float_equal_elem(condition, 0.0.into(), self.bools);
        Dispatch::float_mask_where(a, no, b)
    }

    pub(super) fn reduce(&self, reduction: Reduction, x: DispatchTensor, axes: &[usize]) -> DispatchTensor {
        if axes.is_empty() {
            return x;
        }
        let step = match reduction {
            Reduction::Sum => return Dispatch::float_sum_dims(x, axes),
            Reduction::Max => Dispatch::float_max_dim,
            Reduction::Min => Dispatch::float_min_dim,
        };
        let lost = numbers(Dispatch::float_is_nan(x.clone(), self.bools));
        let lost = self.above(&Dispatch::float_sum_dims(lost, axes));
        let found = axes.iter().fold(x, |x, &axis| step(x, axis));
        Dispatch::float_mask_fill(found, lost, f32::NAN.into())
    }

    fn above(&self, x: &DispatchTensor) -> Mask {
        Dispatch::float_greater_elem(x.clone(), 0.0.into(), self.bools)
    }

    fn below(&self, x: &DispatchTensor, limit: f64) -> Mask {
        Dispatch::float_lower_elem(x.clone(), limit.into(), self.bools)
    }

    fn rectified(&self, x: DispatchTensor) -> DispatchTensor {
        let below = Dispatch::float_lower_equal_elem(x.clone(), 0.0.into(), self.bools);
        Dispatch::float_mask_fill(x, below, 0.0.into())
    }

    /// a where it is first or no number, b elsewhere.
    fn first_or_nan(&self, a: DispatchTensor, b: DispatchTensor, first: Mask) -> DispatchTensor {
        let lost = Dispatch::float_is_nan(a.clone(), self.bools);
        let found = Dispatch::float_mask_where(b, first, a.clone());
        Dispatch::float_mask_where(found, lost, a)
    }
}

/// 1 for yes, 0 for no.
fn numbers(mask: Mask) -> DispatchTensor {
    Dispatch::bool_into_float(mask, FloatDType::F32)
}
