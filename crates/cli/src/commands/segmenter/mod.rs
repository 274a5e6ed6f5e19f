//! `ganatomy segmenter ...`

mod apply;
mod cluster;
mod eval;
mod masks;
mod train;

use crate::console::Console;
use crate::model::Model;
use anyhow::Result;
use net::Device;
use segment::Segmenter as Network;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
}

impl Segmenter {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        match self.command {
            SegmenterCommand::Train(command) => command.run(console),
            SegmenterCommand::Eval(command) => command.run(console),
            SegmenterCommand::Apply(command) => command.run(console),
            SegmenterCommand::Cluster(command) => command.run(console),
            SegmenterCommand::Masks(command) => command.run(console),
        }
    }
}

/// Loads what the user calls SEG, and says where it lies.
pub(crate) fn open(path: &Path, device: &Device, console: Console) -> Result<(Network, PathBuf)> {
    let Model { network, path } = Model::open_segmenter(path, device, console)?;
    Ok((Network::of_file(network, &path)?, path))
}
