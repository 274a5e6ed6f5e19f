//! `ganatomy causal DIR`

mod show;

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use dissect::{CausalSettings, Outcome};
use models::{Causes, concepts_named, open_dissection, segmenter_of_plan, subject_of_plan};
use serde::Serialize;
use std::path::PathBuf;

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
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    causes: Vec<&'a dissect::Causal>,
    /// Classes that the images hold too little of, each with the reason.
    absent: Vec<&'a str>,
}

impl Causal {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let dissection = open_dissection(&self.dissection)?;
        let concepts = concepts_named(&dissection, &self.class)?;
        let one = concepts.len() == 1 && matches!(&*self.class, [name] if name != "all" && !name.ends_with("/all"));
        if one {
            output::check_ending(&self.out, "json")?;
        }
        if !one && self.out.is_file() {
            return Err(Error::file(&self.out, "is a file; several classes go into a folder").into());
        }
        let device = self.computing.open(console)?;
        Causes::layer(&dissection, &self.layer)?;
        let mut tell = |note: &models::Note| console.note(note);
        let subject = subject_of_plan(&dissection.plan, self.model.as_deref(), &device, &mut tell)?;
        let (segmenter, path) = segmenter_of_plan(&dissection.plan, self.segmenter.as_deref(), &device, &mut tell)?;
        let causes = Causes::new(&dissection, &self.layer, subject, (&segmenter, &path), self.settings())?;
        let mut progress = Progress::new(console)?;
        if one {
            let done = causes.search(concepts[0], &self.out, &mut progress);
            let signal = progress.finish();
            let found = match done? {
                Outcome::Found(found) => found,
                Outcome::Absent(what) => {
                    return Err(Error::setting("class", what)
                        .with_hint("Give more images with --pool, or try another layer.")
                        .into());
                }
                Outcome::Stopped => return Ok(stopped(signal, console)),
            };
            console::result(&Json { causes: vec![&found], absent: Vec::new() }, || show::one(&found))?;
            console::made(&self.out)?;
            return Ok(exit::DONE);
        }

        let rows = causes.search_all(&concepts, &self.out, &mut progress, |at, class| {
            console.say(&format!("{} of {}: {}", at + 1, concepts.len(), class.name));
        })?;
        let signal = progress.finish();
        let Some(rows) = rows else { return Ok(stopped(signal, console)) };
        let causes = rows.iter().filter_map(|(_, found)| found.as_ref().ok()).collect();
        let absent = rows.iter().filter_map(|(_, found)| found.as_ref().err()).map(String::as_str).collect();
        console::result(&Json { causes, absent }, || show::table(&self.layer, &rows))?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }

    fn settings(&self) -> CausalSettings {
        let base = if self.published { CausalSettings::published() } else { CausalSettings::default() };
        let base = Causes::with_pool(base.clone(), self.pool.unwrap_or(base.pool));
        CausalSettings {
            epochs: self.epochs.unwrap_or(base.epochs),
            curve_images: self.curve_images.unwrap_or(base.curve_images),
            insertion_images: self.insertion_images.unwrap_or(base.insertion_images),
            seed: self.seed,
            ..base
        }
    }
}

fn stopped(signal: Option<train::signals::Signal>, console: Console) -> Code {
    console.say("stopped; the same command goes on from here");
    exit::of_stop(signal)
}
