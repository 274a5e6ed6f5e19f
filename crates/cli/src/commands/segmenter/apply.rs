//! `ganatomy segmenter apply SEG IMAGES|MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::output::Target;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use data::pictures::{self, Labelled};
use data::{Crop, Image, LabelMap, labels_to_size};
use models::pictures::check_grid;
use models::{Pictured, PlaneShares, Seeds, Seen, Source, classes_document, files, find_segmenter, folder_name};
use segment::{Segment, Segmenter};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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

    /// With a folder as --out: write index PNGs and classes.json, too, a folder for each plane. Images
    /// are then looked at whole; their label maps have their names, folders and sizes
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
    planes: Vec<PlaneShares<'a>>,
    out: String,
}

/// Takes images and label maps as they come.
struct Sink<'a> {
    segmenter: &'a Segmenter,
    target: Target,
    labels: bool,
    cells: Vec<Labelled>,
    /// What was written so far.
    written: BTreeSet<PathBuf>,
}

impl Apply {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let target = Target::of(&self.out)?;
        if self.labels && matches!(target, Target::Grid(_)) {
            return Err(Error::setting("labels", "needs a folder as --out")
                .with_hint("For example --out seen/.")
                .into());
        }
        let device = self.computing.open(console)?;
        let mut tell = |note: &models::Note| console.note(note);
        let (segmenter, path) = find_segmenter(&self.segmenter, &device, &mut tell)?;
        let (cells, written) = (Vec::new(), BTreeSet::new());
        let mut sink = Sink { segmenter: &segmenter, target, labels: self.labels, cells, written };
        sink.prepare()?;
        // Labels of a whole picture need the whole picture.
        let crop = if self.labels { Crop::Stretch } else { Crop::Centre };
        let source = Source::open(&self.source, segmenter.image_shape(), crop, &device, &mut tell)?;
        source.check(segmenter.image_shape())?;
        let n = self.wanted(&source, &sink.target);
        sink.check_sheet(n, self.columns)?;
        let mut seen = Seen::new(&segmenter, &device);
        let mut progress = Progress::new(console)?;
        let finite = source.each(&self.seeds, (n, BATCH), &mut progress, |pictured, values| {
            pictured.iter().zip(seen.look(values)?).try_for_each(|(one, (image, maps))| sink.take(one, image, maps))
        })?;
        let signal = progress.finish();
        let Some(finite) = finite else { return Ok(exit::of_stop(signal)) };
        if !finite {
            console.warn(&format!("{}: gave numbers that are not finite", source.path().display()));
        }
        if let Some(set) = source.set() {
            console.notices(set);
        }
        sink.finish(self.columns as usize)?;
        self.print(&seen, &path)?;
        Ok(ExitCode::SUCCESS)
    }

    /// How many pictures are looked at.
    fn wanted(&self, source: &Source, target: &Target) -> u64 {
        let all = source.len(&self.seeds);
        match (self.count, target) {
            _ if source.is_generator() => all.unwrap_or(0),
            (Some(n), _) => all.unwrap_or(u64::MAX).min(u64::from(n)),
            (None, Target::Folder(_)) => all.unwrap_or(16),
            (None, Target::Grid(_)) => all.unwrap_or(u64::MAX).min(16),
        }
    }

    fn print(&self, seen: &Seen, path: &Path) -> Result<()> {
        let planes = seen.shares();
        if self.json {
            let (segmenter, out) = (path.display().to_string(), self.out.display().to_string());
            return console::print_json(&Json { segmenter, images: seen.images(), planes, out });
        }
        let line = |plane: &PlaneShares| {
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
        base::files::create_folder(folder)?;
        for plane in self.segmenter.planes().iter().filter(|_| self.labels) {
            let text = serde_json::to_string_pretty(&classes_document(plane))? + "\n";
            files::write(&folder.join(folder_name(&plane.name)).join("classes.json"), text.as_bytes())?;
        }
        Ok(())
    }

    fn check_sheet(&self, n: u64, columns: u32) -> Result<()> {
        let Target::Grid(_) = self.target else { return Ok(()) };
        let [c, height, width] = self.segmenter.image_shape();
        let tall = (height + 1) * (1 + self.segmenter.planes().len());
        Ok(check_grid(n, columns as usize, [c, tall, width], "Give a folder, or ask for fewer pictures.")?)
    }

    fn take(&mut self, pictured: &Pictured, image: Image, maps: Vec<LabelMap>) -> Result<()> {
        let (labels, segmenter) = (self.labels, self.segmenter);
        let planes = segmenter.planes();
        let Target::Folder(folder) = self.target.clone() else {
            self.cells.push(Labelled { image, maps, caption: None });
            return Ok(());
        };
        let name = format!("{}.png", pictured.name);
        for (plane, map) in planes.iter().zip(&maps).filter(|_| labels) {
            let map = labels_to_size(map, pictured.size, Crop::Stretch);
            self.write(folder.join(folder_name(&plane.name)).join(&name), &pictures::labels_png(&map)?)?;
        }
        let picture = pictures::labelled(&[Labelled { image, maps, caption: None }], planes, 1)?;
        self.write(folder.join(name), &pictures::png(&picture)?)
    }

    /// Writes a file, whose name must not have been written before.
    fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        if !self.written.insert(path.clone()) {
            return Err(Error::file(path, "would be written twice: for two images, or for an image and a label map")
                .with_hint(
                    "Give images and their folders other names; a folder of images must not be called as a plane.",
                )
                .into());
        }
        Ok(files::write(&path, bytes)?)
    }

    fn finish(&self, columns: usize) -> Result<()> {
        let Target::Grid(path) = &self.target else { return Ok(()) };
        Ok(files::write_png(path, &pictures::labelled(&self.cells, self.segmenter.planes(), columns)?)?)
    }
}
