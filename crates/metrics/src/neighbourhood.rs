//! Whether generated images lie among the real ones, and real ones among the generated: precision and recall (Kynkäänniemi et al., arXiv
//! 1904.06991), density and coverage (Naeem et al., arXiv 2002.09797). The neighbourhood of an image is the ball around it that reaches
//! to its k-th nearest neighbour in its own set.

mod distances;

use crate::defaults;
use crate::features::{Features, Generated, Number, Real, alike};
use base::{Error, Result};
use distances::for_blocks;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Whether the border of a ball is in it. With a strict border an image that is its neighbour's double lies outside of an empty ball.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Border {
    /// At most the radius: the paper, `StyleGAN3`, torch-fidelity.
    #[default]
    #[serde(rename = "<=")]
    In,
    /// Less than the radius: prdc, `StudioGAN`.
    #[serde(rename = "<")]
    Out,
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Neighbours that a ball reaches to.
    pub k: usize,
    /// Whether its border is in it.
    pub border: Border,
}

impl Default for Options {
    fn default() -> Self {
        Self { k: defaults::NEIGHBOURS, border: Border::In }
    }
}

impl Options {
    /// As the program `prdc` and `StudioGAN` compute it.
    pub fn prdc() -> Self {
        Self { k: defaults::PRDC_NEIGHBOURS, border: Border::Out }
    }
}

/// What was found, with its recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbourhoods {
    /// Share of generated images inside of a ball around a real one.
    pub precision: f64,
    /// Share of real images inside of a ball around a generated one. One outlier's ball covers everything: a known weakness.
    pub recall: f64,
    /// Balls around real images that a generated one lies in, on average, divided by k. It may exceed 1.
    pub density: f64,
    /// Share of real images whose ball holds a generated one.
    pub coverage: f64,
    /// What was chosen.
    pub options: Options,
    /// Numbers of a feature vector.
    pub width: usize,
    /// Generated images.
    pub generated: usize,
    /// Real images.
    pub real: usize,
}

/// Precision, recall, density and coverage. Time grows with the square of the number of images; memory, besides the features, with it.
///
/// # Errors
/// Vectors differ in length, `k` is 0, or a set has not more than `k` images.
pub fn neighbourhoods<T: Number, U: Number>(
    generated: Generated<Features<T>>,
    real: Real<Features<U>>,
    options: Options,
) -> Result<Neighbourhoods> {
    let (generated, real, k) = (generated.0, real.0, options.k);
    alike(&generated, &real)?;
    if k == 0 {
        return Err(Error::setting("k", "is 0").with_hint("Take at least 1; 3 and 5 are usual."));
    }
    let why = format!("a ball that reaches to the neighbour of rank {k}");
    generated.need(k + 1, &why)?;
    real.need(k + 1, &why)?;
    let (radii_of_real, radii_of_generated) = (radii(&real, k), radii(&generated, k));
    let inside = |distance: f64, radius: f64| match options.border {
        Border::In => distance <= radius,
        Border::Out => distance < radius,
    };
    let mut balls = vec![0u64; generated.len()];
    let mut real_ones = vec![Found::default(); real.len()];
    for_blocks(&real, &generated, &mut real_ones, 1, |first_row, first_column, columns, block, found| {
        let mut hit = vec![0u64; columns];
        for ((row, distances), found) in (first_row..).zip(block.chunks_exact(columns)).zip(found) {
            for ((column, &distance), hit) in (first_column..).zip(distances).zip(&mut hit) {
                let in_ball = inside(distance, radii_of_real[row]);
                *hit += u64::from(in_ball);
                found.covered |= in_ball;
                found.recalled |= inside(distance, radii_of_generated[column]);
            }
        }
        hit
    })
    .into_iter()
    .for_each(|(first, hit)| balls[first..].iter_mut().zip(hit).for_each(|(sum, n)| *sum += n));
    let share = |n: usize, of: usize| n as f64 / of as f64;
    Ok(Neighbourhoods {
        precision: share(balls.iter().filter(|&&n| n > 0).count(), generated.len()),
        recall: share(real_ones.iter().filter(|found| found.recalled).count(), real.len()),
        density: balls.iter().sum::<u64>() as f64 / (k as f64 * generated.len() as f64),
        coverage: share(real_ones.iter().filter(|found| found.covered).count(), real.len()),
        options,
        width: real.width(),
        generated: generated.len(),
        real: real.len(),
    })
}

/// What is known of a real image.
#[derive(Clone, Copy, Default)]
struct Found {
    covered: bool,
    recalled: bool,
}

/// The squared distance of each image from its `k`-th nearest neighbour in its own set.
fn radii<T: Number>(features: &Features<T>, k: usize) -> Vec<f64> {
    // The least distances so far, in order.
    let mut nearest = vec![f64::INFINITY; features.len() * k];
    for_blocks(features, features, &mut nearest, k, |first_row, first_column, columns, block, nearest| {
        for ((row, distances), nearest) in
            (first_row..).zip(block.chunks_exact(columns)).zip(nearest.chunks_exact_mut(k))
        {
            for (column, &distance) in (first_column..).zip(distances) {
                if distance < nearest[k - 1] && column != row {
                    let place = nearest.partition_point(|&n| n <= distance);
                    nearest[place..].rotate_right(1);
                    nearest[place] = distance;
                }
            }
        }
    });
    nearest.into_par_iter().skip(k - 1).step_by(k).collect()
}

#[cfg(test)]
mod tests;
