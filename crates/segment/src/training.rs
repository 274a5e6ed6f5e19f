//! A training: its folder, its steps, its logs, its checkpoints.

mod open;
mod write;

use crate::augment::augment;
use crate::loss::cross_entropy;
use crate::softmax::Layout;
use crate::state::State;
use crate::{Confusion, Ignored, Segmenter, Settings, evaluate};
use base::{Error, Result};
use data::{Batch, Dataset, Loader, LoaderOptions};
use net::{Device, Graph, Tensor, Trainee};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use train::checkpoint::Store;
use train::signals::Interrupt;
use train::{Adam, Outcome, RunLock, Start, gradient_norm, stats};

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

/// A training that is open: it holds the folder's lock.
pub struct Training {
    settings: Settings,
    folder: PathBuf,
    set: Arc<Dataset>,
    held_out: Arc<Dataset>,
    /// The segmenter with the weights of the state; its graph is the description.
    segmenter: Segmenter,
    side: Trainee,
    layout: Layout,
    weights: Vec<Vec<f32>>,
    device: Device,
    state: State,
    store: Store,
    stats: stats::Writer,
    best: Option<f64>,
    start: Start,
    _lock: RunLock,
}

impl Training {
    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The run folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it began.
    pub fn begun(&self) -> &Start {
        &self.start
    }

    /// Steps that are done.
    pub fn done(&self) -> u64 {
        self.state.step
    }

    /// The set that it learns from.
    pub fn dataset(&self) -> &Dataset {
        &self.set
    }

    /// The set that it is judged on.
    pub fn held_out(&self) -> &Dataset {
        &self.held_out
    }

    /// The segmenter as it is now.
    pub fn segmenter(&self) -> &Segmenter {
        &self.segmenter
    }

    /// Trains until all steps are done or a signal asks to stop; `watch` sees every step.
    ///
    /// # Errors
    /// A value that is not finite (the last checkpoint stays), or a file that cannot be read or written.
    pub fn run(&mut self, interrupt: &Interrupt, mut watch: impl FnMut(&Stats)) -> Result<Outcome> {
        let options = LoaderOptions { seed: self.settings.seed, maps: true, ..LoaderOptions::default() };
        let mut loader = Loader::new(self.set.clone(), options)?;
        loader.seek(self.state.position);
        while self.state.step < self.settings.steps {
            let started = Instant::now();
            let mut batch = loader.next_batch(self.settings.batch)?;
            augment(&mut batch, &self.settings.augment, self.settings.seed, self.state.position);
            let lr = self.settings.lr_of(self.state.step);
            let (loss, gradient) = self.step(batch, lr)?;
            self.state.step += 1;
            self.state.position = loader.position();

            let signal = interrupt.requested();
            let (now, every) = (self.state.step, self.settings.log.checkpoint);
            let judge = now == self.settings.steps || (every > 0 && now.is_multiple_of(every) && signal.is_none());
            let mut stats = Stats { step: now, seconds: 0.0, loss, gradient, lr, mean_iou: BTreeMap::new() };
            stats.seconds = started.elapsed().as_secs_f64();
            self.segmenter.network.params = self.state.params.clone();
            if judge {
                stats.mean_iou = self.judge()?.iter().map(|t| (t.plane().name.clone(), t.mean_iou())).collect();
            }
            self.stats.append(&stats)?;
            watch(&stats);
            if judge {
                self.write_pictures()?;
            }
            if judge || signal.is_some() {
                self.save(&stats)?;
            }
            if let Some(signal) = signal {
                return Ok(Outcome::Interrupted(signal));
            }
        }
        Ok(Outcome::Finished)
    }

    /// One step of Adam; the loss before it and the length of its gradient.
    fn step(&mut self, batch: Batch, lr: f64) -> Result<(f64, f64)> {
        let side = &self.side;
        let images = Tensor::new(&batch.shape, batch.data, &self.device);
        let mut run = side.start(&self.state.params, &images)?;
        let wanted: Vec<_> = std::iter::once(side.output).chain(side.updates().iter().map(|(_, node)| *node)).collect();
        let values = run.fetch_before(&wanted, &side.by_params.nodes())?;
        let logits = &values[0];
        let loss = cross_entropy(&self.layout, &logits.to_vec(), &batch.maps, &self.weights);
        self.check_finite("the loss of the segmenter", loss.value)?;
        run.feed(side.by_params.cotangent, &Tensor::new(logits.shape(), loss.by_logits, &self.device))?;
        let gradients = run.fetch_some(&side.by_params.gradients)?;
        let length = gradient_norm(&gradients);
        self.check_finite("the length of the gradient of the segmenter", length)?;
        let adam = Adam { lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let (mut params, moments) = adam.step(&side.graph, &self.state.params, &self.state.moments, &gradients);
        for ((place, _), value) in side.updates().iter().zip(&values[1..]) {
            params.set(*place, value.clone());
        }
        (self.state.params, self.state.moments) = (params, moments);
        Ok((loss.value, length))
    }

    fn check_finite(&self, what: &str, value: f64) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        // People count steps from 1, as the statistics do.
        let step = self.state.step + 1;
        Err(Error::NonFinite { what: what.into(), value, generation: step, hint: None }
            .with_hint("Lower lr; the last checkpoint is intact."))
    }

    /// The tables of the held-out images.
    ///
    /// # Errors
    /// An image cannot be read.
    pub fn judge(&self) -> Result<Vec<Confusion>> {
        let skip = self.settings.ignored == Ignored::Skip;
        evaluate(&self.segmenter, &self.held_out, self.settings.log.judged, skip, &self.device, |_| ())
    }
}

/// The network of the settings for images of a shape.
fn network_of(settings: &Settings, shape: [usize; 3], classes: usize) -> Graph {
    net::zoo::unet(net::zoo::Unet { shape, classes, width: settings.width, levels: settings.levels })
}

#[cfg(test)]
mod tests;
