//! The commands, a file each.

mod causal;
mod compare;
mod completions;
mod data;
mod demo;
mod dissect;
mod edit;
mod evolve;
mod export;
mod import;
mod inspect;
mod interpolate;
mod invert;
mod man;
mod merge;
mod repair;
mod report;
mod resume;
mod run;
mod runs;
mod sample;
mod score;
mod segmenter;
mod settings;
mod studio;
mod study;
mod trial;

use crate::console::Console;
use crate::exit::Code;
use anyhow::Result;

/// What the user wants done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Evolve(evolve::Evolve),
    Resume(resume::Resume),
    Runs(runs::Runs),
    Sample(sample::Sample),
    Interpolate(interpolate::Interpolate),
    Data(data::Data),
    Segmenter(segmenter::Segmenter),
    Score(score::Score),
    Dissect(dissect::Dissect),
    Merge(merge::Merge),
    Compare(compare::Compare),
    Causal(causal::Causal),
    Edit(edit::Edit),
    Invert(invert::Invert),
    Repair(repair::Repair),
    Report(report::Report),
    Studio(studio::Studio),
    Inspect(inspect::Inspect),
    Import(import::Import),
    Export(export::Export),
    Run(run::Run),
    Settings(settings::Settings),
    Presets(settings::Presets),
    Trial(trial::Trial),
    Study(study::Study),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Whether the main thread waits for others, and so must not be one of those that compute.
    pub(crate) fn waits(&self) -> bool {
        matches!(self, Self::Studio(_))
    }

    /// Does it.
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        match self {
            Self::Demo(command) => command.run(console),
            Self::Evolve(command) => command.run(console),
            Self::Resume(command) => command.run(console),
            Self::Runs(command) => command.run(console),
            Self::Sample(command) => command.run(console),
            Self::Interpolate(command) => command.run(console),
            Self::Data(command) => command.run(console),
            Self::Segmenter(command) => command.run(console),
            Self::Score(command) => command.run(console),
            Self::Dissect(command) => command.run(console),
            Self::Merge(command) => command.run(console),
            Self::Compare(command) => command.run(console),
            Self::Causal(command) => command.run(console),
            Self::Edit(command) => command.run(console),
            Self::Invert(command) => command.run(console),
            Self::Repair(command) => command.run(console),
            Self::Report(command) => command.run(console),
            Self::Studio(command) => command.run(console),
            Self::Inspect(command) => command.run(console),
            Self::Import(command) => command.run(console),
            Self::Export(command) => command.run(console),
            Self::Run(command) => command.run(console),
            Self::Settings(command) => command.run(),
            Self::Presets(command) => command.run(),
            Self::Trial(command) => command.run(console),
            Self::Study(command) => command.run(console),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}
