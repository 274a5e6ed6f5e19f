//! Networks of published files give what PyTorch gave, where the files lie beside the checkout; without them these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::{Array, read_npz};
use ganatomy_import::{Architecture, Imported, Spec, import};
use net::{Device, Network, Params, Tensor};
use std::path::{Path, PathBuf};
use weights::{StateDict, Stored};

/// The largest difference, measured by the largest number of what is expected. In 64 bits it is that of `PyTorch`'s own rounding.
const MOST: f64 = 1e-5;

/// A file of the shared folder, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/weights")).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn dict(path: &Path, key: Option<&str>) -> StateDict {
    Stored::open(path).unwrap().state_dict(key).unwrap()
}

fn tensor(array: Array) -> Tensor {
    let shape = array.shape.clone();
    Tensor::new(&shape, array.into_f32(), &Device::cpu())
}

fn error(found: &Tensor, expected: &[f32]) -> f64 {
    let found = found.to_vec();
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0f64, |most, &value| most.max(f64::from(value.abs())));
    let far = found.iter().zip(expected).fold(0f64, |far, (&a, &b)| far.max((f64::from(a) - f64::from(b)).abs()));
    far / most
}

/// The images of the latents that lie beside a file, against those that lie there.
fn images(imported: &Imported, folder: &Path, what: &str, most: f64) {
    let z = tensor(Array::read(folder.join("z.npy")).unwrap());
    let found = imported.network.forward(&z, &[]).unwrap();
    let expected = Array::read(folder.join("x.npy")).unwrap();
    assert_eq!(found.shape(), expected.shape, "{what}");
    let expected = expected.into_f32();
    let wide = Tensor::new_f64(z.shape(), z.to_vec().into_iter().map(f64::from).collect());
    let exact = error(&exact(&imported.network).forward(&wide, &[]).unwrap(), &expected);
    let error = error(&found, &expected);
    eprintln!("{what}: images {error:.1e}, in 64 bits {exact:.1e}");
    assert!(exact <= MOST, "{what}, in 64 bits: {exact}");
    assert!(error <= most, "{what}: {error}");
}

/// The network with all of its numbers in 64 bits, which is computed plainly.
fn exact(network: &Network) -> Network {
    let wide = |tensor: &Tensor| Tensor::new_f64(tensor.shape(), tensor.to_vec().into_iter().map(f64::from).collect());
    let params = Params::new(network.params.tensors().iter().map(wide).collect());
    Network { params, ..network.clone() }
}

/// Every layer's values for the first latents.
fn activations(imported: &Imported, folder: &Path, what: &str, most: f64) {
    let z = Array::read(folder.join("z.npy")).unwrap();
    let layers = read_npz(folder.join("activations.npz")).unwrap();
    let n = layers[0].1.shape[0];
    let z = Tensor::new(&[n, z.shape[1]], z.clone().into_f32()[..n * z.shape[1]].to_vec(), &Device::cpu());
    let ready = imported.network.inference().unwrap();
    let mut worst = (0f64, String::new());
    for (name, expected) in layers {
        let node = ready.program().find(&name).unwrap();
        let found = ready.start(&[(ready.input().unwrap(), &z)]).unwrap().fetch_one(node).unwrap();
        let error = error(&found, &expected.into_f32());
        assert!(error <= most, "{what}, {name}: {error}");
        if error >= worst.0 {
            worst = (error, name);
        }
    }
    eprintln!("{what}: layers {:.1e} at most, in {}", worst.0, worst.1);
}

#[test]
fn sequences_by_their_description() {
    for (folder, file) in [("face_fletcher", "face_fletcher.pt"), ("mnist-dcgan", "generator.pt")] {
        let Some(path) = shared(folder) else { continue };
        let spec = Spec::read(path.join("spec.json")).unwrap();
        let imported = spec.network(&dict(&path.join(file), None)).unwrap();
        images(&imported, &path.join("reference"), folder, MOST);
        activations(&imported, &path.join("reference"), folder, MOST);
        let law = if folder == "face_fletcher" { net::Law::Uniform } else { net::Law::Normal };
        assert_eq!(imported.network.latent_law(), law);
    }
}

