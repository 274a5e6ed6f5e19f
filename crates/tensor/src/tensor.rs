//! An immutable array with a shape, in the processor's memory or on another device.

use crate::backend::{Backend, Handle, Operand};
use crate::reference::Value;
use crate::{Device, Mismatch, Primitive, host, mismatch, reference};
use half::{bf16, f16};
use kernels::{Binary, Precision, Unary};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// An immutable array with a shape; cloning shares its elements.
///
/// Computed with are `f32`, and `f64` where gradients are tested; `f16` and `bf16` are ways of keeping numbers, `i64` holds
/// indices.
#[derive(Clone)]
pub struct Tensor {
    shape: Arc<[usize]>,
    data: Data,
}

#[derive(Clone)]
enum Data {
    F32(Arc<Vec<f32>>),
    F64(Arc<Vec<f64>>),
    F16(Arc<Vec<f16>>),
    Bf16(Arc<Vec<bf16>>),
    I64(Arc<Vec<i64>>),
    Foreign(Arc<dyn Backend>, Handle),
}

impl Tensor {
    /// From numbers in row-major order, on a device.
    ///
    /// # Panics
    /// The shape has another number of elements.
    pub fn new(shape: &[usize], values: Vec<f32>, device: &Device) -> Self {
        check(shape, values.len());
        match device.backend() {
            Some(backend) => {
                let handle = backend.upload(shape, values);
                Self { shape: shape.into(), data: Data::Foreign(backend.clone(), handle) }
            }
            None => Self::of(shape, Data::F32(Arc::new(values))),
        }
    }

    /// From numbers in double precision, in the processor's memory: for tests of gradients.
    ///
    /// # Panics
    /// As [`Tensor::new`].
    pub fn new_f64(shape: &[usize], values: Vec<f64>) -> Self {
        check(shape, values.len());
        Self::of(shape, Data::F64(Arc::new(values)))
    }

    /// Indices, in the processor's memory.
    ///
    /// # Panics
    /// As [`Tensor::new`].
    pub fn indices(shape: &[usize], values: Vec<i64>) -> Self {
        check(shape, values.len());
        Self::of(shape, Data::I64(Arc::new(values)))
    }

    fn of(shape: &[usize], data: Data) -> Self {
        Self { shape: shape.into(), data }
    }

    /// All elements the same, on the same device and of the same precision as `self`.
    #[must_use]
    pub fn full_like(&self, shape: &[usize], value: f64) -> Self {
        let len = shape.iter().product();
        match self.data {
            Data::F64(_) => Self::new_f64(shape, vec![value; len]),
            _ => Self::new(shape, vec![value as f32; len], &self.device()),
        }
    }

    /// Length of each axis, slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// No elements at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The device it lies on.
    pub fn device(&self) -> Device {
        match &self.data {
            Data::Foreign(backend, _) => Device::foreign(backend.clone()),
            _ => Device::cpu(),
        }
    }

    /// The same elements on a device.
    #[must_use]
    pub fn on(&self, device: &Device) -> Self {
        let stays = match (&self.data, device.backend()) {
            (Data::Foreign(mine, _), Some(other)) => Arc::ptr_eq(mine, other),
            (Data::Foreign(..), None) | (_, Some(_)) => false,
            (_, None) => true,
        };
        if stays { self.clone() } else { Self::new(&self.shape, self.to_vec(), device) }
    }

    /// The elements in row-major order, copied to the processor's memory.
    pub fn to_vec(&self) -> Vec<f32> {
        self.numbers().into_owned()
    }

