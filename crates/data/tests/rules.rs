//! The rules of `docs/data.md`: what is taken for what, and that nothing is left out without a word.

#![allow(clippy::unwrap_used)]

mod support;

use ganatomy_data::{Broken, Channels, Dataset, Options, Size, decode, open};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{folder, grey, photo, png, refusal, said, try_open, zip_of};

type Files<'a> = Vec<(String, Vec<u8>)>;

/// A labelled set of 4 images of 6x4 pixels, under a folder (`""` or `street/`), with label maps of some ending.
fn labelled(under: &str, ending: &str, map: &[u8]) -> Files<'static> {
    let mut files: Files = vec![(format!("{under}classes.json"), br#"["sky", "road"]"#.to_vec())];
    for i in 0..4 {
        files.push((format!("{under}images/{i}.jpg"), photo(6, 4, 1)));
        files.push((format!("{under}labels/{i}.{ending}"), map.to_vec()));
    }
    files
}

fn borrowed<'a>(files: &'a Files) -> Vec<(&'a str, &'a [u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn map() -> Vec<u8> {
    grey(6, &[0, 0, 0, 1, 1, 1].repeat(4))
}

fn bmp(values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let palette: Vec<[u8; 3]> = (0..=255).map(|v| [v; 3]).collect();
    image::codecs::bmp::BmpEncoder::new(&mut bytes)
        .encode_with_palette(values, 6, 4, image::ExtendedColorType::L8, Some(&palette))
        .unwrap();
    bytes
}

fn with_size(path: &Path, width: usize, height: usize) -> Dataset {
    let options = Options { size: Some(Size { width, height }), ..Options::default() };
    open(path.to_str().unwrap(), &options).unwrap()
}

#[test]
fn a_labelled_set_is_one_in_a_wrapping_folder_and_whatever_the_endings() {
    let sets = [
        labelled("", "png", &map()),
        labelled("street/", "png", &map()),
        labelled("data/street/", "PNG", &map()),
        labelled("", "PNG", &map()),
        labelled("", "bmp", &bmp(&[0, 0, 0, 1, 1, 1].repeat(4))),
        labelled("", "png", &map())
            .into_iter()
            .map(|(name, bytes)| (name.replace("images", "Images"), bytes))
            .collect(),
    ];
    for files in sets {
        let place = folder(&borrowed(&files));
        std::fs::write(place.path().join("set.zip"), zip_of(&borrowed(&files))).unwrap();
        let zipped = try_open(&place.path().join("set.zip")).unwrap();
        std::fs::remove_file(place.path().join("set.zip")).unwrap();
        for set in [zipped, try_open(place.path()).unwrap()] {
            assert_eq!((set.len(), said(&set)), (Some(4), Vec::new()), "{}", files[2].0);
            assert_eq!(set.planes()[0].classes[1].name, "road");
            assert_eq!(set.maps(3).unwrap()[0].classes, [0, 0, 0, 1, 1, 1].repeat(4));
            assert_eq!(set.place(2), "2");
        }
    }
}

#[test]
fn what_lies_beside_a_labelled_set_is_told() {
    let mut files = labelled("street/", "png", &map());
    files.push(("preview.png".into(), png(6, 4, 1)));
    files.push(("street/labels/9.png".into(), map()));
    files.push(("street/notes.txt".into(), b"x".to_vec()));
    let set = try_open(folder(&borrowed(&files)).path()).unwrap();
    let expected = [
        "files left out because they are of no kind that is read: 1 (street/notes.txt)",
        "label maps left out because no image has their name: 1 (street/labels/9.png)",
        "images left out because they lie outside of the labelled set's folders: 1 (preview.png)",
    ];
    assert_eq!((set.len(), said(&set)), (Some(4), expected.map(str::to_owned).to_vec()));
}

#[test]
fn label_maps_are_never_images() {
    let refused = |files: Files| refusal(folder(&borrowed(&files)).path());
    let (message, hint) = refused(labelled("", "jpg", &photo(6, 4, 1)));
    assert!(
        message.ends_with("labels/0.jpg: is a JPEG, which changes the values of pixels: they are no class indices")
    );
    assert!(hint.starts_with("Write label maps as PNG"), "{hint}");
    assert!(refused(labelled("", "webp", b"x")).0.contains("labels/0.webp: is a WebP"));
    let two = [labelled("train/", "png", &map()), labelled("val/", "png", &map())].concat();
    let (message, hint) = refused(two);
    assert!(message.ends_with("holds 2 labelled sets, in \"train\", \"val\""), "{message}");
    assert!(hint.starts_with("Give one of these folders"), "{hint}");
    for (images, labels) in [("images", "masks"), ("photos", "Labels"), ("JPEGImages", "SegmentationClass")] {
        let renamed = |(name, bytes): (String, Vec<u8>)| {
            (name.replace("images/", &format!("{images}/")).replace("labels/", &format!("{labels}/")), bytes)
        };
        let (message, hint) = refused(labelled("", "png", &map()).into_iter().map(renamed).collect());
        assert!(
            message.ends_with(&format!("{labels}: looks like the label maps of the images beside it")),
            "{message}"
        );
        assert!(hint.contains("call the folders images and labels"), "{hint}");
    }
    let loose = [("a.png", png(6, 4, 1)), ("labels/a.png", map())].map(|(name, bytes)| (name.to_owned(), bytes)).into();
    assert!(refused(loose).0.contains("looks like the label maps"));
    let twice = [labelled("", "png", &map()), vec![("labels/0.PNG".into(), map())]].concat();
    assert!(refused(twice).0.contains("is a second label map of one image"));
}

#[test]
fn classes_may_be_called_as_folders_of_labels_are() {
    let files = [
        ("mask/1.png", png(4, 4, 1)),
        ("mask/2.png", png(4, 4, 2)),
        ("none/1.png", png(4, 4, 3)),
        ("none/2.png", png(4, 4, 4)),
    ];
    let place = folder(&files.each_ref().map(|(name, bytes)| (*name, bytes.as_slice())));
    let set = try_open(place.path()).unwrap();
    assert_eq!((set.len(), set.label_names()), (Some(4), &["mask".to_owned(), "none".to_owned()][..]));
}

#[test]
fn a_label_map_turns_with_its_photo_or_must_have_its_size() {
    // Stored 6 wide and 4 high, shown 4 wide and 6 high: turned to the right.
    let turned = photo(6, 4, 6);
    let stored: Vec<u8> = (0..24).map(|i| u8::from(i % 6 >= 3)).collect();
    let shown: Vec<u8> = (0..24).map(|i| u8::from(i / 4 >= 3)).collect();
    let set = |image: &[u8], width, values: &[u8]| {
        let (map, classes) = (grey(width, values), br#"["left", "right"]"#);
        folder(&[("images/a.jpg", image), ("labels/a.png", &map), ("classes.json", classes)])
    };
    let as_u16 = |values: &[u8]| values.iter().map(|&v| u16::from(v)).collect::<Vec<_>>();
    for (place, expected) in [
        (set(&turned, 6, &stored), "label maps turned as their photos, whose stored pixels they are of: 1"),
        (set(&turned, 4, &shown), ""),
    ] {
        let opened = try_open(place.path()).unwrap();
        assert_eq!(opened.shape(), [3, 6, 4]);
        let map = &opened.maps(0).unwrap()[0];
        assert_eq!((map.width, map.height, &map.classes), (4, 6, &as_u16(&shown)));
        assert!(said(&opened).concat().starts_with(expected), "{:?}", said(&opened));
        // The same where a size is asked for.
        assert_eq!(with_size(place.path(), 2, 2).maps(0).unwrap()[0].classes, [0, 0, 1, 1]);
    }
    // Which way it is cannot be told.
    for (photo, pixels) in [(photo(6, 6, 6), 36), (photo(6, 4, 3), 24)] {
        let place = set(&photo, 6, &vec![0; pixels]);
        let opened = try_open(place.path()).unwrap();
        opened.maps(0).unwrap();
        assert!(said(&opened).concat().contains("would fit either way"), "{:?}", said(&opened));
    }
    // No way fits, with a size or without one.
    let other = set(&turned, 3, &[0; 18]);
    for opened in [try_open(other.path()).unwrap(), with_size(other.path(), 8, 8)] {
        let error = opened.image_with_maps(0).unwrap_err();
        let expected = "a.jpg: has 4x6 pixels as it is shown (6x4 as stored), its label map has 3x6";
        assert!(error.to_string().ends_with(expected), "{error}");
        assert!(error.hint().is_some());
    }
    let plain = set(&photo(6, 4, 1), 3, &[0; 12]);
    let error = with_size(plain.path(), 8, 8).maps(0).unwrap_err().to_string();
    assert!(error.ends_with("a.jpg: has 6x4 pixels, its label map has 3x4"), "{error}");
}

#[test]
fn other_sizes_are_not_unreadable() {
    let (small, large) = (png(8, 8, 1), png(9, 8, 2));
    let place = folder(&[("a.png", &small), ("b.png", &large), ("c.png", &small[..40]), ("d.png", &small)]);
    let skip = |size| Options { size, broken: Broken::Skip, ..Options::default() };
    let path = place.path().to_str().unwrap();
    let set = open(path, &skip(None)).unwrap();
    assert_eq!(set.len(), Some(2));
    assert_eq!(set.skipped().len(), 1);
    let told = said(&set);
    assert!(told[0].starts_with("images left out because they cannot be read: 1 (") && told[0].ends_with("c.png)"));
    assert!(told[1].starts_with("images left out because their size is not that of the first: 1 ("), "{told:?}");
    let sized = open(path, &skip(Some(Size::square(4)))).unwrap();
    assert_eq!((sized.len(), said(&sized).len()), (Some(3), 1));
    // A label map that does not fit is another matter again.
    let mut files = labelled("", "png", &map());
    files[2].1 = grey(6, &[0; 12]);
    let place = folder(&borrowed(&files));
    let set = open(place.path().to_str().unwrap(), &skip(None)).unwrap();
    assert!(said(&set)[0].starts_with("images left out because their label maps cannot be read or do not fit: 1"));
}

#[test]
fn a_set_is_grey_only_where_all_of_it_is() {
    let (grey, colour) = (grey(4, &[7; 16]), png(4, 4, 1));
    let place = folder(&[("a.png", &grey), ("b.png", &grey), ("c.png", &colour)]);
    let set = try_open(place.path()).unwrap();
    assert_eq!(set.shape(), [3, 4, 4]);
    assert_eq!(set.image(0).unwrap().pixels, [7; 48]);
    assert_eq!(set.image(2).unwrap().pixels[..3], [1, 0, 254]);
    assert!(said(&set)[0].starts_with("grey images among those in colour, given three equal channels: 1 "));
    let asked = Options { channels: Channels::Grey, ..Options::default() };
    assert_eq!(open(place.path().to_str().unwrap(), &asked).unwrap().shape(), [1, 4, 4]);
    std::fs::remove_file(place.path().join("c.png")).unwrap();
    let set = try_open(place.path()).unwrap();
    set.image(0).unwrap();
    assert_eq!((set.shape(), said(&set)), (&[1, 4, 4][..], Vec::new()));
    // One that comes later than those that were looked at loses no colour without a word.
    std::fs::write(place.path().join("b.png"), &colour).unwrap();
    let error = set.image(1).unwrap_err();
    assert!(error.to_string().ends_with("b.png: has colour in a set that was taken for grey"), "{error}");
}

#[test]
fn transparent_images_are_counted_as_they_are_read() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
    encoder.set_color(png::ColorType::Rgba);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&[[255, 255, 255, 255], [255, 255, 255, 0]].concat().repeat(2))
        .unwrap();
    let place = folder(&[("a.png", &bytes), ("b.png", &support::png(2, 2, 9)), ("c.png", &bytes)]);
    let set = try_open(place.path()).unwrap();
    for _ in 0..2 {
        assert_eq!(set.image(0).unwrap().pixels, [255, 255, 255, 0, 0, 0].repeat(2));
    }
    assert!(said(&set)[0].starts_with("images are transparent in places, and lie on black: 1 ("), "{:?}", said(&set));
    let all = Options { broken: Broken::Skip, ..Options::default() };
    let set = open(place.path().to_str().unwrap(), &all).unwrap();
    assert!(said(&set)[0].starts_with("images are transparent in places, and lie on black: 2 ("));
}

#[test]
fn files_of_other_kinds_are_told() {
    let image = png(4, 4, 1);
    let place = folder(&[("a.png", &image), ("b.heic", b"x"), ("notes/c.txt", b"x"), (".d.png", &image)]);
    let told = said(&try_open(place.path()).unwrap());
    assert_eq!(
        told,
        [
            "files left out because they are of no kind that is read: 2 (b.heic, notes/c.txt)",
            "images left out because they are hidden files: 1 (.d.png)"
        ]
    );
    let (message, _) = refusal(folder(&[("b.heic", b"x"), ("c.HEIC", b"x"), ("x", b"x")]).path());
    assert!(message.ends_with("holds no images (its files are: 2 .heic, 1 without ending)"), "{message}");
}

#[test]
fn one_image_outside_does_not_take_the_classes_without_a_word() {
    let image = png(4, 4, 1);
    let place = folder(&[("cat/1.png", &image), ("dog/1.png", &image), ("x.png", &image)]);
    let set = try_open(place.path()).unwrap();
    assert!(set.label_names().is_empty());
    assert_eq!(said(&set), ["sub-folders are not taken as classes because of images outside of them: 1 (x.png)"]);
    let wrapped = folder(&[("pets/cat/1.png", &image), ("pets/dog/1.png", &image)]);
    assert_eq!(try_open(wrapped.path()).unwrap().label_names(), ["cat", "dog"]);
}

#[test]
fn documents_have_limits_and_may_lie_in_a_wrapping_folder() {
    let image = png(4, 4, 1);
    let json = br#"{"labels": [["a.png", 3]]}"#;
    let wrapped = folder(&[("set/a.png", &image), ("set/dataset.json", json)]);
    assert_eq!(try_open(wrapped.path()).unwrap().label(0), Some(3));
    let two = folder(&[("x/a.png", &image), ("x/dataset.json", json), ("y/a.png", &image), ("y/dataset.json", json)]);
    assert!(refusal(two.path()).0.contains("x/dataset.json: is one of 2 files of this name"));
    let long = format!("[{}\"a\"]", "\"a\",".repeat(1 << 21));
    let started = Instant::now();
    for (name, files) in
        [("classes.json", labelled("", "png", &map())), ("dataset.json", vec![("a.png".into(), image)])]
    {
        let mut files = files;
        files.retain(|(other, _)| other != name);
        files.push((name.into(), long.clone().into_bytes()));
        let place = folder(&[("set.zip", &zip_of(&borrowed(&files)))]);
        let (message, _) = refusal(&place.path().join("set.zip"));
        assert!(message.contains(name) && message.contains("at most 4194304 are read"), "{message}");
    }
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn of_several_arrays_the_training_part_is_taken() {
    use base::npy::{Array, Elements, write_npz};
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.npz");
    let images = |n: usize| Array { shape: vec![n, 2, 2], data: Elements::U8((0..4 * n).map(|i| i as u8).collect()) };
    let classes = |n: usize| Array { shape: vec![n], data: Elements::I64(vec![1; n]) };
    let floats = Array::f32(vec![3, 2, 2], vec![0.5; 12]);
    let opened = |arrays: &[(&str, &Array)]| {
        write_npz(&path, arrays).unwrap();
        try_open(&path)
    };
    let (two, six, of_two, of_six) = (images(2), images(6), classes(2), classes(6));
    let keras = [("x_test", &two), ("x_train", &six), ("y_train", &of_six), ("y_test", &of_two)];
    let set = opened(&keras).unwrap();
    assert_eq!((set.len(), set.label(5)), (Some(6), Some(1)));
    assert_eq!(said(&set), ["taken: x_train, y_train", "left out, beside what was taken: 2 (x_test, y_test)"]);
    let medical = [("val_images", &two), ("train_images", &six), ("train_labels", &of_six)];
    assert_eq!(said(&opened(&medical).unwrap())[0], "taken: train_images, train_labels");
    assert_eq!(said(&opened(&[("arr_0", &floats), ("arr_1", &of_two)]).unwrap())[0], "taken: arr_0");
    assert_eq!(said(&opened(&[("faces", &two), ("features", &floats)]).unwrap())[0], "taken: faces");
    for arrays in [
        &[("x_test", &two), ("x_val", &six)][..],
        &[("x", &two), ("x_train", &six)],
        &[("arr_0", &two), ("arr_1", &six)],
    ] {
        let (message, hint) = opened(arrays).err().map(|e| (e.to_string(), e.hint().unwrap())).unwrap();
        assert!(message.contains("holds several arrays of images: ") && message.contains("[6, 2, 2]"), "{message}");
        assert!(hint.starts_with("Name the array x or images"), "{hint}");
    }
}

#[test]
fn an_array_that_is_not_wanted_is_not_unpacked() {
    use base::npy::{Array, Elements, write_npz};
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.npz");
    let images = Array { shape: vec![2, 2, 2], data: Elements::U8(vec![7; 8]) };
    let other =
        Array { shape: vec![1 << 16], data: Elements::U8((0..1u64 << 16).map(|i| (i * i % 251) as u8).collect()) };
    write_npz(&path, &[("features", &other), ("x", &images)]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Deep in the packed features, far behind their header.
    bytes[300] ^= 0xFF;
    std::fs::write(&path, bytes).unwrap();
    assert!(base::npy::read_npz(&path).is_err());
    assert_eq!(try_open(&path).unwrap().len(), Some(2));
}

#[test]
fn a_folder_with_the_name_of_an_idx_file_is_none() {
    let images = |n: u32| {
        let header: Vec<u8> = [2051, n, 2, 2].into_iter().flat_map(u32::to_be_bytes).collect();
        [header, vec![7; 4 * n as usize]].concat()
    };
    let place = folder(&[
        ("train-images.idx3-ubyte", &images(3)),
        ("train-images-idx3-ubyte/train-images-idx3-ubyte", &images(3)),
        ("t10k-images.idx3-ubyte", &images(1)),
    ]);
    let set = try_open(place.path()).unwrap();
    assert_eq!(set.len(), Some(3));
    assert_eq!(
        said(&set),
        [
            "taken: train-images.idx3-ubyte",
            "left out, beside what was taken: 2 (t10k-images.idx3-ubyte, train-images-idx3-ubyte)"
        ]
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_read() {
    let image = png(4, 4, 1);
    let place = folder(&[("set/a.png", &image)]);
    let pipe = |name: &str| {
        let status = std::process::Command::new("mkfifo").arg(place.path().join(name)).status();
        assert!(status.unwrap().success());
    };
    pipe("set/b.png");
    assert_eq!(
        said(&try_open(&place.path().join("set")).unwrap()),
        ["left out because they are neither files nor folders: 1 (b.png)"]
    );
    for name in ["x.zip", "x.npz", "x.npy", "x.bin", "train-images-idx3-ubyte"] {
        pipe(name);
        let (message, _) = refusal(&place.path().join(name));
        assert!(message.contains("is not a regular file"), "{message}");
        std::fs::remove_file(place.path().join(name)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", place.path().join(name)).unwrap();
        assert!(refusal(&place.path().join(name)).0.contains("is not a regular file"));
    }
}

/// A JPEG of 8x8 pixels of one colour, given by its four components as they are stored, with Adobe's mark.
fn cmyk(stored: [u8; 4]) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00".to_vec();
    // Every number is divided by 8, so that the mean of a block is its own coefficient.
    bytes.extend([0xFF, 0xDB, 0, 67, 0].iter().chain(&[8; 64]));
    bytes.extend(b"\xFF\xC0\x00\x14\x08\x00\x08\x00\x08\x04");
    (1..=4).for_each(|component| bytes.extend([component, 0x11, 0]));
    // Differences of no bits are 0, of seven bits 10; there is nothing but means, and the end of a block is 0.
    for (class, lengths, values) in [(0, [1, 1], &[0, 7][..]), (0x10, [1, 0], &[0])] {
        let length = 19 + values.len() as u8;
        bytes.extend([&[0xFF, 0xC4, 0, length, class][..], &lengths, &[0; 14], values].concat());
    }
    bytes.extend(b"\xFF\xDA\x00\x0E\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3F\x00");
    // The mean of a block, and that nothing follows it.
    let block = |value: u8| match i32::from(value) - 128 {
        0 => "00".to_owned(),
        mean => format!("10{:07b}0", if mean > 0 { mean } else { mean + 127 }),
    };
    let mut bits = stored.map(block).concat();
    bits += &"1".repeat(7 - (bits.len() + 7) % 8);
    let byte = |at: usize| u8::from_str_radix(&bits[at..at + 8], 2).unwrap();
    for byte in (0..bits.len()).step_by(8).map(byte) {
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    }
    bytes.extend(b"\xFF\xD9");
    bytes
}

#[test]
fn cmyk_becomes_rgb_by_its_ink() {
    // As Adobe stores it, 255 is no ink at all.
    let image = decode(&cmyk([228, 28, 128, 228]), Path::new("x.jpg")).unwrap();
    assert_eq!((image.width, image.height, image.channels), (8, 8, 3));
    for (found, ink) in image.pixels[..3].iter().zip([228, 28, 128]) {
        assert!((f64::from(*found) - f64::from(ink * 228) / 255.0).abs() <= 2.0, "{:?}", &image.pixels[..3]);
    }
}

#[test]
fn an_animation_is_its_first_picture() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[1, 2]).unwrap();
    writer.write_image_data(&[3, 4]).unwrap();
    writer.finish().unwrap();
    assert_eq!(decode(&bytes, Path::new("x.png")).unwrap().pixels, [1, 2]);
}

#[test]
fn images_that_are_empty_or_too_large_are_refused_before_memory_is_taken() {
    let png = grey(1, &[7]);
    for (width, height, reason) in [
        (0, 1, ""),
        (1, 0, ""),
        (8193, 1, "declares 8193x1 pixels; at most 8192x8192 are read"),
        (60_000, 60_000, "declares 60000x60000 pixels; at most 8192x8192 are read"),
        (u32::MAX >> 1, u32::MAX >> 1, ""),
    ] {
        let mut bytes = png.clone();
        bytes[16..20].copy_from_slice(&u32::to_be_bytes(width));
        bytes[20..24].copy_from_slice(&u32::to_be_bytes(height));
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        for message in [
            decode(&bytes, Path::new("x.png")).unwrap_err().to_string(),
            ganatomy_data::decode_labels(&bytes, Path::new("x.png")).unwrap_err().to_string(),
        ] {
            assert!(message.starts_with("x.png: ") && message.contains(reason), "{width}x{height}: {message}");
        }
    }
    // 8192x8192 pixels of 16 bits in three channels would take 384 MiB.
    let mut bytes = png;
    bytes[16..24].copy_from_slice(&[8192u32.to_be_bytes(), 8192u32.to_be_bytes()].concat());
    bytes[24..26].copy_from_slice(&[16, 2]);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let message = decode(&bytes, Path::new("x.png")).unwrap_err().to_string();
    assert!(message.ends_with("declares 8192x8192 pixels, which take more than 256 MiB"), "{message}");
}
