//! `ESPNet` gives what `PyTorch` gave, where the file and the images lie beside the checkout; without them this test says so and passes.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::Array;
use ganatomy_import::import;
use net::{Device, Tensor};
use std::path::{Path, PathBuf};
use weights::Stored;

const MOST: f64 = 1e-5;
const CELLS: usize = 360 * 480;

/// A file of the shared folder, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// An image as networks read it, `[1, 3, h, w]` in [-1, 1].
fn picture(path: &Path) -> Tensor {
    let image = data::decode(&std::fs::read(path).unwrap(), path).unwrap();
    assert_eq!((image.width, image.height, image.channels), (480, 360, 3));
    let value = |i: usize| f32::from(image.pixels[i % CELLS * 3 + i / CELLS]) / 127.5 - 1.0;
    Tensor::new(&[1, 3, 360, 480], (0..3 * CELLS).map(value).collect(), &Device::cpu())
}

#[test]
fn espnet_for_camvid() {
    let (Some(path), Some(folder)) = (shared("weights/espnet_camvid.pth"), shared("weights/espnet_camvid/reference"))
    else {
        return;
    };
    let Some(images) = shared("camvid/full-test-20/images") else { return };
    let imported = import(&Stored::open(path).unwrap().state_dict(None).unwrap(), None).unwrap();
    assert_eq!(imported.classes.as_ref().unwrap().names.len(), 12);
    let ready = imported.network.inference().unwrap();
    for name in ["0001TP_009270", "Seq05VD_f03270"] {
        let x = picture(&images.join(format!("{name}.png")));
        let mut run = ready.start(&[(ready.input().unwrap(), &x)]).unwrap();
        let logits = run.fetch_one(ready.output()).unwrap();
        assert_eq!(logits.shape(), [1, 12, 360, 480]);
        let all = logits.to_vec();
        let some: Vec<f32> =
            (0..12 * 45 * 60).map(|i| all[(i / 2700 * 360 + i % 2700 / 60 * 8) * 480 + i % 60 * 8]).collect();
        let expected = Array::read(folder.join(format!("{name}.logits_stride8.npy"))).unwrap().into_f32();
        let most = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        let far = some.iter().zip(&expected).fold(0f32, |far, (a, b)| far.max((a - b).abs()));
        let error = f64::from(far / most);
        let labels = folder.join(format!("{name}.pred.png"));
        let labels = data::decode_labels(&std::fs::read(&labels).unwrap(), &labels).unwrap();
        let best = |cell: usize| (0..12).max_by(|&a, &b| all[a * CELLS + cell].total_cmp(&all[b * CELLS + cell]));
        let same = (0..CELLS).filter(|&cell| best(cell) == Some(usize::from(labels.classes[cell]))).count();
        eprintln!("espnet, {name}: logits {error:.1e}, {same} of {CELLS} labels");
        assert!(error <= MOST, "{name}: {error}");
        assert!(same as f64 >= 0.999 * CELLS as f64, "{name}: {same}");
    }
}
