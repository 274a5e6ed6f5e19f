//! One step of Adam over all parameters of a network.

use crate::game::Table;
use crate::{Case, Cost, Setting, Step};
use net::{Graph, Params, Precision, Tensor};
use std::hint::black_box;
use train::{Adam, Moments};

/// Multiply-adds for each parameter, a root and a division counted as one each: two for the first moment, three for the
/// second, three for the step.
const OPERATIONS: usize = 8;

/// Reads parameter, gradient and two moments, writes parameter and two moments.
pub(crate) fn cost(parameters: usize) -> Cost {
    Cost::new(OPERATIONS * parameters, 7 * parameters)
}

pub(crate) fn cases(width: usize) -> Vec<Case> {
    // Adam does not know the batch.
    let setting = Setting { batch: 1, width };
    [("g", parameters_g(width)), ("d", parameters_d(width))]
        .into_iter()
        .map(|(side, parameters)| {
            let name = format!("adam/{side}/w{width}");
            Case::new(name, cost(parameters), move || {
                let table = Table::new(setting, Precision::F32)?;
                if side == "g" {
                    Ok(step(&table.graphs.g.graph, &table.generator))
                } else {
                    Ok(step(&table.graphs.d.graph, &table.discriminator))
                }
            })
        })
        .collect()
}

/// Numbers that training changes in G.
pub(crate) fn parameters_g(width: usize) -> usize {
    let (w, cells) = (width, 16);
    let first = (crate::nets::LATENT + 1) * 4 * w * cells;
    first + (4 * w * 2 * w + 2 * w * w + w * 3) * cells + 2 * w + w + 3
}

/// Numbers that training changes in D.
pub(crate) fn parameters_d(width: usize) -> usize {
    let (w, cells) = (width, 16);
    (3 * w + w * 2 * w + 2 * w * 4 * w + 4 * w) * cells + w + 2 * (2 * w) + 2 * (4 * w) + 1
}

fn step(graph: &'static Graph, params: &Params) -> Step {
    let adam = Adam { lr: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
    let moments = Moments::zero(graph, params);
    let gradients: Vec<Option<Tensor>> =
        train::trainable(graph).into_iter().map(|place| Some(params.tensors()[place].scale(0.1))).collect();
    // From the second step on no moment is zero.
    let (params, moments) = adam.step(graph, params, &moments, &gradients);
    Box::new(move || {
        black_box(adam.step(graph, &params, &moments, &gradients));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_count_the_networks_parameters() {
        let table = Table::new(Setting { batch: 1, width: 8 }, Precision::F32).unwrap();
        let count = |graph: &Graph, params: &Params| {
            train::trainable(graph).into_iter().map(|i| params.tensors()[i].len()).sum::<usize>()
        };
        assert_eq!(count(&table.graphs.g.graph, &table.generator), parameters_g(8));
        assert_eq!(count(&table.graphs.d.graph, &table.discriminator), parameters_d(8));
    }
}
