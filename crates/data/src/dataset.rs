//! A data set as the rest of the program sees it: items of one shape.

use crate::image::{Image, LabelMap, Plane};
use crate::notice::{Matter, Notice};
use crate::open::{BUILT_IN, Broken, Channels, Options};
use crate::resize::{labels_to_size, to_size};
use crate::source::Source;
use crate::toys::Toy;
use base::{Error, Result};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::OnceLock;

/// A set whose images take at most this many bytes (1 GiB) is decoded once and then kept in memory, a byte a value.
pub const CACHE_LIMIT: u64 = 1 << 30;

/// To know whether a set is grey, this many of its images are looked at, spread evenly over it.
const LOOKED_AT: u64 = 1000;

/// What a data set consists of.
pub enum Content {
    /// Images.
    Images(Box<dyn Source>),
    /// Points of the plane.
    Points(Toy),
}

/// An indexed set of images of one shape, or of points of the plane.
pub struct Dataset {
    name: String,
    content: Content,
    options: Options,
    shape: Vec<usize>,
    /// The source's items that belong to the set, where not all do.
    kept: Option<Vec<u64>>,
    /// What was left out when it was opened.
    left: Vec<Notice>,
    /// Finished pixels by index; empty where they would take too much memory or are made, not read.
    cache: Vec<OnceLock<Box<[u8]>>>,
}

impl Dataset {
    /// Wraps a source: what [`crate::open`] does for the known kinds.
    ///
    /// # Errors
    /// There is no image, or (where they are not to be skipped) the first one cannot be read.
    pub fn new(name: &str, content: Content, options: Options) -> Result<Self> {
        let mut set = Self {
            name: name.to_owned(),
            content,
            options,
            shape: vec![2],
            kept: None,
            left: Vec::new(),
            cache: Vec::new(),
        };
        let Content::Images(source) = &set.content else { return Ok(set) };
        if source.is_empty() {
            return Err(Error::file(name, "holds no images"));
        }
        // Every image follows the first readable one where options leave it open; when nothing may be skipped, that
        // is the first.
        let skip = set.options.broken == Broken::Skip && source.len().is_some();
        let candidates = if skip { source.len().unwrap_or(1) as u64 } else { 1 };
        let mut first = source.load(0);
        for index in 1..candidates {
            if first.is_ok() {
                break;
            }
            first = source.load(index);
        }
        let first = first?;
        let channels = match set.options.channels {
            Channels::Native if first.channels == 3 => 3,
            Channels::Native => {
                let look_at = if skip { candidates } else { LOOKED_AT };
                if has_colour(source.as_ref(), look_at) { 3 } else { 1 }
            }
            Channels::Grey => 1,
            Channels::Rgb => 3,
        };
        let (height, width) = set.options.size.map_or((first.height, first.width), |size| (size.height, size.width));
        set.shape = vec![channels, height, width];
        let bytes = (channels * height * width) as u64;
        let worth_it = !source.in_memory() || set.options.size.is_some();
        if let Some(n) = source.len()
            && worth_it
            && (n as u64).checked_mul(bytes).is_some_and(|total| total <= CACHE_LIMIT)
        {
            set.cache = (0..n).map(|_| OnceLock::new()).collect();
        }
        if skip {
            set.leave_out_broken(candidates);
            if set.is_empty() {
                let why: Vec<String> = set.left.iter().map(ToString::to_string).collect();
                return Err(Error::file(name, format!("has no image that can be used: {}", why.join("; "))));
            }
        }
        Ok(set)
    }

    /// Reads every image once, in parallel, and remembers which can be used.
    fn leave_out_broken(&mut self, n: u64) {
        let fates: Vec<Option<Matter>> = (0..n).into_par_iter().map(|index| self.obstacle(index)).collect();
        let of = |wanted: Option<Matter>| (0..n).filter(|&i| fates[i as usize] == wanted).collect::<Vec<u64>>();
        let names = |indices: Vec<u64>| indices.into_iter().map(|i| self.source_name(i)).collect();
        let matters = [Matter::Unreadable, Matter::OtherSize, Matter::BadLabels];
        let left: Vec<Notice> =
            matters.into_iter().filter_map(|matter| Notice::of(matter, names(of(Some(matter))))).collect();
        if !left.is_empty() {
            self.kept = Some(of(None));
            self.left = left;
        }
    }

    /// Why an image of the source cannot be used, if that is so.
    fn obstacle(&self, index: u64) -> Option<Matter> {
        let Ok(image) = self.source().and_then(|source| source.load(index)) else { return Some(Matter::Unreadable) };
        if self.keep(image, index).is_err() {
            return Some(Matter::OtherSize);
        }
        self.source_maps(index).is_err().then_some(Matter::BadLabels)
    }

