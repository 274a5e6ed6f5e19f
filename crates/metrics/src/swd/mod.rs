//! Sliced Wasserstein distance between sets of images: over patches of their Laplacian pyramids (Karras et al., arXiv 1710.10196,
//! section 5; slices after Rabin et al. 2011). It needs no feature network and tells sizes of structure apart.
//!
//! Each image gives some patches of 7x7 pixels at every level of its pyramid. Colours of a level are brought to mean 0 and deviation 1
//! by the *real* images, whereas the published program does it for each set by itself: so a wrong colour or contrast counts. Patches are
//! projected on random directions; along each, two sets are as far apart as sorted values are on average. The distance is the mean over
//! directions and levels, in standard deviations of real pixels times a constant (tables of papers multiply it by 1,000).
//!
//! A small set is farther from the real images than a large one, by chance alone: only distances of sets of one size are comparable.

mod line;
mod pyramid;

use base::seed::Stream;
pub use line::{averaged, wasserstein_1d};

/// The side of a patch, in pixels; smaller where an image is.
const PATCH: usize = 7;
/// No level of the pyramid has a shorter side, but the first.
const SMALLEST: usize = 16;

/// How closely images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slicing {
    /// Patches of each image at each level.
    pub patches: usize,
    /// Directions at each level.
    pub directions: usize,
    /// Seed of directions and of the places of patches.
    pub seed: u64,
}

impl Default for Slicing {
    fn default() -> Self {
        Self { patches: 32, directions: 64, seed: 0 }
    }
}

/// One level of the pyramid.
#[derive(Clone, Debug)]
struct Level {
    size: [usize; 2],
    patch: [usize; 2],
    /// Mean and one over the deviation of each colour.
    scales: Vec<[f64; 2]>,
    /// `[number in a patch][direction]`.
    directions: Vec<f32>,
}

/// One image's patches on all directions: `[level][direction][patch]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Projections(Vec<f32>);

impl Projections {
    /// Bytes that an image takes.
    pub fn bytes(&self) -> usize {
        self.0.len() * size_of::<f32>()
    }
}

/// Projects images of one shape on fixed directions.
#[derive(Clone, Debug)]
pub struct Projector {
    channels: usize,
    slicing: Slicing,
    levels: Vec<Level>,
}

impl Projector {
    /// For images `[channels, height, width]`, planes of numbers one after the other; colours are scaled as in `real`.
    ///
    /// # Panics
    /// An image has another length, or the shape or the slicing has a 0 in it.
    pub fn new(shape: [usize; 3], slicing: Slicing, real: impl Iterator<Item = Vec<f32>>) -> Self {
        let [channels, height, width] = shape;
        assert!(channels * height * width * slicing.patches * slicing.directions > 0, "{shape:?}, {slicing:?}");
        let sizes = pyramid::sizes([height, width], SMALLEST);
        let mut sums = vec![[0.0f64; 3]; sizes.len() * channels];
        for image in real {
            assert_eq!(image.len(), channels * height * width, "length of an image");
            for (c, plane) in planes(&image, channels).enumerate() {
                for (level, values) in pyramid::levels(&plane, &sizes).iter().enumerate() {
                    let [sum, squares, n] = &mut sums[level * channels + c];
                    *sum += values.iter().sum::<f64>();
                    *squares += values.iter().map(|v| v * v).sum::<f64>();
                    *n += values.len() as f64;
                }
            }
        }
        let scale = |&[sum, squares, n]: &[f64; 3]| {
            let mean = sum / n;
            let deviation = libm::sqrt((squares / n - mean * mean).max(0.0));
            // What is constant in real images has no scale: its numbers are taken as they are.
            [mean, if deviation > 1e-9 { 1.0 / deviation } else { 1.0 }]
        };
        let level = |(number, &size): (usize, &[usize; 2])| {
            let patch = size.map(|side| side.min(PATCH));
            Level {
                size,
                patch,
                scales: sums[number * channels..(number + 1) * channels].iter().map(scale).collect(),
                directions: directions(slicing, number as u64, channels * patch[0] * patch[1]),
            }
        };
        let levels = sizes.iter().enumerate().map(level).collect();
        Self { channels, slicing, levels }
    }

    /// Height and width of each level of the pyramid.
    pub fn levels(&self) -> Vec<[usize; 2]> {
        self.levels.iter().map(|level| level.size).collect()
    }

    /// How far two sets of images are apart, either way: as [`Yardstick::distance`], for two sets at hand.
    pub fn between(&self, a: &[&Projections], b: &[&Projections]) -> f64 {
        let lines = self.levels.len() * self.slicing.directions;
        let along = |line: usize| {
            wasserstein_1d(&sorted_line(a, line, self.slicing.patches), &sorted_line(b, line, self.slicing.patches))
        };
        (0..lines).map(along).sum::<f64>() / lines as f64
    }

