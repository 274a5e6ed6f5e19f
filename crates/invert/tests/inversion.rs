//! Photos brought into a small generator.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use data::Image;
use dissect::{Subject, Unwatched, Watch};
use ganatomy_invert::{Fit, Found, INVERSION, Inverted, Inverter, LATENTS, PHOTO, Photo, SHIFT, Settings};
use net::zoo::{self, DcganGenerator, GeneratorStart, Norm};
use net::{Device, Law, Network, Params};
use std::path::Path;

/// A generator of 16x16 pixels from latents of 6 numbers, with pictures that are not all grey.
fn network() -> Network {
    let graph = zoo::dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels: 3,
        latent: 6,
        width: 8,
        norm: Norm::Batch,
        start: GeneratorStart::Linear,
        extra: false,
    });
    louder(&Network::initial(graph, 1, "test", &Device::cpu()))
}

fn louder(network: &Network) -> Network {
    let tensors = network.params.tensors().iter().map(|tensor| tensor.scale(6.0)).collect();
    Network { params: Params::new(tensors), ..network.clone() }
}

fn subject(network: &Network) -> Subject {
    Subject::new(network, &[], &Device::cpu()).unwrap()
}

/// The picture of a seed, as bytes.
fn picture(network: &Network, seed: u64) -> Image {
    let images = network.forward(&network.latents(&[seed], &Device::cpu()), &[]).unwrap();
    Image::from_floats(&images.to_vec(), 3, 16, 16).unwrap()
}

fn photo(image: Image) -> Photo {
    Photo::new(image, Fit::Same, [3, 16, 16]).unwrap()
}

fn quick() -> Settings {
    Settings { starts: 64, kept: 4, steps: 80, shift_steps: 40, ..Settings::default() }
}

fn invert(network: &Network, image: Image, settings: Settings) -> Found {
    let inverter = Inverter::new(subject(network), "g", Some("1"), settings).unwrap();
    inverter.invert(&photo(image), &mut Unwatched).unwrap().unwrap()
}

/// A picture that no latent makes.
fn stripes() -> Image {
    Image::new(16, 16, 3, (0..16 * 16 * 3).map(|i| if i / 3 % 8 < 4 { 20 } else { 230 }).collect()).unwrap()
}

#[test]
fn a_latent_that_made_a_picture_is_found_again() {
    let network = network();
    let settings = Settings { starts: 256, kept: 8, steps: 300, shift_steps: 0, ..Settings::default() };
    for seed in [3, 4, 5] {
        let found = invert(&network, picture(&network, seed), settings.clone()).inverted;
        let own = network.latents(&[seed], &Device::cpu()).to_vec();
        let latent = found.latent.clone().into_f32();
        let away = own.iter().zip(&latent).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        assert!(away < 0.1 && found.record.distance.latent < 0.01, "{seed}: {away} {:?}", found.record.distance);
    }
}

#[test]
fn what_no_latent_makes_a_shift_does() {
    let network = network();
    let found = invert(&network, stripes(), Settings { shift_steps: 200, ..quick() });
    let distance = found.inverted.record.distance;
    assert!(distance.latent > 0.25 && !distance.is_near(), "{distance:?}");
    assert!(distance.refined < 0.8 * distance.latent, "{distance:?}");
    // The picture is made from the latent and the shift alone, with the numbers that were told.
    let feed = found.inverted.feed(&Device::cpu());
    let ready = network.inference().unwrap();
    let made = ready.begin(&feed).unwrap().fetch_one(ready.output()).unwrap().to_vec();
    assert_eq!(Image::from_floats(&made, 3, 16, 16).unwrap(), found.refined);
    let alone = network.forward(&feed.latents, &[]).unwrap().to_vec();
    assert_eq!(Image::from_floats(&alone, 3, 16, 16).unwrap(), found.alone);
    let wanted = stripes().to_floats();
    let squares = made.iter().zip(&wanted).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    assert!(((squares / made.len() as f64).sqrt() - distance.refined).abs() < 1e-6);
    // A dear shift is a small one.
    let dear = invert(&network, stripes(), Settings { shift_steps: 200, shift_penalty: 10.0, ..quick() }).inverted;
    let length = |inverted: &Inverted| inverted.shift.clone().into_f32().iter().map(|v| v * v).sum::<f32>();
    assert!(length(&dear) < 0.1 * length(&found.inverted) && dear.record.distance.refined > distance.refined);
}

