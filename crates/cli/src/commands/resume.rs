//! `resume`: go on with a run.

use crate::commands;
use crate::console::Console;
use crate::device::Computing;
use crate::training;
use anyhow::Result;
use evolve::{Evolution, Settings};
use std::path::PathBuf;
use std::process::ExitCode;
use train::signals::Interrupt;

/// Go on with a run from its newest valid checkpoint
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy resume runs/00003-scenes-modern
  ganatomy resume runs/00003-scenes-modern --generations 20000

Nothing but the length of the run and what it writes (log.*) can be changed.")]
pub(crate) struct Resume {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Generations in all, those already done included
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// A setting; other than log.* it must be the one that the run was made with
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
    /// Print the statistics of every generation to stdout, one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Resume {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        if segment::Settings::are_in(&self.run) {
            return self.segmenter(console);
        }
        let stored = Evolution::settings_of(&self.run)?;
        let mut overrides = self.settings.clone();
        overrides.extend(self.generations.map(|n| format!("generations={n}")));
        let settings = Settings::resolve(&stored, None, &overrides)?;
        if self.dry_run {
            crate::console::print(&settings.to_toml())?;
            return Ok(ExitCode::SUCCESS);
        }
        let interrupt = Interrupt::install()?;
        let device = self.computing.open(console)?;
        let run = Evolution::resume(&self.run, settings, device)?;
        training::go(run, &interrupt, console, self.json)
    }

    /// The run of a segmenter: its length belongs to its learning rate and stays.
    fn segmenter(self, console: Console) -> Result<ExitCode> {
        if self.generations.is_some() {
            return Err(base::Error::setting(
                "--generations",
                "is for runs of `ganatomy evolve`; this is a segmenter's",
            )
            .with_hint("Leave it out: the steps of a segmenter's run are fixed when it starts.")
            .into());
        }
        commands::segmenter::resume(&self.run, &self.settings, self.computing, self.dry_run, console, self.json)
    }
}
