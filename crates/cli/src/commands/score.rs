//! `ganatomy score WHAT`

mod choices;
mod show;

use crate::arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use base::npy::Array;
use choices::Choices;
use data::Size;
use models::{GeneratedPictures, Judged, Reference, Seeds, SetOptions, files};
use score::{Cache, Evaluation, Extractor, Found, ImageSet, Metric, Resize, Rounding, Side, Stored, Wanted};
use std::path::{Path, PathBuf};

/// Images that are made of a model where nobody says how many.
const MADE: u64 = 10_000;
/// The word for `--features` where both sides are files of features or statistics.
const NONE: &str = "none";

/// Measure generated images against real ones, by the features of a named network
#[derive(Debug, clap::Args)]
#[command(after_help = "\
WHAT is a model or run, or images as for `evolve --data`, or features (.npy, [N, D]) or statistics
(.npz with mu and sigma, as pytorch-fid writes them). Figures depend on the feature network, the
number of images and the rule of resizing, so each is printed with all of it; compare figures only
where all of it agrees. fid is FID by the file of pytorch-fid alone:
--features pt_inception-2015-12-05-6726825d.pth.

Statistics of real images are kept (--cache), under the hash of all that they depend on. The folder
is $XDG_CACHE_HOME/ganatomy, or ~/.cache/ganatomy; whatever is in it may be removed.

docs/score.md says what each figure means.

Examples:
  ganatomy score scenes --reference scenes --metrics fid,kid,prdc
  ganatomy score runs/photos --reference photos.zip --samples 5000 --json
  ganatomy score made/ --reference cifar10/ --features resnet20.th --metrics fid,is
  ganatomy score scenes --metrics ppl --samples 2000
  ganatomy score scenes --out scenes.npz --samples 50000
  ganatomy score a.npy --reference b.npz --features none")]
pub(crate) struct Score {
    /// A shipped name (scenes), model file, run folder or checkpoint; or images, .npy or .npz
    what: PathBuf,

    /// Real images: a name or path as for `evolve --data`, or their .npy or .npz
    #[arg(long, value_name = "SRC")]
    reference: Option<PathBuf>,

    /// The feature network: scenes, a segmenter's run, a model, ONNX or weights file, perhaps with a node; or none
    #[arg(long, value_name = "NAME|FILE[:NODE]", default_value = "scenes")]
    features: String,

    /// Figures: fid, fid-infinity, kid, is, prdc, mind, ppl (of a model, without a reference)
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_value = "fid")]
    metrics: Vec<Metric>,

    /// How many images of WHAT [default: 10000 of a model, else all]
    #[arg(long, value_name = "N")]
    samples: Option<u64>,

    /// The seeds of a model's images, instead of 0..N
    #[arg(long, value_name = "SEEDS", conflicts_with = "samples")]
    seeds: Option<Seeds>,

    /// How many real images, chosen by chance [default: all; of an endless set as many as of WHAT]
    #[arg(long, value_name = "N")]
    reference_samples: Option<u64>,

    /// The seed of a reference that is made, not read (scenes)
    #[arg(long, value_name = "S", default_value_t = 0)]
    reference_seed: u64,

    /// Take each real image mirrored as well
    #[arg(long)]
    mirror: bool,

    /// Bring images of sets to this size first, as training does [default: a model's size, else none]
    #[arg(long, value_name = "N|WxH", value_parser = arguments::size)]
    size: Option<Size>,

    /// How images come to the size of the feature network: clean, tf1 or pytorch
    #[arg(long, value_name = "RULE", default_value_t = Resize::default())]
    resize: Resize,

    /// How a model's numbers become bytes
    #[arg(long, value_name = "RULE", default_value = "nearest", value_parser = ["nearest", "truncate"])]
    rounding: String,

    #[command(flatten)]
    choices: Choices,

    /// Write what was found of WHAT: mean and covariance (.npz), or all features (.npy)
    #[arg(long, value_name = "NPZ|NPY")]
    out: Option<PathBuf>,

    /// Append a line for each figure to metric-NAME.jsonl in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,

    /// Where statistics of real images are kept
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,

    /// Neither read nor keep statistics of real images
    #[arg(long)]
    no_cache: bool,

    #[command(flatten)]
    computing: Computing,
}

