//! Fair steps: losses of different scale push with the same force, and children are equally far from their parent.

use super::Generator;
use net::{Binary, Graph, Params, Tensor};
use train::{gradient_norm, trainable};

/// Divides a gradient by its length. One of length 0 stays.
pub(super) fn to_unit(gradients: &mut [Option<Tensor>], length: f64) {
    if length > 0.0 {
        gradients.iter_mut().flatten().for_each(|gradient| *gradient = gradient.scale(1.0 / length));
    }
}

/// Scales the steps from a parent to its children to one length: the mean of their lengths. A child that did not move stays.
pub(super) fn equalise(graph: &Graph, parent: &Params, children: &mut [Generator]) {
    let places = trainable(graph);
    let steps: Vec<Vec<Option<Tensor>>> =
        children.iter().map(|child| places.iter().map(|&at| Some(step(parent, &child.params, at))).collect()).collect();
    let lengths: Vec<f64> = steps.iter().map(|step| gradient_norm(step)).collect();
    let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
    for ((child, steps), length) in children.iter_mut().zip(steps).zip(lengths) {
        if length > 0.0 && length != mean {
            for (&at, step) in places.iter().zip(steps.iter().flatten()) {
                child.params.set(at, parent.tensors()[at].add(&step.scale(mean / length)));
            }
        }
    }
}

/// How far a child is from its parent, of one tensor.
pub(super) fn step(parent: &Params, child: &Params, at: usize) -> Tensor {
    child.tensors()[at].binary(Binary::Sub, &parent.tensors()[at])
}
