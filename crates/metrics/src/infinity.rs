//! The Fréchet distance that infinitely many generated images would have (Chong and Forsyth, arXiv 1911.07023): the distance of `N` is too
//! large by about `c / N`, and `c` depends on the generator, so distances of finite sets may rank generators wrongly.
//!
//! Images are put into groups, of which only the moments are kept: memory does not depend on their number. Distances of all images, of
//! two halves and of four quarters give three points over `1/N`, whose line is followed to 0. The interval comes from leaving out one
//! group at a time (the jackknife, Efron and Tibshirani 1993, chapter 11): points of one line share images, so their scatter about it says
//! nothing.

mod student;

use crate::defaults;
use crate::features::{Features, Generated, Number, Real};
use crate::fid::{Gaussian, between};
use crate::moments::{Moments, Node};
use crate::statistics::{Divisor, Statistics};
use crate::summary::Interval;
use base::{Error, Result};
use serde::{Deserialize, Serialize};
use student::quantile;

/// Into how many parts images are divided, for the points of the line.
const LEVELS: [usize; 3] = [1, 2, 4];

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Groups of images, at least 8. More make a steadier interval and take longer: seven distances each, and seven more.
    pub groups: usize,
    /// Confidence of the interval.
    pub confidence: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { groups: defaults::GROUPS, confidence: defaults::CONFIDENCE }
    }
}

/// A distance at infinitely many generated images, with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FidInfinity {
    /// The distance. Below 0 where chance is larger than it; it is not clipped.
    pub value: f64,
    /// The interval of that confidence, for the draw of the generated images. The real ones count as they are: what they are too few for
    /// stays in the distance.
    pub interval: Interval,
    /// The distance of all generated images.
    pub at_all: f64,
    /// What was chosen.
    pub options: Options,
    /// Numbers of a feature vector.
    pub width: usize,
    /// Generated images.
    pub generated: u64,
    /// Real images, where that is known.
    pub real: Option<u64>,
    /// What the covariances were divided by.
    pub divisor: Divisor,
}

/// Generated images in groups. Image `i` goes to group `i` modulo their number, which is as good as by chance where latents are.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups(Vec<Moments>);

impl Groups {
    /// Nothing yet, of vectors of `width` numbers.
    ///
    /// # Errors
    /// There are fewer than 8 groups.
    pub fn new(width: usize, groups: usize) -> Result<Self> {
        if groups < 2 * LEVELS[2] {
            return Err(Error::setting(
                "groups",
                format!("is {groups}; quarters and an interval take at least {}", 2 * LEVELS[2]),
            )
            .with_hint("12 are usual."));
        }
        Ok(Self(vec![Moments::new(width); groups]))
    }

    /// Takes images with the numbers `first`, `first + 1`, ..., as [`Moments::push`].
    ///
    /// # Errors
    /// As [`Moments::push`].
    pub fn push<T: Number>(&mut self, first: u64, features: &Features<T>) -> Result<()> {
        let groups = self.0.len() as u64;
        for (number, row) in (first..).zip(0..features.len()) {
            let one = Features::new(features.name(), features.row(row), features.width())?;
            self.0[(number % groups) as usize].push(number / groups, &one)?;
        }
        Ok(())
    }

    /// Adds what another one saw, to the same bytes in any order.
    ///
    /// # Errors
    /// As [`Moments::merge`], and where the numbers of groups differ.
    pub fn merge(self, other: Self) -> Result<Self> {
        if self.0.len() != other.0.len() {
            return Err(Error::setting("groups", format!("is {} here and {} there", self.0.len(), other.0.len())));
        }
        self.0.into_iter().zip(other.0).map(|(a, b)| a.merge(b)).collect::<Result<_>>().map(Self)
    }
}

/// The distance at infinitely many generated images; covariances are divided as the real one was, or by N-1 where that is not known.
///
/// # Errors
/// As [`crate::fid::fid`]; a quarter has fewer than two images; the confidence is none.
pub fn fid_infinity(generated: Generated<&Groups>, real: Real<&Statistics>, confidence: f64) -> Result<FidInfinity> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(Error::setting("confidence", format!("is {confidence}"))
            .with_hint("Take a number between 0 and 1; 0.95 is usual."));
    }
    let divisor = real.0.divisor().unwrap_or_default();
    let groups: Vec<Option<Node>> = generated.0.0.iter().map(Moments::whole).collect();
    let total: u64 = groups.iter().flatten().map(|node| node.count).sum();
    let groups: Vec<Node> = groups.into_iter().flatten().filter(|node| node.count >= 2).collect();
    if groups.len() < generated.0.0.len() {
        return Err(Error::setting(
            "generated features",
            format!("{total} images are too few for {} groups", generated.0.0.len()),
        )
        .with_hint("Give more images: some thousand make a line."));
    }
    let reference = Gaussian::new("real statistics", real.0)?;
    let line = |left_out: Option<usize>| {
        let chosen: Vec<&Node> = (0..groups.len()).filter(|&g| Some(g) != left_out).map(|g| &groups[g]).collect();
        let points = LEVELS.map(|parts| level(&chosen, parts, divisor, &reference));
        let [a, b, c] = points;
        Ok::<_, Error>([a?, b?, c?])
    };
    let points = line(None)?;
    let value = intercept(&points);
    let without: Vec<f64> = (0..groups.len()).map(|g| Ok(intercept(&line(Some(g))?))).collect::<Result<_>>()?;
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let error = ((n - 1.0) / n * without.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()).sqrt();
    let reach = quantile(0.5 + confidence / 2.0, without.len() as u32 - 1) * error;
    Ok(FidInfinity {
        value,
        interval: Interval { low: value - reach, high: value + reach },
        at_all: points[0][1],
        options: Options { groups: groups.len(), confidence },
        width: real.0.mean().len(),
        generated: total,
        real: real.0.samples(),
        divisor,
    })
}

/// The mean of `1/N` and of the distances of some parts of all groups.
fn level(groups: &[&Node], parts: usize, divisor: Divisor, real: &Gaussian) -> Result<[f64; 2]> {
    let mut sums = [0.0; 2];
    for part in 0..parts {
        let members = &groups[part * groups.len() / parts..(part + 1) * groups.len() / parts];
        let mut whole = members[0].clone();
        members[1..].iter().for_each(|group| whole.append(group));
        let statistics = whole.statistics(divisor);
        let gaussian = Gaussian::new("generated statistics", &statistics)?;
        sums[0] += 1.0 / whole.count as f64;
        sums[1] += between(Generated(&gaussian), Real(real))?.value;
    }
    Ok(sums.map(|sum| sum / parts as f64))
}

/// Where the line of least squares through points `[x, y]` is at 0. Means of many small parts are about as certain as one large part, so
/// points count alike.
fn intercept(points: &[[f64; 2]]) -> f64 {
    let n = points.len() as f64;
    let [x, y] = [0, 1].map(|k| points.iter().map(|p| p[k]).sum::<f64>() / n);
    let slope = points.iter().map(|p| (p[0] - x) * (p[1] - y)).sum::<f64>()
        / points.iter().map(|p| (p[0] - x) * (p[0] - x)).sum::<f64>();
    y - slope * x
}

#[cfg(test)]
mod tests;
