//! Logits of classes in planes: which class wins, how probable one is, and the gradient of that.

use data::{LabelMap, Plane};
use rayon::prelude::*;
use std::ops::Range;

/// How the logits of an image lie: `[classes of all planes, height, width]`.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The channels of each plane.
    pub(crate) planes: Vec<Range<usize>>,
    /// The channels of all planes.
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Layout {
    pub(crate) fn new(planes: &[Plane], height: usize, width: usize) -> Self {
        let mut channels = 0;
        let range = |plane: &Plane| {
            let start = channels;
            channels += plane.classes.len();
            start..channels
        };
        let planes = planes.iter().map(range).collect();
        Self { planes, channels, height, width }
    }

    /// Pixels of one map.
    pub(crate) fn area(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of one image.
    pub(crate) fn each(&self) -> usize {
        self.channels * self.area()
    }

    /// The logits of one plane of one image.
    fn part<'a>(&self, image: &'a [f32], plane: usize) -> &'a [f32] {
        &image[self.planes[plane].start * self.area()..self.planes[plane].end * self.area()]
    }

    /// The class of the largest logit in each plane, for each image; of equal ones the smallest.
    pub(crate) fn winners(&self, logits: &[f32]) -> Vec<Vec<LabelMap>> {
        let one = |image: &[f32]| (0..self.planes.len()).map(|plane| self.winner(self.part(image, plane))).collect();
        logits.par_chunks(self.each()).map(one).collect()
    }

    fn winner(&self, logits: &[f32]) -> LabelMap {
        let area = self.area();
        let mut best = logits[..area].to_vec();
        let mut classes = vec![0u16; area];
        for (class, map) in logits.chunks_exact(area).enumerate().skip(1) {
            // Map by map, so that the loop is one over neighbours.
            for ((best, winner), &logit) in best.iter_mut().zip(&mut classes).zip(map) {
                if logit > *best {
                    (*best, *winner) = (logit, class as u16);
                }
            }
        }
        LabelMap { width: self.width, height: self.height, classes }
    }

    /// The probability of a class within its plane, `[n, height, width]`.
    pub(crate) fn probability(&self, logits: &[f32], plane: usize, class: usize) -> Vec<f32> {
        let area = self.area();
        let one = |image: &[f32]| {
            let part = self.part(image, plane);
            let softmax = Softmax::of(part, area);
            let map = &part[class * area..][..area];
            map.iter().enumerate().map(|(pixel, &logit)| softmax.probability(pixel, logit)).collect::<Vec<f32>>()
        };
        logits.par_chunks(self.each()).flat_map_iter(one).collect()
    }

    /// The gradient by all logits of `sum(cotangent * probability of the class)`.
    pub(crate) fn probability_gradient(&self, logits: &[f32], plane: usize, class: usize, by: &[f32]) -> Vec<f32> {
        let area = self.area();
        let one = |(image, by): (&[f32], &[f32])| {
            let part = self.part(image, plane);
            let softmax = Softmax::of(part, area);
            let chosen = &part[class * area..][..area];
            let mut gradient = vec![0.0; self.each()];
            let start = self.planes[plane].start;
            for (k, (map, gradient)) in
                part.chunks_exact(area).zip(gradient[start * area..].chunks_exact_mut(area)).enumerate()
            {
                for (pixel, (gradient, &logit)) in gradient.iter_mut().zip(map).enumerate() {
                    // d p_c / d l_k = p_c (1[k = c] - p_k)
                    let p = softmax.probability(pixel, chosen[pixel]);
                    let own = f32::from(u8::from(k == class));
                    *gradient = by[pixel] * p * (own - softmax.probability(pixel, logit));
                }
            }
            gradient
        };
        logits.par_chunks(self.each()).zip(by.par_chunks(area)).flat_map_iter(one).collect()
    }
}

/// What turns the logits of one plane of one image into probabilities.
pub(crate) struct Softmax {
    /// The largest logit of each pixel.
    most: Vec<f32>,
    /// One over the sum of `exp(logit - most)`.
    inverse: Vec<f32>,
}

impl Softmax {
    /// `logits` are `[classes, area]`.
    pub(crate) fn of(logits: &[f32], area: usize) -> Self {
        let mut most = logits[..area].to_vec();
        for map in logits.chunks_exact(area).skip(1) {
            most.iter_mut().zip(map).for_each(|(most, &logit)| *most = most.max(logit));
        }
        let mut sum = vec![0.0f32; area];
        for map in logits.chunks_exact(area) {
            sum.iter_mut().zip(map).zip(&most).for_each(|((sum, &logit), &most)| *sum += (logit - most).exp());
        }
        sum.iter_mut().for_each(|sum| *sum = sum.recip());
        Self { most, inverse: sum }
    }

    /// The probability of the class that has this logit at this pixel.
    pub(crate) fn probability(&self, pixel: usize, logit: f32) -> f32 {
        (logit - self.most[pixel]).exp() * self.inverse[pixel]
    }
}
