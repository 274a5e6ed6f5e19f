//! The page as a whole.

use crate::html::{Html, fill, markup, text};
use crate::inputs::Inputs;
use crate::numbers::{count, of};
use crate::{Wanted, best, causes, classes, edits, layers, made, units};
use net::Result;

/// Puts the sections together.
pub(crate) fn page(inputs: &Inputs, wanted: &Wanted) -> Result<Html> {
    let plan = &inputs.dissection.plan;
    let repair = match &inputs.repair {
        Some(repair) => repair.section(inputs, wanted)?,
        None => Html::none(),
    };
    let sections: Vec<(&'static str, &'static str, Html)> = vec![
        ("found", "What was found", best::section(inputs, wanted)?),
        ("layers", "Layers", layers::section(inputs)),
        ("classes", "Classes", classes::section(inputs)),
        ("causes", "Causes", causes::section(inputs)),
        ("edits", "Edits", edits::section(inputs)?),
        ("repair", "Repair", repair),
        ("units", "Units", units::section(inputs, wanted)?),
        ("made", "How it was made", made::section(inputs)),
    ];
    Ok(whole(&format!("Dissection of {}", plan.model.name), header(inputs), sections))
}

/// A page of a head and sections: the anchor of each, its name, and what is in it. Empty ones are left out.
pub(crate) fn whole(title: &str, head: Html, sections: Vec<(&'static str, &'static str, Html)>) -> Html {
    let sections: Vec<_> = sections.into_iter().filter(|(.., content)| !content.is_empty()).collect();
    let links = sections
        .iter()
        .map(|(anchor, name, _)| markup("<li><a href=\"#{}\">{}</a></li>\n", &[text(anchor), text(name)]))
        .collect();
    let content: Html = sections.into_iter().map(|(.., content)| content).collect();
    // Only markup that was there when the page was finished can carry this mark: nobody could have put it into a name.
    let nonce = text(&blake3::hash([head.as_str(), content.as_str()].concat().as_bytes()).to_hex()[..32]);
    fill(
        include_str!("templates/page.html"),
        &[
            ("nonce", nonce),
            ("title", text(title)),
            ("style", Html::own(include_str!("templates/page.css"))),
            ("script", Html::own(include_str!("templates/page.js"))),
            ("links", links),
            ("header", head),
            ("content", content),
            ("version", text(env!("CARGO_PKG_VERSION"))),
        ],
    )
}

fn header(inputs: &Inputs) -> Html {
    let (plan, findings) = (&inputs.dissection.plan, &inputs.findings);
    let units: usize = findings.layers.iter().map(|layer| layer.units.len()).sum();
    let interpretable: usize = findings.layers.iter().map(|layer| layer.interpretable).sum();
    let stood_for = findings
        .classes
        .iter()
        .filter(|class| findings.layers.iter().any(|l| l.concepts.iter().any(|d| d.concept == class.concept)))
        .count();
    let layers: Vec<&str> = findings.layers.iter().map(|layer| layer.layer.as_str()).collect();
    let part = if plan.shard.of > 1 {
        format!(" This is shard {} of {} alone.", plan.shard.index, plan.shard.of)
    } else {
        String::new()
    };
    let real = match &plan.real {
        Some(real) => format!(" {} real ones of {real} were counted beside them.", count(plan.settings.real_samples)),
        None => String::new(),
    };
    let [channels, height, width] = plan.image;
    fill(
        include_str!("templates/header.html"),
        &[
            ("model", text(&plan.model.name)),
            ("segmenter", text(&plan.segmenter.name)),
            ("samples", text(count(plan.settings.samples))),
            ("size", text(format!("{width}×{height} pixels{}", if channels == 1 { ", grey" } else { "" }))),
            ("real", text(real)),
            ("part", text(part)),
            ("interpretable", text(count(interpretable as u64))),
            ("units", text(of(units, "unit"))),
            ("stood-for", text(stood_for)),
            ("classes", text(format!("{} classes", findings.classes.len()))),
            ("layer-count", text(layers.len())),
            ("layers", text(layers.join(", "))),
            ("rule", text(made::rule(&plan.settings))),
            ("wanted", text(made::interpretable(&plan.settings))),
            (
                "chance",
                markup(
                    "<p class=\"rule\"><b>No unit is called interpretable:</b> that needs a chance level, and so at least {} images counted \
                     together.</p>",
                    &[text(dissect::GROUP)],
                )
                .when(!findings.chance_level),
            ),
        ],
    )
}
