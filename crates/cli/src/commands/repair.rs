//! `ganatomy repair MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::progress::Progress;
use anyhow::Result;
use dissect::{Answers, Defects, Distances, Ranking, RepairMeans, RepairSettings, Repaired};
use models::{Generator, open_real, real_count};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use train::run_folder;

/// Find units that make what real images do not show, and take them out
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The units are listed whose most activating images are farthest from the real images that are most
like them, first those without which they are much nearer; candidates/UNIT.png shows the images,
where the unit is on, the images without it, and those real ones. Nothing is taken out until you accept it: with --accept, or in decisions.toml of
the folder and the same command once more. Then the folder also gets model.safetensors, a generator
in which the units are gone, sheet.png (before, after, difference) and repair.json: the distance
from real images before, after, and without as many random units. Repairs have a cost, which the
distance of all images shows.

The distance is the sliced Wasserstein distance over patches of Laplacian pyramids.

Examples:
  ganatomy repair scenes --layer 2 --real scenes --out repair
  ganatomy repair scenes --layer 2 --real scenes --out repair --accept 17,40 --reject 3
  ganatomy repair model.safetensors --layer 2 --real photos.zip --defect-mask watermark.png
  ganatomy sample repair/model.safetensors")]
pub(crate) struct Repair {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// The layer whose units are looked at
    #[arg(long, value_name = "L")]
    layer: String,

    /// Real images: a name or path as for `evolve --data`
    #[arg(long, value_name = "SRC")]
    real: String,

    /// How many of them [default: as many as --samples, or all there are]
    #[arg(long, value_name = "N")]
    real_samples: Option<u64>,

    /// Images for the search; as many others judge the repair
    #[arg(long, value_name = "N", default_value_t = RepairSettings::default().samples, value_parser = clap::value_parser!(u64).range(..=1 << 32))]
    samples: u64,

    /// Candidates that are shown
    #[arg(long, value_name = "K", default_value_t = RepairSettings::default().candidates)]
    units: usize,

    /// Where a defect is, white on black: one PNG for all images, or a folder of seed000017.png; candidates are then ranked by their IoU with it
    #[arg(long, value_name = "PATH")]
    defect_mask: Option<PathBuf>,

    /// Units to take out, or all: every candidate that is not rejected
    #[arg(long, value_name = "U,U|all", value_delimiter = ',')]
    accept: Vec<Unit>,

    /// Units that stay
    #[arg(long, value_name = "U,U", value_delimiter = ',')]
    reject: Vec<usize>,

    /// Begin with the decisions in this file [default: decisions.toml in the folder, where there is one]
    #[arg(long, value_name = "TOML")]
    decisions: Option<PathBuf>,

    /// Draws of random units to compare with
    #[arg(long, value_name = "N", default_value_t = RepairSettings::default().random)]
    random: u64,

    /// Make the images of the seeds S, S+1, ...
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 32))]
    seed: u64,

    /// The folder for the results [default: the next runs/NNNNN-MODEL-repair]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,

    /// Print JSON: the candidates and what was measured
    #[arg(long)]
    json: bool,
}

/// One word of `--accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    All,
    Number(usize),
}

impl std::str::FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Number).map_err(|_| format!("{text:?} is neither a unit's number nor all")),
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    out: String,
    layer: &'a str,
    candidates: &'a [dissect::Candidate],
    accepted: Vec<usize>,
    #[serde(flatten)]
    repaired: &'a Option<Repaired>,
}

