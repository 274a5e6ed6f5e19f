//! How near photos come to the shipped generator, and what edits do to them: the figures of `docs/inversion.md`.
//!
//! They take minutes each, so they run only when they are asked for:
//!
//!     cargo test --release -p ganatomy-models --test inversions -- --ignored --nocapture --test-threads 1

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]
#![expect(clippy::print_stdout, reason = "figures are printed")]

use base::seed::Stream;
use data::{Crop, Image, Options, Size, pictures};
use dissect::Recipe;
use ganatomy_models::{
    Distance, Editing, Fit, Found, Generator, InversionSettings, Latents, Photo, Seeds, Unwatched, open_dissection,
    open_segmenter,
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

fn scenes(numbers: &[u64]) -> Vec<Image> {
    numbers.iter().map(|number| data::scenes::render(0, HELD_OUT + number, Size::square(64)).image).collect()
}

/// Seeds from which the generator's own pictures are made.
const OWN: u64 = 5000;

/// Pictures of the generator itself, whose latents are known.
fn own(generator: &Generator, numbers: &[u64]) -> Vec<Image> {
    let image = |number: &u64| {
        let latents: Latents = (OWN + number).to_string().parse().unwrap();
        generator.images(&latents, &mut Unwatched).unwrap().unwrap().remove(0)
    };
    numbers.iter().map(image).collect()
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

/// Which photos, by their numbers: `GANATOMY_PHOTOS=13..26` shares work out among machines.
fn numbers(usual: &str) -> Vec<u64> {
    let text = std::env::var("GANATOMY_PHOTOS").unwrap_or_else(|_| usual.into());
    let numbers: Seeds = text.parse().unwrap();
    numbers.part(0, usize::try_from(numbers.len()).unwrap())
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn held_out_scenes() {
    let (generator, numbers) = (generator(), numbers("0..50"));
    let (found, seconds) = timed(|| invert(&generator, &scenes(&numbers), None, &InversionSettings::default()));
    told("held-out scenes", &found, seconds);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inversions");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, found) in numbers.iter().zip(&found) {
        let Distance { latent, refined } = found.inverted.record.distance;
        println!("scene {number}: {latent:.4} {refined:.4}");
        std::fs::write(folder.join(format!("{number}.png")), pictures::png(&found.sheet().unwrap()).unwrap()).unwrap();
        assert!(refined < latent);
    }
    println!("their pictures: {}", folder.display());
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn pictures_of_the_generator_itself() {
    let (generator, numbers) = (generator(), numbers("0..20"));
    let images = own(&generator, &numbers);
    let (found, seconds) = timed(|| invert(&generator, &images, None, &InversionSettings::default()));
    told("the generator's own", &found, seconds);
    for (number, found) in numbers.iter().zip(&found) {
        let own = generator.network().latents(&[OWN + number], &Device::cpu()).to_vec();
        let latent = found.inverted.latent.clone().into_f32();
        let away = own.iter().zip(&latent).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / own.len() as f64;
        let Distance { latent, refined } = found.inverted.record.distance;
        println!("seed {}: {latent:.4} {refined:.4}, the latent is {:.3} away", OWN + number, away.sqrt());
    }
}

#[test]
#[ignore = "takes minutes: figures of docs/inversion.md"]
fn what_is_nothing_like_it() {
    let (generator, numbers) = (generator(), numbers("0..5"));
    let mut stream = Stream::new(0, "test", 0);
    let noise = Image::new(64, 64, 3, (0..64 * 64 * 3).map(|_| stream.bits() as u8).collect()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (name, archive) in [("streets", "camvid/camvid-val.zip"), ("cats", "cats64/cats64.zip"), ("noise", "")] {
        let images = if archive.is_empty() {
            vec![noise.clone()]
        } else if path.join(archive).is_file() {
            let options = Options { size: Some(Size::square(64)), crop: Crop::Centre, ..Options::default() };
            let set = data::open(&path.join(archive).to_string_lossy(), &options).unwrap();
            numbers.iter().map(|number| set.image(number * 20).unwrap()).collect()
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
    let images = scenes(&numbers("0..12"));
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
    let images = scenes(&numbers("0..12"));
    let own = own(&generator, &numbers("0..12"));
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
    let images = scenes(&numbers("0..12"));
    for (shift_lr, shift_penalty) in [(0.05, 0.0), (0.05, 1e-3), (0.05, 1e-2), (0.05, 1e-1), (0.02, 1e-3), (0.1, 1e-3)]
    {
        let settings = InversionSettings { shift_lr, shift_penalty, ..InversionSettings::default() };
        let (found, seconds) = timed(|| invert(&generator, &images, None, &settings));
        told(&format!("shift_lr {shift_lr}, shift_penalty {shift_penalty}"), &found, seconds);
    }
}
