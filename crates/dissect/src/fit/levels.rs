//! Levels and typical values of units, from images that are never counted.

use super::sketch::Sketch;
use crate::ahead::Ahead;
use crate::concepts::Concepts;
use crate::settings::{Rule, Settings};
use crate::subject::{Layer, Subject};
use base::Error;
use base::watch::Watch;
use data::LabelMap;
use kernels::{Matrix, Upsampler};
use metrics::overlap::Overlap;
use net::{Result, Tensor};
use rayon::prelude::*;
use segment::Segment;

/// Images that go through the networks at a time. Part of no result.
const BATCH: u64 = 16;
/// Steps of the table of quantiles: 0, 0.001, ..., 1.
pub const QUANTILES: usize = 1001;
/// Candidate levels of [`Rule::Iqr`]: shares of pixels above them from 1e-3 to 1, evenly in their logarithm.
const CANDIDATES: usize = 100;

/// What is known of the units of one layer before anything is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFit {
    /// For each unit, the level above which it counts as on.
    pub levels: Vec<f32>,
    /// Under [`Rule::Iqr`], for each unit the concept with which its level was found; none where no concept counted.
    pub informative: Vec<Option<usize>>,
    /// For each unit, how far off the share of pixels above its level can be, as a share of all pixels.
    pub errors: Vec<f32>,
    /// For each unit, [`QUANTILES`] quantiles of its upsampled activation, `q = 0, 0.001, ..., 1`.
    pub quantiles: Vec<f32>,
    /// For each unit, its mean activation.
    pub means: Vec<f32>,
    /// For each unit and concept, its mean activation where the concept is, a cell weighing the share of its pixels that the
    /// concept covers; NaN where the concept never occurs.
    pub class_means: Vec<f32>,
}

impl LayerFit {
    /// The value of a unit at a quantile `q` in 0 to 1, interpolated between the table's entries.
    pub fn quantile(&self, unit: usize, q: f64) -> f32 {
        let row = &self.quantiles[unit * QUANTILES..(unit + 1) * QUANTILES];
        let place = q.clamp(0.0, 1.0) * (QUANTILES - 1) as f64;
        let (below, above) = (row[place.floor() as usize], row[place.ceil() as usize]);
        below + (above - below) * place.fract() as f32
    }
}

/// Fits all layers in one pass over the fitting images; under [`Rule::Iqr`] a second one finds out how levels and classes meet. `None`
/// when the watcher wants it to end.
///
/// Memory: one histogram of 8,193 counts for each unit; under [`Rule::Iqr`] another of 101 counts for each unit and concept.
///
/// # Errors
/// A network cannot be run.
pub(crate) fn fit(
    subject: &Subject,
    segmenter: &dyn Segment,
    concepts: &Concepts,
    settings: &Settings,
    watch: &mut dyn Watch,
) -> Result<Option<Vec<LayerFit>>> {
    let [_, height, width] = subject.image_shape();
    let pixels = settings.fit_samples.saturating_mul((height * width) as u64);
    if u32::try_from(pixels).is_err() {
        let reason = format!("{} images of {width}x{height} pixels are more than can be counted", settings.fit_samples);
        return Err(Error::setting("fit_samples", reason).with_hint("1000 are enough for the usual levels.").into());
    }
    let seeds: Vec<u64> = settings.fit_seeds().collect();
    let n = concepts.list().len();
    let layer = |layer: &Layer| LayerStory::new(layer.units, layer.size, [height, width], n);
    let mut layers: Vec<LayerStory> = subject.layers().iter().map(layer).collect();
    let mut label_pixels = vec![0u64; n];

    let make = |batch: &[u64]| {
        let (maps, images) = subject.maps_and_images(batch)?;
        let labels = segmenter.segment(&images)?;
        let there: Vec<There> = labels.par_iter().map(|planes| There::new(planes, concepts)).collect();
        Ok((batch.len() as u64, maps, there))
    };
    watch.stage("levels of units", settings.fit_samples);
    let mut batches = Ahead::new(seeds.chunks(BATCH as usize), make);
    let mut take = |(images, maps, there): (u64, Vec<Tensor>, Vec<There>)| {
        there.iter().flat_map(There::known).for_each(|(_, concept)| label_pixels[concept] += 1);
        for (layer, maps) in layers.iter_mut().zip(&maps) {
            layer.take(maps, &there, n);
        }
        images
    };
    while let Some(images) = batches.with_next(&mut take)? {
        watch.step(images);
        if watch.stop() {
            return Ok(None);
        }
    }
    if settings.rule == Rule::Iqr {
        watch.stage("levels and classes", settings.fit_samples);
        layers.iter_mut().for_each(|layer| layer.begin_joint(n));
        let mut batches = Ahead::new(seeds.chunks(BATCH as usize), make);
        let mut take = |(images, maps, there): (u64, Vec<Tensor>, Vec<There>)| {
            for (layer, maps) in layers.iter_mut().zip(&maps) {
                layer.take_joint(maps, &there, n);
            }
            images
        };
        while let Some(images) = batches.with_next(&mut take)? {
            watch.step(images);
            if watch.stop() {
                return Ok(None);
            }
        }
    }
    Ok(Some(layers.into_iter().map(|layer| layer.finish(settings, &label_pixels, pixels)).collect()))
}

