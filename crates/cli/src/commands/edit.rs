//! `ganatomy edit MODEL`

use crate::commands::segmenter;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::dissection;
use crate::exit;
use crate::generator::Generator;
use crate::latents::Latents;
use crate::output::{self, Writer};
use crate::progress::Progress;
use crate::seeds::Seeds;
use anyhow::{Context, Result};
use base::{Error, files};
use data::{Image, pictures};
use dissect::{Action, Dissection, Edited, Effect, Effects, Origin, Place, RECIPE, Recipe, Sheet, Subject, Watch};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Images made and compared at a time.
const BATCH: usize = 32;
/// Images shown in the sheet.
const MOST_SHOWN: u64 = 64;

/// Switch units off, scale them, or force them, and see what changes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
UNITS are LAYER:3,5 or, with --dissection, LAYER:CLASS/20 for the 20 units that fit a class best.
VALUE is a number, mean, mean:CLASS, a quantile such as q0.99, or zero; all but numbers and zero
need --dissection. First all --ablate are done, then all --scale, then all --insert; later ones see
what earlier ones left. Another order is for a recipe. The folder gets sheet.png (rows of before,
after and difference), the recipe, edit.json for `ganatomy report` and, with --segmenter,
effects.csv: what became of every class.

Examples:
  ganatomy edit scenes --ablate 2:3,5,17 --seeds 0..8 --out edited
  ganatomy edit scenes --ablate 1b:tree/20 --dissection found --segmenter scenes --out no-trees
  ganatomy edit scenes --insert 2:door/20@q0.99 --cells 9,7 --dissection found --out doors
  ganatomy edit scenes --recipe edited/recipe.json --latents z.npy --raw x.npy --out again")]
pub(crate) struct Edit {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Switch units off; may be repeated
    #[arg(long, value_name = "UNITS")]
    ablate: Vec<Action>,

    /// Multiply units: LAYER:3,5@0.5; may be repeated
    #[arg(long, value_name = "UNITS@FACTOR")]
    scale: Vec<Action>,

    /// Force units to a value; may be repeated
    #[arg(long, value_name = "UNITS@VALUE")]
    insert: Vec<Action>,

    /// Take the edits from a recipe
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ablate", "scale", "insert"])]
    recipe: Option<PathBuf>,

    /// Only at these cells of the layer's map: ROW,COLUMN, several with spaces between
    #[arg(long, value_name = "R,C", num_args = 1.., value_parser = cell, conflicts_with = "recipe")]
    cells: Vec<[usize; 2]>,

    /// Only where this picture is white, of any size; grey is partly
    #[arg(long, value_name = "PNG", conflicts_with_all = ["recipe", "cells"])]
    mask: Option<PathBuf>,

    /// What was found about the units of this generator [default: what comes with a shipped one]
    #[arg(long, value_name = "DIR")]
    dissection: Option<PathBuf>,

    /// What says what is where, for the table of classes
    #[arg(long, value_name = "SEG")]
    segmenter: Option<PathBuf>,

    /// Seeds: a half-open range, a number, or a list such as 0..4,7
    #[arg(long, value_name = "A..B", default_value = "0..8")]
    seeds: Seeds,

    /// Read latents instead of seeds: float32 [N, Z] or [N, Z, 1, 1]
    #[arg(long, value_name = "NPY", conflicts_with = "seeds")]
    latents: Option<PathBuf>,

    /// The folder for pictures, recipe and table
    #[arg(long, value_name = "DIR", default_value = "edited")]
    out: PathBuf,

    /// Write the edited images: float32 [N, C, H, W]
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,

    /// Print JSON: what became of every class
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    out: String,
    images: u64,
    classes: Vec<JsonEffect>,
}

#[derive(Serialize)]
struct JsonEffect {
    #[serde(flatten)]
    effect: Effect,
    removed: Option<f64>,
}

fn cell(text: &str) -> std::result::Result<[usize; 2], String> {
    let cell = text.split_once(',').and_then(|(r, c)| Some([r.trim().parse().ok()?, c.trim().parse().ok()?]));
    cell.ok_or_else(|| format!("{text:?} is not a cell: write ROW,COLUMN"))
}

impl Edit {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let device = self.computing.open(console)?;
        let generator = Generator::open(&self.model, device.clone(), console)?;
        generator.image_shape()?;
        let recipe = self.recipe()?;
        if recipe.edits.is_empty() {
            return Err(Error::setting("edit", "no edit is given")
                .with_hint("Give --ablate, --scale, --insert or --recipe.")
                .into());
        }
        let named: Vec<String> = recipe.edits.iter().map(|action| action.layer.clone()).collect();
        let subject = subject_with(&generator, &named, &device)?;
        let dissection = dissection::of_model(self.dissection.as_deref(), &self.model)?;
        if let Some(dissection) = &dissection {
            check_model(dissection, &generator)?;
        }
        let edits = recipe.resolve(&subject, dissection.as_ref())?;
        let segmenter = match &self.segmenter {
            Some(path) => Some(segmenter::open(path, &device, console)?.0),
            None => None,
        };
        let latents = match &self.latents {
            Some(path) => Latents::read(path, &generator.network)?,
            None => Latents::Seeds(self.seeds.clone()),
        };

