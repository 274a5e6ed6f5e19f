//! Published data sets, where they lie beside the checkout; without them these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use ganatomy_data::{Dataset, Loader, LoaderOptions, Options, open};
use std::path::Path;
use std::sync::Arc;

/// Opens a set of the shared folder, if it is there.
fn shared(name: &str) -> Option<Dataset> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(open(path.to_str().unwrap(), &Options::default()).unwrap())
}

fn class_counts(set: &Dataset, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for index in 0..set.len().unwrap() as u64 {
        counts[set.label(index).unwrap() as usize] += 1;
    }
    counts
}

#[test]
fn fashion_mnist_is_complete() {
    let Some(set) = shared("fashion-mnist") else { return };
    assert_eq!((set.len(), set.shape()), (Some(60_000), &[1, 28, 28][..]));
    assert_eq!(class_counts(&set, 10), [6000; 10]);
    let sum: u64 = (0..60_000).map(|i| set.image(i).unwrap().pixels.iter().map(|&v| u64::from(v)).sum::<u64>()).sum();
    let mean = sum as f64 / (60_000.0 * 784.0 * 255.0);
    assert!((mean - 0.28604).abs() < 1e-5, "{mean}");
    let test = shared("fashion-mnist/t10k-images-idx3-ubyte.gz").unwrap();
    assert_eq!(class_counts(&test, 10), [1000; 10]);
}

#[test]
fn cifar_10_is_complete() {
    let Some(set) = shared("cifar10/cifar10-train.zip") else { return };
    assert_eq!((set.len(), set.shape()), (Some(50_000), &[3, 32, 32][..]));
    assert_eq!(class_counts(&set, 10), [5000; 10]);
    assert_eq!(set.label_names()[6], "frog");
    // An epoch decodes every image once; the second comes from memory.
    let mut loader = Loader::new(Arc::new(set), LoaderOptions::default()).unwrap();
    let batch = loader.next_batch(50_000).unwrap();
    let mean = |c: usize| {
        let planes = batch.data.as_chunks::<1024>().0.iter().skip(c).step_by(3);
        planes.flatten().map(|&v| f64::from(v)).sum::<f64>() / (50_000.0 * 1024.0) * 0.5 + 0.5
    };
    for (c, expected) in [0.4913, 0.4821, 0.4465].into_iter().enumerate() {
        // The means are those of libjpeg; JPEG leaves the decoder about a quarter of a grey level on average.
        assert!((mean(c) - expected).abs() < 2e-3, "{}", mean(c));
    }
}

#[test]
fn cats_are_complete() {
    let Some(set) = shared("cats64/cats64.zip") else { return };
    assert_eq!((set.len(), set.shape()), (Some(9303), &[3, 64, 64][..]));
    assert_eq!(set.label(0), None);
    assert!((0..9303).step_by(31).all(|i| set.image(i).is_ok()));
}

#[test]
fn camvid_has_the_published_pixels_of_each_class() {
    let Some(train) = shared("camvid/camvid-train.zip") else { return };
    assert_eq!((train.len(), train.planes()[0].classes.len()), (Some(367), 12));
    assert_eq!(train.planes()[0].ignore, Some(11));
    let val = shared("camvid/camvid-val.zip").unwrap();
    let mut pixels = [0u64; 12];
    for index in 0..val.len().unwrap() as u64 {
        let (image, maps) = val.image_with_maps(index).unwrap();
        assert_eq!((image.width, image.height), (240, 180));
        maps[0].classes.iter().for_each(|&c| pixels[usize::from(c)] += 1);
    }
    let expected =
        [398_283, 1_128_455, 24_608, 1_269_605, 380_337, 712_482, 38_813, 134_859, 76_359, 28_314, 96_668, 74_417];
    assert_eq!(pixels, expected);
    assert_eq!(shared("camvid/full-test-20").unwrap().len(), Some(20));
}
