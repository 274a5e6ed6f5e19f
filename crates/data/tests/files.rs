//! Data sets in files: the good ones come back as they were written, the bad ones are named.

#![allow(clippy::unwrap_used)]

mod support;

use flate2::Compression;
use flate2::write::GzEncoder;
use ganatomy_data::{Broken, Channels, Dataset, Image, Options, Size, open, pictures};
use rawzip::ZipArchiveWriter;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use support::{folder, png, refusal, try_open, zip_of};
use tempfile::tempdir;

fn labels(set: &Dataset) -> Vec<Option<u32>> {
    (0..set.len().unwrap() as u64).map(|i| set.label(i)).collect()
}

fn idx(magic: u32, shape: &[u32], body: &[u8]) -> Vec<u8> {
    let header = [&[magic], shape].concat();
    header.iter().flat_map(|word| word.to_be_bytes()).chain(body.iter().copied()).collect()
}

#[test]
fn sub_folders_are_classes_and_the_order_is_that_of_the_names() {
    let set = folder(&[("dog/1.png", &png(4, 4, 1)), ("cat/2.png", &png(4, 4, 2)), ("cat/10.png", &png(4, 4, 3))]);
    let set = try_open(set.path()).unwrap();
    assert_eq!(labels(&set), [Some(0), Some(0), Some(1)]);
    assert_eq!(set.label_names(), ["cat", "dog"]);
    assert_eq!([0, 1, 2].map(|i| set.image(i).unwrap().pixels[0]), [3, 2, 1]);
}

#[test]
fn images_in_the_root_have_no_classes_and_hidden_files_are_left_out() {
    let set = folder(&[("a.png", &png(4, 4, 1)), ("b/c.png", &png(4, 4, 2)), (".b.png", b"x"), ("note.txt", b"x")]);
    let set = try_open(set.path()).unwrap();
    assert_eq!(labels(&set), [None, None]);
}

#[test]
fn a_zip_with_dataset_json_equals_the_same_folder() {
    let (one, two) = (png(5, 7, 9), png(5, 7, 8));
    let json = br#"{"labels": [["b/x.png", 7], ["a.png", 3]]}"#;
    let files: &[(&str, &[u8])] = &[("a.png", &one), ("b/x.png", &two), ("dataset.json", json)];
    let place = folder(&[("set.zip", &zip_of(files))]);
    let (zipped, unzipped) = (try_open(&place.path().join("set.zip")).unwrap(), folder(files));
    let unzipped = try_open(unzipped.path()).unwrap();
    assert_eq!(labels(&zipped), [Some(3), Some(7)]);
    assert_eq!(labels(&zipped), labels(&unzipped));
    assert_eq!(zipped.image(1).unwrap(), unzipped.image(1).unwrap());
    assert_eq!(zipped.shape(), [3, 7, 5]);
}

#[test]
fn options_give_every_image_one_shape() {
    let set = folder(&[("a.png", &png(40, 20, 10)), ("b.png", &png(9, 30, 10))]);
    let options = Options { size: Some(Size::square(8)), channels: Channels::Grey, ..Options::default() };
    let set = open(set.path().to_str().unwrap(), &options).unwrap();
    assert_eq!(set.shape(), [1, 8, 8]);
    assert!((0..2).all(|i| set.values(i).unwrap().len() == 64));
}

#[test]
fn images_need_not_be_square() {
    let set = folder(&[("a.png", &png(40, 20, 10)), ("b.png", &png(9, 30, 10))]);
    let options = Options { size: Some(Size { width: 10, height: 6 }), ..Options::default() };
    let set = open(set.path().to_str().unwrap(), &options).unwrap();
    assert_eq!(set.shape(), [3, 6, 10]);
    for index in 0..2 {
        // Once from the file, once from memory.
        for _ in 0..2 {
            let image = set.image(index).unwrap();
            assert_eq!((image.width, image.height, image.pixels.len()), (10, 6, 180));
        }
    }
    let picture = pictures::preview(&set, 2, 2).unwrap();
    // Enlarged to about 64 pixels along the longer side.
    assert_eq!((picture.width, picture.height), (2 * (60 + 2) + 2, 36 + 4));
}

