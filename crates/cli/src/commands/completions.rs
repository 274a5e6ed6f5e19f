//! `ganatomy completions SHELL`

use crate::arguments::Arguments;
use crate::console;
use crate::exit::{self, Code};
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

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

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    script: &'a str,
}

impl Completions {
    pub(crate) fn run(self) -> Result<Code> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "ganatomy", &mut script);
        let script = String::from_utf8_lossy(&script);
        console::result(&Json { script: &script }, || script.to_string())?;
        Ok(exit::DONE)
    }
}