    /// The elements in row-major order, without a copy where they are `f32` in the processor's memory.
    pub fn numbers(&self) -> Cow<'_, [f32]> {
        match &self.data {
            Data::F32(values) => Cow::Borrowed(values),
            Data::F64(values) => values.iter().map(|&v| v as f32).collect(),
            Data::F16(values) => values.iter().map(|v| v.to_f32()).collect(),
            Data::Bf16(values) => values.iter().map(|v| v.to_f32()).collect(),
            Data::I64(values) => values.iter().map(|&v| v as f32).collect(),
            Data::Foreign(backend, handle) => Cow::Owned(backend.download(handle)),
        }
    }

    /// The elements in double precision.
    pub fn to_vec_f64(&self) -> Vec<f64> {
        match &self.data {
            Data::F64(values) => values.to_vec(),
            _ => self.numbers().iter().map(|&v| f64::from(v)).collect(),
        }
    }

    /// The elements without a copy, where they are `f32` in the processor's memory.
    pub fn slice(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The elements without a copy, where they are indices.
    pub fn as_indices(&self) -> Option<&[i64]> {
        match &self.data {
            Data::I64(values) => Some(values),
            _ => None,
        }
    }

    /// The first element that is not a finite number, if there is one.
    pub fn not_finite(&self) -> Option<f32> {
        let numbers = self.numbers();
        // Most tensors have none: without a way out at every element the loop is one over many at a time.
        let all = |numbers: &[f32]| numbers.iter().fold(true, |all, value| all & value.is_finite());
        let block = numbers.chunks(1 << 12).find(|block| !all(block))?;
        block.iter().copied().find(|value| !value.is_finite())
    }

    /// Whether the elements are in double precision.
    pub fn is_f64(&self) -> bool {
        matches!(self.data, Data::F64(_))
    }

    /// The same numbers kept in 16 bits (half precision), half the memory.
    #[must_use]
    pub fn kept_as_f16(&self) -> Self {
        let values = self.numbers().iter().map(|&v| f16::from_f32(v)).collect();
        Self { shape: self.shape.clone(), data: Data::F16(Arc::new(values)) }
    }

    /// The same numbers kept in 16 bits (bfloat16), half the memory.
    #[must_use]
    pub fn kept_as_bf16(&self) -> Self {
        let values = self.numbers().iter().map(|&v| bf16::from_f32(v)).collect();
        Self { shape: self.shape.clone(), data: Data::Bf16(Arc::new(values)) }
    }

    /// The same elements in another shape, shared.
    ///
    /// # Panics
    /// It has another number of elements.
    #[must_use]
    pub fn reshape(&self, shape: &[usize]) -> Self {
        check(shape, self.len());
        match &self.data {
            Data::Foreign(backend, handle) => {
                let primitive = Primitive::Reshape { shape: shape.iter().map(|&length| length.into()).collect() };
                let operand = Operand::Numbers { handle, shape: &self.shape };
                match backend.compute(&primitive, &[operand], shape) {
                    Some(handle) => Self::of(shape, Data::Foreign(backend.clone(), handle)),
                    None => Self::new(shape, self.to_vec(), &self.device()),
                }
            }
            data => Self::of(shape, data.clone()),
        }
    }

    /// The result of a primitive, whose shape is known from [`Primitive::shape`]. Where one input lies on another device, that
    /// device computes, or the processor for it.
    ///
    /// # Errors
    /// An index points outside of its axis, or indices stand where numbers belong.
    pub fn compute(
        primitive: &Primitive,
        inputs: &[&Self],
        shape: &[usize],
        precision: Precision,
    ) -> Result<Self, Mismatch> {
        match (primitive, inputs) {
            (Primitive::Reshape { .. }, [x]) => return Ok(x.reshape(shape)),
            (Primitive::StopGradient, [x]) => return Ok((*x).clone()),
            (Primitive::Broadcast { .. }, [x]) if x.len() == shape.iter().product::<usize>() => {
                return Ok(x.reshape(shape));
            }
            _ => {}
        }
        let foreign = inputs.iter().find_map(|x| match &x.data {
            Data::Foreign(backend, _) => Some(backend),
            _ => None,
        });
        if let Some(backend) = foreign {
            return Self::compute_abroad(backend, primitive, inputs, shape, precision);
        }
        if inputs.iter().any(|x| x.is_f64()) {
            let numbers: Vec<Cow<'_, [f64]>> = inputs.iter().map(|x| x.numbers_f64()).collect();
            let values = values(inputs, &numbers);
            return Ok(Self::new_f64(shape, reference::compute(primitive, &values, shape)?));
        }
        let numbers: Vec<Cow<'_, [f32]>> = inputs.iter().map(|x| x.numbers_or_none()).collect();
        let values = values(inputs, &numbers);
        Ok(Self::of(shape, Data::F32(Arc::new(host::compute(primitive, &values, shape, precision)?))))
    }

    fn compute_abroad(
        backend: &Arc<dyn Backend>,
        primitive: &Primitive,
        inputs: &[&Self],
        shape: &[usize],
        precision: Precision,
    ) -> Result<Self, Mismatch> {
        let device = Device::foreign(backend.clone());
        let there: Vec<Self> =
            inputs.iter().map(|x| if x.as_indices().is_some() { (*x).clone() } else { x.on(&device) }).collect();
        let mut operands = Vec::with_capacity(there.len());
        for x in &there {
            operands.push(match &x.data {
                Data::I64(values) => Operand::Indices { values, shape: &x.shape },
                Data::Foreign(_, handle) => Operand::Numbers { handle, shape: &x.shape },
                _ => return Err(mismatch("a tensor of the device", "another one")),
            });
        }
        if let Some(handle) = backend.compute(primitive, &operands, shape) {
            return Ok(Self::of(shape, Data::Foreign(backend.clone(), handle)));
        }
        let here: Vec<Self> = inputs.iter().map(|x| x.on(&Device::cpu())).collect();
        Ok(Self::compute(primitive, &here.iter().collect::<Vec<_>>(), shape, precision)?.on(&device))
    }

    fn numbers_f64(&self) -> Cow<'_, [f64]> {
        match &self.data {
            Data::F64(values) => Cow::Borrowed(values),
            Data::I64(_) => Cow::Borrowed(&[]),
            _ => Cow::Owned(self.to_vec_f64()),
        }
    }

    fn numbers_or_none(&self) -> Cow<'_, [f32]> {
        if self.as_indices().is_some() { Cow::Borrowed(&[]) } else { self.numbers() }
    }

    /// `self + other`, of one shape.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.binary(Binary::Add, other)
    }

    /// `factor * self`.
    #[must_use]
    pub fn scale(&self, factor: f64) -> Self {
        self.unary(Unary::Scale { factor })
    }

    /// A function of each element.
    #[must_use]
    pub fn unary(&self, function: Unary) -> Self {
        Self::of_numbers(&function.into(), &[self])
    }

    /// A function of two elements.
    ///
    /// # Panics
    /// The shapes differ.
    #[must_use]
    pub fn binary(&self, function: Binary, other: &Self) -> Self {
        assert_eq!(self.shape(), other.shape(), "shapes of {}", function.name());
        Self::of_numbers(&function.into(), &[self, other])
    }

    fn of_numbers(primitive: &Primitive, inputs: &[&Self]) -> Self {
        let result = Self::compute(primitive, inputs, inputs[0].shape(), Precision::F32);
        result.unwrap_or_else(|wrong| panic!("elementwise functions are of numbers: {wrong:?}"))
    }
}

fn check(shape: &[usize], len: usize) {
    assert_eq!(shape.iter().product::<usize>(), len, "elements of a tensor {shape:?}");
}

fn values<'a, T>(inputs: &'a [&Tensor], numbers: &'a [Cow<'a, [T]>]) -> Vec<Value<'a, T>>
where
    [T]: ToOwned,
{
    let each = |(x, numbers): (&&'a Tensor, &'a Cow<'a, [T]>)| match x.as_indices() {
        Some(values) => Value::Indices { values, shape: x.shape() },
        None => Value::Numbers { values: numbers, shape: x.shape() },
    };
    inputs.iter().zip(numbers).map(each).collect()
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.data {
            Data::F32(_) => "f32",
            Data::F64(_) => "f64",
            Data::F16(_) => "f16",
            Data::Bf16(_) => "bf16",
            Data::I64(_) => "i64",
            Data::Foreign(backend, _) => return write!(f, "Tensor({:?}, {})", self.shape, backend.name()),
        };
        write!(f, "Tensor({:?}, {kind})", self.shape)
    }
}
