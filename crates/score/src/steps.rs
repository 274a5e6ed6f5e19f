//! Small steps between latents, and how far they bring the images: what a path length is of.

use crate::gather::as_read;
use crate::{Extractor, Resize, Vectors};
use base::watch::Watch;
use base::{Error, memory};
use metrics::features::Features;
use metrics::path_length::Options;
use net::Result;
use rayon::prelude::*;
use std::ops::Range;

/// Steps that are in work at once, where there is memory: each is two images.
const BATCH: usize = 16;
/// What red, green and blue give to grey (ITU-R BT.601), as for bytes.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// What can make images a small step apart, by the numbers of the steps.
pub trait Steps {
    /// The shape of an image, `[channels, height, width]`.
    ///
    /// # Errors
    /// There are no images.
    fn shape(&self) -> Result<[usize; 3]>;

    /// The images `[n, channels, height, width]` at both ends of these steps, in [-1, 1] and not rounded: between bytes most steps would be lost.
    ///
    /// # Errors
    /// Paths cannot lie in this space, or an image cannot be made.
    fn ends(&self, numbers: Range<u64>, options: &Options) -> Result<[Vec<f32>; 2]>;
}

/// The features at both ends of the first `count` steps; `None` where the watcher wanted it to end.
///
/// # Errors
/// As [`Steps::ends`], features are not finite, or there is no memory.
pub(crate) fn gather_steps(
    extractor: &Extractor,
    resize: Resize,
    steps: &dyn Steps,
    count: u64,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Option<[Vectors; 2]>> {
    options.check()?;
    let (shape, width) = (steps.shape()?, extractor.width());
    let kept = count.saturating_mul(8 * width as u64);
    let needed = kept.saturating_add(extractor.memory(2, false)?);
    memory::check("features of all steps", needed, "Ask for fewer images.")?;
    let batch = memory::fitting(BATCH, |batch| extractor.memory(2 * batch, false))?;
    let mut found = [Vec::new(), Vec::new()];
    watch.stage("steps", count);
    let mut first = 0;
    while first < count {
        if watch.stop() {
            return Ok(None);
        }
        let end = count.min(first + batch as u64);
        let ends = steps.ends(first..end, options)?;
        for (found, values) in found.iter_mut().zip(ends) {
            let features = extractor.extract(prepared(&values, shape, resize, extractor.shape()), false)?.features;
            Features::new(&format!("steps from {first} on"), &features, width)?;
            found.extend(features);
        }
        watch.step(end - first);
        first = end;
    }
    Ok(Some(found.map(|values| Vectors { values, width })))
}

/// Numbers of images as the network reads them.
fn prepared(
    values: &[f32],
    [channels, height, width]: [usize; 3],
    resize: Resize,
    [wanted, h, w]: [usize; 3],
) -> Vec<f32> {
    let one = |image: &[f32]| {
        let planes: Vec<f32> = match (channels, wanted) {
            (3, 1) => grey(image, height * width),
            _ => image.to_vec(),
        };
        let given = if (channels, wanted) == (3, 1) { 1 } else { channels };
        let bytes: Vec<f32> = planes.into_iter().map(|v| (v + 1.0) * 127.5).collect();
        as_read(resize.resized(&bytes, [height, width], [h, w]), given, wanted)
    };
    values.par_chunks_exact((channels * height * width).max(1)).map(one).collect::<Vec<_>>().concat()
}

fn grey(image: &[f32], plane: usize) -> Vec<f32> {
    let mut sums = vec![0.0; plane];
    for (values, weight) in image.chunks_exact(plane.max(1)).zip(LUMA) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
    }
    sums
}

/// The error of images without steps.
pub(crate) fn missing(name: &str) -> Error {
    Error::file(name, "is no generator: a path length is of steps between latents")
        .with_hint("Give a model, or leave `ppl` out of `metrics`.")
}
