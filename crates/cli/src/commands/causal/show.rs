//! What was found, as text.

use dissect::Causal as Found;
use models::{Searched, removable_first};
use std::fmt::Write;

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

pub(super) fn table(layer: &str, rows: &[Searched]) -> String {
    let mut text = format!("share of a class's pixels that goes with {} units of {layer}, and effect\n", dissect::SET);
    let head = ["causal", "IoU", "random", "effect"];
    _ = writeln!(text, "{:<16}  {:>7}  {:>7}  {:>7}  {:>7}", "class", head[0], head[1], head[2], head[3]);
    for (concept, found) in removable_first(rows) {
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
