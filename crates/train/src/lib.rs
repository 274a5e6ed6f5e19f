//! What every training shares: the optimiser, run folders, checkpoints, logs and signals.
//!
//! Nothing here knows what is being trained. A run is one folder ([`run_folder`]) that one process at a time may train
//! in ([`RunLock`]); its state is a series of [`checkpoint`]s, each whole or absent; its story is told in
//! [`stats`] (`stats.jsonl`) and [`tensorboard`] events.
//!
//! A kind of training says what is its own by [`RunSettings`] and [`Training`]; [`OpenRun`] is the life that all of them
//! share. An [`Optimiser`] moves parameters; [`Adam`] is one.

mod adam;
pub mod checkpoint;
mod finite;
mod lock;
pub mod memory;
mod open_run;
mod optimiser;
mod outcome;
pub mod run_folder;
pub mod settings;
pub mod signals;
pub mod stats;
pub mod table;
pub mod tensorboard;
mod tensors;
mod training;

pub use adam::{Adam, Moments, average};
pub use finite::check_finite;
pub use lock::RunLock;
pub use open_run::OpenRun;
pub use optimiser::{Descent, Memory, Optimiser, Parameter, gradient_norm, trainable};
pub use outcome::{Outcome, Start};
pub use settings::{RunSettings, Schedule};
pub use tensors::{Pack, TENSORS, Unpack, shapes, trainable_shapes};
pub use training::{Files, Shown, Training};
