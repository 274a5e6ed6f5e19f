//! The tar archives of the first `PyTorch` (2016 and 2017): members `storages`, `tensors` and `pickle`. After `torch/serialization.py`,
//! `legacy_load`.

use super::rebuild::{Keeper, resolve};
use crate::Dtype;
use crate::pickle::{self, Budget, Id, Node, Tree};
use crate::storage::Storage;
use crate::tensor::{Tensor, Typed};
use base::{Error, Region, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a block of a tar archive.
const BLOCK: u64 = 512;
/// The most members that are looked at.
const MOST_MEMBERS: usize = 64;
/// The most dimensions of a tensor.
const MOST_DIMENSIONS: u32 = 64;

/// Reads the whole file; `None` where it is a tar archive of something else.
///
/// # Errors
/// It is not whole, or is larger than the limits.
pub(crate) fn read(region: &Region, most: u64, budget: &mut Budget) -> Result<Option<Tree>> {
    let members = members(region)?;
    let member = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, region)| region);
    let (Some(storages), Some(tensors), Some(objects)) = (member("storages"), member("tensors"), member("pickle"))
    else {
        return Ok(None);
    };
    let storages = read_storages(storages, budget)?;
    let tensors = read_tensors(tensors, &storages, most, budget)?;
    let (mut tree, _) = pickle::read(objects, 0, budget)?;
    resolve(&mut tree, region, &mut Named { tensors, storages }, budget)?;
    Ok(Some(tree))
}

/// The files of a tar archive, with their places.
fn members(region: &Region) -> Result<Vec<(String, Region)>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + BLOCK <= region.length() && found.len() < MOST_MEMBERS {
        let header = region.read(at, BLOCK)?;
        let field = |from: usize, to: usize| {
            let bytes = header.get(from..to).unwrap_or_default();
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(text).trim().to_owned()
        };
        let name = field(0, 100);
        if name.is_empty() {
            break;
        }
        let size = u64::from_str_radix(&field(124, 136), 8).ok();
        let place = size.and_then(|size| region.piece(at + BLOCK, size)).ok_or_else(|| {
            Error::file(region.path(), format!("is truncated: its member {name:?} does not lie inside of it"))
                .with_hint("Copy or download it again.")
        })?;
        at += BLOCK + place.length().next_multiple_of(BLOCK);
        found.push((name.trim_start_matches("./").to_owned(), place));
    }
    Ok(found)
}

fn broken(region: &Region, reason: impl Into<String>) -> Error {
    Error::file(region.path(), reason).with_hint("It is damaged, or was cut: copy or download it again.")
}

/// A key of a storage or a tensor, which is a number or a text.
fn key(tree: &Tree, id: Id) -> Option<String> {
    tree.text(id).map(str::to_owned).or_else(|| Some(tree.int(id)?.to_string()))
}

/// How many there are, and where the first begins.
fn counted(region: &Region, budget: &mut Budget) -> Result<(u64, u64)> {
    let (tree, at) = pickle::read(region, 0, budget)?;
    let count = tree.count(tree.root).ok_or_else(|| broken(region, "does not say how many tensors it holds"))?;
    Ok((count, at))
}

fn number(region: &Region, at: &mut u64) -> Result<u64> {
    let bytes = region.read(*at, 8)?;
    *at += 8;
    <[u8; 8]>::try_from(bytes).ok().map(u64::from_le_bytes).ok_or_else(|| broken(region, "is truncated"))
}

fn read_storages(region: &Region, budget: &mut Budget) -> Result<HashMap<String, Typed>> {
    let (count, mut at) = counted(region, budget)?;
    let mut storages = HashMap::new();
    for _ in 0..count {
        let (tree, end) = pickle::read(region, at, budget)?;
        at = end;
        let [name, _, class] = tree.tuple(tree.root).ok_or_else(|| broken(region, "names a storage that is none"))?;
        let (name, class) = (key(&tree, name), tree.global(class).map(|(_, class)| class));
        let (Some(name), Some(dtype)) = (name, class.and_then(Dtype::of_storage)) else {
            return Err(broken(region, "holds a storage of a type that is not known"));
        };
        let elements = number(region, &mut at)?;
        let piece = elements.checked_mul(dtype.bits() / 8).and_then(|length| region.piece(at, length));
        let piece = piece.ok_or_else(|| broken(region, format!("is truncated in its storage {name:?}")))?;
        at += piece.length();
        let storage = Arc::new(Storage::region(piece, false));
        storages.insert(name, Typed { storage, dtype, first: 0, count: elements });
    }
    // Storages that are parts of others: key, key of the other, first element, number of elements.
    let (views, _) = pickle::read(region, at, budget)?;
    for &view in views.items(views.root).unwrap_or_default() {
        let [name, of, first, count] =
            views.tuple(view).ok_or_else(|| broken(region, "names a part of a storage that is none"))?;
        let found = key(&views, of).and_then(|of| storages.get(&of));
        let (Some(of), Some(first), Some(count)) = (found, views.count(first), views.count(count)) else {
            return Err(broken(region, "names a part of a storage that is not there"));
        };
        if first.checked_add(count).is_none_or(|end| end > of.count) {
            return Err(broken(region, "names a part of a storage that is longer than it"));
        }
        let part = Typed { first: of.first + first, count, ..of.clone() };
        storages.insert(key(&views, name).unwrap_or_default(), part);
    }
    Ok(storages)
}

fn read_tensors(
    region: &Region,
    storages: &HashMap<String, Typed>,
    most: u64,
    budget: &mut Budget,
) -> Result<HashMap<String, Tensor>> {
    let (count, mut at) = counted(region, budget)?;
    let mut tensors = HashMap::new();
    for _ in 0..count {
        let (tree, end) = pickle::read(region, at, budget)?;
        at = end;
        let [name, storage, _] = tree.tuple(tree.root).ok_or_else(|| broken(region, "names a tensor that is none"))?;
        let name = key(&tree, name).ok_or_else(|| broken(region, "holds a tensor without a name"))?;
        let storage = key(&tree, storage).and_then(|key| storages.get(&key));
        let storage = storage.ok_or_else(|| broken(region, format!("has no storage of its tensor {name:?}")))?;
        // The upper half of the number of dimensions means nothing.
        let dimensions = number(region, &mut at)? as u32;
        if dimensions > MOST_DIMENSIONS {
            return Err(broken(region, format!("declares {dimensions} dimensions of its tensor {name:?}")));
        }
        let mut numbers = || (0..dimensions).map(|_| number(region, &mut at)).collect::<Result<Vec<u64>>>();
        let (shape, strides) = (numbers()?, numbers()?);
        let first = number(region, &mut at)?;
        let tensor = Tensor::strided(storage, first, &shape, strides, most);
        let tensor = tensor.map_err(|reason| broken(region, format!("tensor {name:?} {reason}")))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// What the pickle names by keys.
struct Named {
    tensors: HashMap<String, Tensor>,
    storages: HashMap<String, Typed>,
}

impl Keeper for Named {
    fn find(&mut self, tree: &Tree, id: Id) -> Result<Option<Node>> {
        let Some(key) = key(tree, id) else { return Ok(None) };
        let tensor = self.tensors.get(&key).map(|tensor| Node::Tensor(Box::new(tensor.clone())));
        Ok(tensor.or_else(|| self.storages.get(&key).cloned().map(Node::Storage)))
    }
}
