//! Scores before derivatives: which loss is worth to be differentiated.
//!
//! Children that share Adam's moments differ by `-c P grad L_k`, P being Adam's preconditioner with the learning rate. So their fitness
//! differs by `-(c/b) sum_i phi_k'(l_i) s_i`, where `s_i` is the rate at which logit i changes as G moves along `P grad Fq`: one more forward
//! pass gives it for any number of losses.

use super::fitness::quality;
use super::{Gan, Generator};
use crate::Loss;
use crate::settings::Gradients;
use net::{Binary, Result, Tensor, Unary};
use train::{gradient_norm, trainable};

impl Gan<'_> {
    /// The fitness of the child of each mutation, but for what they have in common. The pass is kept for the child that is made.
    pub(super) fn one_pass(&mut self, place: usize, parent: &Generator, mutations: &[Loss]) -> Result<Vec<f64>> {
        let s = self.settings;
        let draw = self.turn(place);
        let mut pass = self.forward(parent, draw)?;
        let (_, slopes) = quality(s.quality, &pass.logits);
        let climb = self.backward(&mut pass, slopes.clone(), true)?;
        let length = self.checked_norm(&self.graphs.g, "generator", &climb)?;
        let rates = self.rates_of_logits(parent, &climb, &pass.logits, draw)?;
        let adam = self.adam_g();
        let steps = i32::try_from(parent.moments.steps + 1).unwrap_or(i32::MAX);
        let newest = (1.0 - adam.beta1) / (1.0 - adam.beta1.powi(steps));
        let scores = mutations.iter().map(|mutation| {
            let by_logit = mutation.generator(&pass.real_logits, &pass.logits).fake;
            let pull: f64 = by_logit.iter().zip(&rates).map(|(&slope, rate)| -f64::from(slope) * rate).sum();
            // A loss's own gradient is not known, but it grows with its derivatives by the logits as that of quality does.
            let scale = match s.gradients {
                Gradients::Raw => 1.0,
                Gradients::Unit => ratio(root_mean_square(&slopes), length * root_mean_square(&by_logit)),
            };
            newest * scale * pull
        });
        let scores: Vec<f64> = scores.collect();
        if let Some(value) = scores.iter().find(|score| !score.is_finite()) {
            return Err(self.nonfinite("the score of a mutation", *value));
        }
        self.foreseen = Some((draw, pass));
        Ok(scores)
    }

    /// How fast each logit changes as G moves along `P climb`, by a move about as long as a step.
    fn rates_of_logits(
        &mut self,
        parent: &Generator,
        climb: &[Option<Tensor>],
        logits: &[f32],
        draw: u64,
    ) -> Result<Vec<f64>> {
        let s = self.settings;
        let adam = self.adam_g();
        let places = trainable(&self.graphs.g.graph);
        let steps = i32::try_from(parent.moments.steps + 1).unwrap_or(i32::MAX);
        let correction = 1.0 / (1.0 - adam.beta2.powi(steps));
        // What enters the moments is squared there.
        let entering = if s.gradients == Gradients::Unit { ratio(1.0, gradient_norm(climb).powi(2)) } else { 1.0 };
        // The second moment is as if this were the gradient of the step: before the first step it is 0, and would divide by nothing.
        let preconditioned = |(gradient, second): (&Option<Tensor>, &Tensor)| {
            let gradient = gradient.as_ref()?;
            let square = gradient.binary(Binary::Mul, gradient).scale(entering * (1.0 - adam.beta2));
            let second = second.scale(adam.beta2).add(&square).scale(correction);
            let root = second.unary(Unary::Sqrt).unary(Unary::AddScalar { term: adam.epsilon });
            Some(gradient.binary(Binary::Div, &root).scale(adam.lr))
        };
        let direction: Vec<Option<Tensor>> = climb.iter().zip(&parent.moments.second).map(preconditioned).collect();
        let numbers: usize = places.iter().map(|&at| parent.params.tensors()[at].len()).sum();
        let by = ratio(adam.lr * (numbers as f64).sqrt(), gradient_norm(&direction));
        if by == 0.0 {
            return Ok(vec![0.0; logits.len()]);
        }
        let mut moved = parent.params.clone();
        for (&at, direction) in places.iter().zip(&direction) {
            if let Some(direction) = direction {
                moved.set(at, moved.tensors()[at].add(&direction.scale(by)));
            }
        }
        let z = self.latents(s.batch, "noise/mutation", draw);
        let images = self.images(&moved, &z)?;
        let (seen, _) = self.augmented(&images, "augment/variation", draw);
        let after = self.judge(&seen, &[])?.1;
        Ok(after.iter().zip(logits).map(|(&after, &before)| (f64::from(after) - f64::from(before)) / by).collect())
    }
}

fn root_mean_square(values: &[f32]) -> f64 {
    let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
    (squares / values.len().max(1) as f64).sqrt()
}

/// `a / b`; 0 where b is.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
