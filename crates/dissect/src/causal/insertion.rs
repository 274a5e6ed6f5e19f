//! Where a class can be put: its units forced at one cell after another, the effect by what stands there, and how far the change
//! reaches into the later layers (Bau et al., arXiv 1811.10597, section 4.4 and appendix).

use super::CausalSettings;
use super::tail::{Maps, Tail};
use crate::concepts::Concepts;
use base::seed::Stream;
use base::watch::Watch;
use net::Result;
use segment::Segment;
use serde::{Deserialize, Serialize};

/// Where the seeds of these images begin.
const INSERTION: u64 = 1 << 39;
/// Cells of an image that are tried: all of a map of 8x8.
const CELLS: usize = 64;
/// Edited images that go through the networks at a time. Part of no result.
const BATCH: usize = 32;

/// What forcing units at single cells does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insertions {
    /// Images.
    pub images: u64,
    /// The units that are forced together.
    pub units: Vec<usize>,
    /// What each of `units` is set to: a high quantile of its activation.
    pub values: Vec<f64>,
    /// The effect by the class that holds most of the cell beforehand; classes that hold none are left out.
    pub contexts: Vec<Context>,
    /// How much changes in each later layer, in their order, and in the image.
    pub trace: Vec<Trace>,
}

/// The effect of insertions at cells where a class stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The class that stands there.
    pub class: String,
    /// Its category.
    pub category: String,
    /// Cells tried.
    pub cells: u64,
    /// Mean change of the inserted class's pixels in the whole image, in shares of its mean area in an image.
    pub effect: f64,
    /// Standard error of `effect`, cells of an image taken as one draw.
    pub error: f64,
    /// Share of the cells that hold more of the inserted class afterwards.
    pub made: f64,
}

/// How much one layer changes: for each channel the mean change of its activation anywhere, as a share of its mean activation
/// (both without sign), averaged over channels; 0 where there was no such insertion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The layer, or `image`.
    pub layer: String,
    /// After insertions that made some of the class at their cell.
    pub made: f64,
    /// After those that did not.
    pub refused: f64,
}

/// One context's sums.
#[derive(Clone, Default)]
struct Sums {
    cells: u64,
    made: u64,
    /// For each image with such cells: how many, and the change of pixels in all.
    images: Vec<(u64, f64)>,
}

/// One layer's sums, by channel.
struct Change {
    base: Vec<f64>,
    changed: [Vec<f64>; 2],
}

