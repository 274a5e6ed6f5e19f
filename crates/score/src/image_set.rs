//! Images of a data set, and which of them are taken.

use crate::{Pictures, Sized, content_of};
use base::seed::Stream;
use base::{Error, Result};
use data::{Channels, Dataset, Image, to_size};
use metrics::record::{Choice, Images};
use rayon::prelude::*;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Names that are looked at to find out whether images come from files that lose something.
const LOOKED_AT: u64 = 1000;

/// A data set of which images are taken. Without a size in its options they are taken in the sizes of their files, which may differ.
pub struct ImageSet {
    set: Arc<Dataset>,
    /// The set's numbers of the images, where not all are taken in order.
    order: Option<Vec<u64>>,
    choice: Choice,
    mirrored: bool,
}

impl ImageSet {
    /// All images of a set, in its order.
    pub fn new(set: impl Into<Arc<Dataset>>) -> Self {
        Self { set: set.into(), order: None, choice: Choice::All, mirrored: false }
    }

    /// Takes each image mirrored as well, right after it.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self { mirrored: true, ..self }
    }

    /// The set.
    pub fn set(&self) -> &Dataset {
        &self.set
    }

    /// Images that there are, mirrored ones counted; none where there is no end to them.
    pub fn len(&self) -> Option<u64> {
        self.set.len().map(|n| n as u64 * if self.mirrored { 2 } else { 1 })
    }

    /// Whether there are none; never true of a set that was opened.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// All of it; of a set without an end, or where `most` are fewer, the first ones.
    ///
    /// # Errors
    /// There is no end, and nobody says how many; or the set holds points.
    pub fn all(self, most: Option<u64>) -> Result<Taken> {
        let count = match (self.len(), most) {
            (Some(n), Some(most)) => n.min(most),
            (Some(n), None) | (None, Some(n)) => n,
            (None, None) => {
                return Err(Error::setting("samples", format!("of {} there is no end to them", self.set.name()))
                    .with_hint("Say how many."));
            }
        };
        let choice = if self.len() == Some(count) { Choice::All } else { Choice::First };
        Self { choice, ..self }.taken(count)
    }

    /// So many of it by chance; all of it where there are not more. Of a set without an end the first ones are as good.
    ///
    /// # Errors
    /// As [`ImageSet::all`].
    pub fn random(mut self, count: u64, seed: u64) -> Result<Taken> {
        let Some(n) = self.set.len().map(|n| n as u64) else { return self.all(Some(count)) };
        let each = if self.mirrored { 2 } else { 1 };
        if n.saturating_mul(each) <= count {
            return self.all(None);
        }
        let mut order: Vec<u64> = (0..n).collect();
        Stream::new(seed, "score-images", 0).shuffle(&mut order);
        self.order = Some(order);
        self.choice = Choice::Random { seed };
        self.taken(count)
    }

    fn taken(self, count: u64) -> Result<Taken> {
        if self.set.toy().is_some() {
            return Err(Error::file(self.set.name(), "holds points of the plane, not images")
                .with_hint("Features are of images. `trial` measures points."));
        }
        if count == 0 {
            return Err(Error::setting("samples", "is 0").with_hint("Take some thousand."));
        }
        Ok(Taken { set: self, count })
    }

    fn image(&self, number: u64) -> Result<Image> {
        let (place, flip) = if self.mirrored { (number / 2, number % 2 == 1) } else { (number, false) };
        let index = match &self.order {
            Some(order) => usize::try_from(place).ok().and_then(|place| order.get(place)).copied().unwrap_or(place),
            None => place,
        };
        // Each image is read once: the set would keep them all.
        let options = self.set.options();
        let image = self.set.original(index)?;
        let image = match options.size {
            Some(size) => to_size(image, size, options.crop),
            None => image,
        };
        let image = if options.channels == Channels::Grey { image.into_grey() } else { image };
        Ok(if flip { image.flipped() } else { image })
    }

    fn is_lossy(&self) -> bool {
        let lossy = |index| {
            let name = self.set.item_name(index);
            let ending = Path::new(&name).extension().map(OsStr::to_ascii_lowercase);
            ending.is_some_and(|ending| ending == "jpg" || ending == "jpeg")
        };
        self.set.len().is_some_and(|n| (0..LOOKED_AT.min(n as u64)).any(lossy))
    }
}

impl Pictures for ImageSet {
    fn images(&self, numbers: Range<u64>) -> net::Result<Vec<Image>> {
        Ok(numbers.into_par_iter().map(|number| self.image(number)).collect::<Result<_>>()?)
    }
}

/// Images of a set, so many of them.
pub struct Taken {
    set: ImageSet,
    count: u64,
}

impl Taken {
    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// With what is in the set, so that what is found of it can be kept. It reads all files of the set.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn known(self) -> Result<Sized<'static>> {
        let content = content_of(&self.set.set)?;
        Ok(Sized { content: Some(content), ..self.into() })
    }
}

impl From<Taken> for Sized<'static> {
    fn from(Taken { set, count }: Taken) -> Self {
        let options = set.set.options();
        let shape = set.set.shape();
        let of_world = set.set.len().is_none().then(|| shape.get(1..3).map(<[usize]>::to_vec)).flatten();
        let size = options.size.map(|size| vec![size.height, size.width]).or(of_world);
        let about = Images {
            set: base::files::name_of(set.set.name()),
            split: None,
            mirrored: set.mirrored,
            choice: set.choice,
            count,
            size: size.and_then(|size| <[usize; 2]>::try_from(size).ok()),
            rounding: None,
            lossy: set.is_lossy(),
        };
        Self { pictures: Box::new(set), about, content: None }
    }
}
