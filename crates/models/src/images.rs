//! Images in batches.

use crate::{Generator, Latents, Watch};
use base::Error;
use data::{Image, pictures};
use net::Result;

/// Images made at a time where nobody says how many.
pub(crate) const BATCH: usize = 64;

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Whether all numbers were finite. Pictures show others as if they were not there.
    pub finite: bool,
}

impl Generator {
    /// Makes one result for each latent, in batches of `batch`; `each` gets the place of the first and the numbers.
    ///
    /// Between batches it looks whether the watcher wants it to end; it gives `None` then.
    ///
    /// # Errors
    /// The latents have another shape than the network reads, or what `each` gives.
    pub fn make<E: From<net::Error>>(
        &self,
        latents: &Latents,
        batch: usize,
        watch: &mut dyn Watch,
        mut each: impl FnMut(u64, &[f32]) -> Result<(), E>,
    ) -> Result<Option<Made>, E> {
        watch.stage("samples", latents.len());
        let mut finite = true;
        let mut first = 0;
        while first < latents.len() {
            if watch.stop() {
                return Ok(None);
            }
            let feed = latents.batch(self, first, batch.max(1));
            let n = feed.len() as u64;
            let values = self.forward(&feed)?.to_vec();
            finite &= values.iter().all(|v| v.is_finite());
            each(first, &values)?;
            first += n;
            watch.step(n);
        }
        Ok(Some(Made { finite }))
    }

    /// The images of some latents; `None` where the watcher wanted it to end. [`Generator::make`] says as well whether all numbers
    /// were finite.
    ///
    /// # Errors
    /// As [`Generator::make`]; or it makes no images that can be shown.
    pub fn images(&self, latents: &Latents, watch: &mut dyn Watch) -> Result<Option<Vec<Image>>> {
        self.image_shape()?;
        let mut images = Vec::new();
        let made = self.make(latents, self.fitting(BATCH)?, watch, |_, values| {
            images.extend(self.pictures(values)?);
            Ok::<(), net::Error>(())
        })?;
        Ok(made.map(|_| images))
    }

    /// The images of a batch's numbers.
    ///
    /// # Errors
    /// They are no whole images that can be shown.
    pub fn pictures(&self, values: &[f32]) -> Result<Vec<Image>, Error> {
        let item = self.shape();
        let n = values.len() / item.iter().product::<usize>().max(1);
        pictures::from_batch(&[&[n], item.as_slice()].concat(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unwatched;
    use crate::generator::tests::{points, small};
    use crate::seeds::Seeds;

    fn latents(text: &str) -> Latents {
        text.parse::<Seeds>().unwrap().into()
    }

    #[test]
    fn batches_of_every_size_give_the_same_numbers() {
        let generator = small(3);
        let made = |batch| {
            let (mut all, mut places) = (Vec::<f32>::new(), Vec::new());
            let made = generator.make(&latents("0..5,9"), batch, &mut Unwatched, |first, values| {
                places.push(first);
                all.extend(values);
                Ok::<(), net::Error>(())
            });
            assert_eq!(made.unwrap(), Some(Made { finite: true }));
            (all, places)
        };
        let (all, places) = made(4);
        assert_eq!((all.len(), places), (6 * 3 * 16 * 16, vec![0, 4]));
        assert!([1, 6, 100].into_iter().all(|batch| made(batch).0 == all));
    }

    #[test]
    fn a_watcher_hears_of_every_image_and_may_end_it() {
        struct Impatient(u64);
        impl Watch for Impatient {
            fn stage(&mut self, _: &'static str, steps: u64) {
                assert_eq!((self.0, steps), (0, 200));
            }
            fn step(&mut self, steps: u64) {
                self.0 += steps;
            }
            fn stop(&self) -> bool {
                self.0 > 64
            }
        }
        let mut watch = Impatient(0);
        assert!(small(1).images(&latents("0..200"), &mut watch).unwrap().is_none());
        assert_eq!(watch.0, 128);
    }

    #[test]
    fn numbers_that_are_not_finite_are_told() {
        let mut network = small(3).network().clone();
        network.params.set(0, network.params.tensors()[0].scale(f64::NAN));
        let sick = Generator::new(crate::Model { network, path: "g".into() }, small(3).device()).unwrap();
        let made = sick.make(&latents("0"), 1, &mut Unwatched, |_, _| Ok::<(), net::Error>(()));
        assert_eq!(made.unwrap(), Some(Made { finite: false }));
    }

    #[test]
    fn points_are_no_images() {
        assert!(points().images(&latents("0..2"), &mut Unwatched).is_err());
    }
}
