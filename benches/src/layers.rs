//! Convolutions, transposed convolutions and G's linear layer: forward and both gradients.

use crate::nets::{self, LATENT, Layer, Pass};
use crate::{Case, Setting, numbers};
use kernels::{conv2d, conv2d_input_gradient, conv2d_weight_gradient};
use net::{Device, Precision, Primitive, Tensor};
use std::hint::black_box;

pub(crate) fn cases(setting: Setting, precision: Precision) -> Vec<Case> {
    let mut cases = Vec::new();
    for layer in nets::discriminator(setting).into_iter().chain(nets::generator(setting)) {
        let kind = if layer.transposed { "deconv" } else { "conv" };
        for pass in Pass::ALL {
            let name = format!("{kind}/{}/{}/{}", layer.name, pass.name(), setting.tag());
            cases.push(Case::new(name, layer.cost(), move || Ok(convolution(layer, pass, precision))));
        }
    }
    let (n, i, o) = (setting.batch, LATENT, 16 * 4 * setting.width);
    // The latent takes no gradient.
    for pass in [Pass::Forward, Pass::WeightGradient] {
        let name = format!("linear/g0/{}/{}", pass.name(), setting.tag());
        cases.push(Case::new(name, nets::linear(n, i, o), move || Ok(linear(n, i, o, pass))));
    }
    cases
}

fn convolution(layer: Layer, pass: Pass, precision: Precision) -> crate::Step {
    let s = layer.shape;
    let [large, weights, small] = layer.lengths();
    let (large, weights, small) = (numbers(large, "large"), numbers(weights, "weights"), numbers(small, "small"));
    let bias = layer.bias.then(|| numbers(if layer.transposed { s.c } else { s.o }, "bias"));
    // A transposed convolution is the input gradient of the convolution that it transposes, and the other way round.
    match (pass, layer.transposed) {
        (Pass::WeightGradient, _) => Box::new(move || {
            black_box(conv2d_weight_gradient(&s, &large, &small, precision));
            Ok(())
        }),
        (Pass::Forward, false) | (Pass::InputGradient, true) => {
            let bias = bias.filter(|_| pass == Pass::Forward);
            Box::new(move || {
                black_box(conv2d(&s, &large, &weights, bias.as_deref(), precision));
                Ok(())
            })
        }
        (Pass::InputGradient, false) | (Pass::Forward, true) => {
            let bias = bias.filter(|_| pass == Pass::Forward);
            Box::new(move || {
                black_box(conv2d_input_gradient(&s, &small, &weights, bias.as_deref(), precision));
                Ok(())
            })
        }
    }
}

/// `[n, i]` by weights `[o, i]`.
fn linear(n: usize, i: usize, o: usize, pass: Pass) -> crate::Step {
    let device = Device::cpu();
    let new = |rows, columns, purpose: &str| Tensor::new(&[rows, columns], numbers(rows * columns, purpose), &device);
    let (x, w, dy) = (new(n, i, "x"), new(o, i, "weights"), new(n, o, "dy"));
    let (product, a, b, shape) = if pass == Pass::Forward {
        (Primitive::mat_mul(false, true), x, w, [n, o])
    } else {
        (Primitive::mat_mul(true, false), dy, x, [o, i])
    };
    Box::new(move || {
        black_box(Tensor::compute(&product, &[&a, &b], &shape, Precision::F32).is_ok());
        Ok(())
    })
}
