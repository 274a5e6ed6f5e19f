//! Every primitive against finite differences in f64, first and second order.

use crate::program::Program;
use crate::{Graph, Mode, Network, NodeId, Op, Params, zoo};
use base::seed::Stream;
use tensor::{
    AxisMap, Binary, Conv, Coordinates, Device, Dim, Interpolation, PadMode, Primitive, Reduction, Tensor, Unary,
    Window,
};

/// Smooth inputs away from the kinks and poles of the operations.
fn numbers(len: usize, salt: u64) -> Vec<f64> {
    let mut stream = Stream::new(salt, "test", 0);
    (0..len).map(|_| stream.uniform(0.3, 1.2) * if stream.chance(0.5) { 1.0 } else { -1.0 }).collect()
}

fn positive(len: usize, salt: u64) -> Vec<f64> {
    numbers(len, salt).into_iter().map(f64::abs).collect()
}

fn tensor(shape: &[usize], values: Vec<f64>) -> Tensor {
    Tensor::new_f64(shape, values)
}

type Leaf = (NodeId, Tensor);

fn feeds(leaves: &[Leaf]) -> Vec<(NodeId, &Tensor)> {
    leaves.iter().map(|(id, t)| (*id, t)).collect()
}

/// `<weights, output>` for leaf values.
fn objective(program: &Program, leaves: &[Leaf], output: NodeId, weights: &[f64]) -> f64 {
    let y = program.start(&Params::default(), &feeds(leaves)).unwrap().fetch_one(output).unwrap();
    y.to_vec_f64().iter().zip(weights).map(|(a, b)| a * b).sum()
}

/// Compares the gradient of `output` with central differences, for every leaf of numbers, at some of its elements.
fn check(program: &Program, leaves: &[Leaf], output: NodeId, salt: u64, elements: usize, tolerance: f64) {
    let numbers_of = |leaves: &[Leaf]| leaves.iter().filter(|(_, t)| t.as_indices().is_none()).cloned().collect();
    let moving: Vec<Leaf> = numbers_of(leaves);
    let wrt: Vec<NodeId> = moving.iter().map(|(id, _)| *id).collect();
    let mut derived = program.clone();
    let derivative = derived.differentiate(output, &wrt).unwrap();
    let mut run = derived.start(&Params::default(), &feeds(leaves)).unwrap();
    let shape = run.shape(output).to_vec();
    let weights = numbers(shape.iter().product(), salt);
    run.feed(derivative.cotangent, &tensor(&shape, weights.clone())).unwrap();
    for ((leaf, value), gradient) in moving.iter().zip(&derivative.gradients) {
        let got = match gradient {
            Some(id) => run.fork().fetch_one(*id).unwrap(),
            None => value.full_like(value.shape(), 0.0),
        };
        assert_eq!(got.shape(), value.shape());
        let (got, values) = (got.to_vec_f64(), value.to_vec_f64());
        for i in (0..values.len()).step_by(values.len().div_ceil(elements)) {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let changed = tensor(value.shape(), changed);
                let leaves: Vec<Leaf> =
                    leaves.iter().map(|(id, t)| (*id, if id == leaf { changed.clone() } else { t.clone() })).collect();
                objective(program, &leaves, output, &weights)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            let name = (&program.nodes[output].label, &program.nodes[*leaf].label);
            assert!(
                (got[i] - expected).abs() < tolerance * (1.0 + expected.abs()),
                "{name:?}[{i}]: {} for {expected}",
                got[i]
            );
        }
    }
}

/// Checks the gradient of `output`, then the gradient of each of its gradients.
fn check_twice(program: &Program, leaves: &[Leaf], output: NodeId) {
    check(program, leaves, output, 17, usize::MAX, 1e-6);
    let moving = leaves.iter().filter(|(_, t)| t.as_indices().is_none());
    let wrt: Vec<NodeId> = moving.map(|(id, _)| *id).collect();
    let mut derived = program.clone();
    let derivative = derived.differentiate(output, &wrt).unwrap();
    let run = derived.start(&Params::default(), &feeds(leaves)).unwrap();
    let shape = run.shape(output).to_vec();
    drop(run);
    let mut more = leaves.to_vec();
    more.push((derivative.cotangent, tensor(&shape, numbers(shape.iter().product(), 23))));
    for gradient in derivative.gradients.into_iter().flatten() {
        check(&derived, &more, gradient, 29, usize::MAX, 1e-6);
    }
}

