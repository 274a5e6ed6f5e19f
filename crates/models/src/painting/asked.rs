//! What units do in one picture.

use super::{Painter, Sketch};
use base::Error;
use net::{Result, Tensor};
use serde::Serialize;
use std::sync::Arc;

/// Maps of units.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heat {
    /// Height and width in cells.
    pub size: [usize; 2],
    /// One for each unit that was asked for.
    pub units: Vec<UnitHeat>,
}

/// The map of one unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitHeat {
    /// Its number.
    pub unit: usize,
    /// The level above which it counts as on; none without a dissection.
    pub level: Option<f32>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

/// How active a unit is in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Active {
    /// Its number.
    pub unit: usize,
    /// Its largest value.
    pub max: f32,
    /// Its mean value.
    pub mean: f32,
    /// The level above which it counts as on; none without a dissection.
    pub level: Option<f32>,
}

/// What is at work at one pixel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AtPixel {
    /// The cell of the layer there: row and column.
    pub cell: [usize; 2],
    /// All units, the most responsible first: by their value as a multiple of their level, without a dissection by their value.
    pub units: Vec<PixelUnit>,
}

/// A unit at a pixel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PixelUnit {
    /// Its number.
    pub unit: usize,
    /// Its value there.
    pub value: f32,
    /// Its value as a multiple of its level; none without a dissection, or where the level is not above 0.
    pub ratio: Option<f32>,
    /// The class that it fits best.
    pub label: Option<String>,
}

impl Painter {
    /// The maps of some units of a layer in a picture.
    ///
    /// # Errors
    /// There is no such layer or unit.
    pub fn heat(&self, sketch: &Sketch, layer: &str, units: &[usize]) -> Result<Heat> {
        let (own, levels) = (self.subject.layer(layer)?, self.levels(layer));
        if let Some(unit) = units.iter().find(|&&unit| unit >= own.units) {
            let reason = format!("there is no unit {unit}; layer {layer} has units 0 to {}", own.units - 1);
            return Err(Error::setting("units", reason).into());
        }
        let maps = self.maps(sketch, layer)?;
        let (values, cells) = (maps.numbers(), own.size[0] * own.size[1]);
        let heat = |&unit: &usize| UnitHeat {
            unit,
            level: levels.map(|levels| levels[unit]),
            values: values[unit * cells..][..cells].to_vec(),
        };
        Ok(Heat { size: own.size, units: units.iter().map(heat).collect() })
    }

    /// How active each unit of a layer is in a picture.
    ///
    /// # Errors
    /// There is no such layer.
    pub fn active(&self, sketch: &Sketch, layer: &str) -> Result<Vec<Active>> {
        let (size, levels) = (self.subject.layer(layer)?.size, self.levels(layer));
        let (maps, cells) = (self.maps(sketch, layer)?, size[0] * size[1]);
        let active = |(unit, map): (usize, &[f32])| Active {
            unit,
            max: map.iter().fold(f32::NEG_INFINITY, |max, &v| max.max(v)),
            mean: (map.iter().map(|&v| f64::from(v)).sum::<f64>() / cells as f64) as f32,
            level: levels.map(|levels| levels[unit]),
        };
        Ok(maps.numbers().chunks_exact(cells).enumerate().map(active).collect())
    }

    /// The units of a layer at one pixel `[row, column]` of a picture.
    ///
    /// # Errors
    /// There is no such layer or pixel.
    pub fn at_pixel(&self, sketch: &Sketch, layer: &str, [row, column]: [usize; 2]) -> Result<AtPixel> {
        let [_, height, width] = self.subject.image_shape();
        if row >= height || column >= width {
            let reason = format!("row {row}, column {column} is not in a picture of {width} x {height} pixels");
            return Err(Error::setting("pixel", reason).into());
        }
        let ([h, w], levels) = (self.subject.layer(layer)?.size, self.levels(layer));
        let cell = [row * h / height, column * w / width];
        let labels = self.labels_of_units(layer);
        let maps = self.maps(sketch, layer)?;
        let at = |(unit, map): (usize, &[f32])| {
            let value = map[cell[0] * w + cell[1]];
            let level = levels.map(|levels| levels[unit]).filter(|&level| level > 0.0);
            let label = labels.get(unit).cloned().flatten();
            PixelUnit { unit, value, ratio: level.map(|level| value / level), label }
        };
        let mut units: Vec<PixelUnit> = maps.numbers().chunks_exact(h * w).enumerate().map(at).collect();
        let strength = |unit: &PixelUnit| if levels.is_some() { unit.ratio.unwrap_or(0.0) } else { unit.value };
        units.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        Ok(AtPixel { cell, units })
    }

    /// The maps of a layer in a picture, `[1, units, h, w]`, as the edits leave them.
    pub(super) fn maps(&self, sketch: &Sketch, layer: &str) -> Result<Arc<Tensor>> {
        self.maps.get_or(&format!("{layer}\n{}", sketch.name()?), || {
            let maps = self.subject.edited_maps(&sketch.feed, &sketch.edits, layer)?;
            let bytes = 4 * maps.shape().iter().product::<usize>();
            Ok((maps, bytes))
        })
    }

    /// The levels of a layer that was dissected.
    pub(super) fn levels(&self, layer: &str) -> Option<&[f32]> {
        let dissection = &self.found.as_ref()?.dissection;
        let place = dissection.plan.layers.iter().position(|other| other.name == layer)?;
        Some(&dissection.fits[place].levels)
    }
}
