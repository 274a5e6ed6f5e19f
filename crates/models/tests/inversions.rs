//! How near photos come to the shipped generator, and what edits do to them: the figures of `docs/inversion.md`.
//!
//! They take minutes each, so they run only when they are asked for:
//!
//!     cargo test --release -p ganatomy-models --test inversions -- --ignored --nocapture --test-threads 1

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use base::seed::Stream;
use data::{Crop, Image, Options, Size, pictures};
use dissect::Recipe;
use ganatomy_models::{
    Editing, Fit, Found, Generator, InversionSettings, Latents, Photo, Unwatched, open_dissection, open_segmenter,
};
use net::Device;
use std::path::Path;
use std::time::Instant;

/// The first scene that is taken: training saw those up to 384,000.
const HELD_OUT: u64 = 1_000_000;
const SHAPE: [usize; 3] = [3, 64, 64];

fn generator() -> Generator {
    Generator::open("scenes", &Device::cpu()).unwrap()
}

fn scenes(n: u64) -> Vec<Image> {
    (HELD_OUT..HELD_OUT + n).map(|index| data::scenes::render(0, index, Size::square(64)).image).collect()
}

/// The pictures of the generator itself, whose latents are known.
fn own(generator: &Generator, seeds: std::ops::Range<u64>) -> Vec<Image> {
    let latents: Latents = format!("{}..{}", seeds.start, seeds.end).parse().unwrap();
    generator.images(&latents, &mut Unwatched).unwrap().unwrap()
}

fn invert(generator: &Generator, images: &[Image], layer: Option<&str>, settings: &InversionSettings) -> Vec<Found> {
    let inverter = generator.inverter(layer, settings.clone()).unwrap();
    let photo = |image: &Image| Photo::new(image.clone(), Fit::Same, SHAPE).unwrap();
    images.iter().map(|image| inverter.invert(&photo(image), &mut Unwatched).unwrap().unwrap()).collect()
}

/// Mean, median and worst of the distances before and after the shift.
fn told(what: &str, found: &[Found], seconds: f64) {
    let of = |of: fn(&Found) -> f64| {
        let mut all: Vec<f64> = found.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        format!("least {:.3}, median {:.3}, mean {mean:.3}, most {:.3}", all[0], all[all.len() / 2], all[all.len() - 1])
    };
    println!(
        "{what} ({}): latent {} | shifted {} | {:.1} s each",
        found.len(),
        of(|f| f.inverted.record.distance.latent),
        of(|f| f.inverted.record.distance.refined),
        seconds / found.len() as f64
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64())
}

