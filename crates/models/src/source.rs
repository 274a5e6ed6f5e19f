//! Where pictures come from that somebody wants to look at: a generator, a set of images, or one image.

use crate::files::has_ending;
use crate::{Generator, Latents, Note, Seeds, Watch, is_model};
use base::{Error, files};
use data::{Channels, Crop, Dataset, Image, Options, Size};
use net::{Device, Result};
use std::path::{Path, PathBuf};

/// A source of pictures of one shape.
pub struct Source {
    path: PathBuf,
    shape: Vec<usize>,
    crop: Crop,
    content: Content,
}

enum Content {
    Generator(Box<Generator>),
    Set(Dataset),
    One(Image),
}

/// One of a source's pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictured {
    /// What it is called: a relative path without ending, such as `cats/7` for the image `cats/7.jpg` of a set, or `seed000017`.
    pub name: String,
    /// The size that it has of itself, before it was brought to that of the source.
    pub size: Size,
}

impl Source {
    /// Opens a generator as [`Generator::find`] does where the name means one; else images, which are brought to `wanted`
    /// `[channels, height, width]`, cut or squeezed as `crop` says.
    ///
    /// # Errors
    /// The model makes no images, or the images cannot be read.
    pub fn open(
        path: &Path,
        wanted: [usize; 3],
        crop: Crop,
        device: &Device,
        tell: &mut dyn FnMut(&Note),
    ) -> Result<Self> {
        if is_model(path) {
            let generator = Generator::find(path, device, tell)?;
            let shape = generator.image_shape()?.to_vec();
            let path = generator.path().clone();
            return Ok(Self { path, shape, crop, content: Content::Generator(Box::new(generator)) });
        }
        if has_ending(path, &["png", "jpg", "jpeg", "webp", "bmp", "gif"]) && path.is_file() {
            let image = data::decode(&files::read(path, data::MAX_BYTES)?, path)?;
            return Ok(Self { path: path.to_owned(), shape: wanted.to_vec(), crop, content: Content::One(image) });
        }
        let channels = if wanted[0] == 1 { Channels::Grey } else { Channels::Rgb };
        let options = Options { size: Some(Size::of(wanted)), channels, crop, ..Options::default() };
        let set = data::open(&path.to_string_lossy(), &options)?;
        Ok(Self { path: path.to_owned(), shape: set.shape().to_vec(), crop, content: Content::Set(set) })
    }

    /// An image in the shape of the source.
    fn brought(&self, image: Image) -> Image {
        let [channels, height, width] = *self.shape.as_slice() else { return image };
        let image = data::to_size(image, Size { width, height }, self.crop);
        if channels == 1 { image.into_grey() } else { image.into_rgb() }
    }

    /// The set of images, if it is one.
    pub fn set(&self) -> Option<&Dataset> {
        if let Content::Set(set) = &self.content { Some(set) } else { None }
    }

