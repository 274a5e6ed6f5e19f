//! How much each class counts in the loss.

use base::Result;
use data::{Dataset, Plane};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How the weights of classes follow from how often they occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// All the same.
    #[default]
    None,
    /// `sqrt(median frequency / frequency)`: rare classes count more, common ones are not forgotten.
    Root,
    /// `median frequency / frequency` (Eigen and Fergus, arXiv 1411.4734).
    Median,
}

/// What becomes of pixels with a plane's `ignore` class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ignored {
    /// "Nothing is here" is an answer like any other: `scenes` has it in its parts.
    Learn,
    /// Nobody said what is here: such pixels are neither learnt nor judged, as label files mean it.
    #[default]
    Skip,
}

/// Weights lie between one over this and this.
const MOST: f64 = 10.0;
/// Items in which the classes are counted: the first ones.
const COUNTED: u64 = 256;

/// The weight of each class of each plane; 0 for one that is not learnt.
pub(crate) fn class_weights(set: &Dataset, rule: Weighting, ignored: Ignored) -> Result<Vec<Vec<f32>>> {
    let n = set.len().map_or(COUNTED, |n| COUNTED.min(n as u64));
    let zeros = || set.planes().iter().map(|plane| vec![0u64; plane.classes.len()]).collect::<Vec<_>>();
    let count = |index: u64| -> Result<Vec<Vec<u64>>> {
        let mut counts = zeros();
        for (counts, map) in counts.iter_mut().zip(set.maps(index)?) {
            for class in map.classes {
                if let Some(count) = counts.get_mut(usize::from(class)) {
                    *count += 1;
                }
            }
        }
        Ok(counts)
    };
    let mut counts = zeros();
    for one in (0..n).into_par_iter().map(count).collect::<Result<Vec<_>>>()? {
        for (sum, one) in counts.iter_mut().flatten().zip(one.into_iter().flatten()) {
            *sum += one;
        }
    }
    Ok(counts.iter().zip(set.planes()).map(|(counts, plane)| weights(counts, plane, rule, ignored)).collect())
}

fn weights(counts: &[u64], plane: &Plane, rule: Weighting, ignored: Ignored) -> Vec<f32> {
    let learnt = |class: usize| ignored == Ignored::Learn || plane.ignore.map(usize::from) != Some(class);
    let mut occurring: Vec<u64> =
        counts.iter().enumerate().filter(|&(class, &n)| n > 0 && learnt(class)).map(|(_, &n)| n).collect();
    occurring.sort_unstable();
    let median = occurring.get(occurring.len() / 2).map_or(1.0, |&n| n as f64);
    let weight = |(class, &count): (usize, &u64)| {
        let ratio = median / (count as f64).max(1e-9);
        let weight = match rule {
            _ if !learnt(class) => return 0.0,
            Weighting::None => 1.0,
            Weighting::Root => ratio.sqrt(),
            Weighting::Median => ratio,
        };
        weight.clamp(1.0 / MOST, MOST) as f32
    };
    counts.iter().enumerate().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::Class;

    #[test]
    fn rare_classes_weigh_more_and_none_more_than_ten_times() {
        let class = |_| Class { name: String::new(), colour: [0; 3] };
        let plane = Plane { name: String::new(), classes: (0..5).map(class).collect(), ignore: Some(4) };
        let counts = [400, 100, 25, 0, 900];
        let of = |rule, ignored| weights(&counts, &plane, rule, ignored);
        assert_eq!(of(Weighting::None, Ignored::Skip), [1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(of(Weighting::Root, Ignored::Skip), [0.5, 1.0, 2.0, 10.0, 0.0]);
        assert_eq!(of(Weighting::Median, Ignored::Skip), [0.25, 1.0, 4.0, 10.0, 0.0]);
        assert_eq!(of(Weighting::Median, Ignored::Learn)[4], 400.0 / 900.0);
    }

    #[test]
    fn the_classes_of_scenes_are_counted() {
        let set =
            data::open("scenes", &data::Options { size: Some(data::Size::square(32)), ..data::Options::default() })
                .unwrap();
        let weights = class_weights(&set, Weighting::Root, Ignored::Learn).unwrap();
        assert_eq!(weights.iter().map(Vec::len).collect::<Vec<_>>(), [11, 9]);
        // There is more sky than sun.
        assert!(weights[0][2] > 2.0 * weights[0][0], "{weights:?}");
    }
}