/// What is gathered of one layer.
struct LayerStory {
    cells: usize,
    size: [usize; 2],
    upsampler: Upsampler,
    units: Vec<UnitStory>,
    /// For each concept, the cells that it covers, in cells.
    covered: Vec<f64>,
}

/// What is gathered of one unit.
#[derive(Clone)]
struct UnitStory {
    sum: f64,
    cells: u64,
    sketch: Sketch,
    /// For each bin of the sketch, how many candidate levels lie below it.
    candidates_below: Vec<u8>,
    /// The bins whose upper edges are the candidate levels, from the highest level to the lowest.
    candidates: Vec<usize>,
    /// `[concept][candidates below]`: pixels of the concept.
    joint: Vec<u32>,
    class_sums: Vec<f64>,
}

impl LayerStory {
    fn new(units: usize, size: [usize; 2], pixels: [usize; 2], concepts: usize) -> Self {
        let unit = UnitStory {
            sum: 0.0,
            cells: 0,
            sketch: Sketch::new(),
            candidates_below: Vec::new(),
            candidates: Vec::new(),
            joint: Vec::new(),
            class_sums: vec![0.0; concepts],
        };
        Self {
            cells: size[0] * size[1],
            size,
            upsampler: Upsampler::new(size, pixels),
            units: vec![unit; units],
            covered: vec![0.0; concepts],
        }
    }

    /// Gives each unit its maps of a batch, image by image: as they are, and resampled.
    fn each_unit(&mut self, maps: &Tensor, work: impl Fn(&mut UnitStory, usize, &[f32], &[f32]) + Sync) {
        let (values, cells, count) = (maps.numbers(), self.cells, self.units.len());
        let images = values.len() / (cells * count).max(1);
        let upsampler = &self.upsampler;
        let [height, width] = upsampler.target();
        let room = || vec![0.0; height * width];
        self.units.par_iter_mut().enumerate().for_each_init(room, |fine, (u, unit)| {
            for image in 0..images {
                let map = &values[(image * count + u) * cells..][..cells];
                if upsampler.source() == upsampler.target() {
                    work(unit, image, map, map);
                } else {
                    upsampler.upsample(map, fine);
                    work(unit, image, map, fine);
                }
            }
        });
    }

