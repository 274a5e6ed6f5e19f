//! Dissections side by side on one page.

use crate::classes::{share, swatch};
use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::Inputs;
use crate::layers::{BAR, figure};
use crate::numbers::{count, decimals, interval, key, of, percent};
use crate::{best, made, page, pictures, units};
use dissect::{ClassRow, ClassShare, Compared, Comparison, Findings, LayerCount, LayerRow, Unit, charts};
use plot::Bars;

/// Images of a unit.
const IMAGES: usize = 8;

/// The page, and what could not be shown.
pub(crate) fn page(inputs: &[Inputs], found: &Comparison) -> (Html, Vec<String>) {
    let mut notes = Vec::new();
    let head = fill(include_str!("templates/comparison-header.html"), &[("count", text(inputs.len()))]);
    let sections = vec![
        ("compared", "What is compared", compared(found)),
        ("best", "Best units", best_units(inputs, found, &mut notes)),
        ("layers", "Layers", layers(inputs, found)),
        ("classes", "Classes", classes(inputs, found)),
        ("made", "How it was made", how(inputs, found)),
    ];
    let names: Vec<&str> = found.dissections.iter().map(|one| one.folder.as_str()).collect();
    (page::whole(&format!("Comparison of {}", names.join(", ")), head, sections), notes)
}

/// A dissection by its number and name.
fn named(place: usize, found: &Comparison) -> Html {
    let folder = found.dissections.get(place).map_or("", |one| one.folder.as_str());
    markup("<b>{}</b> <small>{}</small>", &[text(place + 1), text(folder)])
}

fn compared(found: &Comparison) -> Html {
    let row = |(place, one): (usize, &Compared)| {
        let share = one.interpretable as f64 / one.units.max(1) as f64;
        let units = if one.chance_level {
            markup("{} <small>of {}</small>", &[text(count(one.interpretable as u64)), text(count(one.units as u64))])
        } else {
            markup("<small>no chance level</small>", &[])
        };
        let images = one.image_distance.map_or_else(
            || text("–"),
            |d| markup("{} <small>(real {})</small>", &[text(decimals(d.generated)), text(decimals(d.real))]),
        );
        let cells = [
            text(place + 1),
            text(&one.folder),
            text(&one.model),
            text(count(one.samples)),
            units,
            text(percent(share)),
            text(one.concepts),
            text(one.class_distance.map_or_else(|| "–".into(), decimals)),
            images,
        ];
        markup(
            "<tr><th scope=\"row\">{}</th><td>{}<br><small>{}</small></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{}</td></tr>\n",
            &cells,
        )
    };
    let differences = if found.differences.is_empty() {
        markup(
            "<p>Nothing: segmenter, classes, rules, sizes and numbers of images are the same, so all that follows can be compared.</p>",
            &[],
        )
    } else {
        let all = found.differences.iter().map(|difference| markup("<li>{}.</li>\n", &[text(&difference.text)]));
        markup("<ul>\n{}</ul>", &[all.collect()])
    };
    fill(
        include_str!("templates/compared.html"),
        &[("rows", found.dissections.iter().enumerate().map(row).collect()), ("differences", differences)],
    )
}

