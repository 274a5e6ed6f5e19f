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
    content: Content,
}

enum Content {
    Generator(Box<Generator>),
    Set(Dataset),
    One(Image),
}

impl Source {
    /// Opens a generator as [`Generator::find`] does where the name means one; else images, which are brought to `wanted`
    /// `[channels, height, width]`.
    ///
    /// # Errors
    /// The model makes no images, or the images cannot be read.
    pub fn open(path: &Path, wanted: [usize; 3], device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Self> {
        if is_model(path) {
            let generator = Generator::find(path, device, tell)?;
            let shape = generator.image_shape()?.to_vec();
            let path = generator.path().clone();
            return Ok(Self { path, shape, content: Content::Generator(Box::new(generator)) });
        }
        let (channels, size) = (wanted[0], Size::of(wanted));
        if has_ending(path, &["png", "jpg", "jpeg", "webp", "bmp", "gif"]) && path.is_file() {
            let image = data::decode(&files::read(path, data::MAX_BYTES)?, path)?;
            let image = if channels == 1 { image.into_grey() } else { image.into_rgb() };
            let image = data::to_size(image, size, Crop::Centre);
            let shape = vec![image.channels, image.height, image.width];
            return Ok(Self { path: path.to_owned(), shape, content: Content::One(image) });
        }
        let channels = if channels == 1 { Channels::Grey } else { Channels::Rgb };
        let set = data::open(&path.to_string_lossy(), &Options { size: Some(size), channels, ..Options::default() })?;
        Ok(Self { path: path.to_owned(), shape: set.shape().to_vec(), content: Content::Set(set) })
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

    /// Goes through the first `n` pictures in batches: `each` gets what they are called and their numbers. `None` where the watcher
    /// wanted it to end; else whether all numbers were finite.
    ///
    /// # Errors
    /// A picture cannot be made or read, or what `each` gives.
    pub fn each<E: From<net::Error>>(
        &self,
        seeds: &Seeds,
        (n, batch): (u64, usize),
        watch: &mut dyn Watch,
        mut each: impl FnMut(&[String], &[f32]) -> Result<(), E>,
    ) -> Result<Option<bool>, E> {
        match &self.content {
            Content::Generator(generator) => {
                let latents = Latents::from(seeds.clone());
                let length: usize = self.shape.iter().product();
                let made = generator.make(&latents, batch, watch, |first, values| {
                    let count = (values.len() / length) as u64;
                    let names: Vec<String> = (first..first + count).map(|place| latents.name(place)).collect();
                    each(&names, values)
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
                    let values = items.clone().map(|i| set.values(i)).collect::<base::Result<Vec<_>>>();
                    let names: Vec<String> = items.clone().map(|i| format!("image{i:06}")).collect();
                    each(&names, &values.map_err(net::Error::from)?.concat())?;
                    watch.step(items.end - items.start);
                }
                Ok(Some(true))
            }
            Content::One(image) => {
                let name = self.path.file_stem().map_or_else(|| "image".into(), |name| name.to_string_lossy());
                each(&[name.into_owned()], &image.to_floats())?;
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
        let done = source.each(&seeds.parse().unwrap(), (n, 2), &mut Unwatched, |names, values| {
            assert_eq!(values.len(), names.len() * 3 * 64 * 64);
            all.extend(names.to_vec());
            Ok::<(), net::Error>(())
        });
        assert_eq!(done.unwrap(), Some(true));
        all
    }

    fn open(path: &Path) -> Source {
        Source::open(path, [3, 64, 64], &Device::cpu(), &mut |_| {}).unwrap()
    }

    #[test]
    fn a_name_is_a_generator_a_folder_is_images_and_a_file_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sea.png");
        std::fs::write(&path, pictures::png(&Image::filled(40, 20, [9, 9, 9])).unwrap()).unwrap();
        std::fs::write(folder.path().join("b.png"), pictures::png(&Image::filled(20, 40, [7, 7, 7])).unwrap()).unwrap();
        let generator = open("scenes".as_ref());
        assert_eq!(seen(&generator, "5..8", 3), ["seed000005", "seed000006", "seed000007"]);
        let (set, one) = (open(folder.path()), open(&path));
        assert_eq!(
            (seen(&set, "0", 2), seen(&one, "0", 1)),
            (vec!["image000000".into(), "image000001".into()], vec!["sea".into()])
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