    /// An image's projections. The places of its patches follow from `number`: two versions of an image are compared at the same places.
    ///
    /// # Panics
    /// The image has another length than the shape says.
    pub fn project(&self, image: &[f32], number: u64) -> Projections {
        let sizes = self.levels();
        let pyramids: Vec<_> = planes(image, self.channels).map(|plane| pyramid::levels(&plane, &sizes)).collect();
        let (patches, directions) = (self.slicing.patches, self.slicing.directions);
        let mut draw = Stream::new(self.slicing.seed, "patch", number);
        let mut found = vec![0.0f32; self.levels.len() * directions * patches];
        let mut along = vec![0.0f32; directions];
        for ((at, level), found) in self.levels.iter().enumerate().zip(found.chunks_exact_mut(directions * patches)) {
            let ([h, w], [ph, pw]) = (level.size, level.patch);
            for patch in 0..patches {
                let (top, left) = (draw.below((h - ph + 1) as u64) as usize, draw.below((w - pw + 1) as u64) as usize);
                along.fill(0.0);
                let mut rows = level.directions.chunks_exact(directions);
                for (pyramid, [mean, factor]) in pyramids.iter().zip(&level.scales) {
                    for y in top..top + ph {
                        for (value, row) in pyramid[at][y * w + left..][..pw].iter().zip(&mut rows) {
                            let value = ((value - mean) * factor) as f32;
                            along.iter_mut().zip(row).for_each(|(sum, d)| *sum += value * d);
                        }
                    }
                }
                for (direction, value) in along.iter().enumerate() {
                    found[direction * patches + patch] = *value;
                }
            }
        }
        Projections(found)
    }
}

fn planes(image: &[f32], channels: usize) -> impl Iterator<Item = Vec<f64>> {
    image.chunks_exact(image.len() / channels).map(|plane| plane.iter().map(|&v| f64::from(v)).collect())
}

/// Directions of length 1, uniform on the sphere: `[number in a patch][direction]`.
fn directions(slicing: Slicing, level: u64, length: usize) -> Vec<f32> {
    let mut draw = Stream::new(slicing.seed, "direction", level);
    let mut table = vec![0.0; length * slicing.directions];
    for direction in 0..slicing.directions {
        let normal: Vec<f64> = (0..length).map(|_| draw.normal()).collect();
        let norm = libm::sqrt(normal.iter().map(|v| v * v).sum());
        for (at, value) in normal.iter().enumerate() {
            table[at * slicing.directions + direction] = (value / norm) as f32;
        }
    }
    table
}

/// The real images, to which others are compared.
#[derive(Clone, Debug)]
pub struct Reference {
    projector: Projector,
    /// Sorted values along each direction of each level.
    lines: Vec<Vec<f32>>,
}

/// The real images as a set of another size sees them.
#[derive(Clone, Debug)]
pub struct Yardstick {
    levels: usize,
    lines: Vec<Vec<f32>>,
}

impl Reference {
    /// The real images by their projections.
    pub fn new<'a>(projector: Projector, real: impl IntoIterator<Item = &'a Projections>) -> Self {
        let all: Vec<&Projections> = real.into_iter().collect();
        let patches = projector.slicing.patches;
        let lines = 0..projector.levels.len() * projector.slicing.directions;
        let lines = lines.map(|line| sorted_line(&all, line, patches)).collect();
        Self { projector, lines }
    }

    /// What projects images to be compared.
    pub fn projector(&self) -> &Projector {
        &self.projector
    }

    /// The same real images, to measure sets of `images` images with.
    pub fn for_sets_of(&self, images: usize) -> Yardstick {
        let values = images * self.projector.slicing.patches;
        let lines = self.lines.iter().map(|line| averaged(line, values.min(line.len()))).collect();
        Yardstick { levels: self.projector.levels.len(), lines }
    }
}

impl Yardstick {
    /// How far a set of images is from the real ones at each level, the finest first; NaN for an empty set or where a number is not
    /// finite. The mean of the levels is *the* distance.
    pub fn by_level(&self, images: &[&Projections]) -> Vec<f64> {
        let lines = self.lines.len();
        let per_level = lines / self.levels;
        let patches = images.first().map_or(0, |image| image.0.len() / lines);
        let along = |line: usize| wasserstein_1d(&sorted_line(images, line, patches), &self.lines[line]);
        (0..self.levels)
            .map(|level| (level * per_level..(level + 1) * per_level).map(along).sum::<f64>() / per_level as f64)
            .collect()
    }

    /// The mean of [`Yardstick::by_level`].
    pub fn distance(&self, images: &[&Projections]) -> f64 {
        self.by_level(images).iter().sum::<f64>() / self.levels as f64
    }
}

fn sorted_line(images: &[&Projections], line: usize, patches: usize) -> Vec<f32> {
    let mut values: Vec<f32> =
        images.iter().flat_map(|image| &image.0[line * patches..(line + 1) * patches]).copied().collect();
    values.sort_unstable_by(f32::total_cmp);
    values
}

#[cfg(test)]
mod tests;