#[test]
fn threads_change_no_bit() {
    let network = network();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| invert(&network, stripes(), Settings { steps: 30, shift_steps: 10, ..quick() }).inverted)
    };
    let one = with(1);
    assert!(with(3) == one);
    let other = invert(&network, stripes(), Settings { seed: 1, steps: 30, shift_steps: 10, ..quick() }).inverted;
    assert!(other.latent != one.latent, "another seed begins elsewhere");
}

#[test]
fn uniform_latents_stay_where_they_are_drawn() {
    let graph = std::sync::Arc::unwrap_or_clone(network().graph).with_latent(Law::Uniform);
    let network = louder(&Network::initial(graph, 1, "test", &Device::cpu()));
    let found = invert(&network, stripes(), Settings { lr: 1.0, ..quick() });
    assert!(found.inverted.latent.into_f32().iter().all(|z| (-1.0..=1.0).contains(z)));
}

#[test]
fn who_watches_hears_of_each_step_and_may_end_it() {
    #[derive(Default)]
    struct Watched {
        stages: Vec<(&'static str, u64)>,
        steps: u64,
        most: Option<u64>,
    }
    impl Watch for Watched {
        fn stage(&mut self, what: &'static str, steps: u64) {
            self.stages.push((what, steps));
        }
        fn step(&mut self, steps: u64) {
            self.steps += steps;
        }
        fn stop(&self) -> bool {
            self.most.is_some_and(|most| self.steps >= most)
        }
    }
    let network = network();
    let inverter = Inverter::new(subject(&network), "g", None, quick()).unwrap();
    let mut watch = Watched::default();
    assert!(inverter.invert(&photo(stripes()), &mut watch).unwrap().is_some());
    assert_eq!(watch.stages, [("first latents", 64), ("latent", 80), ("shift", 40)]);
    assert_eq!(watch.steps, 64 + 80 + 40);
    for most in [0, 32, 64 + 7, 64 + 80 + 1] {
        let mut watch = Watched { most: Some(most), ..Watched::default() };
        assert!(inverter.invert(&photo(stripes()), &mut watch).unwrap().is_none());
        assert!(watch.steps < most + 17, "{most}: {}", watch.steps);
    }
}

#[test]
fn layers_are_chosen_by_their_size_or_named() {
    let network = network();
    let layer = |name| Inverter::new(subject(&network), "g", name, quick()).map(|inverter| inverter.layer().to_owned());
    assert_eq!((layer(None).unwrap(), layer(Some("1")).unwrap()), ("0".into(), "1".into()));
    let error = layer(Some("7")).unwrap_err();
    assert_eq!(error.to_string(), "layer: 7: there is no such layer");
    assert!(error.hint().unwrap().contains("0, 1"), "{:?}", error.hint());
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let refused = |settings: Settings| settings.check().unwrap_err().to_string();
    let base = Settings::default;
    base().check().unwrap();
    assert_eq!(refused(Settings { starts: 0, ..base() }), "starts: is 0; it is at least 1 and at most 1048576");
    assert!(refused(Settings { starts: 2, kept: 3, ..base() }).starts_with("kept: is 3; of 2 latents"));
    assert!(refused(Settings { steps: usize::MAX, ..base() }).starts_with("steps: "));
    assert!(refused(Settings { lr: f64::NAN, ..base() }).starts_with("lr: is NaN"));
    assert!(refused(Settings { shift_penalty: -1.0, ..base() }).starts_with("shift_penalty: is -1"));
}

#[test]
fn a_generator_with_numbers_that_are_not_finite_is_named() {
    let mut network = network();
    network.params.set(0, network.params.tensors()[0].scale(f64::NAN));
    let sick = subject(&network).of_file("sick.safetensors");
    let inverter = Inverter::new(sick, "g", None, quick()).unwrap();
    let error = inverter.invert(&photo(stripes()), &mut Unwatched).unwrap_err().to_string();
    assert!(error.starts_with("sick.safetensors: gives images or maps with numbers that are not finite"), "{error}");
}

#[test]
fn a_folder_gives_back_what_was_found() {
    let network = network();
    let found = invert(&network, stripes(), Settings { steps: 4, shift_steps: 4, ..quick() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/found");
    assert!(!Inverted::is_at(&path));
    found.write(&path).unwrap();
    assert!(Inverted::is_at(&path));
    let mut names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [INVERSION, LATENTS, PHOTO, "sheet.png", SHIFT]);
    let read = Inverted::read(&path).unwrap();
    assert!(read == found.inverted);
    read.check(&network, "g").unwrap();
    // Once more over it, with nothing left of the first.
    let other = invert(&network, stripes(), Settings { seed: 9, steps: 4, shift_steps: 4, ..quick() });
    other.write(&path).unwrap();
    assert!(Inverted::read(&path).unwrap() == other.inverted);

    let stranger = Network::initial((*network.graph).clone(), 2, "test", &Device::cpu());
    let error = read.check(&stranger, "h").unwrap_err();
    assert_eq!(error.to_string(), "latents: the photo was inverted into g, which is another model than h");
    assert!(error.hint().unwrap().contains("`invert`"));
}

#[test]
fn damaged_folders_are_refused_with_the_file() {
    let network = network();
    let found = invert(&network, stripes(), Settings { steps: 1, shift_steps: 1, ..quick() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found");
    let refused = |file: &str, bytes: &[u8]| {
        found.write(&path).unwrap();
        std::fs::write(path.join(file), bytes).unwrap();
        Inverted::read(&path).unwrap_err().to_string()
    };
    let array = |shape: &[usize], value: f32| {
        base::npy::Array::f32(shape.to_vec(), vec![value; shape.iter().product()]).to_bytes()
    };
    assert!(
        refused(LATENTS, &array(&[2, 6], 0.0)).ends_with("latents.npy: has shape [2, 6]; an inversion is of 1 photo")
    );
    assert!(refused(SHIFT, &array(&[1, 6], f32::NAN)).ends_with("shift.npy: holds NaN, which is not finite"));
    assert!(refused(SHIFT, b"x").contains("shift.npy: "));
    assert!(refused(PHOTO, b"x").contains("photo.png: "));
    let text = std::fs::read_to_string(path.join(INVERSION)).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        refused(INVERSION, text.replacen(from, to, 1).as_bytes())
    };
    assert!(changed("\"format\": 1", "\"format\": 2").ends_with("is of format 2; this program reads 1"));
    assert!(changed("\"layer\"", "\"lair\"").contains("inversion.json: corrupt: "));
    assert!(changed("\"latent\": 0", "\"latent\": -0").ends_with("corrupt: there are no such distances"));
    assert!(changed("\"starts\": 64", "\"starts\": 0").contains("corrupt: starts: is 0"));
    std::fs::remove_file(path.join(SHIFT)).unwrap();
    assert!(refused(INVERSION, b"{").contains("inversion.json: corrupt: "));
    // Numbers of other shapes than the generator's.
    let mut wrong = found.inverted.clone();
    wrong.shift = base::npy::Array::f32(vec![1, 3], vec![0.0; 3]);
    let error = wrong.check(&network, "g").unwrap_err().to_string();
    assert!(error.starts_with("latents: the shift has the shape [1, 3]; layer 1 of g has [1, "), "{error}");
    wrong.record.layer = "none".into();
    assert!(wrong.check(&network, "g").unwrap_err().to_string().contains("there is no node \"none\""));

    let kinds = [(folder.path(), "is not an inversion (no inversion.json)"), (Path::new("/none"), "cannot open")];
    for (path, reason) in kinds {
        let error = Inverted::read(path).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
