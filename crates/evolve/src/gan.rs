//! The players as networks.

mod check;
mod discriminator;
mod fair;
mod fitness;
mod linear;
mod one_pass;
mod variation;

use crate::augment::Changes;
use crate::estimate::Check;
use crate::generation::Players;
use crate::graphs::Graphs;
use crate::labelled::{Labelled, Pile};
use crate::loss::Loss;
use crate::rate::Player;
use crate::run::CURE;
use crate::settings::{AdamPolicy, Gradients, Lengths, Noise, Settings};
use base::Error;
use data::{Classes, Loader};
use net::{Device, NodeId, Params, Result, Run, Tensor, Trainee};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use train::{Adam, Moments, check_memory, check_params, gradient_norm};
use variation::Pass;

/// A generator with what it inherits.
#[derive(Clone, Debug)]
pub struct Generator {
    /// Weights and running statistics.
    pub params: Params,
    /// Adam's memory.
    pub moments: Moments,
    /// The images on which it was judged in this generation.
    pub fakes: Option<Labelled>,
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
    /// The classes that the networks read, where they read some.
    classes: Option<Arc<Classes>>,
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
    /// How well D told reals from fakes, summed over its steps of this generation: see [`crate::Stats::d_accuracy`].
    pub d_accuracy: f64,
    /// The fakes of D's last step, before augmentation.
    pub last_fakes: Option<Tensor>,
    /// Seconds for which this generation waited for its reals.
    pub loading: f64,
    generation: u64,
    reals: Reals,
    /// The gradient of the real half of D's loss, the same for all children.
    real_gradient: Option<Vec<Option<Tensor>>>,
    /// A pass from which children were foreseen, by the draw of its noise: they are made from it.
    foreseen: Option<(u64, Pass<'a>)>,
    /// D's fakes of this generation, drawn from the survivors' evaluation images.
    pool: Option<Pile>,
}

/// One request to the loader for a whole generation.
#[derive(Default)]
struct Reals {
    shape: Vec<usize>,
    steps: Pile,
    evaluation: Pile,
    variation: Pile,
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
            classes: None,
            loader,
            discriminator,
            d_moments,
            per_mutation: BTreeMap::new(),
            work: Work::default(),
            d_gradient_norm: 0.0,
            d_accuracy: 0.0,
            last_fakes: None,
            loading: 0.0,
            generation: 0,
            reals: Reals::default(),
            real_gradient: None,
            foreseen: None,
            pool: None,
        }
    }

    /// The same by class: of networks that read the classes of the loader's images.
    #[must_use]
    pub fn by_class(self, classes: Option<Arc<Classes>>) -> Self {
        Self { classes, ..self }
    }

    fn adam_g(&self) -> Adam {
        let s = self.settings;
        Adam { lr: s.rate_of(Player::G, self.generation), beta1: s.beta1_g, beta2: s.beta2, epsilon: 1e-8 }
    }

    fn adam_d(&self) -> Adam {
        let s = self.settings;
        Adam { lr: s.rate_of(Player::D, self.generation), beta1: s.beta1_d, beta2: s.beta2, epsilon: 1e-8 }
    }

    fn latents(&self, n: usize, purpose: &str, draw: u64) -> Labelled {
        // Draws are far apart: no two share a stream.
        Labelled::latents(self.settings, self.classes.as_deref(), n, purpose, draw << 20, &self.device)
    }

    /// Images `start` and on of a pile as a batch.
    fn real_batch(&self, pile: &Pile, start: usize, n: usize) -> Labelled {
        let classes = self.classes.as_ref().map(|classes| classes.len());
        pile.batch(&self.reals.shape, start..start + n, classes, &self.device)
    }

    /// What D sees of a batch.
    fn augmented(&self, x: &Labelled, purpose: &str, index: u64) -> (Labelled, Option<Changes>) {
        let shape = x.x.shape();
        let (false, &[n, channels, height, width]) = (self.settings.augment.is_empty(), shape) else {
            return (x.clone(), None);
        };
        let s = self.settings;
        let changes = Changes::draw(&s.augment, n, [channels, height, width], s.seed, purpose, index);
        (x.with(Tensor::new(shape, changes.apply(&x.x.to_vec()), &self.device)), Some(changes))
    }

    /// A run of a player, in the precision of the settings.
    fn start(&self, side: &'a Trainee, params: &Params, input: &Labelled) -> Result<Run<'a>> {
        Ok(side.program.start(params, &input.feeds(side))?.with_precision(self.settings.precision.into()))
    }

    /// Images of a generator without anything kept for a gradient; batch statistics, nothing moves.
    fn images(&mut self, params: &Params, z: &Labelled) -> Result<Labelled> {
        let side = &self.graphs.g;
        let mut run = self.start(side, params, z)?;
        let x = run.fetch(&[side.output])?.remove(0);
        self.work.g_images += z.count() as u64;
        self.work.macs += run.macs();
        Ok(z.with(x))
    }

    /// D on a batch, with all that the stage `later` reads kept.
    fn judge(&mut self, x: &Labelled, later: &[NodeId]) -> Result<(Run<'a>, Vec<f32>)> {
        let discriminator = self.discriminator.clone();
        self.judge_by(&discriminator, x, later)
    }

    /// As [`Gan::judge`], by a discriminator with these weights.
    fn judge_by(&mut self, discriminator: &Params, x: &Labelled, later: &[NodeId]) -> Result<(Run<'a>, Vec<f32>)> {
        let side = &self.graphs.d;
        let mut run = self.start(side, discriminator, x)?;
        let logits = run.fetch_before(&[side.output], later)?.remove(0).to_vec();
        self.work.d_images += x.count() as u64;
        self.work.macs += run.macs();
        Ok((run.fork(), logits))
    }

    /// D's gradients by its weights for given derivatives by the logits.
    fn weight_gradient(&mut self, run: &Run, by_logit: Vec<f32>) -> Result<Vec<Option<Tensor>>> {
        let n = by_logit.len();
        let derivative = &self.graphs.d.by_params;
        let mut run = run.fork();
        run.feed(derivative.cotangent, &Tensor::new(&[n, 1], by_logit, &self.device))?;
        let gradients = run.fetch_some(&derivative.gradients)?;
        self.work.d_weight_images += n as u64;
        self.work.macs += run.macs();
        Ok(gradients)
    }

    /// The first draw of noise of a parent's mutations.
    fn turn(&self, place: usize) -> u64 {
        let s = self.settings;
        (self.generation * s.mu as u64 + place as u64) * s.mutations.len() as u64
    }

    /// The noise on which children are judged; `own` is the contestant's number where it has noise of its own, else 0.
    fn evaluation_noise(&self, own: u64) -> Labelled {
        self.latents(self.settings.eval, "noise/evaluation", self.generation * 4096 + own)
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
        // People count generations from 1, as the statistics do.
        Error::NonFinite { what: what.into(), value, generation: self.generation + 1, hint: None }
            .with_hint(CURE)
            .into()
    }

    /// The length of a gradient; names the first weight whose gradient is not finite.
    fn checked_norm(&self, side: &Trainee, who: &str, gradients: &[Option<Tensor>]) -> Result<f64> {
        let norm = gradient_norm(gradients);
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

    /// Every weight and every moment must be a number: an infinite second moment would hold its weight fast for ever.
    fn check(&self, side: &Trainee, who: &str, params: &Params, moments: &Moments) -> Result<()> {
        check_params(&side.graph, params, who, self.generation, CURE)?;
        Ok(check_memory(&side.graph, moments, who, self.generation, CURE)?)
    }
}

impl Players for Gan<'_> {
    type Individual = Generator;
    type Error = net::Error;

    fn begin(&mut self, generation: u64) -> Result<()> {
        let s = self.settings;
        self.generation = generation;
        self.real_gradient = None;
        self.foreseen = None;
        self.pool = None;
        self.d_accuracy = 0.0;
        let judged = s.selection.compares() && (s.gamma != 0.0 || s.selection == crate::Selection::Pareto);
        let counts = [
            s.batch * s.d_steps,
            if judged { s.eval } else { 0 },
            if s.mutations.iter().any(|m| m.is_paired()) { s.batch } else { 0 },
        ];
        let asked = Instant::now();
        let batch = self.loader.next_batch(counts.iter().sum())?;
        self.loading = asked.elapsed().as_secs_f64();
        let shape = batch.shape[1..].to_vec();
        let each: usize = shape.iter().product();
        let labels = if self.classes.is_some() { batch.labels } else { Vec::new() };
        let mut steps = Pile { values: batch.data, classes: labels.into_iter().map(|class| class as usize).collect() };
        let variation = steps.split_off(counts[0] + counts[1], each);
        let evaluation = steps.split_off(counts[0], each);
        self.reals = Reals { shape, steps, evaluation, variation };
        Ok(())
    }

    fn mutate(&mut self, place: usize, parent: &Generator, mutations: &[Loss]) -> Result<Vec<Generator>> {
        let s = self.settings;
        let turn = self.turn(place);
        let mut children = Vec::with_capacity(mutations.len());
        let foreseen = self.foreseen.take().filter(|(draw, _)| *draw == turn);
        // What was foreseen has taken a pass back through D already.
        let several = mutations.len() > 1 || foreseen.is_some();
        let mut shared = foreseen.map(|(_, pass)| pass);
        for (k, &mutation) in mutations.iter().enumerate() {
            // One forward pass serves all mutations of a parent that share their noise.
            let draw = if s.noise == Noise::Shared { turn } else { turn + k as u64 };
            let mut pass = match shared.take() {
                Some(pass) => pass,
                None => self.forward(parent, draw)?,
            };
            let loss = mutation.generator(&pass.real_logits, &pass.logits);
            if !loss.value.is_finite() {
                return Err(self.nonfinite(format!("the loss {mutation} of a generator"), loss.value));
            }
            let mut gradients = self.backward(&mut pass, loss.fake, several && s.noise == Noise::Shared)?;
            let gradient_norm = self.checked_norm(&self.graphs.g, "generator", &gradients)?;
            if s.gradients == Gradients::Unit {
                fair::to_unit(&mut gradients, gradient_norm);
            }
            let moments = self.moments_for(parent, mutation);
            let (mut params, moments) = self.adam_g().step(&self.graphs.g.graph, &parent.params, &moments, &gradients);
            for ((place, _), value) in self.graphs.g.updates().iter().zip(&pass.updates) {
                params.set(*place, value.clone());
            }
            self.check(&self.graphs.g, "generator", &params, &moments)?;
            if s.adam == AdamPolicy::PerMutation {
                self.per_mutation.insert(mutation, moments.clone());
            }
            children.push(Generator { params, moments, fakes: None, gradient_norm });
            if s.noise == Noise::Shared {
                shared = Some(pass);
            }
        }
        if s.lengths == Lengths::Equal {
            fair::equalise(&self.graphs.g.graph, &parent.params, &mut children);
        }
        Ok(children)
    }

    fn evaluate(&mut self, contestant: usize, g: &mut Generator, diversity: bool) -> Result<(f64, Option<f64>)> {
        let s = self.settings;
        let own = if s.eval_noise == Noise::Shared { 0 } else { contestant as u64 };
        let z = self.evaluation_noise(own);
        let fakes = self.images(&g.params, &z)?;
        let later: Vec<NodeId> = if diversity { self.graphs.d.by_params.nodes() } else { Vec::new() };
        let (run, logits) = self.judge(&fakes, &later)?;
        let (quality, _) = fitness::quality(s.quality, &logits);
        g.fakes = Some(fakes);
        if !quality.is_finite() {
            return Err(self.nonfinite("the quality of a child", quality));
        }
        if !diversity {
            return Ok((quality, None));
        }
        let gradients = self.discriminator_gradient(&run, &logits)?;
        let length = self.checked_norm(&self.graphs.d, "discriminator", &gradients)?;
        Ok((quality, Some(fitness::diversity(length))))
    }

    fn estimate(&mut self, children: &[Generator], gamma: f64) -> Result<Vec<f64>> {
        self.linear(children, gamma)
    }

    fn foresee(&mut self, place: usize, parent: &Generator, mutations: &[Loss]) -> Result<Vec<f64>> {
        self.one_pass(place, parent, mutations)
    }

    fn verify(
        &mut self,
        place: usize,
        parent: &Generator,
        mutations: &[Loss],
        gamma: f64,
        estimates: &[f64],
    ) -> Result<Check> {
        self.checked(place, parent, mutations, gamma, estimates)
    }

    fn train_discriminator(&mut self, step: usize, survivors: &mut [Generator]) -> Result<f64> {
        self.discriminator_step(step, survivors)
    }
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

#[cfg(test)]
mod tests;
