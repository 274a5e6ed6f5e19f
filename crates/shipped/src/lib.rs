//! Trained networks that come with the program, as the bytes of model files.
//!
//! `models/README.md` says how each was made.

/// What a shipped network is for. A generator and a segmenter of one world share its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Makes pictures.
    Generator,
    /// Says what is where in pictures.
    Segmenter,
}

/// A network that needs no file.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What a user types for it.
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// The bytes of its `.safetensors` file.
    pub bytes: &'static [u8],
}

/// All of them.
pub const ALL: [Shipped; 2] = [
    Shipped { name: "scenes", kind: Kind::Generator, bytes: include_bytes!("../models/scenes.safetensors") },
    Shipped { name: "scenes", kind: Kind::Segmenter, bytes: include_bytes!("../models/scenes-segmenter.safetensors") },
];

/// The one of this name and kind.
#[must_use]
pub fn by_name(name: &str, kind: Kind) -> Option<Shipped> {
    of_kind(kind).find(|shipped| shipped.name == name)
}

/// All of one kind.
pub fn of_kind(kind: Kind) -> impl Iterator<Item = Shipped> {
    ALL.into_iter().filter(move |shipped| shipped.kind == kind)
}
