//! The rules of `docs/data.md` as users of the program meet them; the cases of public reports, where they lie beside the checkout.

use crate::support::{Place, with_models};
use data::{Image, LabelMap, pictures};
use std::path::Path;
use std::process::Output;

/// A mask of 64x64 pixels, white in the upper left quarter: on a transparent ground, under which there is white, or on black.
fn mask(transparent: bool) -> Vec<u8> {
    let inside = |p: usize| p % 64 < 32 && p / 64 < 32;
    if !transparent {
        let pixels = (0..64 * 64).map(|p| if inside(p) { 255 } else { 0 }).collect();
        return pictures::png(&Image::new(64, 64, 1, pixels).unwrap()).unwrap();
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
    encoder.set_color(png::ColorType::Rgba);
    let pixels: Vec<u8> = (0..64 * 64).flat_map(|p| [255, 255, 255, if inside(p) { 255 } else { 0 }]).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_mask_on_a_transparent_ground_marks_what_was_painted() {
    let place = Place::new();
    place.write("black.png", &mask(false));
    place.write("clear.png", &mask(true));
    place.write("none.png", &pictures::png(&Image::filled(64, 64, [0; 3])).unwrap());
    let edited = |options: &str| {
        place.succeed(&format!("-q edit scenes --ablate 2:3,5,17 --seeds 0..2 --out e --raw e.npy {options}"));
        place.npy("e.npy")
    };
    let (black, clear, everywhere) = (edited("--mask black.png"), edited("--mask clear.png"), edited(""));
    assert_eq!(clear, black);
    assert_ne!(clear, everywhere);
    let refused = place.output("edit scenes --ablate 2:3 --mask none.png --seeds 0..2 --out n");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.starts_with("error: none.png: marks nothing: all of it is black or transparent\nhint: "), "{said}");

    place.write("painted/mouth.png", &mask(true));
    let printed = place.succeed("-q segmenter masks painted --out m.safetensors");
    assert_eq!(printed, "mouth: 25.0 % of the picture\nm.safetensors\n");

    let repair = "-q repair scenes --layer 2 --real scenes --real-samples 32 --samples 32 --units 3 --random 2";
    let table = |name: &str| place.succeed(&format!("{repair} --defect-mask {name}.png --out {name}"));
    assert_eq!(table("clear").replace("clear", "black"), table("black"));
}

#[test]
fn a_file_of_a_built_in_name_is_passed_over_aloud() {
    let place = with_models();
    for name in ["0", "1", "2"] {
        place.write(&format!("scenes/{name}.png"), &pictures::png(&Image::filled(32, 32, [9; 3])).unwrap());
    }
    let previewed = place.output("data preview scenes --count 2 --size 32");
    assert_eq!(
        stderr(&previewed),
        "warning: the file or folder ./scenes is passed over for the built-in data set of this name\n"
    );
    assert!(place.succeed("data preview ./scenes").contains("count: 3"));
    let warning = "warning: scenes is the model that comes with the program; the file or folder here is ./scenes\n";
    assert_eq!(stderr(&place.output("inspect scenes")), warning);
    // What belongs to the model still comes with it.
    assert_eq!(stderr(&place.output("-q edit scenes --ablate 1b:tree/3 --seeds 0..2 --out e")), warning);
    place.succeed("inspect g.safetensors");
}

#[test]
fn what_a_preview_left_out_is_told_by_reason_with_the_flag_that_helps() {
    let place = Place::new();
    let png = |side| pictures::png(&Image::filled(side, side, [9, 8, 7])).unwrap();
    for (name, bytes) in [("a.png", png(8)), ("b.png", png(9)), ("c.png", png(8)[..30].to_vec()), ("d.tif", png(8))] {
        place.write(&format!("photos/{name}"), &bytes);
    }
    let output = place.output("data preview photos --broken skip");
    assert_eq!(
        stderr(&output),
        "warning: images left out because they cannot be read: 1 (photos/c.png)\n\
         warning: images left out because their size is not that of the first: 1 (photos/b.png)\n\
         hint: --size brings all images to one size, for example --size 64.\n"
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        stdout,
        "photos: images of 8x8 pixels, RGB; count: 1\n\
         files left out because they are of no kind that is read: 1 (d.tif)\npreview.png\n"
    );
    std::fs::remove_file(place.path("photos/c.png")).unwrap();
    for (words, flag) in
        [("data preview photos", "--size 64"), ("segmenter cluster --data photos --out c.safetensors", "--size 64")]
    {
        let said = stderr(&place.output(words));
        assert!(said.contains("b.png: has 9x9 pixels where the first image has 8x8\n"), "{said}");
        assert!(
            said.ends_with(&format!("hint: Give a size to which all images are brought, such as {flag}.\n")),
            "{said}"
        );
    }
    let json: serde_json::Value = serde_json::from_str(&place.succeed("data preview photos --size 8 --json")).unwrap();
    assert_eq!(json["notices"][0]["matter"], "other-kind");
    assert_eq!(json["notices"][0]["names"][0], "d.tif");
}

#[test]
fn label_maps_keep_the_names_folders_and_sizes_of_photos() {
    let place = Place::new();
    let photo = |width, height| pictures::png(&Image::filled(width, height, [9, 90, 200])).unwrap();
    place.write("photos/a/1.png", &photo(40, 20));
    place.write("photos/b/1.png", &photo(20, 50));
    place.write("photos/b/2.jpg", &pictures::jpeg(&Image::filled(9, 9, [1, 2, 3]), 90).unwrap());
    place.write("photos/b/2.png", &photo(64, 64));
    place.succeed("-q segmenter apply scenes photos --labels --out seen");
    assert_eq!(place.names("seen"), ["a", "b", "objects", "parts"]);
    assert_eq!(place.names("seen/objects"), ["a", "b", "classes.json"]);
    assert_eq!(place.names("seen/objects/b"), ["1.png", "2.jpg.png", "2.png.png"]);
    for (name, size) in [("a/1", (40, 20)), ("b/1", (20, 50)), ("b/2.jpg", (9, 9)), ("b/2.png", (64, 64))] {
        for plane in ["objects", "parts"] {
            let name = format!("seen/{plane}/{name}.png");
            let map = data::decode_labels(&place.read(&name), Path::new(&name)).unwrap();
            assert_eq!((map.width, map.height), size, "{name}");
        }
    }
    // The same without `--labels`.
    place.succeed("-q segmenter apply scenes photos --out plain");
    assert_eq!(place.names("plain/b"), ["1.png", "2.jpg.png", "2.png.png"]);
    place.write("clash/1.png", &photo(8, 8));
    place.write("clash/objects/1.png", &photo(8, 8));
    let said = stderr(&place.output("-q segmenter apply scenes clash --labels --out clashed"));
    assert!(said.starts_with("error: clashed/objects/1.png: would be written twice"), "{said}");
}

#[test]
fn a_label_map_of_another_size_is_refused_where_a_size_is_asked_for() {
    let place = Place::new();
    place.write("set/classes.json", br#"["dark", "bright"]"#);
    for i in 0..4 {
        place.write(&format!("set/images/{i}.png"), &pictures::png(&Image::filled(32, 32, [9; 3])).unwrap());
        let map = LabelMap { width: 16, height: 32, classes: vec![0; 16 * 32] };
        place.write(&format!("set/labels/{i}.png"), &pictures::labels_png(&map).unwrap());
    }
    for words in ["data preview set --size 16", "segmenter train --data set --size 16 --steps 1 --out run"] {
        let output = place.output(words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(said.contains("png: has 32x32 pixels, its label map has 16x32\nhint: "), "{words}: {said}");
    }
}

/// The folder of a case of a public report, with the program in it; results go into `place`.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn case(place: &Place, name: &str) -> Option<impl Fn(&str) -> Output> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases")).join(name);
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return None;
    }
    let out = place.path("out");
    std::fs::create_dir_all(&out).unwrap();
    Some(move |words: &str| {
        let words = words.replace("OUT", &out.display().to_string());
        std::process::Command::new(env!("CARGO_BIN_EXE_ganatomy"))
            .args(words.split_whitespace())
            .current_dir(&folder)
            .output()
            .unwrap()
    })
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_cases_of_public_reports_are_read_rightly() {
    let place = Place::new();
    if let Some(run) = case(&place, "01-mask-alpha") {
        let printed = stdout(&run("-q segmenter masks painted --out OUT/m.safetensors"));
        assert!(printed.starts_with("mouth: 18.8 % of the picture\n"), "{printed}");
    }
    if let Some(run) = case(&place, "02-label-orientation") {
        for set in ["phone", "upright-labels"] {
            let printed = stdout(&run(&format!("segmenter eval seg.safetensors --data {set}")));
            assert!(printed.contains("mean IoU 0.9822"), "{set}: {printed}");
        }
        for words in
            ["segmenter eval seg.safetensors --data other-size", "data preview other-size --size 64 --out OUT/p.png"]
        {
            let said = stderr(&run(words));
            assert!(said.contains("has 64x64 pixels, its label map has 32x64"), "{said}");
        }
    }
    if let Some(run) = case(&place, "04-labels-as-images") {
        for set in ["good.zip", "streets.zip", "upper"] {
            let printed = stdout(&run(&format!("data preview {set} --out OUT/p.png")));
            assert!(printed.contains("count: 12\n") && printed.contains("label maps of classes: sky, road, tree"));
        }
    }
    if let Some(run) = case(&place, "05-mixed-sizes") {
        let said = stderr(&run("data preview photos --broken skip --out OUT/p.png"));
        assert!(said.contains("cannot be read: 1 (photos/p9.jpg)\n"), "{said}");
        assert!(said.contains("is not that of the first: 4 ("), "{said}");
    }
    if let Some(run) = case(&place, "07-npz-test-split") {
        let printed = stdout(&run("data preview digits.npz --out OUT/p.png"));
        assert!(printed.contains("count: 30\ntaken: x_train, y_train\n"), "{printed}");
    }
    if let Some(run) = case(&place, "09-transparency") {
        let output = run("data preview sprites --out OUT/p.png");
        assert!(stderr(&output).contains("images are transparent in places, and lie on black: 6 ("), "{output:?}");
    }
    if let Some(run) = case(&place, "11-motion-photo") {
        assert!(stdout(&run("data preview photos --out OUT/p.png")).contains("count: 2\n"));
    }
    if let Some(run) = case(&place, "13-mnist-folder") {
        assert!(stdout(&run("data preview mnist --out OUT/p.png")).contains("count: 60\n"));
    }
    if let Some(run) = case(&place, "20-own-folder-scenes") {
        assert!(
            stderr(&run("data preview scenes --count 2 --out OUT/p.png"))
                .starts_with("warning: the file or folder ./scenes is passed over")
        );
        assert!(stdout(&run("data preview ./scenes --out OUT/p.png")).contains("count: 3\n"));
    }
    for (folder, file) in [("h01-npz-bomb", "over.npz"), ("h02-json-in-zip-bomb", "cj.zip")] {
        if let Some(run) = case(&place, folder) {
            let started = std::time::Instant::now();
            let output = run(&format!("-q data preview {file} --out OUT/p.png"));
            assert_eq!(output.status.code(), Some(1), "{file}: {}", stderr(&output));
            assert!(started.elapsed().as_secs() < 5, "{file}");
        }
    }
}
