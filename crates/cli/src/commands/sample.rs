//! `ganatomy sample MODEL`

mod nearest;

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::generator::{Generator, Kind};
use crate::latents::Latents;
use crate::output::{self, PADDING, Target, Writer};
use crate::progress::Progress;
use crate::real;
use crate::seeds::Seeds;
use anyhow::Result;
use base::{Error, files};
use data::pictures::{self, Cloud};
use nearest::Nearest;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Points in one scatter plot; more would be a blot.
const MOST_POINTS: u64 = 1_000_000;

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
  ganatomy sample model.safetensors --latents z.npy --raw x.npy
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

    /// Read latents instead of seeds: float32 [N, Z] or [N, Z, 1, 1]
    #[arg(long, value_name = "NPY", conflicts_with = "seeds")]
    latents: Option<PathBuf>,

    /// Write what the network gives: float32 [N, C, H, W], or [N, 2] for points
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,

    /// Columns of the grid [default: about the square root of the number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    columns: Option<u32>,

    /// Show below each sample the image of this source nearest to it, pixel by pixel, and say how near: what the
    /// generator knows by heart
    #[arg(long, value_name = "SRC")]
    nearest: Option<String>,

    /// Samples made at a time; more need more memory and give the same
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: u32,

    #[command(flatten)]
    computing: Computing,

    /// Print JSON: what was written
    #[arg(long)]
    json: bool,
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
    Grid { path: PathBuf, columns: usize, cells: Vec<data::Image> },
    Scatter { path: PathBuf, points: Vec<f32> },
    Folder(PathBuf),
}

impl Sample {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let generator = Generator::open(&self.model, self.computing.open(console)?, console)?;
        let latents = match &self.latents {
            Some(path) => Latents::read(path, &generator.network)?,
            None => Latents::Seeds(self.seeds.clone()),
        };
        let n = latents.len();
        let out = self.out.clone().or_else(|| self.raw.is_none().then(|| PathBuf::from("samples.png")));
        let mut pictures = self.pictures(out.as_deref(), n, &generator)?;
        let near = self.nearest.as_deref().map(|name| {
            if !matches!(pictures, Pictures::Grid { .. }) {
                return Err(Error::setting("--nearest", "needs a grid to be shown in")
                    .with_hint("Give --out a name that ends in .png.")
                    .into());
            }
            real::open(name, generator.image_shape()?)
        });
        let near = near.transpose()?;
        let item = generator.shape();
        let shape = [&[n as usize], item.as_slice()].concat();
        let mut raw = self.raw.as_deref().map(|path| Writer::npy(path, &shape)).transpose()?;

        let stopped = generator.make(&latents, self.batch as usize, console, |first, values| {
            if let Some(raw) = &mut raw {
                raw.write_floats(values)?;
            }
            pictures.take(&item, first, values, &latents)
        })?;
        if let Some(signal) = stopped {
            return Ok(exit::of_signal(signal));
        }
        raw.map(Writer::finish).transpose()?;
        let mut nearest = None;
        if let (Some(set), Pictures::Grid { cells, .. }) = (near, &mut pictures) {
            let mut progress = Progress::new(console)?;
            let found = Nearest::find(&set, cells, &latents, &mut progress)?;
            let signal = progress.finish();
            let Some((found, shown)) = found else { return Ok(signal.map_or(ExitCode::SUCCESS, exit::of_signal)) };
            *cells = shown;
            nearest = Some(found);
        }
        pictures.finish()?;

        let (out, raw) = (out.as_deref(), self.raw.as_deref());
        if self.json {
            let name = |path: &Path| path.display().to_string();
            let model = name(&generator.path);
            let nearest = nearest.as_ref();
            console::print_json(&Json { model, shape: &shape, out: out.map(name), raw: raw.map(name), nearest })?;
        } else {
            if let Some(nearest) = nearest {
                console::print(&nearest.told())?;
            }
            for path in [out, raw].into_iter().flatten() {
                console::print(&format!("{}\n", path.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn pictures(&self, out: Option<&Path>, n: u64, generator: &Generator) -> Result<Pictures> {
        let Some(out) = out else { return Ok(Pictures::None) };
        Ok(match (Target::of(out)?, generator.kind) {
            (Target::Grid(path), Kind::Points) => {
                if n > MOST_POINTS {
                    let reason = format!("a scatter plot of {n} points shows nothing; at most {MOST_POINTS} are drawn");
                    return Err(Error::setting("--out", reason).with_hint("Write them with --raw.").into());
                }
                Pictures::Scatter { path, points: Vec::new() }
            }
            (Target::Grid(path), Kind::Images(_)) => {
                let columns = self.columns.map_or_else(|| square(n), |columns| columns as usize);
                let [channels, height, width] = generator.image_shape()?;
                let height = if self.nearest.is_some() { 2 * height + PADDING / 2 } else { height };
                let cure = "Give a folder, or ask for fewer pictures.";
                output::check_grid(n, columns, [channels, height, width], cure)?;
                Pictures::Grid { path, columns, cells: Vec::new() }
            }
            (Target::Folder(path), _) => {
                generator.image_shape()?;
                files::create_folder(&path)?;
                Pictures::Folder(path)
            }
        })
    }
}

impl Pictures {
    fn take(&mut self, item: &[usize], first: u64, values: &[f32], latents: &Latents) -> Result<()> {
        let images = || {
            let n = values.len() / item.iter().product::<usize>().max(1);
            pictures::from_batch(&[&[n], item].concat(), values)
        };
        match self {
            Self::None => {}
            Self::Scatter { points, .. } => points.extend(values),
            Self::Grid { cells, .. } => cells.extend(images()?),
            Self::Folder(folder) => {
                for (place, image) in (first..).zip(images()?) {
                    let path = folder.join(latents.file_stem(place) + ".png");
                    output::write_png(&path, &image)?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::None | Self::Folder(_) => Ok(()),
            Self::Grid { path, columns, cells } => output::write_png(&path, &pictures::grid(&cells, columns, PADDING)?),
            Self::Scatter { path, points } => {
                let range = points.iter().filter(|v| v.is_finite()).fold(0.0f32, |range, v| range.max(v.abs())) * 1.1;
                let cloud = Cloud { points: &points, colour: [110, 200, 255] };
                output::write_png(&path, &pictures::scatter(&[cloud], 512, range.max(1e-3)))
            }
        }
    }
}

/// The columns of a grid that is about as wide as high.
fn square(n: u64) -> usize {
    (1..=1 << 16).find(|&side: &u64| side * side >= n).unwrap_or(1 << 16) as usize
}
