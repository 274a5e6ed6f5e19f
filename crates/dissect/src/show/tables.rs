//! `units.csv`, `classes.csv` and `dissection.json`: the findings for programs.

use crate::find::{Findings, LayerFindings, Unit};
use crate::plan::{FORMAT, Plan};
use base::{Error, Result, csv_field, files};
use serde::Serialize;
use std::path::Path;

/// The columns of `units.csv`.
const UNITS: &str = "layer,unit,label,category,iou,iqr,threshold,interpretable,iou_low,iou_high,agreement,on,p,fdr";
/// The columns of `classes.csv`.
const CLASSES: &str = "class,category,generated,generated_low,generated_high,real,real_low,real_high";

/// The file with everything that was found, written last.
pub(crate) const DOCUMENT: &str = "dissection.json";

/// What [`DOCUMENT`] holds.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    program: &'a str,
    model: &'a crate::plan::Origin,
    segmenter: &'a crate::plan::Origin,
    real: &'a Option<String>,
    settings: &'a crate::settings::Settings,
    shard: crate::settings::Shard,
    image: [usize; 3],
    #[serde(flatten)]
    findings: &'a Findings,
}

/// Writes the three files, each atomically.
pub(crate) fn write(folder: &Path, plan: &Plan, findings: &Findings) -> Result<()> {
    files::write_atomic(folder.join("units.csv"), units(findings).as_bytes())?;
    files::write_atomic(folder.join("classes.csv"), classes(findings).as_bytes())?;
    files::write_atomic(folder.join(DOCUMENT), document(folder, plan, findings)?.as_bytes())
}

/// The text of [`DOCUMENT`].
pub(crate) fn document(folder: &Path, plan: &Plan, findings: &Findings) -> Result<String> {
    let document = Document {
        format: FORMAT,
        program: &plan.program,
        model: &plan.model,
        segmenter: &plan.segmenter,
        real: &plan.real,
        settings: &plan.settings,
        shard: plan.shard,
        image: plan.image,
        findings,
    };
    let json = serde_json::to_string_pretty(&document);
    Ok(json.map_err(|e| Error::file(folder.join(DOCUMENT), e.to_string()))? + "\n")
}

fn units(findings: &Findings) -> String {
    let row = |layer: &LayerFindings, u: &Unit| {
        let text = |word: &Option<String>| csv_field(word.as_deref().unwrap_or_default());
        format!(
            "{},{},{},{},{:.6},{:.6},{},{},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6}\n",
            csv_field(&layer.layer),
            u.unit,
            text(&u.label),
            text(&u.category),
            u.iou,
            u.iqr,
            u.threshold,
            u.interpretable,
            u.iou_interval[0],
            u.iou_interval[1],
            u.agreement,
            u.on,
            u.p,
            u.fdr
        )
    };
    let rows = findings.layers.iter().flat_map(|layer| layer.units.iter().map(move |unit| row(layer, unit)));
    format!("{UNITS}\n{}", rows.collect::<String>())
}

fn classes(findings: &Findings) -> String {
    let mut table = vec![format!("{CLASSES}\n")];
    for class in &findings.classes {
        let real = class.real.zip(class.real_interval);
        let real = real.map_or(",,".into(), |(share, [low, high])| format!("{share:.6},{low:.6},{high:.6}"));
        let [low, high] = class.generated_interval;
        let name = csv_field(&class.concept.name);
        let category = csv_field(&class.concept.category);
        table.push(format!("{name},{category},{:.6},{low:.6},{high:.6},{real}\n", class.generated));
    }
    table.concat()
}
