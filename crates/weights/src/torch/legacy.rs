//! The stream in which `PyTorch` saved until 2020: five pickles (a magic number, the protocol, the system, the object, the keys of its
//! storages) and then the storages, each behind its number of elements. After `torch/serialization.py`, `_legacy_load`.

use super::rebuild::{Keeper, Resolving, resolve_within};
use crate::Dtype;
use crate::pickle::{self, Budget, Id, Node, Tree};
use crate::storage::Storage;
use crate::tensor::Typed;
use base::{Error, Region, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// The number at the beginning, 0x1950a86a20f9469cfc6c.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// Whether this is the value with which such a file begins.
pub(crate) fn is_magic(tree: &Tree) -> bool {
    matches!(tree.node(tree.root), Node::Big(bytes) if **bytes == MAGIC)
}

/// Reads the whole file.
///
/// # Errors
/// It is not whole, or is larger than the limits.
pub(crate) fn read(region: &Region, most: u64, budget: &mut Budget) -> Result<Tree> {
    read_within(&mut Resolving { region, most, budget, nested: true })
}

pub(super) fn read_within(what: &mut Resolving) -> Result<Tree> {
    let region = what.region;
    let wrong = |reason: String| {
        Error::file(region.path(), reason).with_hint("It is damaged, or was cut: copy or download it again.")
    };
    let mut at = 0;
    let mut next = |budget: &mut Budget| {
        let (tree, end) = pickle::read(region, at, budget)?;
        at = end;
        Ok::<Tree, Error>(tree)
    };
    let magic = next(what.budget)?;
    if !is_magic(&magic) {
        return Err(wrong("does not begin as PyTorch files do".into()));
    }
    let protocol = next(what.budget)?;
    if protocol.int(protocol.root) != Some(PROTOCOL) {
        return Err(wrong(format!("is of another protocol than {PROTOCOL}")));
    }
    let system = next(what.budget)?;
    let big_endian = match system.node(system.root) {
        Node::Dict(entries) => entries.iter().any(|&(key, value)| {
            system.text(key) == Some("little_endian") && matches!(system.node(value), Node::Bool(false))
        }),
        _ => false,
    };
    let mut tree = next(what.budget)?;
    let keys = next(what.budget)?;
    let keys: Option<Vec<&str>> =
        keys.items(keys.root).and_then(|items| items.iter().map(|&key| keys.text(key)).collect());
    let keys = keys.ok_or_else(|| wrong("has no list of its storages".into()))?;
    // What the object says of each storage: how many elements of which type.
    let mut declared: HashMap<&str, (Dtype, u64)> = HashMap::new();
    for id in tree.ids() {
        if let Node::Persistent(name) = tree.node(id)
            && let Some(storage) = Declared::of(&tree, *name)
        {
            let said = (storage.dtype, storage.count);
            if declared.insert(storage.key, said).is_some_and(|before| before != said) {
                return Err(wrong(format!("says two things of its storage {:?}", storage.key)));
            }
        }
    }
    let mut storages = HashMap::with_capacity(keys.len());
    for key in keys {
        let (dtype, count) =
            *declared.get(key).ok_or_else(|| wrong(format!("holds a storage {key:?} that nothing names")))?;
        let stored = region.read(at, 8)?;
        let stored = <[u8; 8]>::try_from(stored).map_or(0, u64::from_le_bytes);
        let stored = if big_endian { stored.swap_bytes() } else { stored };
        if stored != count {
            return Err(wrong(format!("declares {count} elements of its storage {key:?}, and stores {stored}")));
        }
        let length = count.checked_mul(dtype.bits() / 8);
        let data = at.checked_add(8).zip(length).and_then(|(at, length)| region.piece(at, length));
        let data = data.ok_or_else(|| {
            wrong(format!("is truncated: its storage {key:?} has {count} elements, and the file ends before"))
        })?;
        at = at + 8 + data.length();
        storages.insert(key.to_owned(), Arc::new(Storage::region(data, big_endian)));
    }
    resolve_within(&mut tree, what, &mut Stored { region, storages })?;
    Ok(tree)
}

/// What a persistent id says of a storage: `("storage", class, key, place, elements, view)`.
pub(super) struct Declared<'t> {
    pub(super) key: &'t str,
    pub(super) dtype: Dtype,
    pub(super) count: u64,
    /// The part that is meant: first element and number of elements.
    view: Option<(u64, u64)>,
}

impl<'t> Declared<'t> {
    pub(super) fn of(tree: &'t Tree, id: Id) -> Option<Self> {
        let &[kind, class, key, _, count, ref rest @ ..] = tree.items(id)? else { return None };
        if tree.text(kind)? != "storage" {
            return None;
        }
        let dtype = Dtype::of_storage(tree.global(class)?.1)?;
        // The view is `(key, first element, number of elements)`.
        let view = rest.first().and_then(|&view| {
            let [_, first, count] = tree.tuple(view)?;
            Some((tree.count(first)?, tree.count(count)?))
        });
        Some(Self { key: tree.text(key)?, dtype, count: tree.count(count)?, view })
    }

    /// The storage with what is said of it.
    pub(super) fn typed(&self, storage: Arc<Storage>) -> Option<Typed> {
        let (first, count) = self.view.unwrap_or((0, self.count));
        let inside = first.checked_add(count).is_some_and(|end| end <= self.count);
        inside.then_some(Typed { storage, dtype: self.dtype, first, count })
    }
}

/// The storages behind the pickles.
struct Stored<'a> {
    region: &'a Region,
    storages: HashMap<String, Arc<Storage>>,
}

impl Keeper for Stored<'_> {
    fn find(&mut self, tree: &Tree, id: Id) -> Result<Option<Node>> {
        let Some(declared) = Declared::of(tree, id) else { return Ok(None) };
        let storage = self.storages.get(declared.key).cloned();
        let typed = storage.and_then(|storage| declared.typed(storage)).ok_or_else(|| {
            let reason = format!("names a storage {:?} that it does not hold", declared.key);
            Error::file(self.region.path(), reason).with_hint("It is damaged: copy or download it again.")
        })?;
        Ok(Some(Node::Storage(typed)))
    }
}
