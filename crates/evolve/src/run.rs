//! What evolves in a run: the parts that stay, and one generation with its record.

mod judge;
mod memory;
pub(crate) mod open;
mod warm;
mod write;

pub use warm::Taken;

use crate::collapse;
use crate::estimate::Check;
use crate::gan::Gan;
use crate::generation::{Child, Rules, generation};
use crate::graphs::Graphs;
use crate::rate::Player;
use crate::settings::Settings;
use crate::state::State;
use data::toys::Mixture;
use data::{Classes, Dataset, Loader, LoaderOptions};
use judge::Judge;
use net::{Device, Graph, Params, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use train::checkpoint::Checkpoint;
use train::{Files, Shown, Training, average, check_params, tensorboard};

/// Generations between two entries of the TensorBoard file.
const EVENTS: u64 = 10;
/// What to do about a value that is not finite.
pub(crate) const CURE: &str = "Lower lr_g and lr_d, or choose norm_d=spectral; the last checkpoint is intact.";

/// One line of `stats.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The generation, counted from 1.
    pub generation: u64,
    /// Seconds that this one took.
    pub seconds: f64,
    /// Seconds of it that went into getting the reals: what the loader had not ready.
    #[serde(default)]
    pub loading: f64,
    /// Reals that the discriminator has learnt from so far.
    pub images: u64,
    /// The contestants.
    pub children: Vec<Child>,
    /// Places of the survivors among them, best first.
    pub survivors: Vec<usize>,
    /// Mean loss of the discriminator.
    pub d_loss: f64,
    /// Length of the best survivor's last gradient.
    pub g_gradient: f64,
    /// Length of the discriminator's last gradient.
    pub d_gradient: f64,
    /// Reals per second in this generation.
    pub images_per_second: f64,
    /// Resident memory in bytes.
    pub memory: Option<u64>,
    /// Mean variance of the values over the best survivor's samples (where nothing was evaluated, over the fakes of D's last step):
    /// near 0 when the generator has collapsed.
    pub sample_variance: Option<f64>,
    /// The share of reals that got a larger logit than the fake beside them, over D's steps: 0.5 where D cannot tell, 1 where it
    /// always can. `None` in the records of older programs.
    #[serde(default)]
    pub d_accuracy: Option<f64>,
    /// Modes that the same samples reach, where the data's are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<u64>,
    /// The learning rates of generators and discriminator, where they are not the same in all generations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_g: Option<f64>,
    /// See `lr_g`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_d: Option<f64>,
    /// How good estimates of fitness were, where they were checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Whether samples have been alike for so long that the generator may have collapsed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collapsed: bool,
    /// Distance of the saved generator to the reals (a rough squared MMD), where a checkpoint was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// The score of the saved generator, where it was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Scored>,
}

/// A score, with what it was measured by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The protocol, the features and the hash of their weights: `fid2k scenes:middle@0123456789ab`.
    pub name: String,
    /// The Fréchet distance; less is better.
    pub value: f64,
}

/// E-GAN as a training: settings, data and networks. `Evolution::start` and `Evolution::resume` ([`Training`]) open a run.
pub struct Evolution {
    settings: Settings,
    set: Arc<Dataset>,
    g: Arc<Graph>,
    d: Arc<Graph>,
    graphs: Graphs,
    device: Device,
    /// The classes by which it learns, where it does.
    classes: Option<Arc<Classes>>,
    /// Variance of the reals, as of samples.
    real_variance: f64,
    /// The modes of the data, where they are known.
    mixture: Option<Mixture>,
    /// What generator and discriminator took from the model of the settings, once the run has begun with it.
    taken: OnceLock<(Taken, Option<Taken>)>,
    /// What scores generators, where that is wanted.
    judge: Option<Judge>,
}

/// What is open while a run evolves.
pub struct Play<'a> {
    gan: Gan<'a>,
    rules: Rules,
    /// Opened when there is something to write.
    events: Option<tensorboard::Writer>,
}