    /// What a unit does at all, and where each class is.
    fn take(&mut self, maps: &Tensor, there: &[There], concepts: usize) {
        let (values, units, size) = (maps.numbers(), self.units.len(), self.size);
        let sums_of_image = |(image, there): (usize, &There)| {
            let cover = there.cover(size, concepts);
            let maps = Matrix::new(&values[image * units * self.cells..][..units * self.cells], units, self.cells);
            let rows = cover.concepts.len() + 1;
            let mut sums = vec![0.0; units * rows];
            let cells = Matrix::new(&cover.cells, rows, self.cells).transposed();
            kernels::product(maps, cells, &mut sums, false, false);
            (cover, sums)
        };
        let of_images: Vec<(Cover, Vec<f32>)> = there.par_iter().enumerate().map(sums_of_image).collect();
        for (cover, _) in &of_images {
            for (concept, cells) in cover.concepts.iter().zip(cover.cells.chunks_exact(self.cells).skip(1)) {
                self.covered[*concept] += cells.iter().map(|&c| f64::from(c)).sum::<f64>();
            }
        }
        let mut each_map = values.chunks_exact(self.cells);
        for (cover, sums) in &of_images {
            for (unit, sums) in self.units.iter_mut().zip(sums.chunks_exact(1 + cover.concepts.len())) {
                let map = each_map.next().unwrap_or_default();
                // A mean is of the numbers that are some.
                let finite = || map.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value)).sum();
                unit.sum += if sums[0].is_finite() { f64::from(sums[0]) } else { finite() };
                for (&concept, &sum) in cover.concepts.iter().zip(&sums[1..]) {
                    unit.class_sums[concept] += f64::from(sum);
                }
            }
        }
        self.each_unit(maps, |unit, _, map, fine| {
            unit.cells += map.len() as u64;
            unit.sketch.add(map, fine);
        });
    }

    fn begin_joint(&mut self, concepts: usize) {
        for unit in &mut self.units {
            unit.candidates = (0..CANDIDATES).map(|k| unit.sketch.bin_above(share_above(k))).collect();
            unit.candidates_below = (0..=unit.sketch.len())
                .map(|bin| unit.candidates.iter().filter(|&&candidate| candidate < bin).count() as u8)
                .collect();
            unit.joint = vec![0; (concepts + 1) * (CANDIDATES + 1)];
        }
    }

    /// How the candidate levels of a unit and the classes meet.
    fn take_joint(&mut self, maps: &Tensor, there: &[There], concepts: usize) {
        self.each_unit(maps, |unit, image, _, fine| {
            let below: Vec<u8> = fine.iter().map(|&v| unit.candidates_below[unit.sketch.bin(v)]).collect();
            // The last concept stands for every pixel, once an image.
            let all = (0..below.len()).map(|pixel| (pixel, concepts));
            for (pixel, concept) in there[image].known().chain(all) {
                unit.joint[concept * (CANDIDATES + 1) + usize::from(below[pixel])] += 1;
            }
        });
    }

    fn finish(self, settings: &Settings, label_pixels: &[u64], pixels: u64) -> LayerFit {
        let covered = &self.covered;
        let level_of = |unit: &UnitStory| match settings.rule {
            Rule::Quantile => (unit.sketch.level(settings.top), None),
            Rule::Iqr => unit.most_informative(label_pixels, pixels),
        };
        let found: Vec<(f32, Option<usize>)> = self.units.par_iter().map(level_of).collect();
        let quantiles = |unit: &UnitStory| -> Vec<f32> {
            // From the highest quantile to the lowest, that is by ascending shares above.
            let shares = (0..QUANTILES).rev().map(|i| 1.0 - i as f64 / (QUANTILES - 1) as f64);
            unit.sketch.levels(shares).into_iter().rev().collect()
        };
        let error = |(unit, &(level, _)): (&UnitStory, &(f32, Option<usize>))| unit.sketch.error(level) as f32;
        let class_means = |unit: &UnitStory| -> Vec<f32> {
            unit.class_sums.iter().zip(covered).map(|(sum, cells)| (sum / cells) as f32).collect()
        };
        LayerFit {
            levels: found.iter().map(|f| f.0).collect(),
            informative: found.iter().map(|f| f.1).collect(),
            errors: self.units.iter().zip(&found).map(error).collect(),
            means: self.units.iter().map(|u| (u.sum / u.cells.max(1) as f64) as f32).collect(),
            class_means: self.units.iter().flat_map(class_means).collect(),
            quantiles: self.units.par_iter().map(quantiles).collect::<Vec<_>>().concat(),
        }
    }
}

/// The share of pixels above candidate `k`: 1e-3 to 1, evenly in its logarithm.
fn share_above(k: usize) -> f64 {
    libm::exp10(-3.0 + 3.0 * k as f64 / (CANDIDATES - 1) as f64)
}

impl UnitStory {
    /// The candidate level with the largest information quality ratio with any label, by the rules of the published code
    /// (reference 4.6): labels of less than 1e-3 of the pixels, levels of 0 and below, the level that everything exceeds, and
    /// tables in which unit and label agree on at most 0.8 of the pixels do not count. Where nothing counts, the level is the
    /// largest activation: the unit is never on.
    fn most_informative(&self, label_pixels: &[u64], pixels: u64) -> (f32, Option<usize>) {
        let everything = self.above(label_pixels.len());
        let (mut best, mut found) = (0.0, (self.sketch.high(), None));
        for (concept, &label) in label_pixels.iter().enumerate() {
            if (label as f64) < 1e-3 * pixels as f64 {
                continue;
            }
            let both = self.above(concept);
            for (k, &candidate) in self.candidates.iter().enumerate().take(CANDIDATES - 1) {
                let overlap = Overlap { both: both[k], unit: everything[k], label, total: pixels };
                let level = self.sketch.edge(candidate);
                let ratio = overlap.information_quality();
                if level > 0.0 && overlap.agreement() > 0.8 && ratio > best {
                    (best, found) = (ratio, (level, Some(concept)));
                }
            }
        }
        found
    }

    /// For each candidate level, the pixels of a concept above it.
    fn above(&self, concept: usize) -> Vec<u64> {
        let row = &self.joint[concept * (CANDIDATES + 1)..][..=CANDIDATES];
        // A pixel that k candidates lie below exceeds the k lowest levels, the last k of the list.
        let mut total = 0;
        let add = |below| {
            total += u64::from(row[below]);
            total
        };
        (1..=CANDIDATES).rev().map(add).collect()
    }
}

/// Which concepts are where in one image.
struct There {
    height: usize,
    width: usize,
    /// For each plane of labels, the concept of each pixel.
    planes: Vec<Vec<Option<usize>>>,
}

