//! A step of the discriminator: its fakes, its loss, its penalties.

use super::{Gan, Generator, summed};
use crate::collapse::accuracy;
use crate::labelled::{Labelled, Pile};
use crate::settings::Fakes;
use base::seed::Stream;
use net::{NodeId, Result, Run, Tensor};

impl<'a> Gan<'a> {
    /// One step of D on reals and the survivors' images.
    pub(super) fn discriminator_step(&mut self, step: usize, survivors: &mut [Generator]) -> Result<f64> {
        let s = self.settings;
        let index = self.generation * s.d_steps as u64 + step as u64;
        let fakes = self.fakes_for_step(step, survivors)?;
        self.last_fakes = Some(fakes.x.clone());
        let reals = self.real_batch(&self.reals.steps, step * s.batch, s.batch);
        let (reals, _) = self.augmented(&reals, "augment/real", index);
        let (fakes, _) = self.augmented(&fakes, "augment/fake", index);

        // Reals and fakes pass separately, each with its own batch statistics; running statistics move with both.
        let later = self.graphs.d.by_params.nodes();
        let (real_run, real_logits) = self.judge_and_move(&reals, &later)?;
        let (fake_run, fake_logits) = self.judge_and_move(&fakes, &later)?;
        self.d_accuracy += accuracy(&real_logits, &fake_logits);
        let loss = s.d_loss.discriminator(&real_logits, &fake_logits);
        let real = self.weight_gradient(&real_run, loss.real)?;
        let mut gradients = summed(&real, &self.weight_gradient(&fake_run, loss.fake)?);
        drop((real_run, fake_run));
        let mut value = loss.value;
        for (weight, target, which) in [(s.penalty.gp, 1.0, 0), (s.penalty.r1, 0.0, 1), (s.penalty.r2, 0.0, 2)] {
            if weight > 0.0 {
                let x = match which {
                    0 => self.between(&reals, &fakes, index),
                    1 => reals.clone(),
                    _ => fakes.clone(),
                };
                let (penalty, by_params) = self.penalty(&x, weight, target)?;
                value += penalty;
                gradients = summed(&gradients, &by_params);
            }
        }
        if !value.is_finite() {
            return Err(self.nonfinite("the loss of the discriminator", value));
        }
        self.d_gradient_norm = self.checked_norm(&self.graphs.d, "discriminator", &gradients)?;
        let (params, moments) =
            self.adam_d().step(&self.graphs.d.graph, &self.discriminator, &self.d_moments, &gradients);
        self.check(&self.graphs.d, "discriminator", &params, &moments)?;
        (self.discriminator, self.d_moments) = (params, moments);
        Ok(value)
    }

    /// Penalty and its gradient on a batch: `weight * mean((|g| - target)^2)`, halved where the target is 0 (R1, R2).
    pub(super) fn penalty(&mut self, x: &Labelled, weight: f64, target: f64) -> Result<(f64, Vec<Option<Tensor>>)> {
        let Some(penalty) = &self.graphs.penalty else { return Ok((0.0, Vec::new())) };
        let side = &self.graphs.d;
        let n = x.count();
        let mut run = self.start(side, &self.discriminator, x)?;
        run.feed(self.graphs.d_by_input.cotangent, &Tensor::new(&[n, 1], vec![1.0; n], &self.device))?;
        let later = penalty.by_params.nodes();
        let squares = run.fetch_before(&[penalty.squares], &later)?.remove(0).to_vec();
        let (mut value, mut by_square) = (0.0, Vec::with_capacity(n));
        for square in squares.into_iter().map(f64::from) {
            let (v, slope) = if target == 0.0 {
                (square / 2.0, 0.5)
            } else {
                let length = (square + 1e-12).sqrt();
                ((length - target).powi(2), (length - target) / length)
            };
            value += weight * v / n as f64;
            by_square.push((weight * slope / n as f64) as f32);
        }
        run.feed(penalty.by_params.cotangent, &Tensor::new(&[n, 1], by_square, &self.device))?;
        let gradients = run.fetch_some(&penalty.by_params.gradients)?;
        self.work.d_images += n as u64;
        self.work.d_weight_images += n as u64;
        self.work.macs += run.macs();
        Ok((value, gradients))
    }

