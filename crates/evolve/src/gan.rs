//! The players as networks.

use crate::augment::Changes;
use crate::generation::Players;
use crate::graphs::{Graphs, Side};
use crate::loss::{Loss, sigmoid};
use crate::settings::{AdamPolicy, Fakes, Noise, Quality, Settings};
use base::Error;
use base::seed::Stream;
use data::Loader;
use net::{Device, NodeId, Params, Result, Run, Tensor};
use std::collections::BTreeMap;
use train::{Adam, Moments};

/// A generator with what it inherits.
#[derive(Clone, Debug)]
pub struct Generator {
    /// Weights and running statistics.
    pub params: Params,
    /// Adam's memory.
    pub moments: Moments,
    /// The images on which it was judged in this generation.
    pub fakes: Option<Tensor>,
    /// Length of the gradient that made it.
    pub gradient_norm: f64,
}

/// What was computed, in images and passes: to show that nothing is done twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Images that went through G.
    pub g_images: u64,
    /// Images that went through D.
    pub d_images: u64,
    /// Images that went backwards through G to its weights.
    pub g_backward_images: u64,
    /// Images that went backwards through D to its weights.
    pub d_weight_images: u64,
    /// Images that went backwards through D to its input only.
    pub d_input_images: u64,
    /// Multiplications with addition.
    pub macs: u64,
}

/// The discriminator, the mutations' moments and the reals: everything that plays but the population.
pub struct Gan<'a> {
    /// The networks.
    graphs: &'a Graphs,
    settings: &'a Settings,
    device: Device,
    /// Where the reals come from.
    pub loader: Loader,
    /// The discriminator's weights and state.
    pub discriminator: Params,
    /// The discriminator's Adam.
    pub d_moments: Moments,
    /// Adam's memories of the mutations, where they have their own.
    pub per_mutation: BTreeMap<Loss, Moments>,
    /// What has been computed so far.
    pub work: Work,
    /// Length of the discriminator's last gradient.
    pub d_gradient_norm: f64,
    generation: u64,
    reals: Reals,
    /// The gradient of the real half of D's loss, the same for all children.
    real_gradient: Option<Vec<Option<Tensor>>>,
    /// D's fakes of this generation, drawn from the survivors' evaluation images.
    pool: Option<Vec<f32>>,
}

/// One request to the loader for a whole generation.
#[derive(Default)]
struct Reals {
    shape: Vec<usize>,
    steps: Vec<f32>,
    evaluation: Vec<f32>,
    variation: Vec<f32>,
}

impl<'a> Gan<'a> {
    /// Players at their start.
    pub fn new(
        graphs: &'a Graphs,
        settings: &'a Settings,
        loader: Loader,
        discriminator: Params,
        device: Device,
    ) -> Self {
        let d_moments = Moments::zero(&graphs.d.graph, &discriminator);
        Self {
            graphs,
            settings,
            device,
            loader,
            discriminator,
            d_moments,
            per_mutation: BTreeMap::new(),
            work: Work::default(),
            d_gradient_norm: 0.0,
            generation: 0,
            reals: Reals::default(),
            real_gradient: None,
            pool: None,
        }
    }

    fn adam_g(&self) -> Adam {
        let s = self.settings;
        Adam { lr: s.lr_g, beta1: s.beta1_g, beta2: s.beta2, epsilon: 1e-8 }
    }

    fn adam_d(&self) -> Adam {
        let s = self.settings;
        Adam { lr: s.lr_d, beta1: s.beta1_d, beta2: s.beta2, epsilon: 1e-8 }
    }

    fn latents(&self, n: usize, purpose: &str, draw: u64) -> Tensor {
        let s = self.settings;
        // Draws are far apart: no two share a stream.
        s.latent_law.batch(n, &[s.latent], s.seed, purpose, draw << 20, &self.device)
    }

    /// Reals number `range` of a buffer as a batch.
    fn real_batch(&self, buffer: &[f32], start: usize, n: usize) -> Tensor {
        let each: usize = self.reals.shape.iter().product();
        let values = buffer[start * each..(start + n) * each].to_vec();
        Tensor::new(&[&[n], self.reals.shape.as_slice()].concat(), values, &self.device)
    }

    /// What D sees of a batch.
    fn augmented(&self, x: &Tensor, purpose: &str, index: u64) -> (Tensor, Option<Changes>) {
        let shape = x.shape();
        let (false, &[n, channels, size, _]) = (self.settings.augment.is_empty(), &shape[..]) else {
            return (x.clone(), None);
        };
        let s = self.settings;
        let changes = Changes::draw(&s.augment, n, channels, size, s.seed, purpose, index);
        (Tensor::new(&shape, changes.apply(&x.to_vec()), &self.device), Some(changes))
    }

