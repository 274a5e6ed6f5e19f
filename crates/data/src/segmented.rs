//! Labelled sets: `images/NAME.jpg` with `labels/NAME.png` and `classes.json`, in a folder or zip archive.

use crate::classes;
use crate::decode::{decode, decode_labels};
use crate::image::{Image, LabelMap, Plane};
use crate::source::Source;
use crate::store::{Store, is_image_name};
use base::{Error, Result};
use std::slice;

/// Images with one label map each.
pub(crate) struct Segmented {
    store: Store,
    /// The store's files of each image and of its label map.
    pairs: Vec<(usize, usize)>,
    plane: Plane,
}

impl Segmented {
    /// Whether a store has the form of a labelled set.
    pub(crate) fn is_one(store: &Store) -> bool {
        let has = |prefix: &str, ending: &str| {
            store.names().iter().any(|n| n.starts_with(prefix) && is_image_name(n) && n.ends_with(ending))
        };
        has("images/", "") && has("labels/", ".png")
    }

    /// Pairs images and label maps.
    ///
    /// # Errors
    /// `classes.json` is missing or broken, or an image has no label map.
    pub(crate) fn new(store: Store) -> Result<Self> {
        let Some(plane) = classes::read(&store)? else {
            return Err(Error::file(store.root(), "has images and labels but no classes.json").with_hint(
                "Put a classes.json into it or beside it: a list of the class names in the order of their indices.",
            ));
        };
        let mut pairs = Vec::new();
        for (image, name) in store.names().iter().enumerate() {
            let Some(stem) = name.strip_prefix("images/").filter(|n| is_image_name(n)).and_then(|n| n.rsplit_once('.'))
            else {
                continue;
            };
            let map = format!("labels/{}.png", stem.0);
            let Some(map) = store.find(&map) else {
                return Err(Error::file(store.path(image), format!("has no label map: {map} is missing")));
            };
            pairs.push((image, map));
        }
        Ok(Self { store, pairs, plane })
    }

    fn pair(&self, index: u64) -> Result<(usize, usize)> {
        let found = usize::try_from(index).ok().and_then(|i| self.pairs.get(i)).copied();
        found.ok_or_else(|| Error::file(self.store.root(), format!("has no image {index}")))
    }
}

impl Source for Segmented {
    fn len(&self) -> Option<usize> {
        Some(self.pairs.len())
    }

    fn name(&self, index: u64) -> String {
        self.pair(index).map_or_else(|_| index.to_string(), |(image, _)| self.store.path(image).display().to_string())
    }

    fn load(&self, index: u64) -> Result<Image> {
        let (image, _) = self.pair(index)?;
        decode(&self.store.read(image)?, &self.store.path(image))
    }

    fn planes(&self) -> &[Plane] {
        slice::from_ref(&self.plane)
    }

    fn maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        let (_, file) = self.pair(index)?;
        let path = self.store.path(file);
        let map = decode_labels(&self.store.read(file)?, &path)?;
        let known = |&&class: &&u16| usize::from(class) >= self.plane.classes.len() && Some(class) != self.plane.ignore;
        if let Some(class) = map.classes.iter().find(known) {
            let reason = format!("holds the class {class}; classes.json names {}", self.plane.classes.len());
            return Err(Error::file(path, reason));
        }
        Ok(vec![map])
    }
}
