//! The whole way, on the shipped segmenter's features and images that are made.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use base::npy::Array;
use base::watch::{Watch, unwatched};
use data::Image;
use ganatomy_score::{
    Cache, Choice, Divisor, Evaluation, Extractor, Found, ImageSet, Images, Made, Metric, Options, Pictures, Resize,
    Result, Side, Sized, Steps, Stored, Wanted, gather, title,
};
use metrics::features::Features;
use metrics::moments::Moments;
use metrics::path_length;
use metrics::record::Figure;
use net::Device;
use std::fs;
use std::ops::Range;
use std::path::Path;

fn extractor() -> Extractor {
    Extractor::open("scenes", &Device::cpu()).unwrap()
}

fn scenes(seed: u64, n: u64) -> Sized<'static> {
    let set = data::open("scenes", &data::Options { seed, ..data::Options::default() }).unwrap();
    ImageSet::new(set).all(Some(n)).unwrap().known().unwrap()
}

fn evaluate(
    metrics: &[Metric],
    extractor: Option<&Extractor>,
    cache: Option<&Cache>,
    sides: (Side, Option<Side>),
) -> Result<Found> {
    let options = Options {
        kid: metrics::kid::Options {
            subsets: metrics::kid::Subsets::Random { subsets: 5, size: 20, seed: 1 },
            ..metrics::kid::Options::default()
        },
        infinity: metrics::infinity::Options { groups: 8, confidence: 0.9 },
        ..Options::default()
    };
    let evaluation = Evaluation { extractor, resize: Resize::Clean, metrics, options, cache, model: None };
    unwatched(|watch| evaluation.run(sides.0, sides.1, watch))
}

/// What was streamed in batches is what is computed of all features at once.
#[test]
fn figures_are_those_of_the_features() {
    let extractor = extractor();
    let wanted = Wanted { features: true, ..Wanted::default() };
    let features = |seed| {
        let sized = scenes(seed, 50);
        let made = |watch: &mut dyn Watch| {
            gather(&extractor, Resize::Clean, sized.pictures.as_ref(), 50, wanted, Divisor::default(), "images", watch)
        };
        unwatched(made).unwrap().features.unwrap()
    };
    let (x, y) = (features(1), features(2));
    let statistics = |values: &[f32]| {
        let mut moments = Moments::new(128);
        moments.push(0, &Features::new("features", values, 128).unwrap()).unwrap();
        moments.statistics(Divisor::SamplesLessOne).unwrap()
    };
    let (a, b) = (statistics(&x.values), statistics(&y.values));
    let expected = metrics::fid::fid(metrics::features::Generated(&a), metrics::features::Real(&b)).unwrap();
    let all = [Metric::Fid, Metric::FidInfinity, Metric::Kid, Metric::Prdc, Metric::Mind];
    let sides = (Side::Images(scenes(1, 50)), Some(Side::Images(scenes(2, 50))));
    let found = evaluate(&all, Some(&extractor), None, sides).unwrap();
    assert_eq!(found.records[0].figure, Figure::Fid(expected));
    assert_eq!(found.records.len(), all.len());
    let titles: Vec<String> = found.records.iter().map(title).collect();
    assert!(titles[0].starts_with("fid_50 scenes:middle@"), "{titles:?}");
    let Figure::FidInfinity(infinite) = found.records[1].figure else { panic!("{:?}", found.records[1]) };
    assert!((infinite.at_all - expected.value).abs() < 1e-9 * expected.value, "{infinite:?}");
    // Fewer images than features.
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("50 images are too few for 128 features"));
    let Images { choice, count, size, .. } = found.records[0].real.clone().unwrap();
    assert_eq!((choice, count, size), (Choice::First, 50, Some([64, 64])));
}

