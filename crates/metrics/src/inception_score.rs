//! How sure a classifier is of each image, and how many classes there are among all (Salimans et al., arXiv 1606.03498). With the logits of
//! the Inception network of 2015, *without its bias*, it is what papers call IS; with another classifier it must be called by its name.

use crate::defaults;
use crate::features::{Features, Number};
use base::seed::Stream;
use base::{Error, Result};
use serde::{Deserialize, Serialize};

/// In which order images are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As they come: `StyleGAN3`.
    Given,
    /// Shuffled, as torch-fidelity does (with other draws).
    Shuffled {
        /// Seed of the shuffle.
        seed: u64,
    },
}

/// What the sum of squares over splits is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    /// The number of splits: torch-fidelity, `StyleGAN3`.
    #[default]
    Population,
    /// One less: `StudioGAN`.
    Sample,
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Parts of about one size, each with a score of its own.
    pub splits: usize,
    /// How images are put into them.
    pub order: Order,
    /// How the deviation is computed.
    pub deviation: Deviation,
}

impl Default for Options {
    fn default() -> Self {
        let order = Order::Shuffled { seed: defaults::SEED };
        Self { splits: defaults::SCORE_SPLITS, order, deviation: Deviation::default() }
    }
}

/// A score with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean over splits, from 1 to the number of classes. Biased, and the bias depends on the generator.
    pub value: f64,
    /// The standard deviation over splits; none with one split and the deviation of a sample.
    pub deviation: Option<f64>,
    /// What was chosen.
    pub options: Options,
    /// Classes.
    pub classes: usize,
    /// Generated images.
    pub generated: usize,
}

/// The score from logits `[images, classes]`.
///
/// # Errors
/// There are fewer images than splits, or no splits.
pub fn from_logits<T: Number>(logits: &Features<T>, options: Options) -> Result<Score> {
    let logs: Vec<f64> = (0..logits.len()).flat_map(|image| log_softmax(logits.row(image))).collect();
    score(logits, &logs, options)
}

/// The score from probabilities `[images, classes]`: each at least 0, those of an image 1 together.
///
/// # Errors
/// As [`from_logits`], and where probabilities are none.
pub fn from_probabilities<T: Number>(probabilities: &Features<T>, options: Options) -> Result<Score> {
    for image in 0..probabilities.len() {
        let row = probabilities.row(image).iter().map(|&p| p.into());
        let sum: f64 = row.clone().sum();
        if row.clone().any(|p| p < 0.0) || (sum - 1.0).abs() > 1e-4 {
            let reason =
                format!("those of image {image} are no probabilities: they add up to {sum}, or one is below 0");
            return Err(Error::setting(probabilities.name(), reason)
                .with_hint("Give logits, or probabilities after a softmax."));
        }
    }
    let log = |&p: &T| libm::log(p.into());
    let logs: Vec<f64> = (0..probabilities.len()).flat_map(|image| probabilities.row(image).iter().map(log)).collect();
    score(probabilities, &logs, options)
}

/// From the logarithms of probabilities, one image after the other.
fn score<T: Number>(given: &Features<T>, logs: &[f64], options: Options) -> Result<Score> {
    let (images, classes, splits) = (given.len(), given.width(), options.splits);
    if splits == 0 {
        return Err(Error::setting("splits", "is 0").with_hint("Take at least 1; 10 are usual."));
    }
    given.need(splits, &format!("a score of {splits} splits"))?;
    let mut order: Vec<usize> = (0..images).collect();
    if let Order::Shuffled { seed } = options.order {
        Stream::new(seed, "score-order", 0).shuffle(&mut order);
    }
    let of_split = |split: usize| {
        let part = &order[split * images / splits..(split + 1) * images / splits];
        let rows = || part.iter().map(|&image| &logs[image * classes..(image + 1) * classes]);
        let mut mean = vec![0.0; classes];
        rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, &log)| *sum += libm::exp(log)));
        let logs_of_mean: Vec<f64> = mean.iter().map(|sum| libm::log(sum / part.len() as f64)).collect();
        let divergence: f64 = rows().map(|row| divergence(row, &logs_of_mean)).sum();
        libm::exp(divergence / part.len() as f64)
    };
    let values: Vec<f64> = (0..splits).map(of_split).collect();
    let value = values.iter().sum::<f64>() / splits as f64;
    let squares: f64 = values.iter().map(|v| (v - value) * (v - value)).sum();
    let deviation = match options.deviation {
        Deviation::Population => Some((squares / splits as f64).sqrt()),
        Deviation::Sample => (splits > 1).then(|| (squares / (splits - 1) as f64).sqrt()),
    };
    Ok(Score { value, deviation, options, classes, generated: images })
}

/// `sum p (log p - log q)`, where `0 log 0` is 0.
fn divergence(logs: &[f64], of_mean: &[f64]) -> f64 {
    let term = |(&p, &q): (&f64, &f64)| if p == f64::NEG_INFINITY { 0.0 } else { libm::exp(p) * (p - q) };
    logs.iter().zip(of_mean).map(term).sum()
}