impl Evolution {
    /// The data set.
    pub fn dataset(&self) -> &Dataset {
        &self.set
    }

    /// The classes by which it learns, where it does.
    pub fn classes(&self) -> Option<&Classes> {
        self.classes.as_deref()
    }

    /// How much of generator and discriminator was taken from another model: of a run that has just begun with one.
    pub fn taken(&self) -> Option<(Taken, Option<Taken>)> {
        self.taken.get().copied()
    }

    /// The score of a state's generator, where the settings ask for scores.
    ///
    /// # Errors
    /// Images cannot be read.
    pub fn score(&self, state: &State) -> Result<Option<Scored>> {
        let score =
            |judge: &Judge| judge.score(&self.generator(state)?, &self.settings, &self.set, self.classes.as_deref());
        self.judge.as_ref().map(score).transpose()
    }

    /// Multiplications with addition of a generation: of the first one, which is thrown away.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn macs_of_a_generation(&self) -> Result<u64> {
        let (mut state, _) = self.begin()?;
        let mut play = self.open(&state)?;
        self.step(&mut play, &mut state)?;
        Ok(play.gan.work.macs)
    }

    /// Numbers that training changes, of generator and discriminator.
    pub fn parameters(&self, state: &State) -> (usize, usize) {
        let count = |graph: &Graph, params: &Params| {
            train::trainable(graph).into_iter().map(|i| params.tensors()[i].len()).sum()
        };
        (count(&self.g, &state.population[0].params), count(&self.d, &state.discriminator))
    }
}

impl Training for Evolution {
    type Settings = Settings;
    type State = State;
    type Work<'a> = Play<'a>;
    type Record = Stats;
    type Error = net::Error;

    fn prepare(settings: Settings, device: Device) -> Result<Self> {
        Self::of(settings, device)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn data(&self) -> Result<Vec<(&'static str, String)>> {
        let features = self.judge.iter().map(|judge| ("score.features", judge.features()));
        let classes = self.classes.iter().map(|classes| ("classes", classes.fingerprint.clone()));
        Ok(std::iter::once(("data", self.set.fingerprint()?)).chain(features).chain(classes).collect())
    }

    fn begin(&self) -> Result<(State, Files)> {
        Ok((self.first()?, vec![("reals.png", self.reals_picture()?)]))
    }

    fn restore(&self, checkpoint: &Checkpoint) -> Result<State> {
        State::decode(checkpoint, &self.settings, [&self.g, &self.d], &self.device)
    }

    fn save(&self, state: &State) -> Result<Files> {
        let average = if state.ema.is_some() { Some(self.generator(state)?.params) } else { None };
        // Weights and moments were checked when they were made; the average and its statistics are of all of them together.
        for params in state.ema.iter().chain(&average) {
            check_params(&self.g, params, "moving average", state.generation.saturating_sub(1), CURE)?;
        }
        state.encode(&self.g, &self.d, average.as_ref(), &self.notes(state))
    }

    fn done(state: &State) -> u64 {
        state.generation
    }

    fn open(&self, state: &State) -> Result<Play<'_>> {
        let s = &self.settings;
        let options = LoaderOptions { seed: s.seed, workers: 1, ..LoaderOptions::default() };
        let mut loader = Loader::new(self.set.clone(), options)?;
        loader.seek(state.position);
        let mut gan = Gan::new(&self.graphs, s, loader, state.discriminator.clone(), self.device.clone())
            .by_class(self.classes.clone());
        gan.d_moments = state.d_moments.clone();
        gan.per_mutation = state.per_mutation.clone();
        let rules = Rules::of(s);
        Ok(Play { gan, rules, events: None })
    }

