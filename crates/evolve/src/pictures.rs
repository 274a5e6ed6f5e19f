//! What a run shows: grids of samples, clouds of points, and one number for how far samples are from reals.

pub(crate) mod by_class;

use crate::labelled::Labelled;
use base::Result;
use base::seed::Stream;
use data::pictures::{self, Cloud};
use data::{Dataset, Image};
use metrics::mmd;
use net::{Device, Graph, Mode, Network, NodeId, Params, Program, Role};

/// Samples in a grid, and its columns.
pub(crate) const GRID: usize = 64;
const COLUMNS: usize = 8;
/// Pixels between them.
const PADDING: usize = 2;
/// Smaller images are enlarged to about this many pixels.
const SEEN: usize = 64;

/// A picture of values `[n, c, h, w]` or `[n, 2]`, as PNG bytes. Small images are enlarged to be seen.
pub(crate) fn picture(set: &Dataset, shape: &[usize], values: &[f32]) -> Result<Vec<u8>> {
    if let &[_, 2] = shape {
        let mut reals = Vec::new();
        for index in 0..1000 {
            reals.extend(set.values(index)?);
        }
        let clouds =
            [Cloud { points: &reals, colour: [190, 190, 200] }, Cloud { points: values, colour: [200, 60, 40] }];
        return pictures::png(&pictures::scatter(&clouds, 480, 2.0));
    }
    pictures::png(&pictures::grid(&images(shape, values)?, COLUMNS, PADDING)?)
}

/// The images of a batch, small ones enlarged.
fn images(shape: &[usize], values: &[f32]) -> Result<Vec<Image>> {
    let longer = shape.iter().skip(2).copied().max().unwrap_or(1);
    let factor = (SEEN / longer.max(1)).max(1);
    let images = pictures::from_batch(shape, values)?;
    Ok(images.iter().map(|image| pictures::zoomed(image, factor)).collect())
}

/// The first reals of the set.
pub(crate) fn reals(set: &Dataset, n: usize) -> Result<Vec<f32>> {
    let count = set.len().unwrap_or(usize::MAX) as u64;
    // Spread over the set: files are often sorted by class.
    let step = (count / n.max(1) as u64).clamp(1, 1 << 20);
    let mut values = Vec::new();
    for k in 0..n as u64 {
        values.extend(set.values(if set.len().is_some() { k * step % count } else { k })?);
    }
    Ok(values)
}

/// Parameters whose batch-norm statistics are those of `n` latents: what a moving average of weights needs.
pub(crate) fn with_own_statistics(graph: &Graph, params: &Params, z: &Labelled) -> net::Result<Params> {
    let program = Program::new(graph, Mode::Training)?;
    let (places, wanted): (Vec<usize>, Vec<NodeId>) = program.statistics().iter().copied().unzip();
    let mut params = params.clone();
    let label = program.inputs().iter().find(|input| input.role == Role::Label).map(|input| input.node);
    let fed = std::iter::once((program.input()?, &z.x)).chain(label.zip(z.label.as_ref()));
    let values = program.start(&params, &fed.collect::<Vec<_>>())?.fetch(&wanted)?;
    places.into_iter().zip(values).for_each(|(place, value)| params.set(place, value));
    Ok(params)
}

/// Samples of a network for latents, in small batches.
pub(crate) fn samples(network: &Network, z: &Labelled, device: &Device) -> net::Result<(Vec<usize>, Vec<f32>)> {
    let n = z.count();
    let ready = network.inference()?;
    let (mut shape, mut values) = (Vec::new(), Vec::new());
    for start in (0..n).step_by(64) {
        let z = z.part(start..n.min(start + 64), device).feed(network);
        let x = ready.begin(&z)?.fetch_one(ready.output())?;
        shape = x.shape().to_vec();
        values.extend(x.to_vec());
    }
    if let Some(first) = shape.first_mut() {
        *first = n;
    }
    Ok((shape, values))
}

/// Random deals of samples and reals to two sets that say what chance does to their distance.
const DEALS: usize = 100;

/// How far the samples of a checkpoint are from reals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance {
    /// The unbiased squared maximum mean discrepancy.
    pub(crate) value: f64,
    /// What it stays below in 95 % of the cases if both were of one distribution.
    pub(crate) chance: f64,
}