/// Something fed of a fixed shape.
fn leaf(program: &mut Program, values: Tensor) -> Leaf {
    let dims = values.shape().iter().map(|&length| Dim::Fixed(length)).collect();
    (program.fed(format!("leaf{}", program.nodes.len()), dims), values)
}

/// One primitive over numbers of given shapes, made by `draw`.
fn check_with(primitive: impl Into<Primitive>, shapes: &[&[usize]], draw: fn(usize, u64) -> Vec<f64>) {
    let mut program = Program::empty();
    let leaves: Vec<Leaf> = shapes
        .iter()
        .enumerate()
        .map(|(k, shape)| leaf(&mut program, tensor(shape, draw(shape.iter().product(), k as u64))))
        .collect();
    let inputs: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let primitive = primitive.into();
    let output = program.push(format!("{primitive:?}"), primitive, &inputs).unwrap();
    check_twice(&program, &leaves, output);
}

fn check_op(primitive: impl Into<Primitive>, shapes: &[&[usize]]) {
    check_with(primitive, shapes, numbers);
}

fn fixed(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&length| Dim::Fixed(length)).collect()
}

#[test]
fn functions_of_one_element() {
    let x: &[usize] = &[2, 3, 2, 2];
    for &function in Unary::EXAMPLES {
        if matches!(function, Unary::Sqrt | Unary::Log) {
            check_with(function, &[x], positive);
        } else {
            check_op(function, &[x]);
        }
    }
    check_op(Unary::LeakyRelu { slope: -0.5 }, &[x]);
    check_op(Unary::Clamp { min: -0.7, max: 0.6 }, &[x]);
}

#[test]
fn functions_of_two_elements_broadcast() {
    let x: &[usize] = &[2, 3, 2, 2];
    for &function in Binary::EXAMPLES {
        let draw = if function == Binary::Pow { positive } else { numbers };
        for (a, b) in [(x, x), (x, &[3, 1, 1][..]), (&[2, 1, 1, 2], x), (&[], x), (&[2, 1, 2], &[3, 1])] {
            check_with(function, &[a, b], draw);
        }
    }
    check_op(Primitive::Select, &[x, x, x]);
    check_op(Primitive::Select, &[&[3, 1, 1], x, &[2]]);
}

#[test]
fn reductions_and_shapes() {
    let x: &[usize] = &[2, 3, 2, 2];
    for reduction in [Reduction::Sum, Reduction::Max, Reduction::Min] {
        for axes in [vec![1, 3], vec![0], vec![0, 2, 3], vec![0, 1, 2, 3], vec![]] {
            check_op(Primitive::Reduce { reduction, axes }, &[x]);
        }
    }
    check_op(Primitive::DivideByCount { count: Dim::Fixed(6), minus: 1 }, &[x]);
    check_op(Primitive::Broadcast { shape: fixed(&[4, 2, 3, 2, 2]) }, &[&[2, 1, 2, 1]]);
    check_op(Primitive::Permute { axes: vec![2, 0, 3, 1] }, &[x]);
    check_op(Primitive::Reshape { shape: fixed(&[6, 4]) }, &[x]);
    check_op(Primitive::Slice { axis: 1, start: 2, step: -2, length: 2 }, &[x]);
    check_op(Primitive::Embed { axis: 1, start: 1, step: 2, length: 7, value: 0.4 }, &[x]);
    check_op(Primitive::Concat { axis: 1 }, &[x, &[2, 1, 2, 2], x]);
}

#[test]
fn squares_about_the_mean() {
    let mut program = Program::empty();
    let shape = [2, 3, 2, 2];
    let x = leaf(&mut program, tensor(&shape, numbers(24, 1)));
    let axes = vec![0, 2, 3];
    let sum = program.push("sum", Primitive::sum(axes.clone()), &[x.0]).unwrap();
    let mean = program.push("mean", Primitive::DivideByCount { count: Dim::Fixed(8), minus: 0 }, &[sum]).unwrap();
    let squares = program.push("squares", Primitive::CentredSquares { axes }, &[x.0, mean]).unwrap();
    check_twice(&program, &[x], squares);
}