    /// Images of a generator without anything kept for a gradient; batch statistics, nothing moves.
    fn images(&mut self, params: &Params, z: &Tensor) -> Result<Tensor> {
        let side = &self.graphs.g;
        let mut run = Run::new(&side.graph, params, &[(side.input, z)])?;
        let x = run.fetch(&[side.output])?.remove(0);
        self.work.g_images += z.shape()[0] as u64;
        self.work.macs += run.macs();
        Ok(x)
    }

    /// D on a batch, with all that the stage `later` reads kept.
    fn judge(&mut self, x: &Tensor, later: &[NodeId]) -> Result<(Run<'a>, Vec<f32>)> {
        let side = &self.graphs.d;
        let mut run = Run::new(&side.graph, &self.discriminator, &[(side.input, x)])?;
        let logits = run.fetch_before(&[side.output], later)?.remove(0).to_vec();
        self.work.d_images += x.shape()[0] as u64;
        self.work.macs += run.macs();
        Ok((run.fork(), logits))
    }

    /// D's gradients by its weights for given derivatives by the logits.
    fn weight_gradient(&mut self, run: &Run, by_logit: Vec<f32>) -> Result<Vec<Option<Tensor>>> {
        let n = by_logit.len();
        let derivative = &self.graphs.d.by_params;
        let mut run = run.fork();
        run.feed(derivative.cotangent, &Tensor::new(&[n, 1], by_logit, &self.device))?;
        let gradients = fetch_some(&mut run, &derivative.gradients)?;
        self.work.d_weight_images += n as u64;
        self.work.macs += run.macs();
        Ok(gradients)
    }

    fn moments_for(&self, parent: &Generator, mutation: Loss) -> Moments {
        match self.settings.adam {
            AdamPolicy::Inherit => parent.moments.clone(),
            AdamPolicy::Fresh => Moments::zero(&self.graphs.g.graph, &parent.params),
            AdamPolicy::PerMutation => self
                .per_mutation
                .get(&mutation)
                .cloned()
                .unwrap_or_else(|| Moments::zero(&self.graphs.g.graph, &parent.params)),
        }
    }

    fn nonfinite(&self, what: impl Into<String>, value: f64) -> net::Error {
        Error::NonFinite { what: what.into(), value, generation: self.generation, hint: None }
            .with_hint("Lower lr_g and lr_d, or choose norm_d=spectral; the last checkpoint is intact.".to_string())
            .into()
    }

    /// The length of a gradient; names the first weight whose gradient is not finite.
    fn checked_norm(&self, side: &Side, who: &str, gradients: &[Option<Tensor>]) -> Result<f64> {
        let norm = norm(gradients);
        if norm.is_finite() {
            return Ok(norm);
        }
        for (&param, gradient) in side.graph.trainable().iter().zip(gradients) {
            let values = gradient.as_ref().map(Tensor::to_vec).unwrap_or_default();
            if let Some(value) = values.iter().find(|v| !v.is_finite()) {
                let what = format!("the gradient of {} of the {who}", side.graph.node(param).name);
                return Err(self.nonfinite(what, f64::from(*value)));
            }
        }
        Err(self.nonfinite(format!("the length of the gradient of the {who}"), norm))
    }

    /// Every weight must be a number.
    fn check_weights(&self, side: &Side, who: &str, params: &Params) -> Result<()> {
        for (&id, tensor) in side.graph.params().iter().zip(params.tensors()) {
            let bad = |values: &[f32]| values.iter().copied().find(|v| !v.is_finite());
            let found = match tensor.slice() {
                Some(slice) => bad(slice),
                None => bad(&tensor.to_vec()),
            };
            if let Some(value) = found {
                let what = format!("weight {} of the {who}", side.graph.node(id).name);
                return Err(self.nonfinite(what, f64::from(value)));
            }
        }
        Ok(())
    }

    /// Penalty and its gradient on a batch: `weight * mean((|g| - target)^2)`, halved where the target is 0 (R1, R2).
    fn penalty(&mut self, x: &Tensor, weight: f64, target: f64) -> Result<(f64, Vec<Option<Tensor>>)> {
        let Some(penalty) = &self.graphs.penalty else { return Ok((0.0, Vec::new())) };
        let side = &self.graphs.d;
        let n = x.shape()[0];
        let mut run = Run::new(&side.graph, &self.discriminator, &[(side.input, x)])?;
        run.feed(self.graphs.d_by_input.cotangent, &Tensor::new(&[n, 1], vec![1.0; n], &self.device))?;
        let later: Vec<NodeId> = penalty.by_params.gradients.iter().flatten().copied().collect();
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
        let gradients = fetch_some(&mut run, &penalty.by_params.gradients)?;
        self.work.d_images += n as u64;
        self.work.d_weight_images += n as u64;
        self.work.macs += run.macs();
        Ok((value, gradients))
    }

