//! `ganatomy report FOUND`

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::output;
use anyhow::Result;
use base::Error;
use models::files;
use report::Wanted;
use serde::Serialize;
use std::path::PathBuf;

/// Make one page of a dissection, for any browser
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page is one file that loads nothing: charts of layers, classes and causes, a card for each unit
with the images that activate it most, edits before and after, a repair, and how it was made.
Results of `causal`, folders of `edit` and of `repair` that lie in FOUND are in it; name those that
lie elsewhere. Pictures decide the size of the file: --pictures and --top-images set how many.

Examples:
  ganatomy report found
  ganatomy report found --causal tree.json --edit no-trees --out trees.html
  ganatomy report found --pictures 10000   (of all units)")]
pub(crate) struct Report {
    /// A dissection's folder
    #[arg(value_name = "FOUND")]
    dissection: PathBuf,

    /// The page [default: FOUND/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// A result of `causal`, or a folder of such; may be repeated
    #[arg(long, value_name = "FILE.json|DIR")]
    causal: Vec<PathBuf>,

    /// A folder of `edit`; may be repeated
    #[arg(long, value_name = "DIR")]
    edit: Vec<PathBuf>,

    /// A folder of `repair`
    #[arg(long, value_name = "DIR")]
    repair: Option<PathBuf>,

    /// Units of each layer that are shown with pictures, the best ones
    #[arg(long, value_name = "N", default_value_t = Wanted::default().pictures)]
    pictures: usize,

    /// Images in the picture of a unit, at most those that the dissection kept
    #[arg(long, value_name = "K", default_value_t = Wanted::default().top_images as u32, value_parser = clap::value_parser!(u32).range(1..=64))]
    top_images: u32,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    left_out: &'a [String],
    bytes: usize,
}

impl Report {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let out = self.out.clone().unwrap_or_else(|| self.dissection.join("report.html"));
        output::check_page(&out, "--out")?;
        if !self.dissection.exists() && models::open_dissection(&self.dissection).is_ok() {
            let reason = "comes with the program without pictures; a page is made of a folder";
            return Err(Error::file(&self.dissection, reason)
                .with_hint("Dissect it yourself: `dissect scenes segmenter scenes`.")
                .into());
        }
        let wanted = Wanted {
            pictures: self.pictures,
            top_images: self.top_images as usize,
            causal: self.causal,
            edits: self.edit,
            repair: self.repair,
        };
        let report = report::report(&self.dissection, &wanted)?;
        for note in &report.notes {
            console.warn(&format!("left out: {note}"));
        }
        files::write(&out, report.html.as_bytes())?;
        console::result(&Json { left_out: &report.notes, bytes: report.html.len() }, String::new)?;
        console::made(&out)?;
        Ok(exit::DONE)
    }
}
