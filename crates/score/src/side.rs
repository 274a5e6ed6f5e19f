//! What is judged, and what it is judged by: images, their features, or statistics of these.

use crate::{Gathered, Steps, Vectors};
use base::npy::{Array, Elements, Header};
use base::{Error, Result, files};
use data::Image;
use metrics::moments::Moments;
use metrics::record::{Choice, Images};
use metrics::rounding::Rounding;
use metrics::statistics::{Divisor, Made, Stored};
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes in which the header of an `.npy` lies.
const HEADER: u64 = 1 << 12;

/// Images by their numbers, from 0 on.
pub trait Pictures {
    /// The images of these numbers, in order.
    ///
    /// # Errors
    /// An image cannot be read or made.
    fn images(&self, numbers: Range<u64>) -> net::Result<Vec<Image>>;

    /// What makes images a small step apart, where they come from latents.
    fn steps(&self) -> Option<&dyn Steps> {
        None
    }
}

/// Images of which it is known how many are taken, and what they are.
pub struct Sized<'a> {
    /// The images.
    pub pictures: Box<dyn Pictures + 'a>,
    /// What they are, for records; `count` of them are taken.
    pub about: Images,
    /// What is in them, in words that differ where sets do ([`crate::content_of`]); none: what is found of them is not kept.
    pub content: Option<String>,
}

/// Images of numbers `[n, channels, height, width]` in [-1, 1], as bytes by a rule. `path` is the generator's, and `first` the number of the first
/// image, both for messages.
///
/// # Errors
/// A number is not finite, or they are no images.
pub fn images_of(values: &[f32], shape: [usize; 3], rounding: Rounding, path: &Path, first: u64) -> Result<Vec<Image>> {
    let [channels, height, width] = shape;
    let plane = height * width;
    let one = |(number, values): (u64, &[f32])| {
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::file(path, format!("makes image {number} with the number {value}"))
                .with_hint("This generator diverged: take an earlier checkpoint."));
        }
        let mut pixels = vec![0; values.len()];
        for (channel, map) in values.chunks_exact(plane.max(1)).enumerate() {
            let places = pixels.iter_mut().skip(channel).step_by(channels);
            places.zip(map).for_each(|(byte, &value)| *byte = rounding.byte(value));
        }
        Image::new(width, height, channels, pixels)
    };
    (first..).zip(values.chunks_exact((channels * plane).max(1))).map(one).collect()
}

/// One side of a comparison.
pub enum Side<'a> {
    /// Images.
    Images(Sized<'a>),
    /// Feature vectors of a file: nothing says which network they come from.
    Features(PathBuf, Vectors),
    /// Mean and covariance of a file.
    Statistics(PathBuf, Stored),
}

impl Side<'_> {
    /// Reads features `[N, D]` of an `.npy`, or mean and covariance (`mu`, `sigma`) of an `.npz`.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if ending == "npz" {
            return Ok(Self::Statistics(path.to_owned(), Stored::read(path)?));
        }
        let array = Array::read(path)?;
        let &[_, width] = array.shape.as_slice() else {
            return Err(Error::file(path, format!("has shape {:?}; features are of shape [N, D]", array.shape))
                .with_hint("Give an array of feature vectors, one in a row."));
        };
        if !matches!(array.data, Elements::F32(_) | Elements::F64(_)) {
            return Err(Error::file(path, "holds whole numbers, not features")
                .with_hint("Save the features with .astype('float32')."));
        }
        if width == 0 {
            return Err(Error::file(path, "holds vectors of no numbers"));
        }
        Ok(Self::Features(path.to_owned(), Vectors { values: array.into_f32(), width }))
    }

    /// Whether a file holds what [`Side::read`] reads, rather than images: vectors of floats in an `.npy`, or a `mu` in an `.npz`.
    pub fn is_features(path: &Path) -> bool {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "npz" => base::npy::Npz::open(path).is_ok_and(|npz| npz.names().iter().any(|name| name == "mu")),
            "npy" => header(path).is_ok_and(|header| header.shape.len() == 2 && header.descr.contains('f')),
            _ => false,
        }
    }

    /// How many images it stands for, as far as that is known.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Images(sized) => Some(sized.about.count),
            Self::Features(_, vectors) => Some(vectors.len() as u64),
            Self::Statistics(_, stored) => stored.statistics.samples(),
        }
    }
}

/// What the first bytes of an `.npy` say.
fn header(path: &Path) -> Result<Header> {
    let (file, _) = files::open(path)?;
    let mut start = Vec::new();
    file.take(HEADER).read_to_end(&mut start).map_err(|error| Error::io("read", path, error))?;
    Header::from_bytes(&start, path)
}

/// What records say of images that a file of features or statistics stands for.
pub(crate) fn of_file(path: &Path, count: Option<u64>) -> Images {
    Images {
        set: path.display().to_string(),
        split: None,
        mirrored: false,
        choice: Choice::All,
        count: count.unwrap_or_default(),
        size: None,
        rounding: None,
        lossy: false,
    }
}

/// What a file of features or statistics gives.
pub(crate) fn of_vectors(vectors: Vectors, groups: Option<usize>, divisor: Divisor) -> Result<Gathered> {
    let features = vectors.features("features")?;
    let mut moments = Moments::new(vectors.width);
    moments.push(0, &features)?;
    let groups = groups.map(|groups| {
        let mut groups = metrics::infinity::Groups::new(vectors.width, groups)?;
        groups.push(0, &features)?;
        Ok::<_, Error>(groups)
    });
    let groups = groups.transpose()?;
    // One image has no covariance; who needs one says so.
    let statistics = moments.statistics(divisor).ok();
    Ok(Gathered { statistics, groups, features: Some(vectors), logits: None, made: Made::default() })
}
