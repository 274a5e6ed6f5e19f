//! A segmenter that learns: what stays through a run, and one step on one page.

mod open;
mod write;

use crate::augment::augment;
use crate::loss::cross_entropy;
use crate::softmax::Layout;
use crate::state::State;
use crate::{Confusion, Ignored, Segmenter, Settings, evaluate};
use base::{Error, Result};
use data::{Batch, Dataset, Loader, LoaderOptions, Plane};
use net::{Device, Graph, Tensor, Trainee};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use train::checkpoint::Checkpoint;
use train::{Adam, Files, Moments, Optimiser, Shown, check_finite, check_memory, check_params};

/// What to do about a value that is not finite.
const CURE: &str = "Lower lr; the last checkpoint is intact.";

/// One line of `stats.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The step, counted from 1.
    pub step: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Cross-entropy, summed over planes.
    pub loss: f64,
    /// Length of the gradient.
    pub gradient: f64,
    /// The learning rate.
    pub lr: f64,
    /// The mean intersection over union of each plane on the held-out images, where they were judged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mean_iou: BTreeMap<String, f64>,
}

/// The training of a segmenter: settings, data and network. `Training::start` and `Training::resume`
/// ([`train::Training`]) open a run.
pub struct Training {
    settings: Settings,
    set: Arc<Dataset>,
    held_out: Arc<Dataset>,
    planes: Vec<Plane>,
    graph: Arc<Graph>,
    side: Trainee,
    layout: Layout,
    weights: Vec<Vec<f32>>,
    device: Device,
}

impl Training {
    /// The set that it learns from.
    pub fn dataset(&self) -> &Dataset {
        &self.set
    }

    /// The set that it is judged on.
    pub fn held_out(&self) -> &Dataset {
        &self.held_out
    }

    /// The tables of the held-out images.
    ///
    /// # Errors
    /// An image cannot be read.
    pub fn tables(&self, segmenter: &Segmenter) -> Result<Vec<Confusion>> {
        let skip = self.settings.ignored == Ignored::Skip;
        evaluate(segmenter, &self.held_out, self.settings.log.judged, skip, &self.device, |_| ())
    }

    /// One step of Adam; the loss before it and the length of its gradient.
    fn learn(&self, state: &mut State, batch: Batch, lr: f64) -> Result<(f64, f64)> {
        let (side, params) = (&self.side, &state.segmenter.network().params);
        let finite = |what: &str, value: f64| check_finite(what, value, state.step, CURE);
        let images = Tensor::new(&batch.shape, batch.data, &self.device);
        let adam = Adam { lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let mut value = f64::NAN;
        let step = adam.descend(side, (params, &state.moments), &images, |logits| {
            let loss = cross_entropy(&self.layout, &logits.numbers(), &batch.maps, &self.weights);
            value = loss.value;
            finite("the loss of the segmenter", value)?;
            Ok::<_, Error>(Tensor::new(logits.shape(), loss.by_logits, &self.device))
        })?;
        finite("the length of the gradient of the segmenter", step.gradient)?;
        check_params(&side.graph, &step.params, "segmenter", state.step, CURE)?;
        check_memory(&side.graph, &step.memory, "segmenter", state.step, CURE)?;
        state.segmenter.set_params(step.params);
        state.moments = step.memory;
        Ok((value, step.gradient))
    }
}

impl train::Training for Training {
    type Settings = Settings;
    type State = State;
    type Work<'a> = Loader;
    type Record = Stats;
    type Error = Error;

    fn prepare(settings: Settings, device: Device) -> Result<Self> {
        Self::of(settings, device)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn data(&self) -> Result<Vec<(&'static str, String)>> {
        let judged_by = if self.settings.val.is_empty() { None } else { Some(("val", self.held_out.fingerprint()?)) };
        Ok([("data", self.set.fingerprint()?)].into_iter().chain(judged_by).collect())
    }

    fn begin(&self) -> Result<(State, Files)> {
        let params = self.first()?;
        let moments = Moments::zero(&self.side.graph, &params);
        Ok((State { step: 0, position: 0, segmenter: self.segmenter(params)?, moments }, Vec::new()))
    }

    fn restore(&self, checkpoint: &Checkpoint) -> Result<State> {
        State::decode(checkpoint, &self.graph, |params| self.segmenter(params), &self.device)
    }

    fn save(&self, state: &State) -> Result<Files> {
        state.encode()
    }

    fn done(state: &State) -> u64 {
        state.step
    }

    fn open(&self, state: &State) -> Result<Loader> {
        let options = LoaderOptions { seed: self.settings.seed, maps: true, ..LoaderOptions::default() };
        let mut loader = Loader::new(self.set.clone(), options)?;
        loader.seek(state.position);
        Ok(loader)
    }

    fn step(&self, loader: &mut Loader, state: &mut State) -> Result<Stats> {
        let started = Instant::now();
        let mut batch = loader.next_batch(self.settings.batch)?;
        augment(&mut batch, &self.settings.augment, self.settings.seed, state.position);
        let lr = self.settings.lr_of(state.step);
        let (loss, gradient) = self.learn(state, batch, lr)?;
        state.step += 1;
        state.position = loader.position();
        let seconds = started.elapsed().as_secs_f64();
        Ok(Stats { step: state.step, seconds, loss, gradient, lr, mean_iou: BTreeMap::new() })
    }

    fn judge(&self, state: &State, stats: &mut Stats, best: Option<f64>) -> Result<Option<f64>> {
        let tables = self.tables(&state.segmenter)?;
        stats.mean_iou = tables.iter().map(|table| (table.plane().name.clone(), table.mean_iou())).collect();
        let score = stats.mean_iou.values().sum::<f64>() / stats.mean_iou.len() as f64;
        Ok(best.is_none_or(|best| score > best).then_some(score))
    }

    fn show(&self, _loader: &mut Loader, state: &State, shown: &Shown<Self>) -> Result<()> {
        if shown.judged || shown.stops { self.write_pictures(&state.segmenter, shown) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
