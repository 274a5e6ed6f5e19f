//! Image files in a folder or zip archive, with classes from `dataset.json` or from sub-folders.

use crate::classes;
use crate::decode::{decoded, is_grey};
use crate::image::Image;
use crate::notice::{Matter, Met, Notice};
use crate::source::Source;
use crate::store::{Store, is_image_name, places};
use base::{Error, Result};
use std::collections::BTreeMap;

/// The file of classes that `StyleGAN` writes.
const DATASET: &str = "dataset.json";
/// The longest file of classes that is read: 4 MiB, or 512 bytes for each file that is there.
const DATASET_LIMIT: u64 = 4 << 20;
/// The headers of nearly all images lie within this many bytes; of others the whole file is read.
const HEADER: u64 = 64 << 10;

/// Image files, sorted by name.
pub(crate) struct ImageFiles {
    store: Store,
    /// The images among the store's files.
    images: Vec<usize>,
    places: Vec<String>,
    /// A class for each of `images`, or nothing at all.
    labels: Vec<u32>,
    label_names: Vec<String>,
    /// Images outside of all sub-folders where others are in some.
    strays: Vec<String>,
    met: Met,
}

impl ImageFiles {
    /// Finds the images of a store and their classes.
    ///
    /// # Errors
    /// There is no image; or `dataset.json` is broken, names an absent file, or leaves an image without a class.
    pub(crate) fn new(store: Store) -> Result<Self> {
        let images: Vec<usize> = (0..store.names().len()).filter(|&i| is_image_name(&store.names()[i])).collect();
        if images.is_empty() {
            return Err(Error::file(store.root(), format!("holds no images ({})", store.contents()))
                .with_hint("PNG, JPEG, WebP, BMP and GIF files are read, also in sub-folders."));
        }
        let names: Vec<&str> = images.iter().map(|&i| store.names()[i].as_str()).collect();
        let folder = common_folder(&names);
        let (labels, mut label_names, strays) = match dataset_json(&store, &images)? {
            Some(labels) => (labels, Vec::new(), Vec::new()),
            None => folder_classes(&names, folder),
        };
        if label_names.is_empty() && !labels.is_empty() {
            label_names = classes::names_of(&store, folder)?;
        }
        let (met, places) = (Met::nothing(images.len()), places(names.iter().copied()));
        Ok(Self { store, images, places, labels, label_names, strays, met })
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

    fn place(&self, index: u64) -> String {
        usize::try_from(index).ok().and_then(|i| self.places.get(i)).cloned().unwrap_or_else(|| index.to_string())
    }

    fn load(&self, index: u64) -> Result<Image> {
        let file = self.file(index)?;
        let decoded = decoded(&self.store.read(file)?, &self.store.path(file))?;
        self.met.add_image(index as usize, &decoded);
        Ok(decoded.image)
    }

    fn is_grey(&self, index: u64) -> Result<bool> {
        let file = self.file(index)?;
        match is_grey(&self.store.start(file, HEADER)?) {
            Some(grey) => Ok(grey),
            None => Ok(self.load(index)?.channels == 1),
        }
    }

    fn label(&self, index: u64) -> Option<u32> {
        self.labels.get(usize::try_from(index).ok()?).copied()
    }

    fn label_names(&self) -> &[String] {
        &self.label_names
    }

    fn notices(&self) -> Vec<Notice> {
        let is_used = |name: &str| [DATASET, classes::FILE].contains(&name.rsplit('/').next().unwrap_or(name));
        let mut notices = self.store.left_out(is_used);
        notices.extend(Notice::of(Matter::WithoutFolder, self.strays.clone()));
        notices.extend(self.met.notices(|index| self.name(index as u64)));
        notices
    }
}

/// The form of `StyleGAN`'s `dataset.json`.
#[derive(serde::Deserialize)]
struct DatasetJson {
    /// `null` where the images have no classes.
    labels: Option<Vec<(String, u32)>>,
}

/// The classes that `dataset.json` gives, in the order of `images`. It may lie in a folder of the store; its names begin there.
fn dataset_json(store: &Store, images: &[usize]) -> Result<Option<Vec<u32>>> {
    let is_one = |name: &String| name.strip_suffix(DATASET).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    let all: Vec<usize> = (0..store.names().len()).filter(|&i| is_one(&store.names()[i])).collect();
    let Some(file) = store.find(DATASET).or(all.first().copied()) else { return Ok(None) };
    let wrong = |reason: String| Error::file(store.path(file), reason);
    if all.len() > 1 && store.find(DATASET).is_none() {
        return Err(wrong(format!("is one of {} files of this name", all.len()))
            .with_hint("Give the folder of one of them, or an archive of that folder."));
    }
    let folder = store.names()[file].strip_suffix(DATASET).unwrap_or_default();
    let limit = DATASET_LIMIT.max(512 * store.names().len() as u64);
    let parsed: DatasetJson = serde_json::from_slice(&store.read_at_most(file, limit)?).map_err(|e| {
        wrong(format!("is not understood: {e}")).with_hint(r#"Its form is {"labels": [["folder/name.png", 3], ...]}."#)
    })?;
    let Some(labels) = parsed.labels else { return Ok(None) };
    let by_name: BTreeMap<&str, u32> = labels.iter().map(|(name, class)| (name.as_str(), *class)).collect();
    if let Some((absent, _)) = labels.iter().find(|(name, _)| store.find(&format!("{folder}{name}")).is_none()) {
        return Err(wrong(format!("names the file {absent:?}, which is not there"))
            .with_hint("Remove the entry, or add the file. Names are relative to dataset.json."));
    }
    let class = |&image: &usize| {
        let name = &store.names()[image];
        let class = name.strip_prefix(folder).and_then(|name| by_name.get(name)).copied();
        class.ok_or_else(|| wrong(format!("gives no class to the image {name:?}")))
    };
    images.iter().map(class).collect::<Result<_>>().map(Some)
}

/// The folder that all of these names lie in, with a `/` at its end; `""` where there is none.
pub(crate) fn common_folder<'a>(names: &[&'a str]) -> &'a str {
    let Some((first, rest)) = names.split_first() else { return "" };
    let folders = first.match_indices('/').map(|(at, _)| &first[..=at]);
    folders.take_while(|folder| rest.iter().all(|name| name.starts_with(folder))).last().unwrap_or("")
}

