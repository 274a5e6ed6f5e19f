//! How often imported networks are right, over whole sets, beside what `PyTorch` got: the figures of `docs/import.md`.
//!
//! They take minutes, so they run only when they are asked for, where the files and sets lie beside the checkout:
//!
//!     cargo test --release -p ganatomy-import --test accuracy -- --ignored --nocapture --test-threads 1

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::Array;
use data::{Image, LabelMap, Options};
use ganatomy_import::import;
use net::{Device, Ready, Tensor};
use std::path::{Path, PathBuf};
use weights::Stored;

/// Points of the mean intersection over union by which a table may differ.
const POINTS: f64 = 0.3;
const CLASSES: usize = 12;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn network(file: &Path) -> Ready {
    import(&Stored::open(file).unwrap().state_dict(None).unwrap(), None).unwrap().network.inference().unwrap()
}

/// What the network gives for images of one size.
fn logits(network: &Ready, images: &[Image]) -> Tensor {
    let (height, width) = (images[0].height, images[0].width);
    let cells = height * width;
    let of_image = |image: &Image| {
        let pixels = image.pixels.clone();
        (0..3 * cells).map(move |i| f32::from(pixels[i % cells * 3 + i / cells]) / 127.5 - 1.0)
    };
    let values = images.iter().flat_map(of_image).collect();
    let x = Tensor::new(&[images.len(), 3, height, width], values, &Device::cpu());
    network.start(&[(network.input().unwrap(), &x)]).unwrap().fetch_one(network.output()).unwrap()
}

/// The class of each pixel of one image.
fn labels(network: &Ready, image: &Image) -> Vec<usize> {
    let (logits, cells) = (logits(network, std::slice::from_ref(image)).to_vec(), image.width * image.height);
    let best =
        |cell: usize| (0..CLASSES).max_by(|&a, &b| logits[a * cells + cell].total_cmp(&logits[b * cells + cell]));
    (0..cells).map(|cell| best(cell).unwrap()).collect()
}

/// Twice the size, linearly, rounded to bytes after each axis, as Pillow does it.
fn doubled(image: &Image) -> Image {
    let axis = |pixels: &[u8], lines: usize, length: usize, step: usize, line: &dyn Fn(usize) -> usize| {
        let mut out = vec![0u8; 2 * pixels.len()];
        for l in 0..lines {
            for i in 0..2 * length {
                let (near, far) =
                    (i / 2, if i % 2 == 0 { (i / 2).saturating_sub(1) } else { (i / 2 + 1).min(length - 1) });
                for c in 0..step {
                    let at = |i: usize| u32::from(pixels[line(l) + i * step + c]);
                    out[(l * 2 * length + i) * step + c] = ((3 * at(near) + at(far) + 2) / 4) as u8;
                }
            }
        }
        out
    };
    let (w, h) = (image.width, image.height);
    let wide = axis(&image.pixels, h, w, 3, &|l| l * w * 3);
    // A row is one entry of 2 w pixels.
    let high = axis(&wide, 1, h, 2 * w * 3, &|_| 0);
    Image::new(2 * w, 2 * h, 3, high).unwrap()
}

/// The mean intersection over union of the first eleven classes: pixels of the last one count against what was said of them.
fn mean_iou(counts: &[[u64; CLASSES]; CLASSES]) -> f64 {
    let of_class = |class: usize| {
        let said: u64 = counts.iter().map(|row| row[class]).sum();
        let both = counts[class][class];
        both as f64 / (counts[class].iter().sum::<u64>() + said - both) as f64
    };
    (0..CLASSES - 1).map(of_class).sum::<f64>() / (CLASSES - 1) as f64
}

fn expected(keys: &[&str]) -> f64 {
    let path = shared("weights/espnet_camvid/reference/metrics.json").unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    keys.iter().fold(&json, |json, key| &json[key]).as_f64().unwrap()
}