#[test]
fn gathering() {
    for (axis, indices) in [(0, vec![1, 0, 1, -1]), (2, vec![3, 3, -4, 0])] {
        let mut program = Program::empty();
        let x = leaf(&mut program, tensor(&[2, 3, 4], numbers(24, 1)));
        let indices = leaf(&mut program, Tensor::indices(&[2, 2], indices));
        let output = program.push("gather", Primitive::Gather { axis }, &[x.0, indices.0]).unwrap();
        check_twice(&program, &[x, indices], output);
    }
}

#[test]
fn products() {
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let (a, b): ([usize; 2], [usize; 2]) = (if ta { [4, 3] } else { [3, 4] }, if tb { [2, 4] } else { [4, 2] });
        check_op(Primitive::mat_mul(ta, tb), &[&a, &b]);
        let wide = |shape: [usize; 2], before: &[usize]| [before, &shape].concat();
        check_op(Primitive::mat_mul(ta, tb), &[&wide(a, &[2, 1]), &wide(b, &[3])]);
    }
}

#[test]
fn convolutions() {
    let conv = |stride, padding, dilation| Conv { dilation: [dilation; 2], ..Conv::new(stride, padding) };
    let odd = Conv { stride: [2, 1], padding: [[0, 1], [2, 0]], dilation: [1, 2], groups: 1 };
    for c in [conv(1, 1, 1), conv(2, 1, 1), conv(1, 2, 2), conv(3, 0, 1), odd] {
        check_op(Primitive::Conv2d { conv: c }, &[&[2, 2, 5, 4], &[3, 2, 3, 2], &[3]]);
        let (x, w): ([usize; 4], [usize; 4]) = ([2, 2, 3, 4], [2, 3, 4, 3]);
        let size = c.transposed_output([3, 4], [4, 3], [0, 0]).unwrap();
        check_op(Primitive::ConvTranspose2d { conv: c, size }, &[&x, &w, &[3]]);
        let [oh, ow] = c.output([5, 5], [4, 3]).unwrap();
        check_op(Primitive::ConvWeight { conv: c, kernel: [4, 3] }, &[&[2, 2, 5, 5], &[2, 3, oh, ow]]);
    }
    let grouped = conv(1, 1, 1).grouped(2);
    check_op(Primitive::Conv2d { conv: grouped }, &[&[2, 4, 3, 3], &[6, 2, 3, 3], &[6]]);
    check_op(Primitive::ConvTranspose2d { conv: grouped, size: [3, 3] }, &[&[2, 4, 3, 3], &[4, 3, 3, 3], &[6]]);
    check_op(Primitive::ConvWeight { conv: grouped, kernel: [3, 3] }, &[&[2, 4, 3, 3], &[2, 6, 3, 3]]);
    let c = conv(2, 1, 1);
    check_op(Primitive::ConvTranspose2d { conv: c, size: [6, 6] }, &[&[1, 2, 3, 3], &[2, 1, 3, 3]]);
}

#[test]
fn windows_and_maps_along_an_axis() {
    let window = Window { size: [2, 3], stride: [2, 1], padding: [[0, 1], [1, 1]], dilation: [1, 1] };
    let x: &[usize] = &[2, 2, 5, 4];
    check_op(Primitive::WindowMax { window }, &[x, x]);
    check_op(Primitive::WindowMaxAdjoint { window }, &[&[2, 2, 3, 4], x]);
    let half = Coordinates::HalfPixel { scale: None };
    let cubic = Interpolation::Cubic { a: -0.75, antialias: true, exclude_outside: false, edge: false };
    for map in [
        AxisMap::Repeat { factor: 3 },
        AxisMap::Average { size: 2, stride: 2, padding: [1, 0], count_padding: false },
        AxisMap::Filter { taps: vec![0.5, 1.0, 0.25], up: 2, down: 3, padding: [1, 2] },
        AxisMap::Resize { length: 3, coordinates: half, interpolation: cubic },
        AxisMap::Pad { padding: [2, 1], mode: PadMode::Reflect },
        AxisMap::Cumulative { exclusive: true, reverse: false },
    ] {
        for axis in [0, 2, 3] {
            let fits = x[axis] > 2;
            let x = if fits { x } else { &[3, 1, 2, 2] };
            let length = map.output(x[axis]).unwrap();
            check_op(Primitive::Along { axis, map: map.clone() }, &[x]);
            let mut y = x.to_vec();
            y[axis] = length;
            check_op(Primitive::AlongAdjoint { axis, map: map.clone(), length: x[axis] }, &[&y]);
        }
    }
}

