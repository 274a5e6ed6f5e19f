//! GAN Dissection (Bau et al., arXiv 1811.10597): which units of a generator stand for which things.
//!
//! [`dissect()`] goes through a generator once: every image is made and segmented once, for all layers together.
//! - [`Subject`] is the generator with the layers that are looked at; a [`segment::Segment`] says what is where;
//! - fitting images, which are never counted, give each unit the level above which it is on ([`LayerFit`]);
//! - [`Tally`] holds the counts: integers, so that shards add up to exactly the whole ([`merge()`]);
//! - [`Findings`] is what they say: the concept of each unit with its uncertainty and the chance level, and the classes that the
//!   generator makes more or less of than there is;
//! - [`causal()`] searches the units that cause a class;
//! - a [`Recipe`] acts on units, [`Effects`] says what becomes of every class;
//! - [`repair()`] finds units that make what real images do not show, and takes them out for good.
//!
//! ```
//! use data::{Class, LabelMap, Plane};
//! use ganatomy_dissect::{Means, Origin, Plan, Settings, Shard, Subject, dissect, unwatched};
//! use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
//! use net::{Device, Network};
//! use segment::{Oracle, Segment};
//!
//! // A generator of 16x16 pixels that has learnt nothing yet, and a function that says where it is bright.
//! let shape = DcganGenerator {
//!     size: [16; 2], channels: 3, latent: 4, width: 2, norm: Norm::Batch, start: GeneratorStart::Linear, extra: false,
//! };
//! let device = Device::cpu();
//! let network = Network::initial(dcgan_generator(shape), 1, "weights", &device);
//! let class = |name: &str, grey| Class { name: name.into(), colour: [grey; 3] };
//! let light = Plane { name: "light".into(), classes: vec![class("dark", 0), class("bright", 255)], ignore: Some(0) };
//! let segmenter = Oracle::new(vec![light], [3, 16, 16], |image: &[f32]| {
//!     vec![LabelMap { width: 16, height: 16, classes: image[..256].iter().map(|&v| u16::from(v > 0.0)).collect() }]
//! });
//!
//! let subject = Subject::new(&network, &[], &device)?;
//! let settings = Settings { samples: 32, fit_samples: 16, ..Settings::default() };
//! let origins = [Origin::of_network("mine", &network)?, Origin { name: "bright".into(), blake3: String::new() }];
//! let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, Shard::WHOLE);
//! let means = Means { subject: &subject, segmenter: &segmenter, real: None, device: &device };
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path();
//! let found = unwatched(|watch| dissect(folder, &plan, &means, watch))?;
//! for layer in found.findings().layers {
//!     assert!(layer.units.iter().all(|unit| unit.label.as_deref().is_none_or(|label| label == "bright")));
//! }
//! # Ok::<(), net::Error>(())
//! ```

mod ahead;
mod archive;
mod causal;
mod concepts;
mod count;
mod dissection;
mod edit;
mod find;
mod fit;
mod plan;
mod repair;
mod settings;
mod show;
mod subject;

pub use base::watch::{Unwatched, Watch, unwatched};
pub use causal::{Causal, CausalSettings, CausalTask, Context, Epoch, Insertions, Outcome, Point, SET, Trace, causal};
pub use concepts::{Concept, Concepts};
pub use count::{BLOCKS, GROUP, LayerTally, ROTATIONS, Tally, Top, merge};
pub use dissection::{Dissection, Means, check, dissect};
pub use edit::{
    Action, EDITED, Edited, Effect, Effects, LatentOf, Painted, Place, RECIPE, RECIPE_FORMAT, Recipe, Sheet, Units,
    Value,
};
pub use find::{
    ClassRow, ClassShare, Compared, Comparison, Detected, Difference, Example, Findings, ImageDistance, LayerCount,
    LayerFindings, LayerRow, Unit, image_distance,
};
pub use fit::{LayerFit, QUANTILES};
pub use plan::{FORMAT, Origin, PLAN, Plan};
pub use repair::{
    Answers, Baseline, Candidate, DECISIONS, Decision, Decisions, Defects, Distances, REPAIR_FORMAT, REPAIRED_MODEL,
    Ranking, Repair, RepairFolder, RepairMeans, RepairSettings, Repaired, TakenOut, UnitScore, repair,
};
pub use settings::{PRESETS, Rule, Settings, Shard};
pub use show::{PICTURE_GAP, SAMPLES, charts, comparison_sheet, difference, unit_picture};
pub use subject::{Layer, Subject};
