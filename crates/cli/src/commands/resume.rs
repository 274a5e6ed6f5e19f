//! `resume`: go on with a run, whatever it trains.

use crate::console::Console;
use crate::device::Computing;
use crate::exit::Code;
use crate::settings::Setting;
use crate::training::{self, Manner, Told, quoted};
use anyhow::Result;
use evolve::Evolution;
use std::path::PathBuf;
use train::{Change, RunSettings};

/// Go on with a run from its newest valid checkpoint
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy resume runs/00003-scenes-modern
  ganatomy resume runs/00003-scenes-modern --generations 20000
  ganatomy resume runs/00004-photos-modern --data /new/place/photos

Nothing but the length of the run, what it writes (log.*) and the place of its data can be changed.
A config.toml that was edited, or other data, are refused, unless --allow-change is given.")]
pub(crate) struct Resume {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Generations in all, those already done included
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// Where the data of the run are now, if they have moved
    #[arg(long, value_name = "SRC")]
    data: Option<String>,
    /// Go on although settings or data are not those of the checkpoint: another run from here on
    #[arg(long)]
    allow_change: bool,
    /// A setting; other than log.* it must be the one that the run was made with
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::of::<evolve::Settings>(), hide_possible_values = true)]
    settings: Vec<String>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
}

impl Resume {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        if segment::Settings::are_in(&self.run) {
            return self.of::<segment::Training>(console);
        }
        // The oldest kind: what is wrong with a folder that holds no run is said as of one.
        self.of::<Evolution>(console)
    }

    fn of<T: Told>(self, console: Console) -> Result<Code> {
        let mut overrides = self.settings;
        overrides.extend(self.data.map(|data| quoted("data", &data)));
        if let Some(generations) = self.generations {
            overrides.push(length::<T::Settings>(generations)?);
        }
        let manner = Manner { console, computing: self.computing, dry_run: self.dry_run };
        let change = if self.allow_change { Change::Allowed } else { Change::Refused };
        training::resume::<T>(&self.run, &overrides, change, manner)
    }
}

/// `--generations` as a setting, where the length of a run may change.
fn length<S: RunSettings>(generations: u64) -> Result<String> {
    if S::FREE.contains(&"generations") {
        return Ok(format!("generations={generations}"));
    }
    let (kind, unit) = (S::TASK.unwrap_or("run"), S::UNIT);
    Err(base::Error::setting("--generations", format!("is for runs of `ganatomy evolve`; this is a {kind}'s"))
        .with_hint(format!("Leave it out: the {unit}s of a {kind}'s run are fixed when it starts."))
        .into())
}
