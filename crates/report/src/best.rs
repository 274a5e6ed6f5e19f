//! What was found, at a glance: what the generator makes, and the best unit of every class.

use crate::Wanted;
use crate::classes::swatch;
use crate::html::{Html, fill, markup, text};
use crate::inputs::Inputs;
use crate::numbers::decimals;
use crate::pictures;
use crate::units;
use dissect::{SAMPLES, Unit};
use net::Result;

/// Images of a unit in its tile.
const IMAGES: usize = 4;

/// The section at the head of the page; nothing where neither pictures nor units are there.
pub(crate) fn section(inputs: &Inputs, wanted: &Wanted) -> Result<Html> {
    let tiles =
        best(inputs).into_iter().map(|(layer, unit)| tile(inputs, wanted, layer, unit)).collect::<Result<Vec<_>>>()?;
    let samples = samples(inputs, wanted)?;
    if tiles.is_empty() && samples.is_empty() {
        return Ok(Html::none());
    }
    let list = markup(
        "<h3>The best unit of each class</h3>\n<p class=\"note\">The images that activate it most, dark where it is off. \
         The label is of all images at once; the strongest ones may show something else.</p>\n<ul class=\"tiles\">\n{}</ul>\n",
        &[tiles.iter().cloned().collect()],
    )
    .when(!tiles.is_empty());
    Ok(fill(include_str!("templates/best.html"), &[("samples", samples), ("tiles", list)]))
}

/// The best interpretable unit of each class with the number of its layer, the best fit first.
pub(crate) fn best(inputs: &Inputs) -> Vec<(usize, &Unit)> {
    let mut found: Vec<(usize, &Unit)> = Vec::new();
    for (place, layer) in inputs.findings.layers.iter().enumerate() {
        for unit in layer.units.iter().filter(|unit| unit.interpretable) {
            match found.iter_mut().find(|(_, other)| other.concept == unit.concept) {
                Some(known) if unit.iou > known.1.iou => *known = (place, unit),
                Some(_) => {}
                None => found.push((place, unit)),
            }
        }
    }
    found.sort_by(|a, b| b.1.iou.total_cmp(&a.1.iou));
    found
}

fn tile(inputs: &Inputs, wanted: &Wanted, layer: usize, unit: &Unit) -> Result<Html> {
    let (name, label) = (&inputs.findings.layers[layer].layer, unit.label.as_deref().unwrap_or_default());
    let images = if wanted.pictures == 0 { 0 } else { IMAGES.min(wanted.top_images) };
    let image = units::picture(inputs, layer, unit, images)?.map_or_else(Html::none, |picture| {
        let alt = format!("The images that activate unit {} of layer {name} most", unit.unit);
        pictures::element(picture, &alt)
    });
    let class = unit.concept.map_or_else(Html::none, |place| {
        let swatch = inputs.dissection.concepts.list().get(place).map(|own| swatch(&inputs.dissection.plan, own));
        markup("{}<a href=\"#class-{}\">{}</a>", &[swatch.unwrap_or_default(), text(place), text(label)])
    });
    let parts = [image, class, units::anchor(layer, unit.unit), text(unit.unit), text(name), text(decimals(unit.iou))];
    Ok(markup("<li>{}<b>{}</b> <a href=\"#{}\">unit {}</a> <small>of layer {}, IoU {}</small></li>\n", &parts))
}

fn samples(inputs: &Inputs, wanted: &Wanted) -> Result<Html> {
    let path = inputs.dissection.folder.join(SAMPLES);
    // Dissections of older programs have none.
    if wanted.pictures == 0 || !path.is_file() {
        return Ok(Html::none());
    }
    let picture = pictures::element(pictures::photo(&path)?, "A grid of images that the generator makes");
    Ok(markup("<figure class=\"samples\">{}<figcaption>What the generator makes.</figcaption></figure>", &[picture]))
}