fn log_softmax<T: Number>(logits: &[T]) -> Vec<f64> {
    let largest = logits.iter().map(|&v| v.into()).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|&v| libm::exp(v.into() - largest)).sum();
    logits.iter().map(|&v| v.into() - largest - libm::log(sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(probabilities: &[f64], classes: usize, options: Options) -> Score {
        from_probabilities(&Features::new("probabilities", probabilities, classes).unwrap(), options).unwrap()
    }

    fn in_order(splits: usize, deviation: Deviation) -> Options {
        Options { splits, order: Order::Given, deviation }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs()
    }

    /// The table of reference values.
    #[test]
    fn probabilities_of_the_table() {
        let third = 1.0 / 3.0;
        let table: [(&[f64], usize, f64); 4] = [
            (&[1.0, 0.0, 0.0, 1.0], 2, 2.0),
            (&[0.25; 8], 4, 1.0),
            (&[0.8, 0.2, 0.2, 0.8], 2, 1.212_573_253_208_318_4),
            (&[0.7, 0.2, 0.1, 0.1, 0.7, 0.2, 0.2, 0.1, 0.7, third, third, third], 3, 1.249_314_876_300_64),
        ];
        for (rows, classes, expected) in table {
            let found = of(rows, classes, in_order(1, Deviation::Population));
            assert!(near(found.value, expected), "{found:?} for {expected}");
            assert_eq!((found.deviation, found.classes), (Some(0.0), classes));
        }
        let rows = [0.8, 0.2, 0.2, 0.8, 0.9, 0.1, 0.1, 0.9];
        let population = of(&rows, 2, in_order(2, Deviation::Population));
        assert!(near(population.value, 1.328_754_032_188_366_9));
        assert!(near(population.deviation.unwrap(), 0.116_180_778_980_048_42));
        assert!(near(of(&rows, 2, in_order(2, Deviation::Sample)).deviation.unwrap(), 0.164_304_433_320_655_45));
        assert_eq!(of(&rows, 2, in_order(1, Deviation::Sample)).deviation, None);
    }

    #[test]
    fn logits_that_leave_no_doubt_are_no_trouble() {
        let logits = [900.0f32, -900.0, -900.0, 900.0];
        let found =
            from_logits(&Features::new("logits", &logits, 2).unwrap(), in_order(1, Deviation::Population)).unwrap();
        assert_eq!(found.value, 2.0);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let rows = [0.5, 0.5, 0.9, 0.1];
        let message = |values: &[f64], options| {
            from_probabilities(&Features::new("probabilities", values, 2).unwrap(), options).unwrap_err().to_string()
        };
        assert_eq!(
            message(&rows, Options::default()),
            "probabilities: 2 images are too few: a score of 10 splits takes at least 10"
        );
        assert_eq!(message(&rows, in_order(0, Deviation::Sample)), "splits: is 0");
        assert!(message(&[2.0, 3.0], in_order(1, Deviation::Sample)).contains("add up to 5"));
        assert!(message(&[2.0, -1.0], in_order(1, Deviation::Sample)).contains("below 0"));
    }

    proptest! {
        #[test]
        fn laws(classes in 1usize..9, images in 3usize..50, splits in 1usize..4, seed: u64) {
            let mut draw = Stream::new(seed, "test", 0);
            let logits: Vec<f64> = (0..images * classes).map(|_| 3.0 * draw.normal()).collect();
            let value = |logits: &[f64], order| {
                let options = Options { splits, order, deviation: Deviation::Population };
                from_logits(&Features::new("logits", logits, classes).unwrap(), options).unwrap()
            };
            let found = value(&logits, Order::Shuffled { seed });
            prop_assert!(found.value >= 1.0 - 1e-12 && found.value <= classes as f64 + 1e-12);
            prop_assert_eq!(found, value(&logits, Order::Shuffled { seed }));
            let shifted: Vec<f64> = logits.iter().map(|v| v + 7.0).collect();
            prop_assert!((value(&shifted, Order::Given).value - value(&logits, Order::Given).value).abs() < 1e-12 * classes as f64);
            // Within one split the order does not matter, and probabilities give what their logits give.
            let one = in_order(1, Deviation::Population);
            let of = |values: &[f64]| from_logits(&Features::new("logits", values, classes).unwrap(), one).unwrap().value;
            let turned: Vec<f64> = logits.chunks(classes).rev().flatten().copied().collect();
            prop_assert!((of(&turned) - of(&logits)).abs() < 1e-12 * classes as f64);
            let probabilities: Vec<f64> =
                logits.chunks(classes).flat_map(|row| log_softmax(row).into_iter().map(libm::exp)).collect();
            let found = from_probabilities(&Features::new("p", &probabilities, classes).unwrap(), one).unwrap().value;
            prop_assert!((found - of(&logits)).abs() < 1e-12 * classes as f64);
        }
    }
}
