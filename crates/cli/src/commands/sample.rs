//! `ganatomy sample MODEL`

use crate::conditions::Likeness;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output::Target;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use metrics::summary::median;
use models::files::{self, Writer};
use models::pictures::{self, Look};
use models::{Generator, Kind, Latents, Nearest, Seeds, open_real};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Make images from seeds or latents
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Sample i of a seed is the same in every command, whatever the batch. Without --out and --raw the
pictures go to samples.png.

Examples:
  ganatomy sample scenes
  ganatomy sample runs/00003-scenes-paper
  ganatomy sample model.safetensors --seeds 0..4,7 --out grid.png
  ganatomy sample model.safetensors --seeds 0..50000 --out samples/
  ganatomy sample scenes --seeds 0..12 --captions --scale 2 --out numbered.png
  ganatomy sample scenes --truncation 0.7 --out typical.png
  ganatomy sample animals.safetensors --class cat --seeds 0..32
  ganatomy sample animals.safetensors --by-class --seeds 0..8
  ganatomy sample model.safetensors --latents z.npy --raw x.npy
  ganatomy sample model.safetensors --latents torch:1x64 --columns 8 --out as-published.png
  ganatomy sample runs/00004-cats64 --nearest cats64.zip --out new-or-known.png")]
pub(crate) struct Sample {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Seeds: a half-open range, a number, or a list such as 0..4,7
    #[arg(long, value_name = "A..B", default_value = "0..16")]
    seeds: Seeds,

    /// Write one grid (NAME.png), or a folder with one PNG per sample
    #[arg(long, value_name = "DIR|PNG")]
    out: Option<PathBuf>,

    /// Take latents instead of seeds: float32 [N, Z] or [N, Z, 1, 1], the folder of an inverted photo, or those that
    /// PyTorch or NumPy draw for a seed (torch:1x64, numpy:7)
    #[arg(long, value_name = "NPY|DIR|SEED", conflicts_with = "seeds")]
    latents: Option<PathBuf>,

    #[command(flatten)]
    like: Likeness,

    /// Write what the network gives: float32 [N, C, H, W], or [N, 2] for points
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,

    /// Write a grid with a row for each class: a column is one latent
    #[arg(long, conflicts_with_all = ["captions", "class", "columns", "nearest", "raw", "scale"])]
    by_class: bool,

    /// Columns of the grid [default: about the square root of the number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    columns: Option<u32>,

    /// Write its seed below each image of the grid
    #[arg(long)]
    captions: bool,

    /// Enlarge pictures: every pixel becomes a square of so many
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=32))]
    scale: u32,

    /// Show below each sample the image of this source nearest to it, pixel by pixel, and say how near: what the
    /// generator knows by heart
    #[arg(long, value_name = "SRC")]
    nearest: Option<String>,

    /// Samples made at a time; more need more memory and give the same
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: u32,

    #[command(flatten)]
    computing: Computing,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    model: String,
    shape: &'a [usize],
    out: Option<String>,
    raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<&'a Nearest>,
}

/// Takes the samples as they come.
enum Pictures {
    None,
    Grid { path: PathBuf, columns: usize, cells: Vec<data::Image>, look: Look },
    Scatter { path: PathBuf, points: Vec<f32> },
    Folder(PathBuf, Look),
}

impl Sample {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let generator = Generator::find(&self.model, &device, &mut |note| console.note(note))?;
        let latents = match &self.latents {
            Some(path) => Latents::read(path, &generator)?,
            None => self.seeds.clone().into(),
        };
        if self.by_class {
            return self.rows(&latents, &generator, console);
        }
        let latents = latents.under(&self.like.conditions(), &generator)?;
        let n = latents.len();
        if self.raw.is_some() {
            generator.check_raw(n)?;
        }
        generator.check_memory((self.batch as usize).min(usize::try_from(n).unwrap_or(usize::MAX)))?;
        let out = self.out.clone().or_else(|| self.raw.is_none().then(|| PathBuf::from("samples.png")));
        let mut pictures = self.pictures(out.as_deref(), &latents, &generator)?;
        let near = self.nearest.as_deref().map(|name| {
            if !matches!(pictures, Pictures::Grid { .. }) {
                return Err(Error::setting("nearest", "needs a grid to be shown in")
                    .with_hint("Give --out a name that ends in .png.")
                    .into());
            }
            open_real(name, generator.image_shape()?)
        });
        let near = near.transpose()?;
        let shape = [&[n as usize], generator.shape().as_slice()].concat();
        let mut raw = self.raw.as_deref().map(|path| Writer::npy(path, &shape)).transpose()?;

        let mut progress = Progress::new(console)?;
        let made = generator.make(&latents, self.batch as usize, &mut progress, |first, values| {
            if let Some(raw) = &mut raw {
                raw.write_floats(values)?;
            }
            pictures.take(&generator, first, values, &latents)
        })?;
        let Some(made) = made else { return Ok(exit::of_stop(progress.finish())) };
        raw.map(Writer::finish).transpose()?;
        let mut nearest = None;
        if let (Some(set), Pictures::Grid { cells, .. }) = (near, &mut pictures) {
            let Some(found) = Nearest::find(&set, cells, |place| latents.name(place), &mut progress)? else {
                return Ok(exit::of_stop(progress.finish()));
            };
            console.notices(&set);
            *cells = found.below(cells)?;
            nearest = Some(found);
        }
        progress.finish();
        if !made.finite {
            console.warn(&format!("{}: gave numbers that are not finite", generator.path().display()));
        }
        pictures.finish(&latents)?;

