//! `ganatomy merge DIR DIR ...`

use crate::commands::dissect::show;
use crate::console::Console;
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::progress::Progress;
use anyhow::Result;
use models::subject_of_plan;
use std::path::PathBuf;

/// Put the shards of a dissection together
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The result is, to the byte, that of one run without shards.

Examples:
  ganatomy merge shard-1 shard-2 shard-3 shard-4 --out dissection")]
pub(crate) struct Merge {
    /// The folders of all shards, in any order
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,

    /// The folder for the whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The generator, for the pictures of units [default: where the shards found it]
    #[arg(long)]
    model: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,
}

impl Merge {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let mut progress = Progress::new(console)?;
        let model = self.model.as_deref();
        let done = dissect::merge(
            &self.shards,
            &self.out,
            |plan| {
                let found = subject_of_plan(plan, model, &device, &mut |note| console.note(note));
                if let Err(error) = &found {
                    console.warn(&format!("no pictures of units: {error}"));
                }
                Ok(found.ok())
            },
            &mut progress,
        );
        progress.finish();
        show(&done?)?;
        Ok(exit::DONE)
    }
}
