//! Labelled sets: `images/NAME.jpg` with `labels/NAME.png` and `classes.json`, in a folder or zip archive, or in a folder of it.

use crate::classes;
use crate::decode::{Frame, decode_labels, decoded, frame, is_grey, no_labels};
use crate::image::{Image, LabelMap, Plane};
use crate::notice::{Matter, Met, Notice, shown};
use crate::source::Source;
use crate::store::{Store, format_of, is_image_name, places, stem};
use base::{Error, Result};
use image::ImageFormat;
use image::metadata::Orientation;
use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::OnceLock;

/// What people call folders of label maps. Together with images of the same names they are not images to learn from.
const FOLDERS_OF_LABELS: [&str; 10] = [
    "labels",
    "label",
    "masks",
    "mask",
    "annotations",
    "annotation",
    "segmentations",
    "SegmentationClass",
    "SegmentationObject",
    "gt",
];
/// What to do about such a folder.
const CURE: &str = "For a labelled set call the folders images and labels and put classes.json beside them. For the images alone \
    give their folder.";

/// Images with one label map each.
pub(crate) struct Segmented {
    store: Store,
    /// The folder of label maps, with a `/` at its end.
    labels: String,
    places: Vec<String>,
    /// The store's files of each image and of its label map.
    pairs: Vec<(usize, usize)>,
    /// How each image lies, once that is known.
    frames: Vec<OnceLock<Frame>>,
    plane: Plane,
    met: Met,
}

/// The two folders of a labelled set, with a `/` at their ends.
struct Parts {
    /// In which both lie.
    folder: String,
    images: String,
    labels: String,
}

impl Segmented {
    /// Pairs images and label maps of a store that has the form of a labelled set; gives back another one.
    ///
    /// # Errors
    /// `classes.json` is missing or broken, an image has no label map, label maps are of a kind that is not exact; there are
    /// several labelled sets; or there are label maps in other folders than those of a labelled set.
    pub(crate) fn open(store: Store) -> Result<Result<Self, Store>> {
        let Some(parts) = parts(&store)? else {
            refuse_label_maps(&store)?;
            return Ok(Err(store));
        };
        let Some(plane) = classes::read(&store, &parts.folder)? else {
            return Err(Error::file(store.root(), "has images and labels but no classes.json").with_hint(
                "Put a classes.json into it or beside it: a list of the class names in the order of their indices.",
            ));
        };
        let mut maps = BTreeMap::new();
        for (index, name) in store.names().iter().enumerate() {
            let Some(inside) = name.strip_prefix(&parts.labels).filter(|n| is_image_name(n)) else { continue };
            let path = store.path(index);
            match format_of(name) {
                Some(ImageFormat::Png | ImageFormat::Bmp) | None => {}
                Some(format) => return Err(no_labels(&path, format)),
            }
            if let Some(other) = maps.insert(stem(inside), index) {
                let reason = format!("is a second label map of one image, beside {}", store.names()[other]);
                return Err(Error::file(path, reason));
            }
        }
        let mut pairs = Vec::new();
        for (image, name) in store.names().iter().enumerate() {
            let Some(inside) = name.strip_prefix(&parts.images).filter(|n| is_image_name(n)) else { continue };
            let Some(&map) = maps.get(stem(inside)) else {
                let reason = format!("has no label map: {}{}.png is missing", parts.labels, stem(inside));
                return Err(Error::file(store.path(image), reason));
            };
            pairs.push((image, map));
        }
        let (met, frames) = (Met::nothing(pairs.len()), pairs.iter().map(|_| OnceLock::new()).collect());
        let inside = |&(image, _): &(usize, usize)| store.names()[image].get(parts.images.len()..).unwrap_or_default();
        let places = places(pairs.iter().map(inside));
        let labels = parts.labels;
        Ok(Ok(Self { store, labels, places, pairs, frames, plane, met }))
    }

