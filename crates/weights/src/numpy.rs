//! What `NumPy` puts into pickles: arrays and their scalars, as data.

use crate::dtype::{Dtype, other};
use crate::pickle::{Id, Node, Object, Tree};
use crate::storage::Storage;
use crate::tensor::{Tensor, Typed};
use crate::torch::shape;
use base::{Error, Region, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes that a pickle has as a text: `_codecs.encode(text, "latin1")`, what protocols before 3 have for bytes.
///
/// # Errors
/// The text cannot be read.
pub(crate) fn encoded(tree: &Tree, object: &Object, known: &mut HashMap<Id, Region>) -> Result<Option<Region>> {
    let Some(&[text, coding]) = tree.items(object.arguments) else { return Ok(None) };
    if !tree.text(coding).is_some_and(|coding| matches!(coding, "latin1" | "latin-1" | "iso-8859-1")) {
        return Ok(None);
    }
    if let Some(known) = known.get(&text) {
        return Ok(Some(known.clone()));
    }
    let latin =
        |text: &str| text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect::<Option<Vec<u8>>>();
    let (bytes, path) = match tree.node(text) {
        Node::Text(text) => (latin(text), std::path::PathBuf::new()),
        Node::LongText(region) => {
            let whole = String::from_utf8(region.read(0, region.length())?);
            let whole = whole.map_err(|_| Error::file(region.path(), "holds a text that is no UTF-8"))?;
            (latin(&whole), region.path().to_owned())
        }
        _ => return Ok(None),
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let region = Region::from_bytes(bytes, path);
    known.insert(text, region.clone());
    Ok(Some(region))
}

type Made<T> = std::result::Result<T, String>;

/// The array or number that a function of `NumPy` would make; `None` where it makes none.
///
/// # Errors
/// In words: the array does not fit its bytes.
pub(crate) fn made(tree: &Tree, object: &Object, module: &str, name: &str, most: u64) -> Made<Option<Node>> {
    let arguments = tree.items(object.arguments).unwrap_or_default();
    match (module, name) {
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
            // (version, shape, type, whether the first dimension is the fastest, bytes)
            let state = object.state.and_then(|state| tree.items(state)).unwrap_or_default();
            let [.., size, descr, fortran, bytes] = *state else { return Ok(None) };
            let fortran = matches!(tree.node(fortran), Node::Bool(true));
            array(tree, bytes, descr, size, fortran, most)
        }
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => {
            let [bytes, descr, size, order] = *arguments else { return Ok(None) };
            array(tree, bytes, descr, size, tree.text(order) == Some("F"), most)
        }
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => {
            let [descr, bytes] = *arguments else { return Ok(None) };
            Ok(scalar(tree, descr, bytes))
        }
        _ => Ok(None),
    }
}

fn array(tree: &Tree, bytes: Id, descr: Id, size: Id, fortran: bool, most: u64) -> Made<Option<Node>> {
    let (Some(shape), Some(region)) = (shape(tree, size), bytes_of(tree, bytes)) else { return Ok(None) };
    let Some((dtype, big_endian)) = type_of(tree, descr) else {
        let sizes = shape.iter().map(|&d| d as usize).collect();
        let reason = "holds elements of a NumPy type that is not read";
        return Ok(Some(Node::Tensor(Box::new(Tensor::refused(sizes, other("unknown", 8), reason)))));
    };
    let count = shape.iter().try_fold(1u64, |count, &d| count.checked_mul(d));
    let declared = count.and_then(|count| count.checked_mul(dtype.bits() / 8));
    if declared != Some(region.length()) {
        return Err(format!("declares the shape {shape:?} of {} in {} bytes", dtype.name(), region.length()));
    }
    let typed = Typed {
        storage: Arc::new(Storage::region(region, big_endian)),
        dtype,
        first: 0,
        count: count.unwrap_or_default(),
    };
    let tensor = if fortran {
        let mut step = 1u64;
        let mut strides = Vec::with_capacity(shape.len());
        for &d in &shape {
            strides.push(step);
            step = step.saturating_mul(d.max(1));
        }
        Tensor::strided(&typed, 0, &shape, strides, most)?
    } else {
        Tensor::contiguous(&typed, &shape, most)?
    };
    Ok(Some(Node::Tensor(Box::new(tensor))))
}

/// A number on its own is a number.
fn scalar(tree: &Tree, descr: Id, bytes: Id) -> Option<Node> {
    let (dtype, big_endian) = type_of(tree, descr)?;
    let region = bytes_of(tree, bytes).filter(|region| region.length() == dtype.bits() / 8)?;
    let typed = Typed { storage: Arc::new(Storage::region(region, big_endian)), dtype, first: 0, count: 1 };
    let bytes = Tensor::contiguous(&typed, &[], 8).ok()?.to_bytes().ok()?;
    let wide = |bytes: &[u8]| {
        let negative =
            bytes.last().is_some_and(|last| last & 0x80 != 0) && matches!(dtype, Dtype::I8 | Dtype::I16 | Dtype::I32);
        let mut all = [if negative { 0xff } else { 0 }; 8];
        all.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        i64::from_le_bytes(all)
    };
    Some(match dtype {
        Dtype::F64 => Node::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
        Dtype::F32 => Node::Float(f32::from_le_bytes(bytes.try_into().ok()?).into()),
        Dtype::F16 => Node::Float(half::f16::from_le_bytes(bytes.try_into().ok()?).into()),
        Dtype::Bool => Node::Bool(bytes != [0]),
        _ => Node::Int(wide(&bytes)),
    })
}

/// Bytes, or a text of Python 2 that stands for some.
fn bytes_of(tree: &Tree, id: Id) -> Option<Region> {
    match tree.node(id) {
        Node::Bytes(region) | Node::LongText(region) => Some(region.clone()),
        Node::Text(text) => Some(Region::from_bytes(text.as_bytes().to_vec(), "")),
        _ => None,
    }
}

/// The type that a `numpy.dtype` stands for, and whether its first byte is the greatest.
fn type_of(tree: &Tree, id: Id) -> Option<(Dtype, bool)> {
    let Node::Object(object) = tree.node(id) else { return None };
    if tree.global(object.class) != Some(("numpy", "dtype")) {
        return None;
    }
    let name = tree.text(*tree.items(object.arguments)?.first()?)?;
    let order = object.state.and_then(|state| tree.items(state)?.get(1).copied()).and_then(|order| tree.text(order));
    let dtype = match name {
        "f8" => Dtype::F64,
        "f4" => Dtype::F32,
        "f2" => Dtype::F16,
        "i8" => Dtype::I64,
        "i4" => Dtype::I32,
        "i2" => Dtype::I16,
        "i1" => Dtype::I8,
        "u8" => Dtype::U64,
        "u4" => Dtype::U32,
        "u2" => Dtype::U16,
        "u1" => Dtype::U8,
        "b1" => Dtype::Bool,
        _ => return None,
    };
    Some((dtype, order == Some(">")))
}
