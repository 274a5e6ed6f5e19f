//! What one can paint with: for each class the units that make it, the best first.

use super::{Found, Painter, Sketch, id_of};
use base::Error;
use data::{Crop, Image, LabelMap, Size};
use dissect::{Causal, Concept, Painted};
use net::Result;
use segment::Segment;
use serde::Serialize;

/// Units by which the layer of a class is chosen where no causes were searched.
const CHOOSING: usize = 4;
/// Images among which pictures of classes are looked for.
const ICONS_FROM: std::ops::Range<u64> = 0..64;
/// Side of a picture of a class, in pixels.
const ICON: usize = 48;

/// How units were ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RankedBy {
    /// By what they cause.
    Causal,
    /// By how well they fit.
    Iou,
}

/// The units of a layer for one class, the best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ranking {
    /// `category/name`.
    pub class: String,
    /// How they were ranked.
    pub by: RankedBy,
    /// All units of the layer.
    pub units: Vec<usize>,
    /// By place: the strength that a search gave it, or its `IoU`.
    pub scores: Vec<f64>,
}

/// A class to paint with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaletteConcept {
    /// `category/name`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// The layer in which it is painted.
    pub layer: String,
    /// How its units were ranked.
    pub by: RankedBy,
    /// All units of the layer, the best first.
    pub units: Vec<usize>,
    /// The share of its pixels that goes when the 20 best units are off, on images that the search never saw.
    pub share: Option<f64>,
    /// The best `IoU` of a unit of the layer.
    pub iou: f64,
    /// Where its units were forced: what came of it, by what was there. Empty where that was not measured.
    pub contexts: Vec<Context>,
}

/// What became of units that were forced at single cells, by the class that held most of the cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Context {
    /// `category/name` of that class.
    pub class: String,
    /// Cells that were tried.
    pub cells: u64,
    /// The share of cells that held more of the painted class afterwards.
    pub made: f64,
}

/// Units that fit what somebody painted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnConcept {
    /// All units of the layer, the best first.
    pub units: Vec<usize>,
    /// By place: intersection over union of the cells where the unit is on and those that were painted, over all examples.
    pub ious: Vec<f64>,
}

impl Painter {
    /// All classes of the dissection, those first that 20 units take away most of; where no causes were searched, after those, by the
    /// best fit. Empty without a dissection.
    pub fn palette(&self) -> Vec<PaletteConcept> {
        let Some(found) = &self.found else { return Vec::new() };
        let concepts = found.dissection.concepts.list();
        let mut palette: Vec<PaletteConcept> =
            concepts.iter().enumerate().filter_map(|(concept, named)| found.concept(concept, named)).collect();
        palette.sort_by(|a, b| {
            let key = |c: &PaletteConcept| (c.share.unwrap_or(f64::NEG_INFINITY), c.iou);
            let ((share_a, iou_a), (share_b, iou_b)) = (key(a), key(b));
            share_b.total_cmp(&share_a).then(iou_b.total_cmp(&iou_a))
        });
        palette
    }

    /// The rankings of the units of a layer, for every class: by what they cause where that was searched, and by how well they fit.
    ///
    /// # Errors
    /// There is no dissection, or no such layer in it.
    pub fn rankings(&self, layer: &str) -> Result<Vec<Ranking>> {
        let found = self.found()?;
        found.subject.layer(layer)?;
        let place = found.subject.layers().iter().position(|own| own.name == layer).unwrap_or_default();
        let causes = found.causes.iter().filter(|causes| causes.layer == layer).map(|causes| Ranking {
            class: format!("{}/{}", causes.category, causes.class),
            by: RankedBy::Causal,
            units: causes.units.clone(),
            scores: causes.alpha.clone(),
        });
        let fits = found.dissection.concepts.list().iter().enumerate().map(|(concept, named)| {
            let (units, ious) = (found.dissection.ranked_by_iou(place, concept), found.dissection.ious(place, concept));
            let scores = units.iter().map(|&unit| finite(ious[unit])).collect();
            Ranking { class: id_of(named), by: RankedBy::Iou, units, scores }
        });
        Ok(causes.chain(fits).collect())
    }