#[test]
fn without_a_size_an_image_of_another_size_is_named_and_the_cure_told() {
    let place = folder(&[("a.png", &png(4, 4, 1)), ("b.png", &png(5, 4, 1))]);
    let error = try_open(place.path()).unwrap().image(1).unwrap_err();
    assert!(error.to_string().contains("b.png: has 5x4 pixels where the first image has 4x4"), "{error}");
    assert!(error.hint().unwrap().contains("size"));
}

#[test]
fn a_missing_path_is_told_with_the_built_in_names() {
    let (message, hint) = refusal(Path::new("no/such/place"));
    assert!(message.starts_with("no/such/place: "), "{message}");
    assert!(hint.contains("scenes, ring8, grid25, swissroll"), "{hint}");
}

#[test]
fn impossible_sizes_are_refused() {
    let sizes = [0, 9000, 16].map(Size::square).into_iter();
    for size in sizes.chain([(80, 0), (9000, 64), (80, 16), (4000, 64)].map(|(width, height)| Size { width, height })) {
        let error = open("scenes", &Options { size: Some(size), ..Options::default() }).err().unwrap();
        assert!(error.to_string().starts_with("image.size: "), "{error}");
    }
}

#[test]
fn an_empty_folder_and_a_single_image_are_refused() {
    let place = folder(&[("a.png", &png(4, 4, 1))]);
    fs::create_dir(place.path().join("empty")).unwrap();
    assert!(refusal(&place.path().join("empty")).0.ends_with("holds no images (it is empty)"));
    assert!(refusal(&place.path().join("a.png")).1.contains("Give the folder"));
}

#[test]
fn a_truncated_image_is_refused_by_name_or_skipped_and_listed() {
    let whole = png(40, 40, 1);
    let place = folder(&[("a.png", &whole[..60]), ("b.png", &whole), ("c.png", b"GIF89a"), ("d.png", &whole)]);
    let (message, _) = refusal(place.path());
    assert!(message.contains("a.png: is a broken"), "{message}");
    let options = Options { broken: Broken::Skip, ..Options::default() };
    let set = open(place.path().to_str().unwrap(), &options).unwrap();
    assert_eq!(set.len(), Some(2));
    assert!(set.skipped()[0].ends_with("a.png") && set.skipped()[1].ends_with("c.png"), "{:?}", set.skipped());
    assert!(set.item_name(1).ends_with("d.png"));
    assert!(set.image(2).is_err());
}

#[test]
fn when_nothing_is_readable_skipping_does_not_help() {
    let place = folder(&[("a.png", b"x"), ("b.png", b"y")]);
    let options = Options { broken: Broken::Skip, ..Options::default() };
    assert!(open(place.path().to_str().unwrap(), &options).is_err());
}

