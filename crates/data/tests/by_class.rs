//! The classes of a set's images, and what cannot be learnt by class.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod support;

use ganatomy_data::{BUILT_IN, Classes, Options, open};
use std::path::Path;
use support::{folder, png, try_open};

fn classes(path: &Path) -> Classes {
    try_open(path).unwrap().classes().unwrap()
}

/// The message without the path, and the hint.
fn refused(files: &[(&str, &[u8])]) -> String {
    let place = folder(files);
    let error = try_open(place.path()).unwrap().classes().unwrap_err();
    let path = place.path().display().to_string();
    format!("{error} | {}", error.hint().unwrap_or_default()).replace(&format!("{path}/"), "").replace(&path, "set")
}

fn json(labels: &[(&str, u32)]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "labels": labels })).unwrap()
}

#[test]
fn classes_have_names_and_counts_and_words_that_tell_them_apart() {
    let image = png(4, 4, 1);
    let set = |names: &[&str]| folder(&names.iter().map(|name| (*name, image.as_slice())).collect::<Vec<_>>());
    let of_folders = classes(set(&["dog/1.png", "cat/1.png", "cat/2.png"]).path());
    assert_eq!(
        (of_folders.names.as_slice(), of_folders.counts.as_slice()),
        (["cat", "dog"].map(str::to_owned).as_slice(), &[2, 1][..])
    );
    assert!(of_folders.fingerprint.starts_with("2 classes, contents "), "{}", of_folders.fingerprint);
    let again = classes(set(&["dog/1.png", "cat/1.png", "cat/2.png"]).path());
    assert_eq!(of_folders, again);
    let others = classes(set(&["dog/1.png", "cow/1.png", "cow/2.png"]).path());
    assert_ne!(of_folders.fingerprint, others.fingerprint);

    let labels = json(&[("a.png", 1), ("b.png", 0), ("c.png", 1)]);
    let files: Vec<(&str, &[u8])> = ["a.png", "b.png", "c.png"].map(|name| (name, image.as_slice())).to_vec();
    let numbered = classes(folder(&[files.as_slice(), &[("dataset.json", &labels)]].concat()).path());
    assert_eq!((numbered.names, numbered.counts), (vec!["0".to_owned(), "1".into()], vec![1, 2]));
    let swapped = json(&[("a.png", 0), ("b.png", 1), ("c.png", 1)]);
    let swapped = classes(folder(&[files.as_slice(), &[("dataset.json", &swapped)]].concat()).path());
    assert_ne!(numbered.fingerprint, swapped.fingerprint, "counts are the same, classes of images are not");
}

#[test]
fn names_of_idx_classes_lie_beside_their_labels() {
    let header = |magic: u32, lengths: &[u32]| {
        std::iter::once(magic).chain(lengths.iter().copied()).flat_map(u32::to_be_bytes).collect::<Vec<u8>>()
    };
    let images = [header(2051, &[3, 2, 2]), vec![9; 12]].concat();
    let labels = [header(2049, &[3]), vec![1, 0, 1]].concat();
    let place = folder(&[
        ("train-images-idx3-ubyte", &images),
        ("train-labels-idx1-ubyte", &labels),
        ("classes.json", br#"["shirt", "shoe"]"#),
    ]);
    let set = try_open(place.path()).unwrap();
    assert_eq!(set.classes().unwrap().names, ["shirt", "shoe"]);
    assert!(set.notices().iter().all(|notice| notice.matter != ganatomy_data::Matter::Beside));
    std::fs::write(place.path().join("classes.json"), "[1").unwrap();
    assert!(try_open(place.path()).err().unwrap().to_string().contains("classes.json: is not understood"));
    std::fs::remove_file(place.path().join("classes.json")).unwrap();
    assert_eq!(classes(place.path()).names, ["0", "1"]);
}

#[test]
fn what_cannot_be_learnt_by_class_says_why_and_what_to_do() {
    let image = png(4, 4, 1);
    let i = image.as_slice();
    let forms = "Put the images of each class into a folder of its own, or give the classes in dataset.json, in labels beside an IDX file, \
                 or in an array called y.";
    assert_eq!(refused(&[("a.png", i), ("b.png", i)]), format!("set: has images without classes | {forms}"));
    assert_eq!(
        refused(&[("cat/1.png", i), ("dog/1.png", i), ("x.png", i)]),
        "set: has images in the folder of no class: x.png | Move them into the folders of their classes, or out of the set."
    );
    let alone = json(&[("a.png", 0), ("b.png", 0)]);
    assert_eq!(
        refused(&[("a.png", i), ("b.png", i), ("dataset.json", &alone)]),
        "set: has images of one class alone: 0 | There is nothing to tell apart. Train without classes."
    );
    let gaps = json(&[("a.png", 9), ("b.png", 1)]);
    assert_eq!(
        refused(&[("a.png", i), ("b.png", i), ("dataset.json", &gaps)]),
        "set: has no image of some classes: 0, 2, 3, 4, 5 and 3 more | Number the classes that have images 0, 1, 2 and so on, without gaps."
    );
    let far = json(&[("a.png", u32::MAX), ("b.png", 1)]);
    assert_eq!(
        refused(&[("a.png", i), ("b.png", i), ("dataset.json", &far)]),
        "set: has the class 4294967295 (a.png); at most 10000 are learnt | Number the classes 0, 1, 2 and so on."
    );
    for name in BUILT_IN {
        let error = open(name, &Options::default()).unwrap().classes().unwrap_err();
        assert_eq!(error.to_string(), format!("{name}: has no classes"));
    }
}

#[test]
fn a_part_of_a_set_may_lack_a_class() {
    let image = png(4, 4, 1);
    let i = image.as_slice();
    let place = folder(&[("cat/1.png", i), ("cat/2.png", i), ("dog/1.png", i)]);
    let of = |range| try_open(place.path()).unwrap().only(range).unwrap().classes();
    assert!(of(0..2).unwrap_err().to_string().ends_with("has images of one class alone: cat"));
    assert_eq!(of(1..3).unwrap().counts, [1, 1]);
}
