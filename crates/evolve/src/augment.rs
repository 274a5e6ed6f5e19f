//! Differentiable augmentation (Zhao et al., arXiv 2006.10738): what D sees of reals and fakes is changed at random, and
//! G's gradient passes back through the change.
//!
//! Every augmentation is linear in the image (plus a constant), so its gradient is its transpose; both are written here.

use crate::settings::Augmentation;
use base::seed::Stream;

/// The changes of one image.
#[derive(Clone, Debug)]
struct Change {
    brightness: f32,
    saturation: f32,
    contrast: f32,
    /// Rows and columns by which the image moves.
    shift: [isize; 2],
    /// Rows and columns that are cut out.
    cut: [std::ops::Range<usize>; 2],
}

/// The changes of a batch `[n, c, h, w]`.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    each: Vec<Change>,
    channels: usize,
    /// Height and width.
    size: [usize; 2],
}

impl Changes {
    /// Draws the changes for `n` images; a function of (seed, purpose, index).
    pub(crate) fn draw(
        kinds: &[Augmentation],
        n: usize,
        [channels, height, width]: [usize; 3],
        seed: u64,
        purpose: &str,
        index: u64,
    ) -> Self {
        let mut stream = Stream::new(seed, purpose, index);
        let mut change = || {
            let mut c = Change { brightness: 0.0, saturation: 1.0, contrast: 1.0, shift: [0; 2], cut: [0..0, 0..0] };
            for kind in kinds {
                match kind {
                    Augmentation::Color => {
                        c.brightness = stream.uniform(-0.5, 0.5) as f32;
                        c.saturation = stream.uniform(0.0, 2.0) as f32;
                        c.contrast = stream.uniform(0.5, 1.5) as f32;
                    }
                    Augmentation::Translation => {
                        c.shift = [height, width].map(|side| {
                            let most = side as u64 / 8;
                            stream.below(2 * most + 1) as isize - most as isize
                        });
                    }
                    Augmentation::Cutout => {
                        c.cut = [height, width].map(|side| {
                            let centre = stream.below(side as u64 + 1) as usize;
                            centre.saturating_sub(side / 4)..(centre + side / 4).min(side)
                        });
                    }
                }
            }
            c
        };
        Self { each: (0..n).map(|_| change()).collect(), channels, size: [height, width] }
    }

    /// The changed images.
    pub(crate) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let area = self.size[0] * self.size[1];
        let mut y = x.to_vec();
        for (image, change) in y.chunks_exact_mut(self.channels * area).zip(&self.each) {
            image.iter_mut().for_each(|v| *v += change.brightness);
            self.towards_grey(image, change.saturation);
            towards_mean(image, change.contrast);
            self.moved(image, change, 1);
        }
        y
    }

    /// The gradient by the images, for a gradient by the changed ones.
    pub(crate) fn pull_back(&self, g: &[f32]) -> Vec<f32> {
        let area = self.size[0] * self.size[1];
        let mut y = g.to_vec();
        for (image, change) in y.chunks_exact_mut(self.channels * area).zip(&self.each) {
            // The transposes in reverse order; the middle two are symmetric.
            self.moved(image, change, -1);
            towards_mean(image, change.contrast);
            self.towards_grey(image, change.saturation);
        }
        y
    }

    /// `factor * (x - mean over channels) + mean over channels`, pixel by pixel.
    fn towards_grey(&self, image: &mut [f32], factor: f32) {
        if self.channels == 1 {
            return;
        }
        let area = self.size[0] * self.size[1];
        for pixel in 0..area {
            let mean = (0..self.channels).map(|c| image[c * area + pixel]).sum::<f32>() / self.channels as f32;
            for c in 0..self.channels {
                let v = &mut image[c * area + pixel];
                *v = factor * (*v - mean) + mean;
            }
        }
    }

    /// Shifts (zeros come in) and cuts; `direction` -1 gives the transpose.
    fn moved(&self, image: &mut [f32], change: &Change, direction: isize) {
        let [height, width] = self.size;
        let [rows, columns] = &change.cut;
        let cut = |map: &mut [f32]| {
            rows.clone().for_each(|y| map[y * width + columns.start..y * width + columns.end].fill(0.0));
        };
        for map in image.chunks_exact_mut(height * width) {
            if direction < 0 {
                cut(map);
            }
            if change.shift != [0; 2] {
                let from = map.to_vec();
                let [dy, dx] = change.shift.map(|d| d * direction);
                for y in 0..height {
                    for x in 0..width {
                        let (sy, sx) = (y as isize - dy, x as isize - dx);
                        let inside = (0..height as isize).contains(&sy) && (0..width as isize).contains(&sx);
                        map[y * width + x] = if inside { from[sy as usize * width + sx as usize] } else { 0.0 };
                    }
                }
            }
            if direction > 0 {
                cut(map);
            }
        }
    }
}

/// `factor * (x - mean) + mean` over the whole image.
fn towards_mean(image: &mut [f32], factor: f32) {
    let mean = (image.iter().map(|&v| f64::from(v)).sum::<f64>() / image.len().max(1) as f64) as f32;
    image.iter_mut().for_each(|v| *v = factor * (*v - mean) + mean);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Augmentation; 3] = [Augmentation::Color, Augmentation::Translation, Augmentation::Cutout];

    proptest! {
        /// `<A x, g> = <x, A^T g>` for the linear part A.
        #[test]
        fn the_gradient_is_the_transpose(
            seed: u64, channels in prop::sample::select(vec![1usize, 3]), height in 1usize..20, width in 1usize..20,
        ) {
            let n = 2;
            let changes = Changes::draw(&ALL, n, [channels, height, width], seed, "test", 0);
            let len = n * channels * height * width;
            let mut stream = Stream::new(seed, "numbers", 0);
            let x: Vec<f32> = (0..len).map(|_| stream.normal() as f32).collect();
            let g: Vec<f32> = (0..len).map(|_| stream.normal() as f32).collect();
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            let constant = changes.apply(&vec![0.0; len]);
            let linear: Vec<f32> = changes.apply(&x).iter().zip(&constant).map(|(a, b)| a - b).collect();
            let (left, right) = (dot(&linear, &g), dot(&x, &changes.pull_back(&g)));
            prop_assert!((left - right).abs() < 1e-3 * (1.0 + left.abs()), "{} {}", left, right);
        }
    }

    #[test]
    fn nothing_asked_nothing_changed() {
        let x: Vec<f32> = (0..3 * 64).map(|i| (i % 7) as f32 - 3.0).collect();
        let y = Changes::draw(&[], 1, [3, 8, 8], 1, "test", 0).apply(&x);
        assert!(x.iter().zip(y).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn a_cut_is_zero_and_a_shift_moves() {
        let changes = Changes::draw(&[Augmentation::Translation, Augmentation::Cutout], 1, [1, 16, 16], 3, "test", 0);
        let y = changes.apply(&[1.0; 256]);
        let change = &changes.each[0];
        let zeros = y.iter().filter(|v| **v == 0.0).count();
        assert!(zeros >= change.cut[0].len() * change.cut[1].len());
        assert!(zeros < 256);
    }
}
