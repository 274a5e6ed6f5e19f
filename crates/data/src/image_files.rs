//! Image files in a folder or zip archive, with classes from `dataset.json` or from sub-folders.

use crate::classes;
use crate::decode::decode;
use crate::image::Image;
use crate::source::Source;
use crate::store::{Store, is_image_name};
use base::{Error, Result};
use std::collections::BTreeMap;

/// Image files, sorted by name.
pub(crate) struct ImageFiles {
    store: Store,
    /// The images among the store's files.
    images: Vec<usize>,
    /// A class for each of `images`, or nothing at all.
    labels: Vec<u32>,
    label_names: Vec<String>,
}

impl ImageFiles {
    /// Finds the images of a store and their classes.
    ///
    /// # Errors
    /// There is no image; or `dataset.json` is broken, names an absent file, or leaves an image without a class.
    pub(crate) fn new(store: Store) -> Result<Self> {
        let images: Vec<usize> = (0..store.names().len()).filter(|&i| is_image_name(&store.names()[i])).collect();
        if images.is_empty() {
            return Err(Error::file(store.root(), "holds no images")
                .with_hint("PNG, JPEG, WebP, BMP and GIF files are read, also in sub-folders."));
        }
        let (labels, mut label_names) = match dataset_json(&store, &images)? {
            Some(labels) => (labels, Vec::new()),
            None => folder_classes(&store, &images).unwrap_or_default(),
        };
        if label_names.is_empty() && !labels.is_empty() {
            label_names = classes::names_of(&store)?;
        }
        Ok(Self { store, images, labels, label_names })
    }

    fn file(&self, index: u64) -> Result<usize> {
        let found = usize::try_from(index).ok().and_then(|i| self.images.get(i)).copied();
        found.ok_or_else(|| Error::file(self.store.root(), format!("has no image {index}")))
    }
}

impl Source for ImageFiles {
    fn len(&self) -> Option<usize> {
        Some(self.images.len())
    }

    fn name(&self, index: u64) -> String {
        self.file(index).map_or_else(|_| index.to_string(), |file| self.store.path(file).display().to_string())
    }

    fn load(&self, index: u64) -> Result<Image> {
        let file = self.file(index)?;
        decode(&self.store.read(file)?, &self.store.path(file))
    }

    fn label(&self, index: u64) -> Option<u32> {
        self.labels.get(usize::try_from(index).ok()?).copied()
    }

    fn label_names(&self) -> &[String] {
        &self.label_names
    }
}

/// The form of `StyleGAN`'s `dataset.json`.
#[derive(serde::Deserialize)]
struct DatasetJson {
    /// `null` where the images have no classes.
    labels: Option<Vec<(String, u32)>>,
}

/// The classes that `dataset.json` gives, in the order of `images`.
fn dataset_json(store: &Store, images: &[usize]) -> Result<Option<Vec<u32>>> {
    let Some(file) = store.find("dataset.json") else { return Ok(None) };
    let wrong = |reason: String| Error::file(store.path(file), reason);
    let parsed: DatasetJson = serde_json::from_slice(&store.read(file)?).map_err(|e| {
        wrong(format!("is not understood: {e}")).with_hint(r#"Its form is {"labels": [["folder/name.png", 3], ...]}."#)
    })?;
    let Some(labels) = parsed.labels else { return Ok(None) };
    let by_name: BTreeMap<&str, u32> = labels.iter().map(|(name, class)| (name.as_str(), *class)).collect();
    if let Some((absent, _)) = labels.iter().find(|(name, _)| store.find(name).is_none()) {
        return Err(wrong(format!("names the file {absent:?}, which is not there"))
            .with_hint("Remove the entry, or add the file. Names are relative to dataset.json."));
    }
    let class = |&image: &usize| {
        let name = &store.names()[image];
        by_name.get(name.as_str()).copied().ok_or_else(|| wrong(format!("gives no class to the image {name:?}")))
    };
    images.iter().map(class).collect::<Result<_>>().map(Some)
}

/// The first folder of each name as its class, if every image lies in a folder and there are at least two of them.
fn folder_classes(store: &Store, images: &[usize]) -> Option<(Vec<u32>, Vec<String>)> {
    let folders: Vec<&str> =
        images.iter().map(|&i| Some(store.names()[i].split_once('/')?.0)).collect::<Option<_>>()?;
    let mut names = folders.clone();
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return None;
    }
    let class = |folder: &&str| names.binary_search(folder).unwrap_or_default() as u32;
    Some((folders.iter().map(class).collect(), names.into_iter().map(str::to_owned).collect()))
}