impl Score {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        self.out.as_deref().map(|out| output::check_endings(out, &["npz", "npy"])).transpose()?;
        let device = self.computing.open(console)?;
        let metrics = self.metrics()?;
        let extractor = (self.features != NONE).then(|| Extractor::open(&self.features, &device)).transpose()?;
        let own = SetOptions { size: self.size, ..SetOptions::default() };
        let judged = Judged::open(&self.what, &own, &device, &mut |note| console.note(note))?;
        let cache = if self.no_cache { None } else { self.cache.clone().map(Cache::new).or_else(Cache::usual) };
        let (model, shape) = (judged.model(), judged.shape()?);
        let reference = self.reference.as_deref().map(|path| self.reference(path, shape)).transpose()?;
        if self.seeds.is_some() && model.is_none() {
            return Err(Error::setting("seeds", "are of models; these images are there already")
                .with_hint("Say how many are taken with `samples`.")
                .into());
        }
        let generated = match judged {
            Judged::Model(ref generator) => {
                let rounding = if self.rounding == "truncate" { Rounding::Truncate } else { Rounding::Nearest };
                let seeds = match &self.seeds {
                    Some(seeds) => seeds.clone(),
                    None => format!("0..{}", self.samples.unwrap_or(MADE)).parse::<Seeds>()?,
                };
                let name = format!("{}, seeds {seeds}", self.what.display());
                Side::Images(GeneratedPictures::new(generator, seeds.into(), rounding).side(name)?)
            }
            Judged::Set(set) => {
                let taken = match self.samples {
                    Some(n) => set.random(n, self.choices.seed)?,
                    None => set.all(None)?,
                };
                Side::Images(taken.into())
            }
            Judged::File(path) => Side::read(&path)?,
        };
        let real = reference.map(|reference| self.real(reference, generated.count(), cache.is_some())).transpose()?;
        let evaluation = Evaluation {
            extractor: extractor.as_ref(),
            resize: self.resize,
            metrics: &metrics,
            options: self.choices.options(),
            cache: cache.as_ref(),
            model,
        };
        let is = |ending| self.out.as_deref().is_some_and(|out| files::has_ending(out, &[ending]));
        let keep = Wanted { statistics: is("npz"), features: is("npy"), ..Wanted::default() };
        let mut progress = Progress::new(console)?;
        let found = evaluation.run_and_keep(generated, real, keep, &mut progress);
        let signal = progress.finish();
        let Some(found) = found? else { return Ok(exit::of_stop(signal)) };
        found.warnings.iter().for_each(|warning| console.warn(warning));
        console::result(&show::json(&found, extractor.as_ref()), || show::text(&found))?;
        self.write(&found)?;
        Ok(exit::DONE)
    }

    /// The figures, each once; none where statistics are all that is wanted.
    fn metrics(&self) -> Result<Vec<Metric>> {
        let mut metrics: Vec<Metric> = Vec::new();
        for metric in &self.metrics {
            if !metrics.contains(metric) {
                metrics.push(*metric);
            }
        }
        if self.reference.is_none() {
            let wanted = metrics.iter().find(|metric| metric.compares());
            if let (Some(metric), None) = (wanted, &self.out) {
                return Err(Error::setting("reference", format!("is missing: {metric} compares with real images"))
                    .with_hint("Name the real images, or write statistics of these by `out`.")
                    .into());
            }
            metrics.retain(|metric| !metric.compares());
        }
        Ok(metrics)
    }

    fn reference(&self, path: &Path, shape: Option<[usize; 3]>) -> Result<Reference> {
        let options = SetOptions {
            size: self.size.or_else(|| shape.map(Size::of)),
            grey: shape.is_some_and(|shape| shape[0] == 1),
            seed: self.reference_seed,
        };
        Ok(Reference::open(path, &options)?)
    }

    fn real(&self, reference: Reference, generated: Option<u64>, is_kept: bool) -> Result<Side<'static>> {
        let set: ImageSet = match reference {
            Reference::File(path) => return Ok(Side::read(&path)?),
            Reference::Set(set) => set,
        };
        let set = if self.mirror { set.mirrored() } else { set };
        let taken = match self.reference_samples {
            Some(n) => set.random(n, self.choices.seed)?,
            None if set.len().is_none() => set.all(Some(generated.unwrap_or(MADE)))?,
            None => set.all(None)?,
        };
        Ok(Side::Images(if is_kept { taken.known()? } else { taken.into() }))
    }

    fn write(&self, found: &Found) -> Result<()> {
        if let Some(out) = &self.out {
            let gathered = &found.generated;
            if files::has_ending(out, &["npy"]) {
                if let Some(vectors) = &gathered.features {
                    Array::f32(vec![vectors.len(), vectors.width], vectors.values.clone()).write(out)?;
                }
            } else if let Some(statistics) = gathered.statistics.clone() {
                Stored { statistics, made: gathered.made.clone() }.write(out)?;
            }
            console::made(out)?;
        }
        if let Some(folder) = &self.record {
            for record in &found.records {
                console::made(&score::append(record, folder)?)?;
            }
        }
        Ok(())
    }
}
