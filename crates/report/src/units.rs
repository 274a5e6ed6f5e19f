//! The cards of units.

use crate::Wanted;
use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::Inputs;
use crate::numbers::{count, decimals, interval, key, of, percent, small};
use crate::pictures::{self, Picture};
use base::Error;
use dissect::{LayerFindings, Unit, unit_picture};
use net::Result;
use rayon::prelude::*;

/// The anchor of a unit's card.
pub(crate) fn anchor(layer: usize, unit: usize) -> Html {
    markup("unit-{}-{}", &[text(layer), text(unit)])
}

/// The unit's number as a link to its card.
pub(crate) fn link(layer: usize, unit: usize) -> Html {
    markup("<a href=\"#{}\">{}</a>", &[anchor(layer, unit), text(unit)])
}

/// All units: those that stand for something first, then by `IoU`.
fn in_order(layer: &LayerFindings) -> Vec<&Unit> {
    let mut units: Vec<&Unit> = layer.units.iter().collect();
    units.sort_by(|a, b| b.interpretable.cmp(&a.interpretable).then(b.iou.total_cmp(&a.iou)).then(a.unit.cmp(&b.unit)));
    units
}

/// The section of all units.
pub(crate) fn section(inputs: &Inputs, wanted: &Wanted) -> Result<Html> {
    let layers = &inputs.findings.layers;
    let all: Vec<(usize, usize, &Unit)> = layers
        .iter()
        .enumerate()
        .flat_map(|(place, layer)| in_order(layer).into_iter().enumerate().map(move |(rank, unit)| (place, rank, unit)))
        .collect();
    let cards: Vec<(Html, bool)> = all
        .par_iter()
        .map(|&(place, rank, unit)| {
            let picture = if rank < wanted.pictures { picture(inputs, place, unit, wanted.top_images)? } else { None };
            let shown = picture.is_some();
            Ok((card(inputs, place, unit, picture), shown))
        })
        .collect::<Result<_>>()?;
    let without = cards.iter().filter(|(_, shown)| !shown).count();
    let note = if without == 0 {
        Html::none()
    } else {
        let parts = [
            text(count(wanted.pictures as u64)),
            text(of(without, "unit")),
            text(if without == 1 { "has" } else { "have" }),
        ];
        markup(
            "<p class=\"note\">Pictures are here of at most {} units of each layer, the best ones; {} {} a card without. \
             <code>--pictures</code> sets how many; pictures decide how large this file is.</p>",
            &parts,
        )
    };
    let options = |names: Vec<&str>| -> Html {
        let option = |(i, name): (usize, &str)| markup("<option value=\"{}\">{}</option>", &[text(i), text(name)]);
        names.into_iter().enumerate().map(option).collect()
    };
    let categories = categories(inputs);
    let classes = categories.iter().map(|category| {
        let own = inputs.dissection.concepts.list().iter().enumerate().filter(|(_, c)| c.category == *category);
        let option =
            |(i, c): (usize, &dissect::Concept)| markup("<option value=\"{}\">{}</option>", &[text(i), text(&c.name)]);
        markup("<optgroup label=\"{}\">{}</optgroup>", &[text(category), own.map(option).collect()])
    });
    Ok(fill(
        include_str!("templates/units.html"),
        &[
            ("total", text(count(all.len() as u64))),
            ("note", note),
            ("layers", options(layers.iter().map(|l| l.layer.as_str()).collect())),
            ("classes", classes.collect()),
            ("categories", options(categories.clone())),
            ("cards", cards.into_iter().map(|(card, _)| card).collect()),
        ],
    ))
}

/// The label planes that have classes, in order.
pub(crate) fn categories(inputs: &Inputs) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for concept in inputs.dissection.concepts.list() {
        if !names.contains(&concept.category.as_str()) {
            names.push(&concept.category);
        }
    }
    names
}

/// The unit's top images; none where it has none.
pub(crate) fn picture(inputs: &Inputs, layer: usize, unit: &Unit, wanted: usize) -> Result<Option<Picture>> {
    if unit.top.is_empty() || wanted == 0 {
        return Ok(None);
    }
    let path = unit_picture(&inputs.dissection.folder, &inputs.findings.layers[layer].layer, unit.unit);
    if !path.is_file() {
        return Err(Error::file(&path, "the picture of this unit is missing")
            .with_hint(
                "Remove dissection.json and run the `dissect` command again: it keeps the counts and makes the pictures. \
                 Or leave pictures out with `pictures 0`.",
            )
            .into());
    }
    Ok(Some(pictures::of_unit(&path, unit.top.len(), wanted)?))
}

fn card(inputs: &Inputs, layer: usize, unit: &Unit, picture: Option<Picture>) -> Html {
    let name = &inputs.findings.layers[layer].layer;
    let category = unit.category.as_deref().and_then(|own| categories(inputs).iter().position(|c| *c == own));
    let place = |place: Option<usize>| place.map_or_else(Html::none, text);
    let label = match (&unit.label, unit.concept) {
        (Some(label), Some(concept)) => {
            let parts = [text(concept), text(label), text(unit.category.as_deref().unwrap_or_default())];
            if unit.interpretable {
                markup("<a href=\"#class-{}\">{}</a> <small>{}</small>", &parts)
            } else {
                markup(
                    "<small>not interpretable, nearest to</small> <a href=\"#class-{}\">{}</a> <small>{}</small>",
                    &parts,
                )
            }
        }
        _ => markup("<small>never on where a class is</small>", &[]),
    };
    let words = [Some(name.as_str()), unit.label.as_deref(), unit.category.as_deref()];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let image = picture.map_or_else(Html::none, |picture| {
        let alt = format!(
            "The {} that activate unit {} of layer {name} most, with a line around where it is on",
            of(unit.top.len(), "image"),
            unit.unit
        );
        markup("<div class=\"top\">{}</div>", &[pictures::element(picture, &alt)])
    });
    let seeds = listed(unit.top.iter().map(|top| text(top.seed)));
    fill(
        include_str!("templates/unit.html"),
        &[
            ("anchor", anchor(layer, unit.unit)),
            ("state", text(if unit.interpretable { "unit" } else { "unit dull" })),
            ("words", text(format!("{} {}", words.join(" "), unit.unit))),
            ("layer-place", text(layer)),
            ("category-place", place(category)),
            ("class-place", place(unit.concept)),
            ("interpretable", text(unit.interpretable)),
            ("layer", text(name)),
            ("unit", text(unit.unit)),
            ("label", label),
            ("image", image),
            ("iou", text(decimals(unit.iou))),
            ("iou-interval", text(interval(unit.iou_interval, " to ", decimals))),
            ("agreement", text(percent(unit.agreement))),
            ("iqr", text(decimals(unit.iqr))),
            ("fdr", text(small(unit.fdr))),
            ("on", text(percent(unit.on))),
            ("threshold", text(decimals(unit.threshold.into()))),
            ("seeds", if seeds.is_empty() { text("none") } else { seeds }),
            ("iou-key", text(key(unit.iou))),
            ("agreement-key", text(key(unit.agreement))),
            ("iqr-key", text(key(unit.iqr))),
            ("fdr-key", text(key(unit.fdr))),
            ("on-key", text(key(unit.on))),
        ],
    )
}
