//! Pictures that are not square, from training to an edit.

use crate::runs::TINY;
use crate::support::Place;

#[test]
fn pictures_of_80_x_48_are_trained_dissected_and_edited() {
    let place = Place::new();
    let cells = |columns: usize, rows: usize| (columns * (80 + 2) + 2, rows * (48 + 2) + 2);
    let size = |name: &str| {
        let picture = place.picture(name);
        (picture.width, picture.height)
    };
    let run = "--set image.size=80x48 --generations 2 --out run --quiet";
    place.succeed(&format!("evolve --data scenes --preset modern {TINY} {run}"));
    let config = String::from_utf8(place.read("run/config.toml")).unwrap();
    assert!(config.contains("size = \"80x48\""), "{config}");
    assert_eq!((size("run/reals.png"), size("run/samples-000002.png")), (cells(8, 8), cells(8, 8)));
    assert!(place.succeed("resume run --dry-run").contains("size = \"80x48\""));

    place.succeed("-q sample run --seeds 0..6 --columns 3 --out grid.png");
    assert_eq!(size("grid.png"), cells(3, 2));
    place.succeed("-q sample run --seeds 0..2 --out single");
    assert_eq!(size("single/seed000000.png"), (80, 48));

    let clusters = "--data scenes --size 80x48 --clusters 4 --images 16";
    place.succeed(&format!("-q segmenter cluster {clusters} --out c.safetensors"));
    place.succeed(
        "-q dissect run --segmenter c.safetensors --layers 1 --samples 32 --fit-samples 32 --top-images 2 --out d",
    );
    // The shorter side is enlarged to 128 pixels or more.
    assert_eq!(size("d/units/1/0.png"), (2 * (240 + 4) + 4, 144 + 2 * 4));
    place.succeed("-q report d --out page.html");

    let mask: Vec<u8> = (0..80 * 48).map(|i| if i % 80 < 40 { 255 } else { 0 }).collect();
    let mask = data::pictures::png(&data::Image::new(80, 48, 1, mask).unwrap()).unwrap();
    place.write("left.png", &mask);
    place.succeed("-q edit run --ablate 1:0,1,2 --mask left.png --seeds 0..3 --out edited");
    let (width, height) = size("edited/sheet.png");
    assert!(width > height, "three columns and three rows of wide pictures: {width}x{height}");
}
