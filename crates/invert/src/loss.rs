//! How far pictures are from the one that is wanted, at several scales, and which way each pixel has to go.

/// The picture that is wanted, as a generator gives it: `[channels, height, width]` in -1 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) shape: [usize; 3],
    pub(crate) values: Vec<f32>,
    /// How often both sides are halved for the coarsest scale.
    pub(crate) halvings: usize,
}

/// What is left of one picture: its loss, and the loss's derivative by each number of the picture.
pub(crate) struct Judged {
    pub(crate) loss: f64,
    pub(crate) gradient: Vec<f32>,
}

impl Target {
    /// Numbers of one picture.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The mean over the scales of the mean squared difference, the sides of the picture and of the wanted one halved 0, 1, 2, ...
    /// times by averaging 2 x 2 pixels.
    pub(crate) fn judge(&self, picture: &[f32]) -> Judged {
        let [channels, height, width] = self.shape;
        let mut levels = vec![Level {
            size: [height, width],
            values: picture.iter().zip(&self.values).map(|(x, t)| x - t).collect(),
        }];
        for _ in 0..self.halvings {
            let Some(last) = levels.last().filter(|last| last.size.iter().any(|&side| side > 1)) else { break };
            levels.push(last.halved(channels));
        }
        let share = 1.0 / levels.len() as f64;
        let loss = levels.iter().map(|level| share * level.mean_square()).sum();
        // From the coarsest scale to the finest, each adds its own part.
        let mut gradient: Option<Level> = None;
        for mut level in levels.into_iter().rev() {
            let factor = (2.0 * share / level.values.len() as f64) as f32;
            level.values.iter_mut().for_each(|v| *v *= factor);
            if let Some(coarser) = gradient {
                level.add_spread(&coarser, channels);
            }
            gradient = Some(level);
        }
        Judged { loss, gradient: gradient.map(|level| level.values).unwrap_or_default() }
    }

    /// The root of the mean squared difference at full size.
    pub(crate) fn distance(&self, picture: &[f32]) -> f64 {
        let squares = picture.iter().zip(&self.values).map(|(x, t)| f64::from(x - t) * f64::from(x - t));
        (squares.sum::<f64>() / self.len() as f64).sqrt()
    }
}

/// Differences at one scale.
struct Level {
    size: [usize; 2],
    values: Vec<f32>,
}

impl Level {
    fn mean_square(&self) -> f64 {
        self.values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() / self.values.len() as f64
    }

    /// The mean of each 2 x 2 pixels; at an odd edge of those that there are.
    fn halved(&self, channels: usize) -> Self {
        let [height, width] = self.size;
        let size = [height.div_ceil(2), width.div_ceil(2)];
        let mut values = vec![0.0; channels * size[0] * size[1]];
        for (map, half) in self.values.chunks_exact(height * width).zip(values.chunks_exact_mut(size[0] * size[1])) {
            for (y, row) in map.chunks_exact(width).enumerate() {
                for (x, v) in row.iter().enumerate() {
                    half[y / 2 * size[1] + x / 2] += v / self.members(y, x);
                }
            }
        }
        Self { size, values }
    }

    /// Adds the adjoint of [`Level::halved`].
    fn add_spread(&mut self, coarser: &Self, channels: usize) {
        let [height, width] = self.size;
        let wide = coarser.size[1];
        for channel in 0..channels {
            let half = &coarser.values[channel * coarser.size[0] * wide..];
            for y in 0..height {
                for x in 0..width {
                    let part = half[y / 2 * wide + x / 2] / self.members(y, x);
                    self.values[(channel * height + y) * width + x] += part;
                }
            }
        }
    }

    /// How many pixels the mean has to which this one belongs.
    fn members(&self, y: usize, x: usize) -> f32 {
        let [height, width] = self.size;
        let along = |place: usize, length: usize| if place / 2 * 2 + 1 < length { 2.0 } else { 1.0 };
        along(y, height) * along(x, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed::Stream;

    fn noise(n: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(1, "test", index);
        (0..n).map(|_| stream.uniform(-1.0, 1.0) as f32).collect()
    }

    #[test]
    fn the_gradient_is_the_difference_that_a_pixel_makes() {
        for (shape, halvings) in [([3, 8, 8], 3), ([1, 5, 7], 2), ([2, 1, 3], 9), ([1, 4, 4], 0)] {
            let n = shape.iter().product();
            let target = Target { shape, values: noise(n, 0), halvings };
            let picture = noise(n, 1);
            let gradient = target.judge(&picture).gradient;
            for place in 0..n {
                let moved = |step: f32| {
                    let mut picture = picture.clone();
                    picture[place] += step;
                    target.judge(&picture).loss
                };
                let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((slope - f64::from(gradient[place])).abs() < 1e-5, "{shape:?} {place}: {slope}");
            }
        }
    }

    #[test]
    fn coarse_scales_see_what_is_large() {
        // The same squared difference at full size: all of it in one direction, or in both by turns.
        let flat = Target { shape: [1, 4, 4], values: vec![0.5; 16], halvings: 2 };
        let fine = Target { values: (0..16).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect(), ..flat.clone() };
        let [flat, fine] = [flat, fine].map(|target| (target.distance(&[0.0; 16]), target.judge(&[0.0; 16]).loss));
        assert_eq!((flat.0, fine.0), (0.5, 0.5));
        assert!((flat.1 - 0.25).abs() < 1e-9 && (fine.1 - 0.25 / 3.0).abs() < 1e-9, "{} {}", flat.1, fine.1);
    }
}
