//! The zip archives in which `PyTorch` saves since 2020: `data.pkl` and a member for each storage, in one folder.

use super::legacy::Declared;
use super::rebuild::{Keeper, resolve};
use crate::pickle::{self, Budget, Id, Node, Tree};
use crate::storage::{Drawer, Storage};
use base::archive::Archive;
use base::{Error, Region, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// The longest pickle of objects that is unpacked into memory.
const LONGEST_PICKLE: u64 = 64 << 20;
const PICKLE: &str = "/data.pkl";

/// Whether an archive is one of `PyTorch`'s.
pub(crate) fn holds_pickle(archive: &Archive) -> bool {
    archive.members().iter().any(|member| member.name.ends_with(PICKLE))
}

/// An archive of `PyTorch`'s that was opened.
pub(crate) struct Zip<'a> {
    region: &'a Region,
    archive: Arc<Archive>,
    drawer: Arc<Drawer>,
    /// The members by their names, without the folder.
    members: HashMap<String, usize>,
    storages: HashMap<String, Arc<Storage>>,
    big_endian: bool,
}

impl<'a> Zip<'a> {
    /// Finds its way in an archive.
    ///
    /// # Errors
    /// There are two pickles, or two members of one name.
    pub(crate) fn new(archive: Archive, region: &'a Region) -> Result<Self> {
        let wrong = |reason: String| Error::file(region.path(), reason);
        let mut folders = archive.members().iter().filter_map(|member| member.name.strip_suffix(PICKLE));
        let folder = folders.next().unwrap_or_default().to_owned();
        if let Some(second) = folders.next() {
            return Err(wrong(format!("holds two pickles, in {folder:?} and {second:?}")));
        }
        let mut members = HashMap::new();
        for (index, member) in archive.members().iter().enumerate() {
            let inside = member.name.strip_prefix(&folder).and_then(|name| name.strip_prefix('/'));
            if let Some(name) = inside.filter(|_| !member.is_dir)
                && members.insert(name.to_owned(), index).is_some()
            {
                return Err(wrong(format!("holds two members of the name {:?}", member.name)));
            }
        }
        let mut zip = Self {
            region,
            archive: Arc::new(archive),
            drawer: Arc::default(),
            members,
            storages: HashMap::new(),
            big_endian: false,
        };
        if let Some(&index) = zip.members.get("byteorder") {
            let order = zip.archive.read(index, 64)?;
            zip.big_endian = match order.trim_ascii() {
                b"little" => false,
                b"big" => true,
                _ => return Err(wrong("says nothing of the order of its bytes that is known".into())),
            };
        }
        Ok(zip)
    }

    /// Whether it holds code, as `TorchScript` does.
    pub(crate) fn is_script(&self) -> bool {
        self.members.contains_key("constants.pkl") || self.members.keys().any(|name| name.starts_with("code/"))
    }

    /// What is in it.
    ///
    /// # Errors
    /// Its pickle is not whole, or a storage is not what the pickle says.
    pub(crate) fn read(mut self, budget: &mut Budget) -> Result<Tree> {
        let index = self.members.get("data.pkl").copied().unwrap_or(usize::MAX);
        let pickle = match self.archive.stored(index)? {
            Some(region) => {
                self.archive.check(index)?;
                region
            }
            None => Region::from_bytes(self.archive.read(index, LONGEST_PICKLE)?, self.archive.path_of(index)),
        };
        let (mut tree, _) = pickle::read(&pickle, 0, budget)?;
        let region = self.region;
        resolve(&mut tree, region, &mut self, budget)?;
        Ok(tree)
    }
}

impl Keeper for Zip<'_> {
    fn find(&mut self, tree: &Tree, id: Id) -> Result<Option<Node>> {
        let Some(declared) = Declared::of(tree, id) else { return Ok(None) };
        let key = declared.key;
        let wrong = |reason: String| {
            Error::file(self.region.path(), reason).with_hint("It is damaged, or was cut: copy or download it again.")
        };
        let storage = match self.storages.get(key) {
            Some(known) => known.clone(),
            None => {
                let index = self.members.get(&format!("data/{key}")).copied();
                let index = index.ok_or_else(|| wrong(format!("names a storage {key:?} that it does not hold")))?;
                let length = self.region.length();
                let storage = Storage::member(&self.archive, index, &self.drawer, length, self.big_endian)?;
                self.storages.entry(key.to_owned()).or_insert(Arc::new(storage)).clone()
            }
        };
        let needed = declared.count.checked_mul(declared.dtype.bits()).map(|bits| bits.div_ceil(8));
        if needed != Some(storage.length()) {
            let (count, name, stored) = (declared.count, declared.dtype.name(), storage.length());
            return Err(wrong(format!(
                "declares {count} {name} numbers of its storage {key:?}, and stores {stored} bytes"
            )));
        }
        let typed =
            declared.typed(storage).ok_or_else(|| wrong(format!("names a part of {key:?} that is not there")))?;
        Ok(Some(Node::Storage(typed)))
    }
}
