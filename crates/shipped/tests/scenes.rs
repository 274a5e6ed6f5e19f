//! The shipped generator of scenes: small, whole, and like the scenes that it learnt from.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use data::{Dataset, Options};
use ganatomy_shipped::Kind;
use net::{AxisMap, Device, Network, Precision, Primitive, Tensor};
use std::path::Path;

const SAMPLES: usize = 1000;
const SIDE: usize = 64;
/// Images averaged down to a grid of this side say what is where, in which colour.
const CELLS: usize = 8;

fn generator() -> Network {
    let shipped = ganatomy_shipped::by_name("scenes", Kind::Generator).unwrap();
    Network::from_bytes(shipped.bytes, Path::new(shipped.name), &Device::cpu()).unwrap()
}

/// The means of the cells of each image of a batch.
fn cells(images: &Tensor) -> Vec<Vec<f64>> {
    let block = SIDE / CELLS;
    let shape = images.shape();
    let mean = AxisMap::Average { size: block, stride: block, padding: [0, 0], count_padding: false };
    let along = |x: &Tensor, axis: usize| {
        let mut shape = x.shape().to_vec();
        shape[axis] /= block;
        let primitive = Primitive::Along { axis, map: mean.clone() };
        Tensor::compute(&primitive, &[x], &shape, Precision::F32).unwrap()
    };
    assert_eq!(shape[1..], [3, SIDE, SIDE]);
    let means = along(&along(images, 3), 2).to_vec_f64();
    means.chunks(3 * CELLS * CELLS).map(<[f64]>::to_vec).collect()
}

fn generated() -> Vec<Vec<f64>> {
    let (network, device) = (generator(), Device::cpu());
    let seeds: Vec<u64> = (0..SAMPLES as u64).collect();
    let batch = |seeds: &[u64]| cells(&network.forward(&network.latents(seeds, &device), &[]).unwrap());
    seeds.chunks(50).flat_map(batch).collect()
}

/// Scenes of another seed than those of the training.
fn reals() -> Vec<Vec<f64>> {
    let options = Options { size: Some(data::Size::square(SIDE)), seed: 2026, ..Options::default() };
    let scenes: Dataset = data::open("scenes", &options).unwrap();
    let image = |index| Tensor::new(&[1, 3, SIDE, SIDE], scenes.values(index).unwrap(), &Device::cpu());
    (0..SAMPLES as u64).flat_map(|index| cells(&image(index))).collect()
}

/// Mean and standard deviation of each cell.
fn moments(images: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let n = images.len() as f64;
    let mean = |f: &dyn Fn(&Vec<f64>) -> f64| images.iter().map(f).sum::<f64>() / n;
    let of = |cell: usize| {
        let m = mean(&|image| image[cell]);
        (m, mean(&|image| (image[cell] - m).powi(2)).sqrt())
    };
    (0..images[0].len()).map(of).collect()
}

/// The distance from each image to the nearest other one, sorted.
fn nearest(images: &[Vec<f64>]) -> Vec<f64> {
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let nearest = |i: usize| {
        let others = images.iter().enumerate().filter(|(j, _)| *j != i);
        others.map(|(_, other)| distance(&images[i], other)).fold(f64::INFINITY, f64::min)
    };
    let mut all: Vec<f64> = (0..images.len()).map(nearest).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn it_is_small() {
    let report = generator().report().unwrap();
    assert!(report.parameters <= 2_500_000, "{}", report.parameters);
    let bytes = ganatomy_shipped::by_name("scenes", Kind::Generator).unwrap().bytes.len();
    assert!(bytes <= 5_000_000, "{bytes}");
    assert!(report.notes.iter().any(|(key, value)| key == "trained on" && value == "scenes"), "{:?}", report.notes);
}

#[test]
fn a_thousand_samples_have_the_colours_and_the_variety_of_real_scenes() {
    let (samples, reals) = (generated(), reals());
    let (ours, theirs) = (moments(&samples), moments(&reals));
    let count = ours.len() as f64;
    let mean = |f: &dyn Fn(usize) -> f64| (0..ours.len()).map(f).sum::<f64>() / count;
    let off = mean(&|cell| (ours[cell].0 - theirs[cell].0).abs());
    let spread = mean(&|cell| ours[cell].1) / mean(&|cell| theirs[cell].1);
    let (near, real_near) = (nearest(&samples), nearest(&reals));
    let ratio = |q: usize| near[near.len() * q / 100] / real_near[real_near.len() * q / 100];
    println!("mean off by {off:.4} of a range of 2; spread {spread:.3} of the real one");
    println!("distance to the nearest other: {:.3} of the real one at 1 %, {:.3} at 50 %", ratio(1), ratio(50));
    assert!(off < 0.03, "the mean colours are off by {off}");
    assert!((0.9..1.1).contains(&spread), "the spread is {spread} of the real one");
    assert!(ratio(1) > 0.6 && ratio(50) > 0.8, "samples crowd: {} at 1 %, {} at 50 %", ratio(1), ratio(50));
}

/// The files are read as what `dissect` writes; they are about the networks that are shipped.
#[test]
fn the_dissection_is_of_the_shipped_networks() {
    let shipped = ganatomy_shipped::dissection("scenes").unwrap();
    let folder = tempfile::tempdir().unwrap();
    shipped.files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    let found = dissect::Dissection::read(folder.path()).unwrap();
    assert!(found.plan.model.is(&generator()).unwrap());
    let segmenter = ganatomy_shipped::by_name("scenes", Kind::Segmenter).unwrap();
    let segmenter = Network::from_bytes(segmenter.bytes, Path::new(segmenter.name), &Device::cpu()).unwrap();
    assert!(found.plan.segmenter.is(&segmenter).unwrap());
    // 10,000 generated and 10,000 real ones.
    assert_eq!(found.tally.groups, 20_000 / dissect::GROUP);
    assert_eq!(found.plan.layers.len(), 7);
}
