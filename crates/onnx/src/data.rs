//! The numbers of tensors, read from where they lie to where they stay.

#![deny(clippy::indexing_slicing)]

use crate::array::{Array, Kind};
use crate::model::{Elsewhere, Stored};
use crate::wire::{Fields, Payload, Source, Span, damaged};
use crate::{Error, Result};
use half::{bf16, f16};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// The longest axis.
const MOST_LENGTH: usize = 1 << 36;
/// Bytes that are decoded at a time.
const PIECE: usize = 1 << 16;

/// The types of ONNX whose numbers are read, by their number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    F32,
    U8,
    I8,
    U16,
    I16,
    I32,
    I64,
    Bool,
    F16,
    F64,
    U32,
    U64,
    Bf16,
}

impl Type {
    pub(crate) fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            4 => Self::U16,
            5 => Self::I16,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            12 => Self::U32,
            13 => Self::U64,
            16 => Self::Bf16,
            _ => return None,
        })
    }

    /// What its numbers mean here.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::F32 | Self::F16 | Self::F64 | Self::Bf16 => Kind::Real,
            Self::Bool => Kind::Truth,
            _ => Kind::Whole,
        }
    }

    fn width(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::I64 | Self::F64 | Self::U64 => 8,
        }
    }

    /// A number from its bytes, little end first; `None` where there are too few.
    fn number(self, bytes: &[u8]) -> Option<f64> {
        Some(match self {
            Self::F32 => f64::from(f32::from_le_bytes(*bytes.first_chunk()?)),
            Self::U8 => f64::from(*bytes.first()?),
            Self::Bool => f64::from(u8::from(*bytes.first()? != 0)),
            Self::I8 => f64::from(*bytes.first()? as i8),
            Self::U16 => f64::from(u16::from_le_bytes(*bytes.first_chunk()?)),
            Self::I16 => f64::from(i16::from_le_bytes(*bytes.first_chunk()?)),
            Self::I32 => f64::from(i32::from_le_bytes(*bytes.first_chunk()?)),
            Self::I64 => i64::from_le_bytes(*bytes.first_chunk()?) as f64,
            Self::F16 => f64::from(f16::from_le_bytes(*bytes.first_chunk()?)),
            Self::Bf16 => f64::from(bf16::from_le_bytes(*bytes.first_chunk()?)),
            Self::F64 => f64::from_le_bytes(*bytes.first_chunk()?),
            Self::U32 => f64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
            Self::U64 => u64::from_le_bytes(*bytes.first_chunk()?) as f64,
        })
    }

    /// A number that the format keeps as a whole one of 32 bits.
    fn of_int32(self, value: i64) -> f64 {
        match self {
            Self::F16 => f64::from(f16::from_bits(value as u16)),
            Self::Bf16 => f64::from(bf16::from_bits(value as u16)),
            Self::Bool => f64::from(u8::from(value != 0)),
            _ => value as f64,
        }
    }
}