    fn fakes_for_step(&mut self, step: usize, survivors: &mut [Generator]) -> Result<Tensor> {
        let s = self.settings;
        let judged = survivors.iter().all(|g| g.fakes.is_some());
        if s.fakes == Fakes::Evaluation && judged {
            if self.pool.is_none() {
                self.pool = Some(self.shuffled_fakes(survivors));
            }
            let pool = self.pool.as_deref().unwrap_or_default();
            return Ok(self.real_batch(pool, step * s.batch, s.batch));
        }
        // New images, from each survivor as many as from the others.
        let draw = self.generation * s.d_steps as u64 + step as u64;
        let z = self.latents(s.batch, "noise/discriminator", draw).to_vec();
        let mut values = Vec::new();
        for (k, survivor) in survivors.iter().enumerate() {
            let (start, end) = (k * s.batch / survivors.len(), (k + 1) * s.batch / survivors.len());
            if start < end {
                let z =
                    Tensor::new(&[end - start, s.latent], z[start * s.latent..end * s.latent].to_vec(), &self.device);
                values.extend(self.images(&survivor.params, &z)?.to_vec());
            }
        }
        Ok(self.real_batch(&values, 0, s.batch))
    }

    /// The first images of every survivor, as many of each, in random order.
    fn shuffled_fakes(&self, survivors: &[Generator]) -> Vec<f32> {
        let s = self.settings;
        let each: usize = self.reals.shape.iter().product();
        let wanted = s.batch * s.d_steps;
        let images: Vec<Vec<f32>> = survivors.iter().filter_map(|g| g.fakes.as_ref().map(Tensor::to_vec)).collect();
        // Image i of every survivor, then image i + 1 of every survivor, ...
        let mut places: Vec<(usize, usize)> =
            (0..s.eval).flat_map(|i| (0..images.len()).map(move |k| (k, i))).take(wanted).collect();
        Stream::new(s.seed, "fakes", self.generation).shuffle(&mut places);
        places.into_iter().flat_map(|(k, i)| images[k][i * each..(i + 1) * each].iter().copied()).collect()
    }
}

