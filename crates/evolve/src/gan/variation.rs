//! Variation: one forward pass through G and D, and a backward pass for each mutation.

use super::{Gan, Generator};
use crate::augment::Changes;
use net::{Binary, Precision, Primitive, Result, Run, Tensor};

/// A forward pass through G and D with what the backward passes read.
pub(super) struct Pass<'g> {
    g: Run<'g>,
    d: Run<'g>,
    pub(super) logits: Vec<f32>,
    pub(super) real_logits: Vec<f32>,
    changes: Option<Changes>,
    pub(super) updates: Vec<Tensor>,
    shape: Vec<usize>,
    /// The gradient of each image's logit by the image, once it is known: all mutations share it.
    slopes: Option<Tensor>,
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
        Ok(Pass { g: g.fork(), d, logits, real_logits, changes, updates, shape: x.x.shape().to_vec(), slopes: None })
    }

    /// G's gradients by its weights for given derivatives by the logits: D's weights take none. Where the pass is `shared` by
    /// several mutations and D judges each image by itself, mutations differ by a number for each image: one pass back through
    /// D serves all.
    pub(super) fn backward(
        &mut self,
        pass: &mut Pass,
        by_logit: Vec<f32>,
        shared: bool,
    ) -> Result<Vec<Option<Tensor>>> {
        let by_image = if shared && self.graphs.judges_singly {
            if pass.slopes.is_none() {
                pass.slopes = self.by_image(&pass.d, vec![1.0; by_logit.len()])?;
            }
            pass.slopes.as_ref().map(|slopes| self.times(slopes, by_logit)).transpose()?
        } else {
            self.by_image(&pass.d, by_logit)?
        };
        let Some(mut by_image) = by_image else {
            return Ok(vec![None; self.graphs.g.by_params.gradients.len()]);
        };
        if let Some(changes) = &pass.changes {
            by_image = Tensor::new(&pass.shape, changes.pull_back(&by_image.to_vec()), &self.device);
        }
        self.by_generator(&pass.g, &by_image)
    }

    /// The gradient by the images of a pass of D, for given derivatives by the logits.
    pub(super) fn by_image(&mut self, pass: &Run, by_logit: Vec<f32>) -> Result<Option<Tensor>> {
        let n = by_logit.len();
        let derivative = &self.graphs.d_by_input;
        let mut d = pass.fork();
        d.feed(derivative.cotangent, &Tensor::new(&[n, 1], by_logit, &self.device))?;
        let by_image = d.fetch_some(&derivative.gradients)?.into_iter().flatten().next();
        self.work.d_input_images += n as u64;
        self.work.macs += d.macs();
        Ok(by_image)
    }

    /// G's gradients by its weights, for a gradient by the images of a pass.
    pub(super) fn by_generator(&mut self, pass: &Run, by_image: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let mut g = pass.fork();
        g.feed(self.graphs.g.by_params.cotangent, by_image)?;
        let gradients = g.fetch_some(&self.graphs.g.by_params.gradients)?;
        self.work.g_backward_images += by_image.shape()[0] as u64;
        self.work.macs += g.macs();
        Ok(gradients)
    }

    /// Every image of a batch times its number.
    fn times(&self, images: &Tensor, numbers: Vec<f32>) -> Result<Tensor> {
        let mut shape = vec![1; images.shape().len()];
        shape[0] = numbers.len();
        let numbers = Tensor::new(&shape, numbers, &self.device);
        let product = Primitive::Binary(Binary::Mul);
        Tensor::compute(&product, &[images, &numbers], images.shape(), Precision::F32)
            .map_err(|wrong| net::Error::Graph(format!("{wrong:?}")))
    }
}
