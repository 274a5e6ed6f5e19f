//! What was found, as charts: units and concepts of layers, classes made and real.

use crate::find::{ClassShare, Findings, LayerFindings};
use base::{file_name, files};
use net::Result;
use plot::{BarValue, Bars, Row};
use std::path::Path;

/// The charts of a folder: `layers.svg`, one `layers/NAME.svg` for each layer, `classes.svg`.
pub(crate) fn write(folder: &Path, findings: &Findings) -> Result<()> {
    let write = |name: &Path, chart: Bars| files::write_atomic(folder.join(name), chart.to_svg().as_bytes());
    write(Path::new("layers.svg"), units_by_layer(findings))?;
    write(Path::new("classes.svg"), classes(findings))?;
    files::create_folder(folder.join("layers"))?;
    for layer in &findings.layers {
        write(&Path::new("layers").join(file_name(&[&layer.layer]) + ".svg"), units_of_layer(layer))?;
    }
    Ok(())
}

fn plain(value: f64) -> BarValue {
    BarValue { value, interval: None }
}

/// Interpretable units of every layer by category.
pub fn units_by_layer(findings: &Findings) -> Bars {
    by_layer(findings, "Interpretable units by layer", "units", |layer, category| {
        layer.concepts.iter().filter(|d| d.concept.category == category).map(|d| d.units.len()).sum()
    })
}

/// The different concepts that the units of every layer stand for, by category.
pub fn concepts_by_layer(findings: &Findings) -> Bars {
    by_layer(findings, "Distinct concepts by layer", "concepts", |layer, category| {
        layer.concepts.iter().filter(|d| d.concept.category == category).count()
    })
}

fn by_layer(findings: &Findings, title: &str, unit: &str, count: impl Fn(&LayerFindings, &str) -> usize) -> Bars {
    let mut categories: Vec<String> = Vec::new();
    for class in &findings.classes {
        if !categories.contains(&class.concept.category) {
            categories.push(class.concept.category.clone());
        }
    }
    let row = |layer: &LayerFindings| Row {
        group: String::new(),
        label: format!("{} ({} units, {}x{})", layer.layer, layer.units.len(), layer.size[1], layer.size[0]),
        values: categories.iter().map(|category| plain(count(layer, category) as f64)).collect(),
    };
    let rows = findings.layers.iter().map(row).collect();
    Bars { title: title.into(), x_label: unit.into(), rows, series: categories }
}

/// How many units of a layer stand for what.
pub fn units_of_layer(layer: &LayerFindings) -> Bars {
    let mut rows: Vec<Row> = layer
        .concepts
        .iter()
        .map(|d| Row {
            group: d.concept.category.clone(),
            label: d.concept.name.clone(),
            values: vec![plain(d.units.len() as f64)],
        })
        .collect();
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    let title = format!(
        "Layer {}: {} of {} units are interpretable, {} concepts",
        layer.layer,
        layer.interpretable,
        layer.units.len(),
        layer.concepts.len()
    );
    Bars { title, x_label: "units".into(), series: vec!["units".into()], rows }
}

/// What the generator makes more or less of than there is.
pub fn classes(findings: &Findings) -> Bars {
    let real = findings.classes.iter().any(|class| class.real.is_some());
    let bar = |value: f64, interval: Option<[f64; 2]>| BarValue {
        value,
        interval: interval.filter(|ends| ends.iter().all(|end| end.is_finite())),
    };
    let row = |class: &ClassShare| {
        let mut values = vec![bar(class.generated, Some(class.generated_interval))];
        if real {
            values.push(bar(class.real.unwrap_or(f64::NAN), class.real_interval));
        }
        Row { group: class.concept.category.clone(), label: class.concept.name.clone(), values }
    };
    let mut series = vec!["generated".to_owned()];
    if real {
        series.push("real".into());
    }
    Bars {
        title: "Classes in the images".into(),
        x_label: "share of pixels, with 95 % intervals".into(),
        series,
        rows: findings.classes.iter().map(row).collect(),
    }
}
