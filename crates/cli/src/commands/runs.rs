//! `ganatomy runs [DIR]` and `ganatomy runs prune`

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::time;
use anyhow::Result;
use base::memory::said;
use models::{RunFolder, RunKind, RunState, RunSummary, runs_in};
use serde::Serialize;
use std::path::PathBuf;
use std::time::SystemTime;

/// List runs: how far each is, its best checkpoint, its size; or remove checkpoints that are not needed
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Runs are looked for three folders deep. The score of a run of generators is the distance of its
samples to the data (less is better; with score.every that of features, else a rough one on 8x8
pixels), of a segmenter its mean IoU (more is better).

Examples:
  ganatomy runs
  ganatomy runs experiments --json
  ganatomy runs prune runs")]
pub(crate) struct Runs {
    #[command(subcommand)]
    command: Option<RunsCommand>,

    /// The folder of runs, or one run
    #[arg(default_value = "runs")]
    folder: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum RunsCommand {
    Prune(Prune),
}

/// Remove checkpoints that a run can do without
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What stays: the newest checkpoints, the newest one that is whole, and the best. Runs in which a
process is at work are left alone. Without --yes it is only said what would go.

Examples:
  ganatomy runs prune runs
  ganatomy runs prune runs/00003-scenes-modern --keep 2 --yes")]
pub(crate) struct Prune {
    /// The folder of runs, or one run
    #[arg(default_value = "runs")]
    folder: PathBuf,

    /// Checkpoints of each run that stay, besides the best
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,

    /// Do it
    #[arg(long)]
    yes: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    runs: Vec<JsonRun>,
}

#[derive(Serialize)]
struct JsonRun {
    path: String,
    kind: RunKind,
    state: RunState,
    done: u64,
    of: u64,
    best: Option<u64>,
    score: Option<f64>,
    seconds: f64,
    bytes: u64,
    /// Seconds since it was last written to.
    age: Option<u64>,
}

#[derive(Serialize)]
struct JsonPruned {
    removed: bool,
    bytes: u64,
    runs: Vec<JsonSpare>,
}

#[derive(Serialize)]
struct JsonSpare {
    path: String,
    checkpoints: Vec<u64>,
    bytes: u64,
}

impl Runs {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        if let Some(RunsCommand::Prune(prune)) = self.command {
            return prune.run(console);
        }
        let runs = runs_in(&self.folder, &mut |e| console.warn(&e.to_string()))?;
        let told = Json { runs: runs.iter().map(JsonRun::of).collect() };
        console::result(&told, || table(&told.runs, &self.folder.display().to_string()))?;
        Ok(exit::DONE)
    }
}

impl Prune {
    fn run(self, console: Console) -> Result<Code> {
        let keep = self.keep as usize;
        let mut runs = Vec::new();
        for summary in runs_in(&self.folder, &mut |e| console.warn(&e.to_string()))? {
            let path = summary.path.display().to_string();
            if summary.state == RunState::Running {
                console.say(&format!("{path}: a process is at work in it"));
                continue;
            }
            let run = RunFolder::open(&summary.path)?;
            let spare = if self.yes { run.prune(keep)? } else { run.spare(keep)? };
            if !spare.is_empty() {
                let checkpoints = spare.iter().map(|spare| spare.generation).collect();
                runs.push(JsonSpare { path, checkpoints, bytes: spare.iter().map(|spare| spare.bytes).sum() });
            }
        }
        let told = JsonPruned { removed: self.yes, bytes: runs.iter().map(|run| run.bytes).sum(), runs };
        console::result(&told, || pruned(&told))?;
        Ok(exit::DONE)
    }
}

impl JsonRun {
    fn of(run: &RunSummary) -> Self {
        let age = run.changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        Self {
            path: run.path.display().to_string(),
            kind: run.kind,
            state: run.state,
            done: run.done,
            of: run.of,
            best: run.best.as_ref().map(|best| best.generation),
            score: run.best.as_ref().map(|best| best.score),
            seconds: run.seconds,
            bytes: run.bytes,
            age: age.map(|age| age.as_secs()),
        }
    }
}

fn table(runs: &[JsonRun], folder: &str) -> String {
    if runs.is_empty() {
        return format!("There is no run in {folder}.\n");
    }
    let head = ["run", "state", "done", "best", "score", "time", "size", "written"].map(str::to_owned);
    let row = |run: &JsonRun| {
        let state = match run.state {
            RunState::Running => "running",
            RunState::Stopped => "stopped",
            RunState::Done => "done",
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        [
            run.path.clone(),
            state.to_owned(),
            format!("{} of {}", run.done, run.of),
            or_dash(run.best.map(|best| best.to_string())),
            or_dash(run.score.map(|score| format!("{score:.4}"))),
            time::said(run.seconds),
            said(run.bytes),
            or_dash(run.age.map(|age| format!("{} ago", time::said(age as f64)))),
        ]
    };
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(runs.iter().map(row)).collect();
    let widths = std::array::from_fn::<usize, 8, _>(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).enumerate();
        // Names and words to the left, numbers to the right.
        let cell = |(column, (cell, width)): (usize, (&String, usize))| {
            if column < 2 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        };
        cells.map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn pruned(told: &JsonPruned) -> String {
    let word = if told.removed { "removed" } else { "would go" };
    let line = |run: &JsonSpare| {
        let numbers: Vec<String> = run.checkpoints.iter().map(ToString::to_string).collect();
        format!("{}: {}, checkpoints {}\n", run.path, said(run.bytes), numbers.join(", "))
    };
    let mut lines: Vec<String> = told.runs.iter().map(line).collect();
    lines.push(match (told.runs.is_empty(), told.removed) {
        (true, _) => "nothing to remove\n".into(),
        (false, true) => format!("{} {word}\n", said(told.bytes)),
        (false, false) => format!("{} {word}; --yes removes it\n", said(told.bytes)),
    });
    lines.concat()
}