/// A whole network in f64: input and trainable parameters, then what does not train.
fn leaves_of(network: &Network, program: &Program, batch: usize) -> (Vec<Leaf>, Vec<Leaf>) {
    let shape = [&[batch][..], &network.input_shape()].concat();
    let input = program.input().unwrap();
    let mut leaves = vec![(input, tensor(&shape, numbers(shape.iter().product(), 5)))];
    let mut state = Vec::new();
    for (place, (&id, t)) in program.params().iter().zip(network.params.tensors()).enumerate() {
        let values = t.to_vec_f64();
        if program.trainable().contains(&place) {
            let noise = numbers(t.len(), id as u64).into_iter().map(|v| 0.1 * v);
            leaves.push((id, tensor(t.shape(), values.iter().zip(noise).map(|(a, b)| a + b).collect())));
        } else {
            state.push((id, tensor(t.shape(), values)));
        }
    }
    (leaves, state)
}

/// The gradient of a network's output by everything that trains.
fn check_network(graph: Graph, mode: Mode) {
    let network = Network::initial(graph, 1, "weights", &Device::cpu());
    let program = Program::new(&network.graph, mode).unwrap();
    let (leaves, state) = leaves_of(&network, &program, 3);
    // State (running statistics, singular vectors) becomes parameters, whose gradients are not asked for.
    let tensors = program.params().iter().map(|id| leaves.iter().chain(&state).find(|(leaf, _)| leaf == id).unwrap());
    let params = Params::new(tensors.map(|(_, t)| t.clone()).collect());
    let output = program.output();
    let wrt: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let mut derived = program.clone();
    let derivative = derived.differentiate(output, &wrt).unwrap();
    let mut run = derived.start(&params, &[(leaves[0].0, &leaves[0].1)]).unwrap();
    let shape = run.shape(output).to_vec();
    let weights = numbers(shape.iter().product(), 3);
    run.feed(derivative.cotangent, &tensor(&shape, weights.clone())).unwrap();
    for ((leaf, value), gradient) in leaves.iter().zip(&derivative.gradients) {
        let got = run.fork().fetch_one(gradient.unwrap()).unwrap().to_vec_f64();
        let values = value.to_vec_f64();
        for i in (0..values.len()).step_by(values.len().div_ceil(6)) {
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let changed = tensor(value.shape(), changed);
                let mut fed = vec![(leaves[0].0, &leaves[0].1)];
                fed.retain(|(id, _)| id != leaf);
                fed.push((*leaf, &changed));
                let y = program.start(&params, &fed).unwrap().fetch_one(output).unwrap();
                y.to_vec_f64().iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>()
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let name = &program.nodes[*leaf].label;
            let close = (got[i] - expected).abs() < 1e-5 * (1.0 + expected.abs());
            assert!(close, "{name}[{i}]: {} for {expected}", got[i]);
        }
    }
}

#[test]
fn gradients_of_whole_networks_agree_with_finite_differences() {
    use zoo::{DcganDiscriminator, DcganGenerator, GeneratorStart, Norm};
    let generator =
        |norm, start, extra| DcganGenerator { size: [8; 2], channels: 1, latent: 3, width: 2, norm, start, extra };
    check_network(zoo::dcgan_generator(generator(Norm::Batch, GeneratorStart::Deconvolution, true)), Mode::Training);
    check_network(zoo::dcgan_generator(generator(Norm::Batch, GeneratorStart::Linear, true)), Mode::Inference);
    check_network(zoo::dcgan_generator(generator(Norm::Pixel, GeneratorStart::Linear, false)), Mode::Training);
    for (norm, minibatch_std) in [(Norm::Batch, false), (Norm::None, true), (Norm::Batch, true)] {
        let d = DcganDiscriminator { size: [16; 2], channels: 2, width: 2, norm, minibatch_std };
        check_network(zoo::dcgan_discriminator(d), Mode::Training);
    }
    // With stored singular vectors: while the power iteration moves them, the difference quotient moves them too.
    let d = DcganDiscriminator { size: [8; 2], channels: 1, width: 2, norm: Norm::Spectral, minibatch_std: false };
    check_network(zoo::dcgan_discriminator(d), Mode::Inference);
    check_network(zoo::residual_generator([8; 2], 1, 3, 2, Norm::Batch), Mode::Training);
    check_network(zoo::residual_discriminator([16; 2], 1, 2, Norm::None), Mode::Training);
    check_network(zoo::progan_generator([8; 2], 1, 3, 2), Mode::Training);
    check_network(zoo::progan_discriminator([8; 2], 1, 2), Mode::Training);
}

