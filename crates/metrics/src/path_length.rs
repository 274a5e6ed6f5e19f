//! How far images are apart in a feature space when latents are a little apart: the perceptual path length (Karras et al., arXiv 1812.04948).
//! With features in which LPIPS is a squared distance it is what papers call PPL; with others it must be called by their name.

use crate::defaults;
use crate::features::{Features, Number, alike};
use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where paths lie: a matter of who makes the images, and part of what a length is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// From latent to latent, on the way on which latents stay likely ones: the great circle of normal ones, straight for uniform ones.
    #[default]
    Z,
    /// Straight from style to style, where a generator makes styles of its latents.
    W,
}

/// Where on a path the step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Places {
    /// Anywhere.
    #[default]
    Full,
    /// At its beginning: one of the two images is one that the generator makes by itself.
    End,
}

impl Space {
    /// Its name in protocols.
    pub fn name(self) -> &'static str {
        match self {
            Self::Z => "z",
            Self::W => "w",
        }
    }
}

impl Places {
    /// Their name in protocols.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::End => "end",
        }
    }
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The step between the two latents of a pair, as a part of the path.
    pub step: f64,
    /// Share of the shortest steps, and of the longest, that are left out.
    pub left_out: f64,
    /// Where paths lie.
    pub space: Space,
    /// Where on them the steps are.
    pub places: Places,
    /// The seed of what is drawn: where paths end, and where on them the steps are.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        let (step, left_out) = (defaults::PATH_STEP, defaults::PATH_LEFT_OUT);
        Self { step, left_out, space: Space::default(), places: Places::default(), seed: defaults::SEED }
    }
}

impl Options {
    /// Refuses numbers that are no step or no share.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self) -> Result<()> {
        if !(self.step > 0.0 && self.step < 1.0) {
            return Err(Error::setting("ppl_step", format!("{} is no part of a path", self.step))
                .with_hint("Take a number between 0 and 1; 1e-4 is usual."));
        }
        if !(0.0..0.5).contains(&self.left_out) {
            return Err(Error::setting("left out", format!("is {}", self.left_out))
                .with_hint("Take a share below one half; 0.01 is usual."));
        }
        Ok(())
    }
}

/// A path length with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathLength {
    /// The mean of the squared distances over the squared step.
    pub value: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// What was chosen.
    pub options: Options,
    /// Numbers of a feature vector.
    pub width: usize,
    /// Pairs of images.
    pub pairs: usize,
    /// Of them, those that count.
    pub kept: usize,
}

/// From the features of images at one end of many steps, and those at the other end in the same order.
///
/// # Errors
/// There are no pairs, the sets differ in size, or an option cannot be used.
pub fn path_length<T: Number>(from: &Features<T>, to: &Features<T>, options: Options) -> Result<PathLength> {
    alike(from, to)?;
    from.need(1, "a path length")?;
    if from.len() != to.len() {
        let reason = format!("are of {} images, and {} of {}", from.len(), to.name(), to.len());
        return Err(Error::setting(from.name(), reason).with_hint("Give both ends of every step."));
    }
    options.check()?;
    let length = |pair: usize| {
        let pairs = from.row(pair).iter().zip(to.row(pair));
        let squares: f64 = pairs.map(|(&a, &b)| (a.into() - b.into()) * (a.into() - b.into())).sum();
        squares / (options.step * options.step)
    };
    let mut all: Vec<f64> = (0..from.len()).map(length).collect();
    all.sort_unstable_by(f64::total_cmp);
    // The order statistics at or below the lower share, and at or above the upper one; what equals them counts.
    let place = options.left_out * (all.len() - 1) as f64;
    let (low, high) = (all[place.floor() as usize], all[all.len() - 1 - place.floor() as usize]);
    let kept: Vec<f64> = all.into_iter().filter(|v| (low..=high).contains(v)).collect();
    let n = kept.len() as f64;
    let value = kept.iter().sum::<f64>() / n;
    let deviation = (kept.iter().map(|v| (v - value) * (v - value)).sum::<f64>() / n).sqrt();
    Ok(PathLength { value, deviation, options, width: from.width(), pairs: from.len(), kept: kept.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: &[f64], to: &[f64], width: usize, options: Options) -> Result<PathLength> {
        path_length(&Features::new("from", from, width)?, &Features::new("to", to, width)?, options)
    }

    #[test]
    fn steps_by_hand() {
        let options = Options { step: 0.5, left_out: 0.0, ..Options::default() };
        let found = of(&[0.0, 0.0, 1.0, 1.0], &[3.0, 4.0, 1.0, 2.0], 2, options).unwrap();
        // 25 and 1, over a quarter.
        assert_eq!((found.value, found.deviation, found.pairs, found.kept), (52.0, 48.0, 2, 2));
    }

    /// A straight path through features has the squared length of its slope, whatever the step.
    #[test]
    fn a_straight_path_is_as_long_as_its_slope() {
        for step in [1e-3, 1e-1, 0.5] {
            let from: Vec<f64> = (0..50).map(f64::from).collect();
            let to: Vec<f64> = from.iter().map(|v| v + 3.0 * step).collect();
            let found = of(&from, &to, 1, Options { step, left_out: 0.01, ..Options::default() }).unwrap();
            assert!((found.value - 9.0).abs() < 1e-9, "{found:?}");
        }
    }

    /// `numpy.percentile(d, 1, method="lower")` and `(d, 99, method="higher")`, ends included.
    #[test]
    fn the_shortest_and_the_longest_are_left_out() {
        let from = vec![0.0; 301];
        let mut to: Vec<f64> = (0..301).map(|i| 0.5 * f64::from(i).sqrt()).collect();
        to.reverse();
        let found = of(&from, &to, 1, Options { step: 0.5, left_out: 0.01, ..Options::default() }).unwrap();
        // Lengths 0 to 300: 3 to 297 are kept.
        assert_eq!((found.kept, found.pairs), (295, 301));
        assert!((found.value - 150.0).abs() < 1e-9);
        assert_eq!(of(&[0.0], &[2.0], 1, Options::default()).unwrap().kept, 1);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let message = |from: &[f64], to: &[f64], step, left_out| {
            of(from, to, 1, Options { step, left_out, ..Options::default() }).unwrap_err().to_string()
        };
        assert_eq!(message(&[0.0], &[0.0, 1.0], 0.5, 0.0), "from: are of 1 images, and to of 2");
        assert_eq!(message(&[], &[], 0.5, 0.0), "from: 0 images are too few: a path length takes at least 1");
        for step in [0.0, 1.0, f64::NAN] {
            assert_eq!(message(&[0.0], &[0.0], step, 0.0), format!("ppl_step: {step} is no part of a path"));
        }
        assert_eq!(message(&[0.0], &[0.0], 0.5, 0.5), "left out: is 0.5");
    }
}
