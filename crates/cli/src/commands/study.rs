//! `study`: arms by seeds, from a plan.

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::threads;
use anyhow::Result;
use evolve::study::{self, Plan, Report, Resolved, Step};
use evolve::trial::Length;
use serde::Serialize;
use std::path::PathBuf;
use train::signals::Interrupt;

/// Compare sets of settings over seeds, by a plan in a file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy study studies/toys-ring8.toml
  ganatomy study studies/images-scenes.toml --jobs 2 --out nights/scenes
  ganatomy study mine.toml --dry-run

Runs go one a core, each in its folder. The same command goes on where it stopped. The folder gets results.csv (all runs),
summary.json, table.md and chart.svg. docs/evolution.md says how a plan is written.")]
pub(crate) struct Study {
    /// The plan: a TOML file
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// The folder of the study [default: study-NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at a time [default: the processor's cores]
    #[arg(long, value_name = "N", value_parser = threads::count)]
    jobs: Option<usize>,
    /// Say what would be run and stop: a generation of each arm is played
    #[arg(long)]
    dry_run: bool,
}

/// What `--dry-run --json` prints.
#[derive(Serialize)]
struct Dry<'a> {
    plan: Vec<Planned<'a>>,
}

/// An arm that would be run.
#[derive(Serialize)]
struct Planned<'a> {
    arm: &'a str,
    macs_of_a_generation: u64,
    generations: Option<u64>,
    seconds: Option<f64>,
    tuning_runs: u64,
    runs: u64,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    study: &'a Report,
}

impl Study {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let plan = Plan::read(&self.plan)?;
        if self.dry_run {
            let arms = study::resolve(&plan)?;
            let planned: Vec<Planned> = arms.iter().map(planned).collect();
            console::result(&Dry { plan: planned }, || in_words(&plan, &arms))?;
            return Ok(exit::DONE);
        }
        let folder = self.out.unwrap_or_else(|| Plan::usual_folder(&self.plan));
        let jobs = self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let interrupt = Interrupt::install()?;
        console.say(&format!("{} ({})", plan.claim, plan.expected));
        let tell = |step: Step| match step {
            Step::Open { of: 0, .. } => {}
            Step::Open { missing, of, tuning } => {
                let what = if tuning { "runs that try values" } else { "runs on fresh seeds" };
                console.say(&format!("{missing} of {of} {what} are to be done"));
            }
            Step::Done { arm, seed } => console.say(&format!("done: {arm}, seed {seed}")),
        };
        let Some(report) = study::run(&plan, &folder, jobs, &interrupt, &tell)? else {
            console.say("stopped; what is finished is kept: the same command goes on");
            return Ok(exit::of_stop(interrupt.requested()));
        };
        let json = serde_json::to_vec_pretty(&report)?;
        for (name, bytes) in [
            ("results.csv", report.csv().as_bytes()),
            ("summary.json", &json),
            ("table.md", report.markdown().as_bytes()),
            ("chart.svg", report.chart().as_bytes()),
        ] {
            base::files::write_atomic(folder.join(name), bytes)?;
        }
        console::result(&Json { study: &report }, || report.text())?;
        console::made(&folder)?;
        console.say(&format!("see {0}/table.md, {0}/results.csv, {0}/chart.svg", folder.display()));
        Ok(exit::DONE)
    }
}

fn planned(arm: &Resolved) -> Planned<'_> {
    let (generations, seconds) = match arm.length {
        Length::Generations(n) => (Some(n), None),
        Length::Seconds(s) => (None, Some(s)),
    };
    let [tuning_runs, runs] = arm.runs;
    Planned { arm: &arm.name, macs_of_a_generation: arm.macs, generations, seconds, tuning_runs, runs }
}

/// A line for each arm.
fn in_words(plan: &Plan, arms: &[Resolved]) -> String {
    let length = |length: Length| match length {
        Length::Generations(n) => format!("{n} generations"),
        Length::Seconds(s) => format!("{s} seconds"),
    };
    let line = |arm: &Resolved| {
        let [tuning, fresh] = arm.runs;
        let tried =
            arm.tuning.filter(|_| tuning > 0).map(|l| format!("{tuning} runs of {} to try values, then ", length(l)));
        let (tried, macs) = (tried.unwrap_or_default(), arm.macs as f64 / 1e6);
        format!("{}: {tried}{fresh} runs of {} ({macs:.2} Mmac a generation)\n", arm.name, length(arm.length))
    };
    format!("{} ({})\n", plan.claim, plan.expected) + &arms.iter().map(line).collect::<String>()
}