    /// The units of a layer that fit what somebody painted in some pictures.
    ///
    /// A unit is on in a cell above its level, or, without a dissection, above what it exceeds in a twentieth of the cells of the
    /// examples. A cell is painted that is covered by at least a half.
    ///
    /// # Errors
    /// There is no such layer, no example, or nothing is painted in one.
    pub fn own_concept(&self, layer: &str, examples: &[(Sketch, Painted)]) -> Result<OwnConcept> {
        let own = self.subject.layer(layer)?;
        let (units, cells) = (own.units, own.size[0] * own.size[1]);
        if examples.is_empty() {
            let error = Error::setting("examples", "there is none");
            return Err(error.with_hint("Paint over the thing in some pictures.").into());
        }
        let mut painted = Vec::with_capacity(examples.len() * cells);
        let mut values: Vec<Vec<f32>> = vec![Vec::with_capacity(examples.len() * cells); units];
        for (sketch, mask) in examples {
            painted.extend(cells_of(mask, own.size)?);
            let maps = self.maps(sketch, layer)?;
            for (values, map) in values.iter_mut().zip(maps.numbers().chunks_exact(cells)) {
                values.extend_from_slice(map);
            }
        }
        let levels = self.levels(layer);
        let iou = |(unit, values): (usize, &Vec<f32>)| {
            let level = levels.map_or_else(|| exceeded_in_a_twentieth(values), |levels| levels[unit]);
            let (mut both, mut either) = (0u64, 0u64);
            for (&value, &painted) in values.iter().zip(&painted) {
                both += u64::from(value > level && painted);
                either += u64::from(value > level || painted);
            }
            both as f64 / either.max(1) as f64
        };
        let ious: Vec<f64> = values.iter().enumerate().map(iou).collect();
        let mut ranked: Vec<usize> = (0..units).collect();
        ranked.sort_by(|&a, &b| ious[b].total_cmp(&ious[a]));
        let ious = ranked.iter().map(|&unit| ious[unit]).collect();
        Ok(OwnConcept { units: ranked, ious })
    }

    /// A small square picture of a class, cut out of the picture that shows most of it; none where no picture does.
    ///
    /// # Errors
    /// There is no dissection, no such class or no segmenter.
    pub fn icon(&self, class: &str) -> Result<Option<&Image>> {
        let concept = self.found()?.dissection.concept(class)?;
        if self.icons.get().is_none() {
            let icons = self.all_icons()?;
            // Who was sooner made the same.
            drop(self.icons.set(icons));
        }
        Ok(self.icons.get().and_then(|icons| icons.get(concept)).and_then(Option::as_ref))
    }

    fn all_icons(&self) -> Result<Vec<Option<Image>>> {
        let (found, Some(segmenter)) = (self.found()?, &self.segmenter) else { return Ok(Vec::new()) };
        let concepts = &found.dissection.concepts;
        let mut best: Vec<Option<(u64, Image)>> = vec![None; concepts.list().len()];
        let seeds: Vec<u64> = ICONS_FROM.collect();
        for seeds in seeds.chunks(16) {
            let numbers = self.subject.images(seeds)?;
            let images = data::pictures::from_batch(numbers.shape(), &numbers.numbers())?;
            for (image, maps) in images.iter().zip(segmenter.segment(&numbers)?) {
                for (concept, best) in best.iter_mut().enumerate() {
                    let Some((plane, class)) = concepts.class_of(concept) else { continue };
                    let Some((pixels, square)) = maps.get(plane).and_then(|map| square_around(map, class)) else {
                        continue;
                    };
                    if best.as_ref().is_none_or(|(most, _)| pixels > *most) {
                        *best = Some((pixels, cut(image, square)));
                    }
                }
            }
        }
        Ok(best.into_iter().map(|best| best.map(|(_, image)| image)).collect())
    }
}

