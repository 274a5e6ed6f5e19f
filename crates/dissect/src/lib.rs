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
mod watch;

pub use causal::{Causal, CausalSettings, CausalTask, Context, Epoch, Insertions, Outcome, Point, SET, Trace, causal};
pub use concepts::{Concept, Concepts};
pub use count::{BLOCKS, GROUP, LayerTally, ROTATIONS, Tally, Top, merge};
pub use dissection::{Dissection, Means, dissect};
pub use edit::{Action, EDITED, Edited, Effect, Effects, Place, RECIPE, RECIPE_FORMAT, Recipe, Sheet, Units, Value};
pub use find::{
    ClassRow, ClassShare, Compared, Comparison, Detected, Example, Findings, ImageDistance, LayerCount, LayerFindings,
    LayerRow, Unit, image_distance,
};
pub use fit::{LayerFit, QUANTILES};
pub use plan::{FORMAT, Origin, PLAN, Plan};
pub use repair::{
    Answers, Baseline, Candidate, DECISIONS, Decision, Decisions, Defects, Distances, REPAIR_FORMAT, REPAIRED_MODEL,
    Ranking, Repair, RepairMeans, RepairSettings, Repaired, UnitScore, repair,
};
pub use settings::{PRESETS, Rule, Settings, Shard};
pub use show::{PICTURE_GAP, charts, comparison_sheet, unit_picture};
pub use subject::{Layer, Subject};
pub use watch::{Unwatched, Watch, unwatched};
