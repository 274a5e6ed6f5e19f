use super::*;
use base::seed::Stream;
use proptest::prelude::*;

fn features(rows: usize, width: usize, seed: u64) -> Vec<f32> {
    let mut draw = Stream::new(seed, "test", 0);
    (0..rows * width).map(|i| (draw.normal() + (i % width) as f64) as f32).collect()
}

fn of(values: &[f32], width: usize, first: usize, numbers: std::ops::Range<usize>) -> Moments {
    let mut moments = Moments::new(width);
    let part = &values[(numbers.start - first) * width..(numbers.end - first) * width];
    moments.push(numbers.start as u64, &Features::new("features", part, width).unwrap()).unwrap();
    moments
}

#[test]
fn three_rows_by_hand() {
    let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let found = of(&rows, 2, 0, 0..3).statistics(Divisor::SamplesLessOne).unwrap();
    assert_eq!((found.mean, found.covariance, found.samples), (vec![3.0, 4.0], vec![4.0; 4], Some(3)));
    let found = of(&rows, 2, 0, 0..3).statistics(Divisor::Samples).unwrap();
    assert!(found.covariance.iter().all(|v| (v - 8.0 / 3.0).abs() < 1e-15));
}

#[test]
fn too_few_images_and_images_twice_are_errors() {
    let mut moments = of(&[1.0], 1, 0, 0..1);
    let message = moments.statistics(Divisor::SamplesLessOne).unwrap_err().to_string();
    assert_eq!(message, "features: 1 images are too few: a covariance takes at least 2");
    assert_eq!(moments.statistics(Divisor::Samples).unwrap().covariance, [0.0]);
    assert!(Moments::new(3).statistics(Divisor::Samples).is_err());
    let one = Features::new("features", &[2.0f32], 1).unwrap();
    assert_eq!(moments.push(0, &one).unwrap_err().to_string(), "features: image 0 comes a second time");
    moments.push(1, &one).unwrap();
    assert!(moments.clone().merge(of(&[5.0], 1, 0, 0..1)).is_err());
    assert!(moments.push(2, &Features::new("features", &[0.0f32; 2], 2).unwrap()).is_err());
    // A whole leaf against one image of it, either way round.
    let (whole, one) = (of(&[0.5; 600], 1, 0, 0..600), of(&[0.5; 600], 1, 0, 7..8));
    assert!(whole.clone().merge(one.clone()).is_err() && one.merge(whole.clone()).is_err());
    assert!(whole.clone().merge(whole.clone()).is_err());
    assert_eq!(whole.count(), 600);
}

#[test]
fn far_from_zero_nothing_is_lost() {
    let near: Vec<f64> = features(1500, 3, 1).into_iter().map(f64::from).collect();
    let far: Vec<f64> = near.iter().map(|v| v + f64::from(1 << 20)).collect();
    let covariance = |values: &[f64]| {
        let mut moments = Moments::new(3);
        moments.push(0, &Features::new("features", values, 3).unwrap()).unwrap();
        moments.statistics(Divisor::SamplesLessOne).unwrap().covariance
    };
    for (a, b) in covariance(&near).iter().zip(covariance(&far)) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

/// Memory: about one triangle for each doubling.
#[test]
fn what_is_kept_grows_with_the_logarithm() {
    let mut moments = Moments::new(1);
    let batch = vec![0.25f32; 1000];
    for step in 0..200 {
        moments.push(step * 1000, &Features::new("features", &batch, 1).unwrap()).unwrap();
        assert!(moments.nodes.len() <= 9 && moments.leaves.len() <= 1);
    }
    assert_eq!(moments.count(), 200_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_cut_in_any_order_gives_the_same_bytes(
        rows in 2usize..3000, first in 0usize..1500, cuts in prop::collection::vec(0.0f64..1.0, 0..6), seed: u64
    ) {
        let width = 3;
        let values = features(rows, width, seed);
        let whole = of(&values, width, first, first..first + rows);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| first + (cut * rows as f64) as usize).collect();
        ends.extend([first, first + rows]);
        ends.sort_unstable();
        let mut parts: Vec<Moments> = ends.windows(2).map(|pair| of(&values, width, first, pair[0]..pair[1])).collect();
        Stream::new(seed, "order", 0).shuffle(&mut parts);
        let merged = parts.into_iter().reduce(|a, b| a.merge(b).unwrap()).unwrap();
        prop_assert_eq!(&merged, &whole);
        let [a, b] = [&merged, &whole].map(|m| m.statistics(Divisor::SamplesLessOne).unwrap());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn streamed_equals_two_passes(rows in 2usize..1500, width in 1usize..5, seed: u64) {
        let values = features(rows, width, seed);
        let found = of(&values, width, 0, 0..rows).statistics(Divisor::SamplesLessOne).unwrap();
        for i in 0..width {
            let column = |i: usize| values.iter().skip(i).step_by(width).map(|&v| f64::from(v));
            let mean = |i: usize| column(i).sum::<f64>() / rows as f64;
            prop_assert!((found.mean[i] - mean(i)).abs() < 1e-12 * (1.0 + mean(i).abs()));
            for j in 0..width {
                let product = column(i).zip(column(j)).map(|(a, b)| (a - mean(i)) * (b - mean(j))).sum::<f64>();
                prop_assert!((found.covariance[i * width + j] - product / (rows as f64 - 1.0)).abs() < 1e-10);
            }
        }
    }
}
