//! The real image most like each of some images, pixel by pixel: whether a generator makes new images or gives back what it was
//! shown.

use crate::Watch;
use crate::pictures::PADDING;
use base::Error;
use data::{Dataset, Image, pictures};
use metrics::nearest::{Neighbour, Search};
use net::Result;
use serde::Serialize;

/// Images that are looked at of a source without an end.
const MOST_OF_ENDLESS: u64 = 10_000;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Nearest {
    /// The source that was looked through.
    pub source: String,
    /// How many of its images were.
    pub among: u64,
    /// Each image with the one nearest to it.
    pub samples: Vec<Match>,
    /// From some of the source's images to the nearest other one: what is near by chance.
    pub between_reals: Vec<f64>,
}

/// An image and the one nearest to it.
#[derive(Clone, Debug, Serialize)]
pub struct Match {
    /// What the image is called.
    pub sample: String,
    /// The name of the nearest one in the source.
    pub nearest: String,
    /// Root of the mean squared difference of pixels, which go from -1 to 1.
    pub distance: f64,
    /// Whether the nearest one is so near turned left to right.
    pub mirrored: bool,
    /// It, turned where that is so near.
    #[serde(skip)]
    pub image: Image,
}

impl Nearest {
    /// Looks through a source for the images most like `samples`, which are of its shape; `name` says what each is called. `None`
    /// where the watcher wanted it to end.
    ///
    /// # Errors
    /// The source has fewer than two images, or one of them cannot be read.
    ///
    /// # Panics
    /// The images have another shape than the source's.
    pub fn find(
        set: &Dataset,
        samples: &[Image],
        name: impl Fn(u64) -> String,
        watch: &mut dyn Watch,
    ) -> Result<Option<Self>> {
        let among = set.len().map_or(MOST_OF_ENDLESS, |n| n as u64);
        if among < 2 {
            let reason = format!("{} has {among} images; to compare, two are needed", set.name());
            return Err(Error::setting("nearest", reason).into());
        }
        // Real images to judge by, evenly over the source.
        let count = (samples.len() as u64).min(among);
        let own: Vec<u64> =
            (0..count).map(|k| (u128::from(k) * u128::from(among) / u128::from(count)) as u64).collect();
        let mut queries: Vec<f32> = samples.iter().flat_map(Image::to_floats).collect();
        for &number in &own {
            queries.extend(set.values(number)?);
        }
        let length = set.shape().iter().product();
        let mut search = Search::new(queries, length, set.shape().last().copied().unwrap_or(1));
        watch.stage("images looked at", among);
        for number in 0..among {
            if watch.stop() {
                return Ok(None);
            }
            let is_other = |place: usize| place.checked_sub(samples.len()).is_none_or(|k| own[k] != number);
            search.see(number, &set.values(number)?, is_other);
            watch.step(1);
        }
        let (of_samples, of_reals) = search.found().split_at(samples.len());
        let mut found = Self {
            source: set.name().to_owned(),
            among,
            samples: Vec::with_capacity(samples.len()),
            between_reals: of_reals.iter().flatten().map(|n| n.distance).collect(),
        };
        for (place, neighbour) in (0..).zip(of_samples) {
            // Pictures are bytes, always finite, and every one of the source was compared with every sample.
            let Some(Neighbour { number, distance, mirrored }) = *neighbour else { continue };
            let image = set.image(number)?;
            let image = if mirrored { image.flipped() } else { image };
            found.samples.push(Match {
                sample: name(place),
                nearest: set.item_name(number),
                distance,
                mirrored,
                image,
            });
        }
        Ok(Some(found))
    }

    /// Each image above the one nearest to it.
    ///
    /// # Errors
    /// The images are not those that were looked for.
    pub fn below(&self, samples: &[Image]) -> Result<Vec<Image>, Error> {
        let pair =
            |(sample, found): (&Image, &Match)| pictures::stack(&[sample.clone(), found.image.clone()], PADDING / 2);
        samples.iter().zip(&self.samples).map(pair).collect()
    }

    /// The shape of [`Nearest::below`] for images of a shape.
    pub fn shape_below([channels, height, width]: [usize; 3]) -> [usize; 3] {
        [channels, 2 * height + PADDING / 2, width]
    }

    /// The image that is nearest to one of the source.
    pub fn closest(&self) -> Option<&Match> {
        self.samples.iter().min_by(|a, b| a.distance.total_cmp(&b.distance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unwatched;

    #[test]
    fn an_image_of_the_source_is_found_also_turned_and_the_pair_has_the_shape_that_was_told() {
        let options = data::Options { size: Some(data::Size::square(32)), ..data::Options::default() };
        let folder = tempfile::tempdir().unwrap();
        let world = data::open("scenes", &options).unwrap();
        for number in 0..5 {
            let png = pictures::png(&world.image(number).unwrap()).unwrap();
            std::fs::write(folder.path().join(format!("{number}.png")), png).unwrap();
        }
        let set = data::open(&folder.path().to_string_lossy(), &options).unwrap();
        let samples = [set.image(3).unwrap(), set.image(1).unwrap().flipped(), world.image(9).unwrap()];
        let found = Nearest::find(&set, &samples, |n| format!("s{n}"), &mut Unwatched).unwrap().unwrap();
        let seen: Vec<_> = found.samples.iter().map(|m| (&*m.sample, m.distance == 0.0, m.mirrored)).collect();
        assert_eq!(seen, [("s0", true, false), ("s1", true, true), ("s2", false, found.samples[2].mirrored)]);
        assert!(found.samples[0].image == samples[0] && found.samples[1].image == samples[1]);
        assert_eq!((found.among, found.between_reals.len()), (5, 3));
        assert!(found.between_reals.iter().all(|&d| d > 0.0), "none is its own neighbour");
        let pair = &found.below(&samples).unwrap()[2];
        assert_eq!([3, pair.height, pair.width], Nearest::shape_below([3, 32, 32]));
    }

    #[test]
    fn one_image_is_too_few() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::filled(8, 8, [9, 9, 9]);
        std::fs::write(folder.path().join("a.png"), pictures::png(&image).unwrap()).unwrap();
        let set = data::open(&folder.path().to_string_lossy(), &data::Options::default()).unwrap();
        let error = Nearest::find(&set, &[image], |_| String::new(), &mut Unwatched).unwrap_err();
        assert!(error.to_string().starts_with("nearest: "), "{error}");
    }
}
