//! The two terms of fitness, as all ways of finding it share them.

use super::{Gan, summed};
use crate::labelled::Labelled;
use crate::loss::sigmoid;
use crate::settings::Quality;
use net::{NodeId, Result, Run, Tensor};

/// Mean quality of images by their logits, and its derivative by each logit.
pub(super) fn quality(kind: Quality, logits: &[f32]) -> (f64, Vec<f32>) {
    let n = logits.len() as f64;
    let slope = |l: f32| match kind {
        Quality::Probability => {
            let p = sigmoid(f64::from(l));
            p * (1.0 - p)
        }
        Quality::Logit => 1.0,
    };
    let mean = logits.iter().map(|&l| quality_of(kind, l)).sum::<f64>() / n;
    (mean, logits.iter().map(|&l| (slope(l) / n) as f32).collect())
}

/// The quality of one image.
pub(super) fn quality_of(kind: Quality, logit: f32) -> f64 {
    match kind {
        Quality::Probability => sigmoid(f64::from(logit)),
        Quality::Logit => f64::from(logit),
    }
}

/// Diversity for a length of the discriminator's gradient. One of exactly zero would be infinitely diverse.
pub(super) fn diversity(length: f64) -> f64 {
    -length.max(f64::MIN_POSITIVE).ln()
}

impl<'a> Gan<'a> {
    /// The gradient of D's loss by its weights, on the reals of evaluation and the fakes of a pass.
    pub(super) fn discriminator_gradient(&mut self, fakes: &Run<'a>, logits: &[f32]) -> Result<Vec<Option<Tensor>>> {
        let s = self.settings;
        if s.d_loss.is_paired() {
            let (reals, real_logits) = self.judge_reals()?;
            let loss = s.d_loss.discriminator(&real_logits, logits);
            let real = self.weight_gradient(&reals, loss.real)?;
            return Ok(summed(&real, &self.weight_gradient(fakes, loss.fake)?));
        }
        // The real half is the same for all children: computed once a generation.
        if self.real_gradient.is_none() {
            let (reals, real_logits) = self.judge_reals()?;
            let (_, by_logit) = s.d_loss.real_half(&real_logits);
            self.real_gradient = Some(self.weight_gradient(&reals, by_logit)?);
        }
        let (_, by_logit) = s.d_loss.fake_half(logits);
        let fake = self.weight_gradient(fakes, by_logit)?;
        Ok(summed(self.real_gradient.as_deref().unwrap_or_default(), &fake))
    }

    /// D on the reals of evaluation, with what its gradient by its weights reads.
    pub(super) fn judge_reals(&mut self) -> Result<(Run<'a>, Vec<f32>)> {
        let later: Vec<NodeId> = self.graphs.d.by_params.nodes();
        let reals = self.evaluation_reals();
        self.judge(&reals, &later)
    }

    /// The reals of evaluation.
    pub(super) fn evaluation_reals(&self) -> Labelled {
        self.real_batch(&self.reals.evaluation, 0, self.settings.eval)
    }
}
