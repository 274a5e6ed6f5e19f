//! `ganatomy data preview`

use crate::support::{Place, check};
use data::{Image, pictures};

fn png(colour: [u8; 3]) -> Vec<u8> {
    pictures::png(&Image::filled(8, 8, colour)).unwrap()
}

/// A PNG that says it has 60000x60000 pixels, in 60 bytes.
fn bomb() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], body: &[u8]| {
        let checked = [kind, body].concat();
        bytes.extend((body.len() as u32).to_be_bytes());
        bytes.extend(&checked);
        bytes.extend(crc(&checked).to_be_bytes());
    };
    let side = 60_000u32.to_be_bytes();
    chunk(b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    chunk(b"IDAT", &[0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(b"IEND", &[]);
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))))
}

#[test]
fn the_built_in_worlds() {
    let place = Place::new();
    let scenes = place.run("data preview scenes --size 32 --count 6 --columns 3");
    let ring = place.run("data preview ring8 --out ring.png");
    let json = place.run("data preview swissroll --count 10 --json");
    check("data-built-in", &[scenes, ring, json].join("\n"));
    assert_eq!(place.picture("ring.png").width, 512);
}

#[test]
fn a_preview_is_a_function_of_the_seed() {
    let place = Place::new();
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        place.succeed(&format!("data preview scenes --size 32 --count 2 --seed {seed} --out {name}.png"));
    }
    assert_eq!(place.read("a.png"), place.read("b.png"));
    assert_ne!(place.read("a.png"), place.read("c.png"));
}

#[test]
fn a_folder_with_classes() {
    let place = Place::new();
    place.write("set/red/1.png", &png([255, 0, 0]));
    place.write("set/red/2.png", &png([200, 0, 0]));
    place.write("set/blue/1.png", &png([0, 0, 255]));
    check("data-folder", &[place.run("data preview set"), place.run("data preview set --json --size 4")].join("\n"));
}

#[test]
fn broken_images_are_refused_or_left_out() {
    let place = Place::new();
    let whole = png([9, 200, 30]);
    place.write("set/a.png", &whole);
    place.write("set/bomb.png", &bomb());
    place.write("set/cut.png", &whole[..whole.len() - 20]);
    place.write("set/empty.png", b"");
    let refused = place.run("data preview set");
    assert!(!place.path("preview.png").exists());
    let skipped = place.run("data preview set --broken skip");
    check("data-broken", &[refused, skipped].join("\n"));
    let alone = ["bomb", "cut", "empty"].map(|name| {
        place.write(&format!("{name}/x.png"), &place.read(&format!("set/{name}.png")));
        place.run(&format!("data preview {name}")) + &place.run(&format!("data preview {name} --broken skip"))
    });
    check("data-broken-alone", &alone.join("\n"));
}

#[test]
fn sources_that_are_none() {
    let place = Place::new();
    std::fs::create_dir(place.path("nothing")).unwrap();
    place.write("notes/readme.txt", b"hello");
    place.write("train-images-idx3-ubyte", b"\x00\x00\x08\x04\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\xFF");
    place.write("x.zip", b"PK no");
    place.write("x.npz", b"");
    place.write("one.png", &png([1; 3]));
    let wrong = [
        "scnes",
        "no/such/folder",
        "nothing",
        "notes",
        "train-images-idx3-ubyte",
        "x.zip",
        "x.npz",
        "one.png",
        "scenes --size 16",
        "scenes --out a.jpg",
        "scenes --size 512 --count 4000",
    ];
    check("data-wrong", &wrong.map(|words| place.run(&format!("data preview {words}")) + "\n").concat());
    assert!(!place.path("preview.png").exists());
}
