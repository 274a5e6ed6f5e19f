//! `ganatomy edit MODEL`

use crate::conditions::Likeness;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::progress::Progress;
use anyhow::Result;
use dissect::{Action, Effect, Place, Recipe};
use models::files::Writer;
use models::{Conditions, EditNames, EditOutcome, Editing, Generator, Latents, Seeds};
use serde::Serialize;
use std::path::PathBuf;

/// The images that are edited where nothing says which.
const DEFAULT_SEEDS: &str = "0..8";

/// Switch units off, scale them, or force them, and see what changes
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("edits").required(true).multiple(true).args(["ablate", "scale", "insert", "recipe"])))]
#[command(after_help = "\
UNITS are LAYER:3,5 or, with --dissection, LAYER:CLASS/20 for the 20 units that fit a class best.
VALUE is a number, mean, mean:CLASS, a quantile such as q0.99, or zero; all but numbers and zero
need --dissection. First all --ablate are done, then all --scale, then all --insert; later ones see
what earlier ones left. Another order is for a recipe. The folder gets sheet.png (rows of before,
after and difference), the recipe, edit.json for `ganatomy report` and, with --segmenter,
effects.csv: what became of every class. Where the latents are the folder of an inverted photo, it
gets photo.png too: the photo with what changed in its picture.

Examples:
  ganatomy edit scenes --ablate 2:3,5,17 --seeds 0..8 --out edited
  ganatomy edit scenes --ablate 1b:tree/20 --dissection found --segmenter scenes --out no-trees
  ganatomy edit scenes --insert 2:door/20@q0.99 --cells 9,7 --dissection found --out doors
  ganatomy edit scenes --recipe edited/recipe.json --latents z.npy --raw x.npy --out again
  ganatomy edit scenes --ablate 1b:tree/20 --latents inverted --out photo-without-trees")]
pub(crate) struct Edit {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Switch units off; may be repeated
    #[arg(long, value_name = "UNITS", value_parser = ablation)]
    ablate: Vec<Action>,

    /// Multiply units: LAYER:3,5@0.5; may be repeated
    #[arg(long, value_name = "UNITS@FACTOR")]
    scale: Vec<Action>,

    /// Force units to a value; may be repeated
    #[arg(long, value_name = "UNITS@VALUE", value_parser = insertion)]
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

    /// Seeds: a half-open range, a number, or a list such as 0..4,7 [default: the picture of the recipe, else 0..8]
    #[arg(long, value_name = "A..B")]
    seeds: Option<Seeds>,

    /// Take latents instead of seeds: float32 [N, Z] or [N, Z, 1, 1], the folder of an inverted photo, or those that
    /// PyTorch or NumPy draw for a seed (torch:1x64, numpy:7)
    #[arg(long, value_name = "NPY|DIR|SEED", conflicts_with = "seeds")]
    latents: Option<PathBuf>,

    /// The folder for pictures, recipe and table
    #[arg(long, value_name = "DIR", default_value = "edited")]
    out: PathBuf,

    #[command(flatten)]
    like: Likeness,

    /// Write the edited images: float32 [N, C, H, W]
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,
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

/// What `--ablate` names: units alone.
fn ablation(text: &str) -> std::result::Result<Action, String> {
    match text.split_once('@') {
        Some((units, _)) => Err(format!("a value has no meaning here: write {units}, or force units with --insert")),
        None => text.parse().map_err(|e: base::Malformed| e.to_string()),
    }
}

/// What `--insert` names: units and a value. Without one they would be switched off.
fn insertion(text: &str) -> std::result::Result<Action, String> {
    if !text.contains('@') {
        return Err(format!(
            "names no value: write {text}@VALUE, such as {text}@q0.99, or switch units off with --ablate"
        ));
    }
    text.parse().map_err(|e: base::Malformed| e.to_string())
}

fn cell(text: &str) -> std::result::Result<[usize; 2], String> {
    let cell = text.split_once(',').and_then(|(r, c)| Some([r.trim().parse().ok()?, c.trim().parse().ok()?]));
    cell.ok_or_else(|| format!("{text:?} is not a cell: write ROW,COLUMN"))
}

impl Edit {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let mut tell = |note: &models::Note| console.note(note);
        let dissection = models::dissection_of_model(self.dissection.as_deref(), &self.model)?;
        let plan = dissection.as_ref().map(|dissection| &dissection.plan);
        let generator = Generator::new(models::model_for(&self.model, plan, &device, &mut tell)?, &device)?;
        let segmenter = self.segmenter.as_deref().map(|path| models::find_segmenter(path, &device, &mut tell));
        let segmenter = segmenter.transpose()?.map(|(segmenter, _)| segmenter);
        let mut recipe = self.recipe()?;
        let latents = match (&self.latents, &self.seeds, &recipe.latent) {
            (Some(path), ..) => Latents::read(path, &generator)?,
            (None, Some(seeds), _) => seeds.clone().into(),
            (None, None, Some(latent)) => Latents::of_recipe(latent, &generator)?,
            (None, None, None) => DEFAULT_SEEDS.parse()?,
        };
        let mut conditions = self.like.conditions();
        let of_recipe = Conditions::of_recipe(&recipe);
        // Latents of one's own are as they are, unless one says otherwise.
        conditions.truncation = conditions.truncation.or(of_recipe.truncation.filter(|_| self.latents.is_none()));
        conditions.class = conditions.class.or(of_recipe.class);
        let latents = latents.under(&conditions, &generator)?;
        recipe.truncation = conditions.truncation.map(|truncation| truncation.psi);
        recipe.truncation_layers = conditions.truncation.and_then(|truncation| truncation.layers);
        recipe.class = conditions.class;
        warn_of_another(&recipe, &generator, console)?;
        let editing = Editing::new(&generator, recipe, dissection.as_ref(), segmenter.as_ref())?;
        if editing.is_blind() {
            console.warn(
                "--segmenter: says the same of every picture, as painted masks do; no edit changes its classes, so there is no table of them",
            );
        }