    fn fakes_for_step(&mut self, step: usize, survivors: &mut [Generator]) -> Result<Labelled> {
        let s = self.settings;
        let judged = survivors.iter().all(|g| g.fakes.is_some());
        if s.fakes == Fakes::Evaluation && judged {
            if self.pool.is_none() {
                self.pool = Some(self.shuffled_fakes(survivors));
            }
            if let Some(pool) = &self.pool {
                return Ok(self.real_batch(pool, step * s.batch, s.batch));
            }
        }
        // New images, from each survivor as many as from the others.
        let draw = self.generation * s.d_steps as u64 + step as u64;
        let z = self.latents(s.batch, "noise/discriminator", draw);
        let mut values = Vec::new();
        for (k, survivor) in survivors.iter().enumerate() {
            let (start, end) = (k * s.batch / survivors.len(), (k + 1) * s.batch / survivors.len());
            if start < end {
                let z = z.part(start..end, &self.device);
                values.extend(self.images(&survivor.params, &z)?.x.to_vec());
            }
        }
        let images = Pile { values, classes: Vec::new() };
        Ok(z.with(images.batch(&self.reals.shape, 0..s.batch, None, &self.device).x))
    }

    /// The first images of every survivor, as many of each, in random order.
    fn shuffled_fakes(&self, survivors: &[Generator]) -> Pile {
        let s = self.settings;
        let each: usize = self.reals.shape.iter().product();
        let wanted = s.batch * s.d_steps;
        let images: Vec<(Vec<f32>, Vec<usize>)> = survivors
            .iter()
            .filter_map(|g| g.fakes.as_ref().map(|fakes| (fakes.x.to_vec(), fakes.classes())))
            .collect();
        // Image i of every survivor, then image i + 1 of every survivor, ...
        let mut places: Vec<(usize, usize)> =
            (0..s.eval).flat_map(|i| (0..images.len()).map(move |k| (k, i))).take(wanted).collect();
        Stream::new(s.seed, "fakes", self.generation).shuffle(&mut places);
        let mut pile = Pile::default();
        for (k, i) in places {
            let (values, classes) = &images[k];
            pile.values.extend(&values[i * each..(i + 1) * each]);
            pile.classes.extend(classes.get(i));
        }
        pile
    }

    /// As [`Gan::judge`]; running statistics and singular vectors move.
    fn judge_and_move(&mut self, x: &Labelled, later: &[NodeId]) -> Result<(Run<'a>, Vec<f32>)> {
        let side = &self.graphs.d;
        let mut run = self.start(side, &self.discriminator, x)?;
        let mut wanted = vec![side.output];
        wanted.extend(side.updates().iter().map(|(_, node)| *node));
        let values = run.fetch_before(&wanted, later)?;
        for ((place, _), value) in side.updates().iter().zip(&values[1..]) {
            self.discriminator.set(*place, value.clone());
        }
        self.work.d_images += x.count() as u64;
        self.work.macs += run.macs();
        Ok((run.fork(), values[0].to_vec()))
    }

    /// Points on the segments between reals and fakes, uniform, one for each pair. Labels go along: D is linear in them.
    fn between(&self, reals: &Labelled, fakes: &Labelled, index: u64) -> Labelled {
        let between = |reals: &Tensor, fakes: &Tensor| {
            let shape = reals.shape();
            let each: usize = shape[1..].iter().product();
            let mut stream = Stream::new(self.settings.seed, "penalty", index);
            let (a, b) = (reals.to_vec(), fakes.to_vec());
            let mut values = Vec::with_capacity(a.len());
            for (a, b) in a.chunks(each).zip(b.chunks(each)) {
                let t = stream.unit() as f32;
                values.extend(a.iter().zip(b).map(|(a, b)| a + t * (b - a)));
            }
            Tensor::new(shape, values, &self.device)
        };
        let label = reals.label.as_ref().zip(fakes.label.as_ref()).map(|(a, b)| between(a, b));
        Labelled { x: between(&reals.x, &fakes.x), label }
    }
}
