//! `ganatomy causal DIR`

mod show;

use crate::commands::merge::subject;
use crate::commands::segmenter;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::dissection;
use crate::exit;
use crate::output;
use crate::progress::Progress;
use anyhow::{Context, Result};
use base::Error;
use dissect::{Causal as Found, CausalSettings, CausalTask, Dissection, Outcome};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Find the units of a layer that cause a class
#[derive(Debug, clap::Args)]
#[command(after_help = "\
DIR is a dissection of the generator. The strength of every unit is searched by gradients through
the rest of the generator and the segmenter, then judged on images that the search never saw: how
much of the class goes when the first units are switched off, against the ranking by IoU and random
units; what each of the first units does alone; and what they make when they are forced at single
cells, by what stands there. FILE.json holds all that, FILE.svg beside it draws the curve.

With several classes, or --class all, OUT is a folder: a file for each class, and classes.csv and
classes.svg, which say which classes can be removed and which resist. Classes that are there
already, with the same settings, are not searched again. A search is kept after every pass
(FILE.partial, removed at its end): the same command goes on after an interruption.

Examples:
  ganatomy causal dissection --layer 1b --class tree --out tree.json
  ganatomy causal dissection --layer 1b --class all --pool 400 --epochs 5 --out causes
  ganatomy causal dissection --layer 2 --class door --published --out door.json")]
pub(crate) struct Causal {
    /// A dissection's folder, or a shipped one (scenes)
    dissection: PathBuf,

    /// The layer whose units are searched
    #[arg(long, value_name = "L")]
    layer: String,

    /// The classes, or all; CATEGORY/NAME where two categories share it, CATEGORY/all for one category
    #[arg(long, value_name = "NAME", num_args = 1.., required = true)]
    class: Vec<String>,

    /// The file for the result, with its curve beside it as .svg; for several classes a folder
    #[arg(long, value_name = "FILE.json|FOLDER")]
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

    /// Images in which the units are forced at single cells; 0: none [default: 50]
    #[arg(long, value_name = "N")]
    insertion_images: Option<u64>,

    /// Passes over the kept images [default: 15]
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
        let dissection = dissection::open(&self.dissection)?;
        let concepts = self.concepts(&dissection)?;
        let file = self.class.len() == 1 && concepts.len() == 1 && !self.class[0].ends_with("all");
        if file {
            output::check_ending(&self.out, "json")?;
        }
        if !file && self.out.is_file() {
            return Err(Error::file(&self.out, "is a file; several classes go into a folder").into());
        }
        let device = self.computing.open(console)?;
        let names: Vec<&str> = dissection.plan.layers.iter().map(|l| l.name.as_str()).collect();
        let layer = names.iter().position(|&name| name == self.layer).ok_or_else(|| {
            Error::setting("--layer", format!("{}: was not dissected", self.layer)).with_hint(format!(
                "The layers of {} are: {}.",
                self.dissection.display(),
                names.join(", ")
            ))
        })?;
        let generator = subject(&dissection.plan, self.model.as_deref(), &device, console)?;
        let path = self.segmenter.as_deref().unwrap_or_else(|| Path::new(&dissection.plan.segmenter.name));
        let (segmenter, _) = segmenter::open(path, &device, console)?;
        if !dissection.plan.segmenter.is(&segmenter.network)? {
            return Err(Error::file(path, "is another segmenter than the one of the dissection")
                .with_hint("Give the right one with --segmenter.")
                .into());
        }
        let settings = self.settings();
        let search = |concept, out: &Path, progress: &mut Progress| {
            let partial = out.with_extension("partial");
            let task =
                CausalTask { dissection: &dissection, layer, concept, settings: &settings, partial: Some(&partial) };
            let outcome = dissect::causal(&generator, &segmenter, &task, progress)?;
            if let Outcome::Found(found) = &outcome {
                write(out, found)?;
                output::remove(&partial)?;
            }
            anyhow::Ok(outcome)
        };
        let stopped = || console.say("stopped; the same command goes on from here");
        let mut progress = Progress::new(console)?;
        if file {
            let done = search(concepts[0], &self.out, &mut progress);
            let signal = progress.finish();
            let found = match done? {
                Outcome::Found(found) => found,
                Outcome::Absent(what) => {
                    return Err(Error::setting("--class", what)
                        .with_hint("Give more images with --pool, or try another layer.")
                        .into());
                }
                Outcome::Stopped => {
                    stopped();
                    return Ok(signal.map_or(ExitCode::SUCCESS, exit::of_signal));
                }
            };
            if self.json {
                console::print_json(&found)?;
            } else {
                console::print(&(show::one(&found) + &format!("{}\n", self.out.display())))?;
            }
            return Ok(ExitCode::SUCCESS);
        }