    fn step(&self, play: &mut Play, state: &mut State) -> Result<Stats> {
        let (s, Play { gan, rules, .. }) = (&self.settings, play);
        let started = Instant::now();
        let mut record = generation(gan, &mut state.population, rules, state.generation)?;
        if let Some(check) = &mut record.check {
            state.trust.note(check);
        }
        let samples = state.population[0].fakes.clone().map(|fakes| fakes.x).or_else(|| gan.last_fakes.take());
        let samples = samples.map(|samples: Tensor| (samples.shape().to_vec(), samples.to_vec()));
        let variance = samples.as_ref().map(|(shape, values)| collapse::variance(shape, values));
        let modes = |(_, values): &(Vec<usize>, Vec<f32>)| {
            self.mixture.as_ref().map(|mixture| collapse::modes_reached(mixture, values) as u64)
        };
        let modes = samples.as_ref().and_then(modes);
        state.alike = collapse::alike_for(state.alike, variance, self.real_variance);
        state.population.iter_mut().for_each(|g| g.fakes = None);

        state.generation += 1;
        state.images = state.images.saturating_add((s.batch * s.d_steps) as u64);
        state.position = gan.loader.position();
        state.discriminator = gan.discriminator.clone();
        state.d_moments = gan.d_moments.clone();
        state.per_mutation = gan.per_mutation.clone();
        if let Some(ema) = &mut state.ema {
            // A young average follows fast, as long as it has seen little.
            let decay = s.ema.min((1.0 + state.generation as f64) / (10.0 + state.generation as f64));
            *ema = average(ema, &state.population[0].params, decay);
        }

        let rate = |player| (!s.rate.is_constant()).then(|| s.rate_of(player, state.generation - 1));
        let seconds = started.elapsed().as_secs_f64();
        Ok(Stats {
            generation: state.generation,
            seconds,
            loading: gan.loading,
            images: state.images,
            children: record.children,
            survivors: record.survivors,
            d_loss: record.d_loss,
            g_gradient: state.population[0].gradient_norm,
            d_gradient: gan.d_gradient_norm,
            images_per_second: (s.batch * s.d_steps) as f64 / seconds.max(1e-9),
            memory: base::memory::resident(),
            sample_variance: variance,
            d_accuracy: Some(gan.d_accuracy / s.d_steps as f64),
            modes,
            lr_g: rate(Player::G),
            lr_d: rate(Player::D),
            check: record.check,
            collapsed: state.alike >= collapse::LONG,
            distance: None,
            score: None,
        })
    }

    fn judge(&self, state: &State, record: &mut Stats, best: Option<f64>) -> Result<Option<f64>> {
        if let Some(judge) = &self.judge {
            let (every, last) = (self.settings.score.every, state.generation == self.settings.generations);
            if !last && !state.generation.is_multiple_of(every) {
                return Ok(None);
            }
            let score = judge.score(&self.generator(state)?, &self.settings, &self.set, self.classes.as_deref())?;
            let value = score.value;
            record.score = Some(score);
            return Ok(best.is_none_or(|best| value < best).then_some(value));
        }
        let distance = self.distance(state)?;
        record.distance = Some(distance.value);
        Ok(distance.replaces(best).then_some(distance.value))
    }

    fn show(&self, play: &mut Play, state: &State, shown: &Shown<Self>) -> Result<()> {
        let events = match &mut play.events {
            Some(events) => events,
            none => none.insert(tensorboard::Writer::create(shown.folder, shown.resumed)?),
        };
        if shown.due(EVENTS) || shown.judged {
            write::events(events, shown.record)?;
        }
        if shown.due_early(self.settings.log.samples) {
            self.write_samples(state, shown.folder, events)?;
            write::curves(&shown.records()?, shown.folder)?;
        }
        Ok(())
    }

    fn checkpoint_bytes(&self, state: &State) -> Result<u64> {
        Ok(memory::on_disk(&self.settings, state))
    }

    fn memory(&self) -> Result<Option<u64>> {
        memory::needed(&self.settings, &self.graphs).map(Some)
    }

    fn circumstances(&self) -> Option<Map<String, Value>> {
        let s = &self.settings;
        let all = [("d_loss_settings", json!(s.d_loss.name())), ("lr_g", json!(s.lr_g)), ("lr_d", json!(s.lr_d))];
        Some(all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}