#[test]
fn dataset_json_that_does_not_fit_is_refused() {
    let image = png(4, 4, 1);
    for (json, expected) in [
        (&br#"{"labels": [["a.png", 0], ["gone.png", 1]]}"#[..], "names the file \"gone.png\", which is not there"),
        (br#"{"labels": []}"#, "gives no class to the image \"a.png\""),
        (br#"{"labels": [["a.png", -1]]}"#, "is not understood"),
        (b"[", "is not understood"),
    ] {
        let place = folder(&[("a.png", &image), ("dataset.json", json)]);
        let (message, _) = refusal(place.path());
        assert!(message.contains("dataset.json: ") && message.contains(expected), "{message}");
    }
    let place = folder(&[("a.png", &image), ("dataset.json", br#"{"labels": null}"#)]);
    assert_eq!(labels(&try_open(place.path()).unwrap()), [None]);
}

#[test]
fn zips_that_are_broken_or_lead_out_of_themselves_are_refused() {
    let image = png(4, 4, 1);
    let good = zip_of(&[("a.png", &image), ("b.png", &image)]);
    let outside = zip_of(&[("../a.png", &image)]);
    let place = folder(&[("cut.zip", &good[..good.len() - 9]), ("out.zip", &outside), ("not.zip", b"hello")]);
    assert!(refusal(&place.path().join("cut.zip")).0.contains("broken zip"));
    assert!(refusal(&place.path().join("not.zip")).0.ends_with("not.zip: is a text file, not a zip archive"));
    assert!(refusal(&place.path().join("out.zip")).0.contains("unsafe entry \"../a.png\""));
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let (mut link, settings) = archive.new_file("a.png").unix_permissions(0o120_777).start().unwrap();
    let mut writer = settings.wrap(&mut link);
    writer.write_all(b"/etc/hostname").unwrap();
    let sums = writer.finish().unwrap().1;
    link.finish(sums).unwrap();
    fs::write(place.path().join("link.zip"), archive.finish().unwrap()).unwrap();
    assert!(refusal(&place.path().join("link.zip")).0.contains("unsafe entry"));
}

#[test]
fn of_two_zip_entries_of_one_name_the_later_one_counts() {
    let [old, new, other] = [1, 2, 3].map(|v| png(4, 4, v));
    let place = folder(&[("set.zip", &zip_of(&[("b.png", &old), ("a.png", &other), ("b.png", &new)]))]);
    let set = try_open(&place.path().join("set.zip")).unwrap();
    assert_eq!(set.len(), Some(2));
    assert_eq!([0, 1].map(|i| set.image(i).unwrap().pixels[0]), [3, 2]);
}

#[test]
fn a_damaged_zip_entry_is_named() {
    let image = png(4, 4, 1);
    let mut bytes = zip_of(&[("a.png", &image)]);
    let at = bytes.windows(4).position(|w| w == b"IDAT").unwrap() + 6;
    bytes[at] ^= 0xFF;
    let place = folder(&[("set.zip", &bytes)]);
    assert!(refusal(&place.path().join("set.zip")).0.contains("a.png: "));
}

#[test]
fn idx_files_are_read_with_their_labels() {
    let images = idx(2051, &[3, 2, 2], &(0..12).collect::<Vec<u8>>());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&images).unwrap();
    let place = folder(&[
        ("train-images-idx3-ubyte.gz", &packed.finish().unwrap()),
        ("train-labels-idx1-ubyte", &idx(2049, &[3], &[7, 8, 9])),
        ("t10k-images-idx3-ubyte", &idx(2051, &[1, 2, 2], &[0; 4])),
    ]);
    for path in [place.path().to_owned(), place.path().join("train-images-idx3-ubyte.gz")] {
        let set = try_open(&path).unwrap();
        assert_eq!(labels(&set), [Some(7), Some(8), Some(9)]);
        assert_eq!(set.image(2).unwrap().pixels, [8, 9, 10, 11]);
        assert_eq!(set.shape(), [1, 2, 2]);
    }
}

#[test]
fn idx_files_that_lie_are_refused() {
    let body = [0; 8];
    for (bytes, expected) in [
        (idx(2049, &[2, 2, 2], &body), "has the magic number 2049; IDX images have 2051"),
        (idx(2051, &[2, 2, 2], &body[..7]), "declares 2 images of 2x2 pixels but holds 7 bytes"),
        (idx(2051, &[2, 2, 2], &[0; 9]), "but holds more bytes than that"),
        (idx(2051, &[u32::MAX, u32::MAX, u32::MAX], &body), "declares 4294967295 images"),
        (idx(2051, &[0, 2, 2], &[]), "holds no images"),
        (idx(2051, &[2], &[]), "truncated inside its IDX header"),
        (vec![0x1F, 0x8B, 8, 0], "is truncated"),
        (vec![], "truncated inside its IDX header"),
    ] {
        let place = folder(&[("x-images-idx3-ubyte", &bytes)]);
        let (message, _) = refusal(&place.path().join("x-images-idx3-ubyte"));
        assert!(message.contains(expected), "{message}");
    }
    let (images, labels) = (idx(2051, &[1, 1, 1], &[0]), idx(2049, &[2], &[0, 1]));
    let place = folder(&[("x-images-idx3-ubyte", &images), ("x-labels-idx1-ubyte", &labels)]);
    assert!(refusal(place.path()).0.contains("holds 2 labels for 1 images"));
}

#[test]
fn cifar_records_become_images() {
    let record = |label: u8| {
        let planes = [10u8, 20, 30].into_iter().flat_map(|v| vec![v + label; 1024]);
        std::iter::once(label).chain(planes).collect::<Vec<u8>>()
    };
    let two = [record(0), record(9)].concat();
    let place = folder(&[("data_batch_1.bin", &two), ("data_batch_2.bin", &record(3)), ("test_batch.bin", &two)]);
    let set = try_open(place.path()).unwrap();
    assert_eq!(labels(&set), [Some(0), Some(9), Some(3)]);
    assert_eq!(set.label_names()[9], "truck");
    assert_eq!(set.image(1).unwrap().pixels[..4], [19, 29, 39, 19]);
    assert_eq!(try_open(&place.path().join("test_batch.bin")).unwrap().len(), Some(2));
    fs::write(place.path().join("cut.bin"), &two[..5000]).unwrap();
    assert!(refusal(&place.path().join("cut.bin")).0.contains("5000 bytes"));
    fs::write(place.path().join("label.bin"), record(10)).unwrap();
    assert!(refusal(&place.path().join("label.bin")).0.contains("has the label 10"));
}

#[test]
fn numpy_arrays_in_each_layout_become_images() {
    use base::npy::{Array, Elements, write_npz};
    let place = tempdir().unwrap();
    let path = place.path().join("x.npz");
    let bytes = |shape: &[usize]| Array { shape: shape.into(), data: Elements::U8((0..24).collect()) };
    let classes = Array { shape: vec![2], data: Elements::I64(vec![4, 5]) };
    for (shape, expected, first) in [
        (&[2, 3, 4][..], [1, 3, 4], [0, 1, 2]),
        (&[2, 2, 2, 3], [3, 2, 2], [0, 1, 2]),
        (&[2, 3, 2, 2], [3, 2, 2], [0, 4, 8]),
    ] {
        write_npz(&path, &[("y", &classes), ("x", &bytes(shape))]).unwrap();
        let set = try_open(&path).unwrap();
        assert_eq!((set.shape(), labels(&set)), (&expected[..], vec![Some(4), Some(5)]));
        assert_eq!(set.image(0).unwrap().pixels[..3], first);
    }
    let npy = place.path().join("x.npy");
    for (values, expected) in [([0.0, 0.5, 0.0, 1.0], [0, 128, 0, 255]), ([-1.0, 0.0, 0.5, 1.0], [0, 128, 191, 255])] {
        Array::f32(vec![1, 2, 2], values.into()).write(&npy).unwrap();
        assert_eq!(try_open(&npy).unwrap().image(0).unwrap().pixels, expected);
    }
}

#[test]
fn numpy_files_without_images_are_refused() {
    use base::npy::{Array, write_npz};
    let place = tempdir().unwrap();
    let (npy, npz) = (place.path().join("x.npy"), place.path().join("x.npz"));
    Array::f32(vec![1, 1, 2], vec![0.0, 255.0]).write(&npy).unwrap();
    assert!(refusal(&npy).0.contains("holds the value 255"));
    Array::f32(vec![1, 1, 1], vec![f32::NAN]).write(&npy).unwrap();
    assert!(refusal(&npy).0.contains("NaN"));
    Array::f32(vec![0, 1, 1], vec![]).write(&npy).unwrap();
    assert!(refusal(&npy).0.contains("no images"));
    write_npz(&npz, &[("weights", &Array::f32(vec![2], vec![0.0; 2]))]).unwrap();
    assert!(refusal(&npz).0.contains("it holds: weights"));
}

#[test]
fn labelled_sets_keep_images_and_maps_together() {
    let map = pictures::png(&Image::new(4, 2, 1, vec![0, 0, 1, 1, 0, 0, 1, 1]).unwrap()).unwrap();
    let (image, classes) = (png(4, 2, 1), br#"["left", "right"]"#);
    let files: &[(&str, &[u8])] = &[("images/a.png", &image), ("labels/a.png", &map), ("classes.json", classes)];
    let place = folder(files);
    let set = try_open(place.path()).unwrap();
    assert_eq!(set.planes()[0].classes[1].name, "right");
    assert_eq!(set.maps(0).unwrap()[0].classes, [0, 0, 1, 1, 0, 0, 1, 1]);
    let options = Options { size: Some(Size::square(2)), ..Options::default() };
    let square = open(place.path().to_str().unwrap(), &options).unwrap();
    assert_eq!(square.maps(0).unwrap()[0].classes, [0, 1, 0, 1]);
    let wide = Options { size: Some(Size { width: 4, height: 1 }), ..Options::default() };
    let wide = open(place.path().to_str().unwrap(), &wide).unwrap();
    assert_eq!((wide.shape(), wide.maps(0).unwrap()[0].classes.as_slice()), (&[3, 1, 4][..], &[0, 0, 1, 1][..]));
    assert!(refusal(folder(&files[..2]).path()).0.contains("no classes.json"));
    let place = folder(&[("images/b.png", &image), files[0], files[1], files[2]]);
    assert!(refusal(place.path()).0.contains("b.png: has no label map"));
    let place = folder(&[files[0], files[1], ("classes.json", br#"["left"]"#)]);
    let error = try_open(place.path()).unwrap().maps(0).unwrap_err().to_string();
    assert!(error.contains("holds the class 1"), "{error}");
}

/// One small file of every kind of image.
fn every_format() -> Vec<(&'static str, Vec<u8>)> {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    let picture = image::RgbImage::from_fn(24, 18, |x, y| image::Rgb([(x * 10) as u8, (y * 14) as u8, (x * y) as u8]));
    let encode = |format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    [("a.png", Png), ("a.jpg", Jpeg), ("a.gif", Gif), ("a.bmp", Bmp), ("a.webp", WebP)]
        .map(|(name, format)| (name, encode(format)))
        .into()
}

#[test]
fn a_part_of_a_set_counts_its_items_anew() {
    let bad = png(4, 4, 3)[..30].to_vec();
    let files: Vec<(String, Vec<u8>)> =
        (0..6).map(|i| (format!("{i}.png"), if i == 2 { bad.clone() } else { png(4, 4, i) })).collect();
    let set = folder(&files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    let path = set.path().to_str().unwrap();
    let opened = || open(path, &Options { broken: Broken::Skip, ..Options::default() }).unwrap();
    // 0, 1, 3, 4, 5 are whole.
    let part = opened().only(1..4).unwrap();
    let first_bytes: Vec<u8> = (0..3).map(|i| part.image(i).unwrap().pixels[0]).collect();
    assert_eq!((part.len(), first_bytes), (Some(3), vec![1, 3, 4]));
    assert!(part.image(3).is_err());
    assert_eq!(part.only(2..3).unwrap().image(0).unwrap().pixels[0], 4);
    let refused = opened().only(4..6).err().unwrap().to_string();
    assert!(refused.ends_with("has no items 4..6: there are 5"), "{refused}");
    assert!(opened().only(2..2).is_err());
    let endless = open("scenes", &Options::default()).unwrap().only(0..4).err().unwrap().to_string();
    assert_eq!(endless, "scenes: has no items 0..4: there is no end to them");
}

#[test]
fn every_format_is_read() {
    for (name, bytes) in every_format() {
        let image = ganatomy_data::decode(&bytes, Path::new(name)).unwrap();
        assert_eq!((image.width, image.height, image.channels), (24, 18, 3), "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    /// Damage of any kind gives a picture or an error, never a panic.
    #[test]
    fn damaged_images_do_no_harm(at: u16, v: u8, cut: u16) {
        for (name, mut bytes) in every_format() {
            let (at, cut) = (usize::from(at) % bytes.len(), usize::from(cut) % bytes.len());
            bytes[at] = v;
            drop(ganatomy_data::decode(&bytes, Path::new(name)));
            drop(ganatomy_data::decode_labels(&bytes, Path::new(name)));
            drop(ganatomy_data::decode(&bytes[..cut], Path::new(name)));
        }
    }

    #[test]
    fn damaged_files_do_no_harm(at: u16, v: u8) {
        use base::npy::{Array, Elements};
        let image = png(4, 4, 1);
        let npy = Array { shape: vec![2, 2, 2], data: Elements::U8(vec![7; 8]) }.to_bytes();
        let map = pictures::png(&Image::new(4, 4, 1, vec![1; 16]).unwrap()).unwrap();
        let set = zip_of(&[("images/a.png", &image), ("labels/a.png", &map), ("classes.json", br#"["a", "b"]"#)]);
        let named = zip_of(&[("a.png", &image), ("dataset.json", br#"{"labels": [["a.png", 1]]}"#)]);
        let idx = idx(2051, &[2, 2, 2], &[0; 8]);
        for (name, mut bytes) in [("x.zip", set), ("y.zip", named), ("x-images-idx3-ubyte", idx), ("x.npy", npy)] {
            let at = usize::from(at) % bytes.len();
            bytes[at] = v;
            let place = folder(&[(name, &bytes)]);
            if let Ok(set) = try_open(&place.path().join(name)) {
                drop(pictures::preview(&set, 2, 2));
            }
        }
    }
}