/// The model's file, and those beside it.
pub(crate) struct Files<'a> {
    pub(crate) model: Source<'a>,
    /// The folder of the model; none where it came as bytes.
    folder: Option<PathBuf>,
    beside: HashMap<PathBuf, (Source<'static>, u64)>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(model: Source<'a>, folder: Option<PathBuf>) -> Self {
        Self { model, folder, beside: HashMap::new() }
    }

    /// The shape of a tensor and its type.
    pub(crate) fn shape(tensor: &Stored) -> Result<(Vec<usize>, Type)> {
        let name = &tensor.name;
        let kind = Type::of(tensor.kind);
        let kind = kind.ok_or_else(|| {
            Error::model(format!("tensor {name:?} has the type number {}, which is not read", tensor.kind))
        })?;
        let length = |&length: &i64| usize::try_from(length).ok().filter(|&length| length <= MOST_LENGTH);
        let lengths = tensor.shape.iter().map(length).collect::<Option<Vec<_>>>();
        let possible = lengths.filter(|shape| shape.iter().try_fold(8usize, |n, &d| n.checked_mul(d.max(1))).is_some());
        let impossible = || Error::model(format!("tensor {name:?} has the impossible shape {:?}", tensor.shape));
        Ok((possible.ok_or_else(impossible)?, kind))
    }

    /// All numbers as what networks are computed with.
    pub(crate) fn reals(&mut self, tensor: &Stored) -> Result<(Vec<usize>, Vec<f32>)> {
        let (shape, kind) = Self::shape(tensor)?;
        let values = self.numbers(tensor, &shape, kind, |x| x as f32)?;
        Ok((shape, values))
    }

    /// All numbers as what shapes are computed with.
    pub(crate) fn array(&mut self, tensor: &Stored) -> Result<Array> {
        let (shape, kind) = Self::shape(tensor)?;
        let values = self.numbers(tensor, &shape, kind, |x| x)?;
        Ok(Array::of(shape, kind.kind(), values))
    }

    fn numbers<T>(
        &mut self,
        tensor: &Stored,
        shape: &[usize],
        kind: Type,
        of: impl Fn(f64) -> T + Copy,
    ) -> Result<Vec<T>> {
        let count: usize = shape.iter().product();
        let wrong = |found: u64| {
            let name = &tensor.name;
            Error::Damaged(format!("tensor {name:?} of shape {shape:?} has {found} bytes or numbers"))
        };
        let bytes = count as u64 * kind.width() as u64;
        if let Some(elsewhere) = &tensor.elsewhere {
            let (source, span) = self.elsewhere(elsewhere, &tensor.name, bytes)?;
            return raw(source, span, kind, count, of);
        }
        // Which of the fields holds them, and how long all of them are, before anything is allocated.
        let mut fields = Fields::of(tensor.body);
        let (mut raw_bytes, mut listed) = (None, 0);
        while let Some((field, payload)) = fields.next(&mut self.model)? {
            match (field, payload) {
                (9, payload) => raw_bytes = Some(payload.span()?),
                (4 | 5 | 7 | 10 | 11, Payload::Bytes(span)) => listed += span.len(),
                (4 | 5 | 7 | 10 | 11, _) => listed += 1,
                _ => {}
            }
        }
        if let Some(span) = raw_bytes {
            if span.len() != bytes {
                return Err(wrong(span.len()));
            }
            return raw(&mut self.model, span, kind, count, of);
        }
        if count as u64 > listed {
            return Err(wrong(listed));
        }
        let mut values = Vec::with_capacity(count);
        let mut push = |value: f64| {
            if values.len() == count {
                return Err(wrong(count as u64 + 1));
            }
            values.push(of(value));
            Ok(())
        };
        let mut fields = Fields::of(tensor.body);
        while let Some((field, payload)) = fields.next(&mut self.model)? {
            match field {
                4 => self.model.each_real(payload, |value| push(f64::from(value)))?,
                5 => self.model.each_whole(payload, |value| push(kind.of_int32(value)))?,
                7 | 11 => self.model.each_whole(payload, |value| push(value as f64))?,
                10 => self.model.each_double(payload, &mut push)?,
                _ => {}
            }
        }
        if values.len() == count { Ok(values) } else { Err(wrong(values.len() as u64)) }
    }

    /// The file that a tensor names, and the range there.
    fn elsewhere(&mut self, place: &Elsewhere, tensor: &str, bytes: u64) -> Result<(&mut Source<'static>, Span)> {
        let location = &place.location;
        let relative = Path::new(location);
        let inside = !location.is_empty()
            && !location.contains(['\\', '\0', ':'])
            && relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            let reason = format!("tensor {tensor:?} lies in {location:?}, which is not inside the model's folder");
            return Err(Error::model(reason).with_hint("Only files beside the model are read: export it again."));
        }
        let Some(folder) = &self.folder else {
            return Err(Error::model(format!("tensor {tensor:?} lies in another file, {location:?}"))
                .with_hint("Give the model by its path, with that file beside it."));
        };
        let path = folder.join(relative);
        if !self.beside.contains_key(&path) {
            // A link may lead anywhere.
            let real = |path: &Path| path.canonicalize().map_err(|e| base::Error::io("read", path, e));
            if !real(&path)?.starts_with(real(folder)?) {
                let reason = format!("tensor {tensor:?} lies in {location:?}, a link out of the model's folder");
                return Err(Error::model(reason).with_hint("Copy the file itself beside the model."));
            }
            let (file, length) = base::files::open(&path)?;
            self.beside.insert(path.clone(), (Source::new(file, length), length));
        }
        let number = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => text.parse::<u64>().map(Some).map_err(|_| damaged("a place in another file is no number")),
        };
        let start = number(&place.offset)?.unwrap_or_default();
        let said = number(&place.length)?.unwrap_or(bytes);
        let broken = || Error::Damaged(format!("tensor {tensor:?} is not wholly in {location:?}"));
        let (source, length) = self.beside.get_mut(&path).ok_or_else(broken)?;
        let end = start.checked_add(bytes).filter(|end| end <= length && said == bytes);
        Ok((source, Span { start, end: end.ok_or_else(broken)? }))
    }
}

fn raw<T>(source: &mut Source, span: Span, kind: Type, count: usize, of: impl Fn(f64) -> T) -> Result<Vec<T>> {
    let mut values = Vec::with_capacity(count);
    let mut piece = vec![0; PIECE.min(span.len() as usize)];
    let mut at = span.start;
    while at < span.end {
        let length = (span.end - at).min(PIECE as u64);
        let Some(part) = piece.get_mut(..length as usize) else { return Err(damaged("it breaks off")) };
        source.read(at, part)?;
        values.extend(part.chunks_exact(kind.width()).filter_map(|bytes| kind.number(bytes)).map(&of));
        at += length;
    }
    Ok(values)
}