impl Players for Gan<'_> {
    type Individual = Generator;
    type Error = net::Error;

    fn begin(&mut self, generation: u64) -> Result<()> {
        let s = self.settings;
        self.generation = generation;
        self.real_gradient = None;
        self.pool = None;
        let judged = s.selection.compares() && (s.gamma != 0.0 || s.selection == crate::Selection::Pareto);
        let counts = [
            s.batch * s.d_steps,
            if judged { s.eval } else { 0 },
            if s.mutations.iter().any(|m| m.is_paired()) { s.batch } else { 0 },
        ];
        let batch = self.loader.next_batch(counts.iter().sum())?;
        let shape = batch.shape[1..].to_vec();
        let each: usize = shape.iter().product();
        let mut values = batch.data;
        let variation = values.split_off((counts[0] + counts[1]) * each);
        let evaluation = values.split_off(counts[0] * each);
        self.reals = Reals { shape, steps: values, evaluation, variation };
        Ok(())
    }

    fn mutate(&mut self, place: usize, parent: &Generator, mutations: &[Loss]) -> Result<Vec<Generator>> {
        let s = self.settings;
        let turn = (self.generation * s.mu as u64 + place as u64) * s.mutations.len() as u64;
        let mut children = Vec::with_capacity(mutations.len());
        let mut shared = None;
        for (k, &mutation) in mutations.iter().enumerate() {
            // One forward pass serves all mutations of a parent that share their noise.
            let draw = if s.noise == Noise::Shared { turn } else { turn + k as u64 };
            let pass = match shared.take() {
                Some(pass) => pass,
                None => self.forward(parent, draw)?,
            };
            let loss = mutation.generator(&pass.real_logits, &pass.logits);
            if !loss.value.is_finite() {
                return Err(self.nonfinite(format!("the loss {mutation} of a generator"), loss.value));
            }
            let gradients = self.backward(&pass, loss.fake)?;
            let gradient_norm = self.checked_norm(&self.graphs.g, "generator", &gradients)?;
            let moments = self.moments_for(parent, mutation);
            let (mut params, moments) = self.adam_g().step(&self.graphs.g.graph, &parent.params, &moments, &gradients);
            for ((place, _), value) in self.graphs.g.updates.iter().zip(&pass.updates) {
                params.set(*place, value.clone());
            }
            self.check_weights(&self.graphs.g, "generator", &params)?;
            if s.adam == AdamPolicy::PerMutation {
                self.per_mutation.insert(mutation, moments.clone());
            }
            children.push(Generator { params, moments, fakes: None, gradient_norm });
            if s.noise == Noise::Shared {
                shared = Some(pass);
            }
        }
        Ok(children)
    }

    fn evaluate(&mut self, contestant: usize, g: &mut Generator, diversity: bool) -> Result<(f64, Option<f64>)> {
        let s = self.settings;
        let own = if s.eval_noise == Noise::Shared { 0 } else { contestant as u64 };
        let z = self.latents(s.eval, "noise/evaluation", self.generation * 4096 + own);
        let fakes = self.images(&g.params, &z)?;
        let later: Vec<NodeId> = if diversity { gradient_nodes(&self.graphs.d) } else { Vec::new() };
        let (run, logits) = self.judge(&fakes, &later)?;
        let quality = logits
            .iter()
            .map(|&l| match s.quality {
                Quality::Probability => sigmoid(f64::from(l)),
                Quality::Logit => f64::from(l),
            })
            .sum::<f64>()
            / logits.len() as f64;
        g.fakes = Some(fakes);
        if !quality.is_finite() {
            return Err(self.nonfinite("the quality of a child", quality));
        }
        if !diversity {
            return Ok((quality, None));
        }
        let gradients = if s.d_loss.is_paired() {
            let reals = self.real_batch(&self.reals.evaluation, 0, s.eval);
            let (real_run, real_logits) = self.judge(&reals, &later)?;
            let loss = s.d_loss.discriminator(&real_logits, &logits);
            let real = self.weight_gradient(&real_run, loss.real)?;
            summed(&real, &self.weight_gradient(&run, loss.fake)?)
        } else {
            // The real half is the same for all children: computed once a generation.
            if self.real_gradient.is_none() {
                let reals = self.real_batch(&self.reals.evaluation, 0, s.eval);
                let (real_run, real_logits) = self.judge(&reals, &later)?;
                let (_, by_logit) = s.d_loss.real_half(&real_logits);
                self.real_gradient = Some(self.weight_gradient(&real_run, by_logit)?);
            }
            let (_, by_logit) = s.d_loss.fake_half(&logits);
            let fake = self.weight_gradient(&run, by_logit)?;
            summed(self.real_gradient.as_deref().unwrap_or_default(), &fake)
        };
        let length = self.checked_norm(&self.graphs.d, "discriminator", &gradients)?;
        // A gradient of exactly zero would be infinitely diverse.
        Ok((quality, Some(-length.max(f64::MIN_POSITIVE).ln())))
    }

    fn train_discriminator(&mut self, step: usize, survivors: &mut [Generator]) -> Result<f64> {
        let s = self.settings;
        let index = self.generation * s.d_steps as u64 + step as u64;
        let fakes = self.fakes_for_step(step, survivors)?;
        let reals = self.real_batch(&self.reals.steps, step * s.batch, s.batch);
        let (reals, _) = self.augmented(&reals, "augment/real", index);
        let (fakes, _) = self.augmented(&fakes, "augment/fake", index);

        // Reals and fakes pass separately, each with its own batch statistics; running statistics move with both.
        let later = gradient_nodes(&self.graphs.d);
        let (real_run, real_logits) = self.judge_and_move(&reals, &later)?;
        let (fake_run, fake_logits) = self.judge_and_move(&fakes, &later)?;
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
        self.check_weights(&self.graphs.d, "discriminator", &params)?;
        (self.discriminator, self.d_moments) = (params, moments);
        Ok(value)
    }
}

/// A forward pass through G and D with what the backward passes read.
struct Pass<'g> {
    g: Run<'g>,
    d: Run<'g>,
    logits: Vec<f32>,
    real_logits: Vec<f32>,
    changes: Option<Changes>,
    updates: Vec<Tensor>,
    shape: Vec<usize>,
}

