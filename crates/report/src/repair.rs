//! What `repair` did: units whose images are far from real ones, which of them were taken out, and whether that helped.
//!
//! Its files are read for what is known of them; what is not there is left out.

use crate::Wanted;
use crate::edits;
use crate::html::{Html, fill, listed, markup, text};
use crate::inputs::{Inputs, SHEET};
use crate::layers::{BAR, figure};
use crate::made;
use crate::numbers::{count, key};
use crate::pictures;
use crate::units;
use base::{Error, Result, files};
use dissect::{REPAIR_FORMAT, Sheet};
use plot::{BarValue, Bars, Row};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The record in the folder of a repair.
pub(crate) const FILE: &str = "repair.json";
/// The candidates in the folder of a repair.
pub(crate) const CANDIDATES: &str = "candidates.json";
/// The longest file that is read.
const LIMIT: u64 = 64 << 20;
/// Candidates that are shown with their pictures, at most.
const PICTURES: usize = 12;

/// A folder of `repair`.
pub(crate) struct Repair {
    pub(crate) folder: PathBuf,
    /// The candidates, the likeliest artifacts first.
    candidates: Vec<Candidate>,
    /// The real images: what the user typed.
    real_name: Option<String>,
    /// What was measured; none before a unit was accepted.
    record: Record,
    /// Whether there is a record.
    repaired: bool,
}