    fn pair(&self, index: u64) -> Result<(usize, usize)> {
        let found = usize::try_from(index).ok().and_then(|i| self.pairs.get(i)).copied();
        found.ok_or_else(|| Error::file(self.store.root(), format!("has no image {index}")))
    }

    /// How image `index` lies: known since it was read, else from its header.
    fn frame(&self, index: u64) -> Result<Frame> {
        let (image, _) = self.pair(index)?;
        let cell = self.frames.get(index as usize);
        if let Some(frame) = cell.and_then(OnceLock::get) {
            return Ok(*frame);
        }
        let found = frame(&self.store.read(image)?, &self.store.path(image))?;
        Ok(cell.map_or(found, |cell| *cell.get_or_init(|| found)))
    }

    /// The label map of image `index` as its photo is shown: it has that size, or it is of the stored pixels and is turned as
    /// they are.
    fn fitted(&self, map: LabelMap, index: u64) -> Result<LabelMap> {
        let frame = self.frame(index)?;
        let (size, fits_stored) = ((map.width, map.height), (map.width, map.height) == frame.stored);
        if size == frame.shown() {
            if fits_stored && frame.orientation != Orientation::NoTransforms {
                self.met.add(index as usize, Matter::UnsureLabels);
            }
            return Ok(map);
        }
        if fits_stored {
            self.met.add(index as usize, Matter::TurnedLabels);
            return Ok(frame.turned(map));
        }
        let text = |(width, height): (usize, usize)| format!("{width}x{height}");
        let stored = if frame.stored == frame.shown() {
            String::new()
        } else {
            format!(" as it is shown ({} as stored)", text(frame.stored))
        };
        let (photo, map) = (text(frame.shown()), text(size));
        Err(Error::file(self.name(index), format!("has {photo} pixels{stored}, its label map has {map}"))
            .with_hint("A label map has the size of its image: make it anew from the image as it is."))
    }
}

impl Source for Segmented {
    fn len(&self) -> Option<usize> {
        Some(self.pairs.len())
    }

    fn name(&self, index: u64) -> String {
        self.pair(index).map_or_else(|_| index.to_string(), |(image, _)| self.store.path(image).display().to_string())
    }

    fn place(&self, index: u64) -> String {
        usize::try_from(index).ok().and_then(|i| self.places.get(i)).cloned().unwrap_or_else(|| index.to_string())
    }

    fn load(&self, index: u64) -> Result<Image> {
        let (image, _) = self.pair(index)?;
        let decoded = decoded(&self.store.read(image)?, &self.store.path(image))?;
        if let Some(cell) = self.frames.get(index as usize) {
            // The file may have changed since; what is known of it stays.
            cell.get_or_init(|| decoded.frame);
        }
        self.met.add_image(index as usize, &decoded);
        Ok(decoded.image)
    }

    fn planes(&self) -> &[Plane] {
        slice::from_ref(&self.plane)
    }

    fn maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        let (_, file) = self.pair(index)?;
        let path = self.store.path(file);
        let map = decode_labels(&self.store.read(file)?, &path)?;
        let unknown =
            |&&class: &&u16| usize::from(class) >= self.plane.classes.len() && Some(class) != self.plane.ignore;
        if let Some(class) = map.classes.iter().find(unknown) {
            let reason = format!("holds the class {class}; classes.json names {}", self.plane.classes.len());
            return Err(Error::file(path, reason));
        }
        Ok(vec![self.fitted(map, index)?])
    }

    fn notices(&self) -> Vec<Notice> {
        let used: BTreeSet<usize> = self.pairs.iter().flat_map(|&(image, map)| [image, map]).collect();
        let spare = |wanted: &dyn Fn(&str) -> bool| {
            let names = self.store.names().iter().enumerate();
            let spare = names.filter(|(index, name)| !used.contains(index) && is_image_name(name) && wanted(name));
            spare.map(|(_, name)| name.clone()).collect::<Vec<_>>()
        };
        let mut notices = self.store.left_out(|name| name.rsplit('/').next() == Some(classes::FILE));
        notices.extend(Notice::of(Matter::WithoutImage, spare(&|name| name.starts_with(&self.labels))));
        notices.extend(Notice::of(Matter::OutsideOfSet, spare(&|name| !name.starts_with(&self.labels))));
        notices.extend(self.met.notices(|index| self.name(index as u64)));
        notices
    }
}