/// The folder of each name as its class, if every image lies in a folder (below that in which all lie) and there are at least two
/// of them. Else the images that lie in none, where others do.
fn folder_classes(names: &[&str], all_in: &str) -> (Vec<u32>, Vec<String>, Vec<String>) {
    let folder = |name: &&'_ str| name.get(all_in.len()..).and_then(|name| Some(name.split_once('/')?.0.to_owned()));
    let folders: Vec<Option<String>> = names.iter().map(folder).collect();
    let mut known: Vec<String> = folders.iter().flatten().cloned().collect();
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 {
        return Default::default();
    }
    let classes: Option<Vec<u32>> =
        folders.iter().map(|folder| known.binary_search(folder.as_ref()?).ok().map(|class| class as u32)).collect();
    match classes {
        Some(classes) => (classes, known, Vec::new()),
        None => {
            let strays = names.iter().zip(&folders).filter(|(_, folder)| folder.is_none());
            (Vec::new(), Vec::new(), strays.map(|(name, _)| (*name).to_owned()).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_all_names_is_found() {
        assert_eq!(common_folder(&["a/b/1.png", "a/b/c/2.png"]), "a/b/");
        assert_eq!(common_folder(&["a/1.png", "ab/2.png"]), "");
        assert_eq!(common_folder(&["a/1.png"]), "a/");
        assert_eq!(common_folder(&[]), "");
    }

    #[test]
    fn folders_are_classes_below_the_folder_of_all() {
        let names = ["train/cat/1.png", "train/cat/x/2.png", "train/dog/1.png"];
        let (classes, known, strays) = folder_classes(&names, "train/");
        assert_eq!((classes, known, strays), (vec![0, 0, 1], vec!["cat".into(), "dog".into()], Vec::new()));
        let with_stray = ["train/cat/1.png", "train/dog/1.png", "train/x.png"];
        assert_eq!(folder_classes(&with_stray, "train/"), (Vec::new(), Vec::new(), vec!["train/x.png".to_owned()]));
        assert_eq!(folder_classes(&["a/1.png", "x.png"], ""), Default::default());
    }
}
