//! A run on a device whose memory our kernels cannot see: it goes as on the processor, but for rounding.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use ganatomy_evolve::{Evolution, Settings, Stats};
use net::{Device, Network, Tensor};
use std::path::Path;
use train::signals::Interrupt;
use train::{OpenRun, Outcome, RunSettings, Training};

fn settings(preset: &str, points: bool, words: &str) -> Settings {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    Settings::resolve(&Settings::preset(preset, points).unwrap(), None, &words).unwrap()
}

fn all(mut run: OpenRun<Evolution>) -> Vec<Stats> {
    let mut stats = Vec::new();
    let outcome = run.run(&Interrupt::install().unwrap(), |line| stats.push(line.clone())).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    stats
}

fn weights(run: &Path, generation: u64) -> Vec<f32> {
    let mut all = Vec::new();
    for name in ["generator", "discriminator"] {
        let path = run.join(format!("checkpoints/{generation:06}/{name}.safetensors"));
        let network = Network::load(path, &Device::cpu()).unwrap();
        all.extend(network.params.tensors().iter().flat_map(Tensor::to_vec));
    }
    all
}

fn assert_near(here: &[f32], there: &[f32], steps: f32, lr: f32) {
    assert_eq!(here.len(), there.len());
    let distance = |(a, b): (&f32, &f32)| (a - b).abs();
    let worst = here.iter().zip(there).map(distance).fold(0.0f32, f32::max);
    let mean = here.iter().zip(there).map(distance).sum::<f32>() / here.len() as f32;
    // Adam turns the rounding of a gradient near zero into a step of its own size, in either direction.
    assert!(worst <= 2.0 * lr * steps + 1e-4 && mean < 1e-5, "worst {worst}, mean {mean}");
}

fn assert_close(here: f64, there: f64, what: &str) {
    assert!((here - there).abs() <= 1e-3 * here.abs().max(0.1), "{what}: {here} here, {there} there");
}

/// A run of some generations in a folder of its own.
fn evolve(folder: &Path, settings: &Settings, generations: u64, device: Device) -> Vec<Stats> {
    let place = || {
        std::fs::create_dir(folder).unwrap();
        Ok(folder.to_owned())
    };
    all(Evolution::start(Settings { generations, ..settings.clone() }, device, place).unwrap())
}

/// Two generations on both devices, and one on each: the same run. There is one mutation, because rounding decides between
/// children that are equally fit.
fn agree(settings: &Settings) {
    assert_eq!(settings.mutations.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let here = evolve(&path("here"), settings, 2, Device::cpu());
    let there = evolve(&path("there"), settings, 2, Device::stand_in());
    let mut moved = evolve(&path("moved"), settings, 1, Device::cpu());
    let longer = Settings { generations: 2, ..settings.clone() };
    moved.extend(all(Evolution::resume(&path("moved"), longer, Device::stand_in()).unwrap()));

    let lr = settings.lr_g.max(settings.lr_d) as f32;
    let steps = 2.0 * settings.d_steps as f32;
    for (name, stats) in [("there", there), ("moved", moved)] {
        assert_near(&weights(&path("here"), 2), &weights(&path(name), 2), steps, lr);
        assert_eq!(stats.len(), 2);
        for (a, b) in here.iter().zip(&stats) {
            assert_close(a.d_loss, b.d_loss, name);
            assert_close(a.g_gradient, b.g_gradient, name);
            assert_close(a.d_gradient, b.d_gradient, name);
        }
    }
}

#[test]
fn points_with_penalties_evolve_alike() {
    let penalties = "d_loss=wasserstein mutations=wasserstein penalty.gp=10 penalty.r1=0.1 norm_d=none";
    agree(&settings("paper", true, &format!("data=ring8 width=8 width_d=8 batch=8 eval=24 {penalties}")));
}

const SMALL: &str = "data=scenes width=4 width_d=4 batch=4 eval=8";

#[test]
fn images_evolve_alike() {
    let changed = "mutations=hinge augment=[color,translation,cutout] image.flip=true minibatch_std=true";
    agree(&settings("modern", false, &format!("{SMALL} {changed}")));
    agree(&settings("modern", false, &format!("{SMALL} mutations=heuristic network=progan norm_d=none ema=0")));
}

#[test]
fn children_are_judged_alike() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings("modern", false, &format!("{SMALL} gamma=0.1"));
    let judged = |name: &str, device| {
        let stats = evolve(&folder.path().join(name), &settings, 1, device);
        let one = |child: &ganatomy_evolve::Child| [child.fq, child.fd, child.f].map(Option::unwrap);
        stats[0].children.iter().flat_map(one).collect::<Vec<f64>>()
    };
    let (here, there) = (judged("here", Device::cpu()), judged("there", Device::stand_in()));
    assert_eq!(here.len(), 9);
    here.into_iter().zip(there).for_each(|(a, b)| assert_close(a, b, "fitness"));
}
