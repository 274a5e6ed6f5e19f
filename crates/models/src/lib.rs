//! Work with trained networks: what stands between the rooms that compute and whoever asks, a terminal or a web page.
//!
//! Nothing here reads arguments or prints. What is opened is used many times, from many threads at once.
//! - [`Model::open`] resolves what people call a model: a shipped name, a file, a run folder or a checkpoint;
//! - a [`Generator`] is a model that makes pictures, made ready once: [`Generator::make`] goes through [`Latents`] in
//!   batches, [`Generator::activations`] says what any node holds on the way;
//! - [`Latents`] come from [`Seeds`] (`0..16`, `0..4,7`), from numbers, from a [`Walk`] from seed to seed, or from a [`Photo`] that
//!   an [`Inverter`] has brought into the generator ([`Generator::inverter`]);
//! - an [`Editing`] is a recipe for one generator, from latents to pictures before and after, and to figures;
//! - a [`Painter`] draws the pictures of recipes one at a time and quickly, and says what became of them;
//! - [`Nearest`] looks for the real images most like given ones, [`Seen`] counts what a segmenter sees;
//! - [`Judged`], [`Reference`] and [`GeneratedPictures`] are what `score` compares;
//! - [`open_dissection`], [`Dissecting`] and [`Causes`] open, make and search dissections;
//! - [`pictures`] lays pictures out, [`files`] writes them, each whole or not at all.
//!
//! Long work is watched by a [`Watch`], which may end it; it gives `None` then. [`unwatched`] is for work that nobody watches.
//!
//! ```
//! use ganatomy_models::{Generator, pictures, unwatched};
//!
//! let generator = Generator::open("scenes", &net::Device::cpu())?;
//! let latents = "0..4".parse()?;
//! let images = unwatched(|watch| generator.images(&latents, watch))?;
//! let grid = pictures::grid(&images, pictures::square(4))?;
//! assert_eq!((images.len(), grid.channels), (4, 3));
//! # Ok::<(), ganatomy_models::Error>(())
//! ```

mod activations;
mod by_class;
mod calculation;
mod causes;
mod compare;
mod conditions;
mod dissecting;
mod dissection;
mod edit;
mod elsewhere;
pub mod files;
mod generator;
mod images;
mod inversion;
mod latents;
mod memory;
mod nearest;
mod open;
mod painting;
pub mod pictures;
mod point;
mod real;
mod recorded;
mod repairing;
mod run;
mod runs;
pub mod scan;
mod scoring;
mod seeds;
mod seen;
mod source;
mod steps;
mod walk;

pub use calculation::Calculation;
pub use causes::{Causes, Searched, concepts_named, removable_first};
pub use compare::measure_images;
pub use conditions::{Conditions, Truncation};
pub use dissect::{Unwatched, Watch, unwatched};
pub use dissecting::Dissecting;
pub use dissection::{check_same, dissection_of_model, open_dissection, shipped_causes, subject_of_plan};
pub use edit::{EDITED_PHOTO, EditNames, EditOutcome, Editing, read_mask, scaled};
pub use generator::{Generator, Kind};
pub use images::Made;
pub use invert::{Distance, Fit, Found, INVERSION, Inverted, Inverter, Photo, Settings as InversionSettings};
pub use latents::Latents;
pub use nearest::{Match, Nearest};
pub use net::{Error, Result};
pub use open::{Model, Note, UNSAID, find_segmenter, is_model, open_segmenter};
pub use painting::{
    Active, AtPixel, Cells, ClassEffect, Context, Heat, OwnConcept, Painter, PaletteConcept, PictureEffects, PixelUnit,
    RankedBy, Ranking, Sketch, StrokeEffect, UnitEffect, UnitHeat, UnitRow,
};
pub use real::{open_real, real_count};
pub use recorded::{model_for, segmenter_for, segmenter_of_plan};
pub use repairing::{Removed, take_out};
pub use run::{NonFinite, RunFolder, RunKind, RunState};
pub use runs::{RunSummary, Spare, runs_in};
pub use scoring::{GeneratedPictures, Judged, Reference, SetOptions};
pub use seeds::Seeds;
pub use seen::{ClassShare, PlaneShares, Seen, classes_document, folders_of_planes};
pub use source::{Pictured, Source};
pub use walk::{Walk, Way};
