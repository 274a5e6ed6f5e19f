//! The shipped segmenter of scenes: small, and right about scenes that it never saw.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use data::Options;
use ganatomy_shipped::Kind;
use net::Device;
use segment::{Segment, Segmenter, evaluate};
use std::path::Path;

fn segmenter() -> Segmenter {
    let shipped = ganatomy_shipped::by_name("scenes", Kind::Segmenter).unwrap();
    Segmenter::from_bytes(shipped.bytes, Path::new(shipped.name), &Device::cpu()).unwrap()
}

#[test]
fn it_is_small_and_knows_the_classes_of_scenes() {
    let bytes = ganatomy_shipped::by_name("scenes", Kind::Segmenter).unwrap().bytes.len();
    assert!(bytes <= 3_000_000, "{bytes}");
    let segmenter = segmenter();
    assert_eq!((segmenter.planes(), segmenter.image_shape()), (&data::scenes::planes()[..], [3, 64, 64]));
    assert!(segmenter.learnt_ignored(), "that there is no part is an answer");
}

#[test]
fn it_is_right_about_scenes_of_another_seed() {
    let options = Options { size: Some(data::Size::square(64)), seed: 1_000_000, ..Options::default() };
    let scenes = data::open("scenes", &options).unwrap();
    for table in evaluate(&segmenter(), &scenes, 100, false, &Device::cpu(), |_| ()).unwrap() {
        let (name, iou, accuracy) = (&table.plane().name, table.mean_iou(), table.accuracy());
        println!("{name}: mean IoU {iou:.4}, pixel accuracy {accuracy:.4}");
        let least = if name == "objects" { 0.97 } else { 0.94 };
        assert!(iou > least && accuracy > 0.97, "{name}: {iou} {accuracy}");
    }
}
