//! Numbers on their way down.

use net::{Device, Tensor};
use std::f64::consts::PI;
use train::{Adam, Moments, Optimiser, Parameter};

/// Numbers that Adam moves, with what it remembers of each.
pub(crate) struct Descent {
    pub(crate) values: Vec<f32>,
    moments: Moments,
}

impl Descent {
    pub(crate) fn new(values: Vec<f32>) -> Self {
        let moments = adam(0.0).begin(&[&tensor(&values)]);
        Self { values, moments }
    }

    /// Step number `step` of `of`: the rate falls from `lr` to 0 along a cosine.
    pub(crate) fn step(&mut self, gradient: &[f32], lr: f64, step: usize, of: usize) {
        let lr = lr * 0.5 * (1.0 + (PI * step as f64 / of as f64).cos());
        let (value, gradient) = (tensor(&self.values), tensor(gradient));
        let parameter = Parameter { name: "values", value: &value, gradient: Some(&gradient) };
        let (values, moments) = adam(lr).advance(&[parameter], &self.moments);
        self.values = values.first().map(Tensor::to_vec).unwrap_or_default();
        self.moments = moments;
    }

    /// Goes on with some of them alone: `places` among groups of `length` numbers.
    pub(crate) fn keep(&mut self, places: &[usize], length: usize) {
        let of = |values: &[f32]| -> Vec<f32> {
            places.iter().flat_map(|&place| values[place * length..][..length].iter().copied()).collect()
        };
        self.values = of(&self.values);
        for moments in self.moments.first.iter_mut().chain(&mut self.moments.second) {
            *moments = tensor(&of(&moments.numbers()));
        }
    }
}

fn adam(lr: f64) -> Adam {
    Adam { lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
}

fn tensor(values: &[f32]) -> Tensor {
    Tensor::new(&[values.len()], values.to_vec(), &Device::cpu())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_do_not_feel_each_other() {
        // The derivative of half the squared distance from 3.
        let slope = |values: &[f32]| values.iter().map(|v| v - 3.0).collect::<Vec<_>>();
        let mut all = Descent::new(vec![0.0, 1.0, 9.0, -5.0, 2.0, 4.0]);
        let mut second = Descent::new(vec![9.0, -5.0]);
        for step in 0..100 {
            let gradient = slope(&all.values);
            all.step(&gradient, 0.5, step, 100);
            let gradient = slope(&second.values);
            second.step(&gradient, 0.5, step, 100);
            if step == 10 {
                all.keep(&[1, 0], 2);
            }
        }
        assert_eq!(all.values[..2], second.values);
        assert!(all.values.iter().all(|v| (v - 3.0).abs() < 0.5), "{:?}", all.values);
    }
}