    /// The items `range` alone, counted anew from 0: a part of a finite set to learn from, another to judge by.
    ///
    /// # Errors
    /// The set has no end, or the range is empty or reaches beyond it.
    pub fn only(mut self, range: Range<usize>) -> Result<Self> {
        let wrong = |reason: String| Error::file(&self.name, format!("has no items {range:?}: {reason}"));
        let Some(n) = self.len() else { return Err(wrong("there is no end to them".into())) };
        if range.is_empty() || range.end > n {
            return Err(wrong(format!("there are {n}")));
        }
        self.kept = Some(match self.kept.take() {
            Some(kept) => kept[range].to_vec(),
            None => (range.start as u64..range.end as u64).collect(),
        });
        Ok(self)
    }

    /// The word by which it was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The options with which it was opened.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What it consists of.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The toy distribution, if it is one.
    pub fn toy(&self) -> Option<Toy> {
        if let Content::Points(toy) = self.content { Some(toy) } else { None }
    }

    /// The number of items; `None` where there is no end to them.
    pub fn len(&self) -> Option<usize> {
        match (&self.kept, &self.content) {
            (Some(kept), _) => Some(kept.len()),
            (None, Content::Images(source)) => source.len(),
            (None, Content::Points(_)) => None,
        }
    }

    /// Whether there is nothing in it; never true of an opened set.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The shape of one item: `[channels, height, width]`, or `[2]` for points.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The names of the images that were left out because they cannot be read.
    pub fn skipped(&self) -> &[String] {
        self.left.iter().find(|notice| notice.matter == Matter::Unreadable).map_or(&[], |notice| &notice.names)
    }

    /// What it has to say of itself: what was taken where there was a choice, what was left out and why, and what was met in the
    /// images that were read so far.
    pub fn notices(&self) -> Vec<Notice> {
        let built_in = BUILT_IN.contains(&self.name.as_str()) && base::files::is_passed_over(&self.name);
        let mut notices: Vec<Notice> =
            built_in.then(|| Notice::of(Matter::BuiltIn, vec![self.name.clone()])).flatten().into_iter().collect();
        if let Content::Images(source) = &self.content {
            let of_source = source.notices().into_iter();
            // Grey images among others are as they were where the set is grey.
            notices.extend(of_source.filter(|notice| notice.matter != Matter::Grey || self.shape.first() == Some(&3)));
        }
        notices.extend(self.left.iter().cloned());
        notices
    }

    /// The name of an item, for messages.
    pub fn item_name(&self, index: u64) -> String {
        self.source_index(index).map_or_else(|_| index.to_string(), |i| self.source_name(i))
    }

    /// Where an item lies in the set, as a relative path without the ending (`cats/7` for `cats/7.jpg`).
    pub fn place(&self, index: u64) -> String {
        let index = self.source_index(index).unwrap_or(index);
        match &self.content {
            Content::Images(source) => source.place(index),
            Content::Points(_) => format!("point{index:06}"),
        }
    }

    /// The class of an item, where items have classes.
    pub fn label(&self, index: u64) -> Option<u32> {
        let Content::Images(source) = &self.content else { return None };
        source.label(self.source_index(index).ok()?)
    }

    /// The names of the classes, as far as they are known.
    pub fn label_names(&self) -> &[String] {
        if let Content::Images(source) = &self.content { source.label_names() } else { &[] }
    }

    /// What the label maps mean; none for a set without maps.
    pub fn planes(&self) -> &[Plane] {
        if let Content::Images(source) = &self.content { source.planes() } else { &[] }
    }

    /// Image `index`, of the set's shape.
    ///
    /// # Errors
    /// It cannot be read, differs in size where no size was asked for, is out of range, or the set consists of points.
    pub fn image(&self, index: u64) -> Result<Image> {
        self.finished(self.source_index(index)?)
    }

    /// Image `index` as it lies in its file, in its own size and channels.
    ///
    /// # Errors
    /// It cannot be read, is out of range, or the set consists of points.
    pub fn original(&self, index: u64) -> Result<Image> {
        self.source()?.load(self.source_index(index)?)
    }

