//! Generators, runs, images and files as sides of a score.

use crate::{Generator, Latents, Note, is_model};
use data::{Channels, Image, Options, Size};
use net::{Device, Result};
use score::{Choice, ImageSet, Images, Pictures, Rounding, Side, Sized, Steps, hash_of, images_of};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is judged, before it is known which of its images are taken.
pub enum Judged {
    /// A generator.
    Model(Box<Generator>),
    /// Images.
    Set(ImageSet),
    /// Features or statistics.
    File(PathBuf),
}

/// How a set of images is opened.
#[derive(Clone, Debug, Default)]
pub struct SetOptions {
    /// The size to which images are brought before anything sees them; none: as they are.
    pub size: Option<Size>,
    /// Whether they are made grey.
    pub grey: bool,
    /// The seed of a world that is made.
    pub seed: u64,
}

impl Judged {
    /// Opens a model (as [`Generator::find`]), a set of images, or a file of features (`.npy`) or statistics (`.npz`).
    ///
    /// # Errors
    /// There is nothing of this name, or it is broken.
    pub fn open(what: &Path, options: &SetOptions, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Self> {
        if is_model(what) {
            return Ok(Self::Model(Box::new(Generator::find(what, device, tell)?)));
        }
        if Side::is_features(what) {
            return Ok(Self::File(what.to_owned()));
        }
        Ok(Self::Set(open_set(what, options)?))
    }

    /// The size and channels of a model's images, which real ones should have as well; none of what is no model.
    ///
    /// # Errors
    /// The model makes no images.
    pub fn shape(&self) -> Result<Option<[usize; 3]>> {
        if let Self::Model(generator) = self { generator.image_shape().map(Some) } else { Ok(None) }
    }

    /// The hash of a model's weights.
    pub fn model(&self) -> Option<String> {
        if let Self::Model(generator) = self { Some(format!("blake3:{}", hash_of(generator.network()))) } else { None }
    }
}

/// Images by which others are judged, or features or statistics of them: a name or path as for `evolve data`, an `.npy` or an `.npz`.
pub enum Reference {
    /// Images.
    Set(ImageSet),
    /// Features or statistics.
    File(PathBuf),
}

impl Reference {
    /// Opens it.
    ///
    /// # Errors
    /// There is nothing of this name, or it is broken.
    pub fn open(what: &Path, options: &SetOptions) -> Result<Self> {
        if Side::is_features(what) { Ok(Self::File(what.to_owned())) } else { Ok(Self::Set(open_set(what, options)?)) }
    }
}

fn open_set(what: &Path, options: &SetOptions) -> Result<ImageSet> {
    let channels = if options.grey { Channels::Grey } else { Channels::Native };
    let options = Options { size: options.size, channels, seed: options.seed, ..Options::default() };
    Ok(ImageSet::new(data::open(&what.to_string_lossy(), &options)?))
}

/// The images that a generator makes of latents.
pub struct GeneratedPictures<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) latents: Latents,
    rounding: Rounding,
}

impl<'a> GeneratedPictures<'a> {
    /// Of these latents; numbers become bytes by this rule.
    pub fn new(generator: &'a Generator, latents: Latents, rounding: Rounding) -> Self {
        Self { generator, latents, rounding }
    }

    /// As one side of a score; `name` is what people call the images.
    ///
    /// # Errors
    /// The generator makes no images that can be shown.
    pub fn side(self, name: impl Into<String>) -> Result<Sized<'a>> {
        let [_, height, width] = self.generator.image_shape()?;
        let about = Images {
            set: name.into(),
            split: None,
            mirrored: false,
            choice: Choice::First,
            count: self.latents.len(),
            size: Some([height, width]),
            rounding: Some(self.rounding),
            lossy: false,
        };
        Ok(Sized { pictures: Box::new(self), about, content: None })
    }
}

impl Pictures for GeneratedPictures<'_> {
    fn images(&self, numbers: Range<u64>) -> Result<Vec<Image>> {
        let batch = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
        let values = self.generator.forward(&self.latents.batch(self.generator, numbers.start, batch))?.to_vec();
        let (shape, path) = (self.generator.image_shape()?, self.generator.path());
        Ok(images_of(&values, shape, self.rounding, path, numbers.start)?)
    }

    fn steps(&self) -> Option<&dyn Steps> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seeds;
    use crate::generator::tests::small;

    #[test]
    fn images_of_a_generator_are_its_numbers_as_bytes_whatever_the_batch() {
        let generator = small(3);
        let latents: Latents = "3..8".parse::<Seeds>().unwrap().into();
        let pictures = |rounding| GeneratedPictures::new(&generator, latents.clone(), rounding);
        let nearest = pictures(Rounding::Nearest);
        let all = nearest.images(0..5).unwrap();
        assert_eq!(all, [nearest.images(0..2).unwrap(), nearest.images(2..5).unwrap()].concat());
        assert_eq!(all, crate::unwatched(|watch| generator.images(&latents, watch)).unwrap());
        assert_ne!(all, pictures(Rounding::Truncate).images(0..5).unwrap());
        let side = nearest.side("small").unwrap();
        assert_eq!((side.about.count, side.about.size, side.content), (5, Some([16, 16]), None));
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_by_the_image() {
        let mut network = small(3).network().clone();
        network.params.set(0, network.params.tensors()[0].scale(f64::NAN));
        let sick = Generator::new(crate::Model { network, path: "g".into() }, small(3).device()).unwrap();
        let latents: Latents = "0".parse::<Seeds>().unwrap().into();
        let error = GeneratedPictures::new(&sick, latents, Rounding::Nearest).images(0..1).unwrap_err();
        assert_eq!(error.to_string(), "g: makes image 0 with the number NaN");
    }
}