#[test]
fn what_is_known_of_real_images_is_kept_by_what_is_in_them() {
    let (extractor, place) = (extractor(), tempfile::tempdir().unwrap());
    let cache = Cache::new(place.path().join("kept"));
    let run = |metrics: &[Metric], seed, n| {
        let sides = (Side::Images(scenes(3, 30)), Some(Side::Images(scenes(seed, n))));
        evaluate(metrics, Some(&extractor), Some(&cache), sides).unwrap()
    };
    let first = run(&[Metric::Fid], 1, 40);
    let again = run(&[Metric::Fid], 1, 40);
    assert_eq!((first.cached, again.cached), (false, true));
    assert_eq!(first.records, again.records);
    // Other images, more of them, and figures that need features, are found anew.
    assert!(!run(&[Metric::Fid], 2, 40).cached && !run(&[Metric::Fid], 1, 41).cached);
    let kid = run(&[Metric::Kid], 1, 40);
    assert!(!kid.cached && run(&[Metric::Kid, Metric::Fid], 1, 40).cached);
    assert_eq!(run(&[Metric::Kid], 1, 40).records, kid.records);
    // A broken file counts as none.
    for entry in fs::read_dir(cache.folder()).unwrap() {
        fs::write(entry.unwrap().path(), b"PK").unwrap();
    }
    let mended = run(&[Metric::Fid], 1, 40);
    assert!(!mended.cached && run(&[Metric::Fid], 1, 40).cached);
    assert_eq!(mended.records, first.records);
}

#[test]
fn files_of_features_and_statistics_are_sides_as_well() {
    let (extractor, place) = (extractor(), tempfile::tempdir().unwrap());
    let (npy, npz) = (place.path().join("x.npy"), place.path().join("y.npz"));
    let keep = Wanted { features: true, statistics: true, ..Wanted::default() };
    let gathered = |seed| {
        let sized = scenes(seed, 60);
        unwatched(|watch| {
            gather(&extractor, Resize::Clean, sized.pictures.as_ref(), 60, keep, Divisor::default(), "images", watch)
        })
        .unwrap()
    };
    let (x, y) = (gathered(1), gathered(2));
    let values = x.features.unwrap();
    Array::f32(vec![60, 128], values.values).write(&npy).unwrap();
    Stored { statistics: y.statistics.unwrap(), made: y.made.clone() }.write(&npz).unwrap();
    assert!(Side::is_features(&npy) && Side::is_features(&npz) && !Side::is_features(Path::new("scenes")));
    let of_images = evaluate(
        &[Metric::Fid],
        Some(&extractor),
        None,
        (Side::Images(scenes(1, 60)), Some(Side::Images(scenes(2, 60)))),
    );
    let of_files =
        evaluate(&[Metric::Fid], None, None, (Side::read(&npy).unwrap(), Some(Side::read(&npz).unwrap()))).unwrap();
    assert_eq!(of_files.records[0].figure, of_images.unwrap().records[0].figure);
    assert!(of_files.warnings.iter().any(|w| w.contains("x.npy: nothing says by which feature network, weights")));

    let error = evaluate(&[Metric::Kid], None, None, (Side::read(&npy).unwrap(), Some(Side::read(&npz).unwrap())));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .ends_with("y.npz: does not hold what the figure \"kid\" needs: the features of every image")
    );
    let error = evaluate(&[Metric::Is], None, None, (Side::read(&npy).unwrap(), None)).unwrap_err();
    assert!(error.to_string().ends_with("x.npy: does not hold what the figure \"is\" needs: logits"), "{error}");

    // Statistics of other weights, and of other width.
    let made = Made { weights: Some("blake3:00ff".into()), ..y.made };
    Stored { made, ..Stored::read(&npz).unwrap() }.write(&npz).unwrap();
    let sides = (Side::Images(scenes(1, 60)), Some(Side::read(&npz).unwrap()));
    let error = evaluate(&[Metric::Fid], Some(&extractor), None, sides).unwrap_err();
    assert!(error.to_string().starts_with("scenes: has another weights than "), "{error}");
    let narrow = Array::f32(vec![3, 2], vec![0.0, 1.0, 2.0, 0.5, 1.5, 1.0]);
    narrow.write(&npy).unwrap();
    let sides = (Side::read(&npy).unwrap(), Some(Side::read(&npz).unwrap()));
    let error = evaluate(&[Metric::Fid], None, None, sides).unwrap_err();
    assert_eq!(error.to_string(), "generated statistics: are of 2 features, and the real ones of 128");
}

