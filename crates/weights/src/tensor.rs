//! Tensors that lie in a file until they are asked for.

use crate::Dtype;
use crate::storage::Storage;
use base::{Error, Result};
use std::sync::Arc;

/// More dimensions no tensor has.
pub(crate) const MOST_DIMENSIONS: usize = 64;
/// Elements that are read from a file at once.
const AT_ONCE: u64 = 1 << 18;
/// Elements up to this distance are read from a file in one piece, to pick some of them.
const MOST_PICKED: u64 = 1 << 24;

/// A tensor of a file: what it is, and where its values lie. They are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    dtype: Dtype,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Strided(Strided),
    /// Why they are not read.
    Refused(String),
}

/// Elements of a storage, by steps for each dimension.
#[derive(Clone, Debug)]
struct Strided {
    storage: Arc<Storage>,
    /// The first element, counted in elements from the storage's beginning.
    first: u64,
    strides: Vec<u64>,
}

/// A storage with the type of its elements, and the part of it that is meant, in elements.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) storage: Arc<Storage>,
    pub(crate) dtype: Dtype,
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Tensor {
    /// A tensor by steps in a storage.
    ///
    /// # Errors
    /// In words: an element would lie outside of the storage, or there would be more than `most` bytes of elements.
    pub(crate) fn strided(
        of: &Typed,
        first: u64,
        shape: &[u64],
        strides: Vec<u64>,
        most: u64,
    ) -> std::result::Result<Self, String> {
        let impossible = || format!("declares the impossible shape {shape:?}");
        if shape.len() != strides.len() || shape.len() > MOST_DIMENSIONS {
            return Err(format!("declares {} lengths and {} steps", shape.len(), strides.len()));
        }
        let count = shape.iter().try_fold(1u64, |count, &d| count.checked_mul(d)).ok_or_else(impossible)?;
        let bits = count.checked_mul(of.dtype.bits()).ok_or_else(impossible)?;
        if bits.div_ceil(8) > most {
            return Err(format!("declares the shape {shape:?}, more than the file could hold"));
        }
        let steps = |(&d, &stride): (&u64, &u64)| (d - 1).checked_mul(stride);
        let reach =
            |shape: &[u64]| shape.iter().zip(&strides).try_fold(first, |last, pair| last.checked_add(steps(pair)?));
        if count > 0 && reach(shape).is_none_or(|last| last >= of.count) {
            return Err(format!("declares the shape {shape:?}, and its storage has {} elements", of.count));
        }
        let sizes = shape.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<_>>();
        let sizes = sizes.ok_or_else(impossible)?;
        let first = of.first.saturating_add(first);
        let values = match of.dtype {
            Dtype::Other { name, .. } => Values::Refused(format!("holds {name} numbers, which are not read")),
            _ => Values::Strided(Strided { storage: of.storage.clone(), first, strides }),
        };
        Ok(Self { shape: sizes, dtype: of.dtype, values })
    }

    /// A tensor in the usual order, last dimension fastest.
    ///
    /// # Errors
    /// As [`Tensor::strided`].
    pub(crate) fn contiguous(of: &Typed, shape: &[u64], most: u64) -> std::result::Result<Self, String> {
        let mut strides = vec![1u64; shape.len()];
        let mut step = 1u64;
        for (stride, &d) in strides.iter_mut().zip(shape).rev() {
            *stride = step;
            step = step.saturating_mul(d.max(1));
        }
        Self::strided(of, 0, shape, strides, most)
    }

    /// A tensor that is there, and whose values are not read.
    pub(crate) fn refused(shape: Vec<usize>, dtype: Dtype, reason: impl Into<String>) -> Self {
        Self { shape, dtype, values: Values::Refused(reason.into()) }
    }

    /// Length of each dimension, slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of its elements in the file.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// How many elements it has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Why its values cannot be read, where they cannot: `holds float8_e4m3fn numbers, which are not read`.
    pub fn refusal(&self) -> Option<&str> {
        match &self.values {
            Values::Strided(_) => None,
            Values::Refused(reason) => Some(reason),
        }
    }

    /// Whether both are views of one piece of memory: tied weights.
    pub fn shares_storage(&self, other: &Self) -> bool {
        match (&self.values, &other.values) {
            (Values::Strided(a), Values::Strided(b)) => Arc::ptr_eq(&a.storage, &b.storage),
            _ => false,
        }
    }

    /// The bytes of its elements, least byte first, last dimension fastest.
    ///
    /// # Errors
    /// Its values are not read here, the file cannot be read, or it is damaged.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        match self.dtype.bits() {
            8 => self.decode(|[byte]: [u8; 1]| byte),
            16 => Ok(self.decode(|bytes: [u8; 2]| bytes)?.into_flattened()),
            32 => Ok(self.decode(|bytes: [u8; 4]| bytes)?.into_flattened()),
            _ => Ok(self.decode(|bytes: [u8; 8]| bytes)?.into_flattened()),
        }
    }

    /// Its elements as `f32`, last dimension fastest; numbers of other types are rounded to the nearest.
    ///
    /// # Errors
    /// As [`Tensor::to_bytes`].
    pub fn to_f32(&self) -> Result<Vec<f32>> {
        match self.dtype {
            Dtype::F32 => self.decode(f32::from_le_bytes),
            Dtype::F64 => self.decode(|b| f64::from_le_bytes(b) as f32),
            Dtype::F16 => self.decode(|b| half::f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => self.decode(|b| half::bf16::from_le_bytes(b).to_f32()),
            Dtype::I64 => self.decode(|b| i64::from_le_bytes(b) as f32),
            Dtype::I32 => self.decode(|b| i32::from_le_bytes(b) as f32),
            Dtype::I16 => self.decode(|b| f32::from(i16::from_le_bytes(b))),
            Dtype::I8 => self.decode(|b| f32::from(i8::from_le_bytes(b))),
            Dtype::U64 => self.decode(|b| u64::from_le_bytes(b) as f32),
            Dtype::U32 => self.decode(|b| u32::from_le_bytes(b) as f32),
            Dtype::U16 => self.decode(|b| f32::from(u16::from_le_bytes(b))),
            Dtype::U8 | Dtype::Bool | Dtype::Other { .. } => self.decode(|[byte]: [u8; 1]| f32::from(byte)),
        }
    }

    /// Whether its bytes lie in the file as they are, so that a few of them are read at no cost.
    pub(crate) fn is_open(&self) -> bool {
        matches!(&self.values, Values::Strided(strided) if strided.storage.is_open())
    }

    /// Its elements in order, each decoded from its bytes, least byte first.
    fn decode<const N: usize, T>(&self, decode: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        let of = match &self.values {
            Values::Strided(strided) => strided,
            Values::Refused(reason) => return Err(Error::setting("tensor", reason.clone())),
        };
        let count = self.count();
        let mut elements = Vec::with_capacity(count);
        if count == 0 {
            return Ok(elements);
        }
        of.storage.check()?;
        let decode = |mut bytes: [u8; N]| {
            if of.storage.is_big_endian() {
                bytes.reverse();
            }
            decode(bytes)
        };
        let size = N as u64;
        let (outer, row) = self.rows(of);
        let extent: u64 = outer.iter().map(|&(length, stride)| (length as u64 - 1) * stride).sum::<u64>() + row;
        // Elements that lie here and there are picked from memory, not from the file one by one.
        let window = if outer.is_empty() || extent > MOST_PICKED {
            None
        } else {
            Some(of.storage.read(of.first * size, extent * size)?)
        };
        let mut place = vec![0usize; outer.len()];
        loop {
            let offset: u64 = place.iter().zip(&outer).map(|(&at, &(_, stride))| at as u64 * stride).sum();
            if let Some(window) = &window {
                let bytes = window.get((offset * size) as usize..((offset + row) * size) as usize).unwrap_or_default();
                elements.extend(bytes.as_chunks::<N>().0.iter().map(|chunk| decode(*chunk)));
            } else {
                let mut at = of.first + offset;
                let end = at + row;
                while at < end {
                    let some = (end - at).min(AT_ONCE);
                    let bytes = of.storage.read(at * size, some * size)?;
                    elements.extend(bytes.as_chunks::<N>().0.iter().map(|chunk| decode(*chunk)));
                    at += some;
                }
            }
            // The next row: the last place that can be moved on is.
            let next = place.iter_mut().zip(&outer).rev().find_map(|(at, &(length, _))| {
                *at += 1;
                if *at < length {
                    return Some(());
                }
                *at = 0;
                None
            });
            if next.is_none() {
                return Ok(elements);
            }
        }
    }

    /// The outer dimensions (lengths and steps), and how many elements lie side by side inside of them.
    fn rows(&self, of: &Strided) -> (Vec<(usize, u64)>, u64) {
        let mut outer: Vec<(usize, u64)> = self.shape.iter().copied().zip(of.strides.iter().copied()).collect();
        let mut row = 1;
        while let Some(&(length, stride)) = outer.last()
            && (stride == row || length == 1)
        {
            row *= length as u64;
            outer.pop();
        }
        (outer, row)
    }
}
