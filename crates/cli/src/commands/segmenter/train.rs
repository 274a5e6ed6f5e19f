//! `ganatomy segmenter train`

use crate::arguments;
use crate::console::Console;
use crate::device::Computing;
use crate::exit::Code;
use crate::settings::Setting;
use crate::training::{self, Manner, Told, quoted};
use anyhow::Result;
use data::Dataset;
use segment::{Segment, Settings, Stats, Training};
use std::path::PathBuf;
use train::{OpenRun, RunSettings};

/// Train a segmenter on labelled images
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SRC is scenes, or a folder or .zip with images/NAME.jpg, labels/NAME.png (values are class indices)
and classes.json. The segmenter is judged on images that it never learns from: scenes of another
seed, --val, or the last tenth of SRC. Go on with a stopped run by `ganatomy resume RUN`.

Examples:
  ganatomy segmenter train --data scenes --out runs/seg
  ganatomy segmenter train --data street.zip --val street-val.zip --steps 2000
  ganatomy segmenter train --data mine/ --size 128 --set width=24 --set augment.shift=8")]
pub(crate) struct Train {
    /// The labelled set to learn from: scenes, or the path of a folder or zip
    #[arg(long, value_name = "SRC")]
    data: String,
    /// The labelled set to judge by
    #[arg(long, value_name = "SRC")]
    val: Option<String>,
    /// The run folder; without it the next of runs/00001-DATA-segmenter
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Begin with the weights of this segmenter (a model file of the same form)
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Steps in all
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Crop and resize the images to squares of this side, or to WxH [default: as they are]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<data::Size>,
    /// One setting over all others; may be given often
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::of::<segment::Settings>(), hide_possible_values = true)]
    settings: Vec<String>,
    /// The seed of everything random
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
}

impl Train {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let mut overrides: Vec<String> = self.val.iter().map(|val| quoted("val", val)).collect();
        overrides.extend(self.from.iter().map(|from| quoted("from", from)));
        overrides.extend(self.settings.iter().cloned());
        overrides.extend(self.steps.map(|n| format!("steps={n}")));
        overrides.extend(self.size.map(|n| format!("size={n}")));
        overrides.extend(self.seed.map(|n| format!("seed={n}")));
        let settings = Settings::preset(&self.data).with(&overrides)?;
        let label = format!("{}-segmenter", training::name_of(&settings.data));
        let manner = Manner { console, computing: self.computing, dry_run: self.dry_run };
        training::start::<Training>(settings, self.out, &label, manner)
    }
}

impl Told for Training {
    fn about(run: &OpenRun<Self>) -> String {
        let (set, held_out) = (run.training().dataset(), run.training().held_out());
        let segmenter = run.state().segmenter();
        let count = |n: Option<usize>| n.map_or("endless".to_owned(), |n| format!("{n} images"));
        let classes: usize = segmenter.planes().iter().map(|plane| plane.classes.len()).sum();
        let [c, h, w] = segmenter.image_shape();
        format!(
            "{} ({}, {c}x{h}x{w}, {classes} classes), judged on {} ({}); {} parameters",
            set.name(),
            count(set.len()),
            held_out.name(),
            count(held_out.len()),
            segmenter.network().params.elements()
        )
    }

    fn set(run: &OpenRun<Self>) -> &Dataset {
        run.training().dataset()
    }

    fn brief(stats: &Stats) -> String {
        format!("loss {:.4}", stats.loss)
    }

    fn news(stats: &Stats) -> Option<String> {
        let planes: Vec<String> = stats.mean_iou.iter().map(|(plane, iou)| format!("{plane} {iou:.4}")).collect();
        (!planes.is_empty()).then(|| format!("; held-out mean IoU: {}", planes.join(", ")))
    }

    fn next(run: &OpenRun<Self>) -> String {
        let folder = run.folder().display();
        format!("see {folder}/preview.png; next: ganatomy segmenter eval {folder} --data SRC")
    }
}
