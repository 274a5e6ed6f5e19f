//! `ganatomy segmenter apply SEG IMAGES|MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::generator::Generator;
use crate::latents::Latents;
use crate::output::{self, Target};
use crate::seeds::Seeds;
use anyhow::Result;
use base::{Error, files};
use data::pictures::{self, Labelled};
use data::{Crop, Image, LabelMap, Size};
use net::{Device, Tensor};
use segment::{Segment, Segmenter};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use train::checkpoint::MANIFEST;
use train::run_folder;

/// Images that are segmented at a time.
const BATCH: usize = 32;

/// Show what a segmenter sees in images, or in what a generator makes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
IMAGES is an image, or a folder, .zip, IDX, .npz or .npy of images, which are brought to the
segmenter's size. The name scenes is that of the generator. The classes' shares of all pixels are
printed.

Examples:
  ganatomy segmenter apply scenes scenes
  ganatomy segmenter apply scenes runs/00003-scenes-modern --seeds 0..64 --out seen.png
  ganatomy segmenter apply street.safetensors photos/ --out labelled/ --labels")]
pub(crate) struct Apply {
    /// A shipped name (scenes), model file, run folder or checkpoint of a segmenter
    #[arg(value_name = "SEG")]
    segmenter: PathBuf,

    /// Images, or a generator: a shipped name (scenes), model file, run folder or checkpoint
    #[arg(value_name = "IMAGES|MODEL")]
    source: PathBuf,

    /// Write one sheet (NAME.png), or a folder with one picture per image
    #[arg(long, value_name = "DIR|PNG", default_value = "segments.png")]
    out: PathBuf,

    /// With a folder as --out: write index PNGs and classes.json, too, a folder for each plane
    #[arg(long)]
    labels: bool,

    /// The seeds of a generator's images: a half-open range, a number, or a list such as 0..4,7
    #[arg(long, value_name = "A..B", default_value = "0..16")]
    seeds: Seeds,

    /// The first N images [default: all for a folder, 16 for a sheet]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// Columns of the sheet
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(1..))]
    columns: u32,

    #[command(flatten)]
    computing: Computing,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    segmenter: String,
    images: u64,
    planes: Vec<JsonPlane<'a>>,
    out: String,
}

#[derive(Serialize)]
struct JsonPlane<'a> {
    name: &'a str,
    classes: Vec<JsonClass<'a>>,
}

#[derive(Serialize)]
struct JsonClass<'a> {
    name: &'a str,
    pixels: u64,
    /// Of all pixels.
    share: f64,
}

/// Takes images and label maps as they come.
struct Sink<'a> {
    segmenter: &'a Segmenter,
    target: Target,
    labels: bool,
    cells: Vec<Labelled>,
    images: u64,
    /// Pixels of each class of each plane.
    pixels: Vec<Vec<u64>>,
}

