//! `ganatomy segmenter cluster`

use crate::arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::output;
use anyhow::Result;
use net::Storage;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a segmenter for images without labels: like colour and texture, same class
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The pixels of the first images are clustered (k-means on colour and texture; where a pixel lies does
not count). The classes are called cluster 1, cluster 2, ... by size, in the colours of their
centres. The file is a segmenter like any other.

Examples:
  ganatomy segmenter cluster --data photos/ --size 64 --clusters 12 --out photos.safetensors
  ganatomy segmenter apply photos.safetensors photos/")]
pub(crate) struct Cluster {
    /// The images: a built-in world, or the path of a folder, zip, IDX, .npz or .npy
    #[arg(long, value_name = "SRC")]
    data: String,

    /// Write this .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Classes
    #[arg(long, value_name = "K", default_value = "8", value_parser = clap::value_parser!(u32).range(2..=segment::MOST_CLUSTERS as i64))]
    clusters: u32,

    /// Crop and resize the images to squares of this side, or to WxH [default: as they are]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<data::Size>,

    /// Cluster the pixels of the first N images
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4096))]
    images: u32,

    /// The seed of the clustering, and of a built-in world
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u64,

    #[command(flatten)]
    computing: Computing,
}

impl Cluster {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        output::check_ending(&self.out, "safetensors")?;
        let device = self.computing.open(console)?;
        let options = data::Options { size: self.size, seed: self.seed, ..data::Options::default() };
        let set = data::open(&self.data, &options)?;
        let segmenter = segment::cluster(&set, self.clusters as usize, self.images as usize, self.seed, &device)?;
        console.notices(&set);
        models::files::write(&self.out, &segmenter.to_bytes(Storage::F32)?)?;
        console::print(&format!("{}\n", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
