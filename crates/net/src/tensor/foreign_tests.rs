//! What a tensor answers on a device whose memory our kernels cannot see: there Burn computes, and both agree.

use super::{Conv, Device, Tensor};
use base::seed::Stream;
use kernels::Precision;
use proptest::prelude::*;

/// Numbers around zero, with zeros among them, where rectifiers have their corner.
fn random(shape: &[usize], seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, "foreign", 0);
    let mut number = || if stream.uniform(0.0, 1.0) < 0.1 { 0.0 } else { stream.normal() as f32 };
    (0..shape.iter().product()).map(|_| number()).collect()
}

/// `operation` on random tensors of `shapes`, here and on a foreign device.
fn agree(name: &str, shapes: &[&[usize]], seed: u64, operation: impl Fn(&[Tensor]) -> Tensor) {
    let on = |device: &Device| {
        let tensor =
            |(i, shape): (usize, &&[usize])| Tensor::new(shape, random(shape, seed.wrapping_add(i as u64)), device);
        operation(&shapes.iter().enumerate().map(tensor).collect::<Vec<_>>())
    };
    let (here, there) = (on(&Device::cpu()), on(&Device::stand_in()));
    assert!(there.slice().is_none() && !there.device().is_cpu(), "{name} has left its device");
    assert_eq!(here.shape(), there.shape(), "{name}");
    let (here, there) = (here.to_vec(), there.to_vec());
    for (a, b) in here.iter().zip(&there) {
        assert!((a - b).abs() <= 1e-4 * (1.0 + a.abs()), "{name}: {a} here, {b} there, of {shapes:?}");
    }
}