impl Apply {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let target = Target::of(&self.out)?;
        if self.labels && matches!(target, Target::Grid(_)) {
            return Err(Error::setting("--labels", "needs a folder as --out")
                .with_hint("For example --out seen/.")
                .into());
        }
        let device = self.computing.open(console)?;
        let (segmenter, path) = super::open(&self.segmenter, &device, console)?;
        let planes = segmenter.planes();
        let mut sink = Sink {
            segmenter: &segmenter,
            target,
            labels: self.labels,
            cells: Vec::new(),
            images: 0,
            pixels: planes.iter().map(|plane| vec![0; plane.classes.len()]).collect(),
        };
        sink.prepare()?;
        let stopped = if is_model(&self.source) {
            self.of_generator(&mut sink, &device, console)?
        } else {
            self.of_images(&mut sink, &device, console)?;
            None
        };
        if let Some(signal) = stopped {
            return Ok(exit::of_signal(signal));
        }
        sink.finish(self.columns as usize)?;
        self.print(&sink, &path)?;
        Ok(ExitCode::SUCCESS)
    }

    fn of_generator(
        &self,
        sink: &mut Sink,
        device: &Device,
        console: Console,
    ) -> Result<Option<train::signals::Signal>> {
        let generator = Generator::open(&self.source, device.clone(), console)?;
        let shape = generator.image_shape()?;
        sink.check(&generator.path, shape)?;
        let latents = Latents::Seeds(self.seeds.clone());
        sink.check_sheet(latents.len(), self.columns)?;
        generator.make(&latents, BATCH, console, |first, values| {
            let n = values.len() / shape.iter().product::<usize>();
            let names: Vec<String> = (first..first + n as u64).map(|place| latents.file_stem(place)).collect();
            sink.take(&names, values, device)
        })
    }

    fn of_images(&self, sink: &mut Sink, device: &Device, console: Console) -> Result<()> {
        let wanted = sink.segmenter.image_shape();
        let (channels, size) = (wanted[0], Size::of(wanted));
        if output::has_ending(&self.source, &["png", "jpg", "jpeg", "webp", "bmp", "gif"]) && self.source.is_file() {
            let image = data::decode(&files::read(&self.source, data::MAX_BYTES)?, &self.source)?;
            let image = if channels == 1 { image.into_grey() } else { image.into_rgb() };
            let image = data::to_size(image, size, Crop::Centre);
            sink.check(&self.source, [image.channels, image.height, image.width])?;
            return sink.take(&[stem(&self.source)], &image.to_floats(), device);
        }
        let channels = if channels == 1 { data::Channels::Grey } else { data::Channels::Rgb };
        let options = data::Options { size: Some(size), channels, ..data::Options::default() };
        let set = data::open(&self.source.to_string_lossy(), &options)?;
        let shape = <[usize; 3]>::try_from(set.shape()).unwrap_or_default();
        sink.check(&self.source, shape)?;
        let all = set.len().unwrap_or(usize::MAX) as u64;
        let wanted = match (self.count, &sink.target) {
            (Some(n), _) => u64::from(n),
            (None, Target::Grid(_)) => 16,
            (None, Target::Folder(_)) if set.len().is_none() => 16,
            (None, Target::Folder(_)) => all,
        };
        let n = all.min(wanted);
        sink.check_sheet(n, self.columns)?;
        let bar = console.bar(n, "images");
        for first in (0..n).step_by(BATCH) {
            let items = first..n.min(first + BATCH as u64);
            let values = items.clone().map(|i| set.values(i)).collect::<base::Result<Vec<_>>>()?.concat();
            let names: Vec<String> = items.clone().map(|i| format!("image{i:06}")).collect();
            sink.take(&names, &values, device)?;
            bar.set_position(items.end);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn print(&self, sink: &Sink, path: &Path) -> Result<()> {
        let planes: Vec<JsonPlane> = sink.shares();
        if self.json {
            let (segmenter, out) = (path.display().to_string(), self.out.display().to_string());
            return console::print_json(&Json { segmenter, images: sink.images, planes, out });
        }
        let line = |plane: &JsonPlane| {
            let shares = plane.classes.iter().filter(|class| class.pixels > 0);
            let shares: Vec<String> = shares.map(|c| format!("{} {:.2} %", c.name, 100.0 * c.share)).collect();
            format!("{}: {}\n", plane.name, shares.join(", "))
        };
        console::print(&format!("{}{}\n", planes.iter().map(line).collect::<String>(), self.out.display()))
    }
}

impl Sink<'_> {
    /// Makes the folders that are needed.
    fn prepare(&self) -> Result<()> {
        let Target::Folder(folder) = &self.target else { return Ok(()) };
        files::create_folder(folder)?;
        for plane in self.segmenter.planes().iter().filter(|_| self.labels) {
            let classes: Vec<_> = (0u16..)
                .zip(&plane.classes)
                .map(|(index, class)| serde_json::json!({"index": index, "name": class.name, "colour": class.colour}))
                .collect();
            let mut json = serde_json::json!({ "classes": classes });
            if let Some(ignore) = plane.ignore {
                json["ignore_index"] = ignore.into();
            }
            let text = serde_json::to_string_pretty(&json)? + "\n";
            output::write(&folder.join(folder_name(&plane.name)).join("classes.json"), text.as_bytes())?;
        }
        Ok(())
    }

    /// Refuses images of another shape.
    fn check(&self, path: &Path, shape: [usize; 3]) -> Result<()> {
        let wanted = self.segmenter.image_shape();
        if shape == wanted {
            return Ok(());
        }
        let reason = format!("gives images of shape {shape:?}; the segmenter reads {wanted:?}");
        Err(Error::file(path, reason).with_hint("Train a segmenter for this size and these channels.").into())
    }

    fn check_sheet(&self, n: u64, columns: u32) -> Result<()> {
        let Target::Grid(_) = self.target else { return Ok(()) };
        let [c, height, width] = self.segmenter.image_shape();
        let tall = (height + 1) * (1 + self.segmenter.planes().len());
        output::check_grid(n, columns as usize, [c, tall, width], "Give a folder, or ask for fewer pictures.")
    }

    fn take(&mut self, names: &[String], values: &[f32], device: &Device) -> Result<()> {
        let shape = [&[names.len()], &self.segmenter.image_shape()[..]].concat();
        let images = pictures::from_batch(&shape, values)?;
        let said = self.segmenter.segment(&Tensor::new(&shape, values.to_vec(), device))?;
        for ((name, image), maps) in names.iter().zip(images).zip(said) {
            self.take_one(name, image, maps)?;
        }
        Ok(())
    }

    fn take_one(&mut self, name: &str, image: Image, maps: Vec<LabelMap>) -> Result<()> {
        self.images += 1;
        for (pixels, map) in self.pixels.iter_mut().zip(&maps) {
            map.classes.iter().for_each(|&class| pixels[usize::from(class)] += 1);
        }
        let planes = self.segmenter.planes();
        match &self.target {
            Target::Grid(_) => self.cells.push(Labelled { image, maps, caption: None }),
            Target::Folder(folder) => {
                for (plane, map) in planes.iter().zip(&maps).filter(|_| self.labels) {
                    let path = folder.join(folder_name(&plane.name)).join(format!("{name}.png"));
                    output::write(&path, &pictures::labels_png(map)?)?;
                }
                let picture = pictures::labelled(&[Labelled { image, maps, caption: None }], planes, 1)?;
                output::write_png(&folder.join(format!("{name}.png")), &picture)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, columns: usize) -> Result<()> {
        let Target::Grid(path) = &self.target else { return Ok(()) };
        output::write_png(path, &pictures::labelled(&self.cells, self.segmenter.planes(), columns)?)
    }

    fn shares(&self) -> Vec<JsonPlane<'_>> {
        let mut planes = Vec::new();
        for (plane, pixels) in self.segmenter.planes().iter().zip(&self.pixels) {
            let all = pixels.iter().sum::<u64>().max(1) as f64;
            let classes = plane.classes.iter().zip(pixels);
            let classes = classes.map(|(class, &n)| JsonClass { name: &class.name, pixels: n, share: n as f64 / all });
            planes.push(JsonPlane { name: &plane.name, classes: classes.collect() });
        }
        planes
    }
}

/// Whether the user means a generator, not images.
fn is_model(path: &Path) -> bool {
    let named = |name| shipped::by_name(name, shipped::Kind::Generator).is_some();
    path.to_str().is_some_and(named)
        || output::has_ending(path, &["safetensors"])
        || run_folder::is_run(path)
        || path.join(MANIFEST).is_file()
}

/// A plane's name as that of a folder: a model file may name its planes as it likes.
fn folder_name(plane: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    if plane.is_empty() { "plane".into() } else { plane.chars().map(plain).collect() }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "image".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_plane_cannot_lead_out_of_its_folder() {
        let names = ["parts", "../../etc", ".", "", "C:\\x"].map(super::folder_name);
        assert_eq!(names, ["parts", "------etc", "-", "plane", "C--x"]);
    }
}
