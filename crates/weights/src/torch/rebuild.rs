//! What `PyTorch` and `NumPy` would make of the objects in a pickle, where these are tensors: written down as tensors.

use super::legacy;
use crate::pickle::{Budget, Id, Node, Object, Tree};
use crate::tensor::{MOST_DIMENSIONS, Tensor, Typed};
use crate::{Dtype, numpy};
use base::{Error, Region, Result};
use std::collections::HashMap;

/// Who keeps what a pickle names by a persistent id.
pub(crate) trait Keeper {
    /// The value that an id stands for; `None` leaves it as it is.
    ///
    /// # Errors
    /// It is not there, or is not what the id says.
    fn find(&mut self, tree: &Tree, id: Id) -> Result<Option<Node>>;
}

/// Nobody: plain pickles have no persistent ids.
pub(crate) struct NoKeeper;

impl Keeper for NoKeeper {
    fn find(&mut self, _: &Tree, _: Id) -> Result<Option<Node>> {
        Ok(None)
    }
}

/// What is being resolved, and what may come of it.
pub(crate) struct Resolving<'a> {
    pub(crate) region: &'a Region,
    /// Bytes that a tensor may have at most.
    pub(crate) most: u64,
    pub(crate) budget: &'a mut Budget,
    /// Whether files may lie in this one.
    pub(crate) nested: bool,
}

/// Parts of a sparse tensor and notes about one at most. One list may be part of many tensors, and is looked through for each.
const MOST_PARTS: usize = 16;
/// Bytes that a tensor of a small file may have, as one number may stand for many.
const ALWAYS: u64 = 64 << 20;

/// Puts tensors into the places of what would become tensors in Python.
///
/// # Errors
/// A tensor does not fit what is stored, or its storage is not whole.
pub(crate) fn resolve(tree: &mut Tree, region: &Region, keeper: &mut impl Keeper, budget: &mut Budget) -> Result<()> {
    let most = region.length().max(ALWAYS);
    resolve_within(tree, &mut Resolving { region, most, budget, nested: true }, keeper)
}

/// As [`resolve`], of a file that may lie in another.
pub(super) fn resolve_within(tree: &mut Tree, what: &mut Resolving, keeper: &mut impl Keeper) -> Result<()> {
    let mut inner = HashMap::new();
    let mut texts = HashMap::new();
    for id in tree.ids() {
        let made = match tree.node(id) {
            Node::Persistent(name) => keeper.find(tree, *name)?,
            Node::Object(object) => match tree.global(object.class) {
                Some(("torch.storage", "_load_from_bytes")) if what.nested => of_bytes(tree, object, what, &mut inner)?,
                Some(("_codecs", "encode")) => numpy::encoded(tree, object, &mut texts)?.map(Node::Bytes),
                _ => None,
            },
            _ => None,
        };
        if let Some(node) = made {
            tree.replace(id, node);
        }
    }
    // Tensors come after those that they are made of.
    for id in tree.ids() {
        let Node::Object(object) = tree.node(id) else { continue };
        let Some((module, name)) = tree.global(object.class) else { continue };
        let made = tensor(tree, object, module, name, what.most).map_err(|reason| {
            let name = path_to(tree, id).unwrap_or_else(|| "a tensor".into());
            Error::file(what.region.path(), format!("{name} {reason}"))
                .with_hint("The file is damaged or was made to do harm: copy or download it again.")
        })?;
        if let Some(node) = made {
            tree.replace(id, node);
        }
    }
    Ok(())
}

