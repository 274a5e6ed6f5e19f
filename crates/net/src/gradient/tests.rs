//! Every primitive against finite differences in f64, first and second order, and against Burn's autodiff in f32.

use crate::{Conv, Device, Graph, Init, Mode, Network, NodeId, Op, Params, Run, Tensor, zoo};
use base::seed::Stream;

/// Smooth inputs away from the kinks and poles of the operations.
fn numbers(len: usize, salt: u64) -> Vec<f64> {
    let mut stream = Stream::new(salt, "test", 0);
    (0..len).map(|_| stream.uniform(0.3, 1.2) * if stream.chance(0.5) { 1.0 } else { -1.0 }).collect()
}

fn positive(len: usize, salt: u64) -> Vec<f64> {
    numbers(len, salt).into_iter().map(f64::abs).collect()
}

fn tensor(shape: &[usize], values: Vec<f64>) -> Tensor {
    Tensor::new_f64(shape, values, &Device::cpu())
}

/// `<weights, output>` for leaf values.
fn objective(graph: &Graph, feeds: &[(NodeId, Tensor)], output: NodeId, weights: &[f64]) -> f64 {
    let feeds: Vec<(NodeId, &Tensor)> = feeds.iter().map(|(id, t)| (*id, t)).collect();
    let y = Run::new(graph, &Params::default(), &feeds).unwrap().fetch(&[output]).unwrap().remove(0);
    y.to_vec_f64().iter().zip(weights).map(|(a, b)| a * b).sum()
}

/// Compares the gradient graph of `output` with central differences, for every leaf.
fn check(graph: &Graph, leaves: &[(NodeId, Tensor)], output: NodeId, salt: u64) {
    let wrt: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let mut derived = graph.clone();
    let derivative = derived.differentiate(output, &wrt).unwrap();
    let feeds: Vec<(NodeId, &Tensor)> = leaves.iter().map(|(id, t)| (*id, t)).collect();
    let mut run = Run::new(&derived, &Params::default(), &feeds).unwrap();
    let shape = run.shape(output).to_vec();
    let weights = numbers(shape.iter().product(), salt);
    run.feed(derivative.cotangent, &tensor(&shape, weights.clone())).unwrap();
    for ((leaf, value), gradient) in leaves.iter().zip(&derivative.gradients) {
        let got = match gradient {
            Some(id) => run.fork().fetch(&[*id]).unwrap().remove(0).to_vec_f64(),
            None => vec![0.0; value.len()],
        };
        let values = value.to_vec_f64();
        for i in 0..values.len() {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let feeds: Vec<_> = leaves
                    .iter()
                    .map(|(id, t)| (*id, if id == leaf { tensor(&value.shape(), changed.clone()) } else { t.clone() }))
                    .collect();
                objective(graph, &feeds, output, &weights)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            let name = (&graph.node(output).name, &graph.node(*leaf).name);
            assert!(
                (got[i] - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                "{name:?}[{i}]: {} for {expected}",
                got[i]
            );
        }
    }
}

/// Checks the gradient of `output`, then the gradient of each of its gradients.
fn check_twice(graph: &Graph, leaves: &[(NodeId, Tensor)], output: NodeId) {
    check(graph, leaves, output, 17);
    let wrt: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let mut derived = graph.clone();
    let derivative = derived.differentiate(output, &wrt).unwrap();
    let batch = leaves[0].1.shape()[0];
    let shape = derived.shapes(batch).unwrap()[output].clone();
    let mut more = leaves.to_vec();
    more.push((derivative.cotangent, tensor(&shape, numbers(shape.iter().product(), 23))));
    for gradient in derivative.gradients.into_iter().flatten() {
        check(&derived, &more, gradient, 29);
    }
}

/// One operation over leaves of given shapes.
fn check_op(op: Op, shapes: &[&[usize]], like: Option<&[usize]>) {
    let mut graph = Graph::default();
    let mut leaves = Vec::new();
    let is_root = matches!(op, Op::Sqrt);
    for (k, shape) in shapes.iter().enumerate() {
        let op = Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true };
        let id = graph.push(format!("leaf{k}"), op, &[]);
        let len = shape.iter().product();
        leaves.push((id, tensor(shape, if is_root { positive(len, k as u64) } else { numbers(len, k as u64) })));
    }
    let inputs: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let like = like.map(|shape| {
        graph.push("like", Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: false }, &[])
    });
    let output = graph.push_like("output", op, &inputs, like);
    check_twice(&graph, &leaves, output);
}