        let (out, raw) = (out.as_deref(), self.raw.as_deref());
        let name = |path: &Path| path.display().to_string();
        let nearest = nearest.as_ref();
        let (model, shape) = (name(generator.path()), &*shape);
        let json = Json { model, shape, out: out.map(name), raw: raw.map(name), nearest };
        console::result(&json, || nearest.map_or_else(String::new, told))?;
        [out, raw].into_iter().flatten().try_for_each(console::made)?;
        Ok(exit::DONE)
    }

    /// The grid of all classes.
    fn rows(&self, latents: &Latents, generator: &Generator, console: Console) -> Result<Code> {
        let path = self.out.clone().unwrap_or_else(|| PathBuf::from("samples.png"));
        let Target::Grid(path) = Target::of(&path)? else {
            return Err(Error::setting("by_class", "makes one grid")
                .with_hint("Give --out a name that ends in .png.")
                .into());
        };
        let mut progress = Progress::new(console)?;
        let rows = generator.rows_by_class(latents, &self.like.conditions(), self.batch as usize, &mut progress)?;
        let Some(rows) = rows else { return Ok(exit::of_stop(progress.finish())) };
        progress.finish();
        files::write_png(&path, &rows)?;
        let name = |path: &Path| path.display().to_string();
        let shape = [&[latents.len() as usize * generator.classes().len()], generator.shape().as_slice()].concat();
        let (model, out) = (name(generator.path()), Some(name(&path)));
        console::result(&Json { model, shape: &shape, out, raw: None, nearest: None }, String::new)?;
        console::made(&path)?;
        Ok(exit::DONE)
    }

    fn pictures(&self, out: Option<&Path>, latents: &Latents, generator: &Generator) -> Result<Pictures> {
        let Some(out) = out else { return Ok(Pictures::None) };
        let (n, target) = (latents.len(), Target::of(out)?);
        if self.captions && !matches!((&target, generator.kind()), (Target::Grid(_), Kind::Images(_))) {
            return Err(Error::setting("captions", "are of the images of a grid; files have their seeds as names")
                .with_hint("Give `out` a name that ends in .png, or leave `captions` out.")
                .into());
        }
        let caption = self.captions.then(|| pictures::longest_caption(latents));
        let look = Look { scale: self.scale as usize, caption };
        Ok(match (target, generator.kind()) {
            (Target::Grid(path), Kind::Points) => {
                pictures::check_cloud(n)?;
                Pictures::Scatter { path, points: Vec::new() }
            }
            (Target::Grid(path), Kind::Images(_)) => {
                let columns = self.columns.map_or_else(|| pictures::square(n), |columns| columns as usize);
                let shape = generator.image_shape()?;
                let shape = if self.nearest.is_some() { Nearest::shape_below(shape) } else { shape };
                pictures::check_grid(n, columns, look.shape(shape), "Give a folder, or ask for fewer pictures.")?;
                Pictures::Grid { path, columns, cells: Vec::new(), look }
            }
            (Target::Folder(path), _) => {
                pictures::check_grid(1, 1, look.shape(generator.image_shape()?), "Take a smaller `scale`.")?;
                base::files::create_folder(&path)?;
                Pictures::Folder(path, look)
            }
        })
    }
}

impl Pictures {
    fn take(&mut self, generator: &Generator, first: u64, values: &[f32], latents: &Latents) -> Result<()> {
        match self {
            Self::None => {}
            Self::Scatter { points, .. } => points.extend(values),
            Self::Grid { cells, .. } => cells.extend(generator.pictures(values)?),
            Self::Folder(folder, look) => {
                for (place, image) in (first..).zip(generator.pictures(values)?) {
                    files::write_png(&folder.join(latents.name(place) + ".png"), &look.of(&image, ""))?;
                }
            }
        }
        Ok(())
    }

    fn finish(self, latents: &Latents) -> Result<()> {
        match self {
            Self::None | Self::Folder(..) => {}
            Self::Grid { path, columns, cells, look } => {
                let shown = (0..).zip(&cells).map(|(place, image)| look.of(image, &latents.caption(place)));
                files::write_png(&path, &pictures::grid(&shown.collect::<Vec<_>>(), columns)?)?;
            }
            Self::Scatter { path, points } => files::write_png(&path, &pictures::cloud(&points))?,
        }
        Ok(())
    }
}

/// How near the nearest images are, in two lines.
fn told(found: &Nearest) -> String {
    let distances: Vec<f64> = found.samples.iter().map(|m| m.distance).collect();
    let closest = found
        .closest()
        .map_or(String::new(), |m| format!(", least {:.3} ({} and {})", m.distance, m.sample, m.nearest));
    let least = found.between_reals.iter().copied().fold(f64::INFINITY, f64::min);
    format!(
        "distance to the nearest of {} images of {}: median {:.3}{closest}\n\
         from {} of these images to the nearest other: median {:.3}, least {least:.3}\n",
        found.among,
        found.source,
        median(&distances),
        found.between_reals.len(),
        median(&found.between_reals),
    )
}