/// What is known of `repair.json`, and of the part that `candidates.json` shares with it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    model: Model,
    layer: String,
    units: Value,
    removal: Value,
    /// The distance of other real images.
    other_real: Value,
    alike: Distances,
    strongest: Distances,
    all: Distances,
    strongest_seeds: Vec<u64>,
    settings: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model {
    name: String,
    blake3: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Distances {
    images: u64,
    before: Option<f64>,
    after: Option<f64>,
    random: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Candidate {
    unit: usize,
    distance: Option<f64>,
    z: Option<f64>,
    without: Option<f64>,
    iou: Option<f64>,
}

impl Distances {
    fn random_mean(&self) -> Option<f64> {
        let known: Vec<f64> = self.random.iter().flatten().copied().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

impl Repair {
    /// Whether a folder is one of `repair`.
    pub(crate) fn is(folder: &Path) -> bool {
        folder.join(FILE).is_file() || folder.join(CANDIDATES).is_file()
    }

    /// Reads a repair's folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        if !Self::is(folder) {
            return Err(Error::file(folder, format!("is not a repair (neither {FILE} nor {CANDIDATES})"))
                .with_hint("Give a folder that `repair` has written."));
        }
        let repaired = folder.join(FILE).is_file();
        let (mut candidates, mut real_name) = (Vec::new(), None);
        if folder.join(CANDIDATES).is_file() {
            let path = folder.join(CANDIDATES);
            let search = read(&path)?;
            real_name = search.get("real").and_then(Value::as_str).map(str::to_owned);
            if let Some(found) = search.get("candidates") {
                candidates = of_value(found.clone(), &path)?;
            }
        }
        let path = folder.join(if repaired { FILE } else { CANDIDATES });
        let record: Record = of_value(read(&path)?, &path)?;
        Ok(Self { folder: folder.to_owned(), candidates, real_name, record, repaired })
    }

    /// Whether it is a repair of this generator, as far as it says.
    pub(crate) fn is_of(&self, blake3: &str) -> bool {
        self.record.model.blake3.is_empty() || self.record.model.blake3 == blake3
    }

    /// The units that were taken out.
    fn gone(&self) -> Vec<usize> {
        let units = self.record.units.as_array().filter(|_| self.repaired).map_or(&[][..], Vec::as_slice);
        units.iter().filter_map(Value::as_u64).map(|unit| unit as usize).collect()
    }

    /// A command that gives it, where all is known that it needs.
    pub(crate) fn command(&self) -> Option<String> {
        let record = &self.record;
        let settings = record.settings.as_object()?;
        let mut words = ["repair", &record.model.name, "--layer", &record.layer].map(str::to_owned).to_vec();
        words.extend(["--real".into(), self.real_name.clone()?]);
        for (flag, name) in [
            ("--samples", "samples"),
            ("--real-samples", "real_samples"),
            ("--units", "candidates"),
            ("--random", "random"),
            ("--seed", "seed"),
        ] {
            let value = settings.get(name).and_then(Value::as_u64);
            words.extend(value.iter().flat_map(|value| [flag.to_owned(), value.to_string()]));
        }
        let gone: Vec<String> = self.gone().iter().map(ToString::to_string).collect();
        if !gone.is_empty() {
            words.extend(["--accept".into(), gone.join(",")]);
        }
        words.extend(["--out".into(), self.folder.display().to_string()]);
        Some(made::line(&words))
    }

    /// The section.
    pub(crate) fn section(&self, inputs: &Inputs, wanted: &Wanted) -> Result<Html> {
        let layers = &inputs.findings.layers;
        let layer = layers.iter().position(|layer| layer.layer == self.record.layer);
        let known = |unit: usize| layer.filter(|&layer| unit < layers[layer].units.len());
        let named = |unit: usize| known(unit).map_or_else(|| text(unit), |layer| units::link(layer, unit));
        let gone = self.gone();
        let what = if gone.is_empty() {
            markup(
                "<p>No unit of layer {} has been taken out yet; these are the candidates.</p>",
                &[text(&self.record.layer)],
            )
        } else {
            let how = self.record.removal.as_str().unwrap_or("taken out");
            let parts = [text(&self.record.layer), listed(gone.iter().map(|&unit| named(unit))), text(how)];
            markup("<p>Units of layer {} that are gone: {} ({}).</p>", &parts)
        };
        let row = |candidate: &Candidate| {
            let figure = |value: Option<f64>| {
                let value = value.unwrap_or(f64::NAN);
                [text(key(value)), text(if value.is_finite() { format!("{value:.4}") } else { "–".into() })]
            };
            let state = if gone.contains(&candidate.unit) { "gone" } else { "stays" };
            let figures = [candidate.distance, candidate.z, candidate.without, candidate.iou].map(figure).concat();
            markup(
                "<tr><th scope=\"row\">{}</th><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td><td data-key=\"{}\">{}</td>\
                 <td data-key=\"{}\">{}</td><td>{}</td></tr>\n",
                &[&[named(candidate.unit)], figures.as_slice(), &[text(state)]].concat(),
            )
        };
        let table = fill(
            include_str!("templates/candidates.html"),
            &[
                ("rows", self.candidates.iter().map(row).collect()),
                ("pictures", self.pictures(PICTURES.min(wanted.pictures))?),
            ],
        );
        Ok(fill(
            include_str!("templates/repair.html"),
            &[
                ("what", what),
                ("distances", self.distances()),
                ("pairs", self.pairs(inputs)?),
                ("candidates", table.when(!self.candidates.is_empty())),
                ("file", text(self.folder.display())),
            ],
        ))
    }

    /// Distances to real images before and after, as a chart and a table.
    fn distances(&self) -> Html {
        let sets = [
            (
                "strongest, from alike",
                "images that the units are strongest in, from the real ones most like them",
                &self.record.alike,
            ),
            ("strongest, from all", "the same images, from all real ones", &self.record.strongest),
            ("all, from all", "all images, from all real ones", &self.record.all),
        ];
        let known: Vec<_> = sets.into_iter().filter(|(.., set)| set.before.is_some()).collect();
        if known.is_empty() {
            return Html::none();
        }
        let value = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let three = |set: &Distances| [value(set.before), value(set.after), value(set.random_mean())];
        let bars = |(short, _, set): &(&str, &str, &Distances)| Row {
            group: String::new(),
            label: (*short).into(),
            values: three(set).map(|value| BarValue { value, interval: None }).into(),
        };
        let chart = Bars {
            title: "Distance to real images".into(),
            x_label: "sliced Wasserstein distance; less is nearer".into(),
            series: ["before", "after", "random units off"].map(Into::into).into(),
            rows: known.iter().map(bars).collect(),
        };
        let row = |(_, name, set): &(&str, &'static str, &Distances)| {
            let figures = three(set).map(|x| text(if x.is_finite() { format!("{x:.4}") } else { "–".into() }));
            let start = [text(name), text(count(set.images))];
            markup(
                "<tr><th scope=\"row\">{} <small>({})</small></th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                &[start.as_slice(), &figures].concat(),
            )
        };
        let real = self.record.other_real.as_f64().map_or_else(Html::none, |real| {
            markup("<p>As many other real images are at {}.</p>", &[text(format!("{real:.4}"))])
        });
        let draws = self.record.all.random.len().max(self.record.strongest.random.len());
        fill(
            include_str!("templates/distances.html"),
            &[
                ("chart", figure(&Html::chart(&chart.to_svg_of_width(BAR)))),
                ("rows", known.iter().map(row).collect()),
                ("draws", text(draws)),
                ("real", real),
            ],
        )
    }

    /// The images before and after.
    fn pairs(&self, inputs: &Inputs) -> Result<Html> {
        let path = self.folder.join(SHEET);
        if !path.is_file() {
            return Ok(Html::none());
        }
        let [_, height, width] = inputs.dissection.plan.image;
        let sheet = Sheet::new(self.record.strongest_seeds.len(), [width, height]);
        let seeds = &self.record.strongest_seeds;
        match pictures::pairs(&path, &sheet) {
            Ok(pairs) if !seeds.is_empty() => Ok(edits::slider("repair", |i| seeds.get(i).copied(), pairs)),
            // Another form of sheet is shown as it is.
            _ => Ok(edits::sheet(&pictures::whole(&path)?)),
        }
    }

    /// The pictures of the first candidates.
    fn pictures(&self, most: usize) -> Result<Html> {
        let mut shown = Vec::new();
        for candidate in self.candidates.iter().take(most) {
            let path = self.folder.join("candidates").join(format!("{}.png", candidate.unit));
            if path.is_file() {
                let picture = pictures::photo(&path)?;
                let alt = format!(
                    "Unit {}: its strongest images, where it is on, the images without it, real ones",
                    candidate.unit
                );
                let parts =
                    [picture.source, text(picture.width), text(picture.height), text(alt), text(candidate.unit)];
                shown.push(markup(
                    "<figure><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"><figcaption>Unit {}</figcaption></figure>\n",
                    &parts,
                ));
            }
        }
        Ok(shown.into_iter().collect())
    }
}

fn read(path: &Path) -> Result<Value> {
    let value: Value =
        serde_json::from_slice(&files::read(path, LIMIT)?).map_err(|e| Error::file(path, format!("corrupt: {e}")))?;
    match value.get("format").and_then(Value::as_u64) {
        Some(format) if format != u64::from(REPAIR_FORMAT) => {
            Err(Error::file(path, format!("is of format {format}; this program reads {REPAIR_FORMAT}")))
        }
        _ => Ok(value),
    }
}

fn of_value<T: serde::de::DeserializeOwned>(value: Value, path: &Path) -> Result<T> {
    serde_json::from_value(value).map_err(|e| Error::file(path, format!("is not the record of a repair: {e}")))
}
