//! What an edit really did, for whoever asked for something.

use super::{Painter, Sketch};
use data::LabelMap;
use dissect::{Concepts, Recipe};
use net::Result;
use segment::Segment;
use serde::Serialize;

/// Pixels of a class before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassEffect {
    /// `category/name`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Pixels before.
    pub before: u64,
    /// Pixels after.
    pub after: u64,
}

/// What became of a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PictureEffects {
    /// Every class, without any edit and with all that are shown.
    pub classes: Vec<ClassEffect>,
    /// What one of the edits did.
    pub stroke: Option<StrokeEffect>,
}

/// What one edit did, beside those before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StrokeEffect {
    /// The class that it is about.
    pub class: Option<String>,
    /// Whether it switches units off, so that there should be less of the class.
    pub removes: bool,
    /// What became of the class in the cells of the layer; none where the edit is about no class.
    pub cells: Option<Cells>,
    /// The other classes of the class's category in the whole picture, those that changed most first; those that did not change are
    /// left out.
    pub others: Vec<ClassEffect>,
}

/// Cells of a layer that lie under a mask by at least a half (or as much as any does).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cells {
    /// How many there are.
    pub all: usize,
    /// Of those, in how many there was the class before.
    pub had: usize,
    /// In how many there is more of it after; less, where it is taken away.
    pub took: usize,
    /// Pixels of the class in them, before.
    pub before: u64,
    /// And after.
    pub after: u64,
}

impl Painter {
    /// What became of the classes of a recipe's picture, and what its edit number `stroke` did.
    ///
    /// # Errors
    /// There is no segmenter, the recipe has no such edit or it is hidden, or the recipe cannot be drawn.
    pub fn effects(&self, recipe: &Recipe, stroke: Option<usize>) -> Result<PictureEffects> {
        let sketch = self.sketch(recipe)?;
        let (before, after) = (self.labels(&sketch.first(0))?, self.labels(&sketch)?);
        let concepts = Concepts::new(self.segmenter.as_ref().map_or(&[][..], Segment::planes));
        let stroke = stroke.map(|place| self.stroke(recipe, &sketch, place, &concepts)).transpose()?;
        Ok(PictureEffects { classes: compared(&concepts, &before, &after), stroke })
    }

    fn stroke(&self, recipe: &Recipe, sketch: &Sketch, place: usize, concepts: &Concepts) -> Result<StrokeEffect> {
        let action =
            recipe.edits.get(place).filter(|action| !action.hidden).ok_or_else(|| {
                base::Error::setting("stroke", format!("the recipe has no edit {place} that is shown"))
            })?;
        let earlier = recipe.edits[..place].iter().filter(|action| !action.hidden).count();
        let edit = &sketch.edits[earlier];
        let (before, after) = (self.labels(&sketch.first(earlier))?, self.labels(&sketch.first(earlier + 1))?);
        let removes = edit.values.iter().all(|&value| value == 0.0);
        let concept = action.class.as_deref().and_then(|class| concepts.find(class));
        let size = self.subject.layer(&edit.node)?.size;
        let cells = concept.and_then(|concept| {
            let (plane, class) = concepts.class_of(concept)?;
            let under = under(&edit.cells(size)?);
            let count = |maps: &[LabelMap]| in_cells(maps.get(plane)?, class, size);
            Some(Cells::of(&under, &count(&before)?, &count(&after)?, removes))
        });
        let own = concept.map(|concept| &concepts.list()[concept]);
        let mut others = compared(concepts, &before, &after);
        others.retain(|other| {
            other.before != other.after
                && own.is_none_or(|own| own.category == other.category && own.name != other.name)
        });
        others.sort_by_key(|other| std::cmp::Reverse(other.before.abs_diff(other.after)));
        Ok(StrokeEffect { class: action.class.clone(), removes, cells, others })
    }
}

impl Cells {
    fn of(under: &[bool], before: &[u64], after: &[u64], removes: bool) -> Self {
        let mut cells = Self { all: 0, had: 0, took: 0, before: 0, after: 0 };
        for ((_, &before), &after) in under.iter().zip(before).zip(after).filter(|((under, _), _)| **under) {
            cells.all += 1;
            cells.had += usize::from(before > 0);
            cells.took += usize::from(if removes { after < before } else { after > before });
            cells.before += before;
            cells.after += after;
        }
        cells
    }
}

/// The cells that a mask covers by at least a half; if there is none, those that it covers most.
pub(super) fn under(shares: &[f32]) -> Vec<bool> {
    let most = shares.iter().fold(0.0f32, |most, &share| most.max(share));
    let least = most.min(0.5);
    shares.iter().map(|&share| share >= least && share > 0.0).collect()
}

/// Pixels of a class in each cell of a map of `size` over the picture.
fn in_cells(map: &LabelMap, class: u16, [h, w]: [usize; 2]) -> Option<Vec<u64>> {
    let (width, height) = (map.width, map.height);
    let mut cells = vec![0; h * w];
    for (pixel, _) in map.classes.iter().enumerate().filter(|(_, found)| **found == class) {
        let (row, column) = (pixel / width * h / height, pixel % width * w / width);
        *cells.get_mut(row * w + column)? += 1;
    }
    Some(cells)
}

fn compared(concepts: &Concepts, before: &[LabelMap], after: &[LabelMap]) -> Vec<ClassEffect> {
    let count = |maps: &[LabelMap], concept: usize| {
        let Some((plane, class)) = concepts.class_of(concept) else { return 0 };
        maps.get(plane).map_or(0, |map| map.classes.iter().filter(|&&found| found == class).count() as u64)
    };
    let each = |(concept, named): (usize, &dissect::Concept)| ClassEffect {
        id: super::id_of(named),
        name: named.name.clone(),
        category: named.category.clone(),
        before: count(before, concept),
        after: count(after, concept),
    };
    concepts.list().iter().enumerate().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_takes_it_when_it_holds_more_of_it() {
        // A picture of 4 x 4 pixels over 2 x 2 cells.
        let map = |on: &[usize]| LabelMap {
            width: 4,
            height: 4,
            classes: (0..16).map(|pixel| u16::from(on.contains(&pixel))).collect(),
        };
        let count = |on: &[usize]| in_cells(&map(on), 1, [2, 2]).unwrap();
        assert_eq!(count(&[0, 1, 3, 15]), [2, 1, 0, 1]);
        let under = under(&[1.0, 0.6, 0.2, 0.0]);
        assert_eq!(under, [true, true, false, false]);
        let drawn = Cells::of(&under, &count(&[0, 3]), &count(&[0, 1, 3, 15]), false);
        assert_eq!(drawn, Cells { all: 2, had: 2, took: 1, before: 2, after: 3 });
        let removed = Cells::of(&under, &count(&[0, 1, 3]), &count(&[0, 15]), true);
        assert_eq!(removed, Cells { all: 2, had: 2, took: 2, before: 3, after: 1 });
    }

    #[test]
    fn a_thin_stroke_counts_where_it_covers_most() {
        assert_eq!(under(&[0.1, 0.25, 0.25, 0.0]), [false, true, true, false]);
        assert_eq!(under(&[0.0, 0.0]), [false, false]);
    }
}
