//! Trained networks that come with the program, as the bytes of model files.
//!
//! `models/README.md` says how each was made.

/// A network that needs no file.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What a user types for it.
    pub name: &'static str,
    /// The bytes of its `.safetensors` file.
    pub bytes: &'static [u8],
}

/// All of them.
pub const ALL: [Shipped; 1] = [Shipped { name: "scenes", bytes: include_bytes!("../models/scenes.safetensors") }];

/// The one of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<Shipped> {
    ALL.into_iter().find(|shipped| shipped.name == name)
}
