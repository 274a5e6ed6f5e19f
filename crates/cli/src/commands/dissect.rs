//! `ganatomy dissect MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::envelope;
use crate::exit::{self, Code};
use crate::progress::Progress;
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use data::Dataset;
use dissect::{Dissection, Findings, LayerFindings, Plan, Rule, Settings, Shard};
use models::{Dissecting, model_for, open_real, real_count, segmenter_for};
use std::path::PathBuf;
use train::run_folder;

/// Find out which units of a generator stand for which things
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every image is made and segmented once, for all layers. The folder gets units.csv, classes.csv,
dissection.json, tally.npz and fit.npz (for numpy.load), charts, and a picture for each unit: the
images that activate it most, outlined where it is on. Interrupted, the same command goes on from
where it was.

Under the rule quantile a unit is on where it exceeds the level that --top of all pixels exceed.
Under iqr its level is the one with the largest information quality ratio with some class.

Examples:
  ganatomy dissect scenes --segmenter scenes
  ganatomy dissect scenes --segmenter scenes --layers 2,3 --samples 1000 --out quick
  ganatomy dissect model.safetensors --segmenter seg.safetensors --real photos.zip --out found
  ganatomy dissect scenes --segmenter scenes --shard 1/4 --out shard-1   (and so on, then merge)")]
pub(crate) struct Dissect {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// What says what is where: a shipped name (scenes), model file or run folder
    #[arg(long, value_name = "SEG")]
    segmenter: PathBuf,

    /// Layers by name, or all: every one with maps after its activation, the image left out
    #[arg(long, value_name = "A,B|all", value_delimiter = ',', default_value = "all")]
    layers: Vec<String>,

    /// Images that are counted; fewer than 16 give no chance level, and no interpretable unit
    #[arg(long, value_name = "N", default_value_t = Settings::default().samples)]
    samples: u64,

    /// The folder for the results [default: the next runs/NNNNN-MODEL-dissection]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Count only this part of the images; `ganatomy merge` puts the parts together
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,

    /// The rules of a publication: iclr2019 or pnas2020
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(dissect::PRESETS))]
    preset: Option<String>,

    /// How the level above which a unit is on is chosen [default: quantile]
    #[arg(long, value_name = "RULE", value_parser = ["quantile", "iqr"])]
    rule: Option<String>,

    /// Under the rule quantile, the share of pixels above the level [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    top: Option<f64>,

    /// The IoU that an interpretable unit exceeds [default: 0.05]
    #[arg(long, value_name = "X")]
    min_iou: Option<f64>,

    /// The information quality ratio that it exceeds [default: 0]
    #[arg(long, value_name = "X")]
    min_iqr: Option<f64>,

    /// The false-discovery rate that it may have; 1 leaves the test out [default: 0.05]
    #[arg(long, value_name = "X")]
    max_fdr: Option<f64>,

    /// Images from which levels are taken; they are not counted
    #[arg(long, value_name = "N", default_value_t = Settings::default().fit_samples)]
    fit_samples: u64,

    /// Count the images of the seeds S, S+1, ...
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Real images to compare the classes with: a name or path as for `evolve --data`
    #[arg(long, value_name = "SRC")]
    real: Option<String>,

    /// How many of them [default: as many as --samples, or all there are]
    #[arg(long, value_name = "N", requires = "real")]
    real_samples: Option<u64>,

    /// Top images kept of each unit
    #[arg(long, value_name = "K", default_value_t = Settings::default().top_images as u32, value_parser = clap::value_parser!(u32).range(1..=64))]
    top_images: u32,

    #[command(flatten)]
    computing: Computing,
}