/// The storage in bytes that are a file of their own, as NVIDIA's pickles have it.
fn of_bytes(
    tree: &Tree,
    object: &Object,
    what: &mut Resolving,
    inner: &mut HashMap<Id, Typed>,
) -> Result<Option<Node>> {
    let Some([bytes]) = tree.tuple(object.arguments) else { return Ok(None) };
    let Node::Bytes(region) = tree.node(bytes) else { return Ok(None) };
    if let Some(known) = inner.get(&bytes) {
        return Ok(Some(Node::Storage(known.clone())));
    }
    let found = legacy::read_within(&mut Resolving { region, most: what.most, budget: what.budget, nested: false })?;
    Ok(match found.node(found.root) {
        Node::Storage(storage) => {
            inner.insert(bytes, storage.clone());
            Some(Node::Storage(storage.clone()))
        }
        _ => None,
    })
}

type Made<T> = std::result::Result<T, String>;

/// The tensor that a function of `PyTorch` or `NumPy` would make; `None` where it makes none.
fn tensor(tree: &Tree, object: &Object, module: &str, name: &str, most: u64) -> Made<Option<Node>> {
    let arguments = tree.items(object.arguments).unwrap_or_default();
    let at = |index: usize| arguments.get(index).copied();
    let made = match (module, name) {
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => strided(tree, arguments, at(6), None, most)?,
        ("torch._utils", "_rebuild_tensor_v3") => strided(tree, arguments, at(7), at(6), most)?,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter", "Parameter" | "Buffer") => match at(0).map(|data| tree.node(data)) {
            Some(Node::Tensor(tensor)) => (**tensor).clone(),
            _ => return Ok(None),
        },
        // A class of tensors: what it would be made of is a tensor.
        ("torch._tensor", "_rebuild_from_type_v2") => match at(0).and_then(|function| tree.global(function)) {
            Some((module, name)) if module == "torch._utils" && name.starts_with("_rebuild_tensor") => {
                let Some(arguments) = at(2) else { return Ok(None) };
                let inner = Object { arguments, ..Object::of(object.class) };
                return tensor(tree, &inner, module, name, most);
            }
            _ => return Ok(None),
        },
        ("torch._utils", "_rebuild_qtensor") => {
            let shape = at(2).and_then(|size| shape(tree, size)).unwrap_or_default();
            let dtype = typed(tree, at(0)).map_or(UNKNOWN, |typed| typed.dtype);
            Tensor::refused(sizes(&shape), dtype, "is quantised, and its values are not read")
        }
        ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => {
            let parts =
                at(1).and_then(|parts| tree.items(parts)).filter(|parts| parts.len() <= MOST_PARTS).unwrap_or_default();
            let dtype = parts.iter().rev().find_map(|&part| match tree.node(part) {
                Node::Tensor(values) => Some(values.dtype()),
                _ => None,
            });
            let shape = parts.iter().rev().find_map(|&part| shape(tree, part)).unwrap_or_default();
            Tensor::refused(sizes(&shape), dtype.unwrap_or(UNKNOWN), "is sparse, and its values are not read")
        }
        ("torch._utils", other) if other.starts_with("_rebuild_") && other.contains("tensor") => {
            let form = other.trim_start_matches("_rebuild_").replace('_', " ");
            Tensor::refused(Vec::new(), UNKNOWN, format!("is a {form}, and its values are not read"))
        }
        _ => return numpy::made(tree, object, module, name, most),
    };
    Ok(Some(Node::Tensor(Box::new(made))))
}

const UNKNOWN: Dtype = crate::dtype::other("unknown", 8);

impl Object {
    fn of(class: Id) -> Self {
        Self { class, arguments: class, named: None, state: None, items: Vec::new(), entries: Vec::new() }
    }
}