/// The best interpretable unit of each class, of all dissections; the class with the best fit first.
fn best_units(inputs: &[Inputs], found: &Comparison, notes: &mut Vec<String>) -> Html {
    let all: Vec<Vec<(usize, &Unit)>> = inputs.iter().map(best::best).collect();
    let mut rows: Vec<(f64, Html)> = Vec::new();
    for class in found.classes.iter().filter(|class| class.units.iter().any(|&n| n > 0)) {
        let own: Vec<Option<(usize, &Unit)>> =
            all.iter().map(|units| units.iter().copied().find(|(_, unit)| stands_for(unit, class))).collect();
        let fit = own.iter().flatten().map(|(_, unit)| unit.iou).fold(0.0, f64::max);
        let tiles = inputs.iter().zip(&own).enumerate();
        let tiles: Html = tiles.map(|(place, (one, unit))| tile(place, one, *unit, found, notes)).collect();
        let parts = [text(&class.class), text(&class.category), tiles];
        rows.push((fit, markup("<h3>{} <small>{}</small></h3>\n<ul class=\"versus\">\n{}</ul>\n", &parts)));
    }
    if rows.is_empty() {
        return Html::none();
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let classes = rows.into_iter().map(|(_, row)| row).collect();
    fill(include_str!("templates/compared-units.html"), &[("classes", classes)])
}

fn stands_for(unit: &Unit, class: &ClassRow) -> bool {
    unit.label.as_ref() == Some(&class.class) && unit.category.as_ref() == Some(&class.category)
}

fn tile(
    place: usize,
    inputs: &Inputs,
    best: Option<(usize, &Unit)>,
    found: &Comparison,
    notes: &mut Vec<String>,
) -> Html {
    let concept = best.and_then(|(_, unit)| inputs.dissection.concepts.list().get(unit.concept?));
    let swatch = concept.map_or_else(Html::none, |own| swatch(&inputs.dissection.plan, own));
    let name = markup("{}{}", &[swatch, named(place, found)]);
    let Some((layer, unit)) = best else {
        return markup("<li>{}<br>no unit stands for it</li>\n", &[name]);
    };
    let of_layer = &inputs.findings.layers[layer].layer;
    // A dissection that comes with the program has no pictures.
    let wanted = if inputs.dissection.folder.is_dir() { IMAGES } else { 0 };
    let picture = units::picture(inputs, layer, unit, wanted).unwrap_or_else(|error| {
        notes.push(error.to_string());
        None
    });
    let image = picture.map_or_else(Html::none, |picture| {
        let alt =
            format!("The images that activate unit {} of layer {of_layer} of dissection {} most", unit.unit, place + 1);
        pictures::element(picture, &alt)
    });
    let parts = [
        image,
        name,
        text(unit.unit),
        text(of_layer),
        text(decimals(unit.iou)),
        text(interval(unit.iou_interval, " to ", decimals)),
    ];
    markup("<li>{}{}<br>unit {} <small>of layer {}, IoU {} ({})</small></li>\n", &parts)
}

/// The headings of columns, one a dissection.
fn columns(found: &Comparison) -> Html {
    let column = |place| markup("<th scope=\"col\">{}</th>", &[named(place, found)]);
    (0..found.dissections.len()).map(column).collect()
}

/// A chart of each dissection beside the others, under its name.
fn side_by_side(inputs: &[Inputs], found: &Comparison, chart: fn(&Findings) -> Bars) -> Html {
    let one = |(place, inputs): (usize, &Inputs)| {
        let chart = Html::chart(&chart(&inputs.findings).to_svg_of_width(BAR));
        markup("<div><p>{}</p>\n{}</div>\n", &[named(place, found), figure(&chart)])
    };
    inputs.iter().enumerate().map(one).collect()
}

fn layers(inputs: &[Inputs], found: &Comparison) -> Html {
    let cell = |count: &Option<LayerCount>| {
        let said = count.map_or_else(
            || text("–"),
            |c| markup("{} <small>of {} ({})</small>", &[text(c.interpretable), text(c.units), text(c.concepts)]),
        );
        markup("<td>{}</td>", &[said])
    };
    let row = |row: &LayerRow| {
        let cells = row.found.iter().map(cell).collect();
        markup("<tr><th scope=\"row\">{}</th>{}</tr>\n", &[text(&row.layer), cells])
    };
    fill(
        include_str!("templates/compared-layers.html"),
        &[
            ("charts", side_by_side(inputs, found, charts::units_by_layer)),
            ("columns", columns(found)),
            ("rows", found.layers.iter().map(row).collect()),
        ],
    )
}

fn classes(inputs: &[Inputs], found: &Comparison) -> Html {
    let own = |place: usize, row: &ClassRow| {
        let same = |class: &&ClassShare| class.concept.name == row.class && class.concept.category == row.category;
        inputs[place].findings.classes.iter().find(same)
    };
    let cell = |place: usize, row: &ClassRow| {
        let Some(class) = own(place, row) else { return markup("<td data-key=\"\">–</td>", &[]) };
        let units = text(of(row.units.get(place).copied().unwrap_or_default(), "unit"));
        let share = share(class.generated, class.generated_interval);
        markup("<td data-key=\"{}\">{}<br><small>{}</small></td>", &[text(key(class.generated)), share, units])
    };
    let row = |row: &ClassRow| {
        let real = (0..inputs.len()).filter_map(|place| own(place, row)).find_map(|c| c.real.zip(c.real_interval));
        let cells = [
            text(&row.class),
            text(&row.category),
            (0..inputs.len()).map(|place| cell(place, row)).collect(),
            text(key(real.map_or(f64::NAN, |(real, _)| real))),
            real.map_or_else(|| text("–"), |(real, ends)| share(real, ends)),
        ];
        markup("<tr><th scope=\"row\">{}<br><small>{}</small></th>{}<td data-key=\"{}\">{}</td></tr>\n", &cells)
    };
    let summary = (1..inputs.len()).map(|place| apart(place, found, &|row| Some([own(0, row)?, own(place, row)?])));
    fill(
        include_str!("templates/compared-classes.html"),
        &[
            ("summary", summary.collect()),
            ("charts", side_by_side(inputs, found, charts::classes)),
            ("columns", columns(found)),
            ("rows", found.classes.iter().map(row).collect()),
        ],
    )
}

/// The classes whose shares differ by more than their intervals between the first dissection and another one, where both see the same classes.
fn apart<'a>(place: usize, found: &Comparison, both: &dyn Fn(&ClassRow) -> Option<[&'a ClassShare; 2]>) -> Html {
    let sees_otherwise = |what: &str| ["segmenter", "classes"].contains(&what);
    if found.differences.iter().any(|d| d.dissection == place + 1 && sees_otherwise(d.what)) {
        let parts = [text(place + 1)];
        return markup(
            "<p>The classes of dissection {} are others than those of dissection 1: their shares cannot be compared.</p>\n",
            &parts,
        );
    }
    let names = |is: fn(&ClassShare, &ClassShare) -> bool| {
        let own = found.classes.iter().filter(|row| both(row).is_some_and(|[first, other]| is(first, other)));
        let own: Vec<Html> = own.map(|row| text(&row.class)).collect();
        if own.is_empty() { text("none") } else { listed(own) }
    };
    let less = names(|first, other| other.generated_interval[1] < first.generated_interval[0]);
    let more = names(|first, other| other.generated_interval[0] > first.generated_interval[1]);
    markup(
        "<p>Made less by dissection {} than by dissection 1: {}.<br>Made more: {}.<br>\
         <small>Only classes whose 95 % intervals do not meet are named.</small></p>\n",
        &[text(place + 1), less, more],
    )
}

/// By which rules and commands each was made.
fn how(inputs: &[Inputs], found: &Comparison) -> Html {
    let fact = |(place, inputs): (usize, &Inputs)| {
        let settings = &inputs.dissection.plan.settings;
        let parts = [named(place, found), text(made::rule(settings)), text(made::interpretable(settings))];
        markup("<tr><th scope=\"row\">{}</th><td>A unit is on {}. It is interpretable with {}.</td></tr>\n", &parts)
    };
    let of_each = inputs.iter().map(|one| made::dissect_command(&one.dissection.plan, &one.dissection.folder));
    let mut compare = vec!["compare"];
    compare.extend(found.dissections.iter().map(|one| one.folder.as_str()));
    let commands = of_each.chain([made::line(&compare)]).map(|command| markup("{}\n", &[text(command)])).collect();
    let facts = inputs.iter().enumerate().map(fact).collect();
    fill(include_str!("templates/made.html"), &[("facts", facts), ("commands", commands)])
}
