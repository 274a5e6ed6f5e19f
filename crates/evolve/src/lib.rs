//! E-GAN (Wang, Xu, Yao, Tao; arXiv 1803.00657): generators evolve against one discriminator.
//!
//! - [`generation()`] is the algorithm on one page: variation, evaluation, selection, steps of the discriminator;
//! - [`Loss`] holds the mutations, [`Selection`] the rules of survival;
//! - [`Gan`] plays it with networks; [`Work`] counts what it costs;
//! - [`Evolution`] is the training that a run does (`train::OpenRun`): its data, networks, samples, checkpoints;
//! - [`trial`] is the toy experiment of the paper with statistics over seeds.

mod augment;
mod curves;
mod gan;
mod generation;
mod graphs;
mod loss;
mod pictures;
mod run;
mod selection;
mod settings;
mod state;
pub mod trial;

pub use gan::{Gan, Generator, Work};
pub use generation::{Child, Players, Record, Rules, generation};
pub use graphs::{Graphs, networks};
pub use loss::{Loss, LossValue, sigmoid};
pub use run::{Evolution, Play, Stats};
pub use selection::{Score, Selection, survivors};
pub use settings::{
    AdamPolicy, Augmentation, BrokenImages, Fakes, Family, ImageSettings, LogSettings, Noise, PRESETS, PenaltySettings,
    Precision, Quality, Settings,
};
pub use state::State;