/// The first folder of a name that is called `wanted`, in any case: what lies before it, and all up to its end.
fn folder_called<'a>(name: &'a str, wanted: &str) -> Option<(&'a str, &'a str)> {
    let mut start = 0;
    for (end, _) in name.match_indices('/') {
        if name[start..end].eq_ignore_ascii_case(wanted) {
            return Some((&name[..start], &name[..=end]));
        }
        start = end + 1;
    }
    None
}

/// The folders of a labelled set, if there is one: `images` and `labels` in one folder, with images in both.
fn parts(store: &Store) -> Result<Option<Parts>> {
    let folders = |wanted: &str| {
        let names = store.names().iter().filter(|name| is_image_name(name));
        names.filter_map(|name| folder_called(name, wanted)).collect::<BTreeMap<_, _>>()
    };
    let (images, labels) = (folders("images"), folders("labels"));
    let both: Vec<&str> = images.keys().copied().filter(|folder| labels.contains_key(folder)).collect();
    match *both.as_slice() {
        [] => Ok(None),
        [folder] => Ok(Some(Parts {
            folder: folder.to_owned(),
            images: images[folder].to_owned(),
            labels: labels[folder].to_owned(),
        })),
        _ => {
            let names: Vec<String> = both.iter().map(|folder| format!("{:?}", folder.trim_end_matches('/'))).collect();
            Err(Error::file(store.root(), format!("holds {} labelled sets, in {}", both.len(), shown(&names)))
                .with_hint("Give one of these folders, or an archive of it."))
        }
    }
}

/// Refuses a store in which label maps would be taken for images.
fn refuse_label_maps(store: &Store) -> Result<()> {
    let images = || store.names().iter().enumerate().filter(|(_, name)| is_image_name(name));
    for wanted in FOLDERS_OF_LABELS {
        let mut inside = BTreeMap::<&str, Vec<(usize, &str)>>::new();
        for (index, name) in images() {
            if let Some((_, folder)) = folder_called(name, wanted) {
                inside.entry(folder).or_default().push((index, name));
            }
        }
        for (folder, maps) in inside {
            let file = |name: &'_ str| stem(name).rsplit('/').next().unwrap_or_default().to_owned();
            let others: BTreeMap<String, usize> = images()
                .filter(|(_, name)| !name.starts_with(folder))
                .map(|(index, name)| (file(name), index))
                .collect();
            let Some((map, name)) = maps.first().copied() else { continue };
            let Some(&image) = others.get(&file(name)) else { continue };
            // Folders of classes have such names, too, and the images in them may be numbered alike. They are of one kind, though.
            if maps.iter().all(|(_, name)| others.contains_key(&file(name)))
                && looks_like_labels(store, map)
                && !looks_like_labels(store, image)
            {
                let path = store.root().join(folder.trim_end_matches('/'));
                return Err(Error::file(path, "looks like the label maps of the images beside it").with_hint(CURE));
            }
        }
    }
    Ok(())
}

/// Whether a file is what label maps are: in grey, or with a palette.
fn looks_like_labels(store: &Store, index: usize) -> bool {
    let Ok(bytes) = store.read(index) else { return false };
    let palette = matches!(format_of(&store.names()[index]), Some(ImageFormat::Png | ImageFormat::Bmp))
        && decode_labels(&bytes, &store.path(index)).is_ok();
    palette || is_grey(&bytes) == Some(true)
}