    /// What it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a source whose pictures have another shape than a segmenter reads.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self, wanted: [usize; 3]) -> Result<(), Error> {
        if self.shape == wanted {
            return Ok(());
        }
        let reason = format!("gives images of shape {:?}; the segmenter reads {wanted:?}", self.shape);
        Err(Error::file(&self.path, reason).with_hint("Train a segmenter for this size and these channels."))
    }

    /// How many pictures there are: one for each seed of a generator. `None` where there is no end to them.
    pub fn len(&self, seeds: &Seeds) -> Option<u64> {
        match &self.content {
            Content::Generator(_) => Some(seeds.len()),
            Content::Set(set) => set.len().map(|n| n as u64),
            Content::One(_) => Some(1),
        }
    }

    /// Whether it is a generator, whose pictures are those of seeds.
    pub fn is_generator(&self) -> bool {
        matches!(self.content, Content::Generator(_))
    }

    /// Goes through the first `n` pictures in batches: `each` gets them and their numbers. `None` where the watcher
    /// wanted it to end; else whether all numbers were finite.
    ///
    /// # Errors
    /// A picture cannot be made or read, or what `each` gives.
    pub fn each<E: From<net::Error>>(
        &self,
        seeds: &Seeds,
        (n, batch): (u64, usize),
        watch: &mut dyn Watch,
        mut each: impl FnMut(&[Pictured], &[f32]) -> Result<(), E>,
    ) -> Result<Option<bool>, E> {
        match &self.content {
            Content::Generator(generator) => {
                let latents = Latents::from(seeds.clone());
                let length: usize = self.shape.iter().product();
                let size = Size::of(generator.image_shape()?);
                let made = generator.make(&latents, batch, watch, |first, values| {
                    let count = (values.len() / length) as u64;
                    let pictured = |place| Pictured { name: latents.name(place), size };
                    each(&(first..first + count).map(pictured).collect::<Vec<_>>(), values)
                })?;
                Ok(made.map(|made| made.finite))
            }
            Content::Set(set) => {
                watch.stage("images", n);
                for first in (0..n).step_by(batch) {
                    if watch.stop() {
                        return Ok(None);
                    }
                    let items = first..n.min(first + batch as u64);
                    let (mut pictured, mut values) = (Vec::new(), Vec::new());
                    for index in items.clone() {
                        let image = set.original(index).map_err(net::Error::from)?;
                        let size = Size { width: image.width, height: image.height };
                        pictured.push(Pictured { name: set.place(index), size });
                        values.extend(self.brought(image).to_floats());
                    }
                    each(&pictured, &values)?;
                    watch.step(items.end - items.start);
                }
                Ok(Some(true))
            }
            Content::One(image) => {
                let name = self.path.file_stem().map_or_else(|| "image".into(), |name| name.to_string_lossy());
                let size = Size { width: image.width, height: image.height };
                let pictured = Pictured { name: name.into_owned(), size };
                each(&[pictured], &self.brought(image.clone()).to_floats())?;
                Ok(Some(true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unwatched;
    use data::pictures;

    fn seen(source: &Source, seeds: &str, n: u64) -> Vec<String> {
        let mut all = Vec::new();
        let done = source.each(&seeds.parse().unwrap(), (n, 2), &mut Unwatched, |pictured, values| {
            assert_eq!(values.len(), pictured.len() * 3 * 64 * 64);
            all.extend(pictured.iter().map(|p| format!("{} {}", p.name, p.size)));
            Ok::<(), net::Error>(())
        });
        assert_eq!(done.unwrap(), Some(true));
        all
    }

    fn open(path: &Path) -> Source {
        Source::open(path, [3, 64, 64], Crop::Centre, &Device::cpu(), &mut |_| {}).unwrap()
    }

    #[test]
    fn a_name_is_a_generator_a_folder_is_images_and_a_file_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sea.png");
        std::fs::write(&path, pictures::png(&Image::filled(40, 20, [9, 9, 9])).unwrap()).unwrap();
        std::fs::write(folder.path().join("b.png"), pictures::png(&Image::filled(20, 40, [7, 7, 7])).unwrap()).unwrap();
        let generator = open("scenes".as_ref());
        assert_eq!(seen(&generator, "5..8", 3), ["seed000005 64", "seed000006 64", "seed000007 64"]);
        let (set, one) = (open(folder.path()), open(&path));
        assert_eq!(
            (seen(&set, "0", 2), seen(&one, "0", 1)),
            (vec!["b 20x40".into(), "sea 40x20".into()], vec!["sea 40x20".into()])
        );
        let seeds = "0..9".parse().unwrap();
        assert_eq!([&generator, &set, &one].map(|s| s.len(&seeds)), [Some(9), Some(2), Some(1)]);
    }

    #[test]
    fn another_shape_is_refused() {
        let refused = open("scenes".as_ref()).check([1, 64, 64]).unwrap_err();
        assert_eq!(refused.to_string(), "scenes: gives images of shape [3, 64, 64]; the segmenter reads [1, 64, 64]");
    }
}