    /// The label maps of image `index`, one per plane, cropped and resized as the image.
    ///
    /// # Errors
    /// As [`Dataset::image`], or a map and its image differ in size.
    pub fn maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        self.source_maps(self.source_index(index)?)
    }

    /// Image `index` and its label maps: cheaper than asking for each where both are made together.
    ///
    /// # Errors
    /// As [`Dataset::maps`].
    pub fn image_with_maps(&self, index: u64) -> Result<(Image, Vec<LabelMap>)> {
        let index = self.source_index(index)?;
        if self.len().is_some() {
            return Ok((self.finished(index)?, self.source_maps(index)?));
        }
        let (image, maps) = self.source()?.load_with_maps(index)?;
        Ok((self.shaped(image, index)?, self.shaped_maps(maps, index)?))
    }

    /// Item `index` as the numbers that a network sees: planes of an image in `[-1, 1]`, or the two coordinates.
    ///
    /// # Errors
    /// As [`Dataset::image`].
    pub fn values(&self, index: u64) -> Result<Vec<f32>> {
        if let Content::Points(toy) = self.content {
            let points = toy.points(self.options.seed, index..index.saturating_add(1));
            return Ok(points.flatten().map(|v| v as f32).collect());
        }
        Ok(self.image(index)?.to_floats())
    }

    fn source_index(&self, index: u64) -> Result<u64> {
        let Some(n) = self.len() else { return Ok(index) };
        match &self.kept {
            _ if index >= n as u64 => {
                Err(Error::file(&self.name, format!("has no image {index}; it has {n}, counted from 0")))
            }
            Some(kept) => Ok(kept[index as usize]),
            None => Ok(index),
        }
    }

    fn source_name(&self, index: u64) -> String {
        match &self.content {
            Content::Images(source) => source.name(index),
            Content::Points(toy) => format!("point {index} of {}", toy.name()),
        }
    }

    fn source(&self) -> Result<&dyn Source> {
        match &self.content {
            Content::Images(source) => Ok(&**source),
            Content::Points(toy) => Err(Error::setting("data", format!("{} has points, not images", toy.name()))
                .with_hint("Give a data set of images, for example scenes.")),
        }
    }

    /// The image of the source in the shape of the set, from the cache where it is there.
    fn finished(&self, index: u64) -> Result<Image> {
        let source = self.source()?;
        if let Some(pixels) = self.cache.get(index as usize).and_then(OnceLock::get)
            && let [channels, height, width] = *self.shape.as_slice()
        {
            return Ok(Image { width, height, channels, pixels: pixels.to_vec() });
        }
        self.keep(source.load(index)?, index)
    }

    /// An image of the source in the shape of the set, which is remembered where that is worth it.
    fn keep(&self, image: Image, index: u64) -> Result<Image> {
        let image = self.shaped(image, index)?;
        if let Some(cell) = self.cache.get(index as usize) {
            // Another thread may have been quicker; it has stored the same pixels.
            drop(cell.set(image.pixels.clone().into_boxed_slice()));
        }
        Ok(image)
    }

    /// An image of the source in the shape of the set.
    fn shaped(&self, mut image: Image, index: u64) -> Result<Image> {
        let [channels, height, width] = *self.shape.as_slice() else { return Ok(image) };
        if let Some(size) = self.options.size {
            image = to_size(image, size, self.options.crop);
        }
        if (image.width, image.height) != (width, height) {
            let reason =
                format!("has {}x{} pixels where the first image has {width}x{height}", image.width, image.height);
            return Err(Error::file(self.source_name(index), reason)
                .with_hint("Give a size to which all images are brought, such as `image.size 64`."));
        }
        if self.options.channels == Channels::Native && channels == 1 && image.channels == 3 {
            return Err(Error::file(self.source_name(index), "has colour in a set that was taken for grey")
                .with_hint("Say what is wanted with `image.channels`: 3 is colour, 1 is grey."));
        }
        Ok(if channels == 1 { image.into_grey() } else { image.into_rgb() })
    }

    fn source_maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        self.shaped_maps(self.source()?.maps(index)?, index)
    }

    fn shaped_maps(&self, mut maps: Vec<LabelMap>, index: u64) -> Result<Vec<LabelMap>> {
        if let Some(size) = self.options.size {
            maps = maps.iter().map(|map| labels_to_size(map, size, self.options.crop)).collect();
        } else if let [_, height, width] = *self.shape.as_slice()
            && let Some(map) = maps.iter().find(|map| (map.width, map.height) != (width, height))
        {
            let reason =
                format!("has a label map of {}x{} pixels where images have {width}x{height}", map.width, map.height);
            return Err(Error::file(self.source_name(index), reason));
        }
        Ok(maps)
    }
}

/// Whether one of (at most) `look_at` images of a source has colour. Those that cannot be read say nothing.
fn has_colour(source: &dyn Source, look_at: u64) -> bool {
    let Some(n) = source.len().map(|n| n as u64) else { return false };
    let looked_at = look_at.min(n);
    let index = |k: u64| (u128::from(k) * u128::from(n) / u128::from(looked_at)) as u64;
    (0..looked_at).into_par_iter().any(|k| source.is_grey(index(k)).is_ok_and(|grey| !grey))
}
