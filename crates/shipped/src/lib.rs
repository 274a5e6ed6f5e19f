//! Trained networks that come with the program, as the bytes of model files, and what was found in them.
//!
//! `models/README.md` says how each was made.
//!
//! ```
//! use ganatomy_shipped::{Kind, by_name};
//! use net::{Device, Network};
//!
//! let shipped = by_name("scenes", Kind::Generator).unwrap();
//! let network = Network::from_bytes(shipped.bytes, shipped.name.as_ref(), &Device::cpu())?;
//! assert_eq!(network.forward(&network.latents(&[3, 4], &Device::cpu()), &[])?.shape(), [2, 3, 64, 64]);
//! # Ok::<(), net::Error>(())
//! ```

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

/// A dissection of a shipped generator, of the shipped segmenter's classes.
#[derive(Clone, Copy, Debug)]
pub struct Dissection {
    /// What a user types for it: the generator's name.
    pub name: &'static str,
    /// Its files, by name: those that are read, which are the plan, the fits and the tally.
    pub files: [(&'static str, &'static [u8]); 3],
    /// Results of searches for the causes of its classes, by name.
    pub causes: &'static [(&'static str, &'static [u8])],
}

macro_rules! causes {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../dissections/scenes/causes/", $name, ".json")) as &[u8])),*]
    };
}

/// All of them.
pub const DISSECTIONS: [Dissection; 1] = [Dissection {
    name: "scenes",
    files: [
        ("settings.json", include_bytes!("../dissections/scenes/settings.json")),
        ("fit.npz", include_bytes!("../dissections/scenes/fit.npz")),
        ("tally.npz", include_bytes!("../dissections/scenes/tally.npz")),
    ],
    causes: &causes![
        "1b-objects-church",
        "1b-objects-cloud",
        "1b-objects-door",
        "1b-objects-grass",
        "1b-objects-house",
        "1b-objects-mountain",
        "1b-objects-road",
        "1b-objects-sky",
        "1b-objects-sun",
        "1b-objects-tree",
        "1b-objects-window",
        "2-objects-door",
    ],
}];

/// The dissection of the generator of this name.
#[must_use]
pub fn dissection(name: &str) -> Option<Dissection> {
    DISSECTIONS.into_iter().find(|dissection| dissection.name == name)
}

/// The one of this name and kind.
#[must_use]
pub fn by_name(name: &str, kind: Kind) -> Option<Shipped> {
    of_kind(kind).find(|shipped| shipped.name == name)
}

/// All of one kind.
pub fn of_kind(kind: Kind) -> impl Iterator<Item = Shipped> {
    ALL.into_iter().filter(move |shipped| shipped.kind == kind)
}