impl<'a> Gan<'a> {
    fn forward(&mut self, parent: &Generator, draw: u64) -> Result<Pass<'a>> {
        let s = self.settings;
        let z = self.latents(s.batch, "noise/mutation", draw);
        let side = &self.graphs.g;
        let mut g = Run::new(&side.graph, &parent.params, &[(side.input, &z)])?;
        let mut wanted = vec![side.output];
        wanted.extend(side.updates.iter().map(|(_, node)| *node));
        let mut updates = g.fetch_before(&wanted, &gradient_nodes(side))?;
        let x = updates.remove(0);
        self.work.g_images += s.batch as u64;
        self.work.macs += g.macs();
        let (seen, changes) = self.augmented(&x, "augment/variation", draw);
        let by_input: Vec<NodeId> = self.graphs.d_by_input.gradients.iter().flatten().copied().collect();
        let (d, logits) = self.judge(&seen, &by_input)?;
        let real_logits = if self.reals.variation.is_empty() {
            Vec::new()
        } else {
            let reals = self.real_batch(&self.reals.variation, 0, s.batch);
            let (reals, _) = self.augmented(&reals, "augment/variation-real", draw);
            self.judge(&reals, &[])?.1
        };
        Ok(Pass { g: g.fork(), d, logits, real_logits, changes, updates, shape: x.shape() })
    }

    /// G's gradients by its weights for given derivatives by the logits: D's weights take none.
    fn backward(&mut self, pass: &Pass, by_logit: Vec<f32>) -> Result<Vec<Option<Tensor>>> {
        let n = by_logit.len();
        let derivative = &self.graphs.d_by_input;
        let mut d = pass.d.fork();
        d.feed(derivative.cotangent, &Tensor::new(&[n, 1], by_logit, &self.device))?;
        let mut by_image = fetch_some(&mut d, &derivative.gradients)?.into_iter().flatten();
        let Some(mut by_image) = by_image.next() else {
            return Ok(vec![None; self.graphs.g.by_params.gradients.len()]);
        };
        if let Some(changes) = &pass.changes {
            by_image = Tensor::new(&pass.shape, changes.pull_back(&by_image.to_vec()), &self.device);
        }
        let mut g = pass.g.fork();
        g.feed(self.graphs.g.by_params.cotangent, &by_image)?;
        let gradients = fetch_some(&mut g, &self.graphs.g.by_params.gradients)?;
        self.work.d_input_images += n as u64;
        self.work.g_backward_images += n as u64;
        self.work.macs += d.macs() + g.macs();
        Ok(gradients)
    }

    /// As [`Gan::judge`]; running statistics and singular vectors move.
    fn judge_and_move(&mut self, x: &Tensor, later: &[NodeId]) -> Result<(Run<'a>, Vec<f32>)> {
        let side = &self.graphs.d;
        let mut run = Run::new(&side.graph, &self.discriminator, &[(side.input, x)])?;
        let mut wanted = vec![side.output];
        wanted.extend(side.updates.iter().map(|(_, node)| *node));
        let values = run.fetch_before(&wanted, later)?;
        for ((place, _), value) in side.updates.iter().zip(&values[1..]) {
            self.discriminator.set(*place, value.clone());
        }
        self.work.d_images += x.shape()[0] as u64;
        self.work.macs += run.macs();
        Ok((run.fork(), values[0].to_vec()))
    }

    /// Points on the segments between reals and fakes, uniform, one for each pair.
    fn between(&self, reals: &Tensor, fakes: &Tensor, index: u64) -> Tensor {
        let shape = reals.shape();
        let each: usize = shape[1..].iter().product();
        let mut stream = Stream::new(self.settings.seed, "penalty", index);
        let (a, b) = (reals.to_vec(), fakes.to_vec());
        let mut values = Vec::with_capacity(a.len());
        for (a, b) in a.chunks(each).zip(b.chunks(each)) {
            let t = stream.unit() as f32;
            values.extend(a.iter().zip(b).map(|(a, b)| a + t * (b - a)));
        }
        Tensor::new(&shape, values, &self.device)
    }
}

fn gradient_nodes(side: &Side) -> Vec<NodeId> {
    side.by_params.gradients.iter().flatten().copied().collect()
}

fn fetch_some(run: &mut Run, wanted: &[Option<NodeId>]) -> Result<Vec<Option<Tensor>>> {
    let nodes: Vec<NodeId> = wanted.iter().flatten().copied().collect();
    let mut values = run.fetch(&nodes)?.into_iter();
    Ok(wanted.iter().map(|node| node.and_then(|_| values.next())).collect())
}

fn summed(a: &[Option<Tensor>], b: &[Option<Tensor>]) -> Vec<Option<Tensor>> {
    a.iter()
        .zip(b)
        .map(|pair| match pair {
            (Some(a), Some(b)) => Some(a.add(b)),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        })
        .collect()
}

/// Length of a gradient over all parameters; each tensor is summed in f64 in its own order.
fn norm(gradients: &[Option<Tensor>]) -> f64 {
    let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
    gradients.iter().flatten().map(|t| t.slice().map_or_else(|| squares(&t.to_vec()), squares)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
