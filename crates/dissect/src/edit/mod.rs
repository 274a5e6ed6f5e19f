//! Acting on units: recipes, what becomes of every class, and the record of it.

mod effects;
mod recipe;
mod record;

pub use effects::{Effect, Effects};
pub use recipe::{Action, Place, RECIPE, RECIPE_FORMAT, Recipe, Units, Value};
pub use record::{EDITED, Edited, Sheet};
