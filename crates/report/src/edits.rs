//! Edits: what was done to which units, before and after, and what became of every class.

use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::{Edit, Inputs, SHEET};
use crate::numbers::{count, key, percent};
use crate::pictures::{self, Picture};
use crate::units;
use dissect::{Action, Edited, Effect, Place, Units, Value};
use net::Result;
use std::fmt::Display;

/// The section of all edits; nothing without any.
pub(crate) fn section(inputs: &Inputs) -> Result<Html> {
    if inputs.edits.is_empty() {
        return Ok(Html::none());
    }
    let edits = inputs.edits.iter().enumerate().map(|(number, edit)| article(inputs, number, edit));
    Ok(fill(include_str!("templates/edits.html"), &[("edits", edits.collect::<Result<_>>()?)]))
}

fn article(inputs: &Inputs, number: usize, edit: &Edit) -> Result<Html> {
    let path = edit.folder.join(SHEET);
    let pictures = match &edit.edited {
        Some(edited) => slider(number, |_| None, pictures::pairs(&path, &edited.sheet)?),
        None => sheet(&pictures::whole(&path)?),
    };
    let name =
        edit.folder.file_name().map_or_else(|| edit.folder.display().to_string(), |n| n.to_string_lossy().into());
    let of = edit.edited.as_ref().map_or_else(Html::none, |edited| {
        let from = match (&edited.seeds, &edited.latents) {
            (Some(seeds), _) => format!("seeds {seeds}"),
            (None, Some(latents)) => format!("latents of {latents}"),
            _ => String::new(),
        };
        markup("<p>{} images, {}.</p>", &[text(count(edited.images)), text(from)])
    });
    Ok(fill(
        include_str!("templates/edit.html"),
        &[
            ("number", text(number)),
            ("name", text(name)),
            (
                "actions",
                edit.recipe.edits.iter().map(|action| markup("<li>{}</li>", &[in_words(inputs, action)])).collect(),
            ),
            ("of", of),
            ("pictures", pictures),
            ("table", edit.edited.as_ref().map_or_else(Html::none, table)),
            ("file", text(edit.folder.display())),
        ],
    ))
}

/// Pairs that a slider wipes from before to after. `seed` gives the seed of a pair where it is known.
pub(crate) fn slider(name: impl Display, seed: impl Fn(usize) -> Option<u64>, pairs: Vec<[Picture; 2]>) -> Html {
    let pair = |(i, [before, after]): (usize, [Picture; 2])| {
        let which = seed(i).map_or_else(|| format!("Image {}", i + 1), |seed| format!("The image of seed {seed}"));
        let alt = |when: &str| text(format!("{which} {when} the edit"));
        let parts = [
            before.source,
            text(before.width),
            text(before.height),
            alt("before"),
            after.source,
            text(after.width),
            text(after.height),
            alt("after"),
        ];
        markup(
            "<div class=\"pair\"><img class=\"before\" src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">\
             <img class=\"after\" src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"></div>\n",
            &parts,
        )
    };
    let pairs = pairs.into_iter().enumerate().map(pair).collect();
    fill(include_str!("templates/slider.html"), &[("name", text(name)), ("pairs", pairs)])
}

/// A sheet as it is.
pub(crate) fn sheet(picture: &Picture) -> Html {
    let parts = [picture.source.clone(), text(picture.width), text(picture.height)];
    markup(
        "<figure class=\"sheet\"><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"Rows before, after, and the difference\">\
         <figcaption>Rows before, after, and the difference.</figcaption></figure>",
        &parts,
    )
}

/// The classes that there were or are, those that changed most first.
fn table(edited: &Edited) -> Html {
    let mut effects: Vec<&Effect> = edited.classes.iter().filter(|e| e.before > 0 || e.after > 0).collect();
    if effects.is_empty() {
        return Html::none();
    }
    effects.sort_by_key(|e| std::cmp::Reverse(e.before.abs_diff(e.after)));
    let row = |effect: &&Effect| {
        let removed = effect.removed();
        let cells = [
            text(&effect.concept.name),
            text(&effect.concept.category),
            text(effect.before),
            text(count(effect.before)),
            text(effect.after),
            text(count(effect.after)),
            text(key(removed)),
            text(percent(removed)),
        ];
        markup(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td>\
             <td data-key=\"{}\">{}</td></tr>\n",
            &cells,
        )
    };
    fill(include_str!("templates/effects.html"), &[("rows", effects.iter().map(row).collect())])
}

/// What is done to which units where.
fn in_words(inputs: &Inputs, action: &Action) -> Html {
    let layer = inputs.findings.layers.iter().position(|layer| layer.layer == action.layer);
    let which = match &action.units {
        Units::Numbers(numbers) => {
            let there = |unit: usize| layer.filter(|&layer| unit < inputs.findings.layers[layer].units.len());
            let named = listed(numbers.iter().map(|&unit| match there(unit) {
                Some(layer) => units::link(layer, unit),
                None => text(unit),
            }));
            markup("unit{} {}", &[text(if numbers.len() == 1 { "" } else { "s" }), named])
        }
        Units::OfClass { class, best } => text(format!("the {best} units that fit {class} best")),
    };
    let whole = action.alpha == 1.0;
    let what = match &action.value {
        Value::Zero if whole => "switched off".to_owned(),
        Value::Zero => format!("multiplied by {}", rounded(1.0 - action.alpha)),
        Value::Number(value) => format!("set to {value}"),
        Value::Mean => "set to their means".into(),
        Value::MeanOf(class) => format!("set to their means where {class} is"),
        Value::Quantile(q) => format!("set to their {q} quantiles"),
    };
    let far =
        if whole || action.value == Value::Zero { String::new() } else { format!(" by {}", rounded(action.alpha)) };
    let place = match &action.place {
        Place::Everywhere => String::new(),
        Place::Cells(cells) => {
            let cells: Vec<String> = cells.iter().map(|[row, column]| format!("{row},{column}")).collect();
            format!(", at cells {}", cells.join(" "))
        }
        Place::Mask(_) | Place::Painted(_) => ", under a mask".into(),
    };
    markup("Layer {}: {} {}{}{}.", &[text(&action.layer), which, text(what), text(far), text(place)])
}

/// Without the last digits that arithmetic leaves.
fn rounded(x: f64) -> f64 {
    (x * 1e9).round() / 1e9
}