impl Found {
    fn concept(&self, concept: usize, named: &Concept) -> Option<PaletteConcept> {
        let of_class = |causes: &&Causal| causes.class == named.name && causes.category == named.category;
        let share = |causes: &Causal| causes.at_set().map_or(f64::NEG_INFINITY, |point| point.causal);
        let causes = self.causes.iter().filter(of_class).max_by(|a, b| share(a).total_cmp(&share(b)));
        let layers = self.subject.layers();
        let fit = |layer: usize| {
            let ious = self.dissection.ious(layer, concept);
            self.dissection
                .ranked_by_iou(layer, concept)
                .iter()
                .take(CHOOSING)
                .map(|&unit| finite(ious[unit]))
                .sum::<f64>()
        };
        let layer = match causes {
            Some(causes) => layers.iter().position(|layer| layer.name == causes.layer)?,
            None => (0..layers.len()).max_by(|&a, &b| fit(a).total_cmp(&fit(b)))?,
        };
        let iou = self.dissection.ious(layer, concept).into_iter().map(finite).fold(0.0, f64::max);
        let fits = || self.dissection.ranked_by_iou(layer, concept);
        Some(PaletteConcept {
            id: id_of(named),
            name: named.name.clone(),
            category: named.category.clone(),
            layer: layers[layer].name.clone(),
            by: if causes.is_some() { RankedBy::Causal } else { RankedBy::Iou },
            units: causes.map_or_else(fits, |causes| causes.units.clone()),
            share: causes.map(share).filter(|share| share.is_finite()),
            iou,
            contexts: causes.map(contexts).unwrap_or_default(),
        })
    }
}

fn contexts(causes: &Causal) -> Vec<Context> {
    let all = causes.insertions.iter().flat_map(|insertions| &insertions.contexts);
    let mut contexts: Vec<Context> = all
        .map(|context| Context {
            class: format!("{}/{}", context.category, context.class),
            cells: context.cells,
            made: context.made,
        })
        .collect();
    contexts.sort_by(|a, b| b.made.total_cmp(&a.made));
    contexts
}

/// A class that never occurs has no `IoU`.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// The cells of a map that are painted by at least a half; of a thin stroke, those that it covers most.
fn cells_of(painted: &Painted, size: [usize; 2]) -> Result<Vec<bool>> {
    let shares = painted.cells(size).map_err(|reason| Error::setting("examples", reason))?;
    Ok(super::effects::under(&shares))
}

fn exceeded_in_a_twentieth(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted[(sorted.len() * 19 / 20).min(sorted.len() - 1)]
}

/// How much of a class there is, and the square around it: left, top and side. None where there is none.
fn square_around(map: &LabelMap, class: u16) -> Option<(u64, [usize; 3])> {
    let there = map.classes.iter().enumerate().filter(|(_, found)| **found == class);
    let (mut pixels, mut left, mut top, mut right, mut bottom) = (0, usize::MAX, usize::MAX, 0, 0);
    for (pixel, _) in there {
        let (row, column) = (pixel / map.width, pixel % map.width);
        (left, right, top, bottom) = (left.min(column), right.max(column + 1), top.min(row), bottom.max(row + 1));
        pixels += 1;
    }
    if pixels == 0 {
        return None;
    }
    // A little more than the thing, and never so little that nothing can be seen.
    let most = map.width.min(map.height);
    let side = ((right - left).max(bottom - top) + 4).clamp((most / 4).max(1), most);
    let start = |from: usize, to: usize, all: usize| usize::midpoint(from, to).saturating_sub(side / 2).min(all - side);
    Some((pixels, [start(left, right, map.width), start(top, bottom, map.height), side]))
}

fn cut(image: &Image, [left, top, side]: [usize; 3]) -> Image {
    let channels = image.pixels.len() / (image.width * image.height).max(1);
    let row = |y: usize| &image.pixels[(y * image.width + left) * channels..][..side * channels];
    let pixels = (top..top + side).flat_map(|y| row(y).iter().copied()).collect();
    let cut = Image { width: side, height: side, pixels, ..image.clone() };
    data::to_size(cut.into_rgb(), Size { width: ICON, height: ICON }, Crop::Centre)
}