/// The squared norm of D's input gradient, differentiated by D's parameters: what WGAN-GP, R1 and R2 need, with batch norm
/// in D.
#[test]
fn a_gradient_penalty_is_exact_with_batch_norm() {
    let d =
        zoo::DcganDiscriminator { size: [16; 2], channels: 1, width: 2, norm: zoo::Norm::Batch, minibatch_std: true };
    let network = Network::initial(zoo::dcgan_discriminator(d), 1, "weights", &Device::cpu());
    let mut program = Program::new(&network.graph, Mode::Training).unwrap();
    let (leaves, state) = leaves_of(&network, &program, 3);
    let first = program.differentiate(program.output(), &[leaves[0].0]).unwrap();
    let gradient = first.gradients[0].unwrap();
    let squares = program.push("gp/squares", Binary::Mul, &[gradient, gradient]).unwrap();
    let penalty = program.push("gp/penalty", Primitive::sum([0, 1, 2, 3]), &[squares]).unwrap();
    let base = program.clone();
    let wrt: Vec<NodeId> = leaves.iter().skip(1).map(|(id, _)| *id).collect();
    let second = program.differentiate(penalty, &wrt).unwrap();
    let ones = (first.cotangent, tensor(&[3, 1], vec![1.0; 3]));
    let all: Vec<Leaf> = leaves.iter().chain(&state).cloned().chain([ones]).collect();
    let mut run = program.start(&Params::default(), &feeds(&all)).unwrap();
    run.feed(second.cotangent, &tensor(&[1, 1, 1, 1], vec![1.0])).unwrap();
    let mut compared = 0;
    for ((leaf, value), gradient) in leaves.iter().skip(1).zip(&second.gradients) {
        // The last bias moves no input gradient.
        let Some(gradient) = gradient else { continue };
        let got = run.fork().fetch_one(*gradient).unwrap().to_vec_f64();
        let values = value.to_vec_f64();
        for i in (0..values.len()).step_by(values.len().div_ceil(5)) {
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let changed = tensor(value.shape(), changed);
                let leaves: Vec<Leaf> =
                    all.iter().map(|(id, t)| (*id, if id == leaf { changed.clone() } else { t.clone() })).collect();
                objective(&base, &leaves, penalty, &[1.0])
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let name = &base.nodes[*leaf].label;
            let close = (got[i] - expected).abs() < 1e-5 * (1.0 + expected.abs());
            assert!(close, "{name}[{i}]: {} for {expected}", got[i]);
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn frozen_parameters_cost_nothing() {
    let d =
        zoo::DcganDiscriminator { size: [16; 2], channels: 1, width: 2, norm: zoo::Norm::Batch, minibatch_std: false };
    let mut program = Program::new(&zoo::dcgan_discriminator(d), Mode::Training).unwrap();
    let input = program.input().unwrap();
    program.differentiate(program.output(), &[input]).unwrap();
    assert!(!program.primitives().any(|primitive| matches!(primitive, Primitive::ConvWeight { .. })));
}

/// Names of nodes are the user's: an inner part of a layer never takes one.
#[test]
fn a_layer_and_a_node_called_like_its_part_are_two() {
    let mut graph = Graph::default();
    let x = graph.push("x", Op::input(&[2, 4, 4]), &[]);
    let norm = graph.push("a", Op::PixelNorm { epsilon: 1e-8 }, &[x]);
    let sum = graph.push("a/sum", Binary::Add, &[norm, x]);
    graph.push("a/squares", Binary::Mul, &[sum, sum]);
    let network = Network::initial(graph, 0, "weights", &Device::cpu());
    let one = Tensor::new(&[1, 2, 4, 4], vec![1.0; 32], &Device::cpu());
    assert!(network.forward(&one, &[]).unwrap().to_vec().iter().all(|v| (v - 4.0).abs() < 1e-5));
}