        base::files::create_folder(&self.out)?;
        let mut rows = Vec::new();
        for (at, &concept) in concepts.iter().enumerate() {
            let named = &dissection.concepts.list()[concept];
            let path = self.out.join(format!("{}-{}.json", plain(&named.category), plain(&named.name)));
            if let Some(found) = earlier(&path, &settings, &self.layer)? {
                rows.push((named.clone(), Ok(found)));
                continue;
            }
            console.say(&format!("{} of {}: {}", at + 1, concepts.len(), named.name));
            match search(concept, &path, &mut progress)? {
                Outcome::Found(found) => rows.push((named.clone(), Ok(*found))),
                // That is a result as well.
                Outcome::Absent(what) => rows.push((named.clone(), Err(what))),
                Outcome::Stopped => {
                    let signal = progress.finish();
                    stopped();
                    return Ok(signal.map_or(ExitCode::SUCCESS, exit::of_signal));
                }
            }
        }
        let _ = progress.finish();
        output::write(&self.out.join("classes.csv"), show::csv(&rows).as_bytes())?;
        output::write(&self.out.join("classes.svg"), show::bars(&self.layer, &rows).as_bytes())?;
        if self.json {
            console::print_json(&rows.iter().filter_map(|(_, found)| found.as_ref().ok()).collect::<Vec<_>>())?;
        } else {
            console::print(&(show::table(&self.layer, &rows) + &format!("{}\n", self.out.display())))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The concepts that are meant, each once, in the dissection's order.
    fn concepts(&self, dissection: &Dissection) -> Result<Vec<usize>> {
        let list = dissection.concepts.list();
        let mut meant = vec![false; list.len()];
        for name in &self.class {
            let of_category = name.strip_suffix("/all");
            let mut any = false;
            for (i, concept) in list.iter().enumerate() {
                if name == "all" || of_category == Some(concept.category.as_str()) {
                    meant[i] = true;
                    any = true;
                }
            }
            if !any {
                meant[dissection.concept(name)?] = true;
            }
        }
        Ok((0..list.len()).filter(|&i| meant[i]).collect())
    }

    fn settings(&self) -> CausalSettings {
        let base = if self.published { CausalSettings::published() } else { CausalSettings::default() };
        let pool = self.pool.unwrap_or(base.pool);
        let kept = base.kept.min(pool as usize);
        CausalSettings {
            pool,
            kept,
            held_out: (kept / 6).min(base.held_out),
            epochs: self.epochs.unwrap_or(base.epochs),
            curve_images: self.curve_images.unwrap_or(base.curve_images),
            insertion_images: self.insertion_images.unwrap_or(base.insertion_images),
            seed: self.seed,
            ..base
        }
    }
}

fn write(path: &Path, found: &Found) -> Result<()> {
    output::write(&path.with_extension("svg"), found.chart().to_svg().as_bytes())?;
    output::write(path, (serde_json::to_string_pretty(found)? + "\n").as_bytes())
}

/// What an earlier call found with the same settings.
fn earlier(path: &Path, settings: &CausalSettings, layer: &str) -> Result<Option<Found>> {
    if !path.exists() {
        return Ok(None);
    }
    let found: Found = serde_json::from_slice(&base::files::read(path, LARGEST)?)
        .with_context(|| format!("{}: is not the result of a search for causes; remove it", path.display()))?;
    Ok((found.settings == *settings && found.layer == layer).then_some(found))
}

/// The longest result that is read.
const LARGEST: u64 = 64 << 20;

/// A name as part of a file's name.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect()
}