#[test]
fn what_cannot_be_is_refused() {
    let extractor = extractor();
    let refused = |metric, extractor, real| {
        let error = evaluate(&[metric], extractor, None, (Side::Images(scenes(1, 30)), real)).unwrap_err();
        format!("{error} | {}", error.hint().unwrap_or_default())
    };
    let said = refused(Metric::Fid, Some(&extractor), None);
    assert!(said.starts_with("reference: is missing: fid compares with real images | "), "{said}");
    let said = refused(Metric::Fid, None, Some(Side::Images(scenes(2, 30))));
    assert!(said.starts_with("features: is none, but scenes are images | "), "{said}");
    let said = refused(Metric::Is, Some(&extractor), None);
    assert!(said.starts_with("features: scenes:middle tells no classes | "), "{said}");
    let said = refused(Metric::Kid, Some(&extractor), Some(Side::Images(scenes(2, 10))));
    assert!(
        said.contains("10 images are too few: a subset takes at least 20 | ") && said.contains("`kid_size`"),
        "{said}"
    );
}

#[test]
fn sets_are_taken_whole_by_chance_or_mirrored() {
    let place = tempfile::tempdir().unwrap();
    for i in 0..10u8 {
        let pixels = (0..8 * 8 * 3).map(|p| if p % 24 < 3 { 255 } else { 20 * i }).collect();
        let png = data::pictures::png(&Image::new(8, 8, 3, pixels).unwrap()).unwrap();
        fs::write(place.path().join(format!("{i}.png")), png).unwrap();
    }
    let open = || ImageSet::new(data::open(place.path().to_str().unwrap(), &data::Options::default()).unwrap());
    let of = |sized: &Sized, range: Range<u64>| sized.pictures.images(range).unwrap();
    let all: Sized = open().all(None).unwrap().into();
    assert_eq!((all.about.choice, all.about.count, all.about.lossy), (Choice::All, 10, false));
    let some: Sized = open().random(4, 7).unwrap().into();
    assert_eq!((some.about.choice, some.about.count), (Choice::Random { seed: 7 }, 4));
    let (whole, drawn) = (of(&all, 0..10), of(&some, 0..4));
    assert!(drawn.iter().all(|image| whole.contains(image)) && drawn != whole[..4]);
    let mirrored: Sized = open().mirrored().all(None).unwrap().into();
    assert_eq!((mirrored.about.count, mirrored.about.mirrored), (20, true));
    let both = of(&mirrored, 4..6);
    assert_eq!((&both[0], &both[1]), (&whole[2], &whole[2].clone().flipped()));
    assert!(ImageSet::new(data::open("ring8", &data::Options::default()).unwrap()).all(Some(5)).is_err());
    assert!(open().all(Some(0)).is_err());
}

/// Grey images of one shade, which a step makes lighter.
struct Shades;

impl Pictures for Shades {
    fn images(&self, _numbers: Range<u64>) -> Result<Vec<Image>> {
        panic!("a path length is not of images")
    }

    fn steps(&self) -> Option<&dyn Steps> {
        Some(self)
    }
}

impl Steps for Shades {
    fn shape(&self) -> Result<[usize; 3]> {
        Ok([1, 64, 64])
    }

    fn ends(&self, numbers: Range<u64>, options: &path_length::Options) -> Result<[Vec<f32>; 2]> {
        let shade = |number: u64| number as f32 / 10.0 - 0.5;
        let made = |step: f64| numbers.clone().flat_map(|number| vec![shade(number) + step as f32; 4096]).collect();
        Ok([made(0.0), made(options.step)])
    }
}

