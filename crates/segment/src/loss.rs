//! Softmax cross-entropy within each plane, weighted by class.

use crate::softmax::Layout;
use rayon::prelude::*;

/// Stands in a label map where nothing is known; above every class.
pub(crate) const UNLABELLED: u16 = u16::MAX;

/// A loss with its gradient.
pub(crate) struct Loss {
    /// The sum over planes of the weighted mean over pixels.
    pub(crate) value: f64,
    /// The derivatives by the logits, in their order.
    pub(crate) by_logits: Vec<f32>,
}

/// The loss of logits `[n, classes of all planes, h, w]` under label maps `[n, h, w]` for each plane.
///
/// For each plane `sum(w[y] * -ln p[y]) / sum(w[y])` over the pixels of the batch, where `y` is the label and `p` the softmax
/// within the plane. Labels of weight 0 and those that are no class do not count.
pub(crate) fn cross_entropy(layout: &Layout, logits: &[f32], maps: &[Vec<u16>], weights: &[Vec<f32>]) -> Loss {
    let (area, each) = (layout.area(), layout.each());
    let weight = |plane: usize, label: u16| weights[plane].get(usize::from(label)).copied().unwrap_or(0.0);
    // Without a label nothing is divided by nothing: every weight is 0.
    let totals: Vec<f64> = maps
        .iter()
        .enumerate()
        .map(|(plane, map)| map.iter().map(|&label| f64::from(weight(plane, label))).sum::<f64>().max(1e-12))
        .collect();
    let mut by_logits = logits.to_vec();
    let image = |(index, image): (usize, &mut [f32])| {
        let mut value = 0.0;
        for (plane, channels) in layout.planes.iter().enumerate() {
            let labels = &maps[plane][index * area..][..area];
            let logits = &mut image[channels.start * area..channels.end * area];
            let weights: Vec<f32> =
                labels.iter().map(|&label| (f64::from(weight(plane, label)) / totals[plane]) as f32).collect();
            value += plane_loss(logits, labels, &weights);
        }
        value
    };
    let values: Vec<f64> = by_logits.par_chunks_mut(each).enumerate().map(image).collect();
    Loss { value: values.iter().sum(), by_logits }
}

/// The loss of one plane of one image; its logits `[classes, area]` become the derivatives.
fn plane_loss(logits: &mut [f32], labels: &[u16], weights: &[f32]) -> f64 {
    let area = labels.len();
    let mut most = logits[..area].to_vec();
    for map in logits.chunks_exact(area).skip(1) {
        most.iter_mut().zip(map).for_each(|(most, &logit)| *most = most.max(logit));
    }
    let at = |pixel: usize| (weights[pixel] > 0.0).then(|| usize::from(labels[pixel]) * area + pixel);
    // -ln p = ln(sum of exp(l - most)) - (l - most); its second part first, while the logits are still there.
    let own = |pixel| at(pixel).map_or(0.0, |i| f64::from(weights[pixel]) * f64::from(most[pixel] - logits[i]));
    let mut value: f64 = (0..area).map(own).sum();
    let mut sum = vec![0.0f32; area];
    for map in logits.chunks_exact_mut(area) {
        for ((logit, sum), &most) in map.iter_mut().zip(&mut sum).zip(&most) {
            *logit = (*logit - most).exp();
            *sum += *logit;
        }
    }
    value += sum.iter().zip(weights).map(|(&sum, &w)| f64::from(w) * f64::from(sum.ln())).sum::<f64>();
    let factors: Vec<f32> = sum.iter().zip(weights).map(|(&sum, &w)| w / sum).collect();
    for map in logits.chunks_exact_mut(area) {
        map.iter_mut().zip(&factors).for_each(|(value, &factor)| *value *= factor);
    }
    for (pixel, weight) in weights.iter().enumerate() {
        if let Some(i) = at(pixel) {
            logits[i] -= weight;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed::Stream;
    use data::{Class, Plane};

    fn layout() -> Layout {
        let class = |_| Class { name: String::new(), colour: [0; 3] };
        let plane = |n| Plane { name: String::new(), classes: (0..n).map(class).collect(), ignore: None };
        Layout::new(&[plane(3), plane(2)], 2, 2)
    }

    fn case() -> (Vec<f32>, Vec<Vec<u16>>, Vec<Vec<f32>>) {
        let mut stream = Stream::new(1, "test", 0);
        let logits = (0..2 * 5 * 4).map(|_| stream.uniform(-3.0, 3.0) as f32).collect();
        let maps = vec![vec![0, 1, 2, 1, 1, UNLABELLED, 0, 2], vec![0, 1, 1, 0, 1, 1, 0, 0]];
        (logits, maps, vec![vec![1.0, 2.0, 0.5], vec![0.0, 1.5]])
    }

    #[test]
    fn the_value_is_that_of_the_formula() {
        let (logits, maps, weights) = case();
        let mut expected = 0.0;
        for (plane, (start, classes)) in [(0, 3), (3, 2)].into_iter().enumerate() {
            let (mut sum, mut total) = (0.0, 0.0);
            for (place, &label) in maps[plane].iter().enumerate().filter(|(_, l)| **l != UNLABELLED) {
                let logit = |k: usize| f64::from(logits[(place / 4 * 5 + start + k) * 4 + place % 4]);
                let w = f64::from(weights[plane][usize::from(label)]);
                let z: f64 = (0..classes).map(|k| logit(k).exp()).sum();
                sum -= w * (logit(usize::from(label)).exp() / z).ln();
                total += w;
            }
            expected += sum / total;
        }
        let value = cross_entropy(&layout(), &logits, &maps, &weights).value;
        assert!((value - expected).abs() < 1e-5, "{value} {expected}");
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let (logits, maps, weights) = case();
        let gradient = cross_entropy(&layout(), &logits, &maps, &weights).by_logits;
        for i in 0..logits.len() {
            let moved = |step: f32| {
                let mut logits = logits.clone();
                logits[i] += step;
                cross_entropy(&layout(), &logits, &maps, &weights).value
            };
            let expected = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((f64::from(gradient[i]) - expected).abs() < 1e-4, "{i}: {} {expected}", gradient[i]);
        }
    }

    #[test]
    fn a_batch_without_labels_teaches_nothing() {
        let (logits, _, weights) = case();
        let loss = cross_entropy(&layout(), &logits, &[vec![UNLABELLED; 8], vec![0; 8]], &weights);
        assert_eq!(loss.value, 0.0);
        assert!(loss.by_logits.iter().all(|&g| g == 0.0));
    }
}
