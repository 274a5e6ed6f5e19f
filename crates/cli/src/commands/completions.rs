//! `ganatomy completions SHELL`

use crate::arguments::Arguments;
use crate::console;
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;
use std::process::ExitCode;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy completions bash > ~/.local/share/bash-completion/completions/ganatomy
  ganatomy completions zsh > ~/.zfunc/_ganatomy
  ganatomy completions fish > ~/.config/fish/completions/ganatomy.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "ganatomy", &mut script);
        console::print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
