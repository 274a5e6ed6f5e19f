use super::*;
use proptest::prelude::*;

const SHAPE: [usize; 3] = [3, 20, 20];
const FEW: Slicing = Slicing { patches: 8, directions: 24, seed: 5 };

/// Smooth pictures: a bright disc on a slope of colour.
fn picture(seed: u64) -> Vec<f32> {
    let mut draw = Stream::new(seed, "picture", 0);
    let (x0, y0, slope) = (draw.uniform(4.0, 16.0), draw.uniform(4.0, 16.0), draw.normal() * 0.02);
    let pixel = |at: usize| {
        let (c, y, x) = (at / 400, (at / 20 % 20) as f64, (at % 20) as f64);
        let inside = (x - x0) * (x - x0) + (y - y0) * (y - y0) < 9.0;
        (slope * (x - y) + if inside { 0.8 - 0.3 * c as f64 } else { -0.4 }) as f32
    };
    (0..1200).map(pixel).collect()
}

fn noisy(image: &[f32], deviation: f64, seed: u64) -> Vec<f32> {
    let mut draw = Stream::new(seed, "noise", 0);
    image.iter().map(|v| v + (deviation * draw.normal()) as f32).collect()
}

/// Each pixel the mean of its neighbours, `times` times.
fn blurred(image: &[f32], times: usize) -> Vec<f32> {
    let mut now = image.to_vec();
    for _ in 0..times {
        let old = now.clone();
        for (at, value) in now.iter_mut().enumerate() {
            let (plane, y, x) = (at / 400 * 400, at / 20 % 20, at % 20);
            let cell = |y: usize, x: usize| old[plane + y.min(19) * 20 + x.min(19)];
            *value =
                (cell(y.saturating_sub(1), x) + cell(y + 1, x) + cell(y, x.saturating_sub(1)) + cell(y, x + 1)) / 4.0;
        }
    }
    now
}

fn reference(seeds: std::ops::Range<u64>) -> Reference {
    let projector = Projector::new(SHAPE, FEW, seeds.clone().map(picture));
    let real: Vec<_> = seeds.map(|seed| projector.project(&picture(seed), seed)).collect();
    Reference::new(projector, &real)
}

fn distance(reference: &Reference, images: &[Vec<f32>], first: u64) -> f64 {
    let found: Vec<_> =
        images.iter().zip(first..).map(|(image, number)| reference.projector().project(image, number)).collect();
    reference.for_sets_of(found.len()).distance(&found.iter().collect::<Vec<_>>())
}

#[test]
fn the_same_images_are_at_distance_0_in_any_order() {
    let reference = reference(0..40);
    let mut images: Vec<_> = (0..40).map(|seed| reference.projector().project(&picture(seed), seed)).collect();
    images.reverse();
    assert_eq!(reference.for_sets_of(40).distance(&images.iter().collect::<Vec<_>>()), 0.0);
    assert_eq!(reference.projector().levels(), [[20, 20]]);
    assert!(reference.for_sets_of(1).distance(&[]).is_nan());
}

#[test]
fn it_grows_with_noise_and_with_blur() {
    let reference = reference(0..60);
    let fresh: Vec<_> = (100..160).map(picture).collect();
    let with_noise: Vec<f64> = [0.0, 0.05, 0.1, 0.2, 0.4]
        .map(|deviation| {
            let images: Vec<_> = fresh.iter().zip(0..).map(|(image, seed)| noisy(image, deviation, seed)).collect();
            distance(&reference, &images, 100)
        })
        .to_vec();
    let with_blur: Vec<f64> = [0, 2, 5, 12]
        .map(|times| distance(&reference, &fresh.iter().map(|image| blurred(image, times)).collect::<Vec<_>>(), 100))
        .to_vec();
    for row in [&with_noise, &with_blur] {
        assert!(row.windows(2).all(|pair| pair[0] < pair[1]), "{row:?}");
        assert!(row[row.len() - 1] > 2.0 * row[0], "{row:?}");
    }
}

#[test]
fn a_wrong_colour_counts() {
    let reference = reference(0..60);
    let fresh: Vec<_> = (100..160).map(picture).collect();
    let paler: Vec<_> = fresh.iter().map(|image| image.iter().map(|v| v * 0.7).collect()).collect();
    let (right, wrong) = (distance(&reference, &fresh, 100), distance(&reference, &paler, 100));
    assert!(wrong > 1.3 * right, "{wrong} against {right}");
}