#[test]
fn every_primitive_agrees_with_finite_differences_to_second_order() {
    let conv = |stride, padding, dilation| Conv { stride, padding, dilation };
    for c in [conv(1, 1, 1), conv(2, 1, 1), conv(1, 2, 2), conv(3, 0, 1)] {
        check_op(Op::Conv2d { conv: c }, &[&[2, 2, 5, 4], &[3, 2, 3, 2], &[3]], None);
        check_op(Op::ConvTranspose2d { conv: c, output_padding: 0 }, &[&[2, 2, 3, 4], &[2, 3, 4, 3], &[3]], None);
    }
    check_op(Op::ConvTranspose2d { conv: conv(2, 1, 1), output_padding: 1 }, &[&[1, 2, 3, 3], &[2, 1, 3, 3]], None);
    check_op(Op::ConvWeight { conv: conv(2, 1, 1) }, &[&[2, 2, 5, 5], &[2, 3, 2, 2]], Some(&[3, 2, 4, 4]));
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let (a, b): ([usize; 2], [usize; 2]) = (if ta { [4, 3] } else { [3, 4] }, if tb { [2, 4] } else { [4, 2] });
        check_op(Op::MatMul { transpose_a: ta, transpose_b: tb }, &[&a, &b], None);
    }
    let x: &[usize] = &[2, 3, 2, 2];
    for op in [Op::Add, Op::Sub, Op::Mul, Op::LeakyReluGradient { slope: 0.2 }, Op::TanhGradient] {
        check_op(op, &[x, x], None);
    }
    for op in [
        Op::Scale { factor: -1.5 },
        Op::AddScalar { term: 0.7 },
        Op::LeakyRelu { slope: 0.2 },
        Op::LeakyRelu { slope: 0.0 },
        Op::LeakyRelu { slope: -0.5 },
        Op::Tanh,
        Op::Sigmoid,
        Op::Sqrt,
        Op::Recip,
        Op::ChannelSum,
        Op::Sum { axes: vec![1, 3] },
        Op::Sum { axes: vec![0] },
        Op::Reshape { shape: vec![6, 2] },
        Op::Narrow { axis: 1, start: 1, len: 2 },
        Op::UpsampleNearest { factor: 2 },
        Op::SumPool { factor: 2 },
    ] {
        check_op(op, &[x], None);
    }
    for op in [Op::AddChannel, Op::MulChannel] {
        check_op(op, &[x, &[3]], None);
    }
    check_op(Op::ChannelDot, &[x, x], None);
    check_op(Op::ChannelBroadcast, &[&[3]], Some(x));
    check_op(Op::Broadcast { axes: vec![0, 2] }, &[&[1, 3, 1, 2]], Some(x));
    check_op(Op::DivCount { minus: 0 }, &[&[1, 3, 1, 1]], Some(x));
    check_op(Op::DivCount { minus: 1 }, &[&[1, 3, 1, 1]], Some(x));
    check_op(Op::ReshapeLike, &[x], Some(&[4, 6]));
    check_op(Op::Concat { axis: 1 }, &[x, &[2, 1, 2, 2], x], None);
    check_op(Op::Embed { axis: 1, start: 2 }, &[x], Some(&[2, 6, 2, 2]));
}

#[test]
fn squares_about_the_mean_agree_with_finite_differences_to_second_order() {
    let mut graph = Graph::default();
    let shape = [2, 3, 2, 2];
    let x = graph.push("x", Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true }, &[]);
    let sum = graph.push("sum", Op::ChannelSum, &[x]);
    let mean = graph.push_like("mean", Op::DivCount { minus: 0 }, &[sum], Some(x));
    let squares = graph.push("squares", Op::ChannelSquares, &[x, mean]);
    check_twice(&graph, &[(x, tensor(&shape, numbers(24, 1)))], squares);
}

