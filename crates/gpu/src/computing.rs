//! The backend: tensors in Burn's memory, primitives in Burn's operations.
//!
//! A primitive that Burn's operations do not give as it is meant (NaN stays NaN, padding per side) is left to the processor.
//! Shapes have been checked before; what is computed with them is told to Burn again, because it has no tensors of rank 0
//! and its operations want operands of one rank.

mod elementwise;
mod layout;
mod products;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Dispatch, DispatchDevice, DispatchTensor};
use burn::tensor::{BoolDType, Device as BurnDevice, FloatDType, Shape, TensorData};
use std::fmt;
use std::sync::Arc;
use tensor::{Backend, Handle, Operand, Primitive};

/// A device of Burn's.
pub(crate) struct Computing {
    device: DispatchDevice,
    name: String,
    /// How it keeps the results of comparisons.
    bools: BoolDType,
}

impl Computing {
    /// A device that works, and what people call it.
    pub(crate) fn new(device: DispatchDevice, name: String) -> Self {
        let bools = BurnDevice::new(device.clone()).settings().bool_dtype;
        Self { device, name, bools }
    }

    fn full(&self, shape: &[usize], value: f64) -> DispatchTensor {
        Dispatch::float_full(burn_shape(shape), value.into(), &self.device, FloatDType::F32)
    }

    fn result(&self, primitive: &Primitive, x: &[Numbers], shape: &[usize]) -> Option<DispatchTensor> {
        Some(match *primitive {
            Primitive::Unary(function) => self.unary(function, x.first()?.tensor()),
            Primitive::Binary(function) => self.binary(function, x.first()?.wide(shape), x.get(1)?.wide(shape))?,
            Primitive::Select => {
                let ([condition, a], b) = ([x.first()?.wide(shape), x.get(1)?.wide(shape)], x.get(2)?.wide(shape));
                self.select(condition, a, b)
            }
            Primitive::Fill { value, .. } => self.full(shape, value),
            Primitive::Reduce { reduction, ref axes } => self.reduce(reduction, x.first()?.tensor(), axes),
            Primitive::CentredSquares { ref axes } => {
                let (x, centre) = (x.first()?, x.get(1)?);
                let off = Dispatch::float_sub(x.tensor(), centre.wide(x.shape));
                Dispatch::float_sum_dims(Dispatch::float_mul(off.clone(), off), axes)
            }
            Primitive::DivideByCount { count, minus } => {
                let count = count.fixed()?.saturating_sub(minus).max(1);
                Dispatch::float_mul_scalar(x.first()?.tensor(), (1.0 / count as f64).into())
            }
            Primitive::Broadcast { .. } => layout::owned(x.first()?.wide(shape)),
            Primitive::Permute { ref axes } if axes.is_empty() => x.first()?.tensor(),
            Primitive::Permute { ref axes } => Dispatch::float_permute(x.first()?.tensor(), axes),
            Primitive::Reshape { .. } => x.first()?.shaped(shape),
            Primitive::StopGradient => x.first()?.tensor(),
            Primitive::Slice { axis, start, step: 1, length } => layout::slice(x.first()?, axis, start, length),
            Primitive::Embed { axis, start, step: 1, value, .. } => {
                layout::embed(self.full(shape, value), shape, axis, start, x.first()?)
            }
            Primitive::Concat { axis } => Dispatch::float_cat(x.iter().map(Numbers::tensor).collect(), axis),
            Primitive::MatMul { transpose_a, transpose_b } => {
                products::matmul(x.first()?, x.get(1)?, [transpose_a, transpose_b], shape)
            }
            Primitive::Conv2d { ref conv } => products::conv2d(conv, x.first()?, x.get(1)?, x.get(2))?,
            Primitive::ConvTranspose2d { ref conv, size } => {
                products::conv_transpose2d(conv, size, x.first()?, x.get(1)?, x.get(2))?
            }
            Primitive::ConvWeight { ref conv, .. } => {
                products::conv_weight(conv, x.first()?, x.get(1)?, self.full(shape, 0.0))?
            }
            Primitive::Along { axis, ref map } => layout::along(map, axis, x.first()?, shape)?,
            Primitive::AlongAdjoint { axis, ref map, .. } => layout::along_adjoint(map, axis, x.first()?, shape)?,
            // Written out where a step is not 1, where numbers of entries come in, and where NaN must win in windows.
            Primitive::Slice { .. }
            | Primitive::Embed { .. }
            | Primitive::Gather { .. }
            | Primitive::GatherAdjoint { .. }
            | Primitive::WindowMax { .. }
            | Primitive::WindowMaxAdjoint { .. } => return None,
        })
    }
}

impl Backend for Computing {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn upload(&self, shape: &[usize], values: Vec<f32>) -> Handle {
        // Devices have no memory of length 0.
        let kept = (!values.is_empty())
            .then(|| Dispatch::float_from_data(TensorData::new(values, burn_shape(shape)), &self.device));
        Arc::new(kept)
    }

    fn download(&self, handle: &Handle) -> Vec<f32> {
        let Some(tensor) = kept(handle) else { return Vec::new() };
        let read = burn::tensor::read_sync(Dispatch::float_into_data(tensor.clone()));
        read.unwrap_or_else(|error| panic!("the device lost a tensor: {error:?}")).iter::<f32>().collect()
    }

    fn compute(&self, primitive: &Primitive, inputs: &[Operand<'_>], shape: &[usize]) -> Option<Handle> {
        if shape.contains(&0) {
            return None;
        }
        let mut numbers = Vec::with_capacity(inputs.len());
        for operand in inputs {
            let Operand::Numbers { handle, shape } = *operand else { return None };
            numbers.push(Numbers { tensor: kept(handle)?, shape });
        }
        Some(Arc::new(Some(self.result(primitive, &numbers, shape)?)))
    }
}

impl fmt::Debug for Computing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Computing({})", self.name)
    }
}

/// The tensor behind a handle; `None` where it has no elements.
fn kept(handle: &Handle) -> Option<&DispatchTensor> {
    match handle.downcast_ref::<Option<DispatchTensor>>() {
        Some(kept) => kept.as_ref(),
        None => panic!("a tensor of another device"),
    }
}

/// An input with the shape that the primitive knows.
struct Numbers<'a> {
    tensor: &'a DispatchTensor,
    shape: &'a [usize],
}

impl Numbers<'_> {
    fn tensor(&self) -> DispatchTensor {
        self.tensor.clone()
    }

    /// The same elements in another shape.
    fn shaped(&self, shape: &[usize]) -> DispatchTensor {
        Dispatch::float_reshape(self.tensor(), burn_shape(shape))
    }

    /// Repeated to a shape, as `NumPy` does it. Nothing is copied.
    fn wide(&self, shape: &[usize]) -> DispatchTensor {
        if self.shape == shape {
            return self.tensor();
        }
        let mut thin = vec![1; shape.len() - self.shape.len()];
        thin.extend(self.shape);
        let thin = if thin == self.shape { self.tensor() } else { self.shaped(&thin) };
        Dispatch::float_expand(thin, burn_shape(shape))
    }
}

/// Burn has no tensors of rank 0: a number is one of rank 1.
fn burn_shape(shape: &[usize]) -> Shape {
    Shape::from(if shape.is_empty() { vec![1] } else { shape.to_vec() })
}
