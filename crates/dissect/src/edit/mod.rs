//! Acting on units: recipes, what becomes of every class, and the record of it.

mod effects;
mod place;
mod recipe;
mod record;

pub use effects::{Effect, Effects};
pub use place::{Painted, Place};
pub use recipe::{Action, LatentOf, RECIPE, RECIPE_FORMAT, Recipe, Units, Value};
pub use record::{EDITED, Edited, Sheet};
