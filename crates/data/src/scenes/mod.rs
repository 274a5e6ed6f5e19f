//! `scenes`: procedural pictures of a small outdoor world, with exact labels in two planes.
//!
//! Scene `i` is a pure function of *(seed, i)* and of the form of the picture, and has the same content at every size of one form. The
//! shorter side shows a unit of the world: wide pictures have more land at the sides, high ones more sky. The world has rules that can be
//! discovered: doors and windows are only on buildings, doors stand on the ground line, clouds are only in the sky,
//! trees stand on grass and never on the road, lit windows belong to the evening, snow to winter and high mountains;
//! meadows with a house are common, villages around a church are rare.

mod buildings;
mod canvas;
mod land;
mod layout;
mod light;
mod noise;
mod sky;
mod trees;

use crate::image::{Class, Image, LabelMap, Plane};
use crate::size::Size;
use crate::source::Source;
use base::Result;
use base::seed::Stream;

pub use layout::render;

/// The smallest side for which a scene is rendered, in pixels.
pub const MIN_SIDE: usize = 32;
/// The largest side for which a scene is rendered, in pixels.
pub const MAX_SIDE: usize = 2048;
/// The side of a scene where none is asked for, in pixels.
pub const DEFAULT_SIDE: usize = 64;

/// Names and colours of the classes of the plane `objects`, by index.
pub const OBJECTS: [(&str, [u8; 3]); 11] = [
    ("sky", [135, 190, 235]),
    ("cloud", [245, 245, 245]),
    ("sun", [255, 215, 40]),
    ("mountain", [125, 110, 150]),
    ("grass", [120, 190, 70]),
    ("tree", [30, 110, 50]),
    ("house", [205, 115, 80]),
    ("church", [225, 165, 205]),
    ("window", [60, 220, 220]),
    ("door", [200, 30, 60]),
    ("road", [95, 95, 100]),
];

/// Names and colours of the classes of the plane `parts`, by index. Class 0 is "no part".
pub const PARTS: [(&str, [u8; 3]); 9] = [
    ("none", [40, 40, 48]),
    ("wall", [235, 205, 150]),
    ("roof", [190, 60, 40]),
    ("chimney", [150, 90, 200]),
    ("tower", [240, 160, 60]),
    ("spire", [70, 120, 220]),
    ("crown", [60, 160, 70]),
    ("trunk", [130, 85, 50]),
    ("peak", [235, 245, 255]),
];

/// Indices into [`OBJECTS`].
mod object {
    pub(super) const SKY: u8 = 0;
    pub(super) const CLOUD: u8 = 1;
    pub(super) const SUN: u8 = 2;
    pub(super) const MOUNTAIN: u8 = 3;
    pub(super) const GRASS: u8 = 4;
    pub(super) const TREE: u8 = 5;
    pub(super) const HOUSE: u8 = 6;
    pub(super) const CHURCH: u8 = 7;
    pub(super) const WINDOW: u8 = 8;
    pub(super) const DOOR: u8 = 9;
    pub(super) const ROAD: u8 = 10;
}

/// Indices into [`PARTS`].
mod part {
    pub(super) const NONE: u8 = 0;
    pub(super) const WALL: u8 = 1;
    pub(super) const ROOF: u8 = 2;
    pub(super) const CHIMNEY: u8 = 3;
    pub(super) const TOWER: u8 = 4;
    pub(super) const SPIRE: u8 = 5;
    pub(super) const CROWN: u8 = 6;
    pub(super) const TRUNK: u8 = 7;
    pub(super) const PEAK: u8 = 8;
}

/// A picture and what is where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The picture, RGB.
    pub image: Image,
    /// Indices into [`OBJECTS`], of the picture's size.
    pub objects: LabelMap,
    /// Indices into [`PARTS`], of the picture's size.
    pub parts: LabelMap,
}

/// The endless set of scenes of one seed and size.
pub struct Scenes {
    seed: u64,
    size: Size,
    planes: [Plane; 2],
}

impl Scenes {
    /// Scenes of a size, its sides clamped to [`MIN_SIDE`] ..= [`MAX_SIDE`].
    pub fn new(seed: u64, size: Size) -> Self {
        Self { seed, size, planes: planes() }
    }
}

/// What the two label maps of a scene mean.
pub fn planes() -> [Plane; 2] {
    let plane = |name: &str, classes: &[(&str, [u8; 3])], ignore| Plane {
        name: name.into(),
        classes: classes.iter().map(|&(name, colour)| Class { name: name.into(), colour }).collect(),
        ignore,
    };
    [plane("objects", &OBJECTS, None), plane("parts", &PARTS, Some(0))]
}

impl Source for Scenes {
    fn len(&self) -> Option<usize> {
        None
    }

    fn name(&self, index: u64) -> String {
        format!("scene {index} of seed {}", self.seed)
    }

    fn load(&self, index: u64) -> Result<Image> {
        Ok(render(self.seed, index, self.size).image)
    }

    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn maps(&self, index: u64) -> Result<Vec<LabelMap>> {
        Ok(self.load_with_maps(index)?.1)
    }

    fn load_with_maps(&self, index: u64) -> Result<(Image, Vec<LabelMap>)> {
        let scene = render(self.seed, index, self.size);
        Ok((scene.image, vec![scene.objects, scene.parts]))
    }
}

/// Uniform between two numbers.
fn between(stream: &mut Stream, low: f32, high: f32) -> f32 {
    low + (high - low) * stream.unit() as f32
}

/// An index, drawn with these weights (which sum to 1).
fn pick(stream: &mut Stream, weights: &[f64]) -> usize {
    let mut left = stream.unit();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len() - 1
}

#[cfg(test)]
mod tests;
