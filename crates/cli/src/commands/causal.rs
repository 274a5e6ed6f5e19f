//! `ganatomy causal DIR`

use crate::commands::merge::subject;
use crate::commands::segmenter;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::output;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use dissect::{Causal as Found, CausalSettings, Dissection};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use train::plot::{LineChart, Series};

/// Find the units of a layer that cause a class
#[derive(Debug, clap::Args)]
#[command(after_help = "\
DIR is a dissection of the generator. The strength of every unit is searched by gradients through
the rest of the generator and the segmenter, then judged on images that the search never saw: how
much of the class goes when the first units are switched off, against the ranking by IoU and random
units. FILE.json holds the units, best first, and the curve; FILE.svg beside it draws the curve.

Examples:
  ganatomy causal dissection --layer 1b --class tree --out tree.json
  ganatomy causal dissection --layer 2 --class door --published --out door.json")]
pub(crate) struct Causal {
    /// A dissection's folder
    dissection: PathBuf,

    /// The layer whose units are searched
    #[arg(long, value_name = "L")]
    layer: String,

    /// The class; CATEGORY/NAME where two categories share it
    #[arg(long, value_name = "NAME")]
    class: String,

    /// The file for the result; its curve goes beside it as .svg
    #[arg(long, value_name = "FILE.json")]
    out: PathBuf,

    /// The sizes of the publication: pools of 10000 images, 1200 kept, 10 epochs
    #[arg(long)]
    published: bool,

    /// Images in each of the two pools [default: 2000]
    #[arg(long, value_name = "N", conflicts_with = "published")]
    pool: Option<u64>,

    /// Images for the curve [default: 200]
    #[arg(long, value_name = "N")]
    curve_images: Option<u64>,

    /// Passes over the kept images [default: 30]
    #[arg(long, value_name = "N", conflicts_with = "published")]
    epochs: Option<usize>,

    /// Seed of everything that is drawn
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 32))]
    seed: u64,

    /// The generator [default: where the dissection found it]
    #[arg(long)]
    model: Option<PathBuf>,

    /// The segmenter [default: where the dissection found it]
    #[arg(long, value_name = "SEG")]
    segmenter: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,

    /// Print the result
    #[arg(long)]
    json: bool,
}

impl Causal {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        if !output::has_ending(&self.out, &["json"]) {
            let reason = format!("{} is not a kind of file that is written here", self.out.display());
            return Err(Error::setting("--out", reason).with_hint("End it in .json.").into());
        }
        let device = self.computing.open(console)?;
        let dissection = Dissection::read(&self.dissection)?;
        let names: Vec<&str> = dissection.plan.layers.iter().map(|l| l.name.as_str()).collect();
        let layer = names.iter().position(|&name| name == self.layer).ok_or_else(|| {
            Error::setting("--layer", format!("{}: was not dissected", self.layer)).with_hint(format!(
                "The layers of {} are: {}.",
                self.dissection.display(),
                names.join(", ")
            ))
        })?;
        let concept = dissection.concept(&self.class)?;
        let generator = subject(&dissection.plan, self.model.as_deref(), &device, console)?;
        let path = self.segmenter.as_deref().unwrap_or_else(|| Path::new(&dissection.plan.segmenter.name));
        let (segmenter, _) = segmenter::open(path, &device, console)?;
        if !dissection.plan.segmenter.is(&segmenter.network)? {
            return Err(Error::file(path, "is another segmenter than the one of the dissection")
                .with_hint("Give the right one with --segmenter.")
                .into());
        }
        let base = if self.published { CausalSettings::published() } else { CausalSettings::default() };
        let pool = self.pool.unwrap_or(base.pool);
        let kept = base.kept.min(pool as usize);
        let settings = CausalSettings {
            pool,
            kept,
            held_out: (kept / 6).min(base.held_out),
            epochs: self.epochs.unwrap_or(base.epochs),
            curve_images: self.curve_images.unwrap_or(base.curve_images),
            seed: self.seed,
            ..base
        };
        let mut progress = Progress::new(console)?;
        let done = dissect::causal(&generator, &segmenter, &dissection, layer, concept, &settings, &mut progress);
        let signal = progress.finish();
        let Some(found) = done? else { return Ok(signal.map_or(ExitCode::SUCCESS, exit::of_signal)) };
        output::write(&self.out, (serde_json::to_string_pretty(&found)? + "\n").as_bytes())?;
        output::write(&self.out.with_extension("svg"), chart(&found).as_bytes())?;
        if self.json {
            console::print_json(&found)?;
        } else {
            console::print(&table(&found))?;
            console::print(&format!("{}\n", self.out.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(found: &Found) -> String {
    let units: Vec<String> = found.units.iter().take(dissect::SET).map(ToString::to_string).collect();
    let mut text = vec![format!("units of {} that cause {}: {}\n", found.layer, found.class, units.join(", "))];
    text.push(format!(
        "effect of {} together: {:.3} of the class's mean area, inserted instead of ablated\n\n",
        units.len(),
        found.effect
    ));
    text.push(format!(
        "removed share of {}\n{:>6}  {:>7}  {:>7}  {:>7}\n",
        found.class, "units", "causal", "IoU", "random"
    ));
    for point in &found.curve {
        text.push(format!("{:>6}  {:>7.3}  {:>7.3}  {:>7.3}\n", point.units, point.causal, point.iou, point.random));
    }
    text.concat()
}

fn chart(found: &Found) -> String {
    let series = |name: &str, value: &dyn Fn(&dissect::Point) -> f64| Series {
        name: name.into(),
        points: found.curve.iter().map(|p| [p.units as f64, value(p)]).collect(),
        band: Vec::new(),
    };
    LineChart {
        title: format!("Switching off units of layer {} for {}", found.layer, found.class),
        x_label: "units switched off".into(),
        y_label: format!("share of {} pixels removed", found.class),
        series: vec![series("causal", &|p| p.causal), series("by IoU", &|p| p.iou), series("random", &|p| p.random)],
        ..LineChart::default()
    }
    .to_svg()
}