/// How many photos, where somebody asks for others than the documents.
fn count(usual: u64) -> u64 {
    std::env::var("GANATOMY_PHOTOS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn held_out_scenes() {
    let generator = generator();
    let images = scenes(count(50));
    let (mut found, seconds) = timed(|| invert(&generator, &images, None, &InversionSettings::default()));
    told("held-out scenes", &found, seconds);
    found.sort_by(|a, b| a.inverted.record.distance.latent.total_cmp(&b.inverted.record.distance.latent));
    let last = found.len() - 1;
    let rows: Vec<Image> = [0, last / 2, last].into_iter().map(|place| found[place].sheet().unwrap()).collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inversions.png");
    std::fs::write(&path, pictures::png(&pictures::stack(&rows, 0).unwrap()).unwrap()).unwrap();
    println!("the nearest, the middle one and the farthest: {}", path.display());
    assert!(found.iter().all(|f| f.inverted.record.distance.refined < f.inverted.record.distance.latent));
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn pictures_of_the_generator_itself() {
    let generator = generator();
    let n = count(20);
    let images = own(&generator, 5000..5000 + n);
    let (found, seconds) = timed(|| invert(&generator, &images, None, &InversionSettings::default()));
    told("the generator's own", &found, seconds);
    let mut right = 0;
    for (seed, found) in (5000..).zip(&found) {
        let own = generator.network().latents(&[seed], &Device::cpu()).to_vec();
        let latent = found.inverted.latent.clone().into_f32();
        let away = own.iter().zip(&latent).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / own.len() as f64;
        right += u64::from(away.sqrt() < 0.5);
    }
    println!("the right latent (within 0.5 rms): {right} of {n}");
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn what_is_nothing_like_it() {
    let generator = generator();
    let n = count(5);
    let mut stream = Stream::new(0, "test", 0);
    let noise = Image::new(64, 64, 3, (0..64 * 64 * 3).map(|_| stream.bits() as u8).collect()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (name, archive) in [("streets", "camvid/camvid-val.zip"), ("cats", "cats64/cats64.zip"), ("noise", "")] {
        let images = if archive.is_empty() {
            vec![noise.clone()]
        } else if path.join(archive).is_file() {
            let options = Options { size: Some(Size::square(64)), crop: Crop::Centre, ..Options::default() };
            let set = data::open(&path.join(archive).to_string_lossy(), &options).unwrap();
            (0..n).map(|index| set.image(index * 20).unwrap()).collect()
        } else {
            println!("SKIPPED: {archive} is not there");
            continue;
        };
        let (found, seconds) = timed(|| invert(&generator, &images, None, &InversionSettings::default()));
        told(name, &found, seconds);
        println!("{name}: {} said to be near", found.iter().filter(|f| f.inverted.record.distance.is_near()).count());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("inversion-of-{name}.png"));
        std::fs::write(path, pictures::png(&found[0].sheet().unwrap()).unwrap()).unwrap();
    }
}

/// Which layer: how near it comes, and whether units still do what they do in the generator's own pictures.
#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn layers() {
    let (generator, device) = (generator(), Device::cpu());
    let segmenter = open_segmenter("scenes", &device).unwrap();
    let found = open_dissection("scenes").unwrap();
    let images = scenes(count(12));
    let edits = ["1b:tree/20", "2:house/20"].map(|edit| {
        let recipe = Recipe::new(vec![edit.parse().unwrap()]);
        (edit, Editing::new(&generator, recipe, Some(&found), Some(&segmenter)).unwrap())
    });
    let removed = |latents: &[Latents]| -> String {
        let of = |(edit, editing): &(&str, Editing)| {
            let class = edit.split([':', '/']).nth(1).unwrap();
            let (mut before, mut after) = (0, 0);
            for latents in latents {
                let outcome = editing.outcome(latents, &mut Unwatched).unwrap().unwrap();
                let effect = outcome.classes.iter().find(|effect| effect.concept.name == class).unwrap();
                (before, after) = (before + effect.before, after + effect.after);
            }
            format!("{edit} removes {:.2} of {before}", 1.0 - after as f64 / before as f64)
        };
        edits.each_ref().map(of).join(", ")
    };
    println!("own pictures: {}", removed(&["0..100".parse().unwrap()]));
    for layer in ["0", "1", "1b", "2", "2b", "3"] {
        let (found, seconds) = timed(|| invert(&generator, &images, Some(layer), &InversionSettings::default()));
        told(&format!("layer {layer}"), &found, seconds);
        let latents: Vec<Latents> =
            found.into_iter().map(|found| Latents::inverted(found.inverted, &generator).unwrap()).collect();
        println!("layer {layer}: {}", removed(&latents));
    }
}

/// Scales of the loss, and other settings.
#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn settings() {
    let generator = generator();
    let images = scenes(count(12));
    let own = own(&generator, 5000..5000 + count(12));
    let base = InversionSettings::default;
    let mut rows = vec![("default".to_owned(), base())];
    for halvings in [0, 1, 5] {
        rows.push((format!("halvings {halvings}"), InversionSettings { halvings, ..base() }));
    }
    for prior in [0.0, 1.0] {
        rows.push((format!("prior {prior}"), InversionSettings { prior, ..base() }));
    }
    for starts in [64, 2048] {
        rows.push((format!("starts {starts}"), InversionSettings { starts, ..base() }));
    }
    for kept in [1, 16] {
        rows.push((format!("kept {kept}"), InversionSettings { kept, ..base() }));
    }
    for steps in [50, 600] {
        rows.push((format!("steps {steps}"), InversionSettings { steps, ..base() }));
    }
    for (name, settings) in rows {
        let settings = InversionSettings { shift_steps: 0, ..settings };
        for (what, images) in [("scenes", &images), ("own", &own)] {
            let (found, seconds) = timed(|| invert(&generator, images, None, &settings));
            told(&format!("{name}, {what}"), &found, seconds);
        }
    }
}

/// Whether a shift of each cost stays near what the generator makes.
#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn costs_of_shifts() {
    let generator = generator();
    let images = scenes(count(12));
    for (shift_lr, shift_penalty) in [(0.05, 0.0), (0.05, 1e-3), (0.05, 1e-2), (0.05, 1e-1), (0.02, 1e-3), (0.1, 1e-3)]
    {
        let settings = InversionSettings { shift_lr, shift_penalty, ..InversionSettings::default() };
        let (found, seconds) = timed(|| invert(&generator, &images, None, &settings));
        told(&format!("shift_lr {shift_lr}, shift_penalty {shift_penalty}"), &found, seconds);
    }
}
