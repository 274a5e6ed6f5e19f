//! Adam (Kingma and Ba, arXiv 1412.6980) that writes the new parameters beside the old ones.

use crate::optimiser::{Memory, Optimiser, Parameter, trainable};
use base::Result;
use kernels::{AdamParameter, AdamStep};
use net::{Binary, Graph, Params, Tensor, Unary};

/// The settings of an optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

/// Moments and step count: one pair of tensors for each trainable parameter. Cloning shares the tensors.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// Steps taken.
    pub steps: u64,
    /// First moments, in the order of the trainable parameters.
    pub first: Vec<Tensor>,
    /// Second moments.
    pub second: Vec<Tensor>,
}

impl Moments {
    /// All zero, for the trainable parameters of a graph.
    pub fn zero(graph: &Graph, params: &Params) -> Self {
        let values: Vec<&Tensor> = trainable(graph).into_iter().map(|place| &params.tensors()[place]).collect();
        Self::zero_like(&values)
    }

    fn zero_like(values: &[&Tensor]) -> Self {
        let zeros: Vec<Tensor> = values.iter().map(|t| t.full_like(t.shape(), 0.0)).collect();
        Self { steps: 0, first: zeros.clone(), second: zeros }
    }
}

impl Memory for Moments {
    fn steps(&self) -> u64 {
        self.steps
    }

    fn groups(&self) -> Vec<(&'static str, &[Tensor])> {
        vec![("first", &self.first), ("second", &self.second)]
    }

    fn from_groups(steps: u64, take: &mut dyn FnMut(&str) -> Result<Vec<Tensor>>) -> Result<Self> {
        Ok(Self { steps, first: take("first")?, second: take("second")? })
    }
}

impl Optimiser for Adam {
    type Memory = Moments;

    fn begin(&self, values: &[&Tensor]) -> Moments {
        Moments::zero_like(values)
    }

    fn advance(&self, parameters: &[Parameter], moments: &Moments) -> (Vec<Tensor>, Moments) {
        let steps = moments.steps + 1;
        let t = i32::try_from(steps).unwrap_or(i32::MAX);
        let step = AdamStep {
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            step_size: (self.lr / (1.0 - self.beta1.powi(t))) as f32,
            second_correction: (1.0 / (1.0 - self.beta2.powi(t)).sqrt()) as f32,
            epsilon: self.epsilon as f32,
        };
        let gradient = |p: &Parameter| p.gradient.cloned().unwrap_or_else(|| p.value.full_like(p.value.shape(), 0.0));
        let gradients: Vec<Tensor> = parameters.iter().map(gradient).collect();
        let each = || parameters.iter().map(|parameter| parameter.value).zip(&gradients).enumerate();
        let slices: Option<Vec<AdamParameter>> = each()
            .map(|(k, (p, g))| {
                let (first, second) = (moments.first[k].slice()?, moments.second[k].slice()?);
                Some(AdamParameter { value: p.slice()?, gradient: g.slice()?, first, second })
            })
            .collect();
        let results: Vec<[Tensor; 3]> = match slices {
            Some(slices) => kernels::adam(step, &slices)
                .into_iter()
                .zip(each())
                .map(|(new, (_, (p, _)))| new.map(|values| Tensor::new(p.shape(), values, &p.device())))
                .collect(),
            None => {
                each().map(|(k, (p, g))| self.by_tensors(step, p, g, &moments.first[k], &moments.second[k])).collect()
            }
        };
        let mut values = Vec::with_capacity(results.len());
        let mut next = Moments { steps, first: Vec::new(), second: Vec::new() };
        for [p, m, v] in results {
            values.push(p);
            next.first.push(m);
            next.second.push(v);
        }
        (values, next)
    }
}

impl Adam {
    /// [`Optimiser::advance_network`]: new parameters and moments of a network; the old ones stay as they are.
    pub fn step(
        &self,
        graph: &Graph,
        params: &Params,
        moments: &Moments,
        gradients: &[Option<Tensor>],
    ) -> (Params, Moments) {
        self.advance_network(graph, params, moments, gradients)
    }

    /// For numbers that are not in the processor's memory.
    fn by_tensors(&self, step: AdamStep, p: &Tensor, g: &Tensor, m: &Tensor, v: &Tensor) -> [Tensor; 3] {
        let m = m.scale(self.beta1).add(&g.scale(1.0 - self.beta1));
        let v = v.scale(self.beta2).add(&g.binary(Binary::Mul, g).scale(1.0 - self.beta2));
        let root = v.unary(Unary::Sqrt).scale(f64::from(step.second_correction));
        let root = root.unary(Unary::AddScalar { term: self.epsilon });
        let moved = m.binary(Binary::Div, &root).scale(f64::from(step.step_size));
        [p.binary(Binary::Sub, &moved), m, v]
    }
}

/// Exponential moving average of all tensors: `old * decay + new * (1 - decay)`.
pub fn average(old: &Params, new: &Params, decay: f64) -> Params {
    let blend = |(a, b): (&Tensor, &Tensor)| a.scale(decay).add(&b.scale(1.0 - decay));
    Params::new(old.tensors().iter().zip(new.tensors()).map(blend).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::{Device, Init, Op};

    /// Three steps on one number, against the formulas of the paper (section 2, with both bias corrections) in f64.
    #[test]
    fn steps_equal_the_published_algorithm() {
        let mut graph = Graph::default();
        graph.push("w", Op::Param { shape: vec![1], init: Init::Constant(1.0), trainable: true }, &[]);
        let mut params = Params::new(vec![Tensor::new(&[1], vec![1.0], &Device::cpu())]);
        let mut moments = Moments::zero(&graph, &params);
        let adam = Adam { lr: 0.1, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
        let (mut p, mut m, mut v) = (1.0f64, 0.0f64, 0.0f64);
        for (t, g) in [1.0, -2.0, 0.5].into_iter().enumerate() {
            m = 0.5 * m + 0.5 * g;
            v = 0.999 * v + 0.001 * g * g;
            let (c1, c2) = (1.0 - 0.5f64.powi(t as i32 + 1), 1.0 - 0.999f64.powi(t as i32 + 1));
            p -= 0.1 * (m / c1) / ((v / c2).sqrt() + 1e-8);
            let gradient = Some(Tensor::new(&[1], vec![g as f32], &Device::cpu()));
            (params, moments) = adam.step(&graph, &params, &moments, &[gradient]);
            assert!((f64::from(params.tensors()[0].to_vec()[0]) - p).abs() < 1e-6);
        }
        assert_eq!(moments.steps, 3);
    }

    #[test]
    fn a_missing_gradient_moves_nothing_at_first() {
        let mut graph = Graph::default();
        graph.push("w", Op::Param { shape: vec![2], init: Init::Constant(1.0), trainable: true }, &[]);
        let params = Params::new(vec![Tensor::new(&[2], vec![1.0, 2.0], &Device::cpu())]);
        let adam = Adam { lr: 0.1, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
        let (new, _) = adam.step(&graph, &params, &Moments::zero(&graph, &params), &[None]);
        assert_eq!(new.tensors()[0].to_vec(), [1.0, 2.0]);
    }
}