#[test]
fn a_path_length_is_of_features_at_both_ends_of_steps_that_are_not_rounded() {
    let extractor = extractor();
    let side = || {
        let about = Images { rounding: Some(metrics::rounding::Rounding::Nearest), ..scenes(1, 40).about };
        Side::Images(Sized { pictures: Box::new(Shades), about: Images { count: 6, ..about }, content: None })
    };
    let path = path_length::Options { step: 1e-3, ..path_length::Options::default() };
    let evaluation = |metrics| Evaluation {
        extractor: Some(&extractor),
        resize: Resize::Clean,
        metrics,
        options: Options { path, ..Options::default() },
        cache: None,
        model: None,
    };
    let found = unwatched(|watch| evaluation(&[Metric::Ppl]).run(side(), None, watch)).unwrap();
    let record = &found.records[0];
    assert_eq!((record.name.as_str(), record.generated.rounding, record.real.is_none()), ("ppl_6_zfull", None, true));
    let Figure::PathLength(found) = record.figure else { panic!("{record:?}") };
    assert_eq!((found.options, found.pairs, found.kept), (path, 6, 6));
    // By hand: a third of a byte, through the network as it is.
    let features = |step: f32| {
        let shades = (0..6).flat_map(|n| vec![n as f32 / 10.0 - 0.5 + step; 3 * 4096]).collect();
        extractor.extract(shades, false).unwrap().features
    };
    let (from, to) = (features(0.0), features(1e-3));
    let squares = from.iter().zip(&to).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let by_hand = squares / 6.0 / 1e-6;
    assert!(by_hand > 0.0 && (found.value / by_hand - 1.0).abs() < 1e-2, "{} {by_hand}", found.value);
    let refused = evaluate(&[Metric::Ppl], Some(&extractor), None, (Side::Images(scenes(1, 4)), None)).unwrap_err();
    assert_eq!(refused.to_string(), "scenes: is no generator: a path length is of steps between latents");
}

/// The published networks beside the checkout: a classifier for CIFAR-10 scores its own test images, and they are closer to each other
/// than to images of noise.
/// Pictures of nothing.
struct Noise;
impl Pictures for Noise {
    fn images(&self, numbers: Range<u64>) -> Result<Vec<Image>> {
        let one = |n| {
            let mut draw = base::seed::Stream::new(1, "test", n);
            Image::new(32, 32, 3, (0..3072).map(|_| draw.bits() as u8).collect())
        };
        Ok(numbers.map(one).collect::<base::Result<_>>()?)
    }
}

#[test]
fn a_resnet_for_cifar_10_judges_its_images() {
    let shared = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let (weights, images) = (shared.join("weights/resnet20-12fca82f.th"), shared.join("cifar10/cifar10-test.zip"));
    if !weights.exists() || !images.exists() {
        eprintln!("SKIPPED: {} is not there", weights.display());
        return;
    }
    let extractor = Extractor::open(weights.to_str().unwrap(), &Device::cpu()).unwrap();
    assert_eq!((extractor.name().as_str(), extractor.width()), ("resnet-cifar:pool", 64));
    assert_eq!(extractor.classes(), Some(10));
    let half = |seed| {
        let set = data::open(images.to_str().unwrap(), &data::Options::default()).unwrap();
        Side::Images(ImageSet::new(set).random(200, seed).unwrap().into())
    };
    let metrics = [Metric::Fid, Metric::Is];
    let real = evaluate(&metrics, Some(&extractor), None, (half(1), Some(half(2)))).unwrap();
    let about = Images { set: "noise".into(), ..real.records[0].generated.clone() };
    let noise = Side::Images(Sized { pictures: Box::new(Noise), about, content: None });
    let noise = evaluate(&metrics, Some(&extractor), None, (noise, Some(half(2)))).unwrap();
    let value = |found: &Found, which: usize| match found.records[which].figure {
        Figure::Fid(fid) => fid.value,
        Figure::InceptionScore(score) => score.value,
        _ => f64::NAN,
    };
    eprintln!("real {} {}, noise {} {}", value(&real, 0), value(&real, 1), value(&noise, 0), value(&noise, 1));
    assert!(value(&noise, 0) > 10.0 * value(&real, 0));
    assert!(value(&real, 1) > 6.0 && value(&noise, 1) < 3.0);
}
