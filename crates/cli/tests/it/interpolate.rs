//! `ganatomy interpolate`

use crate::support::{Place, check, with_models};
use data::Image;

/// One cell of a grid of 16x16 pictures.
fn cell(sheet: &Image, column: usize, row: usize) -> Vec<u8> {
    let at = |y: usize| ((2 + row * 18 + y) * sheet.width + 2 + column * 18) * 3;
    (0..16).flat_map(|y| sheet.pixels[at(y)..at(y) + 16 * 3].to_vec()).collect()
}

fn samples(place: &Place, seeds: [u64; 3]) -> Vec<Vec<u8>> {
    place.succeed(&format!("sample g.safetensors --seeds {},{},{} --out all", seeds[0], seeds[1], seeds[2]));
    seeds.map(|seed| place.picture(&format!("all/seed{seed:06}.png")).pixels).into()
}

#[test]
fn rows_begin_and_end_with_the_samples_of_their_seeds() {
    let place = with_models();
    let ends = samples(&place, [0, 1, 5]);
    for mode in ["linear", "spherical"] {
        place.succeed(&format!("interpolate g.safetensors --seeds 0,1,5 --steps 5 --mode {mode} --out {mode}.png"));
        let sheet = place.picture(&format!("{mode}.png"));
        assert_eq!((sheet.width, sheet.height), (5 * 18 + 2, 2 * 18 + 2));
        for row in 0..2 {
            assert!(cell(&sheet, 0, row) == ends[row] && cell(&sheet, 4, row) == ends[row + 1], "{mode} {row}");
            assert!(cell(&sheet, 2, row) != ends[row] && cell(&sheet, 2, row) != ends[row + 1], "{mode} {row}");
        }
    }
    place.succeed("interpolate g.safetensors --seeds 0,1,5 --steps 5 --out default.png");
    assert_eq!(place.read("default.png"), place.read("spherical.png"), "latents are normal");
    assert_ne!(place.read("default.png"), place.read("linear.png"));
}

#[test]
fn an_animation_goes_round() {
    let place = with_models();
    assert_eq!(place.succeed("interpolate g.safetensors --seeds 0..3 --steps 4 --out walk.gif"), "walk.gif\n");
    let bytes = place.read("walk.gif");
    // Each frame has one graphic control extension: 21 F9 04.
    assert_eq!(bytes.windows(3).filter(|w| w == b"\x21\xF9\x04").count(), 3 * 4);
    let looped = b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00";
    assert!(bytes.windows(looped.len()).any(|w| w == looped), "it repeats for ever");
    assert_eq!(place.picture("walk.gif").width, 16);
}

#[test]
fn an_animated_png_keeps_all_colours_and_pixels_are_enlarged() {
    let place = with_models();
    place.succeed("interpolate g.safetensors --seeds 0..3 --steps 4 --scale 2 --out walk.apng");
    let bytes = place.read("walk.apng");
    // Each frame has one control chunk.
    assert_eq!(bytes.windows(4).filter(|w| w == b"fcTL").count(), 3 * 4);
    let ends = samples(&place, [0, 1, 2]);
    let first = Image::new(16, 16, 3, ends[0].clone()).unwrap();
    assert_eq!(place.picture("walk.apng"), data::pictures::zoomed(&first, 2), "the first frame is the first seed's");
    place.succeed("interpolate g.safetensors --seeds 0..3 --steps 4 --scale 2 --out strip.png");
    assert_eq!(place.picture("strip.png").width, 4 * 34 + 2);
}

#[test]
fn ways_that_cannot_be() {
    let place = with_models();
    let wrong = [
        "g.safetensors --seeds 3 --out a.png",
        "g.safetensors --out a.webp",
        "p.safetensors --out a.png",
        "g.safetensors --seeds 0..18446744073709551615 --out a.png",
        "g.safetensors --seeds 0..18446744073709551615 --out a.gif",
        "g.safetensors --steps 10000 --out a.png",
    ];
    check("interpolate-wrong", &wrong.map(|words| place.run(&format!("interpolate {words}")) + "\n").concat());
}