/// One plane of 1x1 pixels: a patch is the pixel, a direction is +1 or -1, and the distance is that of the scaled numbers.
#[test]
fn single_pixels_by_hand() {
    let slicing = Slicing { patches: 1, directions: 3, seed: 1 };
    // Mean 2, deviation 2.
    let real = [0.0, 4.0, 0.0, 4.0].map(|v: f32| vec![v]);
    let projector = Projector::new([1, 1, 1], slicing, real.iter().cloned());
    let project = |values: &[f32]| values.iter().map(|&v| projector.project(&[v], 0)).collect::<Vec<_>>();
    let reference = Reference::new(projector.clone(), &project(&[0.0, 4.0, 0.0, 4.0]));
    let distance =
        |values: &[f32]| reference.for_sets_of(values.len()).distance(&project(values).iter().collect::<Vec<_>>());
    assert_eq!(distance(&[4.0, 0.0]), 0.0);
    // (|0 - 1| + |0 - 1| + |4 - 5| + |4 - 9|) / 4, over a deviation of 2.
    assert_eq!(distance(&[9.0, 1.0, 5.0, 1.0]), 1.0);
    assert_eq!(distance(&[2.0]), 0.0, "the mean of all is all that one number can be compared with");
}

/// What an image is worth depends on nothing around it, and on the seed alone.
#[test]
fn projections_are_pinned() {
    let projector = Projector::new(SHAPE, FEW, (0..10).map(picture));
    let one = projector.project(&picture(3), 3);
    assert_eq!(one, projector.clone().project(&picture(3), 3));
    assert_ne!(one, projector.project(&picture(3), 4), "other places");
    assert_eq!(one.bytes(), 4 * 8 * 24);
}

#[test]
fn sets_of_numbers_by_hand() {
    assert_eq!(wasserstein_1d(&[0.0, 1.0, 3.0], &[5.0, 6.0, 8.0]), 5.0);
    // The quantiles of 3 numbers in halves: (2 * 1 + 4) / 3 and (4 + 2 * 10) / 3.
    assert_eq!(averaged(&[1.0, 4.0, 10.0], 2), [2.0, 8.0]);
    assert_eq!(wasserstein_1d(&[2.0, 8.0], &[1.0, 4.0, 10.0]), 0.0);
    assert_eq!(averaged(&[1.0, 4.0], 5), [1.0, 4.0]);
    assert!(wasserstein_1d(&[], &[1.0]).is_nan());
    assert!(wasserstein_1d(&[f32::NAN], &[1.0]).is_nan());
}

fn numbers() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-9.0f32..9.0, 1..40).prop_map(|mut values| {
        values.sort_unstable_by(f32::total_cmp);
        values
    })
}

proptest! {
    #[test]
    fn laws_of_sets_of_numbers(x in numbers(), y in numbers(), shift in -3.0f32..3.0) {
        let there = wasserstein_1d(&x, &y);
        prop_assert_eq!(there, wasserstein_1d(&y, &x));
        prop_assert!(there >= 0.0);
        prop_assert_eq!(wasserstein_1d(&x, &x), 0.0);
        // Twice the same set is the same distribution.
        let twice: Vec<f32> = x.iter().flat_map(|&v| [v, v]).collect();
        prop_assert!(wasserstein_1d(&x, &twice) < 1e-6);
        let moved: Vec<f32> = x.iter().map(|v| v + shift).collect();
        prop_assert!((wasserstein_1d(&x, &moved) - f64::from(shift.abs())).abs() < 1e-5);
        // Means are farther apart than distributions never.
        let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        prop_assert!(there >= (mean(&x) - mean(&y)).abs() - 1e-5);
    }

    #[test]
    fn two_sets_are_as_far_apart_either_way(seed in 0u64..1000) {
        let projector = Projector::new(SHAPE, FEW, (0..6).map(picture));
        let set = |first: u64| (first..first + 5).map(|s| projector.project(&picture(s), s)).collect::<Vec<_>>();
        let (a, b) = (set(seed * 20), set(seed * 20 + 10));
        let from = |a: &[Projections], b: &[Projections]| {
            Reference::new(projector.clone(), a).for_sets_of(5).distance(&b.iter().collect::<Vec<_>>())
        };
        prop_assert_eq!(from(&a, &b), from(&b, &a));
        let [a, b] = [&a, &b].map(|set| set.iter().collect::<Vec<_>>());
        prop_assert_eq!(projector.between(&a, &b), projector.between(&b, &a));
        let stored: Vec<Projections> = b.iter().map(|&p| p.clone()).collect();
        prop_assert!((projector.between(&a, &b) - from(&stored, &a.iter().map(|&p| p.clone()).collect::<Vec<_>>())).abs() < 1e-12);
    }
}