/// Goes through a labelled set; `see` gives the labels of an image in the size of its map.
fn judged(set: &Path, see: impl Fn(&Image) -> Vec<usize>) -> f64 {
    let set = data::open(&set.to_string_lossy(), &Options { size: None, ..Options::default() }).unwrap();
    let mut counts = [[0; CLASSES]; CLASSES];
    for index in 0..set.len().unwrap() as u64 {
        let (image, maps): (Image, Vec<LabelMap>) = set.image_with_maps(index).unwrap();
        for (&truth, said) in maps[0].classes.iter().zip(see(&image)) {
            counts[usize::from(truth)][said] += 1;
        }
    }
    100.0 * mean_iou(&counts)
}

#[test]
#[ignore = "takes a minute: figures of docs/import.md"]
fn espnet_finds_as_much_in_streets() {
    let (Some(file), Some(large)) = (shared("weights/espnet_camvid.pth"), shared("camvid/full-test-20")) else {
        return;
    };
    let network = network(&file);
    let found = judged(&large, |image| labels(&network, image));
    let wanted = 100.0 * expected(&["full-test-20", "total", "mIoU_claimed_protocol"]);
    eprintln!("espnet, 20 images of 480 x 360: {found:.2}, of PyTorch {wanted:.2}");
    assert!((found - wanted).abs() <= POINTS, "{found} {wanted}");
}

#[test]
#[ignore = "takes minutes: figures of docs/import.md"]
fn espnet_finds_as_much_in_enlarged_streets() {
    let (Some(file), Some(small)) = (shared("weights/espnet_camvid.pth"), shared("camvid/camvid-test.zip")) else {
        return;
    };
    let network = network(&file);
    let found = judged(&small, |image| {
        let labels = labels(&network, &doubled(image));
        // The pixel of each four that Pillow takes where it halves a map without mixing, as it did with the true labels.
        let at = |i: usize| (i / image.width * 2 + 1) * 2 * image.width + i % image.width * 2 + 1;
        (0..image.width * image.height).map(|i| labels[at(i)]).collect()
    });
    let key = "camvid-test.zip upsampled x2, prediction nearest-downscaled, scored at 240x180";
    let wanted = 100.0 * expected(&[key, "mIoU_claimed_protocol"]);
    eprintln!("espnet, 233 images enlarged to 480 x 360: {found:.2}, of PyTorch {wanted:.2}");
    assert!((found - wanted).abs() <= POINTS, "{found} {wanted}");
}

#[test]
#[ignore = "takes minutes: figures of docs/import.md"]
fn resnets_are_as_often_right() {
    let Some(set) = shared("cifar10/cifar10-test.zip") else { return };
    let set = data::open(&set.to_string_lossy(), &Options::default()).unwrap();
    for (name, file, right) in
        [("resnet20", "resnet20-12fca82f.th", 8103.0), ("resnet56", "resnet56-4bfd9763.th", 8320.0)]
    {
        let (Some(file), Some(stored)) = (
            shared(&format!("weights/{file}")),
            shared(&format!("weights/resnet_cifar10/reference/{name}_logits_10000.npy")),
        ) else {
            return;
        };
        let (network, stored) = (network(&file), Array::read(stored).unwrap().into_f32());
        let (mut found, mut same, mut far, mut most) = (0.0, 0.0, 0.0, 0f32);
        for first in (0..10_000).step_by(100) {
            let images: Vec<Image> = (first..first + 100).map(|index| set.image(index).unwrap()).collect();
            let given = logits(&network, &images).to_vec();
            for (i, given) in given.chunks_exact(10).enumerate() {
                let stored = &stored[(first as usize + i) * 10..][..10];
                let best = |logits: &[f32]| (0..10).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
                // The set's order is that of its classes, a thousand each.
                found += f64::from(u8::from(best(given) == (first as usize + i) / 1000));
                same += f64::from(u8::from(best(given) == best(stored)));
                far += given.iter().zip(stored).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
                most = stored.iter().fold(most, |most, value| most.max(value.abs()));
            }
        }
        let mean = far / 1e5 / f64::from(most);
        eprintln!(
            "{name}: {found} of 10,000 right, of PyTorch {right}; {same} said alike; logits differ by {mean:.1e} on the mean"
        );
        assert!((found - right).abs() <= 30.0, "{name}: {found}");
    }
}
