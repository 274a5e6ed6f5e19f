//! Photos brought into a generator, edited there, and put back.

use crate::support::{Place, bytes_of, check, image_generator, with_models};
use data::{Image, pictures};

/// A photo of a bright field below a dark one.
fn photo(width: usize, height: usize) -> Vec<u8> {
    let pixels = (0..width * height).flat_map(|i| if i / width < height / 2 { [40, 60, 120] } else { [220, 200, 90] });
    pictures::png(&Image::new(width, height, 3, pixels.collect()).unwrap()).unwrap()
}

fn with_photos() -> Place {
    let place = with_models();
    place.write("photo.png", &photo(48, 48));
    place.write("wide.png", &photo(60, 30));
    place
}

/// Runs the command, which may have no word to say but that a photo is not near: the small model knows nothing.
fn invert(place: &Place, words: &str) -> String {
    let output = place.output(words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.lines().all(|line| line.contains("is not near to anything")),
        "{words}: {said}"
    );
    String::from_utf8(output.stdout).unwrap()
}

const QUICK: &str = "--starts 16 --steps 20 --shift-steps 20";

#[test]
fn a_photo_is_inverted_edited_and_put_back() {
    let place = with_photos();
    let said = invert(&place, &format!("-q invert g.safetensors photo.png {QUICK} --layer 1 --out found"));
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("distance by the latent alone: ") && lines[1].starts_with("with layer 1 shifted: "),
        "{said}"
    );
    assert_eq!(lines[2..], ["found"]);
    assert_eq!(place.names("found"), ["inversion.json", "latents.npy", "photo.png", "sheet.png", "shift.npy"]);
    let sheet = place.picture("found/sheet.png");
    assert_eq!((sheet.width, sheet.height), (4 * 64 + 5 * 2, 64 + 2 * 2));
    assert_eq!(place.picture("found/photo.png"), place.picture("photo.png"));
    let first = place.read("found/shift.npy");
    invert(&place, &format!("-q invert g.safetensors photo.png {QUICK} --layer 1 --out again"));
    for name in place.names("found") {
        assert!(place.read(&format!("found/{name}")) == place.read(&format!("again/{name}")), "{name}");
    }
    let other = place.command(&format!("-q invert g.safetensors photo.png {QUICK} --layer 1 --out threads"));
    let mut other = other;
    assert!(other.env("RAYON_NUM_THREADS", "3").status().unwrap().success());
    assert!(place.read("threads/shift.npy") == first, "bits do not depend on threads");

    // The picture is the refined one with the folder, the latent's with its file.
    place.succeed("sample g.safetensors --latents found --out refined/");
    assert_eq!(place.names("refined"), ["photo.png"]);
    place.succeed("sample g.safetensors --latents found/latents.npy --out alone/");
    assert!(place.picture("refined/photo.png") != place.picture("alone/latent000000.png"));
    // What is put back has the photo's size; without a change it is the photo.
    place.succeed("edit g.safetensors --latents found --insert 1:0@9 --out edited");
    let (edited, before) = (place.picture("edited/photo.png"), place.picture("photo.png"));
    assert!((edited.width, edited.height) == (48, 48) && edited != before);
    place.succeed("edit g.safetensors --latents found --scale 1:0@1 --out same");
    assert!(place.picture("same/photo.png") == before);
    // The edited picture is made as others are, and reports take it.
    assert!(place.names("edited").contains(&"edit.json".into()));
    place.succeed("edit g.safetensors --seeds 0..2 --insert 1:0@9 --out edited");
    assert!(!place.path("edited/photo.png").exists(), "the photo of an earlier edit");
}

#[test]
fn photos_of_another_form_are_brought_there_where_one_says_how() {
    let place = with_photos();
    for fit in ["crop", "pad", "stretch"] {
        invert(
            &place,
            &format!("-q invert g.safetensors wide.png --fit {fit} --starts 4 --steps 1 --shift-steps 1 --out {fit}"),
        );
        place.succeed(&format!("edit g.safetensors --latents {fit} --insert 1:0@9 --out {fit}-edited"));
        let (edited, before) = (place.picture(&format!("{fit}-edited/photo.png")), place.picture("wide.png"));
        assert_eq!((edited.width, edited.height), (60, 30));
        let row = |image: &Image| image.pixels[15 * 180..][..180].to_vec();
        assert_eq!(row(&edited)[..45] == row(&before)[..45], fit == "crop", "{fit}: what was cut off stays");
        assert!(edited != before, "{fit}");
    }
}

#[test]
fn what_is_wrong_with_a_photo_is_said() {
    let place = with_photos();
    place.write("notes.txt", b"no photo");
    place.write("grey.png", &pictures::png(&Image::new(16, 16, 1, vec![99; 256]).unwrap()).unwrap());
    place.write("small.png", &photo(8, 8));
    place.write("grey.safetensors", &bytes_of(&image_generator(1)));
    std::fs::create_dir(place.path("photos")).unwrap();
    invert(&place, "-q invert g.safetensors small.png --starts 4 --steps 1 --shift-steps 1 --out found");
    let words = [
        "invert g.safetensors wide.png",
        "invert g.safetensors photos",
        "invert g.safetensors notes.txt",
        "invert g.safetensors none.png",
        "invert p.safetensors photo.png",
        "invert g.safetensors photo.png --layer 7",
        "invert g.safetensors photo.png --starts 0",
        "invert g.safetensors photo.png --fit squeeze",
        "invert scenes grey.png --starts 1 --steps 0 --shift-steps 0 --out far",
        "invert grey.safetensors small.png --starts 1 --steps 0 --shift-steps 0 --out small",
        "sample grey.safetensors --latents found",
        "sample g.safetensors --latents photos",
        "edit g.safetensors --latents g.safetensors --ablate 1:0",
    ];
    check("invert-wrong", &words.map(|words| place.run(words) + "\n").concat());
}
