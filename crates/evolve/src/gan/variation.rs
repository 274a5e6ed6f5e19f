//! Variation: one forward pass through G and D, and a backward pass for each mutation.

use super::{Gan, Generator};
use crate::augment::Changes;
use net::{Result, Run, Tensor};

/// A forward pass through G and D with what the backward passes read.
pub(super) struct Pass<'g> {
    g: Run<'g>,
    d: Run<'g>,
    pub(super) logits: Vec<f32>,
    pub(super) real_logits: Vec<f32>,
    changes: Option<Changes>,
    pub(super) updates: Vec<Tensor>,
    shape: Vec<usize>,
}

impl<'a> Gan<'a> {
    pub(super) fn forward(&mut self, parent: &Generator, draw: u64) -> Result<Pass<'a>> {
        let s = self.settings;
        let z = self.latents(s.batch, "noise/mutation", draw);
        let side = &self.graphs.g;
        let mut g = self.start(side, &parent.params, &z)?;
        let mut wanted = vec![side.output];
        wanted.extend(side.updates().iter().map(|(_, node)| *node));
        let mut updates = g.fetch_before(&wanted, &side.by_params.nodes())?;
        let x = z.with(updates.remove(0));
        self.work.g_images += s.batch as u64;
        self.work.macs += g.macs();
        let (seen, changes) = self.augmented(&x, "augment/variation", draw);
        let by_input = self.graphs.d_by_input.nodes();
        let (d, logits) = self.judge(&seen, &by_input)?;
        let real_logits = if self.reals.variation.values.is_empty() {
            Vec::new()
        } else {
            let reals = self.real_batch(&self.reals.variation, 0, s.batch);
            let (reals, _) = self.augmented(&reals, "augment/variation-real", draw);
            self.judge(&reals, &[])?.1
        };
        Ok(Pass { g: g.fork(), d, logits, real_logits, changes, updates, shape: x.x.shape().to_vec() })
    }

    /// G's gradients by its weights for given derivatives by the logits: D's weights take none.
    pub(super) fn backward(&mut self, pass: &Pass, by_logit: Vec<f32>) -> Result<Vec<Option<Tensor>>> {
        let n = by_logit.len();
        let derivative = &self.graphs.d_by_input;
        let mut d = pass.d.fork();
        d.feed(derivative.cotangent, &Tensor::new(&[n, 1], by_logit, &self.device))?;
        let mut by_image = d.fetch_some(&derivative.gradients)?.into_iter().flatten();
        let Some(mut by_image) = by_image.next() else {
            return Ok(vec![None; self.graphs.g.by_params.gradients.len()]);
        };
        if let Some(changes) = &pass.changes {
            by_image = Tensor::new(&pass.shape, changes.pull_back(&by_image.to_vec()), &self.device);
        }
        let mut g = pass.g.fork();
        g.feed(self.graphs.g.by_params.cotangent, &by_image)?;
        let gradients = g.fetch_some(&self.graphs.g.by_params.gradients)?;
        self.work.d_input_images += n as u64;
        self.work.g_backward_images += n as u64;
        self.work.macs += d.macs() + g.macs();
        Ok(gradients)
    }
}
