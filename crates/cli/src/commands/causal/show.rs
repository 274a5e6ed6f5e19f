//! What was found, as text, tables and charts.

use base::csv_field;
use dissect::{Causal as Found, Concept};
use plot::{BarValue, Bars, Row};
use std::fmt::Write;

/// A class with what was found, or why nothing was.
pub(super) type Searched = (Concept, Result<Found, String>);

pub(super) fn one(found: &Found) -> String {
    let units: Vec<String> = found.units.iter().take(dissect::SET).map(ToString::to_string).collect();
    let mut text = format!("units of {} that cause {}: {}\n", found.layer, found.class, units.join(", "));
    let alone: Vec<String> = found.unit_effects.iter().take(5).map(|effect| format!("{effect:.3}")).collect();
    _ = writeln!(
        text,
        "effect of {} together: {:.3} of the class's mean area, inserted instead of ablated; of the first alone: {}",
        units.len(),
        found.effect,
        alone.join(", ")
    );
    _ = writeln!(
        text,
        "\nremoved share of {}\n{:>6}  {:>7}  {:>7}  {:>7}",
        found.class, "units", "causal", "IoU", "random"
    );
    for point in &found.curve {
        _ = writeln!(text, "{:>6}  {:>7.3}  {:>7.3}  {:>7.3}", point.units, point.causal, point.iou, point.random);
    }
    if let Some(inserted) = &found.insertions {
        let units = inserted.units.len();
        _ = writeln!(text, "\n{units} units forced at one cell, by what stands there ({} images)", inserted.images);
        _ = writeln!(text, "{:<16}  {:>7}  {:>7}  {:>7}  {:>7}", "class", "cells", "effect", "+-", "made");
        let mut contexts: Vec<_> = inserted.contexts.iter().collect();
        contexts.sort_by(|a, b| b.effect.total_cmp(&a.effect));
        for place in contexts {
            let (class, cells) = (&place.class, place.cells);
            _ = writeln!(
                text,
                "{class:<16}  {cells:>7}  {:>7.3}  {:>7.3}  {:>7.3}",
                place.effect, place.error, place.made
            );
        }
        _ = writeln!(text, "\nchange of later layers\n{:<16}  {:>7}  {:>7}", "layer", "made", "refused");
        for layer in &inserted.trace {
            _ = writeln!(text, "{:<16}  {:>7.4}  {:>7.4}", layer.layer, layer.made, layer.refused);
        }
    }
    text
}

/// The classes that can be removed first.
fn sorted(rows: &[Searched]) -> Vec<&Searched> {
    let removed = |row: &Searched| row.1.as_ref().ok().and_then(Found::at_set).map_or(f64::NEG_INFINITY, |p| p.causal);
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|a, b| removed(b).total_cmp(&removed(a)));
    rows
}

pub(super) fn table(layer: &str, rows: &[Searched]) -> String {
    let mut text = format!("share of a class's pixels that goes with {} units of {layer}, and effect\n", dissect::SET);
    let head = ["causal", "IoU", "random", "effect"];
    _ = writeln!(text, "{:<16}  {:>7}  {:>7}  {:>7}  {:>7}", "class", head[0], head[1], head[2], head[3]);
    for (concept, found) in sorted(rows) {
        let name = &concept.name;
        _ = match found.as_ref().map(|found| (found, found.at_set())) {
            Ok((found, Some(p))) => {
                writeln!(
                    text,
                    "{name:<16}  {:>7.3}  {:>7.3}  {:>7.3}  {:>7.3}",
                    p.causal, p.iou, p.random, found.effect
                )
            }
            Ok((_, None)) => writeln!(text, "{name:<16}  has no curve"),
            Err(why) => writeln!(text, "{name:<16}  {why}"),
        };
    }
    text
}

pub(super) fn csv(rows: &[Searched]) -> String {
    let mut text =
        "class,category,units,removed_causal,removed_iou,removed_random,effect,present_images,note\n".to_owned();
    for (concept, found) in rows {
        let names = format!("{},{}", csv_field(&concept.name), csv_field(&concept.category));
        _ = match found.as_ref().map(|found| (found, found.at_set())) {
            Ok((found, Some(p))) => {
                let present = found.present;
                writeln!(text, "{names},{},{},{},{},{},{present},", p.units, p.causal, p.iou, p.random, found.effect)
            }
            Ok((found, None)) => writeln!(text, "{names},,,,,{},{},", found.effect, found.present),
            Err(why) => writeln!(text, "{names},,,,,,,{}", csv_field(why)),
        };
    }
    text
}

/// What goes with causal units, with those by `IoU` and with random ones, by class.
pub(super) fn bars(layer: &str, rows: &[Searched]) -> String {
    let row = |(concept, found): &&Searched| {
        let point = found.as_ref().ok().and_then(Found::at_set)?;
        // A bar has no length below zero: a class that grows is not removed.
        let value = |value: f64| BarValue { value: value.max(0.0), interval: None };
        Some(Row {
            group: concept.category.clone(),
            label: concept.name.clone(),
            values: vec![value(point.causal), value(point.iou), value(point.random)],
        })
    };
    let mut rows: Vec<Row> = sorted(rows).iter().filter_map(row).collect();
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    Bars {
        title: format!("Switching off {} units of layer {layer}", dissect::SET),
        x_label: "share of the class's pixels removed".into(),
        series: ["causal", "by IoU", "random"].map(String::from).into(),
        rows,
    }
    .to_svg()
}
