use super::*;
use base::seed::Stream;
use data::Class;
use net::{Conv, Graph, Init, Op, Primitive, Unary};

const SHAPE: [usize; 3] = [2, 4, 5];

fn planes() -> Vec<Plane> {
    let class = |name: &str| Class { name: name.into(), colour: [1, 2, 3] };
    vec![
        Plane { name: "objects".into(), classes: ["sky", "tree", "road"].map(class).to_vec(), ignore: None },
        Plane { name: "parts".into(), classes: ["none", "crown"].map(class).to_vec(), ignore: Some(0) },
    ]
}

/// A 3x3 convolution, tanh and a 1x1 convolution to `classes` maps: smooth, so that differences tell the gradient.
fn network(classes: usize) -> Network {
    let mut graph = Graph::default();
    let param = |shape: &[usize]| Op::Param { shape: shape.to_vec(), init: Init::normal(0.5), trainable: true };
    let x = graph.push("x", Op::input(&SHAPE), &[]);
    let w = graph.push("0.weight", param(&[6, 2, 3, 3]), &[]);
    let hidden = graph.push("0", Op::conv2d(Conv::new(1, 1)), &[x, w]);
    let hidden = graph.push("0.tanh", Unary::Tanh, &[hidden]);
    let w = graph.push("1.weight", param(&[classes, 6, 1, 1]), &[]);
    graph.push("logits", Op::conv2d(Conv::new(1, 0)), &[hidden, w]);
    Network::initial(graph, 1, "test", &Device::cpu())
}

fn segmenter() -> Segmenter {
    Segmenter::new(network(5), planes()).unwrap()
}

fn numbers(n: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(2, "test", index);
    (0..n).map(|_| stream.uniform(-1.0, 1.0) as f32).collect()
}

fn images(n: usize) -> Tensor {
    let [c, h, w] = SHAPE;
    Tensor::new(&[n, c, h, w], numbers(n * c * h * w, 0), &Device::cpu())
}

#[test]
fn the_largest_logit_of_each_plane_wins() {
    let (segmenter, images) = (segmenter(), images(3));
    let logits = segmenter.logits(&images).unwrap().to_vec();
    let maps = segmenter.segment(&images).unwrap();
    assert!(!segmenter.is_blind(&Device::cpu()).unwrap());
    let area = SHAPE[1] * SHAPE[2];
    for (image, maps) in maps.iter().enumerate() {
        for (start, count, map) in [(0, 3, &maps[0]), (3, 2, &maps[1])] {
            for pixel in 0..area {
                let logit = |class: usize| logits[(image * 5 + start + class) * area + pixel];
                let best = (0..count).rev().max_by(|&a, &b| logit(a).total_cmp(&logit(b))).unwrap();
                assert_eq!(usize::from(map.classes[pixel]), best);
            }
        }
    }
}

#[test]
fn ties_go_to_the_smaller_class() {
    let mut tied = segmenter();
    let mut params = tied.network().params.clone();
    params.set(1, params.tensors()[1].full_like(&[5, 6, 1, 1], 0.0));
    tied.set_params(params);
    let maps = tied.segment(&images(1)).unwrap();
    assert!(maps[0].iter().all(|map| map.classes.iter().all(|&class| class == 0)));
}

#[test]
fn the_probabilities_of_a_plane_sum_to_one_and_the_winner_has_the_largest() {
    let (segmenter, images) = (segmenter(), images(2));
    for (plane, classes) in [(0, 3), (1, 2)] {
        let scores: Vec<_> = (0..classes).map(|c| segmenter.class_probability(&images, plane, c).unwrap()).collect();
        for pixel in 0..scores[0].0.len() {
            let sum: f32 = scores.iter().map(|(p, _)| p[pixel]).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            let most = scores.iter().map(|(p, _)| p[pixel]).fold(0.0, f32::max);
            let winners: Vec<_> = scores.iter().filter(|(_, won)| won[pixel]).collect();
            assert!(winners.len() == 1 && winners[0].0[pixel] == most);
        }
    }
}

#[test]
fn the_gradient_of_a_probability_is_that_of_differences() {
    let (segmenter, images) = (segmenter(), images(2));
    let cotangent = numbers(2 * 20, 7);
    let score = |images: &Tensor, plane, class| {
        let (p, _) = segmenter.class_probability(images, plane, class).unwrap();
        p.iter().zip(&cotangent).map(|(&p, &c)| f64::from(p) * f64::from(c)).sum::<f64>()
    };
    for (plane, class) in [(0, 0), (0, 2), (1, 1)] {
        let (same, gradient) = segmenter.class_gradient(&images, plane, class, &cotangent).unwrap();
        assert_eq!(same, segmenter.class_probability(&images, plane, class).unwrap().0);
        let gradient = gradient.to_vec();
        let x = images.to_vec();
        for i in (0..x.len()).step_by(7) {
            let moved = |step: f32| {
                let mut x = x.clone();
                x[i] += step;
                score(&Tensor::new(images.shape(), x, &Device::cpu()), plane, class)
            };
            let step = 0.01;
            let expected = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            assert!((f64::from(gradient[i]) - expected).abs() < 2e-4, "{} {expected}", gradient[i]);
        }
    }
}

