//! Which units cause a class.

use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::{Cause, Inputs};
use crate::layers::{CURVE, figure};
use crate::numbers::{count, decimals, key, percent};
use crate::units;
use dissect::{Context, Insertions, Point, SET, Trace};

/// The section of all results; nothing without any.
pub(crate) fn section(inputs: &Inputs) -> Html {
    if inputs.causes.is_empty() {
        return Html::none();
    }
    let row = |(number, cause): (usize, &Cause)| {
        let Some(point) = cause.found.at_set() else { return Html::none() };
        let removed = |share: f64| [text(key(share)), text(percent(share))];
        let [[a, b], [c, d], [e, f]] = [point.causal, point.iou, point.random].map(removed);
        let effect = [text(key(cause.found.effect)), text(decimals(cause.found.effect))];
        let [g, h] = effect;
        let start = [text(number), text(&cause.found.class), text(&cause.found.layer), text(point.units)];
        markup(
            "<tr><th scope=\"row\"><a href=\"#cause-{}\">{}</a></th><td>{}</td><td>{}</td><td data-key=\"{}\">{}</td>\
             <td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td></tr>\n",
            &[start.as_slice(), &[a, b, c, d, e, f, g, h]].concat(),
        )
    };
    let causes = || inputs.causes.iter().enumerate();
    fill(
        include_str!("templates/causes.html"),
        &[
            ("rows", causes().map(row).collect()),
            ("results", causes().map(|(n, cause)| result(inputs, n, cause)).collect()),
        ],
    )
}

/// One result with its curve.
fn result(inputs: &Inputs, number: usize, cause: &Cause) -> Html {
    let found = &cause.found;
    let point = |p: &Point| {
        let shares = [p.causal, p.iou, p.random].map(|share| text(percent(share)));
        markup(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            &[&[text(p.units)], shares.as_slice()].concat(),
        )
    };
    let set = found.units.iter().take(SET).map(|&unit| units::link(cause.layer, unit));
    let in_both =
        found.units.iter().take(SET).filter(|unit| found.iou_units.iter().take(SET).any(|u| u == *unit)).count();
    fill(
        include_str!("templates/cause.html"),
        &[
            ("number", text(number)),
            ("class-place", text(cause.concept)),
            ("class", text(&found.class)),
            ("layer", text(&found.layer)),
            ("insertions", found.insertions.as_ref().map_or_else(Html::none, insertions)),
            ("chart", figure(&Html::chart(&found.chart().to_svg_of_width(CURVE)))),
            ("points", found.curve.iter().map(point).collect()),
            ("units", listed(set)),
            ("set", text(SET.min(found.units.len()))),
            ("both", text(in_both)),
            ("effect", text(decimals(found.effect))),
            ("alone", alone(cause)),
            ("present", text(found.present)),
            ("images", text(found.settings.curve_images)),
            ("file", text(cause.path.display())),
            ("all", text(inputs.findings.layers[cause.layer].units.len())),
        ],
    )
}

/// The effects of the first units by themselves.
fn alone(cause: &Cause) -> Html {
    let pairs = cause.found.units.iter().zip(&cause.found.unit_effects).take(5);
    listed(pairs.map(|(&unit, &effect)| markup("{} {}", &[units::link(cause.layer, unit), text(decimals(effect))])))
}

/// What the strongest units make at single cells, the best places first.
fn insertions(found: &Insertions) -> Html {
    let context = |place: &&Context| {
        let numbers = [place.effect, place.error].map(|x| [text(key(x)), text(decimals(x))]);
        let made = [text(key(place.made)), text(percent(place.made))];
        markup(
            "<tr><th scope=\"row\">{}</th><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td>\
             <td data-key=\"{}\">{}</td></tr>\n",
            &[&[text(&place.class), text(place.cells), text(count(place.cells))], numbers.as_flattened(), &made]
                .concat(),
        )
    };
    let layer = |trace: &Trace| {
        let shares = [percent(trace.made), percent(trace.refused)].map(text);
        markup(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
            &[&[text(&trace.layer)], shares.as_slice()].concat(),
        )
    };
    let mut contexts: Vec<&Context> = found.contexts.iter().collect();
    contexts.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    fill(
        include_str!("templates/insertions.html"),
        &[
            ("set", text(found.units.len())),
            ("images", text(count(found.images))),
            ("contexts", contexts.iter().map(context).collect()),
            ("trace", found.trace.iter().map(layer).collect()),
        ],
    )
}

/// The curve for the class's own page.
pub(crate) fn in_class(number: usize, cause: &Cause) -> Html {
    let parts =
        [figure(&Html::chart(&cause.found.chart().to_svg_of_width(CURVE))), text(number), text(&cause.found.layer)];
    markup("{}<p><a href=\"#cause-{}\">What causes it in layer {}</a></p>", &parts)
}
