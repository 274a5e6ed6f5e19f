//! `.safetensors`: the header is read and checked, the tensors stay in the file.

use crate::dtype::{Dtype, other};
use crate::pickle::{Budget, Fault, Node, Tree};
use crate::storage::Storage;
use crate::tensor::{Tensor, Typed};
use base::{Error, Region, Result};
use safetensors::tensor::{Dtype as Stored, Metadata, TensorInfo};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// The longest header that is read: 100 MB, as the format has it.
const LONGEST_HEADER: u64 = 100_000_000;
/// Where notes lie in the header.
const METADATA: &str = "__metadata__";

/// The header as it is written: of two entries of one name, none is believed.
struct Header {
    notes: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { notes: BTreeMap::new(), tensors: Vec::new() };
                let mut names = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("{name:?} stands twice")));
                    }
                    if name == METADATA {
                        header.notes = map.next_value()?;
                    } else {
                        header.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        json.deserialize_map(Entries)
    }
}

/// What is in such a file, and its notes.
///
/// # Errors
/// It is not whole, or its header is none.
pub(crate) fn read(region: &Region, budget: &mut Budget) -> Result<(Tree, Vec<(String, String)>)> {
    let wrong = |reason: String| {
        Error::file(region.path(), format!("is not a whole .safetensors file: {reason}"))
            .with_hint("The file is truncated or damaged: copy or download it again.")
    };
    let length = <[u8; 8]>::try_from(region.read(0, 8)?).map_or(0, u64::from_le_bytes);
    if length > LONGEST_HEADER || length > region.length().saturating_sub(8) {
        return Err(wrong(format!("it declares a header of {length} bytes")));
    }
    let json = region.read(8, length)?;
    let Header { notes, mut tensors } =
        serde_json::from_slice(&json).map_err(|e| wrong(format!("its header is not understood: {e}")))?;
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    // The rules of the format: tensors one after the other, without holes, each as long as its shape says.
    let checked = Metadata::new(None, tensors.clone()).map_err(|e| wrong(e.to_string()))?;
    let data = region.length() - 8 - length;
    if checked.data_len() as u64 != data {
        return Err(wrong(format!("its tensors take {} bytes, and {data} are there", checked.data_len())));
    }
    let mut tree = Tree::new();
    let mut entries = Vec::with_capacity(tensors.len());
    for (name, info) in tensors {
        let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        let piece = region.piece(8 + length + start, end - start).ok_or_else(|| wrong(format!("{name:?} is cut")))?;
        let tensor = tensor(&info, piece).map_err(|reason| wrong(format!("{name:?} {reason}")))?;
        let mut add = |node| {
            tree.add(node, budget).map_err(|fault| match fault {
                Fault::Other(error) => error,
                Fault::Broken(reason) | Fault::TooMuch(reason) => wrong(reason),
            })
        };
        let key = add(Node::Text(name.into()))?;
        entries.push((key, add(Node::Tensor(Box::new(tensor)))?));
    }
    let root = tree.add(Node::Dict(entries), budget);
    tree.root = root.map_err(|_| wrong("it holds too many tensors".into()))?;
    Ok((tree, notes.into_iter().collect()))
}

fn tensor(info: &TensorInfo, piece: Region) -> std::result::Result<Tensor, String> {
    let dtype = dtype(info.dtype);
    let most = piece.length();
    if let Dtype::Other { name, .. } = dtype {
        return Ok(Tensor::refused(info.shape.clone(), dtype, format!("holds {name} numbers, which are not read")));
    }
    let count = piece.length() * 8 / dtype.bits();
    let typed = Typed { storage: Arc::new(Storage::region(piece, false)), dtype, first: 0, count };
    let shape: Vec<u64> = info.shape.iter().map(|&d| d as u64).collect();
    Tensor::contiguous(&typed, &shape, most)
}

fn dtype(stored: Stored) -> Dtype {
    match stored {
        Stored::BOOL => Dtype::Bool,
        Stored::U8 => Dtype::U8,
        Stored::I8 => Dtype::I8,
        Stored::I16 => Dtype::I16,
        Stored::U16 => Dtype::U16,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::BF16,
        Stored::I32 => Dtype::I32,
        Stored::U32 => Dtype::U32,
        Stored::F32 => Dtype::F32,
        Stored::F64 => Dtype::F64,
        Stored::I64 => Dtype::I64,
        Stored::U64 => Dtype::U64,
        Stored::C64 => other("complex64", 64),
        Stored::F8_E5M2 => other("float8_e5m2", 8),
        Stored::F8_E4M3 => other("float8_e4m3fn", 8),
        Stored::F8_E8M0 => other("float8_e8m0fnu", 8),
        Stored::F8_E4M3FNUZ => other("float8_e4m3fnuz", 8),
        Stored::F8_E5M2FNUZ => other("float8_e5m2fnuz", 8),
        Stored::F6_E2M3 => other("float6_e2m3", 6),
        Stored::F6_E3M2 => other("float6_e3m2", 6),
        Stored::F4 => other("float4", 4),
        _ => other("unknown", 8),
    }
}
