//! Files of weights that others wrote, read as data.
//!
//! [`Stored::open`] reads `PyTorch`'s files (the zip archives of today, the stream of 2018, the tar archives before, `TorchScript`), pickles with
//! tensors or `NumPy` arrays in them (NVIDIA's networks), and `.safetensors`. A pickle is a program for a small machine that may ask Python to
//! call anything. Here nothing is called: what would be, is written down by its name, and of these names the few that stand for tensors
//! are understood.
//!
//! Files may lie about everything. Lengths are compared with what is stored before memory is taken; how many values, places and bytes of
//! text a file may have is limited; a value may be part of many others, or of itself, at no cost. Tensors stay in the file until they
//! are asked for, and one that is not read (complex, sparse, quantised) is refused by its name, and only when it is asked for.
//!
//! ```no_run
//! use ganatomy_weights::Stored;
//!
//! let stored = Stored::open("generator.pth")?;
//! let weights = stored.state_dict(None)?;
//! for (name, tensor) in weights.entries() {
//!     println!("{name}: {:?} {}", tensor.shape(), tensor.dtype().name());
//! }
//! let first: Vec<f32> = weights.values("layer1.conv.weight")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(clippy::indexing_slicing)]

mod dtype;
mod find;
mod item;
mod module;
mod numpy;
mod pickle;
mod safetensors;
mod state_dict;
mod storage;
mod stored;
mod tensor;
mod torch;

pub use dtype::Dtype;
pub use item::{Item, Made};
pub use module::Module;
pub use state_dict::{Setting, StateDict};
pub use stored::{Container, Stored};
pub use tensor::Tensor;