/// Forces `units` to `values` at every cell of some images, one at a time.
pub(super) fn insertions(
    tail: &Tail,
    units: &[usize],
    values: &[f32],
    mean_pixels: f64,
    settings: &CausalSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Insertions>> {
    let concepts = Concepts::new(tail.segmenter.planes());
    let mut sums = vec![Sums::default(); concepts.list().len()];
    let mut changes: Vec<Change> = Vec::new();
    let mut counts = [0u64; 2];
    watch.stage("insertions by what stands there", settings.insertion_images);
    for image in 0..settings.insertion_images {
        let maps = tail.maps(&[INSERTION + settings.seed + image])?;
        let (pictures, layers) = tail.images_and_layers(&maps)?;
        let labels = tail.segmenter.segment(&pictures)?.swap_remove(0);
        let before: Vec<bool> = labels[tail.plane].classes.iter().map(|&c| tail.is_class(c)).collect();
        let standing: Vec<Option<usize>> = concepts.of_pixels(0, &labels[0]).collect();
        if changes.is_empty() {
            changes.extend(layers.iter().map(|layer| Change::new(layer.shape()[1])));
        }
        let layers: Vec<Vec<f32>> = layers.iter().map(net::Tensor::to_vec).collect();
        changes.iter_mut().zip(&layers).for_each(|(change, base)| change.add_base(base));
        let mut of_image = vec![(0u64, 0.0f64); sums.len()];
        for batch in cells_of(tail, settings.seed, image).chunks(BATCH) {
            let mut inserted = Maps {
                seeds: maps.seeds.repeat(batch.len()),
                values: maps.values.repeat(batch.len()),
                size: maps.size,
            };
            for (edited, &cell) in inserted.values.chunks_exact_mut(maps.size).zip(batch) {
                units.iter().zip(values).for_each(|(&unit, &value)| edited[unit * tail.cells() + cell] = value);
            }
            let (pictures, after) = tail.images_and_layers(&inserted)?;
            let made: Vec<bool> = tail
                .class_of_images(&pictures)?
                .iter()
                .zip(batch)
                .map(|(now, &cell)| {
                    let window = tail.window(cell);
                    let count = |shown: &[bool]| window.iter().filter(|&&pixel| shown[pixel]).count();
                    let made = count(now) > count(&before);
                    if let Some(context) = most(window.iter().filter_map(|&pixel| standing[pixel]), sums.len()) {
                        let all = |shown: &[bool]| shown.iter().filter(|&&p| p).count() as f64;
                        of_image[context].0 += 1;
                        of_image[context].1 += all(now) - all(&before);
                        sums[context].made += u64::from(made);
                    }
                    made
                })
                .collect();
            made.iter().for_each(|&made| counts[usize::from(made)] += 1);
            for ((change, base), after) in changes.iter_mut().zip(&layers).zip(&after) {
                let after = after.to_vec();
                for (now, &made) in after.chunks_exact(base.len()).zip(&made) {
                    change.add(usize::from(made), base, now);
                }
            }
        }
        for (sums, found) in sums.iter_mut().zip(of_image).filter(|(_, found)| found.0 > 0) {
            sums.cells += found.0;
            sums.images.push(found);
        }
        watch.step(1);
        if watch.stop() {
            return Ok(None);
        }
    }
    let contexts = sums.iter().zip(concepts.list()).filter(|(sums, _)| sums.cells > 0).map(|(sums, concept)| Context {
        class: concept.name.clone(),
        category: concept.category.clone(),
        cells: sums.cells,
        effect: sums.mean() / mean_pixels,
        error: sums.error() / mean_pixels,
        made: sums.made as f64 / sums.cells as f64,
    });
    let names = tail.later().map(str::to_owned).chain(["image".to_owned()]);
    let trace = names.zip(&changes).map(|(layer, change)| Trace {
        layer,
        made: change.share(1, counts[1], settings.insertion_images),
        refused: change.share(0, counts[0], settings.insertion_images),
    });
    Ok(Some(Insertions {
        images: settings.insertion_images,
        units: units.to_vec(),
        values: values.iter().map(|&v| v.into()).collect(),
        contexts: contexts.collect(),
        trace: trace.collect(),
    }))
}

/// The cells that are tried, in their order: all, or some that are drawn.
fn cells_of(tail: &Tail, seed: u64, image: u64) -> Vec<usize> {
    let mut cells: Vec<usize> = (0..tail.cells()).collect();
    if cells.len() > CELLS {
        Stream::new(seed, "insertion cells", image).shuffle(&mut cells);
        cells.truncate(CELLS);
        cells.sort_unstable();
    }
    cells
}

/// What occurs most often; the first of several.
fn most(found: impl Iterator<Item = usize>, kinds: usize) -> Option<usize> {
    let mut counts = vec![0u32; kinds];
    found.for_each(|kind| counts[kind] += 1);
    let largest = counts.iter().copied().max().filter(|&count| count > 0)?;
    counts.iter().position(|&count| count == largest)
}

impl Sums {
    fn mean(&self) -> f64 {
        self.images.iter().map(|(_, change)| change).sum::<f64>() / self.cells as f64
    }

    /// Of a ratio of sums over images: cells of one image are alike.
    fn error(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.images.iter().map(|&(cells, change)| (change - mean * cells as f64).powi(2)).sum();
        squares.sqrt() / self.cells as f64
    }
}

impl Change {
    fn new(channels: usize) -> Self {
        Self { base: vec![0.0; channels], changed: [vec![0.0; channels], vec![0.0; channels]] }
    }

    fn add_base(&mut self, values: &[f32]) {
        let cells = values.len() / self.base.len();
        for (sum, map) in self.base.iter_mut().zip(values.chunks_exact(cells)) {
            *sum += map.iter().map(|&v| f64::from(v.abs())).sum::<f64>();
        }
    }

    fn add(&mut self, made: usize, base: &[f32], now: &[f32]) {
        let cells = base.len() / self.base.len();
        let maps = base.chunks_exact(cells).zip(now.chunks_exact(cells));
        for (sum, (base, now)) in self.changed[made].iter_mut().zip(maps) {
            *sum += base.iter().zip(now).map(|(b, n)| f64::from((n - b).abs())).sum::<f64>();
        }
    }

    fn share(&self, made: usize, insertions: u64, images: u64) -> f64 {
        let channels = self.base.iter().zip(&self.changed[made]).filter(|(base, _)| **base > 0.0);
        let (sum, n) = channels.fold((0.0, 0usize), |(sum, n), (base, changed)| {
            (sum + changed / insertions.max(1) as f64 / (base / images as f64), n + 1)
        });
        sum / n.max(1) as f64
    }
}