/// A whole network as leaves in f64: parameters and input.
fn leaves_of(network: &Network, graph: &Graph, batch: usize) -> Vec<(NodeId, Tensor)> {
    let input = graph.inputs()[0];
    let shape = [&[batch][..], &network.input_shape()].concat();
    let mut leaves = vec![(input, tensor(&shape, numbers(shape.iter().product(), 5)))];
    for (&id, t) in graph.params().iter().zip(network.params.tensors()) {
        if matches!(graph.node(id).op, Op::Param { trainable: true, .. }) {
            let noise = numbers(t.len(), id as u64).into_iter().map(|v| 0.1 * v);
            let values = t.to_vec_f64().iter().zip(noise).map(|(a, b)| a + b).collect();
            leaves.push((id, tensor(&t.shape(), values)));
        }
    }
    leaves
}

/// Feeds what is not trainable as f64, and checks the gradient of the output by everything that is.
fn check_network(graph: Graph, mode: Mode) {
    let network = Network::initial(graph, 1, "weights", &Device::cpu());
    let mut lowered = network.graph.lower(mode).graph;
    let leaves = leaves_of(&network, &lowered, 3);
    // State (running statistics, singular vectors) becomes leaves whose gradients are not asked for.
    let state: Vec<(NodeId, Tensor)> = lowered
        .params()
        .iter()
        .zip(network.params.tensors())
        .filter(|(id, _)| !leaves.iter().any(|(leaf, _)| leaf == *id))
        .map(|(&id, t)| (id, tensor(&t.shape(), t.to_vec_f64())))
        .collect();
    let output = lowered.output();
    let wrt: Vec<NodeId> = leaves.iter().map(|(id, _)| *id).collect();
    let base = lowered.clone();
    let derivative = lowered.differentiate(output, &wrt).unwrap();
    let all: Vec<(NodeId, &Tensor)> = leaves.iter().chain(&state).map(|(id, t)| (*id, t)).collect();
    let mut run = Run::new(&lowered, &Params::default(), &all).unwrap();
    let shape = run.shape(output).to_vec();
    let weights = numbers(shape.iter().product(), 3);
    run.feed(derivative.cotangent, &tensor(&shape, weights.clone())).unwrap();
    for ((leaf, value), gradient) in leaves.iter().zip(&derivative.gradients) {
        let got = run.fork().fetch(&[gradient.unwrap()]).unwrap().remove(0).to_vec_f64();
        let values = value.to_vec_f64();
        for i in (0..values.len()).step_by(values.len().div_ceil(6)) {
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let changed = tensor(&value.shape(), changed);
                let feeds: Vec<_> =
                    all.iter().map(|(id, t)| (*id, if id == leaf { changed.clone() } else { (*t).clone() })).collect();
                objective(&base, &feeds, output, &weights)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let name = &base.node(*leaf).name;
            assert!(
                (got[i] - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                "{name}[{i}]: {} for {expected}",
                got[i]
            );
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
        zoo::DcganDiscriminator { size: [8; 2], channels: 1, width: 2, norm: zoo::Norm::Batch, minibatch_std: true };
    let network = Network::initial(
        zoo::dcgan_discriminator(zoo::DcganDiscriminator { size: [16; 2], ..d }),
        1,
        "weights",
        &Device::cpu(),
    );
    let mut graph = network.graph.lower(Mode::Training).graph;
    let leaves = leaves_of(&network, &graph, 3);
    let input = graph.inputs()[0];
    let first = graph.differentiate(graph.output(), &[input]).unwrap();
    let gradient = first.gradients[0].unwrap();
    let squares = graph.push("gp/squares", Op::Mul, &[gradient, gradient]);
    let penalty = graph.push("gp/penalty", Op::Sum { axes: vec![0, 1, 2, 3] }, &[squares]);
    let base = graph.clone();
    let wrt: Vec<NodeId> = leaves.iter().skip(1).map(|(id, _)| *id).collect();
    let second = graph.differentiate(penalty, &wrt).unwrap();
    let ones = tensor(&[3, 1], vec![1.0; 3]);
    let state: Vec<(NodeId, Tensor)> = graph
        .params()
        .iter()
        .zip(network.params.tensors())
        .filter(|(id, _)| !wrt.contains(id))
        .map(|(&id, t)| (id, tensor(&t.shape(), t.to_vec_f64())))
        .collect();
    let all: Vec<(NodeId, Tensor)> = leaves.iter().cloned().chain(state).chain([(first.cotangent, ones)]).collect();
    let feeds: Vec<(NodeId, &Tensor)> = all.iter().map(|(id, t)| (*id, t)).collect();
    let mut run = Run::new(&graph, &Params::default(), &feeds).unwrap();
    run.feed(second.cotangent, &tensor(&[1, 1, 1, 1], vec![1.0])).unwrap();
    let mut compared = 0;
    for ((leaf, value), gradient) in leaves.iter().skip(1).zip(&second.gradients) {
        // The last bias moves no input gradient.
        let Some(gradient) = gradient else { continue };
        let got = run.fork().fetch(&[*gradient]).unwrap().remove(0).to_vec_f64();
        let values = value.to_vec_f64();
        for i in (0..values.len()).step_by(values.len().div_ceil(5)) {
            let moved = |by: f64| {
                let mut changed = values.clone();
                changed[i] += by;
                let changed = tensor(&value.shape(), changed);
                let feeds: Vec<_> =
                    all.iter().map(|(id, t)| (*id, if id == leaf { changed.clone() } else { t.clone() })).collect();
                objective(&base, &feeds, penalty, &[1.0])
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (got[i] - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                "{}[{i}]: {} for {expected}",
                base.node(*leaf).name,
                got[i]
            );
            compared += 1;
        }
    }
    assert!(compared > 20);
}

#[test]
fn frozen_parameters_cost_nothing() {
    let d =
        zoo::DcganDiscriminator { size: [16; 2], channels: 1, width: 2, norm: zoo::Norm::Batch, minibatch_std: false };
    let mut graph = zoo::dcgan_discriminator(d).lower(Mode::Training).graph;
    let input = graph.inputs()[0];
    graph.differentiate(graph.output(), &[input]).unwrap();
    assert!(!graph.nodes().iter().any(|n| matches!(n.op, Op::ConvWeight { .. })));
}

mod burns_autodiff {
    use super::*;
    use burn::tensor::{Tensor as BurnTensor, TensorData, module, ops};

    type Unary = fn(BurnTensor<2>) -> BurnTensor<2>;
    type Binary = fn(BurnTensor<2>, BurnTensor<2>) -> BurnTensor<2>;

    /// Our f32 gradient of one node by its leaves, with all-ones cotangent.
    fn ours(op: Op, leaves: &[(&[usize], Vec<f32>)]) -> Vec<Vec<f32>> {
        let mut graph = Graph::default();
        let ids: Vec<NodeId> = leaves
            .iter()
            .enumerate()
            .map(|(k, (shape, _))| {
                let op = Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true };
                graph.push(format!("leaf{k}"), op, &[])
            })
            .collect();
        let output = graph.push("output", op, &ids);
        let derivative = graph.differentiate(output, &ids).unwrap();
        let tensors: Vec<Tensor> = leaves.iter().map(|(s, v)| Tensor::new(s, v.clone(), &Device::cpu())).collect();
        let feeds: Vec<(NodeId, &Tensor)> = ids.iter().copied().zip(&tensors).collect();
        let mut run = Run::new(&graph, &Params::default(), &feeds).unwrap();
        let shape = run.shape(output).to_vec();
        let ones = Tensor::new(&shape, vec![1.0; shape.iter().product()], &Device::cpu());
        run.feed(derivative.cotangent, &ones).unwrap();
        derivative.gradients.iter().map(|g| run.fork().fetch(&[g.unwrap()]).unwrap().remove(0).to_vec()).collect()
    }

    fn leaf<const D: usize>(shape: &[usize], values: &[f32]) -> BurnTensor<D> {
        let device = burn::tensor::Device::flex().autodiff();
        BurnTensor::from_data(TensorData::new(values.to_vec(), shape.to_vec()), &device).require_grad()
    }

    fn close(ours: &[f32], burns: &TensorData) {
        let burns: Vec<f32> = burns.iter().collect();
        assert_eq!(ours.len(), burns.len());
        for (a, b) in ours.iter().zip(burns) {
            assert!((a - b).abs() <= 2e-4 * (1.0 + b.abs()), "{a} for {b}");
        }
    }

    fn values(len: usize, salt: u64) -> Vec<f32> {
        numbers(len, salt).into_iter().map(|v| v as f32).collect()
    }

    #[test]
    fn convolutions_agree() {
        for (stride, padding, k) in [(1, 1, 3), (2, 1, 4), (2, 0, 3)] {
            let (xs, ws) = ([3, 4, 8, 8], [5, 4, k, k]);
            let (x, w) = (values(xs.iter().product(), 1), values(ws.iter().product(), 2));
            let mine = ours(Op::Conv2d { conv: Conv::new(stride, padding) }, &[(&xs, x.clone()), (&ws, w.clone())]);
            let (bx, bw) = (leaf::<4>(&xs, &x), leaf::<4>(&ws, &w));
            let options = ops::ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
            let g = module::conv2d(bx.clone(), bw.clone(), None, options).sum().backward();
            close(&mine[0], &bx.grad(&g).unwrap().into_data());
            close(&mine[1], &bw.grad(&g).unwrap().into_data());

            let ws = [4, 5, k, k];
            let op = Op::ConvTranspose2d { conv: Conv::new(stride, padding), output_padding: 0 };
            let mine = ours(op, &[(&xs, x.clone()), (&ws, w.clone())]);
            let (bx, bw) = (leaf::<4>(&xs, &x), leaf::<4>(&ws, &w));
            let options = ops::ConvTransposeOptions::new([stride; 2], [padding; 2], [0; 2], [1; 2], 1);
            let g = module::conv_transpose2d(bx.clone(), bw.clone(), None, options).sum().backward();
            close(&mine[0], &bx.grad(&g).unwrap().into_data());
            close(&mine[1], &bw.grad(&g).unwrap().into_data());
        }
    }

    #[test]
    fn elementwise_operations_and_products_agree() {
        let shape = [3, 4];
        let x: Vec<f32> = values(12, 1);
        let y: Vec<f32> = values(12, 2);
        let unary: [(Op, Unary); 5] = [
            (Op::Tanh, BurnTensor::tanh),
            (Op::Sigmoid, burn::tensor::activation::sigmoid),
            (Op::LeakyRelu { slope: 0.2 }, |x| burn::tensor::activation::leaky_relu(x, 0.2)),
            (Op::Recip, BurnTensor::recip),
            (Op::Scale { factor: 3.0 }, |x| x * 3.0),
        ];
        for (op, theirs) in unary {
            let bx = leaf::<2>(&shape, &x);
            let g = theirs(bx.clone()).sum().backward();
            close(&ours(op, &[(&shape, x.clone())])[0], &bx.grad(&g).unwrap().into_data());
        }
        let binary: [(Op, Binary); 4] = [
            (Op::Add, |x, y| x + y),
            (Op::Sub, |x, y| x - y),
            (Op::Mul, |x, y| x * y),
            (Op::MatMul { transpose_a: false, transpose_b: true }, |x, y| x.matmul(y.transpose())),
        ];
        for (op, theirs) in binary {
            let (bx, by) = (leaf::<2>(&shape, &x), leaf::<2>(&shape, &y));
            let g = theirs(bx.clone(), by.clone()).sum().backward();
            let mine = ours(op, &[(&shape, x.clone()), (&shape, y.clone())]);
            close(&mine[0], &bx.grad(&g).unwrap().into_data());
            close(&mine[1], &by.grad(&g).unwrap().into_data());
        }
    }
}
