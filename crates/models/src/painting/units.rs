//! The units of a layer with all that is known of them.

use super::Painter;
use data::Image;
use dissect::Example;
use net::Result;
use serde::Serialize;

/// A unit, with what was found about it. Without a dissection of its layer only its number is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitRow {
    /// Its number.
    pub unit: usize,
    /// The class that it fits best, `category/name`.
    pub label: Option<String>,
    /// Intersection over union with it.
    pub iou: Option<f64>,
    /// The middle 95 % of that when blocks of images are drawn anew.
    pub iou_interval: Option<[f64; 2]>,
    /// The level above which it counts as on.
    pub threshold: Option<f32>,
    /// The share of pixels where it is on.
    pub on: Option<f64>,
    /// Whether it fits the class better than chance would have it.
    pub interpretable: bool,
    /// The expected share of false ones among the units that are no worse.
    pub fdr: Option<f64>,
    /// The classes that were searched for causes with this unit among the strongest, with its average causal effect.
    pub effects: Vec<UnitEffect>,
    /// The images that activate it most.
    pub top: Vec<Example>,
}

/// What a unit causes by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitEffect {
    /// `category/name`.
    pub class: String,
    /// Its average causal effect, in shares of the class's mean area.
    pub effect: f64,
}

impl Painter {
    /// All units of a layer.
    ///
    /// # Errors
    /// There is no such layer.
    pub fn units(&self, layer: &str) -> Result<Vec<UnitRow>> {
        let all = self.subject.layer(layer)?.units;
        let mut rows: Vec<UnitRow> = (0..all).map(|unit| UnitRow { unit, ..UnitRow::default() }).collect();
        let Some(found) = &self.found else { return Ok(rows) };
        let finite = |v: f64| Some(v).filter(|v| v.is_finite());
        let findings = found.findings.layers.iter().find(|findings| findings.layer == layer);
        for unit in findings.iter().flat_map(|findings| &findings.units) {
            let Some(row) = rows.get_mut(unit.unit) else { continue };
            row.label = unit.concept.map(|concept| super::id_of(&found.dissection.concepts.list()[concept]));
            row.iou = finite(unit.iou);
            row.iou_interval = Some(unit.iou_interval).filter(|ends| ends.iter().all(|v| v.is_finite()));
            (row.threshold, row.on) = (Some(unit.threshold), finite(unit.on));
            (row.interpretable, row.fdr) = (unit.interpretable, finite(unit.fdr));
            row.top.clone_from(&unit.top);
        }
        for causes in found.causes.iter().filter(|causes| causes.layer == layer) {
            let class = format!("{}/{}", causes.category, causes.class);
            for (&unit, &effect) in causes.units.iter().zip(&causes.unit_effects) {
                let effect = UnitEffect { class: class.clone(), effect };
                rows.get_mut(unit).into_iter().for_each(|row| row.effects.push(effect.clone()));
            }
        }
        Ok(rows)
    }

    /// The class that each unit of a layer fits best; empty where the layer was not dissected.
    pub(super) fn labels_of_units(&self, layer: &str) -> Vec<Option<String>> {
        self.units(layer).map(|rows| rows.into_iter().map(|row| row.label).collect()).unwrap_or_default()
    }

    /// The images that activate a unit most, at most `images` in a row, dark where it is off; none where it is never on or its layer was
    /// not dissected.
    ///
    /// # Errors
    /// There is no such layer or unit.
    pub fn picture_of_unit(&self, layer: &str, unit: usize, images: usize) -> Result<Option<Image>> {
        let all = self.subject.layer(layer)?.units;
        if unit >= all {
            let reason = format!("there is no unit {unit}; layer {layer} has units 0 to {}", all - 1);
            return Err(base::Error::setting("unit", reason).into());
        }
        let Some(found) = &self.found else { return Ok(None) };
        let Some(place) = found.subject.layers().iter().position(|own| own.name == layer) else { return Ok(None) };
        found.dissection.picture_of_unit(&found.subject, place, unit, images)
    }
}
