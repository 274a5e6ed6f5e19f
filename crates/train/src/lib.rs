//! What every training shares: the optimiser, run folders, checkpoints, logs and signals.
//!
//! Nothing here knows what is being trained. A run is one folder ([`run_folder`]) that one process at a time may train
//! in ([`RunLock`]); its state is a series of [`checkpoint`]s, each whole or absent; its story is told in
//! [`stats`] (`stats.jsonl`) and [`tensorboard`] events.

mod adam;
pub mod checkpoint;
mod lock;
pub mod memory;
mod outcome;
pub mod run_folder;
pub mod signals;
pub mod stats;
pub mod table;
pub mod tensorboard;

pub use adam::{Adam, Moments, average, gradient_norm, trainable};
pub use lock::RunLock;
pub use outcome::{Outcome, Start};
