//! Features of images: what most figures are computed from.

use base::{Error, Result};

/// Above it, sums of squares may overflow.
const LARGEST: f64 = 1e100;

/// A number of a feature vector: `f32` as networks give it, or `f64`.
pub trait Number: Copy + Into<f64> + Send + Sync {}

impl Number for f32 {}
impl Number for f64 {}

/// Feature vectors of one set of images, one after the other. All numbers are finite.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a, T = f32> {
    name: &'a str,
    values: &'a [T],
    width: usize,
}

/// What the generator made. A function that tells both sets apart cannot be given them the wrong way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated<T>(pub T);

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Real<T>(pub T);

impl<'a, T: Number> Features<'a, T> {
    /// Vectors of `width` numbers, one after the other. `name` is for messages: `generated features`.
    ///
    /// # Errors
    /// They are not whole vectors, or hold a number that is not finite, or one above 1e100.
    pub fn new(name: &'a str, values: &'a [T], width: usize) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(Error::setting(name, format!("{} numbers are no whole vectors of {width}", values.len()))
                .with_hint("Give an array of shape [images, features]."));
        }
        if let Some(at) = values.iter().position(|&v| v.into().is_nan() || v.into().abs() > LARGEST) {
            let value: f64 = values[at].into();
            return Err(Error::setting(name, format!("number {} of image {} is {value}", at % width, at / width))
                .with_hint("Look at that image: a generator that diverged makes such numbers, and no figure can be given for it."));
        }
        Ok(Self { name, values, width })
    }

    /// What messages call them.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Images.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One image's vector.
    ///
    /// # Panics
    /// There are not so many images.
    pub fn row(&self, image: usize) -> &'a [T] {
        &self.values[image * self.width..][..self.width]
    }

    /// The vectors of some images as `f64`, one after the other.
    pub(crate) fn gather(&self, images: impl IntoIterator<Item = usize>) -> Vec<f64> {
        images.into_iter().flat_map(|image| self.row(image)).map(|&v| v.into()).collect()
    }

    /// That there are at least so many images; `why` ends the message.
    pub(crate) fn need(&self, least: usize, why: &str) -> Result<()> {
        if self.len() >= least {
            return Ok(());
        }
        Err(Error::setting(self.name, format!("{} images are too few: {why} takes at least {least}", self.len()))
            .with_hint("Give more images."))
    }
}

/// That both sets have vectors of one length.
pub(crate) fn alike<T: Number, U: Number>(a: &Features<T>, b: &Features<U>) -> Result<()> {
    if a.width == b.width {
        return Ok(());
    }
    Err(Error::setting(a.name, format!("have {} numbers each, and {} have {}", a.width, b.name, b.width))
        .with_hint("Compute both with the same feature network."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_features_is_named() {
        let message = |result: Result<Features<f32>>| result.unwrap_err().to_string();
        assert_eq!(
            message(Features::new("real features", &[0.0; 7], 3)),
            "real features: 7 numbers are no whole vectors of 3"
        );
        let bad = [0.0, 1.0, 2.0, f32::NAN];
        assert_eq!(message(Features::new("real features", &bad, 2)), "real features: number 1 of image 1 is NaN");
        assert!(Features::new("x", &[1e101f64], 1).is_err() && Features::new("x", &[1f32], 0).is_err());
        let few = Features::new("real features", &[0.0f32; 6], 3).unwrap();
        assert_eq!((few.len(), few.width(), few.is_empty()), (2, 3, false));
        assert_eq!(
            few.need(3, "this").unwrap_err().to_string(),
            "real features: 2 images are too few: this takes at least 3"
        );
    }
}
