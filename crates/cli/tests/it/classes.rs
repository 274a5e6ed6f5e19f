//! Training by class, and what every command makes of such a generator.

use crate::runs::TINY;
use crate::support::{Place, check};
use data::{Image, pictures};

/// A folder `photos` with the classes `day` and `night`, and `mixed` with an image of no class.
fn with_classes() -> Place {
    let place = Place::new();
    for n in 0..8u8 {
        let shades = |base: u8| (0..16 * 16).flat_map(move |i: u32| [base, base / 2 + (i % 16) as u8 * n, 90 + n]);
        for (class, base) in [("day", 220), ("night", 20)] {
            let png = pictures::png(&Image::new(16, 16, 3, shades(base).collect()).unwrap()).unwrap();
            place.write(&format!("photos/{class}/{n}.png"), &png);
            place.write(&format!("mixed/{class}/{n}.png"), &png);
            place.write("mixed/9.png", &png);
            place.write(&format!("alone/{n}.png"), &png);
        }
    }
    place
}

fn trained(place: &Place, words: &str) {
    let small = format!("--generations 2 --set image.size=16 {TINY}");
    place.succeed(&format!("-q evolve --data photos --preset modern {small} {words}"));
}

fn raw(place: &Place, words: &str) -> Vec<f32> {
    place.succeed(&format!("-q sample run {words} --raw x.npy"));
    place.npy("x.npy").into_f32()
}

#[test]
fn a_generator_by_class_works_in_every_command() {
    let place = with_classes();
    trained(&place, "--classes --out run");
    let rows = place.picture("run/samples-000002.png");
    let reals = place.picture("run/reals.png");
    assert_eq!((rows.width, rows.height), (reals.width, reals.height));
    assert_eq!(rows.height, 2 * 66 + 2, "a row for each class");

    let day = raw(&place, "--seeds 3 --class day");
    assert!(day != raw(&place, "--seeds 3 --class night") && day == raw(&place, "--seeds 3 --class 0"));
    let own = raw(&place, "--seeds 3");
    assert!(own == day || own == raw(&place, "--seeds 3 --class night"), "a seed has a class");
    place.succeed("-q sample run --by-class --seeds 0..5 --out rows.png");
    place.succeed("-q sample run --class night --seeds 0..5 --columns 5 --out night.png");
    let (rows, night) = (place.picture("rows.png"), place.picture("night.png"));
    let right = |image: &Image, y: usize| {
        let line = &image.pixels[y * image.width * 3..][..image.width * 3];
        line[(image.width - 5 * 18) * 3..].to_vec()
    };
    assert!((2..18).all(|y| right(&rows, 18 + y) == right(&night, y)), "the second row is the second class");

    let edited = "edit run --insert 1:0@3 --class day --seeds 3 --out edited --raw edited.npy";
    place.succeed(&format!("-q {edited}"));
    assert!(place.npy("edited.npy").into_f32() != day);
    place.succeed("-q edit run --recipe edited/recipe.json --seeds 3 --out again --raw again.npy");
    assert!(place.read("again.npy") == place.read("edited.npy"), "the recipe keeps the class");
    place.succeed("-q interpolate run --seeds 3,4 --steps 3 --class day --out way.gif");
    place.succeed("-q inspect run");
    assert!(place.output("-q score run --reference photos --samples 16 --size 16").status.success());
    place.succeed("-q segmenter cluster --data photos --size 16 --clusters 2 --out seg.safetensors");
    let settings = "--samples 32 --fit-samples 16";
    place.succeed(&format!("-q dissect run --segmenter seg.safetensors --layers 0,1 {settings} --out found"));
    let units = String::from_utf8(place.read("found/units.csv")).unwrap();
    assert!(units.contains("\n0,") && units.contains("\n1,"), "{units}");
    place.succeed("-q report found --out report.html");
    place.succeed("-q export run --out g.onnx");
    place.succeed("-q export run --to pytorch --out torch");
    assert!(
        raw(&place, "--seeds 2..4") == {
            place.succeed("sample torch/model.safetensors --seeds 2..4 --raw torch.npy");
            place.npy("torch.npy").into_f32()
        }
    );
    place.succeed("-q export run --recipe edited/recipe.json --out less.safetensors");
    place.succeed("sample less.safetensors --class day --seeds 3 --raw less.npy");
    let (less, edited) = (place.npy("less.npy").into_f32(), place.npy("edited.npy").into_f32());
    assert!(less.iter().zip(&edited).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn runs_by_class_go_on_are_forked_and_begin_from_others() {
    let place = with_classes();
    trained(&place, "--classes --out run");
    place.succeed("-q resume run --generations 4");
    place.succeed("-q evolve --fork run --set rate.decay=linear --set generations=6 --out fork");
    let rates: Vec<f64> = place.stats("fork").iter().filter_map(|stats| stats["lr_g"].as_f64()).collect();
    assert!(rates.len() == 2 && rates[0] > rates[1] && (rates[1] - 2e-5).abs() < 1e-12, "{rates:?}");
    assert!(String::from_utf8(place.read("fork/curves.svg")).unwrap().contains("Learning rates"));
    trained(&place, "--out plain");
    trained(&place, "--classes --from plain --out from");
    let classes = String::from_utf8(place.output("inspect from").stdout).unwrap();
    assert!(classes.contains("class"), "{classes}");
}

#[test]
fn what_has_no_classes_is_refused_with_a_cure() {
    let place = with_classes();
    trained(&place, "--classes --out run");
    trained(&place, "--out plain");
    place.write("photo.png", &place.read("photos/day/1.png"));
    let small = format!("--classes --set image.size=16 {TINY} --out no");
    let runs = [
        format!("evolve --data mixed {small}"),
        format!("evolve --data alone {small}"),
        "evolve --data scenes --classes --out no".into(),
        "evolve --data ring8 --classes --out no".into(),
        "evolve --data photos --classes --set rate.end=2 --out no".into(),
        "evolve --data photos --classes --set rate.of=e --out no".into(),
        "evolve --fork plain --classes --set generations=4 --out no".into(),
        "resume run --generations 3 --set classes=false".into(),
        "sample run --class dusk".into(),
        "sample run --by-class --class day".into(),
        "sample plain/checkpoints/000002/ema.safetensors --by-class".into(),
        "sample run --by-class --out folder".into(),
        "sample run --by-class --seeds 0..9000".into(),
        "invert run/checkpoints/000002/ema.safetensors photo.png".into(),
    ];
    check("classes-refused", &runs.iter().map(|words| place.run(words) + "\n").collect::<String>());
    assert!(!place.path("no").exists());
}