impl Distance {
    /// Whether a later checkpoint stands for its run, rather than the one of the distance `best`: it is nearer, or as near as chance tells. Of
    /// checkpoints that this figure cannot tell apart the one that was trained longest is likely the best.
    pub(crate) fn replaces(self, best: Option<f64>) -> bool {
        self.value.is_finite() && best.is_none_or(|best| self.value < best || self.value <= self.chance)
    }
}

/// The at most 8 fields along a side.
struct Fields {
    /// The field of each pixel.
    field: Vec<usize>,
    /// Pixels of each field.
    length: Vec<usize>,
}

impl Fields {
    fn of(side: usize) -> Self {
        let fields = side.min(8);
        let field: Vec<usize> = (0..side).map(|pixel| pixel * fields / side).collect();
        let mut length = vec![0; fields];
        field.iter().for_each(|&field| length[field] += 1);
        Self { field, length }
    }
}

/// Squared maximum mean discrepancy between samples and reals: points as they are, images averaged down to at most 8 x 8
/// pixels. A rough figure that is cheap enough to compare checkpoints of one run; not a published metric.
pub(crate) fn distance(shape: &[usize], fakes: &[f32], reals: &[f32]) -> Distance {
    fn features<const D: usize>(shape: &[usize], values: &[f32]) -> Vec<[f64; D]> {
        let each: usize = shape[1..].iter().product();
        let side = |axis: usize| shape.get(axis).copied().unwrap_or(1);
        let (rows, columns) = (Fields::of(side(2)), Fields::of(side(3)));
        values
            .chunks_exact(each)
            .map(|image| {
                let mut feature = [0.0; D];
                for (line, pixels) in image.chunks_exact(side(3)).enumerate() {
                    let (c, y) = (line / side(2), line % side(2));
                    let row = rows.field[y];
                    for (&value, &column) in pixels.iter().zip(&columns.field) {
                        if let Some(sum) =
                            feature.get_mut((c * rows.length.len() + row) * columns.length.len() + column)
                        {
                            *sum += f64::from(value) / (rows.length[row] * columns.length[column]) as f64;
                        }
                    }
                }
                feature
            })
            .collect()
    }
    fn of<const D: usize>(fakes: &[[f64; D]], reals: &[[f64; D]]) -> Distance {
        let mut stream = Stream::new(0, "distance by chance", 0);
        let (squared, chance) = mmd::with_chance(fakes, reals, DEALS, &mut stream);
        Distance { value: squared.unbiased, chance }
    }
    match shape {
        [_, 2] => {
            let points = |v: &[f32]| v.as_chunks::<2>().0.iter().map(|p| p.map(f64::from)).collect::<Vec<[f64; 2]>>();
            of(&points(fakes), &points(reals))
        }
        [_, 1, ..] => of(&features::<64>(shape, fakes), &features::<64>(shape, reals)),
        _ => of(&features::<192>(shape, fakes), &features::<192>(shape, reals)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_counts_in_its_field_whatever_the_size() {
        for (side, expected) in [(8, [1; 8]), (64, [8; 8]), (80, [10; 8]), (12, [2, 1, 2, 1, 2, 1, 2, 1])] {
            assert_eq!(Fields::of(side).length, expected);
        }
        assert_eq!(Fields::of(3).field, [0, 1, 2]);
        // Two sets that differ in the last pixel of a wide picture alone.
        let (n, shape) = (8, [8, 1, 12, 20]);
        let mut stream = Stream::new(5, "test", 0);
        let reals: Vec<f32> = (0..n * 240).map(|_| stream.uniform(-1.0, 1.0) as f32).collect();
        let mut fakes = reals.clone();
        assert!(distance(&shape, &fakes, &reals).value <= 0.0);
        fakes.chunks_exact_mut(240).for_each(|image| image[239] += 40.0);
        assert!(distance(&shape, &fakes, &reals).value > 0.1);
    }

    #[test]
    fn of_checkpoints_that_chance_may_have_ordered_the_last_one_stands() {
        let replaces = |value, best| Distance { value, chance: 0.01 }.replaces(best);
        assert!(replaces(0.5, None) && replaces(0.4, Some(0.5)) && !replaces(0.6, Some(0.5)));
        assert!(replaces(0.005, Some(-0.004)) && !replaces(0.02, Some(-0.004)));
        assert!(!replaces(f64::NAN, None) && !Distance { value: 0.1, chance: f64::NAN }.replaces(Some(0.05)));
    }
}
