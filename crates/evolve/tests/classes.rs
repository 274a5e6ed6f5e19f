//! Training by class: that classes come out as they went in, that a run goes on as if nothing had been, and what is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use data::{Image, pictures};
use ganatomy_evolve::{Evolution, Settings, Stats};
use net::{Device, Network, one_hot};
use std::fs;
use std::path::{Path, PathBuf};
use train::checkpoint::Store;
use train::signals::Interrupt;
use train::{RunSettings, Training};

const SMALL: &str = "image.size=8 width=4 width_d=4 batch=8 eval=8 latent=4 log.samples=0 log.checkpoint=0";

/// Two folders of images of 8x8 pixels, `red` and `blue`, in several shades.
fn colours(folder: &Path, red: u8, blue: u8) -> PathBuf {
    let place = folder.join("colours");
    let write = |class: &str, k: u8, colour: [u8; 3]| {
        fs::create_dir_all(place.join(class)).unwrap();
        let png = pictures::png(&Image::filled(8, 8, colour)).unwrap();
        fs::write(place.join(class).join(format!("{k}.png")), png).unwrap();
    };
    (0..red).for_each(|k| write("red", k, [255 - 5 * k, 20, 5 * k]));
    (0..blue).for_each(|k| write("blue", k, [5 * k, 20, 255 - 5 * k]));
    place
}

fn settings(preset: &str, data: &Path, words: &str) -> Settings {
    let data = format!("data={}", data.display());
    let words: Vec<&str> = SMALL.split(' ').chain([&*data, "classes=true"]).chain(words.split_whitespace()).collect();
    Settings::preset(preset, false).unwrap().with(&words).unwrap()
}

fn run(folder: &Path, settings: Settings) -> Vec<Stats> {
    let mut told = Vec::new();
    let mut run = Evolution::start_in(folder, settings, Device::cpu()).unwrap();
    run.run(&Interrupt::default(), |stats| told.push(stats.clone())).unwrap();
    told
}

fn file(folder: &Path, generation: u64, name: &str) -> Vec<u8> {
    Store::open(folder).load(generation).unwrap().file(name).unwrap().to_vec()
}

fn generator(folder: &Path, generation: u64) -> Network {
    let path = folder.join("generator.safetensors");
    fs::write(&path, file(folder, generation, "ema.safetensors")).unwrap();
    Network::load(&path, &Device::cpu()).unwrap()
}

/// Mean red minus mean blue of 16 pictures of a class.
fn redness(network: &Network, class: usize) -> f32 {
    let seeds: Vec<u64> = (0..16).collect();
    let mut feed = network.feed(&seeds, &Device::cpu());
    feed.set("class", one_hot(&[class; 16], 2, &Device::cpu()));
    let ready = network.inference().unwrap();
    let x = ready.begin(&feed).unwrap().fetch_one(ready.output()).unwrap().to_vec();
    let channel = |c: usize| x.chunks(192).flat_map(|image| &image[64 * c..64 * (c + 1)]).sum::<f32>() / 1024.0;
    channel(0) - channel(2)
}

#[test]
fn a_generator_makes_the_colour_of_the_class_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // Three times as many reds as blues: classes of seeds are drawn so.
    let data = colours(folder.path(), 15, 5);
    for (preset, words) in [
        ("laptop", "generations=300 lr_g=2e-3 lr_d=4e-3 ema=0.9"),
        ("modern", "generations=300 lr_g=2e-3 lr_d=4e-3 ema=0.9 norm_g=none"),
    ] {
        let folder = folder.path().join(preset);
        run(&folder, settings(preset, &data, words));
        let network = generator(&folder, 300);
        assert_eq!(network.class_names(), ["blue", "red"]);
        assert_eq!(network.class_weights(), [5, 15]);
        let [blue, red] = [0, 1].map(|class| redness(&network, class));
        assert!(blue < -0.7 && red > 0.7, "{preset}: blue is {blue}, red is {red}");
    }
}

#[test]
fn every_way_to_train_learns_by_class() {
    let folder = tempfile::tempdir().unwrap();
    let data = colours(folder.path(), 5, 6);
    for (k, words) in [
        "mutations=[minimax,heuristic,least-squares] gamma=0.1",
        "mu=2 selection=elitist fakes=fresh norm_g=none",
        "mutations=[relativistic,hinge] d_loss=relativistic norm_d=none penalty.r1=0.5",
        "d_loss=wasserstein norm_d=batch penalty.gp=10 selection=random",
        "network=residual augment=[color,translation] image.flip=true",
        "network=progan norm_d=none eval_noise=independent noise=independent selection=pareto",
        "image.channels=1 score.every=2 score.samples=8",
    ]
    .into_iter()
    .enumerate()
    {
        let folder = folder.path().join(k.to_string());
        let told = run(&folder, settings("laptop", &data, &format!("generations=2 {words}")));
        assert!(told.iter().all(|stats| stats.d_loss.is_finite()), "{words}");
        assert!(fs::read(folder.join("reals.png")).is_ok_and(|png| !png.is_empty()), "{words}");
        let network = generator(&folder, 2);
        assert_eq!(network.label(), Some(("class", 2)), "{words}");
    }
}

