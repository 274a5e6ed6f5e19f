//! The loader's promises: an order that depends on the seed alone, and a position that is all of its state.

#![allow(clippy::unwrap_used)]

use base::npy::{Array, Elements};
use ganatomy_data::{Batch, Dataset, Loader, LoaderOptions, Options, Size, open};
use std::sync::Arc;

/// 23 images whose pixels all differ.
fn numbered(flip: bool) -> Arc<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    Array { shape: vec![23, 1, 5], data: Elements::U8((0..115).collect()) }.write(&path).unwrap();
    Arc::new(open(path.to_str().unwrap(), &Options { flip, ..Options::default() }).unwrap())
}

fn loader(set: &Arc<Dataset>, workers: usize) -> Loader {
    let options = LoaderOptions { seed: 5, workers, maps: true, ..LoaderOptions::default() };
    Loader::new(Arc::clone(set), options).unwrap()
}

fn batches(loader: &mut Loader, sizes: &[usize]) -> Vec<Batch> {
    sizes.iter().map(|&n| loader.next_batch(n).unwrap()).collect()
}

#[test]
fn one_and_eight_workers_deliver_the_same() {
    let scenes =
        Arc::new(open("scenes", &Options { size: Some(Size::square(32)), flip: true, ..Options::default() }).unwrap());
    let ring = Arc::new(open("ring8", &Options::default()).unwrap());
    for set in [&numbered(true), &scenes, &ring] {
        let sizes = [1, 7, 30, 2];
        assert_eq!(batches(&mut loader(set, 1), &sizes), batches(&mut loader(set, 8), &sizes));
    }
}

#[test]
fn a_resumed_loader_goes_on_as_if_nothing_had_happened() {
    let set = numbered(true);
    let mut whole = loader(&set, 3);
    batches(&mut whole, &[40]);
    assert_eq!(whole.position(), 40);
    let rest = batches(&mut whole, &[9, 9, 9]);
    let mut resumed = loader(&set, 2);
    batches(&mut resumed, &[3]);
    resumed.seek(40);
    assert_eq!(batches(&mut resumed, &[9, 9, 9]), rest);
    resumed.seek(40);
    assert_eq!(batches(&mut resumed, &[9]), rest[..1]);
}

#[test]
fn an_epoch_delivers_every_item_once_whatever_the_batches() {
    let set = numbered(false);
    let order = |sizes: &[usize]| {
        batches(&mut loader(&set, 2), sizes).into_iter().flat_map(|b| b.indices).collect::<Vec<u64>>()
    };
    let mut epoch = order(&[23]);
    assert_eq!(order(&[5, 5, 5, 8]), epoch);
    assert_eq!(order(&[30])[..23], epoch);
    epoch.sort_unstable();
    assert_eq!(epoch, (0..23).collect::<Vec<u64>>());
}

#[test]
fn flips_mirror_about_half_of_the_images_and_nothing_else() {
    let (plain, flipped) = (numbered(false), numbered(true));
    let (plain, flipped) = (loader(&plain, 2).next_batch(460).unwrap(), loader(&flipped, 2).next_batch(460).unwrap());
    let mut mirrored = 0;
    for (a, b) in plain.data.as_chunks::<5>().0.iter().zip(flipped.data.as_chunks::<5>().0) {
        let mut back = *b;
        back.reverse();
        assert!(a == b || *a == back);
        mirrored += u32::from(*a == back);
    }
    assert!((180..280).contains(&mirrored), "{mirrored}");
}

#[test]
fn shapes_labels_and_maps_of_a_batch() {
    let points = loader(&Arc::new(open("grid25", &Options::default()).unwrap()), 2).next_batch(6).unwrap();
    assert_eq!((points.shape, points.data.len()), (vec![6, 2], 12));
    let set =
        Arc::new(open("scenes", &Options { size: Some(Size::square(32)), flip: true, ..Options::default() }).unwrap());
    let scenes = loader(&set, 2).next_batch(6).unwrap();
    assert_eq!(scenes.shape, [6, 3, 32, 32]);
    assert!(scenes.data.iter().all(|v| (-1.0..=1.0).contains(v)));
    assert_eq!(scenes.maps.iter().map(Vec::len).collect::<Vec<_>>(), [6 * 32 * 32; 2]);
    assert_eq!(scenes.indices, [0, 1, 2, 3, 4, 5]);
    // A mirrored image has mirrored maps: each row of the maps is that of the scene, as it is or from the right.
    for (index, map) in set.maps(3).unwrap().iter().enumerate() {
        let got = &scenes.maps[index][3 * 1024..4 * 1024];
        assert!(got == map.classes || got == map.clone().flipped().classes);
    }
}

#[test]
fn a_broken_image_stops_the_loader_with_its_name_and_not_with_a_hang() {
    let folder = tempfile::tempdir().unwrap();
    let good = ganatomy_data::pictures::png(&ganatomy_data::Image::filled(4, 4, [9; 3])).unwrap();
    for k in 0..10 {
        let bytes: &[u8] = if k == 6 { b"broken" } else { &good };
        std::fs::write(folder.path().join(format!("{k}.png")), bytes).unwrap();
    }
    let set = Arc::new(open(folder.path().to_str().unwrap(), &Options::default()).unwrap());
    let mut loader = loader(&set, 3);
    for _ in 0..3 {
        let error = loader.next_batch(10).unwrap_err().to_string();
        assert!(error.contains("6.png: is a text file, not an image"), "{error}");
        assert_eq!(loader.position(), 0);
    }
}