/// `(storage, offset, size, stride, ...)`, with what `PyTorch` notes about it, and its type where the storage has none.
fn strided(tree: &Tree, arguments: &[Id], notes: Option<Id>, dtype: Option<Id>, most: u64) -> Made<Tensor> {
    let [storage, offset, size, stride, ..] = *arguments else {
        return Err("has too few arguments".into());
    };
    let mut typed = typed(tree, Some(storage)).ok_or("has no storage")?.clone();
    if let Some(dtype) = dtype {
        let name = tree.global(dtype).map(|(_, name)| name).ok_or("has no type")?;
        retype(&mut typed, Dtype::of_torch(name).unwrap_or(UNKNOWN))?;
    }
    let numbers = |id: Id| shape(tree, id).ok_or("has a shape that is none");
    let first = tree.count(offset).ok_or("begins at an impossible place")?;
    let tensor = Tensor::strided(&typed, first, &numbers(size)?, numbers(stride)?, most)?;
    // Conjugate and negative views say so, and their values stand as they were before.
    let noted = notes.map(|notes| tree.node(notes));
    let views = match noted {
        Some(Node::Dict(notes)) => {
            notes.iter().take(MOST_PARTS).any(|(_, value)| matches!(tree.node(*value), Node::Bool(true)))
        }
        _ => false,
    };
    if views {
        let reason = "is a view with another sign, and its values are not read";
        return Ok(Tensor::refused(tensor.shape().to_vec(), tensor.dtype(), reason));
    }
    Ok(tensor)
}

/// The storage of bytes as one of elements of another type.
fn retype(typed: &mut Typed, dtype: Dtype) -> Made<()> {
    let (from, to) = (typed.dtype.bits(), dtype.bits());
    let bits = |elements: u64| elements.checked_mul(from).filter(|bits| bits % to == 0).map(|bits| bits / to);
    let (Some(first), Some(count)) = (bits(typed.first), bits(typed.count)) else {
        return Err(format!("holds {} bits, which are no {}", typed.count.saturating_mul(from), dtype.name()));
    };
    *typed = Typed { storage: typed.storage.clone(), dtype, first, count };
    Ok(())
}

fn typed(tree: &Tree, id: Option<Id>) -> Option<&Typed> {
    match tree.node(id?) {
        Node::Storage(typed) => Some(typed),
        _ => None,
    }
}

fn sizes(shape: &[u64]) -> Vec<usize> {
    shape.iter().map(|&d| d as usize).collect()
}

/// Numbers of a tuple, a list or a `torch.Size`.
pub(crate) fn shape(tree: &Tree, id: Id) -> Option<Vec<u64>> {
    let id = match tree.node(id) {
        Node::Object(object) if tree.global(object.class) == Some(("torch", "Size")) => {
            tree.tuple::<1>(object.arguments)?[0]
        }
        _ => id,
    };
    let items = tree.items(id).filter(|items| items.len() <= MOST_DIMENSIONS)?;
    items.iter().map(|&d| tree.count(d)).collect()
}

/// Where a value stands, by the keys that lead to it: `state_dict.layer1.weight`.
fn path_to(tree: &Tree, wanted: Id) -> Option<String> {
    let mut parents: HashMap<Id, Id> = HashMap::new();
    let mut next = vec![tree.root];
    while let Some(id) = next.pop() {
        for value in below(tree, id).map(|(value, _)| value) {
            if value != tree.root && !parents.contains_key(&value) {
                parents.insert(value, id);
                next.push(value);
            }
        }
    }
    let mut keys = Vec::new();
    let mut at = wanted;
    while at != tree.root {
        let parent = *parents.get(&at)?;
        let (_, key) = below(tree, parent).find(|(value, _)| *value == at)?;
        keys.extend(key.and_then(|key| tree.text(key)));
        at = parent;
    }
    keys.reverse();
    Some(keys.join("."))
}

/// The values that one holds, with their keys where they have some.
fn below(tree: &Tree, id: Id) -> impl Iterator<Item = (Id, Option<Id>)> {
    let (entries, state): (&[(Id, Id)], Option<Id>) = match tree.node(id) {
        Node::Dict(entries) => (entries, None),
        Node::Object(object) => (&object.entries, object.state),
        _ => (&[], None),
    };
    let items = tree.items(id).unwrap_or_default();
    let named = entries.iter().map(|&(key, value)| (value, Some(key)));
    named.chain(items.iter().copied().chain(state).map(|value| (value, None)))
}
