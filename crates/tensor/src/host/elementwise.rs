//! Functions of each element: trees of one step.

use crate::reference::Array;
use kernels::{Binary, Function, Leaf, Source, Step, Unary, fused};

fn step(function: Function, inputs: &[Array<f32>], shape: &[usize]) -> Vec<f32> {
    let leaves: Vec<Leaf> = inputs.iter().map(|x| Leaf { values: x.values, shape: x.shape }).collect();
    let source = |place: usize| Source::Leaf(place.min(leaves.len() - 1));
    fused(&[Step { function, inputs: [source(0), source(1), source(2)] }], &leaves, shape)
}

pub(super) fn unary(function: Unary, x: Array<f32>, shape: &[usize]) -> Vec<f32> {
    step(Function::Unary(function), &[x], shape)
}

pub(super) fn binary(function: Binary, a: Array<f32>, b: Array<f32>, shape: &[usize]) -> Vec<f32> {
    step(Function::Binary(function), &[a, b], shape)
}

pub(super) fn select(inputs: [Array<f32>; 3], shape: &[usize]) -> Vec<f32> {
    step(Function::Select, &inputs, shape)
}
