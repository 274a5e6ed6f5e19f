use super::*;
use crate::Segment;
use data::Class;
use net::{Conv, Device};

const SIDE: usize = 8;

fn plane(names: &[&str]) -> Plane {
    let classes = names.iter().map(|&name| Class { name: name.into(), colour: [0; 3] }).collect();
    Plane { name: "objects".into(), classes, ignore: None }
}

/// A network whose logits are its input's three channels, at half the size where `halved`.
fn echo(channels: usize, halved: bool) -> Network {
    let mut graph = Graph::default();
    let pixels = graph.push("pixel_values", Op::input(&[channels, SIDE, SIDE]), &[]);
    let weight = Op::Param { shape: vec![3, channels, 1, 1], init: Init::Constant(0.0), trainable: true };
    let weight = graph.push("weight", weight, &[]);
    let conv = Conv { stride: [if halved { 2 } else { 1 }; 2], ..Conv::new(1, 0) };
    graph.push("out", Op::conv2d(conv), &[pixels, weight]);
    let values = (0..3 * channels).map(|i| if i / channels == i % channels { 1.0 } else { 0.0 }).collect();
    let params = Params::new(vec![Tensor::new(&[3, channels, 1, 1], values, &Device::cpu())]);
    Network { graph: Arc::new(graph), params, notes: vec![("names".into(), "{0: 'r', 1: 'g', 2: 'b'}".into())] }
}

/// An image of one colour.
fn flat(colour: [f32; 3], side: usize) -> Tensor {
    let values = colour.iter().flat_map(|&value| vec![value; side * side]).collect();
    Tensor::new(&[1, 3, side, side], values, &Device::cpu())
}

fn first_logits(segmenter: &Segmenter, image: &Tensor) -> [f32; 3] {
    let logits = segmenter.logits(image).unwrap();
    let area = logits.shape()[2] * logits.shape()[3];
    let logits = logits.to_vec();
    [0, 1, 2].map(|class| logits[class * area])
}

fn near(found: [f32; 3], expected: [f64; 3]) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((f64::from(found) - expected).abs() < 1e-4, "{found} for {expected}");
    }
}

#[test]
fn images_are_brought_to_what_the_network_reads() {
    let (network, rgb) = (echo(3, false), plane(&["r", "g", "b"]));
    let colour = [-1.0, 0.0, 1.0];
    let of = |reads: &Reads| {
        let segmenter = Segmenter::of_others(&network, rgb.clone(), reads, None).unwrap();
        first_logits(&segmenter, &flat(colour, SIDE))
    };
    near(of(&Reads::HERE), [-1.0, 0.0, 1.0]);
    near(of(&Reads::image_net()), [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1.0 - 0.406) / 0.225]);
    // Means as of bytes, and blue first.
    let bytes = Reads { blue_first: true, ..Reads::normalised(vec![100.0, 110.0, 120.0], vec![50.0]) };
    assert_eq!(bytes.range, [0.0, 255.0]);
    near(of(&bytes), [(255.0 - 100.0) / 50.0, (127.5 - 110.0) / 50.0, -120.0 / 50.0]);
}

#[test]
fn sizes_and_channels_are_bridged_and_the_file_is_a_segmenter() {
    let size = Some([1, 12, 20]);
    let network = echo(3, true);
    let segmenter = Segmenter::of_others(&network, plane(&["r", "g", "b"]), &Reads::HERE, size).unwrap();
    assert_eq!(segmenter.image_shape(), [1, 12, 20]);
    // A grey picture, dark to the left: what was learnt of it is at the same place in the logits.
    let values = (0..240).map(|i| if i % 20 < 10 { -1.0 } else { 1.0 }).collect();
    let logits = segmenter.logits(&Tensor::new(&[1, 1, 12, 20], values, &Device::cpu())).unwrap();
    assert_eq!(logits.shape(), [1, 3, 12, 20]);
    let logits = logits.to_vec();
    assert!(logits[2] < -0.9 && logits[17] > 0.9, "{} {}", logits[2], logits[17]);
    let bytes = segmenter.to_bytes(net::Storage::F32).unwrap();
    let read = Segmenter::from_bytes(&bytes, "s".as_ref(), &Device::cpu()).unwrap();
    assert_eq!((read.planes(), read.image_shape()), (segmenter.planes(), [1, 12, 20]));
    let graph = &read.network().graph;
    assert_eq!(graph.node(graph.inputs()[0]).name, "pixel_values");
    assert!(graph.find("pixel_values.normalised").is_ok());
}

#[test]
fn one_logit_is_that_of_the_second_class() {
    let mut graph = Graph::default();
    let image = graph.push("image", Op::input(&[1, 4, 4]), &[]);
    graph.push("out", Unary::Scale { factor: 3.0 }, &[image]);
    let network = Network { graph: Arc::new(graph), params: Params::new(Vec::new()), notes: Vec::new() };
    let segmenter = Segmenter::of_others(&network, plane(&["back", "front"]), &Reads::HERE, None).unwrap();
    let values: Vec<f32> = (0..16).map(|i| if i < 8 { -0.5 } else { 0.5 }).collect();
    let maps = segmenter.segment(&Tensor::new(&[1, 1, 4, 4], values, &Device::cpu())).unwrap();
    assert_eq!(maps[0][0].classes, [[0; 8], [1; 8]].concat());
}

#[test]
fn notes_of_exporting_programs_are_understood() {
    let notes = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    };
    let classes = classes_of_notes(&echo(3, false).notes).unwrap().unwrap();
    assert_eq!(classes.classes[2].name, "b");
    assert!(classes_of_notes(&notes(&[("author", "x")])).unwrap().is_none());
    let reads = |pairs: &[(&str, &str)]| Reads::of_notes(&notes(pairs));
    assert_eq!(reads(&[("author", "x")]).unwrap(), None);
    let usual = [("mean", "[0.485, 0.456, 0.406]"), ("std", "(0.229,0.224,0.225)"), ("input_space", "RGB")];
    assert_eq!(reads(&usual).unwrap(), Some(Reads::image_net()));
    let bgr = reads(&[("range", "0..255"), ("input_space", "BGR")]).unwrap().unwrap();
    assert_eq!((bgr.range, bgr.blue_first), ([0.0, 255.0], true));
    assert_eq!(reads(&[("mean", "a, 1")]).unwrap_err().to_string(), "mean: \"a\" is no number");
    assert_eq!(reads(&[("range", "1")]).unwrap_err().to_string(), "range: is not two numbers");
}

#[test]
fn what_is_no_segmenter_says_why() {
    let refused = |network: &Network, names: &[&str], reads: &Reads| {
        Segmenter::of_others(network, plane(names), reads, None).unwrap_err().to_string()
    };
    let echo = echo(3, false);
    assert_eq!(refused(&echo, &["a"], &Reads::HERE), "segmenter: gives [3, 8, 8]; its 1 classes need [1, 8, 8]");
    let three = &["r", "g", "b"];
    let two = Reads { mean: vec![0.0; 2], ..Reads::HERE };
    assert_eq!(refused(&echo, three, &two), "mean: 2 numbers for 3 channels");
    let none = Reads { deviation: vec![0.0], ..Reads::HERE };
    assert_eq!(refused(&echo, three, &none), "std: has a 0, by which nothing can be divided");
    let latent = Network { graph: Arc::new(Graph::default()), params: Params::new(Vec::new()), notes: Vec::new() };
    assert!(refused(&latent, three, &Reads::HERE).starts_with("segmenter: reads 0 inputs"));
}
