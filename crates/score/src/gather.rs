//! Images through a feature network, batch by batch.

use crate::{Extractor, Pictures, Resize};
use base::watch::Watch;
use base::{Error, memory};
use data::Image;
use metrics::features::Features;
use metrics::infinity::Groups;
use metrics::moments::Moments;
use metrics::statistics::{Divisor, Made, Statistics};
use net::Result;
use rayon::prelude::*;

/// Images that are in work at once, where there is memory.
const BATCH: usize = 32;

/// Vectors of one length, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// All numbers.
    pub values: Vec<f32>,
    /// Numbers of a vector, at least 1.
    pub width: usize,
}

impl Vectors {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// For figures; `name` is for messages.
    ///
    /// # Errors
    /// As [`Features::new`].
    pub fn features<'a>(&'a self, name: &'a str) -> base::Result<Features<'a>> {
        Features::new(name, &self.values, self.width)
    }
}

/// What is wanted of a set of images. Without features and logits, memory does not depend on how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Mean and covariance.
    pub statistics: bool,
    /// So many groups, for a distance at infinitely many images.
    pub groups: Option<usize>,
    /// The features of every image.
    pub features: bool,
    /// The logits of every image.
    pub logits: bool,
}

/// What was found of a set of images, as far as it was wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// Mean and covariance.
    pub statistics: Option<Statistics>,
    /// Groups of images.
    pub groups: Option<Groups>,
    /// Features.
    pub features: Option<Vectors>,
    /// Logits.
    pub logits: Option<Vectors>,
    /// How features were made, as far as that is known.
    pub made: Made,
}

/// Brings the first `count` images through a network; `None` where the watcher wanted it to end. `stage` is what the watcher hears of it.
///
/// # Errors
/// An image cannot be read or made, features are not finite, logits are wanted of a network without, or there is no memory.
#[expect(clippy::too_many_arguments, reason = "each is one thing that a figure depends on")]
pub fn gather(
    extractor: &Extractor,
    resize: Resize,
    pictures: &dyn Pictures,
    count: u64,
    wanted: Wanted,
    divisor: Divisor,
    stage: &'static str,
    watch: &mut dyn Watch,
) -> Result<Option<Gathered>> {
    let width = extractor.width();
    let classes = match (wanted.logits, extractor.classes()) {
        (true, None) => {
            return Err(Error::setting("features", format!("{} tells no classes", extractor.name()))
                .with_hint("A score of classes takes a classifier, such as ResNet for CIFAR or Inception.")
                .into());
        }
        (true, Some(classes)) => classes,
        (false, _) => 0,
    };
    check_memory(extractor, count, wanted, classes)?;
    let batch = memory::fitting(BATCH, |batch| extractor.memory(batch, wanted.logits))?;
    let mut moments = wanted.statistics.then(|| Moments::new(width));
    let mut groups = wanted.groups.map(|groups| Groups::new(width, groups)).transpose()?;
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    watch.stage(stage, count);
    let mut first = 0;
    while first < count {
        if watch.stop() {
            return Ok(None);
        }
        let end = count.min(first + batch as u64);
        let numbers = prepared(&pictures.images(first..end)?, resize, extractor.shape());
        let mut found = extractor.extract(numbers, wanted.logits)?;
        let rows = Features::new(stage, &found.features, width).map_err(|error| numbered(error, first, stage))?;
        if let Some(moments) = &mut moments {
            moments.push(first, &rows)?;
        }
        if let Some(groups) = &mut groups {
            groups.push(first, &rows)?;
        }
        if wanted.features {
            features.append(&mut found.features);
        }
        logits.append(&mut found.logits);
        watch.step(end - first);
        first = end;
    }
    Ok(Some(Gathered {
        statistics: moments.map(|moments| moments.statistics(divisor)).transpose()?,
        groups,
        features: wanted.features.then_some(Vectors { values: features, width }),
        logits: wanted.logits.then_some(Vectors { values: logits, width: classes }),
        made: made(extractor, resize),
    }))
}

/// How features are made.
pub(crate) fn made(extractor: &Extractor, resize: Resize) -> Made {
    Made {
        extractor: Some(extractor.name()),
        weights: Some(format!("blake3:{}", extractor.weights())),
        resize: Some(resize.name().to_owned()),
    }
}

/// Images as the network reads them: its size and channels, numbers in [-1, 1].
fn prepared(images: &[Image], resize: Resize, [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let one = |image: &Image| {
        let image = match channels {
            1 if image.channels != 1 => &image.clone().into_grey(),
            _ => image,
        };
        as_read(resize.planes(image, [height, width]), image.channels, channels)
    };
    images.par_iter().map(one).collect::<Vec<_>>().concat()
}

/// Planes of numbers from 0 to 255 as the network reads them.
pub(crate) fn as_read(mut planes: Vec<f32>, channels: usize, wanted: usize) -> Vec<f32> {
    planes.iter_mut().for_each(|v| *v = *v / 127.5 - 1.0);
    // A grey image for a network that reads colours.
    if channels < wanted { planes.repeat(wanted) } else { planes }
}

/// The message of a batch, with the image's number in the set.
fn numbered(error: Error, first: u64, stage: &str) -> Error {
    match error {
        Error::Setting { reason, hint, .. } => Error::Setting { key: format!("{stage} from {first} on"), reason, hint },
        other => other,
    }
}

fn check_memory(extractor: &Extractor, count: u64, wanted: Wanted, classes: usize) -> Result<()> {
    let each = if wanted.features { extractor.width() } else { 0 } + classes;
    let kept = count.saturating_mul(4 * each as u64);
    let needed = kept.saturating_add(extractor.memory(1, wanted.logits)?);
    Ok(memory::check(
        "features of all images",
        needed,
        "Ask for fewer images, or for figures that need statistics alone (fid).",
    )?)
}
