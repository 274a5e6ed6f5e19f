//! `ganatomy data ...`

use crate::arguments;
use crate::console::{self, Console};
use crate::exit::{self, Code};
use anyhow::Result;
use base::Error;
use data::{Broken, Dataset, Matter, Notice, Options, Size, pictures};
use serde::Serialize;
use std::path::PathBuf;

/// Look at data sets
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DataCommand {
    Preview(Preview),
}

/// Say what a data set is and draw some of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SRC is a built-in world (scenes, ring8, grid25, swissroll), a folder or .zip of images, an IDX or
CIFAR-10 file, or an .npz or .npy of images. Label maps and classes are drawn where there are any.
A folder of the name of a built-in world is ./scenes. What was left out, and why, is said; of the
images only those that are drawn are read, all of them with --broken skip.

Examples:
  ganatomy data preview scenes
  ganatomy data preview photos/ --size 64 --broken skip
  ganatomy data preview train-images-idx3-ubyte.gz --count 100 --out digits.png")]
struct Preview {
    /// A built-in name or a path
    #[arg(value_name = "SRC")]
    source: String,

    /// Write the picture here
    #[arg(long, value_name = "PNG", default_value = "preview.png")]
    out: PathBuf,

    /// Crop and resize the images to squares of this side, or to WxH [default: as they are]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<Size>,

    /// Images to draw, spread evenly over the set [default: 32; 2000 points]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// Images in a row
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(1..))]
    columns: u32,

    /// The seed of a built-in world
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u64,

    /// Images that cannot be read: leave them out and say so, or stop at the first
    #[arg(long, value_enum, default_value = "refuse")]
    broken: WhenBroken,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum WhenBroken {
    // Leave them out and say so.
    Skip,
    // Stop at the first.
    Refuse,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    /// `null` where there is no end to them.
    count: Option<usize>,
    shape: &'a [usize],
    classes: &'a [String],
    planes: Vec<JsonPlane<'a>>,
    skipped: &'a [String],
    /// What was taken, what was left out and why, and what was met in the images that were read.
    notices: Vec<Notice>,
    preview: String,
}

#[derive(Serialize)]
struct JsonPlane<'a> {
    name: &'a str,
    classes: Vec<&'a str>,
}

impl Data {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        match self.command {
            DataCommand::Preview(command) => command.run(console),
        }
    }
}

impl Preview {
    fn run(self, console: Console) -> Result<Code> {
        if !models::files::has_ending(&self.out, &["png"]) {
            let reason = format!("{} does not end in .png", self.out.display());
            return Err(Error::setting("--out", reason).into());
        }
        let broken = match self.broken {
            WhenBroken::Skip => Broken::Skip,
            WhenBroken::Refuse => Broken::Refuse,
        };
        let options = Options { size: self.size, seed: self.seed, broken, ..Options::default() };
        let set = data::open(&self.source, &options)?;
        let count = self.count.unwrap_or(if set.toy().is_some() { 2000 } else { 32 });
        let picture = pictures::preview(&set, count as usize, self.columns as usize)?;
        models::files::write_png(&self.out, &picture)?;
        warn(&set, console);
        let planes = set.planes().iter().map(|plane| JsonPlane {
            name: &plane.name,
            classes: plane.classes.iter().map(|class| class.name.as_str()).collect(),
        });
        let told = Json {
            name: set.name(),
            count: set.len(),
            shape: set.shape(),
            classes: set.label_names(),
            planes: planes.collect(),
            skipped: set.skipped(),
            notices: set.notices(),
            preview: self.out.display().to_string(),
        };
        console::result(&told, || describe(&set))?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}

/// What people would not expect; the rest is part of the description.
fn warn(set: &Dataset, console: Console) {
    let notices = set.notices();
    notices.iter().filter(|notice| notice.matter.is_warning()).for_each(|notice| console.warn(&notice.to_string()));
    if notices.iter().any(|notice| notice.matter == Matter::OtherSize) {
        console::complain("hint", "--size brings all images to one size, for example --size 64.");
    }
}

/// What a data set is, for people.
fn describe(set: &Dataset) -> String {
    let count = set.len().map_or_else(|| "endless".to_owned(), |n| n.to_string());
    let items = match *set.shape() {
        [1, height, width] => format!("images of {width}x{height} pixels, grey"),
        [_, height, width] => format!("images of {width}x{height} pixels, RGB"),
        _ => "points of the plane".to_owned(),
    };
    let mut text = format!("{}: {items}; count: {count}\n", set.name());
    let names = set.label_names();
    if !names.is_empty() {
        text += &["classes: ", &names.join(", "), "\n"].concat();
    }
    for notice in set.notices().iter().filter(|notice| !notice.matter.is_warning()) {
        text += &[&notice.to_string(), "\n"].concat();
    }
    for plane in set.planes() {
        let classes: Vec<&str> = plane.classes.iter().map(|class| class.name.as_str()).collect();
        text += &["label maps of ", &plane.name, ": ", &classes.join(", "), "\n"].concat();
    }
    text
}
