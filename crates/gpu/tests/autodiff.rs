//! Gradients of our graphs against those of Burn's autodiff, which knows nothing of ours.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use base::seed::Stream;
use burn::tensor::{Tensor as BurnTensor, TensorData, module, ops};
use net::{Binary, Conv, Device, Graph, Init, Mode, NodeId, Op, Params, Primitive, Program, Tensor, Unary};

type OfOne = fn(BurnTensor<2>) -> BurnTensor<2>;
type OfTwo = fn(BurnTensor<2>, BurnTensor<2>) -> BurnTensor<2>;

/// Smooth inputs away from the kinks and poles of the operations.
fn values(len: usize, salt: u64) -> Vec<f32> {
    let mut stream = Stream::new(salt, "test", 0);
    (0..len).map(|_| (stream.uniform(0.3, 1.2) * if stream.chance(0.5) { 1.0 } else { -1.0 }) as f32).collect()
}

/// Our f32 gradient of one operation by its inputs, for a cotangent of ones, on the processor and through Burn.
fn ours(op: impl Into<Op>, leaves: &[(&[usize], &[f32])]) -> [Vec<Vec<f32>>; 2] {
    let mut graph = Graph::default();
    let ids: Vec<NodeId> = leaves
        .iter()
        .enumerate()
        .map(|(k, (shape, _))| {
            let op = Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true };
            graph.push(format!("leaf{k}"), op, &[])
        })
        .collect();
    graph.push("output", op, &ids);
    let mut program = Program::new(&graph, Mode::Inference).unwrap();
    let (ids, output) = (program.params().to_vec(), program.output());
    let derivative = program.differentiate(output, &ids).unwrap();
    [Device::cpu(), Device::foreign(ganatomy_gpu::reference())].map(|device| {
        let tensors: Vec<Tensor> = leaves.iter().map(|(s, v)| Tensor::new(s, v.to_vec(), &device)).collect();
        let feeds: Vec<(NodeId, &Tensor)> = ids.iter().copied().zip(&tensors).collect();
        let mut run = program.start(&Params::default(), &feeds).unwrap();
        let shape = run.shape(output).to_vec();
        run.feed(derivative.cotangent, &tensors[0].full_like(&shape, 1.0)).unwrap();
        derivative.gradients.iter().map(|g| run.fork().fetch_one(g.unwrap()).unwrap().to_vec()).collect()
    })
}

fn leaf<const D: usize>(shape: &[usize], values: &[f32]) -> BurnTensor<D> {
    let device = burn::tensor::Device::flex().autodiff();
    BurnTensor::from_data(TensorData::new(values.to_vec(), shape.to_vec()), &device).require_grad()
}

fn close(ours: &[Vec<Vec<f32>>; 2], place: usize, burns: &TensorData) {
    let burns: Vec<f32> = burns.iter().collect();
    for ours in ours {
        assert_eq!(ours[place].len(), burns.len());
        for (a, b) in ours[place].iter().zip(&burns) {
            assert!((a - b).abs() <= 2e-4 * (1.0 + b.abs()), "{a} for {b}");
        }
    }
}

#[test]
fn convolutions_agree() {
    for (stride, padding, k, groups) in [(1, 1, 3, 1), (2, 1, 4, 1), (2, 0, 3, 1), (2, 1, 3, 2)] {
        let (xs, ws): ([usize; 4], _) = ([3, 4, 9, 8], [6, 4 / groups, k, k]);
        let conv = Conv::new(stride, padding).grouped(groups);
        let (x, w) = (values(xs.iter().product(), 1), values(ws.iter().product(), 2));
        let mine = ours(Op::conv2d(conv), &[(&xs, &x), (&ws, &w)]);
        let (bx, bw) = (leaf::<4>(&xs, &x), leaf::<4>(&ws, &w));
        let options = ops::ConvOptions::new([stride; 2], [padding; 2], [1; 2], groups);
        let g = module::conv2d(bx.clone(), bw.clone(), None, options).sum().backward();
        close(&mine, 0, &bx.grad(&g).unwrap().into_data());
        close(&mine, 1, &bw.grad(&g).unwrap().into_data());

        let ws = [4, 6 / groups, k, k];
        let w = values(ws.iter().product(), 3);
        let size = conv.transposed_output([9, 8], [k, k], [0, 0]).unwrap();
        let mine = ours(Primitive::ConvTranspose2d { conv, size }, &[(&xs, &x), (&ws, &w)]);
        let (bx, bw) = (leaf::<4>(&xs, &x), leaf::<4>(&ws, &w));
        let options = ops::ConvTransposeOptions::new([stride; 2], [padding; 2], [0; 2], [1; 2], groups);
        let g = module::conv_transpose2d(bx.clone(), bw.clone(), None, options).sum().backward();
        close(&mine, 0, &bx.grad(&g).unwrap().into_data());
        close(&mine, 1, &bw.grad(&g).unwrap().into_data());
    }
}

#[test]
fn functions_of_elements_and_products_agree() {
    let shape = [3, 4];
    let (x, y) = (values(12, 1), values(12, 2));
    let of_one: [(Unary, OfOne); 6] = [
        (Unary::Tanh, BurnTensor::tanh),
        (Unary::Sigmoid, burn::tensor::activation::sigmoid),
        (Unary::LeakyRelu { slope: 0.2 }, |x| burn::tensor::activation::leaky_relu(x, 0.2)),
        (Unary::Recip, BurnTensor::recip),
        (Unary::Exp, BurnTensor::exp),
        (Unary::Scale { factor: 3.0 }, |x| x * 3.0),
    ];
    for (function, theirs) in of_one {
        let bx = leaf::<2>(&shape, &x);
        let g = theirs(bx.clone()).sum().backward();
        close(&ours(function, &[(&shape, &x)]), 0, &bx.grad(&g).unwrap().into_data());
    }
    let of_two: [(Primitive, OfTwo); 5] = [
        (Binary::Add.into(), |x, y| x + y),
        (Binary::Sub.into(), |x, y| x - y),
        (Binary::Mul.into(), |x, y| x * y),
        (Binary::Div.into(), |x, y| x / y),
        (Primitive::mat_mul(false, true), |x, y| x.matmul(y.transpose())),
    ];
    for (primitive, theirs) in of_two {
        let (bx, by) = (leaf::<2>(&shape, &x), leaf::<2>(&shape, &y));
        let g = theirs(bx.clone(), by.clone()).sum().backward();
        let mine = ours(primitive, &[(&shape, &x), (&shape, &y)]);
        close(&mine, 0, &bx.grad(&g).unwrap().into_data());
        close(&mine, 1, &by.grad(&g).unwrap().into_data());
    }
}
