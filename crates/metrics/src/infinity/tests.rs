use super::*;
use base::seed::Stream;

/// `n` normal vectors, moved by `shift` in every number.
fn normals(n: usize, d: usize, shift: f64, seed: u64) -> Vec<f64> {
    let mut draw = Stream::new(seed, "test", 0);
    (0..n * d).map(|_| draw.normal() + shift).collect()
}

fn groups(values: &[f64], d: usize) -> Groups {
    let mut groups = Groups::new(d, 12).unwrap();
    groups.push(0, &Features::new("features", values, d).unwrap()).unwrap();
    groups
}

/// The standard normal distribution itself: no bias of real images.
fn exact(d: usize) -> Statistics {
    let covariance = (0..d * d).map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
    Statistics::new(vec![0.0; d], covariance, None, Some(Divisor::SamplesLessOne)).unwrap()
}

#[test]
fn the_bias_is_gone_and_the_interval_holds_the_truth_about_as_often_as_it_says() {
    let (d, n, shift, repeats) = (6, 600, 0.2, 120);
    let (reference, truth) = (exact(d), d as f64 * shift * shift);
    let (mut held, mut sum, mut sum_at_all) = (0, 0.0, 0.0);
    for seed in 0..repeats {
        let found = fid_infinity(Generated(&groups(&normals(n, d, shift, seed), d)), Real(&reference), 0.95).unwrap();
        held += u32::from((found.interval.low..=found.interval.high).contains(&truth));
        sum += found.value;
        sum_at_all += found.at_all;
    }
    let [mean, mean_at_all] = [sum, sum_at_all].map(|sum| sum / repeats as f64);
    let bias = d as f64 / n as f64 + (d * (d + 1)) as f64 / (4.0 * (n as f64 - 1.0));
    assert!(mean_at_all - truth > 0.6 * bias, "{mean_at_all} for {truth} with a bias of {bias}");
    assert!((mean - truth).abs() < 0.5 * (mean_at_all - truth), "{mean} and {mean_at_all} for {truth}");
    let share = f64::from(held) / repeats as f64;
    assert!((0.88..=1.0).contains(&share), "{share} of the intervals");
}

#[test]
fn a_far_smaller_set_gives_about_the_same_value() {
    let d = 8;
    let value = |n, seed| {
        let found = fid_infinity(Generated(&groups(&normals(n, d, 0.0, seed), d)), Real(&exact(d)), 0.95).unwrap();
        (found.value, found.at_all)
    };
    let mean = |n, repeats: u64| {
        let all: Vec<(f64, f64)> = (0..repeats).map(|seed| value(n, seed)).collect();
        [all.iter().map(|v| v.0).sum::<f64>() / repeats as f64, all.iter().map(|v| v.1).sum::<f64>() / repeats as f64]
    };
    let ([few, few_at_all], [many, many_at_all]) = (mean(400, 20), mean(2400, 10));
    assert!(few_at_all > 4.0 * many_at_all, "{few_at_all} {many_at_all}");
    assert!(
        few.abs() < 0.2 * few_at_all && many.abs() < 0.3 * many_at_all,
        "{few} of {few_at_all}, {many} of {many_at_all}"
    );
}

#[test]
fn shards_give_the_bytes_of_the_whole_and_the_record_says_how() {
    let (d, n) = (3, 900);
    let values = normals(n, d, 0.1, 1);
    let part = |range: std::ops::Range<usize>| {
        let mut groups = Groups::new(d, 12).unwrap();
        let features = Features::new("features", &values[range.start * d..range.end * d], d).unwrap();
        groups.push(range.start as u64, &features).unwrap();
        groups
    };
    let merged = part(500..900).merge(part(0..123)).unwrap().merge(part(123..500)).unwrap();
    assert_eq!(merged, groups(&values, d));
    let found = fid_infinity(Generated(&merged), Real(&exact(d)), 0.9).unwrap();
    assert_eq!(
        (found.generated, found.real, found.width, found.options),
        (900, None, 3, Options { groups: 12, confidence: 0.9 })
    );
    assert_eq!(found.divisor, Divisor::SamplesLessOne);
    assert!(merged.clone().merge(merged).is_err());
}

#[test]
fn what_cannot_be_used_is_said() {
    assert!(Groups::new(3, 7).unwrap_err().to_string().contains("at least 8"));
    let few = groups(&normals(20, 2, 0.0, 1), 2);
    let message = |confidence| fid_infinity(Generated(&few), Real(&exact(2)), confidence).unwrap_err().to_string();
    assert_eq!(message(0.95), "generated features: 20 images are too few for 12 groups");
    assert_eq!(message(1.0), "confidence: is 1");
    assert!(few.merge(Groups::new(2, 8).unwrap()).is_err());
}