        files::create_folder(&self.out)?;
        let shape = [&[latents.len() as usize], generator.shape().as_slice()].concat();
        let mut raw = self.raw.as_deref().map(|path| Writer::npy(path, &shape)).transpose()?;
        let mut effects = segmenter.as_ref().map(|s| Effects::new(s));
        let mut shown: [Vec<Image>; 2] = Default::default();
        let mut progress = Progress::new(console)?;
        progress.stage("images", latents.len());
        let mut first = 0;
        while first < latents.len() {
            if progress.stop() {
                return Ok(progress.finish().map_or(ExitCode::SUCCESS, exit::of_signal));
            }
            let z = latents.batch(&generator.network, first, BATCH, &device);
            let pair = subject.before_and_after(&z, &edits)?;
            if let (Some(effects), Some(segmenter)) = (&mut effects, &segmenter) {
                effects.count(segmenter, &pair[0], &pair[1])?;
            }
            if let Some(raw) = &mut raw {
                raw.write_floats(&pair[1].to_vec())?;
            }
            for (cells, images) in shown.iter_mut().zip(&pair) {
                let room = MOST_SHOWN.saturating_sub(cells.len() as u64) as usize;
                cells.extend(pictures::from_batch(&images.shape(), &images.to_vec())?.into_iter().take(room));
            }
            let n = z.shape()[0] as u64;
            first += n;
            progress.step(n);
        }
        progress.finish();
        raw.map(Writer::finish).transpose()?;
        recipe.write(&self.out.join(RECIPE))?;
        output::write_png(&self.out.join("sheet.png"), &dissect::comparison_sheet(&shown[0], &shown[1])?)?;
        let table = effects.map(|effects| effects.table()).unwrap_or_default();
        if !table.is_empty() {
            output::write(&self.out.join("effects.csv"), csv(&table).as_bytes())?;
        }
        let size = shown[0].first().map_or([0; 2], |image| [image.width, image.height]);
        let text = |path: &PathBuf| path.display().to_string();
        let edited = Edited {
            format: Edited::FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            model: Origin::of_network(text(&self.model), &generator.network)?,
            dissection: self.dissection.as_ref().map(text),
            segmenter: self.segmenter.as_ref().map(text),
            seeds: self.latents.is_none().then(|| self.seeds.to_string()),
            latents: self.latents.as_ref().map(text),
            images: latents.len(),
            sheet: Sheet::new(shown[0].len(), size),
            classes: table.clone(),
        };
        edited.write(&self.out)?;
        if self.json {
            let finite =
                |effect: Effect| JsonEffect { removed: Some(effect.removed()).filter(|r| r.is_finite()), effect };
            let classes = table.into_iter().map(finite).collect();
            console::print_json(&Json { out: self.out.display().to_string(), images: latents.len(), classes })?;
        } else {
            console::print(&shown_table(&table))?;
            console::print(&format!("{}\n", self.out.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn recipe(&self) -> Result<Recipe> {
        if let Some(path) = &self.recipe {
            return Ok(Recipe::read(path)?);
        }
        let place = match &self.mask {
            Some(path) => Place::Mask(read_mask(path)?),
            None if self.cells.is_empty() => Place::Everywhere,
            None => Place::Cells(self.cells.clone()),
        };
        let mut edits = self.ablate.clone();
        for action in &self.scale {
            // x' = x (1 - a) is x times the factor for a = 1 - factor.
            let dissect::Value::Number(factor) = action.value else {
                return Err(Error::setting("--scale", "names no factor")
                    .with_hint("Write LAYER:UNITS@FACTOR, such as 2:3,5@0.5.")
                    .into());
            };
            edits.push(Action { value: dissect::Value::Zero, alpha: 1.0 - factor, ..action.clone() });
        }
        edits.extend(self.insert.iter().cloned());
        edits.iter_mut().for_each(|action| action.place = place.clone());
        Ok(Recipe::new(edits))
    }
}

/// The generator with the layers that a recipe names, each once.
fn subject_with(generator: &Generator, named: &[String], device: &net::Device) -> Result<Subject> {
    let mut layers: Vec<String> = Vec::new();
    for name in named {
        if !layers.contains(name) {
            layers.push(name.clone());
        }
    }
    Subject::new(&generator.network, &layers, device).with_context(|| generator.path.display().to_string())
}

fn check_model(dissection: &Dissection, generator: &Generator) -> Result<()> {
    if dissection.plan.model.is(&generator.network)? {
        return Ok(());
    }
    let reason = format!("is of another generator ({}) than {}", dissection.plan.model.name, generator.path.display());
    Err(Error::file(&dissection.folder, reason).with_hint("Dissect this one: `ganatomy dissect`.").into())
}

/// A picture as a mask: black is 0, white is 1.
fn read_mask(path: &Path) -> Result<Vec<Vec<f32>>> {
    let image = data::decode(&files::read(path, data::MAX_BYTES)?, path)?.into_grey();
    Ok(image.pixels.chunks_exact(image.width).map(|row| row.iter().map(|&v| f32::from(v) / 255.0).collect()).collect())
}

fn csv(table: &[Effect]) -> String {
    let mut text = vec!["class,category,before,after,removed\n".to_owned()];
    for effect in table {
        let [name, category] = [&effect.concept.name, &effect.concept.category].map(|f| base::csv_field(f));
        let removed = if effect.before == 0 { String::new() } else { format!("{:.6}", effect.removed()) };
        text.push(format!("{name},{category},{},{},{removed}\n", effect.before, effect.after));
    }
    text.concat()
}

/// The classes that there were or are, those that changed most first.
fn shown_table(table: &[Effect]) -> String {
    let mut rows: Vec<&Effect> = table.iter().filter(|e| e.before + e.after > 0).collect();
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_by_key(|e| std::cmp::Reverse(e.before.abs_diff(e.after)));
    let mut text = vec![format!("{:16} {:>10} {:>10} {:>8}\n", "class", "before", "after", "removed")];
    for effect in rows {
        let removed = if effect.before == 0 { "-".into() } else { format!("{:.3}", effect.removed()) };
        text.push(format!("{:16} {:>10} {:>10} {removed:>8}\n", effect.concept.name, effect.before, effect.after));
    }
    text.concat()
}