#[test]
fn a_dcgan_by_its_tensors() {
    let Some(path) = shared("mnist-dcgan") else { return };
    let weights = dict(&path.join("generator.pt"), None);
    assert_eq!(Architecture::of(&weights), Some(Architecture::Dcgan));
    let imported = import(&weights, None).unwrap();
    images(&imported, &path.join("reference"), "mnist-dcgan, found", MOST);
    assert!(imported.notices.iter().any(|notice| notice.contains("activations leave no trace")));
}

#[test]
fn residual_generators_of_mimicry() {
    for folder in ["mimicry-dcgan32", "mimicry-sngan32"] {
        let Some(path) = shared(folder) else { continue };
        let imported = import(&dict(&path.join("generator.pt"), None), None).unwrap();
        images(&imported, &path, folder, MOST);
    }
}

#[test]
fn progan_of_pro_gan_pth() {
    let Some(path) = shared("akanimax-progan64") else { return };
    let imported = import(&dict(&path.join("generator.pt"), Some("generator")), None).unwrap();
    images(&imported, &path, "akanimax-progan64", MOST);
}

/// Of `StyleGAN`, where sums of squares are divided by and filters follow each other.
const MOST_OF_STYLEGAN: f64 = 1e-4;

#[test]
fn stylegan2_of_rosinality() {
    let Some(path) = shared("rosinality-32") else { return };
    let imported = import(&dict(&path.join("generator.pt"), None), None).unwrap();
    images(&imported, &path, "rosinality-32", MOST_OF_STYLEGAN);
}

#[test]
fn stylegan2_of_nvidia() {
    let Some(path) = shared("sg2ada-32") else { return };
    let imported = import(&dict(&path.join("generator.pkl"), None), None).unwrap();
    images(&imported, &path, "sg2ada-32", MOST_OF_STYLEGAN);
    // Every layer of the synthesis, by the names of the file.
    let z = tensor(Array::read(path.join("z.npy")).unwrap());
    let ready = imported.network.inference().unwrap();
    let mut worst = 0f64;
    for (name, expected) in read_npz(path.join("acts.npz")).unwrap() {
        let Some(node) =
            [name.clone(), format!("synthesis.{name}")].iter().find_map(|name| ready.program().find(name).ok())
        else {
            eprintln!("sg2ada-32: {name} {:?} is no node", expected.shape);
            continue;
        };
        let found = ready.start(&[(ready.input().unwrap(), &z)]).unwrap().fetch_one(node).unwrap();
        worst = worst.max(error(&found, &expected.into_f32()));
    }
    eprintln!("sg2ada-32: layers {worst:.1e} at most");
    assert!(worst <= MOST_OF_STYLEGAN, "{worst}");
}

#[test]
fn resnets_for_cifar() {
    for (name, file) in [("resnet20", "resnet20-12fca82f.th"), ("resnet56", "resnet56-4bfd9763.th")] {
        let (Some(path), Some(folder)) = (shared(file), shared("resnet_cifar10/reference")) else { continue };
        let imported = import(&dict(&path, None), None).unwrap();
        let bytes = Array::read(folder.join("images8_uint8_nhwc_rgb.npy")).unwrap().into_f32();
        let place = |i: usize| {
            let (image, channel, cell) = (i / 3072, i % 3072 / 1024, i % 1024);
            bytes[(image * 1024 + cell) * 3 + channel] / 127.5 - 1.0
        };
        let x = Tensor::new(&[8, 3, 32, 32], (0..bytes.len()).map(place).collect(), &Device::cpu());
        let found = imported.network.forward(&x, &[]).unwrap();
        let expected = Array::read(folder.join(format!("{name}_logits_10000.npy"))).unwrap().into_f32();
        let error = error(&found, &expected[..80]);
        eprintln!("{name}: logits {error:.1e}");
        assert!(error <= MOST, "{name}: {error}");
    }
}