impl Repair {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let device = self.computing.open(console)?;
        let generator = Generator::find(&self.model, &device, &mut |note| console.note(note))?;
        generator.image_shape()?;
        let subject = generator.subject(std::slice::from_ref(&self.layer))?;
        let real = open_real(&self.real, subject.image_shape())?;
        let settings = RepairSettings {
            samples: self.samples,
            real_samples: self.real_samples.unwrap_or_else(|| real_count(&real, self.samples)),
            candidates: self.units,
            random: self.random,
            seed: self.seed,
        };
        settings.check()?;
        let defects = self.defect_mask.as_deref().map(|path| Defects::open(path, subject.image_shape())).transpose()?;
        let answers = Answers {
            accept: self.accept.iter().filter_map(|u| if let Unit::Number(n) = u { Some(*n) } else { None }).collect(),
            accept_all: self.accept.contains(&Unit::All),
            reject: self.reject.clone(),
            file: self.decisions.clone(),
        };
        let out = match &self.out {
            Some(out) => out.clone(),
            None => run_folder::create_next("runs", &format!("{}-repair", self.model.display()))?,
        };
        let name = self.model.display().to_string();
        let means = RepairMeans { subject: &subject, name, real: &real, defects: defects.as_ref() };
        let mut progress = Progress::new(console)?;
        let done = dissect::repair(&out, &means, &answers, &settings, &mut progress);
        let signal = progress.finish();
        let Some(repair) = done? else { return Ok(exit::of_stop(signal)) };
        console.notices(&real);
        if self.json {
            let (ranking, accepted) = (&repair.ranking, repair.decisions.accepted());
            let out = out.display().to_string();
            let (layer, candidates, repaired) = (&*self.layer, &*ranking.candidates, &repair.repaired);
            console::print_json(&Json { out, layer, candidates, accepted, repaired })?;
            return Ok(ExitCode::SUCCESS);
        }
        console::print(&match &repair.repaired {
            Some(repaired) => figures(repaired, &self.layer),
            None => table(&repair.ranking, &self.layer),
        })?;
        console::print(&format!("{}\n", out.display()))?;
        if repair.repaired.is_none() {
            console.say(&undecided(&out));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn undecided(out: &Path) -> String {
    format!(
        "nothing is taken out yet: look at {}, accept units with --accept or in {}, and run this again with --out {}",
        out.join("candidates").display(),
        out.join(dissect::DECISIONS).display(),
        out.display()
    )
}

/// The candidates, best first.
fn table(ranking: &Ranking, layer: &str) -> String {
    let usual = ranking.baseline;
    let with_mask = ranking.candidates.iter().any(|candidate| candidate.iou.is_some());
    let mut text = vec![format!(
        "units of {layer} by {}; {} random images are at {:.4} (sd {:.4})\n",
        if with_mask { "their IoU with the defect" } else { "what they add to the distance of their strongest images" },
        usual.images,
        usual.mean,
        usual.deviation
    )];
    text.push(format!(
        "{:>6} {:>9} {:>7} {:>11}{}\n",
        "unit",
        "distance",
        "z",
        "without it",
        if with_mask { "      IoU" } else { "" }
    ));
    for candidate in &ranking.candidates {
        let z = candidate.z.map_or("-".into(), |z| format!("{z:.1}"));
        let iou = candidate.iou.map_or(String::new(), |iou| format!(" {iou:>8.3}"));
        let (unit, distance, without) = (candidate.unit, candidate.distance, candidate.without);
        text.push(format!("{unit:>6} {distance:>9.4} {z:>7} {without:>11.4}{iou}\n"));
    }
    text.concat()
}

/// What the repair did.
fn figures(repaired: &Repaired, layer: &str) -> String {
    let units: Vec<String> = repaired.units.iter().map(ToString::to_string).collect();
    let because = repaired.obstacles.last().map_or(String::new(), |obstacle| format!(" ({obstacle})"));
    let mut text = vec![
        format!("units {} of {layer}: {}{because}\n", units.join(", "), repaired.removal),
        format!("{:38} {:>9} {:>9} {:>19}\n", "distance from real images", "before", "after", "random units off"),
    ];
    let strongest = repaired.strongest.images;
    for (name, distances) in [
        (format!("{strongest} strongest, from real ones like them"), &repaired.alike),
        (format!("{strongest} strongest, from all real ones"), &repaired.strongest),
        (format!("all {}, from all real ones", repaired.all.images), &repaired.all),
    ] {
        let Distances { before, after, random, .. } = distances;
        let [mean, deviation] = distances.random_summary();
        let random = match random.len() {
            0 => "-".into(),
            1 => format!("{mean:.4}"),
            _ => format!("{mean:.4} (sd {deviation:.4})"),
        };
        text.push(format!("{name:38} {before:>9.4} {after:>9.4} {random:>19}\n"));
    }
    if let Some(real) = repaired.other_real {
        text.push(format!("{:38} {real:>9.4}\n", format!("{} other real images", repaired.all.images)));
    }
    text.concat()
}
