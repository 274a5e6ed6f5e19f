//! E-GAN (Wang, Xu, Yao, Tao; arXiv 1803.00657): generators evolve against one discriminator.
//!
//! - [`generation()`] is the algorithm on one page: variation, evaluation, selection, steps of the discriminator;
//! - [`Loss`] holds the mutations, [`Selection`] the rules of survival;
//! - [`Gan`] plays it with networks; [`Work`] counts what it costs;
//! - [`Evolution`] is the training that a run does (`train::OpenRun`): its data, networks, samples, checkpoints;
//! - [`budget`] finds settings that fit into a time;
//! - [`trial`] is the toy experiment of the paper with statistics over seeds;
//! - [`study`] compares arms of any settings over seeds, by a plan in a file.
//!
//! ```
//! use ganatomy_evolve::{Evolution, Settings};
//! use net::Device;
//! use train::signals::Interrupt;
//! use train::{Outcome, RunSettings, Training};
//!
//! // Points on a ring of eight clouds, a generation as small as can be.
//! let settings = Settings::preset("paper", true)?.with(&["data=ring8", "width=8", "width_d=8", "generations=3"])?;
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path();
//! let mut run = Evolution::start_in(folder, settings, Device::cpu())?;
//! let mut winners = Vec::new();
//! let outcome = run.run(&Interrupt::default(), |generation| {
//!     // Each parent has a child by each mutation; the first survivor is the best.
//!     assert_eq!(generation.children.len(), 3);
//!     winners.push(generation.children[generation.survivors[0]].mutation);
//! })?;
//! assert_eq!((outcome, winners.len()), (Outcome::Finished, 3));
//! # Ok::<(), net::Error>(())
//! ```

mod augment;
pub mod budget;
mod collapse;
mod curves;
mod estimate;
mod gan;
mod generation;
mod graphs;
mod jobs;
mod labelled;
mod loss;
mod pictures;
mod rate;
mod run;
mod selection;
mod settings;
mod state;
pub mod study;
pub mod trial;

pub use estimate::{Check, Checks};
pub use gan::{Gan, Generator, Work};
pub use generation::{Child, Players, Record, Rules, generation};
pub use graphs::{Graphs, by_class, networks};
pub use labelled::Labelled;
pub use loss::{Loss, LossValue, sigmoid};
pub use rate::{Decay, Player, RateSettings};
pub use run::{Evolution, Play, Scored, Stats, Taken};
pub use selection::{Score, Selection, survivors};
pub use settings::{
    AdamPolicy, Augmentation, BrokenImages, Fakes, Family, Fitness, Gradients, ImageSettings, Lengths, LogSettings,
    Noise, PRESETS, PenaltySettings, Precision, Quality, Settings, about_preset, usual_preset,
};
pub use state::State;