impl There {
    fn new(planes: &[LabelMap], concepts: &Concepts) -> Self {
        let [height, width] = planes.first().map_or([0, 0], |map| [map.height, map.width]);
        let of_plane = |(plane, map)| concepts.of_pixels(plane, map).collect();
        Self { height, width, planes: planes.iter().enumerate().map(of_plane).collect() }
    }

    /// Pixels and their concepts, plane by plane.
    fn known(&self) -> impl Iterator<Item = (usize, usize)> {
        self.planes
            .iter()
            .flat_map(|plane| plane.iter().enumerate())
            .filter_map(|(pixel, concept)| Some((pixel, (*concept)?)))
    }

    /// For each concept that occurs, the share of each cell's pixels that it covers; a cell is the window of adaptive average
    /// pooling, from `floor(i H / h)` to `ceil((i + 1) H / h)`.
    fn cover(&self, [h, w]: [usize; 2], concepts: usize) -> Cover {
        let mut cover = Cover { concepts: Vec::new(), cells: vec![1.0; h * w] };
        let mut rows = vec![0; concepts];
        for pixels in &self.planes {
            for i in 0..h {
                let ys = i * self.height / h..((i + 1) * self.height).div_ceil(h);
                for j in 0..w {
                    let xs = j * self.width / w..((j + 1) * self.width).div_ceil(w);
                    let share = 1.0 / (ys.len() * xs.len()) as f32;
                    for y in ys.clone() {
                        for &concept in pixels[y * self.width..][xs.clone()].iter().flatten() {
                            if rows[concept] == 0 {
                                cover.concepts.push(concept);
                                cover.cells.resize(cover.cells.len() + h * w, 0.0);
                                rows[concept] = cover.concepts.len();
                            }
                            cover.cells[rows[concept] * h * w + i * w + j] += share;
                        }
                    }
                }
            }
        }
        cover
    }
}

/// How much of each cell the concepts of one image cover.
struct Cover {
    /// The concepts that occur.
    concepts: Vec<usize>,
    /// `[1 + concepts][cells]`: ones, then a row of shares for each concept.
    cells: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::{Class, Plane};
    use net::Device;

    /// Two images of 4x5 pixels, two units of 2x3 cells, which are no whole pixels wide.
    #[test]
    fn means_are_those_of_the_definition_and_of_finite_numbers() {
        let ([height, width], [h, w]) = ([4, 5], [2, 3]);
        let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
        let plane = Plane { name: "objects".into(), classes: ["a", "b", "c"].map(class).to_vec(), ignore: Some(2) };
        let concepts = Concepts::new(&[plane]);
        let labels: Vec<Vec<LabelMap>> = (0..2)
            .map(|image| {
                let classes = (0..height * width).map(|pixel| ((pixel * 7 + image) % 3) as u16).collect();
                vec![LabelMap { width, height, classes }]
            })
            .collect();
        let mut values: Vec<f32> = (0..2 * 2 * h * w).map(|i| (i * 5 % 11) as f32 / 4.0 - 1.0).collect();
        values[13] = f32::NAN;
        let there: Vec<There> = labels.iter().map(|planes| There::new(planes, &concepts)).collect();
        let mut story = LayerStory::new(2, [h, w], [height, width], 2);
        story.take(&Tensor::new(&[2, 2, h, w], values.clone(), &Device::cpu()), &there, 2);

        let cells = h * w;
        for unit in 0..2 {
            let of_image = |image: usize| &values[(image * 2 + unit) * cells..][..cells];
            let finite = [0, 1].iter().flat_map(|&image| of_image(image)).filter(|value| value.is_finite());
            let sum: f64 = finite.map(|&value| f64::from(value)).sum();
            assert!((story.units[unit].sum - sum).abs() < 1e-5, "unit {unit}: {} {sum}", story.units[unit].sum);
            for concept in 0..2 {
                let mut expected = 0.0;
                for (image, cell) in (0..2).flat_map(|image| (0..cells).map(move |cell| (image, cell))) {
                    let (i, j) = (cell / w, cell % w);
                    let rows = i * height / h..((i + 1) * height).div_ceil(h);
                    let columns = j * width / w..((j + 1) * width).div_ceil(w);
                    let pixels = rows.flat_map(|y| columns.clone().map(move |x| y * width + x));
                    let there: Vec<bool> =
                        pixels.map(|pixel| usize::from(labels[image][0].classes[pixel]) == concept).collect();
                    let share = there.iter().filter(|there| **there).count() as f64 / there.len() as f64;
                    expected += share * f64::from(of_image(image)[cell]);
                }
                let found = story.units[unit].class_sums[concept];
                assert!(
                    (found - expected).abs() < 1e-5 || found.is_nan() && expected.is_nan(),
                    "unit {unit}, concept {concept}: {found} {expected}"
                );
            }
        }
    }
}
