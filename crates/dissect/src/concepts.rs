//! What units are compared with: the classes of a segmenter, as one list.

use data::{LabelMap, Plane};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// One class that a unit can stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Concept {
    /// Its name, such as `tree`; the second class of this name in a category is called `tree (2)`.
    pub name: String,
    /// The name of its label plane, such as `objects`.
    pub category: String,
}

/// The concepts of all label planes in order; classes that a plane ignores are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concepts {
    list: Vec<Concept>,
    planes: Vec<Plane>,
    /// For each plane, the concept of each class.
    of_class: Vec<Vec<Option<usize>>>,
}

impl Concepts {
    /// All classes of these planes.
    pub fn new(planes: &[Plane]) -> Self {
        let mut list = Vec::new();
        let mut of_class = Vec::new();
        let (mut taken, mut copies) = (HashSet::new(), HashMap::new());
        for plane in planes {
            let mut column = Vec::new();
            for (index, class) in plane.classes.iter().enumerate() {
                if plane.ignore.is_some_and(|ignored| usize::from(ignored) == index) {
                    column.push(None);
                    continue;
                }
                column.push(Some(list.len()));
                let concept = Concept { name: class.name.clone(), category: plane.name.clone() };
                let mut named = concept.clone();
                let copies = copies.entry(concept).or_insert(1);
                while !taken.insert(named.clone()) {
                    *copies += 1;
                    named.name = format!("{} ({copies})", class.name);
                }
                list.push(named);
            }
            of_class.push(column);
        }
        Self { list, planes: planes.to_vec(), of_class }
    }

    /// The concepts in order.
    pub fn list(&self) -> &[Concept] {
        &self.list
    }

    /// The planes they come from.
    pub fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// Plane and class of a concept.
    pub fn class_of(&self, concept: usize) -> Option<(usize, u16)> {
        self.of_class
            .iter()
            .enumerate()
            .find_map(|(plane, classes)| Some((plane, classes.iter().position(|&c| c == Some(concept))? as u16)))
    }

    /// The concept with this name; where two planes share it, that of the first. `category/name` names either.
    pub fn find(&self, name: &str) -> Option<usize> {
        let full = |c: &Concept| format!("{}/{}", c.category, c.name) == name;
        self.list.iter().position(|c| c.name == name).or_else(|| self.list.iter().position(full))
    }

    /// The concept of each pixel of one plane's label map; `None` where it is ignored or unknown.
    pub(crate) fn of_pixels<'a>(&'a self, plane: usize, map: &'a LabelMap) -> impl Iterator<Item = Option<usize>> + 'a {
        map.classes.iter().map(move |&class| self.of_class[plane].get(usize::from(class)).copied().flatten())
    }

    /// One bit row for each concept that occurs in these maps (one per plane), `kernels::words(pixels)` words each.
    pub(crate) fn rows(&self, maps: &[LabelMap]) -> Rows {
        let mut rows = Rows::default();
        for (plane, map) in maps.iter().enumerate() {
            let (classes, bits) = kernels::pack_classes(&map.classes);
            let words = kernels::words(map.classes.len());
            for (&class, row) in classes.iter().zip(bits.chunks_exact(words.max(1))) {
                if let Some(concept) = self.of_class[plane].get(usize::from(class)).copied().flatten() {
                    rows.concepts.push(concept);
                    rows.bits.extend_from_slice(row);
                }
            }
        }
        rows
    }
}

/// Where the concepts of one image are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// The concepts that occur.
    pub(crate) concepts: Vec<usize>,
    /// Their pixels, a row of bits each.
    pub(crate) bits: Vec<u64>,
}

impl Rows {
    /// Each concept that occurs, with its number of pixels.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (usize, u64)> {
        let words = self.bits.len() / self.concepts.len().max(1);
        let size = |row: &[u64]| row.iter().map(|word| u64::from(word.count_ones())).sum();
        self.concepts.iter().copied().zip(self.bits.chunks_exact(words.max(1)).map(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::Class;

    pub(crate) fn plane(name: &str, classes: &[&str], ignore: Option<u16>) -> Plane {
        let class = |name: &&str| Class { name: (*name).into(), colour: [0; 3] };
        Plane { name: name.into(), classes: classes.iter().map(class).collect(), ignore }
    }

    #[test]
    fn ignored_classes_are_no_concepts() {
        let planes = [plane("objects", &["sky", "house"], None), plane("parts", &["none", "roof", "house"], Some(0))];
        let concepts = Concepts::new(&planes);
        let names: Vec<&str> = concepts.list().iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["sky", "house", "roof", "house"]);
        assert_eq!(
            (concepts.find("house"), concepts.find("parts/house"), concepts.find("tree")),
            (Some(1), Some(3), None)
        );
        assert_eq!(
            (concepts.class_of(2), concepts.class_of(3), concepts.class_of(4)),
            (Some((1, 1)), Some((1, 2)), None)
        );
    }

    #[test]
    fn classes_of_one_name_are_told_apart() {
        let planes = [plane("a", &["x", "x (2)", "x", "x"], None), plane("a", &["x"], None), plane("b", &["x"], None)];
        let concepts = Concepts::new(&planes);
        let names: Vec<String> = concepts.list().iter().map(|c| format!("{}/{}", c.category, c.name)).collect();
        assert_eq!(names, ["a/x", "a/x (2)", "a/x (3)", "a/x (4)", "a/x (5)", "b/x"]);
        assert_eq!((concepts.find("x (3)"), concepts.class_of(2)), (Some(2), Some((0, 2))));
    }

    #[test]
    fn rows_hold_the_pixels_of_what_occurs() {
        let planes = [plane("objects", &["sky", "house"], None), plane("parts", &["none", "roof"], Some(0))];
        let map = |classes: &[u16]| LabelMap { width: 2, height: 2, classes: classes.to_vec() };
        let rows = Concepts::new(&planes).rows(&[map(&[1, 1, 1, 1]), map(&[0, 1, 0, 0])]);
        assert_eq!((rows.concepts, rows.bits), (vec![1, 2], vec![0b1111, 0b0010]));
    }
}
