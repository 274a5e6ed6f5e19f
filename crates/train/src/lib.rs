//! What every training shares: the optimiser, run folders, checkpoints, logs and signals.
//!
//! Nothing here knows what is being trained. A run is one folder ([`run_folder`]) that one process at a time may train
//! in ([`RunLock`]); its state is a series of [`checkpoint`]s, each whole or absent; its story is told in
//! [`stats`] (`stats.jsonl`) and [`tensorboard`] events.
//!
//! A kind of training says what is its own by [`RunSettings`] and [`Training`]; [`OpenRun`] is the life that all of them
//! share. An [`Optimiser`] moves parameters; [`Adam`] is one.
//!
//! ```
//! use ganatomy_train::{Adam, Moments, Optimiser};
//! use net::{Builder, Device, Init, Network, Norm, Tensor, Trainee};
//!
//! // One layer learns that the output is twice the input.
//! let mut b = Builder::new(Init::glorot);
//! let x = b.input("x", &[1]);
//! b.linear("y", x, 1, 1, Norm::None);
//! let mut network = Network::initial(b.finish(), 1, "weights", &Device::cpu());
//! let trainee = Trainee::new(&network.graph)?;
//!
//! let adam = Adam { lr: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
//! let mut moments = Moments::zero(&network.graph, &network.params);
//! let x = Tensor::new(&[4, 1], vec![-1.0, 0.0, 1.0, 2.0], &Device::cpu());
//! for _ in 0..300 {
//!     // The derivative of half the squared error by the output.
//!     let by_output = |y: &Tensor| Ok::<_, net::Error>(y.add(&x.scale(-2.0)));
//!     let step = adam.descend(&trainee, (&network.params, &moments), &x, by_output)?;
//!     (network.params, moments) = (step.params, step.memory);
//! }
//! let y = network.forward(&x, &[])?.to_vec();
//! assert!((y[3] - 4.0).abs() < 0.01, "{y:?}");
//! # Ok::<(), net::Error>(())
//! ```

mod adam;
pub mod checkpoint;
mod finite;
mod kept;
mod lock;
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
mod wrong_value;

pub use adam::{Adam, Moments, average};
pub use finite::{check_finite, check_memory, check_params};
pub use lock::{FileLock, RunLock};
pub use open_run::OpenRun;
pub use optimiser::{Descent, Memory, Optimiser, Parameter, gradient_norm, trainable};
pub use outcome::{Change, Outcome, Start};
pub use settings::{RunSettings, Schedule};
pub use tensors::{Pack, TENSORS, Unpack, refuse_not_finite, shapes, trainable_shapes};
pub use training::{Files, Shown, Training};
