//! Changes of labelled pictures that leave their meaning as it is. Mirroring is the loader's.

use crate::loss::UNLABELLED;
use base::seed::Stream;
use data::Batch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How pictures are changed on their way to the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augment {
    /// Whether they are mirrored left to right, every other one.
    pub flip: bool,
    /// Strength of the changes of brightness, contrast, saturation and hue; 0: none, 1: strong.
    pub colour: f64,
    /// Pixels by which they move at most, in each direction.
    pub shift: usize,
}

/// Changes a batch whose first item is at `position` of the loader; each item by its own stream.
pub(crate) fn augment(batch: &mut Batch, how: &Augment, seed: u64, position: u64) {
    let [_, channels, height, width] = *batch.shape else { return };
    // The label maps of each item, one for each plane.
    let mut maps: Vec<Vec<&mut [u16]>> = batch.indices.iter().map(|_| Vec::new()).collect();
    for plane in &mut batch.maps {
        maps.iter_mut().zip(plane.chunks_exact_mut(height * width)).for_each(|(item, map)| item.push(map));
    }
    let images: Vec<&mut [f32]> = batch.data.chunks_exact_mut(channels * height * width).collect();
    images.into_par_iter().zip(maps).enumerate().for_each(|(place, (image, maps))| {
        let mut stream = Stream::new(seed, "augment/segmenter", position + place as u64);
        if how.colour > 0.0 {
            recolour(image, channels, how.colour, &mut stream);
        }
        if how.shift > 0 {
            let mut step = || stream.below(2 * how.shift as u64 + 1) as isize - how.shift as isize;
            let (dy, dx) = (step(), step());
            image.chunks_exact_mut(height * width).for_each(|map| shift(map, width, [dy, dx], None));
            maps.into_iter().for_each(|map| shift(map, width, [dy, dx], Some(UNLABELLED)));
        }
    });
}

/// `brightness + contrast * (grey + saturation * (colour turned by the hue))`, cut to `[-1, 1]`.
fn recolour(image: &mut [f32], channels: usize, strength: f64, stream: &mut Stream) {
    let mut around = |spread: f64| strength * stream.uniform(-spread, spread);
    let (brightness, contrast) = (around(0.3) as f32, 1.0 + around(0.3) as f32);
    let (saturation, angle) = (1.0 + around(0.5), around(0.4));
    let area = image.len() / channels;
    if let Some((r, rest)) = image.split_at_mut_checked(area)
        && let Some((g, b)) = rest.split_at_mut_checked(area)
        && channels == 3
    {
        // A turn about the axis of greys (Rodrigues' formula with k = (1, 1, 1) / sqrt(3)).
        let along = (saturation * libm::cos(angle)) as f32;
        let across = (saturation * libm::sin(angle) / 3f64.sqrt()) as f32;
        for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
            let grey = (*r + *g + *b) / 3.0;
            let (x, y, z) = (*r - grey, *g - grey, *b - grey);
            *r = grey + along * x + across * (z - y);
            *g = grey + along * y + across * (x - z);
            *b = grey + along * z + across * (y - x);
        }
    }
    image.iter_mut().for_each(|v| *v = (brightness + contrast * *v).clamp(-1.0, 1.0));
}

/// Moves a map by rows and columns. What comes in is `outside`, or the nearest pixel.
fn shift<T: Copy>(map: &mut [T], width: usize, [dy, dx]: [isize; 2], outside: Option<T>) {
    let height = map.len() / width;
    let from = map.to_vec();
    let source = |at: usize, by: isize, length: usize| {
        let wanted = at as isize - by;
        let inside = wanted.clamp(0, length as isize - 1);
        (inside as usize, inside == wanted)
    };
    for y in 0..height {
        let (sy, row_inside) = source(y, dy, height);
        for x in 0..width {
            let (sx, inside) = source(x, dx, width);
            map[y * width + x] = match outside {
                Some(outside) if !(inside && row_inside) => outside,
                _ => from[sy * width + sx],
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRONG: Augment = Augment { flip: false, colour: 1.0, shift: 2 };

    fn batch(positions: std::ops::Range<u64>) -> Batch {
        let n = positions.clone().count();
        let image = |p: u64| (0..3 * 12).map(move |i| ((i as u64 * 7 + p * 5) % 19) as f32 / 9.5 - 1.0);
        Batch {
            shape: vec![n, 3, 3, 4],
            data: positions.clone().flat_map(image).collect(),
            labels: Vec::new(),
            maps: vec![(0..n).flat_map(|_| 0..12).collect()],
            indices: positions.collect(),
        }
    }

    #[test]
    fn an_item_is_changed_the_same_way_in_every_batch() {
        let mut all = batch(5..9);
        augment(&mut all, &STRONG, 3, 5);
        let mut one = batch(7..8);
        augment(&mut one, &STRONG, 3, 7);
        assert_eq!((&all.data[72..108], &all.maps[0][24..36]), (&one.data[..], &one.maps[0][..]));
        assert!(all.data.iter().all(|v| (-1.0..=1.0).contains(v)));
        assert_ne!(all.data, batch(5..9).data);
    }

    #[test]
    fn labels_move_with_their_pixels() {
        let mut batch = batch(0..8);
        // The picture is its own label map.
        batch.data = batch.maps[0].iter().flat_map(|_| [0.0; 3]).collect();
        for (image, map) in batch.data.chunks_exact_mut(36).zip(batch.maps[0].chunks_exact(12)) {
            image.iter_mut().zip(map.iter().cycle()).for_each(|(v, &label)| *v = f32::from(label) / 100.0);
        }
        augment(&mut batch, &Augment { colour: 0.0, ..STRONG }, 1, 0);
        let mut lost = 0;
        for (image, map) in batch.data.chunks_exact(36).zip(batch.maps[0].chunks_exact(12)) {
            for (pixel, &label) in map.iter().enumerate() {
                if label == UNLABELLED {
                    lost += 1;
                } else {
                    assert_eq!(image[pixel], f32::from(label) / 100.0);
                }
            }
        }
        assert!((1..96).contains(&lost), "{lost}");
    }

    #[test]
    fn greys_stay_grey() {
        let mut image = [0.3f32, -0.2, 0.3, -0.2, 0.3, -0.2];
        recolour(&mut image, 3, 1.0, &mut Stream::new(4, "test", 0));
        assert!(image.chunks(2).all(|c| (c[0] - image[0]).abs() < 1e-6 && (c[1] - image[1]).abs() < 1e-6), "{image:?}");
        assert_ne!(image[0], 0.3);
    }
}
