//! How much of each layer is interpretable.

use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::Inputs;
use crate::numbers::{decimals, key, percent, small};
use crate::units;
use dissect::{Detected, LayerFindings, charts};

/// Pixels for the longest bar: two charts stand beside each other.
pub(crate) const BAR: f64 = 260.0;

/// Pixels for a curve.
pub(crate) const CURVE: f64 = 340.0;

/// The section of all layers.
pub(crate) fn section(inputs: &Inputs) -> Html {
    let findings = &inputs.findings;
    let row = |(place, layer): (usize, &LayerFindings)| {
        let share = layer.interpretable as f64 / layer.units.len().max(1) as f64;
        let best = layer.units.iter().max_by(|a, b| a.iou.total_cmp(&b.iou).then(b.unit.cmp(&a.unit)));
        let best = best.map_or_else(Html::none, |unit| {
            let parts = [
                units::link(place, unit.unit),
                text(unit.label.as_deref().unwrap_or("nothing")),
                text(decimals(unit.iou)),
            ];
            markup("{} <small>{}, {}</small>", &parts)
        });
        let cells = [
            text(place),
            text(&layer.layer),
            text(layer.units.len()),
            text(layer.size[1]),
            text(layer.size[0]),
            text(layer.interpretable),
            text(key(share)),
            text(percent(share)),
            text(layer.concepts.len()),
            text(key(layer.chance_iou)),
            text(decimals(layer.chance_iou)),
            best,
        ];
        markup(
            "<tr><th scope=\"row\"><a href=\"#layer-{}\">{}</a></th><td>{}</td><td>{}×{}</td><td>{}</td>\
             <td data-key=\"{}\">{}</td><td>{}</td><td data-key=\"{}\">{}</td><td>{}</td></tr>\n",
            &cells,
        )
    };
    let details = |(place, layer): (usize, &LayerFindings)| {
        let chart = if layer.concepts.is_empty() {
            markup("<p>None of its units stands for a class.</p>", &[])
        } else {
            figure(&Html::chart(&charts::units_of_layer(layer).to_svg_of_width(BAR)))
        };
        fill(
            include_str!("templates/layer.html"),
            &[
                ("place", text(place)),
                ("name", text(&layer.layer)),
                ("interpretable", text(layer.interpretable)),
                ("units", text(layer.units.len())),
                ("concepts", text(layer.concepts.len())),
                ("chart", chart),
                ("list", layer.concepts.iter().map(|d| detected(place, d)).collect()),
                ("error", text(small(layer.threshold_error))),
            ],
        )
    };
    let charts = [charts::units_by_layer(findings), charts::concepts_by_layer(findings)];
    fill(
        include_str!("templates/layers.html"),
        &[
            ("charts", charts.iter().map(|chart| figure(&Html::chart(&chart.to_svg_of_width(BAR)))).collect()),
            ("rows", findings.layers.iter().enumerate().map(row).collect()),
            ("details", findings.layers.iter().enumerate().map(details).collect()),
        ],
    )
}

/// A chart that can be scrolled sideways where the page is narrow.
pub(crate) fn figure(chart: &Html) -> Html {
    markup(
        "<div class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"Chart\">{}</div>\n",
        std::slice::from_ref(chart),
    )
}

/// A concept with its units.
fn detected(layer: usize, found: &Detected) -> Html {
    let links = listed(found.units.iter().map(|&unit| units::link(layer, unit)));
    markup("<div><dt>{}</dt><dd>{}</dd></div>", &[text(&found.concept.name), links])
}
