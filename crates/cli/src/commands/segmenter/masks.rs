//! `ganatomy segmenter masks`

use crate::arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output;
use anyhow::Result;
use base::files;
use net::Storage;
use segment::Segment;
use serde::Serialize;
use std::path::PathBuf;

/// Make a segmenter of regions that you paint: the same in all pictures
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FOLDER holds a PNG for each region, white inside and black outside; its name is that of the class.
Regions may overlap. The file is a segmenter like any other. For things that are elsewhere in every
picture, label pictures and train one (segmenter train).

Examples:
  ganatomy segmenter masks painted/ --size 64 --out regions.safetensors
  ganatomy dissect faces.safetensors --segmenter regions.safetensors")]
pub(crate) struct Masks {
    /// The masks: a folder of PNGs
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Write this .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The side of the pictures that it will see, or WxH [default: as the masks]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<data::Size>,

    /// Channels of these pictures: 3, or 1 for grey ones
    #[arg(long, value_name = "N", default_value = "3", value_parser = ["1", "3"])]
    channels: String,

    #[command(flatten)]
    computing: Computing,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    masks: Vec<Share>,
}

#[derive(Serialize)]
struct Share {
    name: String,
    /// Of the picture's pixels.
    share: f64,
}

impl Masks {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        output::check_ending(&self.out, "safetensors")?;
        let device = self.computing.open(console)?;
        let [height, width] = match self.size {
            Some(size) => size.rows_and_columns(),
            None => {
                let first = segment::mask_paths(&self.folder)?.remove(0);
                let mask = data::decode(&files::read(&first, data::MAX_BYTES)?, &first)?;
                [mask.height, mask.width]
            }
        };
        let channels = if self.channels == "1" { 1 } else { 3 };
        let segmenter = segment::masks(&self.folder, [channels, height, width], &device)?;
        models::files::write(&self.out, &segmenter.to_bytes(Storage::F16)?)?;
        let nothing = net::Tensor::new(&[1, channels, height, width], vec![0.0; channels * height * width], &device);
        let maps = segmenter.segment(&nothing)?.remove(0);
        let share = |(plane, map): (&data::Plane, &data::LabelMap)| {
            let inside = map.classes.iter().filter(|&&class| class == 1).count();
            Share { name: plane.name.clone(), share: inside as f64 / map.classes.len() as f64 }
        };
        let masks: Vec<Share> = segmenter.planes().iter().zip(&maps).map(share).collect();
        let line = |mask: &Share| format!("{}: {:.1} % of the picture\n", mask.name, 100.0 * mask.share);
        let text = masks.iter().map(line).collect();
        console::result(&Json { masks }, || text)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}