impl Dissect {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let mut tell = |note: &models::Note| console.note(note);
        // An interrupted dissection of a run goes on with the checkpoints with which it began.
        let begun = self.out.as_deref().and_then(|out| Plan::read(out).ok());
        let model = model_for(&self.model, begun.as_ref(), &device, &mut tell)?;
        let (segmenter, segmenter_path) = segmenter_for(&self.segmenter, begun.as_ref(), &device, &mut tell)?;
        // `--layers "2, 3"` is meant as it is read.
        let mut layers: Vec<String> = self.layers.iter().map(|layer| layer.trim().to_owned()).collect();
        layers.retain(|layer| self.layers.len() > 1 || layer != "all");
        let subject = model.subject(&layers, &device)?;
        let real = self.real.as_deref().map(|name| open_real(name, subject.image_shape())).transpose()?;
        let settings = self.settings(real.as_ref())?;
        // Of a run, the files that were taken: it goes on, and has another best checkpoint one day.
        let text = |path: &PathBuf| path.display().to_string();
        let (generator_name, segmenter_name) = (text(&model.path), text(&segmenter_path));
        let mut task = Dissecting::new((subject, &generator_name), (&segmenter, &segmenter_name), settings)?
            .with_shard(self.shard);
        if let Some((real, name)) = real.as_ref().zip(self.real.as_deref()) {
            task = task.with_real(real, name);
        }
        task.check()?;
        let out = match &self.out {
            Some(out) => out.clone(),
            None => run_folder::create_next("runs", &format!("{}-dissection", self.model.display()))?,
        };
        let mut progress = Progress::new(console)?;
        let done = task.run(&out, &mut progress);
        let signal = progress.finish();
        let Some(dissection) = done? else {
            console.say(&format!("stopped; the same command with --out {} goes on from here", out.display()));
            return Ok(exit::of_stop(signal));
        };
        if let Some(real) = &real {
            console.notices(real);
        }
        show(&dissection)?;
        Ok(exit::DONE)
    }

    fn settings(&self, real: Option<&Dataset>) -> Result<Settings> {
        let base = self.preset.as_deref().map_or_else(|| Ok(Settings::default()), Settings::preset)?;
        let rule = match self.rule.as_deref() {
            Some("iqr") => Rule::Iqr,
            Some(_) => Rule::Quantile,
            None => base.rule,
        };
        Ok(Settings {
            samples: self.samples,
            seed: self.seed,
            fit_samples: self.fit_samples,
            rule,
            top: self.top.unwrap_or(base.top),
            min_iou: self.min_iou.unwrap_or(base.min_iou),
            min_iqr: self.min_iqr.unwrap_or(base.min_iqr),
            max_fdr: self.max_fdr.unwrap_or(base.max_fdr),
            real_samples: real.map_or(0, |real| self.real_samples.unwrap_or_else(|| real_count(real, self.samples))),
            top_images: self.top_images as usize,
        })
    }
}

/// Prints what was found.
pub(crate) fn show(dissection: &Dissection) -> Result<()> {
    if envelope::is_wanted() {
        envelope::add(&serde_json::from_str::<serde_json::Value>(&dissection.document()?)?)?;
    } else {
        console::print(&table(&dissection.findings()))?;
    }
    console::made(&dissection.folder)
}

/// A line for each layer, then the classes that differ most from the real ones.
fn table(findings: &Findings) -> String {
    let width = findings.layers.iter().map(|l| l.layer.chars().count()).max().unwrap_or(0).max(5);
    let mut text =
        vec![format!("{:width$}  {:>9}  {:>13}  {:>10}  concepts\n", "layer", "maps", "interpretable", "chance IoU")];
    for layer in &findings.layers {
        text.push(format!(
            "{:width$}  {:>9}  {:>13}  {:>10}  {}\n",
            layer.layer,
            format!("{}x{}x{}", layer.units.len(), layer.size[0], layer.size[1]),
            format!("{} of {}", layer.interpretable, layer.units.len()),
            if findings.chance_level { format!("{:.3}", layer.chance_iou) } else { "-".into() },
            concepts(layer)
        ));
    }
    if !findings.chance_level {
        text.push(format!(
            "no unit is called interpretable: that needs a chance level, and so at least {} images counted together\n",
            dissect::GROUP
        ));
    }
    let rates: Vec<String> = findings
        .classes
        .iter()
        .filter_map(|c| Some((c, c.real?)))
        .filter(|(c, real)| (c.generated - real).abs() > 0.0)
        .map(|(c, real)| format!("  {:12} {:>7.4}  {real:>7.4}\n", c.concept.name, c.generated))
        .collect();
    if !rates.is_empty() {
        text.push(format!("\n  {:12} {:>7}  {:>7}\n{}", "class", "made", "real", rates.concat()));
    }
    text.concat()
}

/// `tree 20, house 7, ...`: at most six.
fn concepts(layer: &LayerFindings) -> String {
    let mut names: Vec<String> =
        layer.concepts.iter().take(6).map(|d| format!("{} {}", d.concept.name, d.units.len())).collect();
    if layer.concepts.len() > 6 {
        names.push(format!("and {} more", layer.concepts.len() - 6));
    }
    names.join(", ")
}
