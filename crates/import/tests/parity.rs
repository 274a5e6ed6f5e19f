//! Networks of published files give what PyTorch gave, where the files lie beside the checkout; without them these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::{Array, read_npz};
use ganatomy_import::{Architecture, Imported, Spec, import};
use net::{Device, Feed, Network, Params, Tensor};
use std::path::{Path, PathBuf};
use weights::{StateDict, Stored};

/// The largest difference, measured by the largest number of what is expected. In 64 bits it is that of `PyTorch`'s own rounding.
const MOST: f64 = 1e-5;

/// A file of the shared folder, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/weights")).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
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
    let weights = dict(&path.join("generator.pt"), None);
    let imported = import(&weights, None).unwrap();
    images(&imported, &path, "rosinality-32", MOST_OF_STYLEGAN);
    assert_eq!(mean_style(&imported.network), weights.beside("latent_avg").unwrap().to_f32().unwrap());
    let z = imported.network.latents(&[1, 2], &Device::cpu());
    let (whole, none) = (truncated(&imported.network, &z, 1.0), truncated(&imported.network, &z, 0.0));
    let pixels = none.len() / 2;
    assert!(none[..pixels] == none[pixels..] && whole[..pixels] != whole[pixels..]);

    // Without what lies beside it, the mean of styles is that of latents: nearly that of other ones.
    let tensors: Vec<(String, Tensor)> = (weights.entries())
        .map(|(name, of)| (name.into(), Tensor::new(of.shape(), weights.values(name).unwrap(), &Device::cpu())))
        .collect();
    let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    let alone = Stored::from_bytes(net::tensors_to_bytes(&named).unwrap(), "alone.safetensors").unwrap();
    let imported = import(&alone.state_dict(None).unwrap(), None).unwrap();
    assert!(imported.notices.iter().any(|notice| notice.contains("latent_avg")), "{:?}", imported.notices);
    let network = &imported.network;
    let z = network.latents(&(0..2000).collect::<Vec<_>>(), &Device::cpu());
    let styles = network.until("w").unwrap().forward(&z, &[]).unwrap();
    let length = styles.shape()[1];
    let mean_of = |values: &[f32], i: usize| {
        values.iter().skip(i).step_by(length).map(|&v| f64::from(v)).sum::<f64>() * length as f64 / values.len() as f64
    };
    let (styles, mean) = (styles.to_vec(), mean_style(network));
    let spread = styles.iter().map(|&v| f64::from(v * v)).sum::<f64>() / styles.len() as f64;
    let far = (0..length).map(|i| (mean_of(&styles, i) - f64::from(mean[i])).powi(2)).sum::<f64>() / length as f64;
    assert!(far < spread / 300.0, "{far} of {spread}");
}

/// The mean to which styles are truncated.
fn mean_style(network: &Network) -> Vec<f32> {
    let place = network.graph.params().iter().position(|&id| network.graph.node(id).name == "w.mean").unwrap();
    network.params.tensors()[place].to_vec()
}

/// The images of latents whose styles go `psi` of the way from their mean.
fn truncated(network: &Network, z: &Tensor, psi: f32) -> Vec<f32> {
    let (name, layers) = network.truncation().unwrap();
    let mut feed = Feed::from(z.clone());
    feed.set(name, Tensor::new(&[layers], vec![psi; layers], &Device::cpu()));
    let ready = network.inference().unwrap();
    ready.begin(&feed).unwrap().fetch_one(ready.output()).unwrap().to_vec()
}

#[test]
fn stylegans_of_nvidia() {
    for (folder, architecture) in [("sg2ada-32", "stylegan2-ada"), ("sg3t-32", "stylegan3")] {
        let Some(path) = shared(folder) else { continue };
        let imported = import(&dict(&path.join("generator.pkl"), None), None).unwrap();
        assert_eq!(imported.architecture, architecture);
        images(&imported, &path, folder, MOST_OF_STYLEGAN);
        let z = tensor(Array::read(path.join("z.npy")).unwrap());
        let cut = path.join("x-psi0.7.npy");
        if cut.exists() {
            let expected = Array::read(cut).unwrap();
            let found = Tensor::new(&expected.shape, truncated(&imported.network, &z, 0.7), &Device::cpu());
            let error = error(&found, &expected.into_f32());
            assert!(error <= MOST_OF_STYLEGAN, "{folder}, truncated: {error}");
            eprintln!("{folder}: truncated {error:.1e}");
        }
        // The styles, and every layer of the synthesis, by the names of the file.
        let ready = imported.network.inference().unwrap();
        let mut worst = 0f64;
        for (name, expected) in read_npz(path.join("acts.npz")).unwrap() {
            let node = [name.clone(), format!("synthesis.{name}")];
            let node = node.iter().find_map(|name| ready.program().find(name).ok());
            let node = node.unwrap_or_else(|| panic!("{folder}: {name} is no node"));
            let found = ready.start(&[(ready.input().unwrap(), &z)]).unwrap().fetch_one(node).unwrap();
            let error = error(&found, &expected.into_f32());
            assert!(error <= MOST_OF_STYLEGAN, "{folder}, {name}: {error}");
            worst = worst.max(error);
        }
        eprintln!("{folder}: layers {worst:.1e} at most");
    }
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