        base::files::create_folder(&self.out)?;
        let shape = [&[latents.len() as usize], generator.shape().as_slice()].concat();
        let mut raw = self.raw.as_deref().map(|path| Writer::npy(path, &shape)).transpose()?;
        let mut progress = Progress::new(console)?;
        let outcome = editing.run(&latents, &mut progress, |values| match &mut raw {
            Some(raw) => Ok(raw.write_floats(values)?),
            None => anyhow::Ok(()),
        })?;
        let signal = progress.finish();
        let Some(outcome) = outcome else { return Ok(exit::of_stop(signal)) };
        raw.map(Writer::finish).transpose()?;
        let text = |path: &PathBuf| path.display().to_string();
        let names = EditNames {
            model: text(generator.path()),
            dissection: self.dissection.as_ref().map(text),
            segmenter: self.segmenter.as_ref().map(text),
            seeds: latents.seeds().map(ToString::to_string),
            latents: self.latents.as_ref().map(text),
        };
        editing.write(&self.out, &outcome, names)?;
        let finite = |effect: &Effect| {
            let removed = Some(effect.removed()).filter(|removed| removed.is_finite());
            JsonEffect { removed, effect: effect.clone() }
        };
        let classes = outcome.classes.iter().map(finite).collect();
        let told = Json { out: text(&self.out), images: outcome.images, classes };
        console::result(&told, || table(&outcome))?;
        console::made(&self.out)?;
        self.raw.as_deref().map_or(Ok(()), console::made)?;
        Ok(exit::DONE)
    }

    fn recipe(&self) -> Result<Recipe> {
        if let Some(path) = &self.recipe {
            return Ok(Recipe::read(path)?);
        }
        let place = match &self.mask {
            Some(path) => Place::Mask(models::read_mask(path)?),
            None if self.cells.is_empty() => Place::Everywhere,
            None => Place::Cells(self.cells.clone()),
        };
        let mut edits = self.ablate.clone();
        edits.extend(self.scale.iter().map(models::scaled).collect::<base::Result<Vec<_>>>()?);
        edits.extend(self.insert.iter().cloned());
        edits.iter_mut().for_each(|action| action.place = place.clone());
        Ok(Recipe::new(edits))
    }
}

/// Says aloud that a recipe was made for another generator.
pub(super) fn warn_of_another(recipe: &Recipe, generator: &Generator, console: Console) -> Result<()> {
    if let Some(origin) = recipe.model.as_ref()
        && !origin.is(generator.network())?
    {
        console.warn(&format!(
            "the recipe was made for another generator ({}): its units may stand for other things",
            origin.name
        ));
    }
    Ok(())
}

/// What became of the classes, those that changed most first.
fn table(outcome: &EditOutcome) -> String {
    let rows = outcome.changed();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = vec![format!("{:16} {:>10} {:>10} {:>8}\n", "class", "before", "after", "removed")];
    for effect in rows {
        let removed = if effect.before == 0 { "-".into() } else { format!("{:.3}", effect.removed()) };
        text.push(format!("{:16} {:>10} {:>10} {removed:>8}\n", effect.concept.name, effect.before, effect.after));
    }
    text.concat()
}