#[test]
fn numbers_come_back_as_they_were() {
    let values = random(&[3, 5], 1);
    let tensor = Tensor::new(&[3, 5], values.clone(), &Device::stand_in());
    assert_eq!(tensor.to_vec(), values);
    assert_eq!(tensor.to_vec_f64(), values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    assert_eq!(tensor.full_like(&[2], 0.5).to_vec(), [0.5, 0.5]);
    assert!(!tensor.full_like(&[2], 0.5).device().is_cpu());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn element_by_element(seed: u64, n in 1usize..5, c in 1usize..6, h in 1usize..6, w in 1usize..6, factor in -2.0..2.0) {
        let shape: &[usize] = &[n, c, h, w];
        let one = |name, operation: &dyn Fn(&Tensor) -> Tensor| agree(name, &[shape], seed, |t| operation(&t[0]));
        let two = |name, operation: &dyn Fn(&Tensor, &Tensor) -> Tensor| {
            agree(name, &[shape, shape], seed, |t| operation(&t[0], &t[1]));
        };
        two("add", &|a, b| a.add(b));
        two("sub", &|a, b| a.sub(b));
        two("mul", &|a, b| a.mul(b));
        one("scale", &|a| a.scale(factor));
        one("add_scalar", &|a| a.add_scalar(factor));
        for slope in [0.0, 0.2, 1.0] {
            one("leaky_relu", &|a| a.leaky_relu(slope));
            two("leaky_relu_gradient", &|a, b| a.leaky_relu_gradient(b, slope));
        }
        one("tanh", &Tensor::tanh);
        two("tanh_gradient", &|a, b| a.tanh_gradient(&b.tanh()));
        one("sigmoid", &Tensor::sigmoid);
        // Away from the places where these are not numbers.
        one("sqrt", &|a| a.mul(a).add_scalar(0.1).sqrt());
        one("recip", &|a| a.mul(a).add_scalar(0.1).recip());
    }

    #[test]
    fn shapes_sums_and_parts(
        seed: u64, n in 1usize..5, c in 1usize..6, h in 1usize..6, w in 1usize..6, axis in 0usize..4, factor in 1usize..4,
    ) {
        let shape = [n, c, h, w];
        agree("reshape", &[&shape], seed, |t| t[0].reshape(&[n * c, h * w]));
        for axes in [&[0][..], &[1], &[2, 3], &[0, 2, 3], &[0, 1, 2, 3]] {
            agree("sum", &[&shape], seed, |t| t[0].sum(axes));
        }
        let mut thin = shape;
        thin[axis] = 1;
        agree("broadcast", &[&thin], seed, |t| t[0].broadcast(&shape));
        let (start, mut wide) = (seed as usize % shape[axis], shape);
        agree("narrow", &[&shape], seed, |t| t[0].narrow(axis, start, shape[axis] - start));
        wide[axis] += start + 1;
        agree("embed", &[&shape], seed, |t| t[0].embed(axis, start, &wide));
        agree("concat", &[&shape, &wide], seed, |t| Tensor::concat(&[&t[0], &t[1]], axis));
        agree("upsample_nearest", &[&shape], seed, |t| t[0].upsample_nearest(factor));
        agree("sum_pool", &[&[n, c, h * factor, w * factor]], seed, |t| t[0].sum_pool(factor));
    }

    #[test]
    fn channels(seed: u64, n in 1usize..5, c in 1usize..6, h in 1usize..6, w in 1usize..6) {
        for shape in [&[n, c, h, w][..], &[n, c]] {
            agree("add_channel", &[shape, &[c]], seed, |t| t[0].add_channel(&t[1]));
            agree("mul_channel", &[shape, &[c]], seed, |t| t[0].mul_channel(&t[1]));
            agree("channel_sum", &[shape], seed, |t| t[0].channel_sum());
            agree("channel_dot", &[shape, shape], seed, |t| t[0].channel_dot(&t[1]));
            agree("channel_squares", &[shape, &[c]], seed, |t| t[0].channel_squares(&t[1]));
            agree("channel_broadcast", &[&[c]], seed, |t| t[0].channel_broadcast(shape));
        }
    }

    #[test]
    fn products(seed: u64, a in 1usize..9, b in 1usize..9, c in 1usize..9) {
        for (turn_left, turn_right) in [(false, false), (true, false), (false, true), (true, true)] {
            let left = if turn_left { [b, a] } else { [a, b] };
            let right = if turn_right { [c, b] } else { [b, c] };
            agree("matmul", &[&left, &right], seed, |t| t[0].matmul(&t[1], turn_left, turn_right));
        }
    }

    #[test]
    fn convolutions(
        seed: u64, n in 1usize..4, c in 1usize..5, o in 1usize..5, h in 1usize..8, w in 1usize..8,
        kernel in 1usize..5, stride in 1usize..4, padding in 0usize..3, dilation in 1usize..3, extra in 0usize..3,
    ) {
        let conv = Conv { stride, padding, dilation };
        let bias: &[usize] = &[o];
        if let (Some(y), Some(x)) = (conv.output(h, kernel), conv.output(w, kernel)) {
            let (maps, weight): (&[usize], &[usize]) = (&[n, c, h, w], &[o, c, kernel, kernel]);
            agree("conv2d", &[maps, weight], seed, |t| t[0].conv2d(&t[1], None, conv, [y, x], Precision::F32));
            agree("conv2d with bias", &[maps, weight, bias], seed, |t| t[0].conv2d(&t[1], Some(&t[2]), conv, [y, x], Precision::F32));
            agree("conv2d_weight_gradient", &[maps, &[n, o, y, x]], seed, |t| {
                t[0].conv2d_weight_gradient(&t[1], conv, [kernel; 2], Precision::F32)
            });
        }
        let extra = extra.min(stride - 1);
        if let (Some(y), Some(x)) = (conv.transposed_output(h, kernel, extra), conv.transposed_output(w, kernel, extra)) {
            let (maps, weight): (&[usize], &[usize]) = (&[n, c, h, w], &[c, o, kernel, kernel]);
            agree("conv2d_transpose", &[maps, weight], seed, |t| t[0].conv2d_transpose(&t[1], None, conv, [y, x], Precision::F32));
            agree("conv2d_transpose with bias", &[maps, weight, bias], seed, |t| {
                t[0].conv2d_transpose(&t[1], Some(&t[2]), conv, [y, x], Precision::F32)
            });
        }
    }
}