#[test]
fn an_image_has_the_same_labels_alone_and_in_a_batch() {
    let (segmenter, images) = (segmenter(), images(4));
    let together = segmenter.segment(&images).unwrap();
    for (i, maps) in together.iter().enumerate() {
        let one = |i: usize| {
            let values = images.to_vec();
            let each = values.len() / images.shape()[0];
            let shape = [&[1], &images.shape()[1..]].concat();
            Tensor::new(&shape, values[i * each..(i + 1) * each].to_vec(), &images.device())
        };
        assert_eq!(&segmenter.segment(&one(i)).unwrap()[0], maps);
    }
}

#[test]
fn a_segmenter_comes_back_from_its_file_as_it_was() {
    let segmenter = segmenter();
    let bytes = segmenter.to_bytes(Storage::F32).unwrap();
    let back = Segmenter::from_bytes(&bytes, Path::new("s"), &Device::cpu()).unwrap();
    assert_eq!((back.planes(), back.image_shape()), (&planes()[..], SHAPE));
    assert_eq!(back.segment(&images(2)).unwrap(), segmenter.segment(&images(2)).unwrap());
    assert_eq!(back.to_bytes(Storage::F32).unwrap(), bytes);
}

#[test]
fn what_is_no_segmenter_is_refused() {
    let refused = |network: &Network| {
        let bytes = network.to_bytes(Storage::F32).unwrap();
        Segmenter::from_bytes(&bytes, Path::new("s"), &Device::cpu()).unwrap_err().to_string()
    };
    let mut plain = network(5);
    assert_eq!(refused(&plain), "s: is a network, but not a segmenter: it names no classes");
    plain.notes.push((PLANES.into(), "[{\"name\": 3}]".into()));
    assert!(refused(&plain).starts_with("s: has classes that are not understood"), "{}", refused(&plain));
    let mut other = network(4);
    other.notes.push((PLANES.into(), serde_json::to_string(&planes()).unwrap()));
    assert_eq!(refused(&other), "s: is not a segmenter: it gives [4, 4, 5]; its 5 classes need [5, 4, 5]");
    assert!(Segmenter::new(network(5), Vec::new()).is_err());
}

#[test]
fn wrong_images_planes_and_classes_are_errors() {
    let segmenter = segmenter();
    let message = segmenter.segment(&images(1).reshape(&[1, 1, 8, 5])).unwrap_err().to_string();
    assert_eq!(message, "images: have shape [1, 8, 5]; this segmenter reads [2, 4, 5]");
    let score = |plane, class| segmenter.class_probability(&images(1), plane, class).unwrap_err().to_string();
    assert_eq!(score(2, 0), "plane: 2 does not exist; there are 2");
    assert_eq!(score(1, 2), "class: 2 does not exist; plane parts has 2");
    assert!(segmenter.class_gradient(&images(1), 0, 0, &[0.0]).is_err());
}

#[test]
fn results_that_are_no_maps_are_refused() {
    let refused = |network: Network| Segmenter::new(network, planes()).unwrap_err().to_string();
    let with = |op: Primitive| {
        let mut graph = Graph::clone(&network(5).graph);
        graph.push("result", op, &[graph.output()]);
        Network::initial(graph, 1, "test", &Device::cpu())
    };
    let sum = with(Primitive::sum(vec![0, 1, 2, 3]));
    assert_eq!(refused(sum), "segmenter: gives []; its 5 classes need [5, 4, 5]");
    let turned = with(Primitive::Permute { axes: vec![1, 0, 2, 3] });
    assert_eq!(refused(turned), "segmenter: gives []; its 5 classes need [5, 4, 5]");
    let mut graph = Graph::default();
    graph.push("x", Op::input(&[5, 0, 4]), &[]);
    let nothing = Network::initial(graph, 1, "test", &Device::cpu());
    assert_eq!(refused(nothing), "network: node x has the shape [n, 5, 0, 4], of which an axis has length 0");
    // A number: nothing has a first axis.
    let mut graph = Graph::default();
    let x = graph.push("x", Op::Input { shape: vec![], batch: false, role: None, law: None }, &[]);
    graph.push("y", Unary::Tanh, &[x]);
    let number = Network::initial(graph, 1, "test", &Device::cpu());
    assert_eq!(refused(number), "segmenter: reads [] instead of an image");
}
