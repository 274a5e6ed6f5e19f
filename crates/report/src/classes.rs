//! The classes: how much of the pictures each takes, which units make it, and what causes it.

use crate::causes;
use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::Inputs;
use crate::layers::{BAR, figure};
use crate::numbers::{decimals, interval, key, of, percent};
use crate::units;
use dissect::{ClassShare, Concept, Plan, charts};

/// The section of all classes.
pub(crate) fn section(inputs: &Inputs) -> Html {
    let classes = &inputs.findings.classes;
    let real = classes.iter().any(|class| class.real.is_some());
    let row = |(place, class): (usize, &ClassShare)| {
        let cells = [
            swatch(&inputs.dissection.plan, &class.concept),
            text(place),
            text(&class.concept.name),
            text(&class.concept.category),
            text(units_of(inputs, class).map(|(_, units)| units.len()).sum::<usize>()),
            text(key(class.generated)),
            share(class.generated, class.generated_interval),
            text(key(class.real.unwrap_or(f64::NAN))),
            match class.real.zip(class.real_interval) {
                Some((real, interval)) => share(real, interval),
                None => text("–"),
            },
            text(key(ratio(class))),
            text(if ratio(class).is_finite() { format!("{:.2}", ratio(class)) } else { "–".into() }),
        ];
        markup(
            "<tr><th scope=\"row\">{}<a href=\"#class-{}\">{}</a></th><td>{}</td><td>{}</td><td data-key=\"{}\">{}</td>\
             <td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td></tr>\n",
            &cells,
        )
    };
    fill(
        include_str!("templates/classes.html"),
        &[
            (
                "summary",
                if real {
                    left_out(classes)
                } else {
                    markup(
                        "<p>No real images were counted; <code>ganatomy dissect --real</code> compares with them.</p>",
                        &[],
                    )
                },
            ),
            ("chart", figure(&Html::chart(&charts::classes(&inputs.findings).to_svg_of_width(BAR)))),
            ("rows", classes.iter().enumerate().map(row).collect()),
            ("pages", classes.iter().enumerate().map(|(place, class)| page(inputs, place, class)).collect()),
        ],
    )
}

/// The colour that a class has in label maps: of a cluster it is the mean colour of its pixels, and says more than its name.
pub(crate) fn swatch(plan: &Plan, concept: &Concept) -> Html {
    let plane = plan.planes.iter().find(|plane| plane.name == concept.category);
    let class = plane.and_then(|plane| plane.classes.iter().find(|class| class.name == concept.name));
    class.map_or_else(Html::none, |class| {
        let [red, green, blue] = class.colour;
        markup(
            "<svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 1 1\"><rect width=\"1\" height=\"1\" fill=\"{}\"/></svg> ",
            &[text(format!("#{red:02x}{green:02x}{blue:02x}"))],
        )
    })
}

pub(crate) fn share(value: f64, ends: [f64; 2]) -> Html {
    let bare = |end| percent(end).trim_end_matches(" %").to_owned();
    markup("{} <small>({})</small>", &[text(percent(value)), text(interval(ends, "–", bare))])
}

/// How often a class is made for once that it is there; NaN without real images.
fn ratio(class: &ClassShare) -> f64 {
    class.generated / class.real.unwrap_or(f64::NAN)
}

/// The layers with units that stand for a class.
fn units_of<'a>(inputs: &'a Inputs, class: &'a ClassShare) -> impl Iterator<Item = (usize, &'a [usize])> {
    inputs.findings.layers.iter().enumerate().filter_map(|(place, layer)| {
        let own = layer.concepts.iter().find(|d| d.concept == class.concept)?;
        Some((place, own.units.as_slice()))
    })
}

/// The classes whose shares differ by more than their intervals.
fn left_out(classes: &[ClassShare]) -> Html {
    let named = |keep: &dyn Fn(&ClassShare, [f64; 2]) -> bool| {
        let mut found: Vec<(usize, &ClassShare)> =
            classes.iter().enumerate().filter(|(_, c)| c.real_interval.is_some_and(|real| keep(c, real))).collect();
        found.sort_by(|a, b| ratio(a.1).total_cmp(&ratio(b.1)));
        found
    };
    let names = |found: Vec<(usize, &ClassShare)>| {
        if found.is_empty() {
            return text("none");
        }
        listed(found.into_iter().map(|(place, class)| {
            let times = if ratio(class).is_finite() { format!(" ({:.2} times)", ratio(class)) } else { String::new() };
            markup("<a href=\"#class-{}\">{}</a>{}", &[text(place), text(&class.concept.name), text(times)])
        }))
    };
    let less = named(&|class, real| class.generated_interval[1] < real[0]);
    let mut more = named(&|class, real| class.generated_interval[0] > real[1]);
    more.reverse();
    markup(
        "<p>Made less than there is: {}.<br>Made more than there is: {}.<br>\
         <small>Only classes whose 95 % intervals do not meet are named.</small></p>",
        &[names(less), names(more)],
    )
}

/// What is known of one class.
fn page(inputs: &Inputs, place: usize, class: &ClassShare) -> Html {
    let layers: Html = units_of(inputs, class)
        .map(|(layer, own)| {
            let links = listed(own.iter().map(|&unit| units::link(layer, unit)));
            let name = &inputs.findings.layers[layer].layer;
            markup("<div><dt>layer {} <small>({})</small></dt><dd>{}</dd></div>", &[text(name), text(own.len()), links])
        })
        .collect();
    let total: usize = units_of(inputs, class).map(|(_, own)| own.len()).sum();
    // The unit that fits best shows what is meant; its picture is that of its card.
    let best = units_of(inputs, class)
        .filter_map(|(layer, own)| Some((layer, &inputs.findings.layers[layer].units[*own.first()?])))
        .max_by(|a, b| a.1.iou.total_cmp(&b.1.iou));
    let best = best.map_or_else(Html::none, |(layer, unit)| {
        let name = &inputs.findings.layers[layer].layer;
        let parts = [units::anchor(layer, unit.unit), units::link(layer, unit.unit), text(name), text(decimals(unit.iou))];
        markup(
            "<div class=\"echo needs-js\" data-echo=\"{}\"></div>\n\
             <p><small>Best fit: unit {} of layer {}, IoU {}. Its strongest images need not show the class: the fit is over all images.</small></p>",
            &parts,
        )
    });
    let own = inputs.causes.iter().enumerate().filter(|(_, cause)| cause.concept == place);
    let real = match class.real.zip(class.real_interval) {
        Some((real, interval)) => markup(", {} of real ones", &[share(real, interval)]),
        None => Html::none(),
    };
    fill(
        include_str!("templates/class.html"),
        &[
            ("place", text(place)),
            ("swatch", swatch(&inputs.dissection.plan, &class.concept)),
            ("name", text(&class.concept.name)),
            ("category", text(&class.concept.category)),
            ("generated", share(class.generated, class.generated_interval)),
            ("real", real),
            ("units", text(if total == 0 { "No unit".into() } else { of(total, "interpretable unit") })),
            ("stand", text(if total < 2 { "stands" } else { "stand" })),
            ("layers", markup("<dl class=\"lists\">{}</dl>", &[layers]).when(total > 0)),
            (
                "button",
                markup(
                    "<p class=\"needs-js\"><button type=\"button\" data-show-class=\"{}\">Show its units</button></p>",
                    &[text(place)],
                )
                .when(total > 0),
            ),
            ("best", best),
            ("causes", own.map(|(number, cause)| causes::in_class(number, cause)).collect()),
        ],
    )
}