#[test]
fn a_run_that_was_interrupted_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let data = colours(folder.path(), 7, 6);
    let words = "rate.decay=cosine rate.over=6 rate.warm_up=2 mutations=[hinge,heuristic] gamma=0.01";
    let of = |generations: u64| settings("laptop", &data, &format!("generations={generations} {words}"));
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let told = run(&whole, of(6));
    run(&parts, of(3));
    let mut resumed = Evolution::resume(&parts, of(6), Device::cpu()).unwrap();
    resumed.run(&Interrupt::default(), |_| ()).unwrap();
    for name in ["state.safetensors", "ema.safetensors", "discriminator.safetensors"] {
        assert!(file(&whole, 6, name) == file(&parts, 6, name), "{name}");
    }
    let rates: Vec<f64> = told.iter().map(|stats| stats.lr_g.unwrap() / 2e-4).collect();
    assert!((rates[0] - 0.5).abs() < 1e-12 && rates[1] == 1.0 && (rates[5] - 0.1).abs() < 1e-12, "{rates:?}");
}

#[test]
fn images_that_change_their_class_are_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = colours(folder.path(), 6, 6);
    let place = folder.path().join("run");
    run(&place, settings("laptop", &data, "generations=1"));
    fs::rename(data.join("red/0.png"), data.join("blue/9.png")).unwrap();
    let again = Evolution::resume(&place, settings("laptop", &data, "generations=2"), Device::cpu());
    let error = again.err().unwrap().to_string();
    assert!(error.contains("classes"), "{error}");
}

#[test]
fn what_was_learnt_without_classes_begins_a_training_by_class() {
    let folder = tempfile::tempdir().unwrap();
    let data = colours(folder.path(), 6, 6);
    let plain = folder.path().join("plain");
    let without = settings("laptop", &data, "generations=1 classes=false");
    run(&plain, without);
    let model = folder.path().join("generator.safetensors");
    fs::write(&model, file(&plain, 1, "ema.safetensors")).unwrap();
    fs::write(folder.path().join("discriminator.safetensors"), file(&plain, 1, "discriminator.safetensors")).unwrap();
    let by_class = settings("laptop", &data, &format!("generations=1 from={}", model.display()));
    let begun = Evolution::start_in(folder.path().join("by-class"), by_class, Device::cpu()).unwrap();
    let (of_g, of_d) = begun.training().taken().unwrap();
    let old = Network::load(&model, &Device::cpu()).unwrap().params.elements();
    assert_eq!(of_g.numbers, old, "all that there was, is taken");
    assert!(of_g.of > old && of_d.unwrap().numbers < of_d.unwrap().of);
}

/// Blocks of a residual network are counted from the smallest maps on, whatever the size: of a smaller one all fit.
#[test]
fn a_residual_generator_begins_one_of_twice_the_size() {
    let folder = tempfile::tempdir().unwrap();
    let data = colours(folder.path(), 4, 4);
    let words = "network=residual norm_d=none generations=1";
    let small = folder.path().join("small");
    run(&small, settings("laptop", &data, words));
    let model = folder.path().join("generator.safetensors");
    fs::write(&model, file(&small, 1, "ema.safetensors")).unwrap();
    let large = settings("laptop", &data, &format!("{words} image.size=16 from={}", model.display()));
    let begun = Evolution::start_in(folder.path().join("large"), large, Device::cpu()).unwrap();
    let (of_g, of_d) = begun.training().taken().unwrap();
    assert_eq!(of_g.numbers, Network::load(&model, &Device::cpu()).unwrap().params.elements());
    assert!(of_g.of > of_g.numbers && of_d.is_none());
}

#[test]
fn what_has_no_classes_is_refused_before_there_is_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |data: &Path| {
        let place = folder.path().join("run");
        let error = Evolution::start_in(&place, settings("laptop", data, "generations=1 image.size=32"), Device::cpu())
            .err()
            .unwrap();
        assert!(!place.exists());
        error.to_string()
    };
    assert!(refused(&colours(folder.path(), 3, 0)).ends_with("has images without classes"));
    assert!(refused(Path::new("scenes")).ends_with("has no classes"));
    let points = Settings::preset("paper", true).unwrap().with(&["data=ring8", "classes=true"]).unwrap_err();
    assert_eq!(points.to_string(), "classes: points have no classes");
}
