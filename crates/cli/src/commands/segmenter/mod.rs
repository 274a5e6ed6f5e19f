//! `ganatomy segmenter ...`

mod apply;
mod cluster;
mod eval;
mod masks;
mod name;
mod train;

use crate::console::Console;
use crate::exit::Code;
use anyhow::Result;

/// Train, judge and use networks that say what is where
#[derive(Debug, clap::Args)]
pub(crate) struct Segmenter {
    #[command(subcommand)]
    command: SegmenterCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SegmenterCommand {
    Train(train::Train),
    Eval(eval::Eval),
    Apply(apply::Apply),
    Cluster(cluster::Cluster),
    Masks(masks::Masks),
    Name(name::Name),
}

impl Segmenter {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        match self.command {
            SegmenterCommand::Train(command) => command.run(console),
            SegmenterCommand::Eval(command) => command.run(console),
            SegmenterCommand::Apply(command) => command.run(console),
            SegmenterCommand::Cluster(command) => command.run(console),
            SegmenterCommand::Masks(command) => command.run(console),
            SegmenterCommand::Name(command) => command.run(console),
        }
    }
}
